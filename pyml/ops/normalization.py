"""Normalization: statistics over some axes and what is scaled by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..core import trace
from ..core.custom import custom_gradient
from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..settings import epsilon as default_epsilon
from .apply import as_float
from .arithmetic import absolute, add, maximum, square
from .axes import one_axis, standardize_axis
from .declare import draw, op, sample
from .math import rsqrt
from .reduce import max as _max
from .reduce import mean
from .reduce import sum as _sum
from .shaping import squeeze

__all__ = [
    "batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization",
]  # fmt: skip


def _lay(vector: TensorLike, shape: Sequence[int]) -> Tensor:
    return Tensor(prims.reshape(prims.cast(as_node(vector), dtype="float32"), shape))


@op(
    limited=True,
    like=lambda x, axes, keepdims=False: [x.mean(axes, keepdims=keepdims), x.var(axes, keepdims=keepdims)],
    samples=[sample(draw(3, 4), 0), sample(draw(2, 3, 4), (0, 1), keepdims=True)],
)
def moments(x: TensorLike, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """Mean and variance over `axes`.

    Args:
        x: Tensor.
        axes: An axis, or several.
        keepdims: Keep these axes with size 1.
        synchronized: Nothing: there is one device.

    Returns:
        Two tensors of the dtype of `x` if that is a float (those beyond float16 are its largest number), else float32.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Source: `keras.ops.moments`.

    Example:
        >>> mean, variance = pyml.ops.moments([1., 3.], axes=0)
        >>> mean.item(), variance.item()
        (2.0, 1.0)
    """
    x = as_float(x)
    centre = mean(x, axis=axes, keepdims=True)
    variance = mean(square(x - centre), axis=axes, keepdims=keepdims)
    return (centre if keepdims else squeeze(centre, axes)), variance


def _standardized(x: Tensor, axes: tuple[int, ...], epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """`(x - mean) / sqrt(variance + epsilon)` with the statistics of `x` over `axes`, and the two statistics."""
    centre, variance = moments(x, axes, keepdims=True)
    factor = rsqrt(variance + epsilon)

    def value(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        y = (x - centre) * factor
        # two sums over the same elements instead of the four that the chain rule gives
        return y, lambda g: (g - mean(g, axes, True) - y * mean(g * y, axes, True)) * factor

    in_training_step = trace.current() is not None and trace.gradient_depth() > 0
    return (custom_gradient(value)(x) if in_training_step else value(x)[0]), centre, variance


def _scaled(y: Tensor, scale: TensorLike | None, offset: TensorLike | None, shape: Sequence[int]) -> Tensor:
    if scale is not None:
        y = y * _lay(scale, shape)
    return y if offset is None else add(y, _lay(offset, shape))


def normalize_by_batch(
    x: TensorLike, axis: int, offset: TensorLike | None = None, scale: TensorLike | None = None, epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_normalization` with the mean and variance of `x` itself over all axes but `axis`.

    Returns:
        The normalized tensor, the mean and the variance, both `(x.shape[axis],)`.
    """
    x = as_float(x)
    axis %= x.ndim
    axes = tuple(a for a in range(x.ndim) if a != axis)
    y, centre, variance = _standardized(x, axes, epsilon)
    shape = [n if a == axis else 1 for a, n in enumerate(x.shape)]
    return _scaled(y, scale, offset, shape), squeeze(centre, axes), squeeze(variance, axes)


