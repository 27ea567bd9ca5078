"""Trainings in the styles of Keras' guides have the histories that Keras gives (see goldens/fit_cases.py)."""

import json
from pathlib import Path

import fit_cases as cases
import pytest
from test_goldens_of_keras import assert_same

import pyml

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))
ON_A_DEVICE = ["subclasses"]  # where the device takes part in what is tested


@pytest.mark.parametrize("name", list(cases.CASES))
def test_histories_are_those_of_keras(name, cpu):
    assert_same(cases.CASES[name](pyml), GOLDENS[name], 1e-4)


@pytest.mark.parametrize("name", ON_A_DEVICE)
def test_histories_on_a_device_are_those_of_keras(name, gpu):
    assert_same(cases.CASES[name](pyml), GOLDENS[name], 1e-3)
