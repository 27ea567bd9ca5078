"""Scheduling: what fuses, what is written in place, and that no two live values ever share memory."""

from __future__ import annotations

import sys
from functools import reduce
from pathlib import Path

import numpy as np
import plans
import pytest
from every import every
from hypothesis import given, settings
from hypothesis import strategies as st

import pyml
from pyml import ops
from pyml.compile import chain, merge, order, pieces
from pyml.compile.emit_kernel import launch
from pyml.compile.groups import sources_first
from pyml.compile.lower import lower_wgsl
from pyml.compile.memory import Slots
from pyml.compile.plan import graph_key, make_plan
from pyml.compile.program import Scratch, realize
from pyml.core.tensor import Tensor, as_node
from pyml.device.base import rounded
from pyml.export.recorder import Recorder
from pyml.graph import grad, prims
from pyml.graph.op import OPS, Profile

REGISTER, TILE = Profile(family="register", threads=1024), Profile(family="tile")


def plan(*tensors, profile=TILE):
    roots = [t._node for t in tensors]
    _, leaves, _ = graph_key(roots, lift=False)
    return make_plan(roots, profile, leaves)


def leaf(*shape):
    return pyml.convert_to_tensor(np.ones(shape, np.float32))


@pytest.fixture(autouse=True)
def on_cpu():
    before = pyml.config.device()
    pyml.config.set_backend("cpu")
    yield
    pyml.config.set_backend(before.name)


def test_an_elementwise_chain_is_one_kernel():
    x = leaf(100)
    assert plan(ops.tanh(ops.exp(x) * 2 + 1) / x).dispatches == 1


def test_a_reduction_takes_its_prologue_and_epilogue_in():
    x = leaf(50, 20)
    assert plan(ops.sqrt(ops.sum(ops.square(x) * 3, axis=1) + 1)).dispatches == 1


def test_a_large_sum_takes_two_stages_for_many_threads():
    p = plan(ops.sum(ops.tanh(leaf(1 << 16))), profile=REGISTER)
    assert p.dispatches == 2
    assert p.kernels[0].group.domain >= 64


def test_bias_and_activation_join_the_matrix_product():
    x, w, b = leaf(16, 32), leaf(32, 8), leaf(8)
    assert plan(ops.tanh(ops.matmul(x, w) + b)).dispatches == 1


def test_a_sum_of_a_repeated_sum_is_a_kernel_of_its_own(device):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for repeated in (lambda s: ops.broadcast_to(s, (3, 4)), lambda s: ops.broadcast_to(s, (3, 4)) * 2):
        step = pyml.program(lambda x, repeated=repeated: ops.sum(repeated(ops.sum(x))))
        np.testing.assert_allclose(step(x), repeated(ops.convert_to_tensor(np.float32(66))).numpy().sum())


def test_an_activation_and_its_input_are_two_outputs_of_one_kernel():
    x, w = leaf(16, 32), leaf(32, 8)
    h = ops.matmul(x, w)
    p = plan(ops.tanh(h), h)
    assert p.dispatches == 1 and len(p.kernels[0].writes) == 2


def test_a_product_and_what_follows_it_are_one_kernel_and_a_place_and_what_follows_it_are_two():
    x, w = leaf(16, 32), leaf(32, 8)
    h, place = ops.matmul(x, w), ops.argmax(x, axis=1)
    assert plan(h, h * 2).dispatches == 1
    assert plan(place, ops.cast(place, "float32") * 2).dispatches == 2  # a kernel's file says the type of what it stores


@pytest.mark.parametrize(("operands", "dispatches"), [(6, 1), (7, 2)])
def test_results_join_a_kernel_as_long_as_it_has_eight_buffers(operands, dispatches):
    total = sum((leaf(100) for _ in range(operands - 1)), start=leaf(100))
    assert plan(ops.tanh(total), total).dispatches == dispatches


