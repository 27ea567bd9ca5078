"""What an optimizer keeps: its Variables, the learning rate among them; made, read, set and stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, overload

import numpy as np

from pyml import initializers, ops
from pyml.core import Variable
from pyml.core.variable import gathering
from pyml.errors import ShapeError, returned
from pyml.initializers.base import first_value
from pyml.optimizers.schedules import LearningRateSchedule
from pyml.settings import floatx
from pyml.tracebacks import warn


class OptimizerState:
    """Part of Optimizer: everything that changes while training is a Variable of it."""

    name: str
    gradient_accumulation_steps: int | None
    _variables: list[Variable]
    _iterations: Variable
    _learning_rate: Any

    def _track_state(self, variable: Variable) -> Variable:
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate and slots, in the order they were made."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """Number of updates made, an int32 Variable (or tensor, with gradient accumulation)."""
        if self.gradient_accumulation_steps:
            return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The learning rate now: the Variable, or the schedule's value as a Tensor. Assign a float to change it."""
        return self._get_current_learning_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or (callable(value) and not isinstance(value, Variable)):
            self._variables = [v for v in self._variables if v is not self._learning_rate]     # as if it had been made with a schedule
            self._learning_rate = value
        elif isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                f"{self.name} was created with a LearningRateSchedule, so its learning rate cannot be set; "
                "create it with a float instead."
            )
        else:
            self._learning_rate.assign(value)

    def _get_current_learning_rate(self) -> Any:       # subclasses change the rate here, as in Keras
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._as_rate(self._learning_rate(self.iterations))
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._as_rate(self._learning_rate())

    def _as_rate(self, rate: Any) -> Any:
        """What a schedule returned.

        Raises:
            DtypeError, ShapeError: It is no number.
        """
        who = f"{self.name}: the learning rate {getattr(self._learning_rate, '__name__', type(self._learning_rate).__name__)}"
        returned(rate, who, "a number")
        if getattr(rate, "shape", ()) not in ((), (1,)):
            raise ShapeError(f"{who} must return a number. It returned a tensor of shape {tuple(rate.shape)}.")
        return rate

    @property
    def host_learning_rate(self) -> float:
        """The learning rate as a Python float; read from the device only where the host does not know it."""
        if isinstance(self._learning_rate, Variable) and self._learning_rate._remembered is not None:
            return self._learning_rate._remembered
        rate = self.learning_rate
        return float(rate.numpy() if hasattr(rate, "numpy") else rate)

    def add_variable(self, shape: Sequence[int], initializer: Any = "zeros", dtype: str | None = None, aggregation: str = "none",
                     layout: Any = None, name: str | None = None) -> Variable:
        """A Variable that belongs to the optimizer; one of 16 bits keeps 32: squares of small gradients would be 0, and the steps that
        are divided by their roots without bounds.

        Args:
            shape: Its shape.
            initializer: Name or object: its first value.
            dtype: Its dtype; `pyml.config.floatx()` by default.
            aggregation, layout: Kept for Keras' signature.
            name: Its name in files and summaries.
        """
        initializer = initializers.get(initializer)
        dtype = dtype or floatx()
        value = first_value(initializer, tuple(shape), dtype)
        return self._track_state(gathering(value, dtype, trainable=False, name=name))

    def add_variable_from_reference(self, reference_variable: Variable, name: str | None = None,
                                    initializer: Any = "zeros") -> Variable:
        """A Variable of the shape and dtype of `reference_variable`, that starts as `initializer` (a name or object) says."""
        path = getattr(reference_variable, "path", None) or reference_variable.name or "variable"
        name = f"{path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=name)

    @overload
    def add_optimizer_variables(self, trainable_variables: Iterable[Variable], name: str,
                                initializer: Any = "zeros") -> list[Variable]: ...

    @overload
    def add_optimizer_variables(self, trainable_variables: Iterable[Variable], name: list[str],
                                initializer: Any = "zeros") -> tuple[list[Variable], ...]: ...

    def add_optimizer_variables(self, trainable_variables: Iterable[Variable], name: str | list[str],
                                initializer: Any = "zeros") -> list[Variable] | tuple[list[Variable], ...]:
        """One Variable for each of `trainable_variables`, that starts as `initializer` says; of a list of names one list per name."""
        names = [name] if isinstance(name, str) else list(name)
        slots: tuple[list[Variable], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for slot, slot_name in zip(slots, names, strict=True):
                slot.append(self.add_variable_from_reference(variable, slot_name, initializer))
        return slots[0] if isinstance(name, str) else slots

    def assign(self, variable: Variable, value: Any) -> None:
        """`variable = value`."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """`variable += value`."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """`variable -= value`."""
        variable.assign_sub(value)

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Sets all variables from a list of arrays in the order of `variables`."""
        weights = list(weights)
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"{self.name} has {len(variables)} variables; received {len(weights)} arrays.")
        for variable, weight in zip(variables, weights, strict=True):
            if tuple(variable.shape) != tuple(weight.shape):
                raise ValueError(
                    f"{self.name}: variable {variable.name!r} has shape {tuple(variable.shape)}; "
                    f"received {tuple(weight.shape)}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Writes all variables into a dict, `store`, under their position."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads from `store` what `save_own_variables` wrote; warns and changes nothing where that is another number of variables.

        Files of Keras 2 have all but the learning rate, which is in the config there.
        """
        kept = [store[name] for name in sorted(store.keys(), key=int)] if all(name.isdecimal() for name in store) else []
        rest = [variable for variable in self.variables if variable is not self._learning_rate]
        if not _fit(kept, self.variables) and _fit(older := self._state_of_keras_2(kept), rest):
            for variable, value in zip(rest, older, strict=True):
                variable.assign(value)
            return
        if len(store.keys()) != len(self.variables):
            if sorted(store.keys()) in (["0"], ["0", "1"]) and not np.any(store["0"]):  # of one that was compiled and has done nothing
                return
            warn(f"the state of optimizer '{self.name}' is not loaded: it has {len(self.variables)} variables, and "
                 f"{len(store.keys())} are stored.")  # fmt: skip
            return
        self.set_weights([store[str(i)] for i in range(len(store.keys()))])

    def _state_of_keras_2(self, kept: list[Any]) -> list[Any]:
        """What a file of Keras 2.15 keeps of such an optimizer, in the order of `variables` without the learning rate."""
        return kept


def _fit(values: list[Any], variables: list[Variable]) -> bool:
    return len(values) == len(variables) and all(np.shape(a) == tuple(v.shape) for a, v in zip(values, variables, strict=True))
