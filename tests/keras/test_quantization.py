"""Quantizers, quantized layers and low-rank adapters beside Keras' numbers, and what they take of the device's memory."""

import json
from pathlib import Path

import pytest
import quantized_cases as cases
from test_goldens_of_keras import assert_same

import pyml

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.in_turn
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_quantized_numbers_are_those_of_keras(case, device):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5)


def test_a_quantizer_survives_its_config():
    quantizer = pyml.quantizers.AbsMaxQuantizer(axis=0, value_range=(-8, 7), epsilon=1e-3)
    again = pyml.quantizers.get(json.loads(json.dumps(pyml.quantizers.serialize(quantizer))))
    assert again.value_range == (-8, 7) and again.axis == (0,) and again.epsilon == 1e-3


@pytest.mark.parametrize("mode, config, words", [
    ("int9", None, "Invalid quantization mode"), (None, None, "mode such as"), ("gptq", None, "GPTQConfig"),
    ("int8", 3, "QuantizationConfig"), ("int8", "int4", None), ("int8", pyml.quantizers.Int4QuantizationConfig(), "Contradictory"),
])  # fmt: skip
def test_a_mode_and_its_config_are_checked_together(mode, config, words):
    from pyml.quantizers.configs import resolved

    if words is None:
        assert resolved(mode, config).mode == config
    else:
        with pytest.raises(ValueError, match=words):
            resolved(mode, config)