def test_a_number_beside_a_sum_is_computed_in_its_kernel_and_a_row_is_not():
    total = ops.sum(leaf(30, 4))
    assert plan(total, ops.tanh(leaf() * 3)).dispatches == 1
    assert plan(ops.sum(leaf(30, 4), axis=0), ops.tanh(leaf(4) * 3)).dispatches == 2


@pytest.mark.parametrize(("number", "stays"), [*((n, True) for n in (0.0, 1.0, -1.0, 2.0, 0.5)), (2.5, False), (3.0, False)])
def test_numbers_that_change_from_call_to_call_are_no_part_of_a_kernel_but_those_that_make_it_simpler_are(number, stays):
    _, _, lifted = graph_key([prims.add(as_node(np.ones(3, np.float32)), prims.full((3,), number, "float32"))], lift=True)
    assert (lifted == []) == stays


@pytest.mark.parametrize(("threads", "size", "grid"), [
    (1, 8, 1), (31, 8, 4), (32, 16, 2), (127, 16, 8), (128, 32, 4), (511, 32, 16), (512, 64, 8), (64 * 65535, 64, 65535),
])  # fmt: skip
def test_small_kernels_have_small_workgroups(threads, size, grid):
    assert launch(threads)[:2] == (size, (grid, 1, 1))


def test_a_grid_longer_than_an_axis_is_folded_and_holds_every_thread():
    size, (wide, high, deep), lines = launch(64 * 65535 + 1)
    assert deep == 1 and max(wide, high) <= 65535 and wide * high * size > 64 * 65535
    assert lines[0] == f"let i = gid.x + gid.y * {wide * size}u;"


def test_a_row_that_is_added_to_all_rows_is_read_in_vectors():
    x, row = leaf(8, 16), leaf(16)
    (kernel,) = plan(x + row).kernels
    assert all(f"vec4<f32> = b{k}[" in lower_wgsl(kernel, TILE, 0).source for k in (0, 1))


@pytest.mark.parametrize(("rows", "small"), [(13, True), (14, False)])
def test_a_sum_of_more_than_4096_numbers_is_no_link_of_a_chain(rows, small):
    (kernel,) = plan(ops.sum(leaf(rows, 300), axis=0), profile=REGISTER).kernels
    assert chain._small(kernel.group, REGISTER) == small


def test_memory_is_the_smallest_piece_that_is_free_and_the_most_in_use_is_counted():
    slots = Slots()
    a, b, c = slots._take(400), slots._take(4000), slots._take(40)
    assert (a, b, c) == (0, 1, 2) and slots.peak == sum(map(rounded, (400, 4000, 40)))
    for slot in (a, b, c):
        slots._give_back(slot)
    assert slots._take(300) == a and slots.sizes[a] == rounded(400)
    assert slots._take(5000) == b and slots.sizes[b] == rounded(5000)  # none is large enough: the largest grows
    assert slots._take(8) == c and slots._take(8) == 3
    assert slots.peak == sum(map(rounded, (300, 5000, 8, 8)))


def test_programs_share_temporaries_that_are_at_most_twice_as_large_as_they_need():
    scratch = Scratch(Recorder("webgpu", TILE))
    lent = lambda *sizes: [b.handle for b in scratch.borrow([*sizes])]
    assert lent(1024, 4096, 64) == [1, 0, 2]  # the largest is looked for first
    assert lent(4096) == lent(2048) == [0] and lent(64, 512, 1024) == [2, 3, 1]
    assert lent(511) == [3] and lent(2047) == [4] and lent(255) == [5]
    assert lent(1024, 1024, 1024) == [1, 4, 6]
    assert lent(2049, 2049) == [0, 7]
    assert lent() == []


def test_what_has_no_elements_has_memory_though_nothing_runs(device):
    nothing = prims.tanh(leaf(0, 3)._node)
    realize([nothing], device)
    assert nothing.buffer is not None and Tensor(nothing).numpy().shape == (0, 3)


def test_values_needed_by_several_kernels_are_stored_once():
    x = leaf(64, 64)
    h = ops.tanh(x)
    p = plan(ops.matmul(h, x), ops.matmul(x, h))
    assert p.dispatches == 3


