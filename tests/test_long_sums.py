"""Sums, means and products of many terms stay right in float32, on every device; float64 is the judge."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.compile.loops import Accumulator, Loop, write
from pyml.core.tensor import Tensor, as_node
from pyml.graph import prims
from pyml.graph.index import Var
from pyml.graph.op import OPS
from pyml.graph.prims import sequence

MESA = Path("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json")
ROOT = Path(__file__).resolve().parent.parent


def tenths(*shape):
    return np.full(shape, 0.1, np.float32)


@pytest.mark.parametrize(("shape", "axis"), [
    ((3_000_000,), None), ((1_000_000, 3), 0), ((3, 700_001), 1), ((1000, 3, 500), (0, 2)), ((40, 5, 70, 7), (0, 2)), ((70_000, 64), 0),
])  # fmt: skip
def test_a_sum_of_many_like_terms_is_right_to_a_few_units(device, shape, axis):
    x = tenths(*shape)
    expected = x.sum(axis=axis, dtype=np.float64)
    np.testing.assert_allclose(ops.sum(x, axis=axis).numpy(), expected, rtol=5e-6)
    np.testing.assert_allclose(ops.mean(x, axis=axis).numpy(), x.mean(axis=axis, dtype=np.float64), rtol=5e-6)


@pytest.mark.parametrize("device", ["wasm", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cpu", "webgpu"))], indirect=True)
def test_a_sum_of_more_than_2_to_the_32_elements_is_right(device):
    total = ops.sum(ops.broadcast_to(np.ones((1, 1), np.float32), ((1 << 17) + 4, 1 << 15)))
    assert float(total) == 2.0**32 + 2.0**17


def test_correlations_of_long_vectors_and_their_gradients_are_as_right_as_dot_products(cpu):
    rng = np.random.default_rng(3)
    a, b = (rng.normal(size=2000).astype("float32") for _ in range(2))
    exact = np.correlate(a.astype("float64"), b.astype("float64"), "full")
    np.testing.assert_allclose(ops.correlate(a, b, "full").numpy(), exact, rtol=0, atol=1e-5)  # 2e-4 where float32 adds one by one
    gradient = pyml.grad(lambda x: ops.sum(ops.correlate(x, b, "full")))(ops.convert_to_tensor(a))
    np.testing.assert_allclose(gradient.numpy(), np.full(2000, b.astype("float64").sum()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("device", ["wasm", "webgpu"], indirect=True)  # numpy would make them all
def test_a_number_of_elements_that_cannot_be_counted_is_an_error_and_no_number(device):
    flat = ops.sum(ops.reshape(ops.broadcast_to(np.arange(7, dtype=np.float32).reshape(7, 1), (7, 1 << 33)), (-1, 14)), axis=0)
    with pytest.raises(pyml.errors.ShapeError, match=r"axis by axis|in steps"):
        flat.numpy()


@pytest.mark.parametrize("reduce", ["max", "min", "prod", "any", "all", "argmax", "argmin", "logsumexp"])
def test_reductions_of_long_axes_see_their_last_element(device, reduce):
    n = 200_003
    x = np.ones((3, n), np.float32)
    x[:, -1] = 0.0 if reduce in ("min", "all", "argmin") else 2.0
    expected = np.log(np.exp(x.astype(float)).sum(1)) if reduce == "logsumexp" else getattr(np, reduce)(x, axis=1)
    np.testing.assert_allclose(getattr(ops, reduce)(x, axis=1).numpy(), expected, rtol=1e-5)
    np.testing.assert_allclose(getattr(ops, reduce)(np.ascontiguousarray(x.T), axis=0).numpy(), expected, rtol=1e-5)


def test_the_place_of_the_first_of_equal_or_nan_elements_holds_on_long_axes(device):
    n = 50_000
    x = np.zeros((4, n), np.float32)
    x[0, [20_000, 40_000]] = 1.0
    x[1, [33_000, 45_000]] = np.nan
    x[2] = -np.inf
    np.testing.assert_array_equal(ops.argmax(x, axis=1).numpy(), np.argmax(x, axis=1))
    np.testing.assert_array_equal(ops.argmin(-x, axis=1).numpy(), np.argmin(-x, axis=1))
    whole = x[:1].astype(np.int32)
    np.testing.assert_array_equal(ops.argmax(whole, axis=1).numpy(), np.argmax(whole, axis=1))


@pytest.mark.parametrize("n", [100, 5_000, 40_000])
def test_softmax_of_long_rows_equals_float64(device, n):
    x = np.random.default_rng(0).uniform(-5, 5, (3, n))
    x32 = x.astype(np.float32)
    e = np.exp(x32 - x32.max(1, keepdims=True).astype(float))
    expected = e / e.sum(1, keepdims=True)
    np.testing.assert_allclose(ops.softmax(x32).numpy(), expected, rtol=5e-6)
    np.testing.assert_allclose(ops.log_softmax(x32).numpy(), np.log(expected), rtol=1e-6)


def test_a_product_over_many_columns_is_right_to_a_few_units(device):
    k, rng = 40_000, np.random.default_rng(0)
    a, b = tenths(3, k), tenths(k, 5)
    np.testing.assert_allclose(ops.matmul(a, b).numpy(), a.astype(float) @ b.astype(float), rtol=1e-4)
    np.testing.assert_allclose(ops.matmul(a[None], b[None]).numpy()[0], a.astype(float) @ b.astype(float), rtol=1e-4)
    for k in (16_384, 20_003):  # with a rest, and without
        a, b = (rng.uniform(size=s).astype(np.float32) for s in ((2, k, 3), (2, 5, k)))
        expected = np.einsum("zkm,znk->zmn", a.astype(float), b.astype(float))
        np.testing.assert_allclose(Tensor(prims.matmul(as_node(a), as_node(b), True, True)).numpy(), expected, rtol=1e-5)
        np.testing.assert_allclose(ops.matmul(a[0].T, b[0].T).numpy(), expected[0], rtol=1e-5)
    x = tenths(1_000_000)
    np.testing.assert_allclose(ops.dot(x, x).numpy(), x.astype(float) @ x.astype(float), rtol=5e-5)
    k = 40_000
    a, b = (rng.normal(size=s).astype(np.float32) for s in ((8, k), (k, 8)))
    np.testing.assert_allclose(ops.matmul(a, b).numpy(), a.astype(float) @ b.astype(float), rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("window", [(1, 20_001), (150, 130)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pools_and_convolutions_of_very_large_windows_equal_float64(device, window, padding):
    rng = np.random.default_rng(0)
    h, w = window[0] + 1, window[1] + 2
    x = rng.uniform(0.5, 1.5, (1, h, w, 1)).astype(np.float32)
    strides = (max(1, h // 2), max(1, w // 2)) if padding == "same" else (1, 1)
    widths = ((0, 0), (0, 0))
    if padding == "same":
        out = [-(-n // s) for n, s in zip((h, w), strides, strict=True)]
        totals = [max((o - 1) * s + k - n, 0) for o, s, k, n in zip(out, strides, window, (h, w), strict=True)]
        widths = tuple((t // 2, t - t // 2) for t in totals)
    attrs = {"size": window, "strides": strides, "padding": widths}
    for op in (OPS["max_pool2d"], OPS["avg_pool2d"]):
        found = Tensor(op(as_node(x), **attrs)).numpy()
        np.testing.assert_allclose(found, _pooled(x, op.name, **attrs), rtol=1e-5)
    kernel = rng.uniform(0.5, 1.5, (*window, 1, 4)).astype(np.float32)
    found = Tensor(prims.conv2d(as_node(x), as_node(kernel), strides, widths)).numpy()
    np.testing.assert_allclose(found, _convolved(x, kernel, strides, widths), rtol=2e-5)


@pytest.mark.parametrize("window", [(1, 1), (5, 5)])
def test_convolutions_of_many_like_terms_and_their_gradients_are_right_to_two_in_ten_thousand(device, window):
    n = -(-40_000 // (window[0] * window[1]))
    x, kernel, dy = tenths(1, *window, n), np.ones((*window, n, 2), np.float32), tenths(1, 1, 1, n)
    tenth, terms = np.float64(np.float32(0.1)), window[0] * window[1] * n
    np.testing.assert_allclose(Tensor(prims.conv2d(as_node(x), as_node(kernel))).numpy(), terms * tenth, rtol=2e-4)
    there = np.ones((*window, 2, n), np.float32)
    found = Tensor(prims.conv2d_input_grad(as_node(dy), as_node(there), window)).numpy()
    np.testing.assert_allclose(found, n * tenth, rtol=2e-4)


def _windows(x, size, strides, padding, fill):
    xp = np.pad(x.astype(float), ((0, 0), *padding, (0, 0)), constant_values=fill)
    for i in range((xp.shape[1] - size[0]) // strides[0] + 1):
        for j in range((xp.shape[2] - size[1]) // strides[1] + 1):
            yield i, j, xp[:, i * strides[0] : i * strides[0] + size[0], j * strides[1] : j * strides[1] + size[1]]


def _pooled(x, name, size, strides, padding):
    cells = [(i, j, np.nanmax(v, axis=(1, 2)) if name == "max_pool2d" else np.nanmean(v, axis=(1, 2)))
             for i, j, v in _windows(x, size, strides, padding, np.nan)]  # fmt: skip
    out = np.zeros((x.shape[0], cells[-1][0] + 1, cells[-1][1] + 1, x.shape[3]))
    for i, j, v in cells:
        out[:, i, j] = v
    return out


def _convolved(x, kernel, strides, padding):
    cells = [(i, j, np.einsum("nhwc,hwcf->nf", v, kernel.astype(float))) for i, j, v in _windows(x, kernel.shape[:2], strides, padding, 0)]
    out = np.zeros((x.shape[0], cells[-1][0] + 1, cells[-1][1] + 1, kernel.shape[3]))
    for i, j, v in cells:
        out[:, i, j] = v
    return out


def test_a_filter_gradient_over_many_pixels_is_right_to_a_few_units(device):
    x, dy = tenths(1, 200, 300, 4), tenths(1, 198, 298, 8)
    found = Tensor(prims.conv2d_filter_grad(as_node(x), as_node(dy), (3, 3))).numpy()
    np.testing.assert_allclose(found, 198 * 298 * 0.1 * np.float64(np.float32(0.1)), rtol=5e-5)


def test_rows_added_up_by_index_hold_for_many_updates_of_one_row(device):
    indices = np.zeros(20_000, np.int32)
    indices[::100] = 2
    updates = np.ones((20_000, 8), np.float32)
    found = Tensor(prims.scatter_add(as_node(indices), as_node(updates), 3)).numpy()
    np.testing.assert_array_equal(found, np.repeat([[19_800.0], [0.0], [200.0]], 8, axis=1))


@pytest.mark.parametrize(("rows", "width"), [(3, 1), (3, 8), (300, 4), (50_000, 1), (50_000, 3)])
def test_what_many_updates_of_one_row_add_up_to_is_right_to_a_few_units(device, rows, width):
    """A sixteenth of them goes to other rows. One chain of float32 would be off by up to one in a hundred."""
    count = 300_000 // width
    indices = np.full(count, 2, np.int32)
    indices[::16] = np.arange(len(indices[::16])) % rows
    updates = tenths(count, width)
    expected = np.zeros((rows, width))
    np.add.at(expected, indices, updates.astype(float))
    np.testing.assert_allclose(ops.segment_sum(updates, indices, num_segments=rows).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("many", [63, 64, 200])
def test_rows_of_many_places_are_right_whether_or_not_one_gets_many_updates(device, many):
    """On a core, which looks for such a row first."""
    rng = np.random.default_rng(many)
    indices = rng.permutation(np.concatenate([np.arange(-5, 70_000), np.full(many - 1, 66_001)])).astype(np.int32)
    updates = rng.uniform(-1, 1, indices.size).astype(np.float32)
    expected = np.zeros(70_000)
    np.add.at(expected, indices[indices >= 0], updates[indices >= 0].astype(float))
    np.testing.assert_allclose(ops.segment_sum(updates, indices, num_segments=70_000).numpy(), expected, atol=4e-6, rtol=1e-6)


def test_an_infinite_update_stays_infinite_and_a_nan_stays_nan_among_many(device):
    updates = np.ones(20_000, np.float32)
    indices = (np.arange(20_000) % 4).astype(np.int32)
    updates[[100, 8001, 8005, 5002]] = np.inf, np.inf, -np.inf, np.nan
    found = ops.segment_sum(updates, indices, num_segments=4).numpy()
    np.testing.assert_array_equal(found, [np.inf, np.nan, np.nan, 5000.0])
    running = ops.cumsum(updates[::4]).numpy()
    np.testing.assert_array_equal(running, np.cumsum(updates[::4].astype(float)))


@pytest.mark.parametrize(("shape", "axis"), [((200_003,), 0), ((3, 30_000), 1), ((20_000, 5), 0)])
def test_running_sums_of_many_like_terms_are_right_to_a_few_units(device, shape, axis):
    x = tenths(*shape)
    np.testing.assert_allclose(ops.cumsum(x, axis=axis).numpy(), np.cumsum(x, axis, np.float64), rtol=5e-6)


@pytest.mark.parametrize("window", [(1, 16_000), (120, 130), (17, 70)])
def test_means_of_large_windows_of_like_terms_are_right_to_a_few_units(device, window):
    found = Tensor(OPS["avg_pool2d"](as_node(tenths(1, *window, 1)), size=window, strides=(1, 1), padding=((0, 0), (0, 0)))).numpy()
    np.testing.assert_allclose(found, np.full((1, 1, 1, 1), np.float32(0.1)), rtol=5e-6)


@pytest.mark.parametrize("name", ["lstm", "lstm_grad", "gru", "gru_grad"])
def test_recurrent_steps_one_part_after_the_other_equal_all_at_once(device, name, monkeypatch):
    """Adapters that end long loops get the steps in parts; here in parts of two or three, on every device."""
    module = sys.modules[f"pyml.graph.prims.{name.partition('_')[0]}"]
    monkeypatch.setattr(sequence, "steps_at_once", lambda steps, rounds, profile: 2 if steps == 5 else steps)
    arrays = (module._back_sample if "grad" in name else module._sample)(3, 5, 3, 8)
    found = Tensor(OPS[name](*map(as_node, arrays))).numpy()
    np.testing.assert_allclose(found, OPS[name].numpy(*arrays), rtol=2e-4, atol=2e-5)


def test_a_loop_is_written_in_blocks_whose_lengths_cover_it():
    add = Accumulator("acc", "f32", "0", lambda a, b: f"{a} + {b}", "v", rounds=True)
    most = Accumulator("acc", "f32", "0", lambda a, b: f"max({a}, {b})", "v", rounds=False)
    assert Var("r1", 3).high == 2
    assert len(write([Loop("r1", 64, [])], [add])) == 4
    text = "\n".join(write([Loop("r1", 70_001, [])], [add]))
    assert "min(r1_1 + 64u, 70001u)" in text and "min(r1_2 + 4096u, 70001u)" in text
    assert "r1_" not in "\n".join(write([Loop("r1", 30_000, [])], [most]))
    with pytest.raises(pyml.errors.ShapeError, match="in steps"):
        write([Loop("r1", 2**32, [])], [add])


def ran(lines, **names):
    """What statements of loops compute, read as Python: a loop's variable goes over a range, `12u` is 12."""
    out = []
    for line in lines:
        indent, text = line[: len(line) - len(line.lstrip())], re.sub(r"\b(\d+)u\b", r"\1", line.strip())
        if loop := re.fullmatch(r"for \(var (\w+) = (.+); \1 < (.+); \1(\+\+| \+= (\d+))\) \{", text):
            out.append(f"{indent}for {loop[1]} in range({loop[2]}, {loop[3]}, {loop[5] or 1}):")
        elif text != "}":
            out.append(indent + re.sub(r"^(let|var) (\w+)(: \w+)?", r"\2", text).rstrip(";"))
    exec("\n".join(out), names)
    return names["acc"]


