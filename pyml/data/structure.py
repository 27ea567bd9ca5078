"""Elements of datasets: numbers, strings, arrays or tensors, nested in tuples and dicts. A list is an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyml.errors import ShapeError

_PYTHON = {int, float, bool}
_SCALARS = frozenset({str, int, float, bool, np.float32, np.int32, np.bool_})


class HostArray(np.ndarray):
    """What a dataset gives to a loop: a numpy array that may be asked for `.numpy()`, as scripts for `tf.data` do.

    Example:
        >>> images = next(iter(pyml.data.Dataset.from_tensor_slices(np.zeros((4, 2))).batch(2)))
        >>> images.numpy().shape
        (2, 2)
    """

    def numpy(self) -> np.ndarray:
        """The plain array, of the same memory."""
        return self.view(np.ndarray)

    def __repr__(self) -> str:
        return repr(self.numpy())


def given(element: Any) -> Any:
    """An element as loops get it: arrays answer `.numpy()`, as tensors do."""
    if isinstance(element, dict):
        if _SCALARS.issuperset(map(type, element.values())):
            return dict(element)
        return {key: value if type(value) in _SCALARS else given(value) for key, value in element.items()}
    if isinstance(element, tuple):
        return mapped_leaves(_viewed, element) if hasattr(element, "_fields") else tuple([given(value) for value in element])
    return _viewed(element)


def _viewed(leaf: Any) -> Any:
    return leaf.view(HostArray) if type(leaf) is np.ndarray else leaf


def mapped_leaves(fn: Callable[..., Any], structure: Any) -> Any:
    """`fn` on every leaf, in a structure of the same form."""
    if isinstance(structure, dict):
        return {key: mapped_leaves(fn, value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        items = [mapped_leaves(fn, value) for value in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return fn(structure)


def leaves(structure: Any) -> list[Any]:
    """The leaves from left to right, dicts in their own order."""
    if isinstance(structure, dict):
        return [leaf for value in structure.values() for leaf in leaves(value)]
    if isinstance(structure, tuple):
        return [leaf for value in structure for leaf in leaves(value)]
    return [structure]


def is_tensor(value: Any) -> bool:
    """True for a Tensor or Variable: values in device memory."""
    return type(value).__module__.startswith("pyml.core")


def batched(elements: list[Any]) -> Any:
    """Elements of one form, stacked leaf by leaf along a new first axis.

    Raises:
        ShapeError: The elements differ in form, or leaves in shape.
    """
    return _stacked(elements, "")


def _stacked(parts: list[Any], where: str) -> Any:
    """Elements of the same structure as one batch; `where` is the place in it, for messages."""
    first = parts[0]
    if isinstance(first, dict):
        for i, part in enumerate(parts):
            if not isinstance(part, dict) or part.keys() != first.keys():
                raise _different(where, first, i, part)
        return {key: _stacked([part[key] for part in parts], f"{where}[{key!r}]") for key in first}
    if isinstance(first, tuple):
        for i, part in enumerate(parts):
            if not isinstance(part, tuple) or len(part) != len(first):
                raise _different(where, first, i, part)
        items = [_stacked([part[k] for part in parts], f"{where}[{k}]") for k in range(len(first))]
        return type(first)(*items) if hasattr(first, "_fields") else tuple(items)
    if any(map(is_tensor, parts)):
        from pyml import ops

        _same_shapes([np.shape(part) if not hasattr(part, "shape") else tuple(part.shape) for part in parts], where)
        return ops.stack(parts)
    arrays = []
    for i, part in enumerate(parts):
        if part is None or isinstance(part, (dict, tuple)):
            raise _different(where, first, i, part)
        arrays.append(np.asarray(part))
    _same_shapes([array.shape for array in arrays], where)
    stacked = np.stack(arrays)
    if _PYTHON.issuperset(map(type, parts)):
        return narrowed(stacked)
    return stacked


def narrowed(array: np.ndarray) -> np.ndarray:
    """Python's own numbers as float32 or int32, where they fit."""
    if array.dtype == np.float64:
        return array.astype(np.float32)
    low, high = np.iinfo(np.int32).min, np.iinfo(np.int32).max
    if array.dtype == np.int64 and (not array.size or (low <= array.min() and array.max() <= high)):
        return array.astype(np.int32)
    return array


def _same_shapes(shapes: list[tuple[int, ...]], where: str) -> None:
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ShapeError(
                f"batch: the elements of one batch must have equal shapes. Element 0 of this batch{_at(where)} has "
                f"shape {shapes[0]} and element {i} has {shape}; make them equal with `map` before `batch`."
            )


def _different(where: str, first: Any, i: int, part: Any) -> ShapeError:
    return ShapeError(
        f"batch: the elements of one batch must have the same form. Element 0 of this batch{_at(where)} is "
        f"{_form(first)} and element {i} is {_form(part)}."
    )


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def _form(part: Any) -> str:
    if isinstance(part, dict):
        return f"a dict with the keys {list(part)}"
    if isinstance(part, tuple):
        return f"a tuple of {len(part)}"
    return "None" if part is None else f"a {type(part).__name__}"
