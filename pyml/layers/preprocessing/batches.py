"""What `adapt` is given, as batches: an array is one, everything else that can be iterated over gives them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from pyml.core import Tensor


def is_array(data: Any) -> bool:
    """Whether `data` is one batch: a tensor, an array, or what numpy makes one of (a column of a table)."""
    return isinstance(data, Tensor) or (hasattr(data, "__array__") and hasattr(data, "shape"))


def batches_of(data: Any, steps: int | None = None, whole: tuple[type, ...] = ()) -> Iterator[Any]:
    """The batches of `data`.

    Args:
        data: An array, a Dataset, a `PyDataset`, or any iterable of batches.
        steps: How many at most; for what has no end.
        whole: Types that are one batch.

    Raises:
        TypeError: `data` cannot be iterated over.
    """
    if is_array(data) or isinstance(data, whole):
        return iter((data,))
    if not hasattr(data, "__iter__"):
        raise TypeError(
            f"adapt: expected an array, a tensor, a Dataset, a PyDataset or another iterable of batches. Received: {type(data).__name__}"
        )
    return islice(data, steps)


def host_values(batch: Any, dtype: Any = None) -> np.ndarray:
    """A batch as a numpy array."""
    return np.asarray(batch.numpy() if isinstance(batch, Tensor) else batch, dtype)
