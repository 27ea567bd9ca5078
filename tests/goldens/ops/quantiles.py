"""Quantiles, percentiles and medians, with their gradients."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [np.nan, np.nan, 0.5, 4.0], [2.0, -1.0, np.nan, 1.5]], "float32")
LEVELS = [0.0, 0.1, 0.5, 0.85, 1.0]
METHODS = ("linear", "lower", "higher", "midpoint", "nearest")

CASES = {
    "median": call("ops.median", uniform(1, (3, 5))),
    "median_even": call("ops.median", uniform(2, (4, 6)), axis=-1),
    "median_axes": call("ops.median", uniform(3, (2, 3, 4)), axis=(0, -1), keepdims=True),
    "median_int": call("ops.median", labels(4, 12, 9).reshape(3, 4), axis=0),
    "median_nan": call("ops.median", HOLES, axis=1, grad=False),
    "nanmedian": call("ops.nanmedian", HOLES),
    "nanmedian_axis": call("ops.nanmedian", HOLES, axis=1, keepdims=True),
    "quantile_number": call("ops.quantile", uniform(5, (3, 7)), 0.3),
    "quantile_axes": call("ops.quantile", uniform(6, (2, 3, 4)), LEVELS, axis=(0, 2)),
    "quantile_kept": call("ops.quantile", uniform(7, (3, 4)), LEVELS, axis=0, keepdims=True),
    "quantile_int": call("ops.quantile", labels(8, 10, 9), LEVELS),
    "nanquantile_kept": call("ops.nanquantile", HOLES, LEVELS, axis=0, keepdims=True),
    "percentile": call("ops.percentile", uniform(9, (4, 5)), [25, 75], axis=1),
    "percentile_number": call("ops.percentile", uniform(10, (4, 5)), 40.0),
    "nanpercentile": call("ops.nanpercentile", HOLES, [10, 60], axis=1),
    **{f"quantile_{m}": call("ops.quantile", uniform(11, (2, 6)), LEVELS, axis=1, method=m) for m in METHODS},
    **{f"nanquantile_{m}": call("ops.nanquantile", HOLES, LEVELS, axis=1, method=m) for m in METHODS},
}
