"""Arithmetic, comparison, logic and activations, element by element."""

from __future__ import annotations

import numpy as np

from .rules import Function, Value, Xp, dtype_of, rule
from .topology import Node


def _call(name: str) -> Function:
    return lambda node, xp, *xs: getattr(xp, name)(*xs)


for _tf, _name in {
    "Abs": "absolute", "Neg": "negative", "Exp": "exp", "Log": "log", "Sqrt": "sqrt", "Sin": "sin", "Cos": "cos", "Tan": "tan",
    "Sinh": "sinh", "Cosh": "cosh", "Tanh": "tanh", "Atan": "arctan", "Floor": "floor", "Ceil": "ceil", "Round": "round",
    "Sign": "sign", "Square": "square", "Expm1": "expm1", "Log1p": "log1p", "Rsqrt": "rsqrt", "Sigmoid": "sigmoid", "Relu": "relu",
    "Erf": "erf", "LogicalNot": "logical_not", "IsNan": "isnan", "IsInf": "isinf", "IsFinite": "isfinite",
    "Add": "add", "AddV2": "add", "Sub": "subtract", "Mul": "multiply", "Maximum": "maximum", "Minimum": "minimum",
    "FloorMod": "mod", "LogicalAnd": "logical_and", "LogicalOr": "logical_or", "Equal": "equal", "NotEqual": "not_equal",
    "Less": "less", "LessEqual": "less_equal", "Greater": "greater", "GreaterEqual": "greater_equal", "Pow": "power",
    "BitwiseAnd": "bitwise_and",
    "Asin": "arcsin", "Acos": "arccos", "Atan2": "arctan2", "Asinh": "arcsinh", "Acosh": "arccosh", "Atanh": "arctanh",
}.items():  # fmt: skip
    rule(_tf)(_call(_name))


@rule("Identity", "StopGradient", "Snapshot", "PlaceholderWithDefault", "Print", "LoopCond", "EnsureShape")
def _identity(node: Node, xp: Xp, x: Value, *others: Value) -> Value:
    return x


@rule("IdentityN")
def _identity_n(node: Node, xp: Xp, *xs: Value) -> Value:
    return list(xs)


@rule("BiasAdd")
def bias_add(node: Node, xp: Xp, x: Value, bias: Value) -> Value:
    if node.attr("data_format", "NHWC") == "NCHW" and len(x.shape) > 2:
        bias = xp.reshape(bias, (-1, *(1,) * (len(x.shape) - 2)))
    return xp.add(x, bias)


@rule("AddN")
def _add_n(node: Node, xp: Xp, first: Value, *others: Value) -> Value:
    for x in others:
        first = xp.add(first, x)
    return first


@rule("RealDiv", "Div", "DivNoNan")
def _divide(node: Node, xp: Xp, a: Value, b: Value) -> Value:
    whole = dtype_of(a) == dtype_of(b) == "int32"
    if node.op == "DivNoNan":
        safe = xp.where(xp.equal(b, 0), xp.cast(xp.ones_like(b), dtype_of(b)), b)
        return xp.where(xp.equal(b, 0), 0.0, xp.divide(a, safe))
    return xp.floor_divide(a, b) if whole else xp.divide(a, b)


@rule("FloorDiv")
def _floor_divide(node: Node, xp: Xp, a: Value, b: Value) -> Value:
    return xp.floor_divide(a, b)


@rule("Mod")
def _truncated_mod(node: Node, xp: Xp, a: Value, b: Value) -> Value:
    y = xp.mod(xp.absolute(a), xp.absolute(b))
    return xp.where(xp.less(a, 0), xp.negative(y), y)


@rule("SquaredDifference")
def _squared_difference(node: Node, xp: Xp, a: Value, b: Value) -> Value:
    return xp.square(xp.subtract(a, b))


@rule("Reciprocal", "Inv")
def _reciprocal(node: Node, xp: Xp, x: Value) -> Value:
    return xp.divide(np.float32(1), x)


@rule("ClipByValue", static=(1, 2))
def _clip(node: Node, xp: Xp, x: Value, low: Value, high: Value) -> Value:
    return xp.minimum(xp.maximum(x, low), high)


@rule("Relu6")
def relu6(node: Node, xp: Xp, x: Value) -> Value:
    return xp.minimum(xp.relu(x), 6.0 if dtype_of(x) == "float32" else 6)


@rule("LeakyRelu")
def leaky_relu(node: Node, xp: Xp, x: Value) -> Value:
    slope = node.attr("alpha", 0.2)
    if 0 <= slope <= 1:
        return xp.maximum(x, xp.multiply(x, slope))
    return xp.where(xp.greater(x, 0.0), x, xp.multiply(x, slope))


@rule("Prelu")
def prelu(node: Node, xp: Xp, x: Value, alpha: Value) -> Value:
    return xp.add(xp.relu(x), xp.multiply(xp.minimum(x, 0.0), alpha))


@rule("Elu")
def elu(node: Node, xp: Xp, x: Value) -> Value:
    return xp.where(xp.greater(x, 0.0), x, xp.expm1(xp.minimum(x, 0.0)))


@rule("Selu")
def _selu(node: Node, xp: Xp, x: Value) -> Value:
    return xp.multiply(xp.where(xp.greater(x, 0.0), x, xp.multiply(xp.expm1(xp.minimum(x, 0.0)), 1.6732632423543772)), 1.0507009873554805)


@rule("Softplus")
def _softplus(node: Node, xp: Xp, x: Value) -> Value:
    return xp.add(xp.relu(x), xp.log1p(xp.exp(xp.negative(xp.absolute(x)))))


@rule("Softmax")
def _softmax(node: Node, xp: Xp, x: Value) -> Value:
    return xp.softmax(x, axis=-1)


@rule("LogSoftmax")
def _log_softmax(node: Node, xp: Xp, x: Value) -> Value:
    return xp.log_softmax(x, axis=-1)


@rule("Select", "SelectV2")
def _select(node: Node, xp: Xp, condition: Value, a: Value, b: Value) -> Value:
    if node.op == "Select" and len(condition.shape) == 1 and len(a.shape) > 1:
        condition = xp.reshape(condition, (condition.shape[0], *(1,) * (len(a.shape) - 1)))
    return xp.where(condition, a, b)


@rule("Cast")
def _cast(node: Node, xp: Xp, x: Value) -> Value:
    target = node.attr("DstT", "float32")
    return xp.cast(x, target) if dtype_of(x) != target else x


@rule("ZerosLike")
def _zeros_like(node: Node, xp: Xp, x: Value) -> Value:
    return xp.zeros_like(x)


@rule("OnesLike")
def _ones_like(node: Node, xp: Xp, x: Value) -> Value:
    return xp.ones_like(x)


@rule("FakeQuantWithMinMaxVars")
def _fake_quantize(node: Node, xp: Xp, x: Value, low: Value, high: Value) -> Value:
    return x  # it imitates rounding while training; TensorFlow.js passes values on too


ACTIVATIONS = {
    "Relu": lambda node, xp, x, alpha: xp.relu(x), "Relu6": lambda node, xp, x, alpha: relu6(node, xp, x),
    "Elu": lambda node, xp, x, alpha: elu(node, xp, x), "Sigmoid": lambda node, xp, x, alpha: xp.sigmoid(x),
    "Tanh": lambda node, xp, x, alpha: xp.tanh(x), "Prelu": lambda node, xp, x, alpha: prelu(node, xp, x, alpha),
    "LeakyRelu": lambda node, xp, x, alpha: xp.maximum(x, xp.multiply(x, node.attr("leakyrelu_alpha", 0.2))),
}  # fmt: skip