@pytest.mark.parametrize("rounds", [True, False])
@pytest.mark.parametrize("end", [1, 31, 32, 63, 64, 65, 66, 127, 128, 130, 1000, 2048, 2049, 4096, 4097, 4160, 70_000])
def test_loops_see_every_term_once_and_add_few_in_one_chain(end, rounds):
    seen = Accumulator("acc", "list", "[]", lambda a, b: f"{a} + {b}", "[k]", rounds)
    chain = Accumulator("acc", "int", "0", lambda a, b: f"1 + max({a}, {b})", "0", rounds)  # additions one after the other
    for start, step in (("0u", 1), ("lane", 7), ("lane", 64)):
        loop = [Loop("k", end, ["let t = k;"], start, step)]
        lanes = range(step if start == "lane" else 1)
        if end < 5000:
            assert sorted(k for lane in lanes for k in ran(write(loop, [seen]), lane=lane)) == list(range(end))
        if rounds:
            assert max(ran(write(loop, [chain]), lane=lane) for lane in lanes) <= 64 + 64 + (64 if end / step > 4096 else 0) + 1


def test_loops_within_loops_see_every_pair_once_and_add_few_in_one_chain():
    seen = Accumulator("acc", "list", "[]", lambda a, b: f"{a} + {b}", "[(r, k)]", rounds=True)
    chain = Accumulator("acc", "int", "0", lambda a, b: f"1 + max({a}, {b})", "0", rounds=True)
    for rows, columns in ((1, 1), (5, 7), (3, 130), (130, 3), (65, 33), (2, 31), (40, 64)):
        loops = [Loop("r", rows, []), Loop("k", columns, ["let t = k;"])]
        assert sorted(ran(write(loops, [seen]))) == [(r, k) for r in range(rows) for k in range(columns)]
        assert ran(write(loops, [chain])) <= 4 * 64


