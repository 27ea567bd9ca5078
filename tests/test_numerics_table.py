"""Every function keeps to the bound that docs/numerics.md prints for it, on every device."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import numerics_table as table

DOC = Path(__file__).resolve().parent.parent / "docs" / "numerics.md"
ROWS = re.findall(r"^\| ([\w ()]+?) \| .* \| (\d+) \|$", DOC.read_text(), re.M)
BOUNDS = {name: int(bound) for name, bound in ROWS}


def test_the_table_has_every_function_that_is_measured():
    assert list(BOUNDS) == list(table.FUNCTIONS)


@pytest.mark.parametrize("name", table.FUNCTIONS)
def test_no_function_is_further_off_than_the_table_says(device, name):
    assert table.FUNCTIONS[name].ulps(20_000).max() <= BOUNDS[name]


def test_an_error_is_counted_in_units_of_the_last_place():
    found = np.array([1.0 + 2**-23, 2.0, np.inf, 0.0], np.float32)
    np.testing.assert_allclose(table.ulps(found, np.array([1.0, 2.0, 1e39, 1e-40])), [1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(("mean", "deviation"), [(1e4, 1.0), (1e6, 10.0), (-300.0, 0.01)])
def test_normalization_far_from_zero_is_off_by_a_few_steps_of_float32(device, mean, deviation):
    x = np.random.default_rng(0).normal(mean, deviation, (2048, 8)).astype(np.float32)
    exact = x.astype(np.float64)
    least = 4 * np.spacing(np.float32(abs(mean))) / deviation
    spread = np.sqrt(exact.var(0) + 1e-12)
    np.testing.assert_allclose(pyml.ops.var(x, axis=0).numpy(), exact.var(0), rtol=max(1e-5, least**2))
    batch = pyml.layers.BatchNormalization(epsilon=1e-12)(x, training=True).numpy()
    np.testing.assert_allclose(batch, (exact - exact.mean(0)) / spread, atol=least, rtol=max(1e-5, least**2))
    rows, exact = np.ascontiguousarray(x.T), exact.T
    layer = pyml.layers.LayerNormalization(epsilon=1e-12)(rows).numpy()
    expected = (exact - exact.mean(1, keepdims=True)) / spread[:, None]
    np.testing.assert_allclose(layer, expected, atol=least, rtol=max(1e-5, least**2))
    group = pyml.layers.GroupNormalization(groups=1, epsilon=1e-12)(rows[:, :, None]).numpy()[:, :, 0]
    np.testing.assert_allclose(group, expected, atol=least, rtol=max(1e-5, least**2))
