"""Reductions of the GPU family, where the threads of a workgroup share a result; run on native WebGPU."""

from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyml
from pyml import layers, ops
from pyml.graph.op import Profile
from pyml.graph.prims.teams import runs, team

TILE, REGISTER = Profile("tile"), Profile("register", threads=1024)


@pytest.fixture
def tile(gpu, monkeypatch):
    """Native WebGPU that takes kernels meant for a GPU."""
    monkeypatch.setattr(gpu, "profile", TILE)
    return gpu


def run(function, *arrays):
    """The program's value, and for each dispatch how many threads share a result."""
    program = pyml.program(function)
    value = program(*arrays).numpy()
    sources = [kernel.lowered.source for kernel in program.last_plan.kernels]
    return value, [int(s.split(": ")[1].split()[0]) if "share a result" in s else 1 for s in sources]


def random(*shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("columns", [128, 513, 2052])
@pytest.mark.parametrize("reduce", ["sum", "max", "min", "mean", "prod"])
def test_a_long_row_is_one_workgroups_work(tile, reduce, columns):
    x = 1 + random(21, columns) / 50                   # products stay in range
    got, shared = run(lambda x: getattr(ops, reduce)(x * x, axis=1) + 1, x)
    want = getattr(np, reduce)(x.astype(np.float64) ** 2, axis=1) + 1
    np.testing.assert_allclose(got, want, rtol=1e-4)
    assert shared == [64]


@pytest.mark.parametrize("shape, axis, shared", [
    ((20, 127), 1, [1]),                               # short rows: a thread each
    ((3, 8192), 1, [256]),
    ((50, 400), None, [256]),
    ((1 << 21,), None, [256, 64]),                     # in parts, so that more than one workgroup works
    ((7, 9, 200), (0, 2), [64]),
    ((300, 24), 0, [32]),                              # few columns
    ((300, 5), 0, [32]),
    ((36864, 8), 0, [32, 64]),
    ((16, 28, 28, 32), (0, 1, 2), [32, 32]),           # the sum of a convolution's bias gradient
    ((60, 65536), 0, [1]),                             # enough columns for a thread each
])  # fmt: skip
def test_sums_of_any_shape_are_right(tile, shape, axis, shared):
    x = random(*shape)
    got, teams = run(lambda x: ops.sum(x, axis=axis), x)
    np.testing.assert_allclose(got, x.astype(np.float64).sum(axis), rtol=1e-4, atol=1e-2)
    assert teams == shared


def test_whole_numbers_and_nans(tile):
    x = np.arange(-3000, 3000, dtype=np.int32).reshape(10, 600)
    np.testing.assert_array_equal(run(lambda x: ops.max(x, axis=1), x)[0], x.max(1))
    np.testing.assert_array_equal(run(lambda x: ops.sum(x, axis=1), x)[0], x.sum(1))
    y = random(4, 200)
    y[1, 130], y[2, 7] = np.nan, np.inf
    np.testing.assert_array_equal(run(lambda y: ops.max(y, axis=1), y)[0], y.max(1))


def test_several_sums_and_what_follows_are_one_kernel(tile):
    x = random(30, 256)

    def normalized(x):
        mean, square = ops.mean(x, axis=1), ops.mean(ops.square(x), axis=1)
        return ops.stack([mean, ops.sqrt(square - mean * mean)])

    got, _ = run(normalized, x)
    np.testing.assert_allclose(got, [x.mean(1), x.std(1)], rtol=1e-4, atol=1e-5)


def test_more_rows_than_one_grid_axis_holds(tile):
    x = np.tile(random(1, 128), (70_000, 1)) * np.linspace(0, 1, 70_000, dtype=np.float32)[:, None]
    got, shared = run(lambda x: ops.sum(x, axis=1), x)
    np.testing.assert_allclose(got, x.sum(1), rtol=1e-3, atol=1e-4)
    assert shared == [64]


def test_training_gives_the_same_weights_as_with_a_thread_per_result(gpu, monkeypatch):
    def trained(profile):
        monkeypatch.setattr(gpu, "profile", profile)
        pyml.utils.set_random_seed(1)
        model = pyml.Sequential([
            pyml.Input((12, 12, 1)), layers.Conv2D(8, 3, activation="relu"), layers.Flatten(), layers.Dense(6, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        for seed in range(4):
            model.train_on_batch(random(16, 12, 12, 1, seed=seed), np.arange(16, dtype=np.int32) % 6)
        return model.get_weights()

    for ours, theirs in zip(trained(TILE), trained(REGISTER), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_reduction_equals_numpy(tile, data):
    shape = data.draw(st.lists(st.sampled_from([1, 3, 4, 17, 64, 130]), min_size=1, max_size=3), label="shape")
    axis = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1), label="axis")
    x = random(*shape)
    got, _ = run(lambda x: ops.sum(x + 1, axis=tuple(axis)), x)
    np.testing.assert_allclose(got, (x.astype(np.float64) + 1).sum(tuple(axis)), rtol=1e-4, atol=1e-3)


@given(shape=st.lists(st.integers(1, 5000), min_size=1, max_size=4), data=st.data())
def test_a_team_fits_a_workgroup_and_its_memory(shape, data):
    axis = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    found = team(shape, axis, TILE)
    if found is None:
        return
    size = found.lanes * found.outs
    assert 16 <= size <= 256 and size & (size - 1) == 0 and 16 * size <= TILE.max_shared
    assert prod(shape[a] for a in runs(axis)[found.run]) >= found.lanes
    assert found.width == 1 or shape[-1] % 4 == 0 or found.rows


@pytest.mark.parametrize("shape, axis, expected", [
    ((20, 127), (1,), None),                           # short rows: a thread each
    ((20, 128), (1,), (64, 1, 0, 4, True)),
    ((20, 129), (1,), (64, 1, 0, 1, True)),            # no vectors of four
    ((3, 8188), (1,), (64, 1, 0, 4, True)),
    ((3, 8192), (1,), (256, 1, 0, 4, True)),           # 2,048 vectors
    ((3, 2047), (1,), (64, 1, 0, 1, True)),
    ((7, 9, 200), (0, 2), (64, 1, 1, 4, True)),
    ((63, 4), (0,), None),                             # short columns
    ((64, 4), (0,), (16, 1, 0, 4, False)),             # four vectors of each thread at least
    ((300, 24), (0,), (32, 8, 0, 4, False)),           # 8 vectors side by side: 128 bytes
    ((300, 5), (0,), (32, 8, 0, 1, False)),
    ((300, 203), (0,), (8, 32, 0, 1, False)),          # 32 numbers side by side: 128 bytes
    ((300, 32768), (0,), (32, 8, 0, 4, False)),
    ((300, 32772), (0,), None),                        # columns enough to keep a GPU busy
    ((2, 300, 3, 8), (1, 2), (64, 4, 0, 4, False)),
    ((2, 3, 70, 8), (0, 2), (32, 8, 1, 4, False)),     # the longest run is shared
])  # fmt: skip
def test_how_many_threads_share_a_result_and_what_they_read_at_once(shape, axis, expected):
    found = team(shape, axis, TILE)
    assert (found and (found.lanes, found.outs, found.run, found.width, found.rows)) == expected


def test_a_team_fits_the_adapter():
    few = Profile("tile", max_invocations=64)
    assert team((3, 8192), (1,), few).lanes == 64
    assert team((300, 24), (0,), few).lanes * team((300, 24), (0,), few).outs == 64
    tight = Profile("tile", max_shared=4096)
    assert team((300, 24), (0,), tight) is not None
    assert team((300, 24), (0,), tight, together=2) is None
    assert team((300, 24), (0,), REGISTER) is None
    assert team((300, 24), (), TILE) is None
    assert team((300, 0), (0,), TILE) is None
