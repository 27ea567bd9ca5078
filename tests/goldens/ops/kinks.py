"""Slopes where there is no single one: ties, zeros, and the ends of ranges."""

import numpy as np
from golden_cases import uniform
from op_calls import call

AT = np.array([-6, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 6], "float32")
TIED = np.array([[1, 3, 3, -2], [2, 2, 2, 2], [-1, -1, 0, -1]], "float32")
OTHER = np.array([[1, 0, 3, -2], [3, 2, 1, 2], [-1, 5, 0, 0]], "float32")
ZEROS = np.array([[2, 0, 3], [0, 0, 5], [1, 4, 2]], "float32")
ALL_ZERO = np.zeros((2, 3), "float32")
SAME = np.array([[0, 0.5, 1], [1, 0, 0.5]], "float32")
IMAGE = np.array([1, 1, 0, 2, 1, 1, 2, 2, 0, 0, 3, 3, 0, 0, 3, 1], "float32").reshape(1, 4, 4, 1)
BITS = np.array([[0, 1, 1], [1, 0, 1]], "float32")
LOGITS = {"from_logits": True}
PIXELS = np.array([[0, 1, 3, 4, 2, -1, 5], [0, 2, 3, 0, 1.5, 1, 2]], "float32")  # on pixels, at borders, and one step outside

CASES = {
    **{name: call(f"ops.{name}", AT) for name in (
        "absolute", "celu", "elu", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "relu",
        "relu6", "selu", "silu", "soft_shrink", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "tanh_shrink")},
    "relu_max": call("activations.relu", AT, max_value=2.0, threshold=-1.0),
    "relu_max_alone": call("activations.relu", AT, max_value=2.0),
    "relu_slope": call("activations.relu", AT, negative_slope=0.5, threshold=1.0, max_value=3.0),
    "threshold": call("ops.threshold", AT, 0.5, -1.0),
    "clip": call("ops.clip", AT, -1.0, 2.0),
    "maximum": call("ops.maximum", TIED, OTHER),
    "minimum": call("ops.minimum", TIED, OTHER),
    "fmax": call("ops.fmax", TIED, OTHER),
    "nextafter": call("ops.nextafter", TIED, OTHER),
    "logaddexp": call("ops.logaddexp", TIED, OTHER),
    **{f"{name}{axis}": call(f"ops.{name}", TIED, axis=axis) for name in ("max", "min", "logsumexp", "std", "var")
       for axis in (None, 1)},
    **{f"{name}{axis}": call(f"ops.{name}", ZEROS, axis=axis) for name in ("prod", "cumprod") for axis in (0, 1)},
    **{f"{name}{axis}": call(f"ops.{name}", TIED, axis=axis) for name in ("median", "nanmedian") for axis in (None, 1)},
    **{f"quantile_{q}": call("ops.quantile", TIED, q, axis=1) for q in (0.25, 0.5, 1 / 3)},
    "sort": call("ops.sort", TIED),
    "cumsum": call("ops.cumsum", ZEROS, axis=1),
    "power_2": call("ops.power", AT, np.full(AT.shape, 2.0, "float32")), "square": call("ops.square", AT),
    "power_of_0": call("ops.power", np.array([0, 0, 0, 0, 1, -1, -2, 3, 0], "float32"),
                       np.array([0, 1, -1, 0.5, 0, 2, 0.5, 3, 2], "float32")),
    **{f"norm_{ord}": call("ops.norm", ZEROS - ZEROS[1], ord, axis=1) for ord in (0.5, 1, 3, -1)},
    "clip_by_tensors": call("ops.clip", AT, np.full(AT.shape, -1, "float32"), np.linspace(-6, 6, 11, dtype="float32")),
    "clip_upside_down": call("ops.clip", AT, 1.0, -1.0),
    "sinc": call("ops.sinc", np.array([0, 1e-45, 1e-20, 0.05, -0.2, 1, 2.5], "float32")),
    "gelu_far": call("ops.gelu", np.array([5, 9, 20, 88, 100, -9, -20, -100], "float32")),
    "tanh_far": call("ops.tanh", np.array([7, 8.5, 9.5, 20, 1e30, np.inf, -9, -np.inf], "float32"), tol=2e-7),
    "norm": call("ops.linalg.norm", ALL_ZERO, axis=1), "norm_all": call("ops.norm", ALL_ZERO),
    "fmin": call("ops.fmin", TIED, OTHER),
    "softmax": call("ops.softmax", TIED),
    "max_pool": call("ops.max_pool", IMAGE, 2), "max_pool_overlapping": call("ops.max_pool", IMAGE, 3, 1),
    "average_pool": call("ops.average_pool", IMAGE, 2, 1, "valid"),
    **{f"map_{mode}": call("ops.image.map_coordinates", uniform(6, (5, 4)), PIXELS, 1, mode, 0.5)
       for mode in ("constant", "nearest", "wrap", "mirror", "reflect")},
    "adaptive_max_pool": call("ops.adaptive_max_pool", IMAGE, 2),
    "binary_crossentropy": call("losses.binary_crossentropy", BITS, ALL_ZERO, **LOGITS),
    "binary_focal_crossentropy": call("losses.binary_focal_crossentropy", BITS, ALL_ZERO, **LOGITS),
    "categorical_crossentropy": call("losses.categorical_crossentropy", BITS, ALL_ZERO, **LOGITS),
    "mean_absolute_error": call("losses.mean_absolute_error", SAME, SAME.copy()),
    "huber": call("losses.huber", ALL_ZERO, SAME, delta=0.5),
    "log_cosh": call("losses.log_cosh", SAME, SAME.copy()),
    "hinge": call("losses.hinge", BITS * 2 - 1, BITS * 2 - 1),
    "squared_hinge": call("losses.squared_hinge", BITS * 2 - 1, BITS * 2 - 1),
    "categorical_hinge": call("losses.categorical_hinge", BITS, np.ones((2, 3), "float32")),
}  # fmt: skip
