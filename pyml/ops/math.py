"""Functions that Keras keeps beside numpy's: `erf`, `rsqrt`, `logsumexp`."""

from __future__ import annotations

from ..core.tensor import Tensor
from ..core.types import Axis, TensorLike
from ..graph import prims
from .apply import floating
from .arithmetic import add, subtract
from .declare import op
from .elementary import exp, log
from .logic import isfinite, where
from .reduce import max as _max
from .reduce import standardize_axis
from .reduce import sum as _sum
from .shaping import reshape

__all__ = [
    "erf", "logsumexp", "rsqrt",
]  # fmt: skip


@op()
def rsqrt(x: TensorLike) -> Tensor:
    """1 / sqrt(x)."""
    return floating(prims.rsqrt, x)


@op()
def erf(x: TensorLike) -> Tensor:
    """The error function."""
    return floating(prims.erf, x)


@op()
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over `axis` without overflow."""
    top = _max(x, axis, keepdims=True)
    top = Tensor(prims.stop_gradient(where(isfinite(top), top, 0.0)._node))
    out = add(log(_sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    if keepdims:
        return out
    axes = standardize_axis(axis, out.ndim, "logsumexp")
    return reshape(out, tuple(n for i, n in enumerate(out.shape) if i not in axes))
