"""Neural-network operations: activations, softmax, cross-entropy.

Convolution and pooling are in `windows`, normalization in `norm`.
"""

from __future__ import annotations

import warnings
from math import prod, sqrt

from ..core.tensor import Logits, Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from .apply import Primitive, as_float
from .arithmetic import absolute, clip, minimum, multiply, square
from .declare import op
from .elementary import exp, expm1, log, log1p, tanh
from .logic import equal, where
from .math import erf
from .norm import batch_normalization, layer_normalization, moments, normalize, rms_normalization
from .reduce import sum as _sum
from .shaping import arange, expand_dims, reshape, split, squeeze
from .windows import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv

__all__ = [
    "average_pool", "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "celu", "conv",
    "conv_transpose", "depthwise_conv", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax", "max_pool", "moments", "normalize",
    "one_hot", "relu", "relu6", "rms_normalization", "selu", "separable_conv", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "squareplus", "swish", "tanh_shrink",
    "threshold",
]  # fmt: skip

_EPSILON = 1e-7
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@op()
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`."""
    node = as_node(as_float(x))
    y = Tensor(prims.sigmoid(node))
    y._keras_logits = Logits(node, None)
    return y


@op()
def relu(x: TensorLike) -> Tensor:
    """`max(x, 0)`; its slope at 0 is 0."""
    return Tensor(prims.relu(as_node(x)))


@op()
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`."""
    return minimum(relu(x), 6.0)


@op()
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above 0, `negative_slope * x` below."""
    x = as_float(x)
    return where(x > 0.0, x, x * negative_slope)


@op()
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`, without overflow."""
    x = as_float(x)
    return relu(x) + log1p(exp(-absolute(x)))


@op()
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`."""
    x = as_float(x)
    return x / (absolute(x) + 1.0)


@op()
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`."""
    x = as_float(x)
    return x * sigmoid(x)


@op()
def swish(x: TensorLike) -> Tensor:
    """Another name of `silu`."""
    return silu(x)


@op()
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, without overflow."""
    return -softplus(-as_float(x))


@op()
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` above 0, `alpha * (exp(x) - 1)` below."""
    x = as_float(x)
    return where(x > 0.0, x, expm1(minimum(x, 0.0)) * alpha)


@op()
def selu(x: TensorLike) -> Tensor:
    """`elu` with the alpha and scale that keep mean 0 and variance 1."""
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


@op()
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`."""
    x = as_float(x)
    return where(x > 0.0, x, expm1(minimum(x, 0.0) / alpha) * alpha)


@op()
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """`x * P(X <= x)` of a unit normal; `approximate` uses the tanh formula."""
    x = as_float(x)
    if approximate:
        return x * 0.5 * (tanh((x + x * square(x) * 0.044715) * sqrt(2.0 / 3.141592653589793)) + 1.0)
    return x * 0.5 * (erf(x * sqrt(0.5)) + 1.0)


@op()
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`x / 6 + 0.5` cut to `[0, 1]`."""
    return clip(as_float(x) * (1.0 / 6.0) + 0.5, 0.0, 1.0)


@op()
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`."""
    return multiply(as_float(x), hard_sigmoid(x))


@op()
def hard_swish(x: TensorLike) -> Tensor:
    """Another name of `hard_silu`."""
    return hard_silu(x)


@op()
def hard_tanh(x: TensorLike) -> Tensor:
    """`x` cut to `[-1, 1]`."""
    return clip(as_float(x), -1.0, 1.0)


@op()
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """0 where `|x| <= threshold`, else `x`."""
    x = as_float(x)
    return where(absolute(x) > threshold, x, 0.0)


@op()
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`."""
    x = as_float(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0.0))


@op()
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`."""
    x = as_float(x)
    return x - tanh(x)


@op()
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` above `threshold`, else `default_value`."""
    x = as_float(x)
    return where(x > threshold, x, default_value)


@op()
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x^2 + b)) / 2`."""
    x = as_float(x)
    return (x + (square(x) + b) ** 0.5) * 0.5


@op()
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The first half of `x` along `axis` times the sigmoid of the second."""
    first, second = split(x, 2, axis=axis)
    return first * sigmoid(second)


def _along_rows(prim: Primitive, x: TensorLike, axis: Axis) -> Tensor:
    """Applies a primitive over the last axis of a matrix to any axis, or axes, of `x`."""
    node = as_node(as_float(x))
    if node.ndim == 0:
        raise ShapeError("softmax: expected at least one axis, received a scalar.")
    axes = range(node.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if not -node.ndim <= a < node.ndim:
            raise ShapeError(f"softmax: axis {a} is out of range for shape {node.shape}.")
    last = [a % node.ndim for a in axes]
    order = [a for a in range(node.ndim) if a not in last] + last
    moved = prims.permute(node, tuple(order)) if order != list(range(node.ndim)) else node
    columns = prod(node.shape[a] for a in last)
    flat = prims.reshape(moved, (prod(moved.shape) // max(columns, 1), columns))
    y = prims.reshape(prim(flat), moved.shape)
    return Tensor(prims.permute(y, tuple(order.index(a) for a in range(node.ndim))) if moved is not node else y)


@op()
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`; None means over all axes."""
    x = as_float(x)
    y = _along_rows(prims.softmax, x, axis)
    if isinstance(axis, int):
        y._keras_logits = Logits(x._node, axis % x.ndim)
    return y


