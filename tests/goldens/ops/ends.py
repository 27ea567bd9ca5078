"""NaN, infinity, and the slopes at the ends of where a function is defined."""

import numpy as np
from op_calls import call

WITH_NAN = np.array([-np.inf, -2, -0.5, 0, 0.25, 0.5, 2, np.inf, np.nan], "float32")
ENDS = np.array([-1, -0.5, 0, 0.5, 1], "float32")
INFINITE = np.array([-np.inf, 1, np.inf, -np.inf], "float32")
OTHER = np.array([-np.inf, -np.inf, np.inf, 2], "float32")
HUGE = np.array([1, 2, 1e9, 1e11, 3e38], "float32")
BEYOND = np.array([np.nan, np.inf, -np.inf, 1.5], "float32")


def of_float(name, dtype, *args):
    """An op of numbers of 16 bits, its answer as float32."""
    return lambda K: lambda x: K.ops.cast(getattr(K.ops, name)(K.ops.cast(x, dtype), *args), "float32")


def saturated(K):
    return lambda x: K.ops.cast(K.ops.saturate_cast(K.ops.convert_to_tensor(x), "float16"), "float32")


def typed(K):
    return lambda x: K.ops.ctc_loss(
        K.ops.convert_to_tensor(np.array([[1, 2]])), K.ops.cast(x, "float16"), K.ops.convert_to_tensor(np.array([2])),
        K.ops.convert_to_tensor(np.array([4])))  # fmt: skip


CASES = {
    **{name: call(f"ops.{name}", WITH_NAN, grad=False) for name in ("soft_shrink", "hard_shrink", "relu6", "hard_tanh", "nan_to_num")},
    "threshold": call("ops.threshold", WITH_NAN, 0.25, 7.0, grad=False),
    **{name: call(f"ops.{name}", ENDS) for name in ("arcsin", "arccos", "arctanh", "erfinv")},
    "arccosh": call("ops.arccosh", HUGE[:4]),
    "arccosh_largest": call("ops.arccosh", np.array([2e38], "float32"), grad=False),
    "logaddexp": call("ops.logaddexp", INFINITE, OTHER, grad=False),
    "logaddexp2": call("ops.logaddexp2", INFINITE, OTHER, grad=False),
    "fmod": call("ops.fmod", np.array([-5, 0, 5.5, -1], "float32"), np.array([3, 3, -2, 0.75], "float32")),
    "arctan2": call("ops.arctan2", np.array([0, 0, 1, -1], "float32"), np.array([0, 1, 0, -1], "float32")),
    "nan_to_num_float16": call(of_float("nan_to_num", "float16"), BEYOND, grad=False),
    "nan_to_num_bfloat16": call(of_float("nan_to_num", "bfloat16"), BEYOND, grad=False),
    "saturate_cast_float16": call(saturated, np.array([1e6, -1e6, 3, np.nan], "float32"), grad=False),
    "ctc_loss_float16": call(typed, np.linspace(-1, 1, 12, dtype="float32").reshape(1, 4, 3), grad=False, tol=2e-3),
}
