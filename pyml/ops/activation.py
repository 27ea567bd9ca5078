"""Activations: functions that layers put between each other, element by element."""

from __future__ import annotations

import math
from math import pi, sqrt

import numpy as np

from ..core.tensor import Logits, Tensor, as_node
from ..core.types import TensorLike
from ..graph import prims
from . import families
from .apply import as_float
from .arithmetic import absolute, maximum, multiply, square
from .declare import draw, op, sample
from .elementary import exp, expm1, log1p, tanh
from .joining import split
from .logic import where
from .math import erf

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "squareplus",
    "swish",
]  # fmt: skip

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_X = [sample(draw(2, 3))]
_erf = np.vectorize(math.erf, otypes=[float])


@op(family=families.EACH_FLOAT, like=lambda x: 1 / (1 + np.exp(-x)), samples=_X)
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`.

    Source: `keras.ops.sigmoid`.

    Example:
        >>> pyml.ops.sigmoid([0., 2.]).numpy().round(4)
        array([0.5   , 0.8808], dtype=float32)
    """
    node = as_node(as_float(x))
    y = Tensor(prims.sigmoid(node))
    y._keras_logits = Logits(node, None)
    return y


@op(family=families.EACH, like=lambda x: np.maximum(x, 0), samples=_X)
def relu(x: TensorLike) -> Tensor:
    """`max(x, 0)`, in the shape and dtype of `x`; its slope at 0 is 0.

    Source: Nair and Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines".

    Example:
        >>> pyml.ops.relu([-1., 2.]).numpy()
        array([0., 2.], dtype=float32)
    """
    node = as_node(x)
    return Tensor(node if node.dtype == "bool" else prims.relu(node))


def as_number(x: TensorLike) -> Tensor:
    """Integers as they are, anything else as float32."""
    node = as_node(x)
    return Tensor(node) if node.dtype in ("int32", "uint32") else as_float(x)


def within(x: Tensor, low: float, high: float) -> Tensor:
    """`x` cut to `[low, high]`; the slope at both ends is 0, as on PyTorch, while `clip` has 1 there."""
    return where(x >= high, high, where(x <= low, low, x))


@op(family=families.EACH, like=lambda x: np.clip(x, 0, 6), samples=[sample(draw(2, 6, low=-9, high=9))])
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    Source: Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10".

    Example:
        >>> pyml.ops.relu6([-1., 2., 9.]).numpy()
        array([0., 2., 6.], dtype=float32)
    """
    return within(as_number(x), 0, 6)


@op(
    like=lambda x, negative_slope=0.2: np.where(x > 0, x, negative_slope * x),
    samples=[sample(draw(2, 3)), sample(draw(2, 3), negative_slope=0.01)],
)
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` above 0, `negative_slope * x` below.

    Args:
        x: Tensor of any shape.
        negative_slope: The slope below 0.

    Returns:
        float32, in the shape of `x`.

    Source: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".

    Example:
        >>> pyml.ops.leaky_relu([-1., 2.]).numpy()
        array([-0.2,  2. ], dtype=float32)
    """
    x = as_float(x)
    return where(x > 0.0, x, x * negative_slope)


@op(family=families.EACH_FLOAT, like=lambda x: np.log1p(np.exp(x)), samples=_X)
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`, without overflow.

    Source: Dugas et al. 2001, "Incorporating Second-Order Functional Knowledge for Better Option Pricing".

    Example:
        >>> pyml.ops.softplus([0., 100.]).numpy().round(4)
        array([  0.6931, 100.    ], dtype=float32)
    """
    x = as_float(x)
    return maximum(x, 0.0) + log1p(exp(-absolute(x)))  # `maximum` has the slope at 0, which is a half; that of `relu` is 0


@op(family=families.EACH_FLOAT, like=lambda x: x / (1 + np.abs(x)), samples=_X)
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Source: `keras.ops.softsign`.

    Example:
        >>> pyml.ops.softsign([1., -3.]).numpy()
        array([ 0.5 , -0.75], dtype=float32)
    """
    x = as_float(x)
    return x / (absolute(x) + 1.0)


@op(family=families.EACH_FLOAT, like=lambda x: x / (1 + np.exp(-x)), samples=_X)
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`. Source: Ramachandran et al. 2017.

    Example:
        >>> pyml.ops.silu([0., 2.]).numpy().round(4)
        array([0.    , 1.7616], dtype=float32)
    """
    x = as_float(x)
    return x * sigmoid(x)


swish = silu


@op(family=families.EACH_FLOAT, like=lambda x: -np.log1p(np.exp(-x)), samples=_X)
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, without overflow.

    Source: `keras.ops.log_sigmoid`.

    Example:
        >>> pyml.ops.log_sigmoid([0., -100.]).numpy().round(4)
        array([  -0.6931, -100.    ], dtype=float32)
    """
    return -softplus(-as_float(x))


@op(like=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)), samples=[sample(draw(2, 3)), sample(draw(2, 3), alpha=0.5)])
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` above 0, `alpha * (exp(x) - 1)` below. Source: Clevert et al. 2015.

    Args:
        x: Tensor of any shape.
        alpha: The size of the limit below 0.

    Returns:
        float32, in the shape of `x`.

    Example:
        >>> pyml.ops.elu([-1., 2.]).numpy().round(4)
        array([-0.6321,  2.    ], dtype=float32)
    """
    x = as_float(x)
    return where(x > 0.0, x, expm1(where(x > 0.0, 0.0, x)) * alpha)  # `minimum` would have half the slope at 0


