"""Leaves: values that come from outside the graph, and constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import NUMPY, of_scalar
from ...errors import ShapeError, TraceError
from ..node import Node
from ..op import leaf

BUFFER = leaf("buffer", given=True)  # computed: the bytes are in node.buffer
INPUT = leaf("input", given=True)  # argument number `index` of a program being traced
STATE = leaf("state", given=True)  # the value a Variable holds when the program starts
# one number for every element
CONST = leaf("const", lambda shape, dtype, value: np.full(shape, value, NUMPY[dtype]), in_memory=False, constant=True)
# 0, 1, 2, …
IOTA = leaf("iota", lambda shape, dtype: np.arange(shape[0]).astype(NUMPY[dtype]), in_memory=False, counts=True)


def full(shape: Sequence[int], value: Any, dtype: str) -> Node:
    """A tensor of one value; costs no memory."""
    shape = tuple(shape)
    if shape and min(shape) < 0:
        raise ShapeError(f"a tensor of shape {shape} was asked for; sizes cannot be negative.")
    value = {"float32": float, "bool": bool}.get(dtype, int)(value)
    return Node(CONST, (), {"shape": shape, "dtype": dtype, "value": value}, shape, dtype)


def resized(node: Node, shape: Sequence[int]) -> Node:
    """The number of a `const` in another shape; it may be one that was lifted out of the kernels, whose value is not known here."""
    shape = tuple(shape)
    return Node(CONST, (), {**node.attrs, "shape": shape}, shape, node.dtype)


def const(value: Any, dtype: str | None = None) -> Node:
    """A scalar constant."""
    return full((), value, dtype or of_scalar(value))


def iota(n: int, dtype: str = "int32") -> Node:
    """`[0, 1, …, n - 1]`."""
    if n < 0:
        raise ShapeError(f"{n} numbers were asked for; a count cannot be negative.")
    return Node(IOTA, (), {"shape": (n,), "dtype": dtype}, (n,), dtype)


def ended_trace() -> TraceError:
    """What is wrong with an argument, or a state, of a trace that is not the one in progress."""
    return TraceError(
        "a tensor that was made while a program or a step of fit, evaluate or predict was traced is used after that, when it has no value. "
        "Return it, or keep it in a Variable with assign(); with compile(run_eagerly=True) the tensors of each step have values."
    )


def is_const(node: Node, value: Any = None) -> bool:
    return node.op is CONST and (value is None or node.attrs["value"] == value)
