"""Optimizers and learning-rate schedules, with Keras' names and defaults."""

import inspect

from pyml.optimizers import schedules
from pyml.optimizers.adam import Adam, AdamW
from pyml.optimizers.base import Optimizer
from pyml.optimizers.rmsprop import RMSprop
from pyml.optimizers.sgd import SGD
from pyml.saving.registry import deserialize_keras_object, serialize_keras_object

_BY_NAME = {cls.__name__: cls for cls in (Adam, AdamW, RMSprop, SGD)}
_BY_NAME |= {name.lower(): cls for name, cls in list(_BY_NAME.items())}


def serialize(optimizer):
    """A config dict for `deserialize`."""
    return serialize_keras_object(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer that a name or a config dict describes."""
    if isinstance(config, str) and config.lower() in _BY_NAME:
        config = config.lower()
    return deserialize_keras_object(config, custom_objects, module_objects=_BY_NAME)


def get(identifier):
    """An optimizer from a name, a config dict, a class or an instance.

    Raises:
        ValueError: Nothing is known under that identifier.

    Example:
        >>> pyml.optimizers.get("adam")  # doctest: +ELLIPSIS
        <pyml.optimizers.adam.Adam object at ...>
    """
    if identifier is None:
        return None
    found = deserialize(identifier) if isinstance(identifier, (str, dict)) else identifier
    if inspect.isclass(found) and issubclass(found, Optimizer):
        found = found()
    if isinstance(found, Optimizer):
        return found
    raise ValueError(
        f"Could not interpret optimizer identifier: {identifier!r}. "
        f"Known names: {', '.join(sorted(name for name in _BY_NAME if name.islower()))}."
    )


__all__ = ["Adam", "AdamW", "Optimizer", "RMSprop", "SGD", "deserialize", "get", "schedules", "serialize"]
