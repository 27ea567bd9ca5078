"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import pyml

ROOT = Path(pyml.__file__).parent
ELSEWHERE = {"array_api", "data", "hub", "ops", "saving", "vis"}  # packages whose examples tests of their own run


def modules_with_examples():
    """`{package: names of its modules whose text holds examples}`."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in ELSEWHERE and ">>> " in path.read_text(encoding="utf-8"):
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            found.setdefault(parts[0] if parts else "pyml", []).append(".".join(("pyml", *parts)))
    return found


@pytest.mark.parametrize("names", modules_with_examples().values(), ids=modules_with_examples())
def test_examples(names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
    known = {"pyml": pyml, "np": np, "ops": pyml.ops, "model": model}
    for name in names:
        assert doctest.testmod(importlib.import_module(name), extraglobs=known, optionflags=doctest.ELLIPSIS).failed == 0, name
