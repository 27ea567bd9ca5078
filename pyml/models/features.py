"""What a `FeatureSpace` is told of its columns, and how their values are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import layers, ops
from pyml.core import Tensor
from pyml.data.dataset import Dataset
from pyml.layers.preprocessing.host import on_host
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object


class Cross:
    """Columns whose combinations are one feature; see `FeatureSpace.cross`."""

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        check_mode(output_mode, ("int", "one_hot"))
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the columns, joined by `_X_`."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"feature_names": self.feature_names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}


class Feature:
    """How one column is prepared; see `FeatureSpace.feature`."""

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        check_mode(output_mode, ("int", "one_hot", "float"))
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor, kind=LAYERS) if isinstance(preprocessor, dict) else preprocessor
        self.output_mode = output_mode

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"dtype": self.dtype, "preprocessor": serialize_keras_object(self.preprocessor), "output_mode": self.output_mode}


def check_mode(mode: str, known: tuple[str, ...]) -> None:
    if mode not in known:
        raise ValueError(f"Invalid value for argument `output_mode`. Expected one of {set(known)}. Received: output_mode={mode}")


def serialized(part: Feature | Cross) -> dict[str, Any]:
    name = type(part).__name__
    home = "keras.src.layers.preprocessing.feature_space"
    return {"module": home, "class_name": name, "config": part.get_config(), "registered_name": name}


def columns_of(dataset: Dataset, name: str) -> Iterator[Any]:
    """One column of a Dataset as batches `(rows, 1)`."""
    singles: list[Any] = []
    for element in dataset:
        if not isinstance(element, dict) or name not in element:
            raise ValueError(f"FeatureSpace.adapt: expected dicts with the column '{name}'. Received: {type(element).__name__}")
        column = on_host(element[name])
        if len(column.shape) == 0:
            singles.append(column.numpy() if isinstance(column, Tensor) else column[()])
            if len(singles) == 1024:
                yield np.array(singles)[:, None]
                singles = []
        else:
            yield as_column(column)
    if singles:
        yield np.array(singles)[:, None]


def as_column(column: Any) -> Any:
    """`(rows,)` or a single value as `(rows, 1)`."""
    if len(column.shape) == 0:
        return column.reshape(1, 1) if isinstance(column, np.ndarray) else ops.reshape(column, (1, 1))
    if len(column.shape) > 1:
        return column
    return column[:, None] if isinstance(column, np.ndarray) else ops.expand_dims(column, -1)


def cardinality(layer: Any) -> int | None:
    """How many integers a layer gives."""
    if isinstance(layer, (layers.IntegerLookup, layers.StringLookup)):
        return layer.vocabulary_size()
    if isinstance(layer, layers.CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, layers.Discretization):
        return layer.num_bins or len(layer.bin_boundaries or ()) + 1
    return layer.num_bins if isinstance(layer, (layers.HashedCrossing, layers.Hashing)) else None
