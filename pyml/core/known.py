"""Integers that the host has, or will have: whether they are in range is asked there, and nothing is read from a device.

`put` says of a leaf which array its values come from, or that somebody takes notes; `foreseen` looks for either behind the casts
and views that a value was made by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..graph.node import Node

if TYPE_CHECKING:
    from .tensor import Tensor

Where = Callable[[], str] | None
Told = Callable[[Any, Any, str], str]  # the error for indices from one number to another, and words that say where these are


class Bound:
    """That values of a leaf are indices of something of `size` rows, after the casts and views in `way`."""

    def __init__(self, way: Sequence[Node], size: int, told: Told):
        self.way, self.size, self.told = tuple((node.op.numpy, node.attrs) for node in way), size, told

    def check(self, array: np.ndarray, rows: int | None = None, where: Where = None) -> None:
        """Looks at all of an array, of which so many rows make a batch.

        Raises:
            IndexError: One is below `-size`, or not below `size`.
        """
        if not self.way or rows is None:
            self._check(array, where)
            return
        for first in range(0, len(array), rows):  # a view is of a batch
            batch = array[first : first + rows]
            self._check(batch if len(batch) == rows else np.resize(batch, (rows, *array.shape[1:])), where)

    def _check(self, array: np.ndarray, where: Where) -> None:
        for function, attrs in self.way:
            array = function(array, **attrs)
        in_range(array, self.size, self.told, where)


def in_range(array: Any, size: int, told: Told, where: Where = None) -> None:
    """Raises IndexError where a number is below `-size` or not below `size`."""
    if not np.size(array):
        return
    if isinstance(array, np.ndarray) and array.dtype.char == "i" and np.maximum.reduce(array.view(np.uint32), axis=None) < size:
        return  # one pass: as unsigned numbers the negative ones are huge
    low, high = np.min(array), np.max(array)
    if low <= -size - 1 or high >= size:
        raise IndexError(told(low, high, where() if where else ""))


_known: WeakKeyDictionary[Node, np.ndarray | list[Bound]] = WeakKeyDictionary()


def put(node: Node, array: np.ndarray | list[Bound]) -> None:
    """The values of a leaf are these, or a list is to hold what is found out about them."""
    _known[node] = array


def watch(tensor: Tensor, bounds: list[Bound]) -> None:
    """Puts into `bounds` what a tensor of input is used as an index for."""
    put(tensor._node, bounds)


def foreseen(node: Node, size: int, told: Told) -> None:
    """Indices into something of so many rows: checked where the host knows them, noted where somebody takes notes.

    Raises:
        IndexError: One is out of range.
    """
    if not _known:
        return
    way = []
    while (there := _known.get(node)) is None:
        if len(node.src) != 1 or not (node.op.is_view or node.op.name == "cast"):
            return
        if node.op.is_view or node.dtype not in ("int32", "float32"):
            way.append(node)
        node = node.src[0]
    bound = Bound(way[::-1], size, told)
    if isinstance(there, list):
        if bound.way or all(other.way or other.size > size for other in there):  # `take` asks after an Embedding did
            there.append(bound)
    else:
        bound.check(there)
