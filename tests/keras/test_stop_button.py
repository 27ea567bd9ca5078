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


@pytest.mark.parametrize(("what", "epochs", "shares"), [
    ("fit", 4, ["0.0625", "0.2500", "0.3125", "0.5000", "0.5625", "0.7500", "0.8125", "1.0000"]), ("fit", 1, ["0.2500", "1.0000"]),
    ("evaluate", 1, ["0.2500", "1.0000"]), ("predict", 1, ["0.2500", "1.0000"]),
])  # fmt: skip
def test_the_bar_shows_the_share_of_all_steps_of_all_epochs(drawn, monkeypatch, what, epochs, shares):
    monkeypatch.setattr(notebook_progress, "SILENT", -1)
    for target in (4, None):
        drawn.clear()
        progress = notebook_progress.NotebookProgress(what, epochs)
        for epoch in range(epochs):
            bar = progress.bar(target, epoch)
            for reached in (1, 4):
                bar._seen = reached
                progress.moved(bar, progress.began + 9 * epoch + reached, 0.5, reached == 4)
        found = [html.partition('value="')[2].partition('"')[0] for html in drawn]
        assert found == (shares if target else found) and len(found) == len(shares)
        assert target or epochs > 1 or found[0] == ""  # nobody knows how much an epoch without an end is


def test_epochs_before_the_first_are_no_part_of_the_bar_and_a_long_table_says_what_it_leaves_out(drawn, monkeypatch):
    shown = []
    monkeypatch.setattr(notebook_progress.Place, "show", lambda place, html, text: shown.append((html, text)))
    progress, kept = notebook_progress.NotebookProgress("fit", notebook_progress.KEPT + 7), notebook_progress.KEPT
    for epoch in range(5, kept + 7):
        bar = progress.bar(2, epoch)
        bar._seen = 2
        progress.moved(bar, progress.began + epoch, 0.5, True)
    shares = [float(html.partition('value="')[2].partition('"')[0]) for html, _ in shown]
    np.testing.assert_allclose(shares, np.arange(1, kept + 3) / (kept + 2), atol=1e-4)
    for note, said in (("1 epoch before that", shown[-2]), ("2 epochs before that", shown[-1])):
        assert all(note in text for text in said) and not any("before that" in text for text in shown[-3])


def test_a_last_epoch_and_what_is_no_training_are_drawn_at_their_end_however_quick_they_are(drawn, monkeypatch):
    monkeypatch.setattr(notebook_progress, "PAUSE", np.inf)
    monkeypatch.setattr(notebook_progress, "SILENT", np.inf)
    for what, epochs, expected in (("fit", 3, 1), ("fit", 1, 1), ("evaluate", 1, 1), ("evaluate", 3, 3), ("predict", 1, 0)):
        drawn.clear()
        progress = notebook_progress.NotebookProgress(what, epochs)
        for epoch in range(epochs):
            bar = progress.bar(2, epoch)
            for bar._seen in (1, 2):
                progress.moved(bar, progress.began + epoch, 0.5, bar._seen == 2)
        assert len(drawn) == expected, (what, epochs)
