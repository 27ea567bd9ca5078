"""Layers that prepare data give what Keras gives: goldens made by tests/goldens/make_with_tensorflow.py."""

import json
from pathlib import Path

import numpy as np
import preprocessing_cases
import pytest

import pyml

GOLDENS = json.loads((Path(__file__).parents[1] / "goldens" / "preprocessing_cases.json").read_text(encoding="utf-8"))


def assert_matches(got, want, where, tolerance=2e-4):
    if isinstance(want, dict):
        assert set(got) == set(want), where
        for key in want:
            assert_matches(got[key], want[key], f"{where}: {key}")
    elif isinstance(want, list) and want and isinstance(want[0], list) and len({np.shape(part) for part in want}) > 1:
        assert len(got) == len(want), where
        for g, w in zip(got, want, strict=True):
            assert_matches(g, w, where)
    elif np.asarray(want).dtype.kind in "iuf":
        assert np.shape(got) == np.shape(want), where
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=where)
    else:
        assert np.asarray(got).tolist() == np.asarray(want).tolist(), where


@pytest.mark.in_turn
@pytest.mark.parametrize("case", preprocessing_cases.CASES, ids=lambda case: case.__name__)
def test_layers_that_prepare_data_give_what_keras_gives(device, case):
    assert_matches(case(pyml), GOLDENS[case.__name__], case.__name__)
