"""Losses, with Keras' names and defaults: functions per sample, and classes that reduce them to a number."""

import inspect

from pyml.losses import crossentropy as _crossentropy
from pyml.losses import regression as _regression
from pyml.losses.base import Loss, LossFunctionWrapper, reduce_weighted_values
from pyml.losses.crossentropy import binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy
from pyml.losses.regression import (
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    squared_hinge,
)
from pyml.saving.registry import deserialize_keras_object, interpret, serialize_keras_object


def _simple(cls_name, fn):
    """A loss class for a function without further arguments."""

    def __init__(self, reduction="sum_over_batch_size", name=fn.__name__, dtype=None):
        LossFunctionWrapper.__init__(self, fn, reduction=reduction, name=name, dtype=dtype)

    body = {"__init__": __init__, "__module__": __name__,
            "__doc__": f"{fn.__doc__.splitlines()[0]}\n\nReduced over the batch; see `Loss` for the arguments."}
    return type(cls_name, (LossFunctionWrapper,), body)


MeanSquaredError = _simple("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = _simple("MeanAbsoluteError", mean_absolute_error)
MeanAbsolutePercentageError = _simple("MeanAbsolutePercentageError", mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _simple("MeanSquaredLogarithmicError", mean_squared_logarithmic_error)
LogCosh = _simple("LogCosh", log_cosh)
Poisson = _simple("Poisson", poisson)
KLDivergence = _simple("KLDivergence", kl_divergence)
Hinge = _simple("Hinge", hinge)
SquaredHinge = _simple("SquaredHinge", squared_hinge)
CategoricalHinge = _simple("CategoricalHinge", categorical_hinge)


class Huber(LossFunctionWrapper):
    """Squared up to `delta`, linear beyond. Source: Huber 1964."""

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(huber, reduction=reduction, name=name, dtype=dtype, delta=delta)


class CosineSimilarity(LossFunctionWrapper):
    """The negated cosine of the angle between targets and predictions."""

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(cosine_similarity, reduction=reduction, name=name, dtype=dtype, axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of yes/no targets; see `binary_crossentropy` for the arguments.

    Example:
        >>> loss = pyml.losses.BinaryCrossentropy(from_logits=True)
        >>> round(float(loss([[0.0], [1.0]], [[0.0], [0.0]])), 4)
        0.6931
    """

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="binary_crossentropy", dtype=None):
        super().__init__(binary_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot targets; see `categorical_crossentropy` for the arguments."""

    def __init__(self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
                 name="categorical_crossentropy", dtype=None):
        super().__init__(categorical_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of integer targets; see `sparse_categorical_crossentropy` for the arguments."""

    def __init__(self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
                 name="sparse_categorical_crossentropy", dtype=None):
        super().__init__(sparse_categorical_crossentropy, reduction=reduction, name=name, dtype=dtype,
                         from_logits=from_logits, ignore_class=ignore_class, axis=axis)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true, y_pred):
        return self.fn(y_true, y_pred, **self._fn_kwargs)


_CLASSES = {cls.__name__: cls for cls in (
    BinaryCrossentropy, CategoricalCrossentropy, CategoricalHinge, CosineSimilarity, Hinge, Huber, KLDivergence,
    LogCosh, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError,
    Poisson, SparseCategoricalCrossentropy, SquaredHinge)}
_FUNCTIONS = {name: fn for module in (_crossentropy, _regression) for name, fn in vars(module).items()
              if inspect.isfunction(fn) and fn.__module__ == module.__name__ and not name.startswith("_")}
ALIASES = {
    "mse": mean_squared_error, "MSE": mean_squared_error, "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error, "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error, "MSLE": mean_squared_logarithmic_error,
    "bce": binary_crossentropy, "BCE": binary_crossentropy, "kld": kl_divergence, "KLD": kl_divergence,
    "logcosh": log_cosh, "cosine": cosine_similarity,
}
_BY_NAME = {**_CLASSES, **_FUNCTIONS, **ALIASES}


def serialize(loss):
    """A config dict for `deserialize`, or a function's name."""
    return serialize_keras_object(loss)


def deserialize(name, custom_objects=None):
    """The loss that a name or a config dict describes."""
    return deserialize_keras_object(name, custom_objects, module_objects=_BY_NAME)


def get(identifier):
    """A loss from a name, a config dict, a class, an instance, a function or None.

    Raises:
        ValueError: Nothing is known under that identifier.
    """
    return interpret(identifier, _BY_NAME, "loss identifier")


__all__ = [*_CLASSES, *_FUNCTIONS, "Loss", "LossFunctionWrapper", "deserialize", "get", "reduce_weighted_values",
           "serialize"]
