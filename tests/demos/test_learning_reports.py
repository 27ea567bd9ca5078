"""What pages hear of a training whose loss is no number."""

import importlib
import json
import math
import sys
from types import ModuleType

import numpy as np
import pytest

import pyml
from pyml import paths


@pytest.fixture
def posted(monkeypatch):
    """What `demos/shared/learning.py` sends to the page, by kind."""
    sent = []
    page = ModuleType("pyml_page")
    page.post, page.stopping = lambda kind, text: sent.append((kind, text)), lambda: False
    monkeypatch.setitem(sys.modules, "pyml_page", page)
    monkeypatch.syspath_prepend(str(paths.checkout() / "demos" / "shared"))
    monkeypatch.delitem(sys.modules, "learning", raising=False)
    yield importlib.import_module("learning"), sent
    sys.modules.pop("learning", None)


def test_a_loss_that_is_no_number_is_sent_as_a_value_and_its_curves_are_drawn(posted, cpu):
    learning, sent = posted
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(8), pyml.layers.Dense(2)])
    model.compile(pyml.optimizers.SGD(1e30), "mse", metrics=["accuracy"])
    with pytest.warns(RuntimeWarning, match="stopped being finite"):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), epochs=4, verbose=0, callbacks=[learning.Report()])
    epochs = [json.loads(text) for kind, text in sent if kind == "epoch"]
    assert [epoch["epoch"] for epoch in epochs] == [1, 2, 3, 4] and not math.isfinite(epochs[-1]["loss"])
    figures = [json.loads(text, parse_constant=pytest.fail) for kind, text in sent if kind == "figure"]  # Vega-Lite knows no NaN
    assert {figure["name"] for figure in figures} >= {"Loss", "Accuracy"}