@op()
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The logarithm of `softmax`, without its loss of precision."""
    return _along_rows(prims.log_softmax, x, axis)


def _predictions(output: TensorLike) -> Tensor:
    """`output` as a float tensor: the very same one where it is one, which may know its logits."""
    return output if isinstance(output, Tensor) and output.dtype == "float32" else as_float(output)


def _same_shape(target: Tensor, output: Tensor, what: str) -> None:
    if target.shape != output.shape:
        raise ShapeError(
            f"{what}: target and output must have the same shape. Received: target {target.shape}, output {output.shape}."
        )


def _probabilities(output: Tensor, axis: int) -> Tensor:
    """Scaled to sum 1 and kept away from 0 and 1."""
    return clip(output / _sum(output, axis=axis, keepdims=True), _EPSILON, 1.0 - _EPSILON)


def _logits(output: Tensor, from_logits: bool, axis: int | None, what: str) -> Tensor | None:
    """The logits of `output`, or None where it holds probabilities and nothing else is known.

    What a softmax or sigmoid returned knows its logits, as in Keras on TensorFlow: nothing is lost where a probability
    rounds to 0 or 1. They belong to that tensor, whether it was read or not; an array of the same numbers has none.
    """
    known = output._keras_logits
    if known is None or known.axis != axis:
        return output if from_logits else None
    if from_logits:
        warnings.warn(
            f"{what}: from_logits=True, but output is the result of a {'sigmoid' if axis is None else 'softmax'}; what it was "
            "made of is taken as the logits. Leave out from_logits, or the activation.",
            stacklevel=3,
        )
    return Tensor(known.node)


def _logs(output: Tensor, from_logits: bool, axis: int, what: str) -> Tensor:
    """The logarithms of the class probabilities."""
    logits = _logits(output, from_logits, axis % output.ndim, what)
    return log(_probabilities(output, axis)) if logits is None else log_softmax(logits, axis)


@op()
def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Tensor:
    """`-sum(target * log(output))` along `axis`.

    Args:
        target: One-hot classes, the shape of `output`.
        output: Probabilities, or logits with `from_logits`.
        axis: Axis of the classes.

    Raises:
        ShapeError: The shapes differ.
    """
    target, output = as_float(target), _predictions(output)
    _same_shape(target, output, "categorical_crossentropy")
    return -_sum(target * _logs(output, from_logits, axis, "categorical_crossentropy"), axis=axis)


@op()
def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Tensor:
    """`-log(output[target])` along `axis`.

    Args:
        target: Classes as integers: the shape of `output` without `axis`, or with size 1 there.
        output: Probabilities, or logits with `from_logits`.
        axis: Axis of the classes.

    Raises:
        ShapeError: The shapes do not fit.
    """
    target, output = Tensor(prims.cast(as_node(target), dtype="int32")), _predictions(output)
    if not output.ndim:
        raise ShapeError("sparse_categorical_crossentropy: output must have at least one axis, received a scalar.")
    axis %= output.ndim
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = squeeze(target, axis)
    expected = output.shape[:axis] + output.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeError(
            "sparse_categorical_crossentropy: target must have the shape of output without the class axis. "
            f"Received: target {target.shape}, output {output.shape}."
        )
    shape = [1] * output.ndim
    shape[axis] = output.shape[axis]
    classes = Tensor(prims.reshape(prims.iota(output.shape[axis], "int32"), shape))
    hit = classes == expand_dims(target, axis)
    return -_sum(where(hit, _logs(output, from_logits, axis, "sparse_categorical_crossentropy"), 0.0), axis=axis)


@op()
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Args:
        target: 0 or 1 (or between), the shape of `output`.
        output: Probabilities, or logits with `from_logits`.

    Raises:
        ShapeError: The shapes differ.
    """
    target, output = as_float(target), _predictions(output)
    _same_shape(target, output, "binary_crossentropy")
    logits = _logits(output, from_logits, None, "binary_crossentropy")
    if logits is not None:
        return relu(logits) - logits * target + log1p(exp(-absolute(logits)))
    output = clip(output, _EPSILON, 1.0 - _EPSILON)
    return -(target * log(output) + (1.0 - target) * log(1.0 - output))


@op()
def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Tensor:
    """1 at position x along a new axis of `num_classes`, else 0; x out of range gives zeros."""
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported; use sparse=False.")
    idx = prims.cast(as_node(x), dtype="int32")
    a = axis % (idx.ndim + 1)
    classes = reshape(arange(num_classes), [num_classes if i == a else 1 for i in range(idx.ndim + 1)])
    return equal(expand_dims(Tensor(idx), a), classes).astype(dtype or "float32")
