"""Elementwise operations: Keras names and argument order; operands broadcast, Python numbers take the tensor's dtype."""

from __future__ import annotations

from ..core.tensor import Logits, Tensor, as_node, elementwise_nodes
from ..dtypes import standardize
from ..graph import prims


def _unary(prim, doc: str, to_float: bool = False):
    def op(x):
        node = as_node(x)
        if to_float:
            node = prims.cast(node, dtype="float32")
        return Tensor(prim(node))

    op.__doc__ = doc
    return op


def _binary(prim, doc: str, to_float: bool = False):
    def op(x1, x2):
        a, b = elementwise_nodes(x1, x2, what=prim.name if hasattr(prim, "name") else prim.__name__)
        if to_float:
            a, b = prims.cast(a, dtype="float32"), prims.cast(b, dtype="float32")
        return Tensor(prim(a, b))

    op.__doc__ = doc
    return op


def _number(prim):
    """Arithmetic on booleans is arithmetic on 0 and 1."""

    def apply(a, b):
        if a.dtype == "bool":
            a, b = prims.cast(a, dtype="int32"), prims.cast(b, dtype="int32")
        return prim(a, b)

    apply.__name__ = prim.__name__ if hasattr(prim, "__name__") else prim.name
    return apply


add = _binary(_number(prims.add), "x1 + x2, element by element.")
subtract = _binary(_number(prims.sub), "x1 - x2, element by element.")
multiply = _binary(_number(prims.mul), "x1 * x2, element by element.")
divide = _binary(prims.div, "x1 / x2 as floats, element by element.", to_float=True)
true_divide = divide
floor_divide = _binary(prims.floor_divide, "The floor of x1 / x2.")
mod = _binary(prims.mod, "The remainder of x1 / x2, with the sign of x2.")
power = _binary(prims.pow_, "x1 to the power of x2; a negative base needs a whole exponent, else NaN.")
maximum = _binary(_number(prims.maximum), "The larger of x1 and x2; a NaN in either wins.")
minimum = _binary(_number(prims.minimum), "The smaller of x1 and x2; a NaN in either wins.")
equal = _binary(prims.equal, "Where x1 == x2.")
not_equal = _binary(prims.not_equal, "Where x1 != x2.")
less = _binary(prims.less, "Where x1 < x2.")
less_equal = _binary(prims.less_equal, "Where x1 <= x2.")
greater = _binary(prims.greater, "Where x1 > x2.")
greater_equal = _binary(prims.greater_equal, "Where x1 >= x2.")
negative = _unary(prims.neg, "-x.")
absolute = _unary(prims.abs_, "|x|.")
abs = absolute
sign = _unary(prims.sign, "-1, 0 or 1 by the sign of x.")
square = _unary(prims.square, "x * x.")
sqrt = _unary(prims.sqrt, "The square root; NaN below 0.", to_float=True)
rsqrt = _unary(prims.rsqrt, "1 / sqrt(x).", to_float=True)
exp = _unary(prims.exp, "e to the power of x.", to_float=True)
expm1 = _unary(prims.expm1, "exp(x) - 1, accurate near 0.", to_float=True)
log = _unary(prims.log, "The natural logarithm.", to_float=True)
log1p = _unary(prims.log1p, "log(1 + x), accurate near 0.", to_float=True)
sin = _unary(prims.sin, "The sine of x in radians.", to_float=True)
cos = _unary(prims.cos, "The cosine of x in radians.", to_float=True)
tanh = _unary(prims.tanh, "The hyperbolic tangent.", to_float=True)
arctan = _unary(prims.atan, "The inverse tangent in radians.", to_float=True)
erf = _unary(prims.erf, "The error function.", to_float=True)
floor = _unary(prims.floor, "The largest integer not above x.", to_float=True)
ceil = _unary(prims.ceil, "The smallest integer not below x.", to_float=True)
round = _unary(prims.round_, "The nearest integer, halves to even.", to_float=True)
trunc = _unary(prims.trunc, "x without its fraction.", to_float=True)
isnan = _unary(prims.isnan, "Where x is NaN.", to_float=True)
isinf = _unary(prims.isinf, "Where x is infinite.", to_float=True)
isfinite = _unary(prims.isfinite, "Where x is neither NaN nor infinite.", to_float=True)


def sigmoid(x):
    """`1 / (1 + exp(-x))`."""
    node = prims.cast(as_node(x), dtype="float32")
    y = Tensor(prims.sigmoid(node))
    y._keras_logits = Logits(node, None)
    return y


def tan(x):
    """The tangent of x in radians."""
    return divide(sin(x), cos(x))


def reciprocal(x):
    """1 / x."""
    return divide(1.0, x)


def log2(x):
    """The logarithm to base 2."""
    return multiply(log(x), 1.4426950408889634)


def log10(x):
    """The logarithm to base 10."""
    return multiply(log(x), 0.4342944819032518)


def sinh(x):
    """The hyperbolic sine, (exp(x) - exp(-x)) / 2."""
    return multiply(subtract(expm1(x), expm1(negative(x))), 0.5)


def cosh(x):
    """The hyperbolic cosine, (exp(x) + exp(-x)) / 2."""
    return multiply(add(exp(x), exp(negative(x))), 0.5)


def clip(x, x_min, x_max):
    """x limited to x_min … x_max; NaN stays NaN."""
    return minimum(maximum(x, x_min), x_max)


def logaddexp(x1, x2):
    """log(exp(x1) + exp(x2)) without overflow."""
    return add(maximum(x1, x2), log1p(exp(negative(abs(subtract(x1, x2))))))


def where(condition, x1=None, x2=None):
    """x1 where `condition` holds, else x2; all three broadcast."""
    if x1 is None or x2 is None:
        raise ValueError("where: give both x1 and x2; the form that returns positions has no fixed shape.")
    from ..core.tensor import broadcast_shapes

    c = prims.cast(as_node(condition), dtype="bool")
    a, b = elementwise_nodes(x1, x2, what="where")
    shape = broadcast_shapes(c.shape, a.shape, what="where")
    return Tensor(prims.where(*(prims.broadcast_to(n, shape) for n in (c, a, b))))


def _logical(prim, doc):
    def op(x1, x2):
        return Tensor(prim(*elementwise_nodes(x1, x2, dtype="bool", what=prim.name)))

    op.__doc__ = doc
    return op


logical_and = _logical(prims.logical_and, "Where both x1 and x2 hold.")
logical_or = _logical(prims.logical_or, "Where x1 or x2 holds.")
logical_xor = _logical(prims.not_equal, "Where exactly one of x1 and x2 holds.")
bitwise_and = _binary(prims.bitwise_and, "Bitwise x1 & x2 of integers.")
bitwise_or = _binary(prims.bitwise_or, "Bitwise x1 | x2 of integers.")
bitwise_xor = _binary(prims.bitwise_xor, "Bitwise x1 ^ x2 of integers.")
left_shift = _binary(prims.left_shift, "x1 << x2 of integers.")
right_shift = _binary(prims.right_shift, "x1 >> x2 of integers.")


def logical_not(x):
    """Where x does not hold."""
    return Tensor(prims.logical_not(prims.cast(as_node(x), dtype="bool")))


def cast(x, dtype):
    """x converted to `dtype`; floats to integers drop the fraction."""
    return Tensor(prims.cast(as_node(x), dtype=standardize(dtype)))


def stop_gradient(variable):
    """The same value with a gradient of zero."""
    return Tensor(prims.stop_gradient(as_node(variable)))