def test_equal_subgraphs_merge():
    x = leaf(10)
    assert plan(ops.sum(ops.exp(x)) + ops.sum(ops.exp(x))).dispatches == 1


def test_transposed_operands_of_a_product_are_not_copied():
    a, b = leaf(8, 16), leaf(8, 4)
    assert plan(ops.matmul(ops.transpose(a), b)).dispatches == 1


def test_short_rows_at_computed_places_are_looked_up_in_the_kernel_that_uses_them():
    rows, places = leaf(40, 3), ops.cast(leaf(100) * 2.5, "int32")
    assert plan(ops.sum(ops.take(rows, places, axis=0) * 3, axis=1)).dispatches == 1
    assert plan(ops.sum(ops.take(ops.tanh(rows), places, axis=0) * 3, axis=1)).dispatches == 2  # the whole table is there first


def test_a_table_is_written_in_place_only_after_it_was_looked_up_in():
    table = pyml.Variable(np.arange(4, dtype=np.float32))

    @pyml.program
    def turned(shift):
        table.assign(ops.take(table.value, ops.mod(ops.arange(4) + ops.cast(shift, "int32"), 4)))
        return table.value * 1

    for expected in ([1, 2, 3, 0], [2, 3, 0, 1]):
        assert turned(np.float32(1)).numpy().tolist() == expected


def test_a_dear_value_with_two_uses_is_stored_before_a_broadcast_repeats_it():
    row = ops.exp(leaf(8))
    assert plan(leaf(500, 8) * (row / (1 - row))).dispatches == 2


def test_wide_sums_stay_within_eight_storage_buffers():
    xs = [leaf(40) for _ in range(20)]
    total = xs[0]
    for x in xs[1:]:
        total = ops.tanh(total + x)
    for k in plan(total).kernels:
        assert len(set(k.reads) | set(k.writes)) <= 8


def _random_graph(draw):
    """A tangle of elementwise ops, views, sums and products over a few 4 x 4 leaves."""
    nodes = [as_node(np.full((4, 4), 0.1 * (i + 1), np.float32)) for i in range(draw(st.integers(1, 3)))]
    for _ in range(draw(st.integers(1, 14))):
        a, b = (nodes[draw(st.integers(0, len(nodes) - 1))] for _ in range(2))
        kind = draw(st.sampled_from(["add", "mul", "tanh", "transpose", "sum", "matmul", "flip", "relu"]))
        if kind == "sum":
            s = prims.reduce_sum(a, (draw(st.integers(0, 1)),)) * 0.25
            n = prims.broadcast_to(s, (4, 4))
        else:
            n = {
                "add": lambda a, b: prims.add(a, b) * 0.5, "mul": prims.mul, "tanh": lambda a, b: prims.tanh(a),
                "transpose": lambda a, b: prims.permute(a, (1, 0)), "matmul": lambda a, b: prims.matmul(a, b, ta=False, tb=False),
                "flip": lambda a, b: prims.flip(a, (0,)), "relu": lambda a, b: prims.relu(a),
            }[kind](a, b)  # fmt: skip
        nodes.append(n)
    count = draw(st.integers(1, min(4, len(nodes))))
    return nodes, [nodes[-1 - i] for i in range(count)]


def _evaluate(nodes, roots):
    from pyml.graph.node import toposort

    env = {}
    for n in toposort(roots):
        if n.buffer is not None:
            env[id(n)] = n.buffer.handle[: n.size * 4].view(np.float32).reshape(n.shape).copy()
        elif n.op is prims.CONST:
            env[id(n)] = np.full(n.shape, n.attrs["value"], np.float32)
        else:
            env[id(n)] = np.asarray(n.op.numpy(*(env[id(s)] for s in n.src), **n.attrs))
    return [env[id(r)] for r in roots]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_graph_computes_what_its_ops_compute(data):
    """Grouping, order, slots and outputs together: a slot reused too early would change a value."""
    nodes, roots = _random_graph(data.draw)
    expected = _evaluate(nodes, roots)
    device = pyml.config.device()
    realize(list(roots), device)
    for r, e in zip(roots, expected, strict=True):
        got = r.buffer.handle[: r.size * 4].view(np.float32).reshape(r.shape)
        np.testing.assert_allclose(got, e, rtol=1e-4, atol=1e-5)


