"""Draws by rejection that a program can replay: all tries are made at once, and the first that fits is made again."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

from pyml import ops
from pyml.core.tensor import Tensor
from pyml.graph import prims

if TYPE_CHECKING:
    from pyml.graph.node import Node


def first_fit(count: int, shape: tuple[int, ...], try_: Callable[[Node], tuple[Tensor, Tensor]], otherwise: Any) -> Tensor:
    """Of `count` tries for each element of a shape the value of the first that fits, or `otherwise`.

    `try_` makes of the numbers of tries, by which it draws, whether each fits, and its value. What is kept of a try is its number:
    no kernel stores values of tries to choose among, and one that reduces and draws is all.
    """
    n = prod(shape)
    fits, _ = try_(prims.reshape(prims.iota(count * n, "uint32"), (count, *shape)))
    turn = ops.reshape(ops.arange(count, dtype="int32"), (count,) + (1,) * len(shape))
    first = ops.min(ops.where(fits, turn, count), axis=0)
    again = prims.add(prims.cast(first._node, dtype="uint32") * n, prims.reshape(prims.iota(n, "uint32"), shape))
    return ops.where(first < count, try_(again)[1], otherwise)
