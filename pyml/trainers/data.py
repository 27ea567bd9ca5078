"""Samples in host memory, as `fit`, `evaluate` and `predict` accept them, in one form: flat arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyml.core import Tensor, Variable
from pyml.core.tree import flatten, map_structure
from pyml.dtypes import host_array, is_sparse
from pyml.errors import DtypeError, ShapeError
from pyml.trainers.columns import numbers_of
from pyml.trainers.labels import class_weights
from pyml.trainers.sparse_rows import SparseRows, rows_of

_PLAIN = (np.dtype(np.float32), np.dtype(np.int32))


def _sizes(lengths: list[int]) -> str:
    same = len(lengths) > 2 and len(set(lengths)) == 1
    return f"{lengths[0]} in each of {len(lengths)}" if same else ", ".join(map(str, lengths))


class Arrays:
    """Samples in host memory: `x`, `y` and `sample_weight` of equal length, each nested or None.

    Args:
        x, y, sample_weight: Arrays, tensors or numbers in lists; nested in lists or dicts for several inputs.
        what: Names the caller in errors.
        uneven: The lengths may differ: a batch, of which a loss or a step of the user's may make what it likes.

    Raises:
        ShapeError: The lengths differ, or there are no samples.
        TypeError: Something holds no numbers.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, what: str = "fit", uneven: bool = False):
        if x is None:
            raise ValueError(f"{what}: no data was given; pass x=, an array (samples, ...).")
        self.x = as_arrays(x, "x", what)
        self.y = None if y is None else as_arrays(y, "y", what)
        self.sample_weight = None if sample_weight is None else as_arrays(sample_weight, "sample_weight", what)
        sizes = [leaf.shape[0] for leaf in self.leaves() if leaf is not None]
        if not sizes:
            raise ShapeError(f"{what}: x holds no arrays. Received: x={x!r}")
        self.size: int = sizes[0]
        if not uneven and sizes.count(self.size) != len(sizes):
            own = {name: [leaf.shape[0] for leaf in flatten(part) if leaf is not None] for name, part in self.parts().items()}
            said = ", ".join(f"{name}: {_sizes(lengths)}" for name, lengths in own.items())
            rows = next((name for name, lengths in own.items() if len(lengths) > 1 and len(lengths) in sizes), None)
            hint = f" A list of arrays is one array for each input; for one of all samples pass np.stack({rows})." if rows else ""
            raise ShapeError(f"{what}: all arrays must hold the same number of samples. Received sizes {said}.{hint}")
        if self.size == 0:
            shapes = ", ".join(str(leaf.shape) for leaf in self.leaves() if leaf is not None)
            raise ShapeError(f"{what}: the data holds no samples. Received shapes {shapes}.")

    def parts(self) -> dict[str, Any]:
        """The parts that are not None, by name."""
        named = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def struct(self) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)`."""
        return (self.x, self.y, self.sample_weight)

    def peek(self) -> tuple[Any, Any, Any]:
        """What the first batch is made of: all samples."""
        return self.struct

    def first_rows(self, batch_size: int) -> int:
        """Samples in the first batch."""
        return min(batch_size, self.size)

    def leaves(self) -> list[np.ndarray]:
        """All arrays, flat."""
        return [leaf for part in self.struct if part is not None for leaf in flatten(part)]

    @property
    def nbytes(self) -> int:
        """Bytes on the device, where every element takes four."""
        return 4 * sum(math.prod(leaf.shape) for leaf in self.leaves() if leaf is not None)

    def take(self, index: Any) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)` of some rows: a slice or an array of row numbers."""
        return map_structure(lambda a: None if a is None else np.ascontiguousarray(a[index]), self.struct)

    def weigh(self, class_weight: dict[int, float]) -> None:
        """Sets the sample weights from a dict of class to weight.

        Raises:
            ValueError: There are sample weights already.
        """
        if self.sample_weight is not None:
            raise ValueError("fit: give either class_weight or sample_weight, not both.")
        self.sample_weight = class_weights(self.y, class_weight)

    def split(self, fraction: float) -> tuple[Arrays, Arrays]:
        """The first part and the last `fraction` of the samples."""
        cut = math.floor(self.size * (1.0 - fraction))
        if cut == 0 or cut == self.size:
            raise ValueError(
                f"fit: validation_split={fraction} of {self.size} samples leaves "
                f"{'none to train on' if cut == 0 else 'none to validate on'}."
            )
        return (Arrays(*self.take(slice(0, cut))), Arrays(*self.take(slice(cut, None))))


def as_arrays(data: Any, name: str, what: str) -> Any:
    """Nested data as nested numpy arrays of a supported dtype; sparse matrices of scipy with their zeros.

    Raises:
        TypeError: A leaf is not an array of numbers.
        ShapeError: A leaf is a single number, or rows have different lengths.
    """
    if type(data) is np.ndarray and data.ndim and data.dtype in _PLAIN and data.flags.c_contiguous:
        return data  # float32 or int32 by itself: the usual case
    if isinstance(data, (list, tuple, dict)) and not data:
        raise ShapeError(f"{what}: {name} is empty. Received: {name}={data!r}; pass an array (samples, ...).")
    if isinstance(data, (list, tuple)) and not any(is_array(leaf) and not isinstance(leaf, np.generic) for leaf in flatten(data)):
        try:
            data = np.asarray(data)  # a list of numbers, numpy's too
        except ValueError:
            raise ShapeError(
                f"{what}: {name} is a list whose rows have different lengths; pass rows of the same length "
                "(pad shorter ones), or a list of arrays, one for each input."
            ) from None

    def leaf(value: Any) -> np.ndarray | SparseRows | None:
        if value is None:
            return None
        if is_sparse(value):
            value = rows_of(value)
            if isinstance(value, SparseRows):
                return value
        array = value.numpy() if isinstance(value, (Tensor, Variable)) else value if isinstance(value, np.ndarray) else np.asarray(value)
        if array.dtype.kind not in "biuf":
            array = numbers_of(value, array, name, what)
        if array.ndim == 0:
            nested = isinstance(data, (list, tuple, dict))
            cure = " in a list or dict; make one array of each input first, np.array([...])" if nested else ""
            raise ShapeError(f"{what}: {name} must have samples along its first axis. Received a single number{cure}.")
        try:
            return host_array(array)
        except DtypeError as error:
            raise DtypeError(f"{what}: {name}: {error}") from None

    return map_structure(leaf, data)


def is_array(value: Any) -> bool:
    """True for arrays and tensors, of this or of another library."""
    return hasattr(value, "shape") or hasattr(value, "__array__")