def test_no_two_terms_are_compared_first_where_a_choice_is_a_jump():
    largest = Accumulator("acc", "f32", "0", lambda a, b: f"select({a}, {b}, {b} > {a})", "v", rounds=False)
    total = Accumulator("sum", "f32", "0", lambda a, b: f"{a} + {b}", "v", rounds=True)
    paired = lambda accumulators, jumps: "_two" in "\n".join(write([Loop("r1", 9216, ["let v = x[r1];"])], accumulators, jumps))
    assert paired([largest], jumps=False)
    assert paired([total], jumps=True)
    assert not paired([largest], jumps=True)
    assert not paired([total, largest], jumps=True)


def test_a_loop_whose_counter_could_go_round_is_refused():
    add = Accumulator("acc", "f32", "0", lambda a, b: f"{a} + {b}", "v", rounds=True)
    largest = 3 * 2**30 - 1  # with the step of the outermost loop, 2^30, the counter still fits into 32 bits
    assert write([Loop("k", largest, [])], [add])
    with pytest.raises(pyml.errors.ShapeError, match=r"3,221,225,472 elements.*in steps"):
        write([Loop("k", largest + 1, [])], [add])


@pytest.mark.slow
@pytest.mark.skipif(not MESA.exists(), reason="Mesa's software Vulkan driver is not installed")
def test_mesa_which_ends_loops_after_65535_rounds_sees_every_element():
    code = """
import sys, numpy as np, pyml
from pyml import ops
from pyml.compile.loops import Accumulator, Loop, write
from pyml.core.tensor import Tensor, as_node

from pyml.graph.op import OPS
import pyml.graph.prims
pyml.config.set_backend("webgpu")
assert "llvmpipe" in pyml.config.device().info["adapter"]
n = 140_001
x = np.zeros((2, n), np.float32); x[:, -1] = 30
def same(what, found, expected): assert np.allclose(found.numpy(), expected, rtol=1e-3), (what, found.numpy(), expected)
same("argmax", ops.argmax(x, axis=1), n - 1)
same("softmax", ops.softmax(x)[:, -1], 1.0)
same("max", ops.max(x, axis=1), 30)
same("sum", ops.sum(np.ones((n, 100), np.float32), axis=0), n)
same("matmul", ops.matmul(np.ones((9, n), np.float32), np.ones((n, 9), np.float32)), n)
same("max_pool", ops.max_pool(x[:, :, None], n, n), 30)
same("average_pool", ops.average_pool(x[:, :, None] + 1, n, n), (x[:1] + 1.0).mean())
lstm = sys.modules["pyml.graph.prims.lstm"]
arrays = lstm._sample(0, 50, 2, 64)
arrays = (arrays[0], arrays[1] * 0.1, *arrays[2:])
same("lstm", Tensor(OPS["lstm"](*map(as_node, arrays))), OPS["lstm"].numpy(*arrays))
"""
    env = {**os.environ, "VK_DRIVER_FILES": str(MESA), "VK_ICD_FILENAMES": str(MESA), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_many_indices_add_up_in_one_row_loses_no_more_than_the_document_says(device):
    x, rows = np.full(300_000, 0.1, np.float32), np.ones(300_000, np.int32)
    for found in (ops.segment_sum(x, rows, 2), ops.bincount(rows, weights=x, minlength=2)):
        assert abs(float(found[1]) / np.sum(x, dtype=np.float64) - 1) < {"cpu": 1e-6, "wasm": 3e-3}.get(device.name, 1e-4)


def test_the_mean_of_a_window_of_many_like_cells_is_right(device):
    found = float(ops.average_pool(np.full((1, 60_000, 1), 0.1, np.float32), 60_000, 1)[0, 0, 0])
    assert abs(found / 0.1 - 1) < (1e-6 if device.name == "cpu" else 2e-4)


def test_a_running_metric_takes_small_numbers_into_a_large_total(device):
    """Ten million updates leave the state where these begin; one by one they would add nothing, or too much."""
    mean, total = pyml.metrics.Mean(), pyml.metrics.Sum()
    update = pyml.program(lambda x: (mean.update_state(x), total.update_state(x), None)[2])
    mean.reset_state()
    mean.count.assign(np.float32(2**24))  # where float32 stops counting by ones
    total.total.assign(np.float32(1e6))
    for _ in range(400):
        update(np.float32(0.1))
    assert float(mean.count) == 2**24 + 400
    assert float(total.result()) == pytest.approx(1e6 + 40, abs=0.07)
    assert [v.name for v in mean.variables] == ["total", "count"]
    mean.reset_state()
    update(np.float32(0.5))
    assert float(mean.result()) == 0.5


def test_an_infinite_value_in_a_running_metric_stays_to_be_seen_until_it_is_reset(device):
    mean = pyml.metrics.Mean()
    mean.update_state([1.0, float("inf")])
    mean.update_state([1.0])
    assert float(mean.result()) == float("inf")
    mean.reset_state()
    mean.update_state([2.0])
    assert float(mean.result()) == 2.0


@pytest.mark.parametrize(("end", "statements", "rounds", "paired"), [
    (512, 3, True, True), (66, 3, True, True), (511, 3, True, False), (64, 3, True, False), (512, 25, True, False),
    (512, 3, False, True), (18, 3, False, True), (16, 3, False, False)])  # fmt: skip
def test_a_long_loop_takes_two_terms_a_round_where_they_are_even_and_few(end, statements, rounds, paired):
    body = ["let t0: f32 = b0[i * 512u + r1];", *(f"let t{k}: f32 = t{k - 1} * t0;" for k in range(1, statements))]
    total = Accumulator("acc", "f32", "0.0", lambda a, b: f"{a} + {b}", f"t{statements - 1}", rounds)
    text = "\n".join(write([Loop("r1", end, body)], [total]))
    assert ("r1 += 2u" in text) == paired
    assert ("let t0_b: f32 = b0[i * 512u + (r1 + 1u)];" in text) == paired
    assert (f"let acc_two: f32 = t{statements - 1} + t{statements - 1}_b;" in text) == paired
