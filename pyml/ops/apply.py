"""Primitives applied element by element: operands broadcast, Python numbers take the dtype of the tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.tensor import Tensor, as_node, elementwise_nodes
from ..graph import prims
from ..graph.node import Node

Primitive = Callable[..., Node]


def unary(prim: Primitive, x: Any) -> Tensor:
    """`prim` of x in its own dtype."""
    return Tensor(prim(as_node(x)))


def floating(prim: Primitive, x: Any) -> Tensor:
    """`prim` of x as float32."""
    return Tensor(prim(prims.cast(as_node(x), dtype="float32")))


def binary(prim: Primitive, x1: Any, x2: Any, what: str) -> Tensor:
    """`prim` of two operands brought to one shape and dtype."""
    a, b = elementwise_nodes(x1, x2, what=what)
    return Tensor(prim(a, b))


def arithmetic(prim: Primitive, x1: Any, x2: Any, what: str) -> Tensor:
    """`binary`, where booleans count as 0 and 1, and the result of two of them is whether it is not 0."""
    a, b = elementwise_nodes(x1, x2, what=what)
    if a.dtype == "bool":
        return Tensor(prims.cast(prim(prims.cast(a, dtype="int32"), prims.cast(b, dtype="int32")), dtype="bool"))
    return Tensor(prim(a, b))


def as_float(x: Any) -> Tensor:
    """x as a float32 tensor."""
    return Tensor(prims.cast(as_node(x), dtype="float32"))
