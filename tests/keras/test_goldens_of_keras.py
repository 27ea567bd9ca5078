"""The same small computations as Keras, compared with the numbers and texts it gave (see keras_cases.py)."""

import json
import os
from pathlib import Path

import keras_cases as cases
import pytest

import pyml

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))
ON_GPU = [cases.train_adam, cases.fit_history, cases.layers]    # the rest adds little there, and time


def leaves(value, path=""):
    """Path and value of every number and text in nested lists and dicts."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from leaves(item, f"{path}[{i}]")
    else:
        yield path, value


def assert_same(mine, golden, tolerance):
    mine, golden = dict(leaves(mine)), dict(leaves(golden))
    assert sorted(mine) == sorted(golden)
    for path, expected in golden.items():
        if isinstance(expected, float):
            assert mine[path] == pytest.approx(expected, rel=tolerance, abs=tolerance), path
        else:
            assert mine[path] == expected, path


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setitem(os.environ, "COLUMNS", "120")


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_numbers_and_texts_are_those_of_keras(case):
    before = pyml.config.get_backend()
    pyml.config.set_backend("cpu")
    try:
        assert_same(case(pyml), GOLDENS[case.__name__], 1e-5)
    finally:
        pyml.config.set_backend(before)


@pytest.mark.parametrize("case", ON_GPU, ids=lambda case: case.__name__)
def test_numbers_on_a_gpu_are_those_of_keras(case, gpu):
    assert_same(case(pyml), GOLDENS[case.__name__], 1e-4)
