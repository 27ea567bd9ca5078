"""Sorting, the largest elements, running sums, counting and searching.

Not here, as Keras on torch differs from Keras' own documentation: `nonzero` and `where(condition)` give one stacked tensor there
(a tuple elsewhere and here), `argpartition` truncates floats to integers, `histogram` refuses integers, and indices of `top_k`,
`unique` are int64 (int32 in Keras' specification and here): `tests/test_sorting.py` has them.
"""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [np.inf, -np.inf, 0.5, np.nan]], "float32")
RAMP = np.arange(-1, 6, dtype="float32")
ZEROS = np.array([[2.0, 0.0, 3.0, -1.0], [0.0, 0.5, 0.0, 2.0]], "float32")

CASES = {
    "sort": call("ops.sort", uniform(1, (3, 7))),
    "sort_first_axis": call("ops.sort", uniform(2, (5, 2, 3)), axis=-3),
    "sort_flat": call("ops.sort", uniform(3, (2, 5)), axis=None),
    "sort_long": call("ops.sort", uniform(4, (2, 70)), axis=1),
    "sort_int": call("ops.sort", labels(5, 12, 9).reshape(3, 4) - 4),
    "sort_bool": call("ops.sort", labels(6, 7, 2).astype(bool)),
    "sort_empty": call("ops.sort", np.zeros((0, 3), "float32"), grad=False),
    "argsort": call("ops.argsort", uniform(7, (3, 7)), grad=False),
    "argsort_ties": call("ops.argsort", labels(8, 40, 5).reshape(4, 10), axis=0),
    "argsort_flat": call("ops.argsort", uniform(9, (2, 3)), axis=None, grad=False),
    "cumsum": call("ops.cumsum", uniform(10, (3, 5)), axis=-1),
    "cumsum_flat": call("ops.cumsum", uniform(11, (2, 3))),
    "cumsum_long": call("ops.cumsum", uniform(12, (90, 2)), axis=0),
    "cumsum_int": call("ops.cumsum", labels(13, 6, 9), axis=0),
    "cumprod": call("ops.cumprod", uniform(14, (3, 5)), axis=1),
    "cumprod_zeros": call("ops.cumprod", ZEROS, axis=1),
    "searchsorted": call("ops.searchsorted", np.sort(uniform(15, (9,))), uniform(16, (2, 4)), grad=False),
    "searchsorted_right": call("ops.searchsorted", RAMP[1:5], RAMP, side="right", grad=False),
    "digitize": call("ops.digitize", uniform(17, (3, 4)), np.array([-0.5, 0.0, 0.5], "float32"), grad=False),
    "bincount": call("ops.bincount", labels(18, 12, 5)),
    "bincount_least": call("ops.bincount", labels(19, 7, 3), minlength=6),
    "bincount_weights": call("ops.bincount", labels(20, 9, 4), weights=uniform(21, (9,)), grad=False),
    "bincount_int_weights": call("ops.bincount", labels(22, 9, 4), weights=labels(23, 9, 4)),
    "bincount_rows": call("ops.bincount", labels(24, 12, 4).reshape(2, 6), minlength=5),
    "histogram": call("ops.histogram", uniform(25, (40,)), grad=False),
    "histogram_range": call("ops.histogram", uniform(26, (25,)), bins=4, range=(-0.5, 0.25), grad=False),
    "histogram_many": call("ops.histogram", uniform(27, (60,)), bins=80, grad=False),
    "unique": call("ops.unique", labels(28, 20, 6)),
    "unique_size": call("ops.unique", labels(29, 20, 4).reshape(4, 5), size=6, fill_value=-1),
    "unique_cut": call("ops.unique", labels(30, 20, 9), size=3),
    "unique_rows": call("ops.unique", labels(31, 16, 2).reshape(8, 2), axis=0),
    "unique_nan": call("ops.unique", HOLES, grad=False),
}
