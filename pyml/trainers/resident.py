"""Datasets in device memory: uploaded once, batches gathered there, so a step uploads nothing."""

import numpy as np

from pyml import config, ops
from pyml.compile.program import from_host
from pyml.core import Tensor, Variable, convert_to_tensor
from pyml.core.tree import flatten, map_structure
from pyml.graph import prims

LIMIT = 256 * 1024 * 1024                              # larger datasets are sent batch by batch


class Resident:
    """The arrays of a dataset as tensors, the order of their rows, and the place reached in it.

    Args:
        arrays: An Arrays whose `nbytes` is at most `LIMIT`.
    """

    def __init__(self, arrays):
        self.device = config.device()
        self.form = form_of(arrays)
        self.size = arrays.size
        self.tensors = map_structure(lambda a: None if a is None else convert_to_tensor(a), arrays.struct)
        self.orders = {}
        self.place = Variable(np.int32(0), dtype="int32", trainable=False, name="place")

    def fits(self, arrays):
        """True when `update` can bring `arrays` here: the same shapes and dtypes, on the same device."""
        return self.device is config.device() and self.form == form_of(arrays)

    def update(self, arrays):
        """Replaces the data by other arrays of the same form, in the same memory; programs stay valid."""
        flat = [leaf for leaf in flatten(self.tensors) if leaf is not None]
        for tensor, array in zip(flat, arrays.leaves(), strict=True):
            self._write(tensor, array)

    def _write(self, tensor, array):
        self.device.write(tensor._node.buffer, from_host(np.ascontiguousarray(array)))

    def shuffle(self, order, size):
        """Sets the order of the rows for passes in batches of `size`."""
        order = np.asarray(order, dtype="int32")
        full = len(order) // size * size
        parts = (order[:full].reshape(-1, size), order[full:])
        if size not in self.orders:
            self.orders[size] = tuple(convert_to_tensor(part) if part.size else None for part in parts)
            return
        for tensor, part in zip(self.orders[size], parts, strict=True):
            if tensor is not None:
                self._write(tensor, part)

    def batch(self, size, tail=False):
        """The next `size` rows of `(x, y, sample_weight)`; the place moves on. For use inside a program.

        `tail` gives the short batch at the end of a pass instead. Row numbers lie in one matrix row per batch, so
        finding them is a single gather.
        """
        full, rest = self.orders[size]
        if tail:
            rows = rest._node
        else:
            row = prims.gather(full._node, prims.reshape(self.place.value._node, (1,)))
            rows = prims.reshape(row, (size,))
            self.place.assign_add(1)
        return map_structure(lambda t: None if t is None else Tensor(prims.gather(t._node, rows)), self.tensors)

    def rewind(self):
        """Back to the first batch. For use inside a program."""
        self.place.assign(ops.cast(0, "int32"))


def form_of(arrays):
    """Shapes and dtypes of the arrays, and how they are nested."""
    return repr(map_structure(lambda a: None if a is None else (tuple(a.shape), a.dtype.str), arrays.struct))

