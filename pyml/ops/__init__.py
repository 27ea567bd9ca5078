"""Keras ops: plain functions of tensors, composed of the primitives, so they all differentiate.

Each takes Tensors, Variables, numpy arrays, numbers, and symbolic KerasTensors (which records the call in a model).
"""

from __future__ import annotations

import builtins
import functools
import types

from ..core.tensor import Tensor, convert_to_tensor
from ..core.variable import Variable
from . import contraction, indexing, linalg, math, nn, reduce, resizing, signal
from . import shape as _shape_ops

_HELPERS = {"standardize_axis", "abs_finite", "prims_bool"}


def _symbolic(fn):
    """Calls `fn`, or records the call when an argument is a KerasTensor."""

    @functools.wraps(fn)
    def op(*args, **kwargs):
        for a in args:
            if getattr(a, "_is_symbolic", False) or (
                type(a) in (list, tuple) and builtins.any(getattr(v, "_is_symbolic", False) for v in a)
            ):
                from ..core.symbolic import record_function

                return record_function(op, fn, args, kwargs)
        return fn(*args, **kwargs)

    return op


def _collect():
    wrapped: dict = {}
    for module in (math, reduce, _shape_ops, linalg, contraction, nn, signal):
        for name, fn in vars(module).items():
            public = isinstance(fn, types.FunctionType) and not name.startswith("_") and name not in _HELPERS
            if public and fn.__module__.startswith("pyml.ops") and name not in wrapped:
                if fn.__name__ == "op":
                    fn.__name__ = fn.__qualname__ = name
                wrapped[name] = _symbolic(fn)
    return wrapped


globals().update(_collect())
image = types.SimpleNamespace(resize=_symbolic(resizing.resize))
__all__ = [*sorted(_collect()), "convert_to_tensor", "image"]


def convert_to_numpy(x):
    """x as a numpy array."""
    return convert_to_tensor(x).numpy()


def _install_operators():
    """Arithmetic, comparison and a few methods of Tensor and Variable."""
    g = globals()
    table = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
             "mod": "mod", "pow": "power", "matmul": "matmul", "and": "logical_and", "or": "logical_or",
             "xor": "logical_xor"}  # fmt: skip
    compare = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
    for cls in (Tensor, Variable):
        for dunder, name in table.items():
            fn = g[name]
            setattr(cls, f"__{dunder}__", lambda self, other, fn=fn: fn(self, other))
            setattr(cls, f"__r{dunder}__", lambda self, other, fn=fn: fn(other, self))
        for dunder, name in compare.items():
            setattr(cls, f"__{dunder}__", lambda self, other, fn=g[name]: fn(self, other))
        cls.__neg__ = lambda self: g["negative"](self)
        cls.__abs__ = lambda self: g["absolute"](self)
        cls.__invert__ = lambda self: g["logical_not"](self)
        for name in ("sum", "mean", "max", "min", "argmax"):
            fn = g[name]
            setattr(cls, name, lambda self, axis=None, keepdims=False, fn=fn: fn(self, axis=axis, keepdims=keepdims))
        cls.__hash__ = lambda self: id(self)  # type: ignore[method-assign]


_install_operators()
