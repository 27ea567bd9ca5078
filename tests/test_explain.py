"""`explain()` says how many bytes each dispatch moves and how much it computes."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.graph import prims
from pyml.graph.node import Node
from pyml.graph.op import OPS
from pyml.graph.prims import BUFFER


def plan_of(function, *shapes):
    run = pyml.program(function)
    run(*(np.ones(shape, np.float32) for shape in shapes))
    return run.last_plan, run.explain().splitlines()


def value(*shape):
    return Node(BUFFER, (), {"shape": shape, "dtype": "float32"}, shape, "float32")


def test_a_matrix_product_counts_two_operations_per_product(device):
    plan, lines = plan_of(ops.matmul, (64, 32), (32, 16))
    assert plan.kernels[0].arithmetic == 2 * 64 * 32 * 16
    assert plan.kernels[0].moved == 4 * (64 * 32 + 32 * 16 + 64 * 16)
    assert "14,336 B 65,536 ops (4.57/B)" in lines[0]
    assert lines[-1].startswith("1 dispatches, at least 14,336 B 65,536 ops (4.57/B), 0 copies")


def test_a_convolution_counts_its_window_and_what_follows_in_the_same_kernel(device):
    plan, lines = plan_of(lambda x, w: ops.relu(ops.conv(x, w)), (2, 8, 8, 8), (3, 3, 8, 4))
    pixels = 2 * 6 * 6 * 4
    assert sum(kernel.arithmetic for kernel in plan.kernels) == pixels * (2 * 3 * 3 * 8 + 1)
    assert f"{pixels * 145:,} ops" in lines[-1]


def test_reductions_count_their_elements_and_copies_nothing(device):
    plan, _ = plan_of(lambda x: ops.sum(x * 2.0 + 1.0, axis=1), (6, 50))
    assert sum(kernel.arithmetic for kernel in plan.kernels) == 3 * 6 * 50
    plan, _ = plan_of(ops.transpose, (6, 50))
    assert sum(kernel.arithmetic for kernel in plan.kernels) == 0


@pytest.mark.parametrize("node, expected", [
    (prims.matmul(value(3, 5, 7), value(3, 2, 7), tb=True), 2 * 3 * 5 * 7 * 2),
    (prims.matmul(value(7, 5), value(7, 2), ta=True), 2 * 5 * 7 * 2),
    (prims.conv2d(value(1, 6, 6, 4), value(3, 3, 1, 4), groups=4), 2 * 4 * 4 * 4 * 9),
    (prims.conv2d_input_grad(value(1, 4, 4, 8), value(3, 3, 2, 8), (6, 6)), 2 * 4 * 4 * 8 * 9 * 2),
    (prims.conv2d_filter_grad(value(1, 6, 6, 2), value(1, 4, 4, 8), (3, 3)), 2 * 4 * 4 * 8 * 9 * 2),
    (prims.max_pool2d(value(1, 6, 6, 2), (2, 2), (2, 2)), 3 * 3 * 2 * 4),
    (OPS["avg_pool2d_grad"](value(1, 3, 3, 2), input_hw=(6, 6), size=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0))), 3 * 3 * 2 * 4),
    (prims.softmax(value(4, 10)), 5 * 40),
    (prims.argmax(value(4, 10)), 40),
    (prims.gather(value(4, 10), prims.cast(value(3), dtype="int32")), 0),
    (prims.scatter_add(prims.cast(value(3), dtype="int32"), value(3, 10), 4), 30),
])  # fmt: skip
def test_every_hand_written_kernel_says_how_much_it_computes(node, expected):
    assert node.op.arithmetic(node) == expected


def test_sums_in_parts_count_as_much_as_the_whole():
    a, b = value(3, 50), value(50, 2)
    whole = prims.matmul(a, b)
    parts = pyml.graph.op.OPS["matmul_partials"](a, b, ta=False, tb=False, splits=4)
    assert parts.op.arithmetic(parts) == whole.op.arithmetic(whole) == 600