def _deep_graph(draw):
    """Hundreds of steps, one after another, over values that earlier steps left and over the same ones elsewhere."""
    kept = [as_node(np.linspace(-1, 1, 20, dtype=np.float32).reshape(4, 5) * (i + 1)) for i in range(2)]
    y = kept[0]
    for _ in range(draw(st.integers(120, 240))):
        kind = draw(st.sampled_from(["tanh", "sin", "add", "where", "flip", "sum", "keep"]))
        other = kept[draw(st.integers(0, len(kept) - 1))]
        if kind == "keep":
            kept = [*kept[-4:], y]
        elif kind == "sum":
            y = y + prims.broadcast_to(prims.reshape(prims.reduce_sum(y, (1,)) * 0.1, (4, 1)), (4, 5))
        elif kind == "where":
            y = prims.where(prims.greater(y, other), y - other, y * 0.5)
        elif kind == "flip":
            y = (y + prims.flip(y, (0,))) * 0.5
        else:
            y = {"tanh": prims.tanh(y), "sin": prims.sin(y + other), "add": y * 0.5 + other * 0.25}[kind]
    return [y, prims.reduce_sum(y, (0,)), kept[-1]]


def work_of(kernel) -> int:
    """What the values of a kernel add to it, each computed once."""
    return sum(pieces.work_of(n) for k in getattr(kernel, "links", (kernel,)) for n in k.group.members.values())


@given(st.data())
@settings(max_examples=5, deadline=None)
def test_a_deep_graph_is_cut_into_kernels_of_bounded_work_that_compute_what_its_ops_compute(data):
    roots = _deep_graph(data.draw)
    p = plan(*map(Tensor, roots), profile=data.draw(st.sampled_from([REGISTER, TILE])))
    for k in p.kernels:
        assert work_of(k) <= pieces.MOST_WORK and len({*k.reads, *k.writes}) <= 8
    expected = _evaluate(None, roots)
    realize(roots, pyml.config.device())
    for r, e in zip(roots, expected, strict=True):
        np.testing.assert_allclose(r.buffer.handle[: r.size * 4].view(np.float32).reshape(r.shape), e, rtol=1e-3, atol=1e-4)


def test_a_function_counts_with_all_that_is_written_for_it():
    """As a compiler of shaders meets it, which writes out every helper wherever it is called: a sine of any angle is no short text."""
    chain = lambda name: reduce(lambda y, _: OPS[name](*[y] * len(OPS[name].params)), range(50), leaf(64)._node)
    for name, least in [("sin", 150), ("pow", 150), ("mod", 150), ("sinh", 80), ("log", 40), ("exp", 30), ("sqrt", 1)]:
        kernels = plan(Tensor(chain(name))).kernels
        called = [lower_wgsl(k, TILE, 0).source.partition("@compute")[2].count(f"= {name}") for k in kernels]
        assert sum(called) == 50 and max(called) <= pieces.MOST_WORK // least, (name, called)
    assert len(kernels) == 1


def test_a_value_is_as_much_work_as_there_are_places_that_compute_it():
    sine = prims.sin(leaf(64)._node)
    assert pieces.work_of(sine, 3) == 3 * pieces.work_of(sine) > 150


