"""Neural-network operations: activations, softmax, cross-entropy.

Convolution and pooling are in `windows`, normalization in `norm`.
"""

from __future__ import annotations

import warnings
from math import prod, sqrt

from ..core.tensor import Logits, Tensor, as_node
from ..errors import ShapeError
from ..graph import prims
from .math import absolute, clip, erf, exp, expm1, log, log1p, minimum, multiply, sigmoid, square, tanh, where
from .norm import batch_normalization, layer_normalization, moments, normalize, rms_normalization
from .reduce import sum as _sum
from .shape import expand_dims, squeeze
from .windows import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv

_EPSILON = 1e-7
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _float(x) -> Tensor:
    return Tensor(prims.cast(as_node(x), dtype="float32"))


def relu(x):
    """`max(x, 0)`; its slope at 0 is 0."""
    return Tensor(prims.relu(as_node(x)))


def relu6(x):
    """`min(max(x, 0), 6)`."""
    return minimum(relu(x), 6.0)


def leaky_relu(x, negative_slope=0.2):
    """`x` above 0, `negative_slope * x` below."""
    x = _float(x)
    return where(x > 0.0, x, x * negative_slope)


def softplus(x):
    """`log(1 + exp(x))`, without overflow."""
    x = _float(x)
    return relu(x) + log1p(exp(-absolute(x)))


def softsign(x):
    """`x / (1 + |x|)`."""
    x = _float(x)
    return x / (absolute(x) + 1.0)


def silu(x):
    """`x * sigmoid(x)`."""
    x = _float(x)
    return x * sigmoid(x)


def swish(x):
    """Another name of `silu`."""
    return silu(x)


def log_sigmoid(x):
    """`log(sigmoid(x))`, without overflow."""
    return -softplus(-_float(x))


def elu(x, alpha=1.0):
    """`x` above 0, `alpha * (exp(x) - 1)` below."""
    x = _float(x)
    return where(x > 0.0, x, expm1(minimum(x, 0.0)) * alpha)


def selu(x):
    """`elu` with the alpha and scale that keep mean 0 and variance 1."""
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


def celu(x, alpha=1.0):
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`."""
    x = _float(x)
    return where(x > 0.0, x, expm1(minimum(x, 0.0) / alpha) * alpha)


def gelu(x, approximate=True):
    """`x * P(X <= x)` of a unit normal; `approximate` uses the tanh formula."""
    x = _float(x)
    if approximate:
        return x * 0.5 * (tanh((x + x * square(x) * 0.044715) * sqrt(2.0 / 3.141592653589793)) + 1.0)
    return x * 0.5 * (erf(x * sqrt(0.5)) + 1.0)


def hard_sigmoid(x):
    """`x / 6 + 0.5` cut to `[0, 1]`."""
    return clip(_float(x) * (1.0 / 6.0) + 0.5, 0.0, 1.0)


def hard_silu(x):
    """`x * hard_sigmoid(x)`."""
    return multiply(_float(x), hard_sigmoid(x))


def hard_swish(x):
    """Another name of `hard_silu`."""
    return hard_silu(x)


def hard_tanh(x):
    """`x` cut to `[-1, 1]`."""
    return clip(_float(x), -1.0, 1.0)


def hard_shrink(x, threshold=0.5):
    """0 where `|x| <= threshold`, else `x`."""
    x = _float(x)
    return where(absolute(x) > threshold, x, 0.0)


def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`."""
    x = _float(x)
    return where(x > threshold, x - threshold, where(x < -threshold, x + threshold, 0.0))


def tanh_shrink(x):
    """`x - tanh(x)`."""
    x = _float(x)
    return x - tanh(x)


def threshold(x, threshold, default_value):
    """`x` above `threshold`, else `default_value`."""
    x = _float(x)
    return where(x > threshold, x, default_value)


def squareplus(x, b=4):
    """`(x + sqrt(x^2 + b)) / 2`."""
    x = _float(x)
    return (x + (square(x) + b) ** 0.5) * 0.5


def glu(x, axis=-1):
    """The first half of `x` along `axis` times the sigmoid of the second."""
    from .shape import split

    first, second = split(x, 2, axis=axis)
    return first * sigmoid(second)


def _along_rows(prim, x, axis):
    """Applies a primitive over the last axis of a matrix to any axis, or axes, of `x`."""
    x = as_node(_float(x))
    if x.ndim == 0:
        raise ShapeError("softmax: expected at least one axis, received a scalar.")
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if not -x.ndim <= a < x.ndim:
            raise ShapeError(f"softmax: axis {a} is out of range for shape {x.shape}.")
    last = [a % x.ndim for a in axes]
    order = [a for a in range(x.ndim) if a not in last] + last
    moved = prims.permute(x, tuple(order)) if order != list(range(x.ndim)) else x
    columns = prod(x.shape[a] for a in last)
    flat = prims.reshape(moved, (prod(moved.shape) // max(columns, 1), columns))
    y = prims.reshape(prim(flat), moved.shape)
    return Tensor(prims.permute(y, tuple(order.index(a) for a in range(x.ndim))) if moved is not x else y)


def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along `axis`; None means over all axes."""
    x = _float(x)
    y = _along_rows(prims.softmax, x, axis)
    if isinstance(axis, int):
        y._keras_logits = Logits(x._node, axis % x.ndim)
    return y


