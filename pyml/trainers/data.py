"""Data as `fit`, `evaluate` and `predict` accept it, in one form: flat arrays, or an iterator of batches."""

import math

import numpy as np

from pyml.core import Tensor, Variable
from pyml.core.tree import flatten, is_nested, map_structure
from pyml.data.dataset import Dataset
from pyml.dtypes import host_array
from pyml.errors import ShapeError
from pyml.utils.data_utils import PyDataset, unpack_x_y_sample_weight

_UNSIGNED = np.dtype(np.uint32)


class Arrays:
    """Samples in host memory: `x`, `y` and `sample_weight` of equal length, each nested or None.

    Args:
        x, y, sample_weight: Arrays, tensors or numbers in lists; nested in lists or dicts for several inputs.
        what: Names the caller in errors.

    Raises:
        ValueError: The lengths differ, or there are no samples.
    """

    def __init__(self, x, y=None, sample_weight=None, what="fit"):
        self.x = as_arrays(x, "x", what)
        self.y = None if y is None else as_arrays(y, "y", what)
        self.sample_weight = None if sample_weight is None else as_arrays(sample_weight, "sample_weight", what)
        sizes = [leaf.shape[0] for leaf in self.leaves() if leaf is not None]
        self.size = sizes[0]
        if sizes.count(self.size) != len(sizes):
            own = {name: [str(leaf.shape[0]) for leaf in flatten(part)] for name, part in self.parts().items()}
            sizes = ", ".join(f"{name}: {', '.join(lengths)}" for name, lengths in own.items())
            raise ShapeError(f"{what}: all arrays must hold the same number of samples. Received sizes {sizes}.")
        if self.size == 0:
            raise ShapeError(f"{what}: the data holds no samples.")

    def parts(self):
        """The parts that are not None, by name."""
        named = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def struct(self):
        """`(x, y, sample_weight)`."""
        return (self.x, self.y, self.sample_weight)

    def leaves(self):
        """All arrays, flat."""
        return [leaf for part in self.struct if part is not None for leaf in flatten(part)]

    @property
    def nbytes(self):
        """Bytes on the device, where every element takes four."""
        return 4 * sum(math.prod(leaf.shape) for leaf in self.leaves())

    def take(self, index):
        """`(x, y, sample_weight)` of some rows: a slice or an array of row numbers."""
        return map_structure(lambda a: None if a is None else np.ascontiguousarray(a[index]), self.struct)

    def weigh(self, class_weight):
        """Sets the sample weights from a dict of class to weight.

        Raises:
            ValueError: There are sample weights already.
        """
        if self.sample_weight is not None:
            raise ValueError("fit: give either class_weight or sample_weight, not both.")
        self.sample_weight = class_weights(self.y, class_weight)

    def split(self, fraction):
        """The first part and the last `fraction` of the samples, as two Arrays."""
        if not 0 < fraction < 1:
            raise ValueError(f"fit: validation_split must lie in (0, 1). Received: validation_split={fraction}")
        cut = math.floor(self.size * (1.0 - fraction))
        if cut == 0 or cut == self.size:
            raise ValueError(
                f"fit: validation_split={fraction} of {self.size} samples leaves "
                f"{'none to train on' if cut == 0 else 'none to validate on'}."
            )
        return (Arrays(*self.take(slice(0, cut))), Arrays(*self.take(slice(cut, None))))


def as_arrays(data, name, what):
    """Nested data as nested numpy arrays of a supported dtype.

    Raises:
        TypeError: A leaf is no array of numbers.
        ShapeError: A leaf is a single number.
    """
    if isinstance(data, np.ndarray) and data.ndim and data.dtype.char in "fi" and data.flags.c_contiguous:
        return data                                    # float32 or int32 by itself: the usual case
    if isinstance(data, (list, tuple)) and data and not any(_is_array(leaf) for leaf in flatten(data)):
        data = np.asarray(data)                        # a list of numbers

    def leaf(value):
        if value is None:
            return None
        if isinstance(value, (Tensor, Variable)):
            value = value.numpy()
        elif not isinstance(value, np.ndarray):
            value = np.asarray(value)
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{what}: {name} must hold numbers. Received an array of {value.dtype}.")
        if value.ndim == 0:
            raise ShapeError(f"{what}: {name} must have samples along its first axis. Received a single number.")
        return host_array(value)

    return map_structure(leaf, data)


def _is_array(value):
    return hasattr(value, "shape") or hasattr(value, "__array__")


