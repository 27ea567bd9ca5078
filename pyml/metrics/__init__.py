"""Metrics, with Keras' names and defaults: state in device memory, read when asked for."""

from pyml import losses as _losses
from pyml.core.naming import to_snake_case
from pyml.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from pyml.metrics.base import Metric
from pyml.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
)
from pyml.metrics.reduction import Mean, MeanMetricWrapper, Sum
from pyml.saving.registry import deserialize_keras_object, interpret, serialize_keras_object

_CLASSES = {cls.__name__: cls for cls in (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, Mean,
    MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, Sum)}
_FUNCTIONS = {fn.__name__: fn for fn in (binary_accuracy, categorical_accuracy, sparse_categorical_accuracy)}
_BY_NAME = {**_losses._FUNCTIONS, **_FUNCTIONS, **{to_snake_case(name): cls for name, cls in _CLASSES.items()},
            **_CLASSES}
_BY_NAME |= {"mse": MeanSquaredError, "MSE": MeanSquaredError, "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
             "rmse": RootMeanSquaredError, "RMSE": RootMeanSquaredError, "bce": BinaryCrossentropy,
             "BCE": BinaryCrossentropy}
_BY_NAME |= {name: fn for name, fn in _losses.ALIASES.items() if name not in _BY_NAME}
globals().update(_losses._FUNCTIONS)


def serialize(metric):
    """A config dict for `deserialize`."""
    return serialize_keras_object(metric)


def deserialize(config, custom_objects=None):
    """The metric that a name or a config dict describes."""
    return deserialize_keras_object(config, custom_objects, module_objects=_BY_NAME)


def get(identifier):
    """A metric or function from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.
    """
    return interpret(identifier, _BY_NAME, "metric identifier")


__all__ = [*_CLASSES, *_FUNCTIONS, *_losses._FUNCTIONS, "MeanMetricWrapper", "Metric", "deserialize", "get",
           "serialize"]
