"""Datasets in device memory: uploaded once, batches gathered there, so a step uploads nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import config, ops
from pyml.core import Tensor, Variable, convert_to_tensor
from pyml.core.transfer import overwrite, take_rows
from pyml.core.tree import flatten, map_structure
from pyml.trainers.data import Arrays

LIMIT = 256 * 1024 * 1024  # larger datasets are sent batch by batch
KEPT = 64 * 1024 * 1024  # datasets up to this size stay on the device for the next call


class Resident:
    """The arrays of a dataset as tensors, the order of their rows, and the place reached in it.

    Args:
        arrays: Their `nbytes` is at most `LIMIT`.
    """

    def __init__(self, arrays: Arrays):
        self.device = config.device()
        self.form = form_of(arrays)
        self.size = arrays.size
        self.tensors = map_structure(lambda a: None if a is None else convert_to_tensor(a), arrays.struct)
        self.orders: dict[int, tuple[Tensor | None, Tensor | None]] = {}  # batch size -> rows of whole batches, of the rest
        self.place = Variable(np.int32(0), dtype="int32", trainable=False, name="place")

    def flat(self) -> list[Tensor]:
        """All tensors."""
        return [leaf for leaf in flatten(self.tensors) if leaf is not None]

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return sum(4 * tensor.size for tensor in self.flat())

    def fits(self, arrays: Arrays) -> bool:
        """True when `update` can bring `arrays` here: the same shapes and dtypes, on the same device."""
        return self.device is config.device() and self.form == form_of(arrays)

    def update(self, arrays: Arrays) -> None:
        """Replaces the data by other arrays of the same form, in the same memory; programs stay valid."""
        for tensor, array in zip(self.flat(), arrays.leaves(), strict=True):
            overwrite(tensor, array)

    def shuffle(self, order: np.ndarray, size: int) -> None:
        """Sets the order of the rows for passes in batches of `size`."""
        order = np.asarray(order, dtype="int32")
        full = len(order) // size * size
        parts = (order[:full].reshape(-1, size), order[full:])
        if size not in self.orders:
            whole, rest = (convert_to_tensor(part) if part.size else None for part in parts)
            self.orders[size] = (whole, rest)
            return
        for tensor, part in zip(self.orders[size], parts, strict=True):
            if tensor is not None:
                overwrite(tensor, part)

    def batch(self, size: int, tail: bool = False) -> Any:
        """The next `size` rows of `(x, y, sample_weight)`; the place moves on. For use inside a program.

        `tail` gives the short batch at the end of a pass instead. Row numbers lie in one matrix row per batch, so
        finding them is a single gather.
        """
        full, rest = self.orders[size]
        rows = rest
        if not tail:
            assert full is not None
            rows = ops.reshape(take_rows(full, ops.reshape(self.place.value, (1,))), (size,))
            self.place.assign_add(1)
        assert rows is not None
        return map_structure(lambda t: None if t is None else take_rows(t, rows), self.tensors)

    def rewind(self) -> None:
        """Back to the first batch. For use inside a program."""
        self.place.assign(ops.cast(0, "int32"))


def form_of(arrays: Arrays) -> str:
    """Shapes and dtypes of the arrays, and how they are nested."""
    return repr(map_structure(lambda a: None if a is None else (tuple(a.shape), a.dtype.str), arrays.struct))
