"""Every public name of saving, io and data says what it raises where it does, and its example runs as it is written."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import os

import numpy as np
import pytest
from every import every

import pyml
from pyml import data, io, saving
from pyml.saving import handlers

NAMES = {f"{module.__name__}.{name}": getattr(module, name) for module in (saving, io, data) for name in module.__all__}
OWN = ("pyml.saving", "pyml.io", "pyml.data")
DOCUMENTED = {name: value for name, value in NAMES.items() if inspect.isfunction(value) and value.__module__.startswith(OWN)}


@every("name", DOCUMENTED, blocks=1)
def test_a_function_is_typed_and_has_an_example(name):
    function = DOCUMENTED[name]
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert [p for p, v in signature.parameters.items() if v.annotation is inspect.Parameter.empty] == []
    assert ">>>" in inspect.getdoc(function) or "Example:" in inspect.getdoc(function)


@pytest.mark.parametrize("name", [name for name, value in NAMES.items() if ">>>" in (inspect.getdoc(value) or "")])
def test_an_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(handlers, "_LOADERS", [])
    monkeypatch.setattr(handlers, "_SAVERS", [])
    known = {"pyml": pyml, "np": np, "os": os, "asyncio": asyncio, "model": pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])}
    example = doctest.DocTestParser().get_doctest(inspect.getdoc(NAMES[name]), known, name, None, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)
