"""The examples in docstrings of the Keras surface give what they say."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import pyml

PACKAGES = ["activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics", "models",
            "optimizers", "quantizers", "regularizers", "trainers", "utils", "wrappers"]  # saving has its own


@pytest.mark.parametrize("name", PACKAGES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    package = importlib.import_module(f"pyml.{name}")
    inside = pkgutil.walk_packages(package.__path__, prefix=f"pyml.{name}.")
    modules = [package, *(importlib.import_module(m.name) for m in inside)]
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
    known = {"pyml": pyml, "np": np, "ops": pyml.ops, "model": model}
    for module in modules:
        assert doctest.testmod(module, extraglobs=known, optionflags=doctest.ELLIPSIS).failed == 0
