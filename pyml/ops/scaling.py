"""Images scaled and shifted by numbers that may be tensors: the weights are computed, and differentiated, on the device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import is_float
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import shape_of
from .apply import as_float
from .arithmetic import clip, maximum
from .axes import ordered_axes
from .declare import draw, op, sample
from .elementary import round, sin
from .indexing import get_item
from .logic import equal, greater, greater_equal, less_equal, logical_and, where
from .products import matmul
from .reduce import max, min, sum
from .shaping import moveaxis, reshape

__all__ = ["scale_and_translate"]


def _linear(x: Tensor) -> Tensor:
    return maximum(1.0 - x, 0.0)


def _cubic(x: Tensor) -> Tensor:
    far = where(greater_equal(x, 2.0), 0.0, ((x * -0.5 + 2.5) * x - 4.0) * x + 2.0)
    return where(greater_equal(x, 1.0), far, ((x * 1.5 - 2.5) * x) * x + 1.0)


def _lanczos(radius: float) -> Callable[[Tensor], Tensor]:
    def weight(x: Tensor) -> Tensor:
        waves = sin(x * math.pi) * sin(x * (math.pi / radius)) * radius
        near = greater(x, 1e-3)
        return where(greater(x, radius), 0.0, where(near, waves / where(near, x * x * math.pi**2, 1.0), 1.0))

    return weight


_FILTERS: dict[str, Callable[[Tensor], Tensor]] = {
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), _linear),
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), _cubic),
    "lanczos3": _lanczos(3.0),
    "lanczos5": _lanczos(5.0),
}


def _weights(n: int, count: int, scale: Tensor, shift: Tensor, weigh: Callable[[Tensor], Tensor], antialias: bool) -> Tensor:
    """`(n, count)`: how much of each old pixel is in each new one."""
    old, new = (Tensor(prims.cast(prims.iota(size), dtype="float32")) for size in (n, count))
    step = 1.0 / scale
    at = reshape((new + 0.5) * step - shift * step - 0.5, (1, count))
    distance = abs(at - reshape(old, (n, 1)))
    weights = weigh(distance / maximum(step, 1.0) if antialias else distance)
    total = sum(weights, axis=0, keepdims=True)
    within = logical_and(greater_equal(at, -0.5), less_equal(at, n - 0.5))
    enough = greater(abs(total), 1000.0 * float(np.finfo(np.float32).eps))
    return where(logical_and(within, enough), weights / where(equal(total, 0.0), 1.0, total), 0.0)


def _spec(images: Any, output_shape: Any, *args: Any, **kwargs: Any) -> KerasTensor:
    return KerasTensor(tuple(output_shape), dtype=images.dtype)


def _drawn(x: np.ndarray, shape: Sequence[int], scale: np.ndarray, shift: np.ndarray, dims: Sequence[int], *_: Any) -> np.ndarray:
    """The same in numpy, linearly and without antialias."""
    for d, a, b in zip(dims, scale, shift, strict=True):
        at = (np.arange(shape[d]) + 0.5 - b) / a - 0.5
        inside = (at >= -0.5) & (at <= x.shape[d] - 0.5)
        weights = np.stack([np.interp(at, np.arange(x.shape[d]), row) for row in np.eye(x.shape[d])]) * inside
        x = np.moveaxis(np.tensordot(x, weights, (d, 0)), -1, d)
    return x


@op(
    dtypes="first",
    like=_drawn,
    samples=[sample(draw(2, 4, 5, 1), (2, 6, 5, 1), draw(2, low=0.7, high=1.4), draw(2, low=-1, high=1), (1, 2), "linear", False)],
    spec=_spec,
)
def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Arrays stretched and shifted along some axes: what lay at `p` comes to lie at `p * scale + translation`.

    Pixels have their values in the middle, at half numbers; what comes from outside is 0.

    Args:
        images: An array of any number of axes.
        output_shape: Sizes of the result; those of other axes than `spatial_dims` are those of `images`.
        scale, translation: A number for each of `spatial_dims`.
        spatial_dims: The axes.
        method: `"linear"` (or `"bilinear"`, `"trilinear"`), `"cubic"` (or `"bicubic"`, `"tricubic"`), `"lanczos3"`, `"lanczos5"`.
        antialias: Widen the filter where images become smaller.

    Returns:
        `output_shape`, in the dtype of `images`; integer results are rounded, and stay within their range.

    Raises:
        ValueError: The method is unknown.
        ShapeError: There are not as many sizes, scales or translations as axes.

    Source: keras.ops.image.scale_and_translate, jax.image.scale_and_translate.

    Example:
        >>> pyml.ops.image.scale_and_translate([1., 2., 3.], (4,), [1.], [1.], (0,), "linear").numpy()
        array([0., 1., 2., 3.], dtype=float32)
    """
    if method not in _FILTERS:
        raise ValueError(f"scale_and_translate: method must be one of {', '.join(map(repr, _FILTERS))}. Received: method={method!r}")
    x, scales, shifts = as_node(images), as_float(scale), as_float(translation)
    sizes, axes = shape_of(output_shape, "scale_and_translate", "output_shape"), ordered_axes(spatial_dims, x.ndim, "scale_and_translate")
    if len(sizes) != x.ndim or any(n != sizes[i] for i, n in enumerate(x.shape) if i not in axes):
        raise ShapeError(f"scale_and_translate: images of {x.shape} cannot become {sizes} along the axes {tuple(axes)}.")
    if scales.shape != (len(axes),) or shifts.shape != (len(axes),):
        raise ShapeError(f"scale_and_translate: give {len(axes)} scales and translations. Received: {scales.shape} and {shifts.shape}")
    y = Tensor(prims.cast(x, dtype="float32"))
    for i, axis in enumerate(axes):
        weights = _weights(x.shape[axis], sizes[axis], get_item(scales, i), get_item(shifts, i), _FILTERS[method], antialias)
        y = moveaxis(matmul(moveaxis(y, axis, -1), weights), -1, axis)
    if not is_float(x.dtype):
        whole = Tensor(x)
        y = clip(round(y), min(whole), max(whole))
    return Tensor(prims.cast(y._node, dtype=x.dtype))
