"""Branches, loops and functions for all rows; the functions are written with operators, so that both libraries run them."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call


def step(carry, x):
    return carry * 0.5 + x, carry * x


def pair(carry, x):
    a, b = carry
    return (a + x[0], b * 0.5 + x[1]), {"sum": a + b, "product": a * x[1]}


CASES = {
    "map": call("ops.map", lambda x: x * x + 1.0, uniform(1, (4, 3))),
    "map_of_a_pair": call("ops.map", lambda x: (x[0] + x[1], x[0] * 2.0), (uniform(1, (3, 2)), uniform(2, (3, 2))), grad=False),
    "map_int": call("ops.map", lambda x: x * 2 + 1, labels(3, 5, 9)),
    "scan": call("ops.scan", step, uniform(1, (3,)), uniform(2, (5, 3))),
    "scan_reverse": call("ops.scan", step, uniform(1, (3,)), uniform(2, (5, 3)), reverse=True),
    "scan_unroll": call("ops.scan", step, uniform(1, (2, 1)), uniform(2, (4, 2, 1)), unroll=2),
    "scan_unroll_all": call("ops.scan", step, uniform(1, (2, 1)), uniform(2, (3, 2, 1)), unroll=True),
    "scan_length": call("ops.scan", lambda c, _: (c * 0.5 + 1.0, c), uniform(1, (3,)), length=4),
    "scan_fewer": call("ops.scan", step, uniform(1, (3,)), uniform(2, (4, 3)), length=4),
    "scan_trees": call("ops.scan", pair, (uniform(1, (2,)), uniform(2, (2,))), [uniform(3, (3, 2)), uniform(4, (3, 2))], grad=False),
    "associative_scan": call("ops.associative_scan", lambda a, b: a + b, uniform(1, (7, 2))),
    "associative_scan_reverse": call("ops.associative_scan", lambda a, b: a * b, uniform(1, (5,)), reverse=True),
    "associative_scan_axis": call("ops.associative_scan", lambda a, b: a + b, uniform(1, (2, 6)), axis=1),
    # integers become floats in Keras on PyTorch, and stay integers elsewhere: tests/test_branches_and_loops.py
    "associative_scan_pairs": call(
        "ops.associative_scan", lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1]), (uniform(1, (5, 2)), uniform(2, (5, 2))), grad=False
    ),
    "associative_scan_one": call("ops.associative_scan", lambda a, b: a + b, uniform(1, (1, 3))),
    "cond_true": call("ops.cond", np.array(True), lambda: np.float32([1, 2]), lambda: np.float32([3, 4])),
    "cond_false": call("ops.cond", False, lambda: np.float32([1, 2]), lambda: np.float32([3, 4])),
    "switch": call("ops.switch", 1, [lambda x, y: x + y, lambda x, y: x - y * y], uniform(1, (3,)), uniform(2, (3,))),
    "switch_above": call("ops.switch", 7, [lambda x: x + 1.0, lambda x: x * x], uniform(1, (3,))),
    "switch_below": call("ops.switch", -7, [lambda x: x + 1.0, lambda x: x * x], uniform(1, (3,))),
    "fori_loop": call("ops.fori_loop", 0, 4, lambda i, x: x * 0.5 + i, uniform(1, (3,))),
    "fori_loop_negative": call("ops.fori_loop", -3, 2, lambda i, x: x + x * i, uniform(1, (2,))),
    "fori_loop_int": call("ops.fori_loop", 0, 10, lambda i, x: x + i, labels(1, 3, 9)),
    "while_loop_counter": call("ops.while_loop", lambda i, x: i < 4, lambda i, x: (i + 1, x * 0.5 + 1.0), (np.int32(0), uniform(1, (3,))),
                               grad=False),
    "while_loop_data": call("ops.while_loop", lambda x: (x * x).sum() > 0.1, lambda x: x * 0.75, uniform(1, (3,))),
    "while_loop_most": call("ops.while_loop", lambda x: (x * x).sum() > 0.0, lambda x: x * 0.75, uniform(1, (3,)), maximum_iterations=3),
    "while_loop_never": call("ops.while_loop", lambda x: (x * x).sum() < 0.0, lambda x: x * 0.75, uniform(1, (3,))),
    "vectorized_map": call("ops.vectorized_map", lambda x: (x * x).sum() + x[0], uniform(1, (4, 3)), tensors=True),
    "vectorized_map_matrices": call("ops.vectorized_map", lambda x: x @ x.T, uniform(1, (3, 2, 4)), tensors=True),
    "jvp": call("ops.jvp", lambda x, y: x * x * y, (uniform(1, (3,)), uniform(2, (3,))), (uniform(3, (3,)), uniform(4, (3,))), grad=False,
                tensors=True),
    "jvp_two_values": call("ops.jvp", lambda x: (x * x, x.sum()), (uniform(1, (3,)),), (uniform(3, (3,)),), grad=False, tensors=True),
    "stop_gradient": call("ops.stop_gradient", uniform(1, (3,)), grad=False, tensors=True),
    "unstack": call("ops.unstack", uniform(1, (2, 3)), axis=-1, tensors=True),
    "shape": call("ops.shape", uniform(1, (2, 3)), grad=False),
    "cast": call("ops.cast", uniform(1, (5,), 9), "int32", grad=False),
    "cast_bool": call("ops.cast", labels(1, 5, 2), "bool"),
    "saturate_cast": call("ops.saturate_cast", uniform(1, (5,), 2e9), "int32", grad=False),
}  # fmt: skip
