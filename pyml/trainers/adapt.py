"""Whatever the user passed as data, as Arrays, Batches or DatasetBatches."""

from __future__ import annotations

from typing import Any

from pyml.core.tree import is_nested
from pyml.data.dataset import Dataset
from pyml.errors import DtypeError
from pyml.trainers.batches import Batches
from pyml.trainers.data import Arrays, is_array
from pyml.trainers.datasets import DatasetBatches
from pyml.trainers.options import Options
from pyml.utils.data_utils import PyDataset, unpack_x_y_sample_weight

Source = Arrays | Batches


def adapt(x: Any, y: Any = None, sample_weight: Any = None, what: str = "fit", steps: int | None = None) -> Source:
    """The data in one of the forms that feeds take.

    Raises:
        ValueError: There is none, or y comes beside an iterator.
        DtypeError: It is nothing that holds numbers.
    """
    if x is None:
        raise ValueError(f"{what}: no data was given; pass x=, an array (samples, ...) or an iterator of batches.")
    function = callable(x) and not hasattr(x, "__iter__") and not is_array(x)
    if isinstance(x, (str, bytes, set, frozenset)) or function:  # a set has no order
        called = " Call it first: it makes the iterator." if function else ""
        raise DtypeError(f"{what}: x must be arrays or an iterator of batches. Received: {x!r} ({type(x).__name__}).{called}")
    iterable = hasattr(x, "__next__") or isinstance(x, PyDataset) or (
        hasattr(x, "__iter__") and not is_array(x) and not is_nested(x))  # fmt: skip
    if not iterable:
        return Arrays(x, y, sample_weight, what)
    if y is not None or sample_weight is not None:
        raise ValueError(f"{what}: y and sample_weight must come with the batches when x is an iterator.")
    return DatasetBatches(x, steps, what) if isinstance(x, Dataset) else Batches(x, steps, what)


def training_data(options: Options) -> tuple[Source, Source | None]:
    """What `fit` trains on, and what it validates on.

    Raises:
        ValueError: The options do not go with the kind of data.
    """
    source = adapt(options.x, options.y, options.sample_weight, "fit", options.steps)
    held_out: Source | None = None
    if options.validation_data is not None:
        given = options.validation_data
        x, y, weight = (unpack_x_y_sample_weight(given) if isinstance(given, (tuple, list)) and given else (given, None, None))
        held_out = adapt(x, y, weight, "validation_data", options.validation_steps)
    elif options.validation_split:
        if not isinstance(source, Arrays):
            raise ValueError("fit: validation_split needs arrays; pass validation_data with an iterator.")
        source, held_out = source.split(options.validation_split)
    if options.class_weight is not None:
        if isinstance(source, Arrays):
            source.weigh(options.class_weight)
        else:
            source.class_weight = options.class_weight
    return source, held_out
