"""pyml gives the numbers that Keras gives: goldens made by tests/goldens/make_with_keras.py with Keras on PyTorch."""

import functools
import json
from pathlib import Path

import golden_cases as cases
import numpy as np
import pytest
from every import every

import pyml

FOLDER = Path(__file__).resolve().parent / "goldens"

CASES = cases.all_cases()


@functools.cache
def golden(group):
    return json.loads((FOLDER / f"{group}.json").read_text(encoding="utf-8"))


def assert_matches(got, want, tol=1e-4):
    assert set(got) == set(want)
    for key, expected in want.items():
        if isinstance(expected, str):
            assert got[key] == expected, key
            continue
        assert np.shape(got[key]) == np.shape(expected), (key, np.shape(got[key]))
        np.testing.assert_allclose(got[key], expected, rtol=tol, atol=tol, err_msg=key)


def run_group(group, name, tol=1e-4):
    assert_matches(CASES[group][name](pyml), golden(group)[name], tol)


@pytest.mark.parametrize("name", CASES["training"])
def test_training_gives_the_loss_history_of_keras(device, name):
    got, want = CASES["training"][name](pyml), golden("training")[name]
    np.testing.assert_allclose(got["losses"], want["losses"], rtol=0, atol=1e-4)
    # Rounding errors in the weights are larger than in the loss, so predictions get a wider bound.
    np.testing.assert_allclose(got["predictions"], want["predictions"], rtol=1e-3, atol=1e-3)


@every("name", CASES["layers"])
def test_a_layer_and_its_gradients_equal_those_of_keras(device, name):
    run_group("layers", name)


@every("name", CASES["losses"])
def test_a_loss_equals_that_of_keras(device, name):
    run_group("losses", name)


@every("name", CASES["metrics"])
def test_a_metric_equals_that_of_keras(device, name):
    run_group("metrics", name)


@every("name", CASES["metrics_of_16_bits"])
def test_a_metric_of_16_bits_has_the_dtypes_and_numbers_of_keras(device, name):
    run_group("metrics_of_16_bits", name, 2e-3 if "bfloat16" not in name else 1e-2)


@pytest.mark.in_turn(12)
@every("name", [name for name in CASES["optimizers"] if not name.endswith("_mixed")], blocks=12)
def test_an_optimizer_moves_weights_as_keras_does(device, name):
    run_group("optimizers", name)


@every("name", [name for name in CASES["optimizers"] if name.endswith("_mixed")])
def test_an_optimizer_with_many_options_moves_weights_as_keras_does(cpu, name):
    run_group("optimizers", name)


@every("name", CASES["initializers"])
def test_an_initializer_has_the_spread_of_that_of_keras(device, name):
    """The random numbers differ, so moments and limits are compared, over 43,200 numbers or more."""
    got, want = CASES["initializers"][name](pyml), golden("initializers")[name]
    spread = max(want["std"], 1e-6)
    assert abs(got["mean"] - want["mean"]) < 0.03 * spread
    assert abs(got["std"] - want["std"]) <= 0.02 * spread
    if "untruncated" not in name:   # the tails of a plain normal have no limit to compare
        assert abs(got["max"] - want["max"]) <= 0.02 * spread
        assert abs(got["min"] - want["min"]) <= 0.02 * spread


@every("name", CASES["kernels"])
def test_an_initializer_without_randomness_gives_the_numbers_of_keras(name):
    run_group("kernels", name, 2e-6)


@every("name", CASES["regularizers"])
def test_a_regularizer_and_its_gradient_equal_those_of_keras(device, name):
    run_group("regularizers", name, 1e-5)


def test_summary_prints_the_table_of_keras():
    want = golden("summary")["book_convnet"]
    assert CASES["summary"]["book_convnet"](pyml) == want