def test_a_kernel_is_cut_where_the_least_bytes_cross():
    """Between wide steps of a thousand elements there is a sum of each ten, and one number of each is all that is stored."""
    wide = lambda x, times: plans.deep(x, times)
    x = leaf(100, 10)._node
    narrow = prims.reduce_max(wide(x, 40), (1,))
    row = wide(narrow, 80)
    p = plan(Tensor(wide(prims.broadcast_to(prims.reshape(row, (100, 1)), (100, 10)) + x, 40)))
    assert {sum(o.size for o in k.group.outputs) for k in p.kernels[:-1]} == {100}
    pair = prims.tanh(x), prims.tanh(x)  # two values of each step, and one of them where they meet
    for _ in range(40):
        pair = prims.tanh(pair[0] + pair[1]), prims.tanh(pair[0] - pair[1])
    met = wide(pair[0] * pair[1], 12)
    pair = prims.tanh(met), prims.tanh(met)
    for _ in range(40):
        pair = prims.tanh(pair[0] + pair[1]), prims.tanh(pair[0] - pair[1])
    p = plan(Tensor(pair[0] + pair[1]))
    assert p.dispatches == 2 and [len(k.writes) for k in p.kernels] == [1, 1]


def test_a_chain_of_small_kernels_is_no_longer_than_one_kernel_may_be():
    x = leaf(8)._node
    w = as_node(np.ones(8, np.float32))
    new = plans.deep(x, 1000)
    _, leaves, _ = graph_key([new, w], lift=False)
    made = make_plan([new], TILE, leaves, {0: 1})
    assert made.dispatches >= 2 and all(work_of(k) <= pieces.MOST_WORK for k in made.kernels)


def test_a_value_that_two_others_need_at_every_step_is_computed_once_at_each():
    """Written out, two hundred such steps would be 2^200 of them."""
    y = leaf(50)._node
    for _ in range(200):
        y = (y + 1) * prims.relu(y)
    kernels = plan(Tensor(y)).kernels
    assert sum(lower_wgsl(k, TILE, 0).source.count("let t") for k in kernels) < 4 * 200


@every("graph", lambda: [pytest.param(graph, id=graph.name) for graph in plans.graphs()], blocks=8)
def test_the_kernels_of_a_plan_leave_what_its_operations_say(graph, device):
    wanted = plans.expected(graph)
    for found, value in zip(plans.computed(graph, device), wanted, strict=True):
        fits = np.isfinite(value)  # a sum of numbers that grew beyond all bounds is what their order makes of it
        largest = np.abs(value[fits], dtype=np.float32).max(initial=1)
        np.testing.assert_allclose(found[fits], value[fits], rtol=1e-4, atol=1e-5 * largest)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_two_live_values_share_a_slot(data):
    _, roots = _random_graph(data.draw)
    p = plan(*map(Tensor, roots), profile=data.draw(st.sampled_from([REGISTER, TILE])))
    written: dict = {}
    holder: dict = {}
    for i, k in enumerate(p.kernels):
        for ref in k.reads:
            if ref[0] in ("slot", "out"):
                assert ref in written and written[ref] < i
        assert not set(k.reads) & {r for r in k.writes if r[0] == "slot"}, "a kernel writes a slot it reads"
        for value, ref in zip(k.group.loads(), k.reads, strict=True):
            if ref[0] == "slot":
                assert holder[ref] is value  # nobody wrote the slot in between
        holder |= dict(zip(k.writes, k.group.outputs, strict=True))
        written |= dict.fromkeys(k.writes, i)
        assert len({*k.reads, *k.writes}) <= 8


def test_a_state_is_written_in_place_only_after_its_last_reader():
    w = pyml.Variable(np.arange(4, dtype=np.float32))

    @pyml.program
    def step():
        total = ops.sum(w.value)
        w.assign(w.value * 2)
        return total + ops.sum(w.value)

    assert float(step()) == 6 + 12
    assert float(step()) == 12 + 24
    assert step.last_plan.copies == []


# ---- work
def trained_recurrence(steps: int):
    """Roots and writes of a step of training over an unrolled loop: states, sums of gradients, weights written back."""
    x, w, b, start = (as_node(np.ones(shape, np.float32)) for shape in ((steps, 4, 6), (6, 6), (6,), (4, 6)))
    h = start
    for t in range(steps):
        now = prims.reshape(prims.slice_(x, (t, 0, 0), (t + 1, 4, 6)), (4, 6))
        gate = prims.sigmoid(prims.matmul(h, w) + now)
        h = gate * prims.tanh(h + prims.broadcast_to(b, (4, 6))) + (1 - gate) * h
    loss = prims.reduce_sum(h, (0, 1))
    found = grad.gradients(loss, [w, b])
    return [loss, w - found[0] * 0.1, b - found[1] * 0.1], [w, b]