def log_softmax(x, axis=-1):
    """The logarithm of `softmax`, without its loss of precision."""
    return _along_rows(prims.log_softmax, x, axis)


def _predictions(output) -> Tensor:
    """`output` as a float tensor: the very same one where it is one, which may know its logits."""
    return output if isinstance(output, Tensor) and output.dtype == "float32" else _float(output)


def _same_shape(target, output, what):
    if target.shape != output.shape:
        raise ShapeError(
            f"{what}: target and output must have the same shape. Received: target {target.shape}, output {output.shape}."
        )


def _probabilities(output, axis):
    """Scaled to sum 1 and kept away from 0 and 1."""
    return clip(output / _sum(output, axis=axis, keepdims=True), _EPSILON, 1.0 - _EPSILON)


def _logits(output, from_logits, axis, what):
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


def _logs(output, from_logits, axis, what):
    """The logarithms of the class probabilities."""
    logits = _logits(output, from_logits, axis % output.ndim, what)
    return log(_probabilities(output, axis)) if logits is None else log_softmax(logits, axis)


def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`-sum(target * log(output))` along `axis`.

    Args:
        target: One-hot classes, the shape of `output`.
        output: Probabilities, or logits with `from_logits`.
        axis: Axis of the classes.

    Raises:
        ShapeError: The shapes differ.
    """
    target, output = _float(target), _predictions(output)
    _same_shape(target, output, "categorical_crossentropy")
    return -_sum(target * _logs(output, from_logits, axis, "categorical_crossentropy"), axis=axis)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
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


def binary_crossentropy(target, output, from_logits=False):
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Args:
        target: 0 or 1 (or between), the shape of `output`.
        output: Probabilities, or logits with `from_logits`.

    Raises:
        ShapeError: The shapes differ.
    """
    target, output = _float(target), _predictions(output)
    _same_shape(target, output, "binary_crossentropy")
    logits = _logits(output, from_logits, None, "binary_crossentropy")
    if logits is not None:
        return relu(logits) - logits * target + log1p(exp(-absolute(logits)))
    output = clip(output, _EPSILON, 1.0 - _EPSILON)
    return -(target * log(output) + (1.0 - target) * log(1.0 - output))


__all__ = [
    "average_pool", "batch_normalization", "conv", "conv_transpose", "depthwise_conv", "layer_normalization", "max_pool",
    "moments", "normalize", "rms_normalization", "separable_conv",
]
