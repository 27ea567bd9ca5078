"""The button below a cell that ends `fit` in notebooks of a tab; `e2e/test_jupyterlite.py` presses a real one."""

import numpy as np
import pytest
from helpers import blobs, classifier

from pyml.utils import notebook_progress, notebooks, stop_button


class Pressed:
    """A button that is pressed when it was looked at so often."""

    html = "<button>Stop</button>"

    def __init__(self, looks):
        self.looks, self.closed = looks, 0

    def check(self):
        self.looks -= 1
        if self.looks == 0:
            raise KeyboardInterrupt

    def close(self):
        self.closed += 1


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn below the cell, at every step."""
    shown = []
    monkeypatch.setattr(notebooks, "shows_progress", lambda: True)
    monkeypatch.setattr(notebook_progress, "PAUSE", -1)
    monkeypatch.setattr(notebook_progress.Place, "show", lambda place, html, text: shown.append(html))
    return shown


def test_there_is_none_where_interrupts_are_heard():
    assert stop_button.stop_button() is None


def test_a_press_ends_fit_after_a_whole_step_and_the_button_goes(cpu, drawn, monkeypatch):
    button, model, (x, y) = Pressed(3), classifier(), blobs(64)
    monkeypatch.setattr(notebook_progress, "stop_button", lambda: button)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=16, epochs=5, verbose=1)
    assert button.closed == 1 and button.looks == 0
    assert all("<button>" in html for html in drawn[:-1]) and "<button>" not in drawn[-1] and "interrupted after" in drawn[-1]
    assert 0 < int(model.optimizer.iterations) < 20
    before = model.get_weights()
    monkeypatch.setattr(notebook_progress, "stop_button", lambda: None)
    model.fit(x, y, batch_size=16, epochs=1, verbose=0)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_fit_that_ends_closes_its_button_and_evaluate_has_none(cpu, drawn, monkeypatch):
    buttons, model, (x, y) = [], classifier(), blobs(32)

    def made():
        buttons.append(Pressed(0))
        return buttons[-1]

    monkeypatch.setattr(notebook_progress, "stop_button", made)
    model.fit(x, y, batch_size=16, epochs=2, verbose=1)
    model.evaluate(x, y, verbose=1)
    assert [button.closed for button in buttons] == [1]


def test_the_time_that_is_left_is_told_from_all_epochs_and_not_from_the_one_that_was_slowed_by_drawing(drawn):
    progress = notebook_progress.NotebookProgress("fit", 101)
    now = progress.began
    for epoch in range(6):
        bar = progress.bar(10, epoch)
        bar._seen, bar._start = 10, now
        now += {0: 5.0, 5: 1.0}.get(epoch, 0.1)        # the first compiles, the last but one is drawn
        progress.moved(bar, now, (now - bar.began) / 10, True)
    assert "Epoch 6 of 101" in drawn[-1] and "about 26s left" in drawn[-1]  # 95 more of (0.1 * 4 + 1) / 5 seconds
