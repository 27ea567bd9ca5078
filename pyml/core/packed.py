"""`PackedVariable`: numbers of 8 bits, four of them in each word of the device's memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..dtypes import standardize
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.prims import packed  # noqa: F401  # loads with the first packed Variable
from ..graph.sizes import shape_of
from . import trace
from .tensor import Tensor, as_node, tensor_of
from .variable import NarrowVariable, Variable


class PackedVariable(NarrowVariable):
    """A Variable of int8 or uint8 that takes a quarter of the memory of others.

    Each row (what lies along the last axis) begins a word of its own, so that kernels find rows without counting bytes: a row
    takes up to three bytes more than it has numbers.

    Args:
        shape: Of the numbers, all 0 at first.
        dtype: `"int8"` or `"uint8"`.
        trainable: Kept for the signature of Variables; integers have no gradient.
        name: Default `variable_N`.

    Example:
        >>> v = pyml.core.packed.PackedVariable((2, 3))
        >>> v.assign([[1, -2, 3], [4, 5, -128]]).numpy().tolist(), v.words.shape
        ([[1, -2, 3], [4, 5, -128]], (2, 1))
    """

    def __init__(self, shape: Sequence[int], dtype: str = "int8", trainable: bool = False, name: str | None = None) -> None:
        self.shape = shape_of(shape, f"Variable {name!r}") or (1,)
        self._dtype, self._stored, self._narrow = dtype, standardize(dtype), dtype
        rows = prod(self.shape[:-1])
        self.words = Variable(np.zeros((rows, -(-self.shape[-1] // 4)), np.int32), trainable=False, name=name)
        self.name = self.path = self.words.name
        self.trainable = trainable
        self.autocast, self.aggregation, self.synchronization = False, "none", "auto"
        self._lent, self._pending = None, None

    @property
    def held(self) -> Variable:
        return self.words

    def words_node(self) -> Node:
        """The words, `(rows, ceil(numbers / 4))`, int32: what products read."""
        scope = trace.stateless_here()
        if scope is not None and (value := scope.get_current_value(self)) is not None:
            return prims.packed.packed(prims.reshape(as_node(value), (self.words.shape[0], self.shape[-1])))
        return self.words._value_node()

    def _node_now(self) -> Node:
        return self._value_node()

    def _value_node(self) -> Node:
        numbers = prims.packed.unpacked(self.words_node(), self.shape[-1], 8, self._dtype == "int8")
        return prims.reshape(numbers, self.shape)

    def settle(self) -> Any:
        return self.words.settle()

    def from_held(self, array: np.ndarray) -> np.ndarray:
        rows = np.ascontiguousarray(array).view(self._dtype)[:, : self.shape[-1]]
        return rows.reshape(self.shape)

    def numpy(self) -> np.ndarray:
        """The numbers as a numpy array; waits for the device."""
        return self.from_held(self.words.numpy())

    async def data(self) -> np.ndarray:
        return self.from_held(await self.words.data())

    def assign(self, value: Any) -> Variable:
        """Sets the numbers; what does not fit into 8 bits keeps its last 8. Returns the Variable."""
        shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
        if shape not in (self.shape, ()):
            raise ShapeError(f"Variable {self.name!r}: assigned shape {shape}, expected {self.shape}.")
        scope = trace.stateless_here()
        if isinstance(value, (Tensor, Variable, Node)) or scope is not None:
            node = prims.cast(prims.broadcast_to(as_node(value), self.shape), dtype="int32")
            if scope is not None:
                scope.add_update((self, tensor_of(self._storable(node), self._dtype)))
            else:
                self.words.assign(Tensor(prims.packed.packed(prims.reshape(node, (self.words.shape[0], self.shape[-1])))))
        else:
            numbers = np.broadcast_to(np.asarray(value), self.shape).reshape(-1, self.shape[-1]).astype(np.int64).astype(np.uint8)
            self.words.assign(np.pad(numbers, ((0, 0), (0, -self.shape[-1] % 4))).view(np.int32))
        return self


__all__ = ["PackedVariable"]
