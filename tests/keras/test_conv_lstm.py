"""ConvLSTM layers: Keras' numbers, and a loop that compiles once whatever the number of steps."""

import json
from pathlib import Path

import conv_lstm_cases as cases
import pytest
from test_goldens_of_keras import assert_same

import pyml

L = pyml.layers
GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_they_train_and_keep_states_as_in_keras(cpu, case):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_they_do_on_every_device(device, case):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-4)
