"""Activation functions with Keras' names and arguments; each is a composition of ops."""

from pyml import ops
from pyml.objects.registry import ACTIVATIONS


@ACTIVATIONS.function()
def linear(x):
    """`x` itself."""
    return x


@ACTIVATIONS.function()
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """`max(x, 0)`, or its general form.

    Args:
        x: Tensor.
        negative_slope: Slope below `threshold`.
        max_value: Largest value, or None for no limit.
        threshold: Values up to it are damped.
    """
    if negative_slope == 0.0 and threshold == 0.0:
        if max_value is None:
            return ops.relu(x)
        return ops.clip(x, 0.0, max_value)
    upper = x if max_value is None else ops.minimum(x, max_value)
    return ops.where(x > threshold, upper, negative_slope * (x - threshold))


@ACTIVATIONS.function()
def leaky_relu(x, negative_slope=0.2):
    """`x` above 0, `negative_slope * x` below."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


@ACTIVATIONS.function()
def relu6(x):
    """`min(max(x, 0), 6)`."""
    return ops.relu6(x)


@ACTIVATIONS.function()
def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along `axis`: each slice sums to 1."""
    return ops.softmax(x, axis=axis)


@ACTIVATIONS.function()
def log_softmax(x, axis=-1):
    """The logarithm of `softmax`, without its loss of precision."""
    return ops.log_softmax(x, axis=axis)


@ACTIVATIONS.function()
def elu(x, alpha=1.0):
    """`x` above 0, `alpha * (exp(x) - 1)` below. Source: Clevert et al. 2015."""
    return ops.elu(x, alpha=alpha)


@ACTIVATIONS.function()
def selu(x):
    """`elu` scaled so that activations keep mean 0 and variance 1. Source: Klambauer et al. 2017."""
    return ops.selu(x)


@ACTIVATIONS.function()
def celu(x, alpha=1.0):
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))`. Source: Barron 2017."""
    return ops.celu(x, alpha=alpha)


@ACTIVATIONS.function()
def softplus(x):
    """`log(1 + exp(x))`."""
    return ops.softplus(x)


@ACTIVATIONS.function()
def softsign(x):
    """`x / (1 + |x|)`."""
    return ops.softsign(x)


@ACTIVATIONS.function()
def gelu(x, approximate=False):
    """`x * P(X <= x)` of a unit normal. Source: Hendrycks and Gimpel 2016.

    Args:
        x: Tensor.
        approximate: True uses the tanh formula, False the error function.
    """
    return ops.gelu(x, approximate=approximate)


@ACTIVATIONS.function("swish")
def silu(x):
    """`x * sigmoid(x)`. Source: Ramachandran et al. 2017."""
    return ops.silu(x)


@ACTIVATIONS.function()
def tanh(x):
    """The hyperbolic tangent."""
    return ops.tanh(x)


@ACTIVATIONS.function()
def sigmoid(x):
    """`1 / (1 + exp(-x))`."""
    return ops.sigmoid(x)


@ACTIVATIONS.function()
def exponential(x):
    """`exp(x)`."""
    return ops.exp(x)


@ACTIVATIONS.function()
def hard_sigmoid(x):
    """`x / 6 + 0.5` cut to `[0, 1]`."""
    return ops.hard_sigmoid(x)


@ACTIVATIONS.function("hard_swish")
def hard_silu(x):
    """`x * hard_sigmoid(x)`. Source: Howard et al. 2019."""
    return ops.hard_silu(x)


@ACTIVATIONS.function()
def hard_tanh(x):
    """`x` cut to `[-1, 1]`."""
    return ops.hard_tanh(x)


@ACTIVATIONS.function()
def log_sigmoid(x):
    """`log(sigmoid(x))`, stable for large negative `x`."""
    return ops.log_sigmoid(x)


@ACTIVATIONS.function()
def mish(x):
    """`x * tanh(softplus(x))`. Source: Misra 2019."""
    return x * ops.tanh(ops.softplus(x))


@ACTIVATIONS.function()
def glu(x, axis=-1):
    """The first half of `x` along `axis` times the sigmoid of the second. Source: Dauphin et al. 2016."""
    return ops.glu(x, axis=axis)


@ACTIVATIONS.function()
def hard_shrink(x, threshold=0.5):
    """0 where `|x| <= threshold`, else `x`."""
    return ops.hard_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`."""
    return ops.soft_shrink(x, threshold=threshold)


@ACTIVATIONS.function()
def tanh_shrink(x):
    """`x - tanh(x)`."""
    return ops.tanh_shrink(x)


@ACTIVATIONS.function()
def squareplus(x, b=4):
    """`(x + sqrt(x^2 + b)) / 2`. Source: Barron 2021."""
    return ops.squareplus(x, b=b)


@ACTIVATIONS.function()
def threshold(x, threshold, default_value):
    """`x` above `threshold`, else `default_value`."""
    return ops.threshold(x, threshold, default_value)


swish = silu
hard_swish = hard_silu