def lines_run(function) -> int:
    """How many lines of the compiler a call executes."""
    folder, count = str(Path(merge.__file__).parent), 0

    def local(frame, event, arg):
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, arg: local if frame.f_code.co_filename.startswith(folder) else None)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("profile", [REGISTER, pytest.param(TILE, marks=pytest.mark.slow)], ids=lambda p: p.family)
def test_the_work_of_compiling_grows_with_the_length_of_a_program_and_not_with_its_square(profile, monkeypatch):
    monkeypatch.setattr(merge, "BLOCK", 64)  # so that short programs have several

    def compiled(steps):
        roots, variables = trained_recurrence(steps)

        def everything():
            _, leaves, _ = graph_key(roots, lift=False)
            at = {id(n.buffer): i for i, n in enumerate(leaves)}
            made = make_plan(roots, profile, leaves, {1 + k: at[id(v.buffer)] for k, v in enumerate(variables)})
            for kernel in made.kernels:
                lower_wgsl(kernel, profile, made.params)

        return lines_run(everything)

    short, middle, long = compiled(12), compiled(24), compiled(48)
    assert long - middle < 1.2 * 2 * (middle - short)


def test_groups_of_one_block_merge_as_if_there_were_no_blocks(monkeypatch):
    roots, _ = trained_recurrence(12)
    whole = plan(*map(Tensor, roots)).explain()
    monkeypatch.setattr(merge, "BLOCK", 1 << 30)
    assert plan(*map(Tensor, roots)).explain() == whole


@pytest.mark.parametrize("block", [3, 17])
def test_a_program_cut_into_blocks_computes_the_same(monkeypatch, block):
    roots, _ = trained_recurrence(6)
    monkeypatch.setattr(merge, "BLOCK", block)
    expected = _evaluate(None, roots)
    realize(list(roots), pyml.config.device())
    for r, e in zip(roots, expected, strict=True):
        np.testing.assert_allclose(r.buffer.handle[: r.size * 4].view(np.float32).reshape(r.shape), e, rtol=1e-4, atol=1e-5)


def test_concatenations_of_concatenations_stay_within_the_buffers_of_a_kernel(gpu):
    parts = [np.full((2, 1), i, np.float32) for i in range(12)]
    pairs = [ops.concatenate([a, b], axis=1) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    np.testing.assert_array_equal(ops.stack(pairs).numpy()[:, 0].ravel(), np.arange(12))


@pytest.mark.parametrize("feeds", [[{1}, {2}, {3}, set()], [{2}, {0}, set(), {1}], [set(), {3}, {0, 1}, {0}]])
def test_a_group_comes_after_all_that_feed_it_however_long_the_chain(feeds):
    found = sources_first(feeds, range(len(feeds)))
    assert sorted(found) == [0, 1, 2, 3]
    assert all(found.index(j) < found.index(i) for i, those in enumerate(feeds) for j in those)


@pytest.mark.parametrize(("feeds", "more", "knot"), [
    ([set(), {0}, {1}, {2}], [], set()),
    ([set(), {0}, {1}, {2}], [({0}, 3), ({1, 2}, 3)], set()),
    ([set(), {0}, {1}, {2}], [({2}, 1)], {1, 2, 3}),
    ([set(), {0}, {0, 1}, {1, 2}, set()], [({3}, 2), ({4}, 0)], {2, 3}),
    ([set(), set(), {1}], [({0}, 1), ({1}, 0)], {0, 1, 2}),
    ([{1, 2}, {2}, set(), {2}], [({3}, 2)], {0, 1, 2, 3}),
])  # fmt: skip
def test_only_groups_on_a_circle_of_reads_and_writes_or_behind_one_are_looked_at_again(feeds, more, knot):
    before = [set(f) for f in feeds]
    assert order._knot(feeds, more) == knot and feeds == before
