"""Several optimizers for one model, by the paths of its variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.optimizers.adam import Adam
from pyml.optimizers.base import Optimizer
from pyml.optimizers.loss_scale import LossScaleOptimizer
from pyml.optimizers.sgd import SGD

__all__ = ["MultiOptimizer", "OptimizerMap"]


class OptimizerMap(MutableMapping[str, Optimizer]):
    """Which optimizer moves a variable: the one whose pattern matches its whole path, else the default.

    Args:
        default_optimizer: The optimizer of everything that no pattern matches.
        optimizer_map: Dict of patterns (regular expressions) and optimizers.

    Raises:
        TypeError: An argument is of another type.

    Example:
        >>> sgd, adam = pyml.optimizers.SGD(0.1), pyml.optimizers.Adam(0.01)
        >>> pyml.optimizers.OptimizerMap(sgd, {"dense.*": adam})["dense/kernel"] is adam
        True
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None) -> None:
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"OptimizerMap: default_optimizer must be an Optimizer. Received: {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map must be a dict. Received: {optimizer_map!r}")
        self._default_optimizer = default_optimizer
        self._optimizer_map = optimizer_map or {}

    @property
    def default_optimizer(self) -> Optimizer:
        """The optimizer of everything that no pattern matches."""
        return self._default_optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: {key!r} matches several patterns: {', '.join(found)}.")
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a pattern must be a string. Received: {key!r}")
        if key in self._optimizer_map:
            raise ValueError(f"OptimizerMap: {key!r} has an optimizer already.")
        if not isinstance(optimizer, Optimizer) or isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(f"OptimizerMap: expected a plain optimizer, not one that combines others. Received: {optimizer!r}")
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[str(getattr(variable, "path", None) or variable.name)]

    def get_config(self) -> dict[str, Any]:
        """The optimizers as plain values."""
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": {key: serialize_keras_object(value) for key, value in self._optimizer_map.items()},
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> OptimizerMap:
        """The map that `get_config` described as `config`; `custom_objects` are your own classes by name."""
        made = {key: deserialize_keras_object(value, custom_objects) for key, value in config["optimizer_map"].items()}
        return cls(deserialize_keras_object(config["default_optimizer"], custom_objects), made)


class MultiOptimizer(Optimizer):
    """Moves every variable by the optimizer that a map or function gives for it.

    Args:
        optimizer_map: An `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: The loss is multiplied, the gradients divided by it.
        name: Name of the optimizer.

    Example:
        >>> both = pyml.optimizers.OptimizerMap(pyml.optimizers.SGD(0.5), {"slow.*": pyml.optimizers.SGD(0.1)})
        >>> optimizer = pyml.optimizers.MultiOptimizer(both)
        >>> w, slow = pyml.Variable(1.0, name="w"), pyml.Variable(1.0, name="slow")
        >>> optimizer.apply([pyml.ops.convert_to_tensor(1.0)] * 2, [w, slow])
        >>> float(w.numpy()), round(float(slow.numpy()), 4)
        (0.5, 0.9)
    """

    def __init__(self, optimizer_map: OptimizerMap | Callable[[Variable], Optimizer], loss_scale_factor: float | None = None,
                 name: str | None = None) -> None:
        self._inner: list[Optimizer] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._owner: dict[int, Optimizer] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for one in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(one)

    def _add(self, one: Optimizer) -> Optimizer:
        if not isinstance(one, Optimizer) or isinstance(one, (LossScaleOptimizer, MultiOptimizer)):
            raise ValueError(f"MultiOptimizer: expected a plain optimizer, not one that combines others. Received: {one!r}")
        if all(one is not other for other in self._inner):
            one.loss_scale_factor = self.loss_scale_factor
            self._inner.append(one)
        return one

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        self._owner = {id(variable): self._add(self._optimizer_map(variable)) for variable in variables}
        for one in self._inner:
            mine = [variable for variable in variables if self._owner[id(variable)] is one]
            if mine:
                one.build(mine)
        super().build(variables)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._owner = {id(variable): one for one in self._inner for variable in one._trainable_variables}

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers that move the variables."""
        return self._inner

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *(variable for one in self._inner for variable in one.variables)]

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied by, for all optimizers; it may be set, as `LossScaleOptimizer` does."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for one in self._inner:
            one.loss_scale_factor = value

    @property
    def learning_rate(self) -> Any:
        raise AttributeError("MultiOptimizer has no learning rate of its own; see those of its optimizers.")

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError("MultiOptimizer has no learning rate of its own; set those of its optimizers.")

    def _apply_gradients(self, grads: list[Tensor], variables: list[Variable]) -> None:
        for one in self._inner:
            mine = [(g, v) for g, v in zip(grads, variables, strict=True) if self._owner[id(v)] is one]
            if mine:
                one.apply_gradients(mine)

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        for one in self._inner:
            one.finalize_variable_values([v for v in var_list if self._owner.get(id(v)) is one])

    def get_config(self) -> dict[str, Any]:
        return {"optimizer_map": serialize_keras_object(self._optimizer_map), "loss_scale_factor": self.loss_scale_factor,
                "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> MultiOptimizer:
        given = config["optimizer_map"]
        if isinstance(given, dict) and given.get("class_name") == "OptimizerMap":
            given = OptimizerMap.from_config(given["config"], custom_objects)
        elif isinstance(given, dict):
            given = deserialize_keras_object(given, custom_objects)
        return cls(**{**config, "optimizer_map": given})

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(OptimizerMap(SGD(0.1), {"w.*": Adam(0.05)})), like=None)