@op(family=families.EACH_FLOAT, like=lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(x)), samples=_X)
def selu(x: TensorLike) -> Tensor:
    """`elu` with the alpha and scale that keep mean 0 and variance 1. Source: Klambauer et al. 2017.

    Example:
        >>> pyml.ops.selu([-1., 2.]).numpy().round(4)
        array([-1.1113,  2.1014], dtype=float32)
    """
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


@op(like=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)), samples=[sample(draw(2, 3)), sample(draw(2, 3), alpha=0.5)])
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`. Source: Barron 2017.

    Args:
        x: Tensor of any shape.
        alpha: The size of the limit below 0.

    Returns:
        float32, in the shape of `x`.

    Example:
        >>> pyml.ops.celu([-1., 2.], alpha=2.).numpy().round(4)
        array([-0.7869,  2.    ], dtype=float32)
    """
    x = as_float(x)
    return where(x > 0.0, x, expm1(where(x > 0.0, 0.0, x) / alpha) * alpha)


@op(
    like=lambda x, approximate=True: x / 2 * (1 + (np.tanh((x + 0.044715 * x**3) * sqrt(2 / pi)) if approximate else _erf(x / sqrt(2)))),
    samples=[sample(draw(2, 3)), sample(draw(2, 3), approximate=False)],
)
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """`x * P(X <= x)` of a unit normal. Source: Hendrycks and Gimpel 2016.

    Args:
        x: Tensor.
        approximate: True uses the tanh formula, False the error function.

    Returns:
        float32, in the shape of `x`.

    Example:
        >>> pyml.ops.gelu([-1., 2.]).numpy().round(4)
        array([-0.1588,  1.9546], dtype=float32)
    """
    x = as_float(x)
    if approximate:
        return x * 0.5 * (tanh((x + x * square(x) * 0.044715) * sqrt(2.0 / 3.141592653589793)) + 1.0)
    return x * 0.5 * (erf(x * sqrt(0.5)) + 1.0)


@op(family=families.EACH_FLOAT, like=lambda x: np.clip(x / 6 + 0.5, 0, 1), samples=[sample(draw(2, 6, low=-5, high=5))])
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`x / 6 + 0.5` cut to `[0, 1]`.

    Source: Howard et al. 2019, "Searching for MobileNetV3".

    Example:
        >>> pyml.ops.hard_sigmoid([-9., 0., 1.5]).numpy()
        array([0.  , 0.5 , 0.75], dtype=float32)
    """
    return within(as_float(x) * (1.0 / 6.0) + 0.5, 0.0, 1.0)


@op(family=families.EACH_FLOAT, like=lambda x: x * np.clip(x / 6 + 0.5, 0, 1), samples=[sample(draw(2, 6, low=-5, high=5))])
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`. Source: Howard et al. 2019.

    Example:
        >>> pyml.ops.hard_silu([-9., 0., 1.5]).numpy()
        array([-0.   ,  0.   ,  1.125], dtype=float32)
    """
    return multiply(as_float(x), hard_sigmoid(x))


hard_swish = hard_silu


@op(family=families.EACH_FLOAT, like=lambda x: np.clip(x, -1, 1), samples=_X)
def hard_tanh(x: TensorLike) -> Tensor:
    """`x` cut to `[-1, 1]`.

    Source: `keras.ops.hard_tanh`.

    Example:
        >>> pyml.ops.hard_tanh([-9., 0.5]).numpy()
        array([-1. ,  0.5], dtype=float32)
    """
    x = as_number(x)
    return within(x, 0 if x.dtype == "uint32" else -1, 1)


@op(like=lambda x, b=4: (x + np.sqrt(x * x + b)) / 2, samples=_X)
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x^2 + b)) / 2`. Source: Barron 2021.

    Args:
        x: Tensor of any shape.
        b: How smooth it is at 0.

    Returns:
        float32, in the shape of `x`.

    Example:
        >>> pyml.ops.squareplus([0., 1.5]).numpy()
        array([1., 2.], dtype=float32)
    """
    x = as_float(x)
    return (x + (square(x) + b) ** 0.5) * 0.5


@op(
    like=lambda x, axis=-1: np.split(x, 2, axis)[0] / (1 + np.exp(-np.split(x, 2, axis)[1])),
    samples=[sample(draw(2, 6)), sample(draw(4, 3), axis=0)],
)
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """The first half of `x` along `axis` times the sigmoid of the second: float32, half as large along `axis`.

    Args:
        x: Tensor of any shape.
        axis: The axis, of an even size.

    Returns:
        float32, in the shape of `x`, half as large along `axis`.

    Raises:
        ShapeError: The size of `axis` is odd.

    Source: Dauphin et al. 2016.

    Example:
        >>> pyml.ops.glu([1., 2., 0., 0.]).numpy()
        array([0.5, 1. ], dtype=float32)
    """
    first, second = split(x, 2, axis=axis)
    return first * sigmoid(second)
