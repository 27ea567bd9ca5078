"""The table of graph operators: name -> what computes it. Each module `ops_*.py` adds its rows.

A rule's function is called as `fn(node, xp, *inputs)`; `xp` is `pyml.ops` for values on the device, and `HOST` for
numpy arrays: shapes, indices, whatever is known before the device runs. Both have numpy's names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ...core.tensor import Tensor
from ...graph.prims import erf as _erf
from ..files import ModelFileError

Value: TypeAlias = Any  # a Tensor, an array, a TensorList or DEAD; several outputs are a list of them
Turns: TypeAlias = Generator[Any, Any, Value]  # control flow asks its executor on the way
Function: TypeAlias = Callable[..., Value | Turns]
F = TypeVar("F", bound=Function)


class Dead:
    """The value of a branch that was not taken."""

    def __repr__(self) -> str:
        return "DEAD"


DEAD = Dead()


@dataclass(frozen=True)
class Rule:
    """How an operator runs.

    `static` are the inputs that must be known on the host (negative ones count from the end); `shape_only` reads no
    values; `device` has no numpy form; `host` never runs on the device, and of its inputs `keep` are not read (they may
    stay on the device); `pure` ones among these give the same for the same values, so constants are computed once;
    `dead` takes dead inputs.
    """

    fn: Function
    static: tuple[int, ...] = ()
    shape_only: bool = False
    device: bool = False
    host: bool = False
    keep: tuple[int, ...] | str = ()
    dead: bool = False
    pure: bool = False


RULES: dict[str, Rule] = {}


def rule(*names: str, **options: Any) -> Callable[[F], F]:
    """Decorator: makes a function the rule of these operators."""

    def add(fn: F) -> F:
        for name in names:
            RULES[name] = Rule(fn, **options)
        return fn

    return add


class HostOps:
    """numpy under the names of `pyml.ops`."""

    relu = staticmethod(lambda x: np.maximum(x, 0))
    sigmoid = staticmethod(lambda x: 1 / (1 + np.exp(-x)))
    rsqrt = staticmethod(lambda x: 1 / np.sqrt(x))
    round = staticmethod(np.rint)
    erf = staticmethod(_erf.numpy)

    @staticmethod
    def cast(x: Value, dtype: str) -> np.ndarray:
        return np.asarray(x).astype(dtype)

    @staticmethod
    def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
        e = np.exp(x - np.max(x, axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    @staticmethod
    def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
        x = x - np.max(x, axis, keepdims=True)
        return x - np.log(np.exp(x).sum(axis, keepdims=True))

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


HOST = HostOps()
Xp: TypeAlias = ModuleType | HostOps  # `pyml.ops` or `HOST`


def ints(value: Value) -> list[int]:
    """A small array as a list of Python integers."""
    return [int(v) for v in np.asarray(value).reshape(-1)]


def number(value: Value) -> Any:
    """The only element of an array, as a Python number."""
    return np.asarray(value).reshape(-1)[0].item()


def dtype_of(x: Value) -> str:
    """The dtype's name of a Tensor or an array."""
    return x.dtype if isinstance(x, Tensor) else np.asarray(x).dtype.name


def check_count(shape: Sequence[Any], what: str) -> tuple[int, ...]:
    """`shape` as a tuple, if an array of that shape is not absurd.

    Raises:
        ModelFileError: A size is negative, or there are too many elements.
    """
    shape = tuple(int(n) for n in shape)
    count = 1
    for n in shape:
        if n < 0:
            raise ModelFileError(f"{what}: shape {shape} has a negative size.")
        count *= n
    if count > 1 << 29:
        raise ModelFileError(f"{what}: shape {shape} has {count:,} elements; that cannot be right.")
    return shape


def check_window(window: Sequence[Any], padded: Sequence[Any], what: str) -> None:
    """Windows over images or volumes that are not absurd.

    Args:
        window: Its sizes.
        padded: The sizes that it moves over, with what is padded.

    Raises:
        ModelFileError: They are.
    """
    check_count(padded, f"{what}, padded")
    if min(window) < 1 or math.prod(int(n) for n in window) > 1 << 20:
        raise ModelFileError(f"{what}: a window of {tuple(int(n) for n in window)} cannot be right.")


def finish(value: Value) -> Value:
    """A host result in the dtypes of tensors."""
    if isinstance(value, (list, tuple)):
        return [finish(v) for v in value]
    if isinstance(value, (Tensor, Dead)) or not isinstance(value, (np.ndarray, np.generic, int, float, bool)):
        return value
    array = np.asarray(value)
    kind = array.dtype.kind
    if kind == "f":
        return array.astype(np.float32, copy=False)
    if kind in "iu" and array.dtype != np.int32:
        return np.clip(array, -(2**31), 2**31 - 1).astype(np.int32)
    return array


_BUILT_IN: dict[str, Rule | None] = {}


def register_op(name: str, function: Callable[..., Any]) -> None:
    """Makes graph-models know an operator of your own, or compute a known one in another way; for models loaded from now on.

    Args:
        name: The operator's name in the graph.
        function: Called as `function(node, *inputs)` with tensors on the device while a Program is traced;
            `node.attr(name, default)` gives an attribute. It returns a tensor, or a list of them.

    Raises:
        TypeError: `function` cannot be called, or `name` is not a string.

    Source: TensorFlow.js `tf.registerOp`.

    Example:
        >>> pyml.saving.register_op("Swish", lambda node, x: x * pyml.ops.sigmoid(x))
        >>> pyml.saving.deregister_op("Swish")
    """
    if not isinstance(name, str) or not callable(function):
        raise TypeError(f"register_op: expected a name and a function. Received: {name!r}, {function!r}")
    _BUILT_IN.setdefault(name, RULES.get(name))
    RULES[name] = Rule(lambda node, xp, *inputs: function(node, *inputs), device=True)


def deregister_op(name: str) -> None:
    """Forgets what `register_op` was given; a built-in operator is itself again.

    Raises:
        ValueError: Nothing was registered under the name.

    Source: TensorFlow.js `tf.deregisterOp`.

    Example:
        >>> pyml.saving.register_op("Swish", lambda node, x: x * pyml.ops.sigmoid(x))
        >>> pyml.saving.deregister_op("Swish")
    """
    if name not in _BUILT_IN:
        raise ValueError(f"deregister_op: no operator {name!r} was registered.")
    before = _BUILT_IN.pop(name)
    if before is None:
        del RULES[name]
    else:
        RULES[name] = before