class Batches:
    """Batches made one at a time: by a PyDataset, a generator or any iterable of batches.

    Args:
        source: The iterable.
        steps: Batches per epoch, None for as many as there are.
    """

    def __init__(self, source, steps=None):
        self.source = source
        self.dataset = isinstance(source, PyDataset) or (
            hasattr(source, "__getitem__") and hasattr(source, "__len__"))
        self.steps = steps
        if steps is None and hasattr(source, "__len__"):
            self.steps = len(source)
        self._iterator = None
        self._first = None

    def peek(self):
        """The first batch, which is still given later."""
        if self._first is None:
            self._first = next(self._fresh())
        return self._first

    def _fresh(self):
        if self.dataset:
            return (standard_batch(self.source[i]) for i in range(len(self.source)))
        if self._iterator is None:
            self._iterator = iter(self.source)
        return (standard_batch(batch) for batch in self._iterator)

    def epoch(self, shuffle=False):
        """Yields the batches of one epoch."""
        if hasattr(self.source, "on_epoch_begin"):
            self.source.on_epoch_begin()
        if self.dataset and shuffle:
            order = np.random.permutation(len(self.source))
            batches = (standard_batch(self.source[int(i)]) for i in order)
        else:
            batches = self._fresh()
            if not self.dataset and not hasattr(self.source, "__next__"):
                self._iterator = None                  # a list of batches starts again each epoch
                batches = self._fresh()
        if self._first is not None and not self.dataset and hasattr(self.source, "__next__"):
            batches = _chain(self._first, batches)
        self._first = None
        for done, batch in enumerate(batches, 1):
            yield batch
            if done == self.steps:
                break
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()


def _chain(first, rest):
    yield first
    yield from rest


def standard_batch(batch):
    """A batch as `(x, y, sample_weight)` of arrays."""
    x, y, weight = unpack_x_y_sample_weight(batch)
    return Arrays(x, y, weight, what="batch").struct


def adapt(x, y=None, sample_weight=None, what="fit", steps=None):
    """Whatever the user passed, as Arrays or Batches."""
    iterable = hasattr(x, "__next__") or isinstance(x, PyDataset) or (
        hasattr(x, "__iter__") and not _is_array(x) and not is_nested(x))
    if iterable:
        if y is not None or sample_weight is not None:
            raise ValueError(f"{what}: y and sample_weight must come with the batches when x is an iterator.")
        if isinstance(x, Dataset):
            from pyml.trainers.datasets import DatasetBatches

            return DatasetBatches(x, steps, what)
        return Batches(x, steps)
    if x is None:
        raise ValueError(f"{what}: no data was given.")
    return Arrays(x, y, sample_weight, what)


def class_weights(y, class_weight):
    """One weight per sample from a dict of class to weight.

    Args:
        y: Class numbers `(n,)` or `(n, 1)`, or one-hot rows `(n, classes)`.
        class_weight: Dict; classes that are missing get 1.

    Raises:
        ValueError: `y` is nested.
    """
    if is_nested(y) or y is None:
        raise ValueError("fit: class_weight needs a model with a single output and its targets y.")
    if y.ndim >= 2 and y.shape[-1] != 1:
        classes = np.argmax(y, axis=-1)
    else:
        classes = np.round(y[..., 0] if y.ndim >= 2 else y).astype("int64")
    weights = np.ones(classes.shape, "float32")
    for value, weight in class_weight.items():
        weights[classes == int(value)] = weight
    return weights


def check_labels(y, loss, classes, name):
    """Class numbers for sparse cross-entropy, checked on the host.

    Raises:
        ValueError: A class is negative or not below the number of outputs.
    """
    if not isinstance(y, np.ndarray) or not y.size:
        return
    ignored = getattr(loss, "ignore_class", None)
    if y.dtype.char == "i" and int(np.maximum.reduce(y.view(_UNSIGNED), axis=None)) < classes:
        return                                         # one pass: as unsigned numbers the negative ones are huge
    low, high = y.min(), y.max()
    if not np.isfinite([float(low), float(high)]).all():
        raise ValueError(f"The labels of output '{name}' hold NaN or infinity; they must be class numbers.")
    outside = ((y < 0) | (y >= classes)) & (y != ignored if ignored is not None else True)
    if outside.any():
        raise ValueError(
            f"The labels of output '{name}' must be class numbers from 0 to {classes - 1}, one for each of its {classes} "
            f"outputs. Received values from {low} to {high}."
        )
