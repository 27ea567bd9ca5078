"""numpy's functions called on tensors: they read the values and answer with numpy arrays, as numpy does everywhere.

Operators between arrays and tensors are the tensors' own: `array + tensor` is a tensor, and so is `np.add(array, tensor)`,
which numpy does not tell from it. While a program is traced or a function differentiated, numpy would take values that are
not there yet, or lose the gradient; the error names the op to call instead. Under a `GradientTape` by itself they are there, and
what numpy makes of them is a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import TraceError
from . import trace
from .installed import INSTALLED

# numpy's functions behind Python's operators of two operands
_OPERATORS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.divide: "truediv", np.floor_divide: "floordiv", np.remainder: "mod",
    np.power: "pow", np.matmul: "matmul", np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor",
    np.left_shift: "lshift", np.right_shift: "rshift", np.equal: "eq", np.not_equal: "ne", np.less: "lt", np.less_equal: "le",
    np.greater: "gt", np.greater_equal: "ge",
}  # fmt: skip
# What is known without the values.
_ATTRIBUTES: dict[Any, str] = {np.shape: "shape", np.ndim: "ndim"}


class NumpyFunctions:
    """The protocols by which numpy calls tensors."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and ufunc in _OPERATORS and not kwargs:
            return INSTALLED[_OPERATORS[ufunc]](*inputs)
        refuse_numpy(ufunc.__name__)
        return getattr(ufunc, method)(*on_host(inputs), **on_host(kwargs))

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        if func in _ATTRIBUTES and len(args) == 1 and not kwargs:
            return getattr(args[0], _ATTRIBUTES[func])
        refuse_numpy(func.__name__)
        return func(*on_host(args), **on_host(kwargs))


def on_host(value: Any) -> Any:
    """The tensors in lists, tuples and dicts as numpy arrays."""
    if isinstance(value, NumpyFunctions):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        found = [on_host(v) for v in value]
        return type(value)(*found) if hasattr(value, "_fields") else type(value)(found)
    if isinstance(value, dict):
        return {k: on_host(v) for k, v in value.items()}
    return value


def refuse_numpy(name: str) -> None:
    """numpy is no part of programs and gradients. What a GradientTape watches outside of them has values, which numpy may read."""
    differentiated = trace.gradient_depth() > len(trace.tapes())
    where = "a program that is being traced" if trace.current() is not None else "a gradient" if differentiated else ""
    if where:
        op = INSTALLED["op_named"](name)
        what = f"use pyml.ops.{op} instead" if op else "read the value with .numpy() outside, or compose it of pyml.ops"
        raise TraceError(f"np.{name} was called on a tensor inside {where}, which numpy cannot be part of; {what}.")
