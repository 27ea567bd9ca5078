"""`FeatureSpace`: columns of a table, each prepared in its own way, as one vector or a dict of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Self

from pyml import layers, ops
from pyml.core.naming import auto_name
from pyml.data.dataset import Dataset
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.host import on_host
from pyml.models.features import Cross, Feature, as_column, cardinality, check_mode, columns_of, serialized
from pyml.saving import writing

__all__ = ["FeatureSpace"]

_KINDS = ("float", "float_normalized", "float_rescaled", "float_discretized", "integer_categorical", "string_categorical",
          "integer_hashed", "string_hashed")  # fmt: skip


class FeatureSpace(Layer):
    """Prepares the columns of a table, each by a layer of its own, and puts them together.

    Args:
        features: Dict from the names of columns to what they are: `"float"`, `"float_normalized"`, `"float_rescaled"`,
            `"float_discretized"`, `"integer_categorical"`, `"string_categorical"`, `"integer_hashed"`, `"string_hashed"`, or
            what the methods of these names return, which take options; or `FeatureSpace.feature(...)` with a layer.
        output_mode: `"concat"`: one vector for each row; `"dict"`: one for each column.
        crosses: Tuples of columns whose combinations are features too, or what `FeatureSpace.cross` returns.
        crossing_dim: Bins for combinations.
        hashing_dim: Bins for columns that are hashed.
        num_discretization_bins: Ranges for `"float_discretized"`.
        name: Name of the layer.

    `preprocessors` and `crossers` hold the layers by name. Call it with a dict of columns, of a batch or of one row, also
    within `Dataset.map`; or make a model from `get_inputs()` and `get_encoded_features()`.

    Raises:
        ValueError: A feature or mode is unknown; a column is missing; or `adapt` was not called though it must be.

    Source: `keras.utils.FeatureSpace`.

    Example:
        >>> table = {"size": [1.0, 3.0], "kind": ["tea", "coffee"]}
        >>> space = pyml.utils.FeatureSpace({"size": "float_normalized", "kind": "string_categorical"})
        >>> space.adapt(table)
        >>> space({"size": [3.0], "kind": ["tea"]}).numpy()
        array([[0., 1., 0., 1.]], dtype=float32)
    """

    def __init__(self, features: Mapping[str, Any], output_mode: str = "concat", crosses: Sequence[Any] | None = None,
                 crossing_dim: int = 32, hashing_dim: int = 32, num_discretization_bins: int = 32, name: str | None = None) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        check_mode(output_mode, ("dict", "concat"))
        self.output_mode = output_mode
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._standard(name, value) for name, value in features.items()}
        self.crosses = [self._standard_cross(cross) for cross in crosses or ()]
        self.inputs = {name: layers.Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.one_hot_encoders: dict[str, Any] = {}
        self.encoded_features: Any = None
        self._is_adapted = False

    def _standard(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, Feature):
            return feature
        if isinstance(feature, dict):
            return Feature(**feature["config"])
        if feature not in _KINDS:
            raise ValueError(f"Invalid feature type: {feature}. Feature '{name}' may be one of {', '.join(_KINDS)}")
        options = {"float_discretized": {"num_bins": self.num_discretization_bins}, "integer_hashed": {"num_bins": self.hashing_dim},
                   "string_hashed": {"num_bins": self.hashing_dim}}  # fmt: skip
        return getattr(self, feature)(**options.get(feature, {}), name=name)

    def _standard_cross(self, cross: Any) -> Cross:
        """A Cross from what was given: a Cross, its config, or a tuple of names."""
        if isinstance(cross, dict):
            cross = Cross(**cross["config"])
        if not isinstance(cross, Cross):
            if not self.crossing_dim:
                raise ValueError(
                    "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the crossing space) should be specified "
                    "as well."
                )
            cross = Cross(cross, self.crossing_dim)
        if not set(cross.feature_names) <= set(self.features):
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the `features` dict. "
                f"Received unknown features: {cross.feature_names}"
            )
        return cross

    # ---- kinds of features
    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Columns whose combinations are one feature, with so many bins."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column that a layer of yours prepares; `output_mode` is `"int"`, `"one_hot"` or `"float"`."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", layers.Identity(name=_layer_name(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers by `Rescaling`."""
        return Feature("float32", layers.Rescaling(scale, offset, name=_layer_name(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers by `Normalization`."""
        return Feature("float32", layers.Normalization(name=_layer_name(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(cls, num_bins: int | None = None, bin_boundaries: Any = None, output_mode: str = "one_hot",
                          name: str | None = None) -> Feature:
        """Numbers by `Discretization`."""
        layer = layers.Discretization(num_bins=num_bins, bin_boundaries=bin_boundaries, name=_layer_name(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
                            name: str | None = None) -> Feature:
        """Integers by `IntegerLookup`."""
        layer = layers.IntegerLookup(max_tokens, num_oov_indices, name=_layer_name(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
                           name: str | None = None) -> Feature:
        """Text by `StringLookup`."""
        layer = layers.StringLookup(max_tokens, num_oov_indices, name=_layer_name(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Text by `Hashing`."""
        return Feature("string", layers.Hashing(num_bins, name=_layer_name(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers by `Hashing`."""
        return Feature("int32", layers.Hashing(num_bins, name=_layer_name(name, "integer_hashed")), output_mode)

    # ---- learning
    def _adaptable(self) -> list[str]:
        """The columns whose layer learns from data, and has nothing given in its place."""
        given = {
            layers.Normalization: lambda layer: layer.input_mean is not None,
            layers.TextVectorization: lambda layer: layer._lookup_layer._has_input_vocabulary,
            layers.StringLookup: lambda layer: layer._has_input_vocabulary,
            layers.IntegerLookup: lambda layer: layer._has_input_vocabulary,
            layers.Discretization: lambda layer: layer.num_bins is None,
        }
        has_its_own = lambda layer: any(isinstance(layer, kind) and told(layer) for kind, told in given.items())
        return [name for name, layer in self.preprocessors.items() if hasattr(layer, "adapt") and not has_its_own(layer)]

    def adapt(self, dataset: Any) -> None:
        """Learns what the layers of the columns need: means, vocabularies, ranges.

        Args:
            dataset: A Dataset of dicts, of rows or of batches, one of TensorFlow's too; or a dict of columns.

        Raises:
            ValueError: It is neither.
        """
        if isinstance(dataset, dict):
            dataset = Dataset.from_tensor_slices({name: on_host(column) for name, column in dataset.items()}).batch(1024)
        elif not isinstance(dataset, Dataset) and hasattr(dataset, "as_numpy_iterator"):
            dataset = Dataset.from_generator(dataset.as_numpy_iterator)
        if not isinstance(dataset, Dataset):
            raise ValueError(
                f"`adapt()` can only be called on a Dataset or a dict of arrays/lists. Received instead: {type(dataset).__name__}"
            )
        for name in self._adaptable():
            self.preprocessors[name].adapt(columns_of(dataset, name))
        self._is_adapted = True
        self._check_if_built()

    def build(self, *input_shape: Any, **shapes: Any) -> None:
        """Makes the symbolic features; needs nothing but `adapt`."""
        self._check_if_built()

    def _check_if_built(self) -> None:
        if not self._is_adapted and self._adaptable():
            raise ValueError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")
        self._is_adapted = True
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
            self.built = True

    # ---- encoding
    def get_inputs(self) -> dict[str, Any]:
        """The symbolic columns, a dict; the inputs of a model."""
        self._check_if_built()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The symbolic features made from `get_inputs()`."""
        self._check_if_built()
        return self.encoded_features

    def _encoded(self, columns: Mapping[str, Any]) -> Any:
        """All features and crosses of some columns, encoded: a dict of them, or one tensor with them side by side."""
        prepared = {name: self.preprocessors[name](columns[name]) for name in self.features}
        crossed = {cross.name: self.crossers[cross.name]([prepared[name] for name in cross.feature_names]) for cross in self.crosses}
        specs: dict[str, Any] = {**self.features, **{cross.name: cross for cross in self.crosses}}
        encoded = {}
        for name, value in [*sorted(prepared.items()), *sorted(crossed.items())]:
            if specs[name].output_mode == "one_hot":
                value = self._one_hot(name, value)
            if self.output_mode == "concat" and (value.dtype.startswith("int") or value.dtype == "string"):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype {value.dtype}). "
                    "Consider using `output_mode='dict'`."
                )
            encoded[name] = value
        return encoded if self.output_mode == "dict" else ops.concatenate(list(encoded.values()), axis=-1)

    def _one_hot(self, name: str, value: Any) -> Any:
        """A feature's numbers as zeros and ones, by a layer that is made the first time."""
        if name not in self.one_hot_encoders:
            if not value.dtype.startswith("int"):
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should return an integer dtype. "
                    f"Instead it returns a {value.dtype} dtype."
                )
            size = cardinality(self.preprocessors.get(name) or self.crossers[name])
            if size is None:
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard feature and the dimensionality of its "
                    "output space is not known, thus it cannot be one-hot encoded. Try using `output_mode='int'`."
                )
            self.one_hot_encoders[name] = layers.CategoryEncoding(size, "multi_hot")
        return self.one_hot_encoders[name](value)

    def __call__(self, data: Any) -> Any:
        """The features of a batch, or of one row.

        Args:
            data: Dict of columns: `(batch,)` or `(batch, 1)`, or single values.

        Returns:
            A tensor `(batch, features)`, or a dict of tensors.
        """
        self._check_if_built()
        if not isinstance(data, dict):
            raise ValueError(f"A FeatureSpace can only be called with a dict. Received: data={data} (of type {type(data)})")
        missing = [name for name in self.features if name not in data]
        if missing:
            raise ValueError(f"FeatureSpace: the column(s) {', '.join(missing)} are missing. Received: {', '.join(data)}")
        columns = {name: on_host(data[name]) for name in self.features}
        single = any(len(column.shape) == 0 for column in columns.values())
        found = self._encoded({name: as_column(column) for name, column in columns.items()})
        if not single:
            return found
        if isinstance(found, dict):
            return {name: ops.squeeze(value, 0) if value.shape[:1] == (1,) and len(value.shape) == 2 else value
                    for name, value in found.items()}  # fmt: skip
        return ops.squeeze(found, 0)

    # ---- configs and files
    def get_config(self) -> dict[str, Any]:
        return {
            "features": {name: serialized(feature) for name, feature in self.features.items()}, "output_mode": self.output_mode,
            "crosses": [serialized(cross) for cross in self.crosses], "crossing_dim": self.crossing_dim, "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins, "name": self.name,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        return {name: feature.preprocessor.get_build_config() for name, feature in self.features.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        self._is_adapted = True  # the layers of the columns were built by their own configs

    def save(self, filepath: str | PathLike[str]) -> None:
        """Writes it into a `.keras` file; `pyml.saving.load_model` opens it."""
        save: Any = writing.save_model
        save(self, filepath)

    def save_own_variables(self, store: Any) -> None:
        """Nothing: the layers of the columns write theirs."""

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the layers of the columns read theirs."""


def _layer_name(name: str | None, kind: str) -> str:
    return f"{name or auto_name(kind)}_preprocessor"
