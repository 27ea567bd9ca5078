"""Activation functions with Keras' names and arguments; each is a composition of ops."""

from __future__ import annotations

from typing import TypeVar

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import Axis, TensorLike
from pyml.objects.registry import ACTIVATIONS
from pyml.tracebacks import warn

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish",
    "tanh", "tanh_shrink", "threshold",
]  # fmt: skip

Anything = TypeVar("Anything")


@ACTIVATIONS.function()
def linear(x: Anything) -> Anything:
    """`x` itself.

    Args:
        x: A tensor of any shape.

    Returns:
        `x` itself.

    Source: `keras.activations.linear`.

    Example:
        >>> pyml.activations.linear(3.0)
        3.0
    """
    return x


@ACTIVATIONS.function()
def relu(x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """`max(x, 0)`, or its general form.

    Args:
        x: Tensor.
        negative_slope: Slope below `threshold`.
        max_value: Largest value, or None for no limit.
        threshold: Values up to it are damped.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: Nair and Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".

    Example:
        >>> pyml.activations.relu([-1., 2., 9.], max_value=6.).numpy().round(4)
        array([0., 2., 6.], dtype=float32)
    """
    if negative_slope and threshold == 0.0 and max_value is None:
        return ops.leaky_relu(x, negative_slope)
    y = ops.relu(x) if threshold == 0.0 else ops.where(ops.greater(x, threshold), x, 0.0)
    if max_value is not None:  # Keras takes relu6 where it can, which has no slope at 6; `clip` has one
        y = ops.relu6(x) if threshold == 0.0 and max_value == 6 else ops.clip(y, 0.0, max_value)
    return ops.subtract(y, ops.multiply(negative_slope, ops.relu(ops.subtract(threshold, x)))) if negative_slope else y


@ACTIVATIONS.function()
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above 0, `negative_slope * x` below.

    Args:
        x: A tensor of any shape.
        negative_slope: The slope below 0.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".

    Example:
        >>> pyml.activations.leaky_relu([-1., 2.]).numpy().round(4)
        array([-0.2,  2. ], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


@ACTIVATIONS.function()
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Source: Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10".

    Example:
        >>> pyml.activations.relu6([-1., 2., 9.]).numpy().round(4)
        array([0., 2., 6.], dtype=float32)
    """
    return ops.relu6(x)


@ACTIVATIONS.function()
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`: each slice sums to 1. Warns of an axis of size 1, over which it is always 1.

    Args:
        x: A tensor of any shape.
        axis: The axis, or axes, along which the results add up to 1.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Raises:
        AxisError: `x` has no such axis.

    Source: Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network Outputs".

    Example:
        >>> pyml.activations.softmax([[0., 0.], [1., 0.]]).numpy().round(4)
        array([[0.5   , 0.5   ],
               [0.7311, 0.2689]], dtype=float32)
    """
    shape = getattr(x, "shape", ())
    if isinstance(axis, int) and -len(shape) <= axis < len(shape) and shape[axis] == 1:
        warn(f"You are using a softmax over axis {axis}, which has size 1, so that it is always 1. Did you mean to use a sigmoid instead?")
    return ops.softmax(x, axis=axis)


@ACTIVATIONS.function()
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The logarithm of `softmax`, without its loss of precision.

    Args:
        x: A tensor of any shape.
        axis: The axis, or axes, along which the exponentials of the results add up to 1.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Raises:
        AxisError: `x` has no such axis.

    Source: `keras.activations.log_softmax`.

    Example:
        >>> pyml.activations.log_softmax([0., 0.]).numpy().round(4)
        array([-0.6931, -0.6931], dtype=float32)
    """
    return ops.log_softmax(x, axis=axis)


@ACTIVATIONS.function()
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` above 0, `alpha * (exp(x) - 1)` below. Source: Clevert et al. 2015.

    Args:
        x: A tensor of any shape.
        alpha: What the values below 0 approach, with its sign changed.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.elu([-1., 2.]).numpy().round(4)
        array([-0.6321,  2.    ], dtype=float32)
    """
    return ops.elu(x, alpha=alpha)


@ACTIVATIONS.function()
def selu(x: TensorLike) -> Tensor:
    """`elu` scaled so that activations keep mean 0 and variance 1. Source: Klambauer et al. 2017.

    Args:
        x: Tensor.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.selu([-1., 2.]).numpy().round(4)
        array([-1.1113,  2.1014], dtype=float32)
    """
    return ops.selu(x)


@ACTIVATIONS.function()
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`. Source: Barron 2017.

    Args:
        x: A tensor of any shape.
        alpha: What the values below 0 approach, with its sign changed; not 0.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.celu([-1., 2.], alpha=2.).numpy().round(4)
        array([-0.7869,  2.    ], dtype=float32)
    """
    return ops.celu(x, alpha=alpha)


@ACTIVATIONS.function()
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: Dugas et al. 2001, "Incorporating Second-Order Functional Knowledge for Better Option Pricing".

    Example:
        >>> pyml.activations.softplus([0., 100.]).numpy().round(4)
        array([  0.6931, 100.    ], dtype=float32)
    """
    return ops.softplus(x)


@ACTIVATIONS.function()
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.softsign`.

    Example:
        >>> pyml.activations.softsign([1., -3.]).numpy().round(4)
        array([ 0.5 , -0.75], dtype=float32)
    """
    return ops.softsign(x)


@ACTIVATIONS.function()
def gelu(x: TensorLike, approximate: bool = False) -> Tensor:
    """`x * P(X <= x)` of a unit normal. Source: Hendrycks and Gimpel 2016.

    Args:
        x: Tensor.
        approximate: True uses the tanh formula, False the error function.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.gelu([-1., 2.]).numpy().round(4)
        array([-0.1587,  1.9545], dtype=float32)
    """
    return ops.gelu(x, approximate=approximate)


@ACTIVATIONS.function("swish")
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`. Source: Ramachandran et al. 2017.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.silu([0., 2.]).numpy().round(4)
        array([0.    , 1.7616], dtype=float32)
    """
    return ops.silu(x)


@ACTIVATIONS.function()
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent.

    Args:
        x: Tensor.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.tanh`.

    Example:
        >>> pyml.activations.tanh([0., 1.]).numpy().round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return ops.tanh(x)


@ACTIVATIONS.function()
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.sigmoid`.

    Example:
        >>> pyml.activations.sigmoid([0., 2.]).numpy().round(4)
        array([0.5   , 0.8808], dtype=float32)
    """
    return ops.sigmoid(x)


@ACTIVATIONS.function()
def exponential(x: TensorLike) -> Tensor:
    """`exp(x)`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.exponential`.

    Example:
        >>> pyml.activations.exponential([0., 1.]).numpy().round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return ops.exp(x)


@ACTIVATIONS.function()
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`x / 6 + 0.5` cut to `[0, 1]`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: Howard et al. 2019, "Searching for MobileNetV3".

    Example:
        >>> pyml.activations.hard_sigmoid([-9., 0., 1.5]).numpy().round(4)
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return ops.hard_sigmoid(x)


@ACTIVATIONS.function("hard_swish")
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`. Source: Howard et al. 2019.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.hard_silu([0., 1.5]).numpy().round(4)
        array([0.   , 1.125], dtype=float32)
    """
    return ops.hard_silu(x)


@ACTIVATIONS.function()
def hard_tanh(x: TensorLike) -> Tensor:
    """`x` cut to `[-1, 1]`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Source: `keras.activations.hard_tanh`.

    Example:
        >>> pyml.activations.hard_tanh([-9., 0.5]).numpy().round(4)
        array([-1. ,  0.5], dtype=float32)
    """
    return ops.hard_tanh(x)


@ACTIVATIONS.function()
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, stable for large negative `x`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.log_sigmoid`.

    Example:
        >>> pyml.activations.log_sigmoid([0., -100.]).numpy().round(4)
        array([  -0.6931, -100.    ], dtype=float32)
    """
    return ops.log_sigmoid(x)


@ACTIVATIONS.function()
def mish(x: TensorLike) -> Tensor:
    """`x * tanh(softplus(x))`. Source: Misra 2019.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.mish([0., 1.]).numpy().round(4)
        array([0.    , 0.8651], dtype=float32)
    """
    return ops.multiply(x, ops.tanh(ops.softplus(x)))


@ACTIVATIONS.function()
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The first half of `x` along `axis` times the sigmoid of the second. Source: Dauphin et al. 2016.

    Args:
        x: A tensor of any shape.
        axis: The axis that is split into two halves, which has an even size.

    Returns:
        A tensor that has half as many elements along `axis`, in the dtype of `x`, float32 of integers.

    Raises:
        AxisError: `x` has no such axis.

    Example:
        >>> pyml.activations.glu([1., 2., 0., 0.]).numpy().round(4)
        array([0.5, 1. ], dtype=float32)
    """
    return ops.glu(x, axis=axis)


@ACTIVATIONS.function()
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """0 where `|x| <= threshold`, else `x`.

    Args:
        x: A tensor of any shape.
        threshold: Up to this size values become 0.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: Donoho and Johnstone 1994, "Ideal spatial adaptation by wavelet shrinkage".

    Example:
        >>> pyml.activations.hard_shrink([-1., 0.3]).numpy().round(4)
        array([-1.,  0.], dtype=float32)
    """
    return ops.hard_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`.

    Args:
        x: A tensor of any shape.
        threshold: How far values move towards 0.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: Donoho 1995, "De-noising by soft-thresholding".

    Example:
        >>> pyml.activations.soft_shrink([-1., 0.3]).numpy().round(4)
        array([-0.5,  0. ], dtype=float32)
    """
    return ops.soft_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.tanh_shrink`.

    Example:
        >>> pyml.activations.tanh_shrink([0., 2.]).numpy().round(4)
        array([0.   , 1.036], dtype=float32)
    """
    return ops.tanh_shrink(x)


@ACTIVATIONS.function()
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x^2 + b)) / 2`. Source: Barron 2021.

    Args:
        x: A tensor of any shape.
        b: How smooth it is around 0.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Example:
        >>> pyml.activations.squareplus([0., 1.5]).numpy().round(4)
        array([1., 2.], dtype=float32)
    """
    return ops.squareplus(x, b=b)


@ACTIVATIONS.function()
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` above `threshold`, else `default_value`.

    Args:
        x: A tensor of any shape.
        threshold: Values above it stay.
        default_value: What takes the place of other values.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of booleans.

    Source: `keras.activations.threshold`.

    Example:
        >>> pyml.activations.threshold([-1., 2.], 0., 7.).numpy().round(4)
        array([7., 2.], dtype=float32)
    """
    return ops.threshold(x, threshold, default_value)


@ACTIVATIONS.function()
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `x` from 1 on, `(x + 1)^2 / 4` between.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.sparse_plus`.

    Example:
        >>> pyml.activations.sparse_plus([-2., 0., 1.5]).numpy()
        array([0.  , 0.25, 1.5 ], dtype=float32)
    """
    return ops.sparse_plus(x)


@ACTIVATIONS.function()
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 up to -1, 1 from 1 on, `(x + 1) / 2` between.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Source: `keras.activations.sparse_sigmoid`.

    Example:
        >>> pyml.activations.sparse_sigmoid([-2., 0., 1.5]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.sparse_sigmoid(x)


@ACTIVATIONS.function()
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The nearest point with numbers from 0 on that sum to 1 along `axis`. Source: Martins and Astudillo 2016.

    Args:
        x: Tensor.
        axis: The axis whose numbers are taken together.

    Returns:
        A tensor of the shape of `x` in its dtype, float32 of integers and booleans.

    Raises:
        AxisError: `x` has no such axis.

    Example:
        >>> pyml.activations.sparsemax([2., 1.5, -1.]).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    return ops.sparsemax(x, axis=axis)


swish = silu
hard_swish = hard_silu
