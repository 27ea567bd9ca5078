"""Functions of TensorFlow between the layers of a model that Keras 2 wrote (`TFOpLambda`), as the ops of Keras 3 that they are."""

from __future__ import annotations

from typing import Any

from ..files import ModelFileError
from ..keras.ops import known
from .calls import flat_name, read_call

CLASSES = ("TFOpLambda", "SlicingOpLambda")
_TWO = {
    "math.add": "add", "math.subtract": "subtract", "math.multiply": "multiply", "math.divide": "true_divide",
    "math.truediv": "true_divide", "math.floordiv": "floor_divide", "math.floormod": "mod", "math.pow": "power",
    "math.maximum": "maximum", "math.minimum": "minimum",
    "math.greater": "greater", "math.greater_equal": "greater_equal", "math.less": "less", "math.less_equal": "less_equal",
    "math.equal": "equal", "math.not_equal": "not_equal", "linalg.matmul": "matmul",
    "__operators__.add": "add", "__operators__.sub": "subtract", "__operators__.mul": "multiply", "__operators__.truediv": "true_divide",
    "__operators__.pow": "power", "__operators__.ne": "not_equal", "__operators__.eq": "equal",
}  # fmt: skip
_ONE = {
    "math.abs": "absolute", "math.negative": "negative", "math.exp": "exp", "math.log": "log", "math.log1p": "log1p", "math.sqrt": "sqrt",
    "math.rsqrt": "rsqrt", "math.square": "square", "math.sin": "sin", "math.cos": "cos", "math.tanh": "tanh", "math.sign": "sign",
    "math.sigmoid": "sigmoid", "math.softplus": "softplus", "nn.relu": "relu", "nn.sigmoid": "sigmoid", "nn.tanh": "tanh",
    "nn.softmax": "softmax", "nn.gelu": "gelu", "nn.silu": "silu", "nn.elu": "elu", "nn.softplus": "softplus", "math.reduce_sum": "sum",
    "math.reduce_mean": "mean", "math.reduce_max": "max", "math.reduce_min": "min", "math.reduce_prod": "prod", "math.reduce_std": "std",
    "math.reduce_variance": "var", "math.argmax": "argmax", "reshape": "reshape", "expand_dims": "expand_dims", "squeeze": "squeeze",
    "transpose": "transpose", "cast": "cast", "clip_by_value": "clip", "concat": "concatenate", "stack": "stack",
    "compat.v1.squeeze": "squeeze", "compat.v1.transpose": "transpose",
}  # fmt: skip
# how TensorFlow calls an argument, and Keras 3
_OPTIONS = {"axis": "axis", "keepdims": "keepdims", "shape": "newshape", "perm": "axes", "dtype": "dtype", "clip_value_min": "x_min",
            "clip_value_max": "x_max", "approximate": "approximate"}  # fmt: skip
_SECOND = ("y", "b")


def read(raw: dict[str, Any], where: object) -> dict[str, Any]:
    """The op of a layer's config, with its name and calls.

    Raises:
        ModelFileError: The function, or one of its arguments, has no counterpart.
    """
    config = raw["config"]
    name, function = flat_name(raw.get("name") or config.get("name")), str(config.get("function"))
    called = f"{where}: {str(name)[:80]!r} is the function tf.{function[:80]} between layers, which cannot be opened; put it into a layer."
    ours = "get_item" if raw["class_name"] == "SlicingOpLambda" else _TWO.get(function) or _ONE.get(function)
    if not ours:
        raise ModelFileError(called)
    options: dict[str, Any] = {}
    calls = []
    for number, call in enumerate(raw.get("inbound_nodes") or []):
        args, given = _arguments(call, raw["class_name"], where)
        if ours == "get_item":
            args.append(_key(given.pop("slice_spec", None), called))
        elif function in _TWO:
            args.append(next((given.pop(second) for second in _SECOND if second in given), None))
        given = {key: value for key, value in given.items() if key not in ("name", "conjugate") and value is not False}
        if (number and given != options) or not set(given) <= set(_OPTIONS) or not all(map(_is_plain, given.values())):
            raise ModelFileError(called)
        options = given
        calls.append({"args": args, "kwargs": {}})
    op = known()[ours]
    own = {"name": name} | {_OPTIONS[key]: value for key, value in options.items()}
    return {"module": op.module, "class_name": op.cls, "registered_name": op.cls, "config": own, "name": name, "inbound_nodes": calls}


def _arguments(call: Any, kind: str, where: object) -> tuple[list[Any], dict[str, Any]]:
    """The first argument, in a list, and the others; a number in the first place is written as the output of no layer."""
    if isinstance(call, list) and len(call) == 4 and call[0] == "_CONSTANT_VALUE" and _is_plain(call[2]) and isinstance(call[3], dict):
        return [call[2]], read_call(["", 0, 0, call[3]], kind, where)["kwargs"]
    read = read_call(call, kind, where)
    return read["args"], read["kwargs"]


def _is_plain(value: Any) -> bool:
    """Whether a value is a number, a text, or nested lists of them."""
    return all(map(_is_plain, value)) if isinstance(value, list) else isinstance(value, (bool, int, float, str))


def _key(spec: Any, called: str) -> list[Any]:
    """What a tensor is indexed with."""
    parts = spec if isinstance(spec, list) else [spec]
    rest, whole = {"class_name": "__ellipsis__", "config": {}}, {"start": None, "stop": None, "step": None}
    if not all(part is None or type(part) is int or part == rest or (isinstance(part, dict) and set(part) <= set(whole)) for part in parts):
        raise ModelFileError(called)
    return [{"class_name": "__slice__", "config": whole | part} if isinstance(part, dict) and part != rest else part for part in parts]