@op(
    like=lambda x, mean, variance, axis, offset=0, scale=1, epsilon=1e-3: (x - mean) / np.sqrt(variance + epsilon) * scale + offset,
    samples=[
        sample(draw(4, 3), draw(3), draw(3, low=0.5), -1),
        sample(draw(2, 5, 3), draw(3), draw(3, low=0.5), -1, offset=draw(3), scale=draw(3)),
    ],
)
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int,
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: Tensor.
        mean, variance: Statistics, one number per place along `axis`.
        axis: Their axis.
        offset, scale: The same; left out where None.
        epsilon: Added to the variance.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: `axis` is out of range, or the statistics have not one number for each place along it.

    Source: Ioffe and Szegedy 2015.

    Example:
        >>> pyml.ops.batch_normalization([[3., 1.]], [1., 1.], [4., 4.], axis=-1, epsilon=0.).numpy()
        array([[1., 0.]], dtype=float32)
    """
    x = as_float(x)
    axis = one_axis(axis, x.ndim, "batch_normalization")
    shape = [1] * x.ndim
    shape[axis] = x.shape[axis]
    factor = rsqrt(_lay(variance, shape) + epsilon)
    if scale is not None:
        factor = factor * _lay(scale, shape)
    y = (x - _lay(mean, shape)) * factor
    return y if offset is None else add(y, _lay(offset, shape))


def _parameter_shape(x: Tensor, axes: tuple[int, ...], vector: TensorLike, what: str) -> tuple[int, ...]:
    shape = tuple(n if a in axes else 1 for a, n in enumerate(x.shape))
    node = as_node(vector)
    if node.size != 1 and node.shape != tuple(x.shape[a] for a in axes):
        raise ShapeError(f"{what} must have the sizes of axes {axes} of x, {tuple(x.shape[a] for a in axes)}. Received: {node.shape}")
    return shape if node.size != 1 else (1,) * x.ndim


def _layer_normalized(
    x: np.ndarray, gamma: np.ndarray | float = 1.0, beta: np.ndarray | float = 0.0, axis: int | tuple[int, ...] = -1, epsilon: float = 1e-7
) -> np.ndarray:
    """The same in numpy."""
    centred = x - x.mean(axis, keepdims=True)
    return centred / np.sqrt(x.var(axis, keepdims=True) + epsilon) * gamma + beta


@op(
    dtypes="first", like=_layer_normalized,
    samples=[sample(draw(3, 4)), sample(draw(2, 3, 4), draw(4), draw(4), epsilon=1e-3), sample(draw(2, 3, 4), axis=(1, 2))], tolerance=3e-5,
)
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, the statistics of each sample over `axis`.

    Args:
        x: Tensor.
        gamma, beta: Scale and offset, with the sizes of `axis`; left out where None.
        axis: An axis, or several.
        epsilon: Added to the variance, by default 1e-7.

    Returns:
        A tensor like `x`, computed in float32; of integers the fraction is dropped, as in Keras: cast them before.

    Raises:
        ShapeError: `axis` is out of range, or `x` is a scalar.

    Source: Ba et al. 2016, "Layer Normalization".

    Example:
        >>> pyml.ops.layer_normalization([[1., 3.]]).numpy().round(3)
        array([[-1.,  1.]], dtype=float32)
    """
    given = as_node(x)
    x = as_float(given)
    axes = standardize_axis(axis, x.ndim, "layer_normalization")
    y = _standardized(x, axes, default_epsilon() if epsilon is None else epsilon)[0]
    if gamma is not None:
        y = y * _lay(gamma, _parameter_shape(x, axes, gamma, "layer_normalization: gamma"))
    y = y if beta is None else add(y, _lay(beta, _parameter_shape(x, axes, beta, "layer_normalization: beta")))
    return Tensor(prims.cast(y._node, dtype=given.dtype))


@op(
    dtypes="first", like=lambda x, scale=1, axis=-1, epsilon=1e-7: x / np.sqrt(np.mean(x * x, axis, keepdims=True) + epsilon) * scale,
    samples=[sample(draw(3, 4)), sample(draw(2, 4), draw(4))],
)
def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """`x / sqrt(mean(x^2) + epsilon) * scale` over `axis`.

    Args:
        x: Tensor.
        scale: Scale with the sizes of `axis`, or None.
        axis: An axis, or several.
        epsilon: Added to the mean, by default 1e-7.

    Returns:
        A tensor like `x`, computed in float32; of integers the fraction is dropped, as in Keras: cast them before.

    Raises:
        ShapeError: `axis` is out of range, or `x` is a scalar.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".

    Example:
        >>> pyml.ops.rms_normalization([[3., 3.]]).numpy().round(3)
        array([[1., 1.]], dtype=float32)
    """
    given = as_node(x)
    x = as_float(given)
    axes = standardize_axis(axis, x.ndim, "rms_normalization")
    y = x * rsqrt(mean(square(x), axis=axes, keepdims=True) + (default_epsilon() if epsilon is None else epsilon))
    y = y if scale is None else y * _lay(scale, _parameter_shape(x, axes, scale, "rms_normalization: scale"))
    return Tensor(prims.cast(y._node, dtype=given.dtype))


@op(
    like=lambda x, axis=-1, order=2: x / np.linalg.norm(x, order, axis, keepdims=True),
    samples=[sample(draw(3, 4)), sample(draw(3, 4), axis=0, order=1), sample(draw(3, 4), order=3)],
)
def normalize(x: TensorLike, axis: Axis = -1, order: float = 2, epsilon: float | None = None) -> Tensor:
    """`x` divided by its norm along `axis`, at least `epsilon` (1e-7).

    Args:
        x: Tensor.
        axis: Axis of the norm, or several.
        order: Order of the norm, for example 2.
        epsilon: Least norm to divide by.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: An axis is out of range or named twice.
        ValueError: `order` is not a number above 0.

    Source: `keras.ops.normalize`.

    Example:
        >>> pyml.ops.normalize([3., 4.]).numpy()
        array([0.6, 0.8], dtype=float32)
    """
    x = as_float(x)
    epsilon = default_epsilon() if epsilon is None else epsilon
    if not isinstance(order, (int, float, np.number)) or not order > 0:
        raise ValueError(f"normalize: order must be a number above 0. Received: order={order!r}")
    if order == 2:
        return x * rsqrt(maximum(_sum(square(x), axis=axis, keepdims=True), epsilon * epsilon))
    if order == float("inf"):
        return x / maximum(_max(absolute(x), axis=axis, keepdims=True), epsilon)
    norm = _sum(absolute(x) ** float(order), axis=axis, keepdims=True) ** (1.0 / order)
    return x / maximum(norm, epsilon)
