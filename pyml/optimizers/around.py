"""What surrounds the formula of an optimizer in a step: gradients are gathered and clipped, weights decay, are averaged and constrained."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.errors import returned
from pyml.optimizers.parts import clipped
from pyml.optimizers.state import OptimizerState


class AroundUpdates(OptimizerState):
    """Part of Optimizer: a step of several variables, with what its arguments ask for besides the formula."""

    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    built: bool
    update_step: Callable[[Tensor, Variable, Any], None]
    _averages: list[Variable]
    _accumulators: list[Variable]
    _variable_index: dict[int, int]
    _without_decay: list[Variable]
    _no_decay_names: re.Pattern[str] | None
    _numbers_of_step: dict[str, Any] | None  # numbers of the step under way

    def _get_variable_index(self, variable: Variable) -> int:
        return self._variable_index[id(variable)]

    def _apply_gradients(self, grads: list[Tensor], variables: list[Variable]) -> None:
        if self.loss_scale_factor is not None:
            grads = [g / self.loss_scale_factor for g in grads]
        if self.gradient_accumulation_steps:
            self._apply_accumulated(grads, variables, self.gradient_accumulation_steps)
        else:
            self._update_variables(grads, variables)
        if self.use_ema:
            self._update_averages(variables)
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if constraint is not None:
                variable.assign(returned(constraint(variable), f"the constraint of {variable.path!r}"))

    def _update_variables(self, grads: list[Tensor], variables: list[Variable]) -> None:
        grads = self._clip_gradients(grads)
        rate = self.learning_rate
        self._apply_weight_decay(variables)
        self._numbers_of_step = {}
        self._update_all(grads, variables, rate)
        self._numbers_of_step = None

    def _update_all(self, grads: list[Tensor], variables: list[Variable], learning_rate: Any) -> None:
        for gradient, variable in zip(grads, variables, strict=True):
            self.update_step(gradient, variable, learning_rate)

    def _once_in_step(self, name: str, make: Callable[[], Any]) -> Any:
        """A number that all variables of a step share: made for the first of them."""
        if self._numbers_of_step is None:
            return make()
        if name not in self._numbers_of_step:
            self._numbers_of_step[name] = make()
        return self._numbers_of_step[name]

    def _steps_so_far(self) -> Tensor:
        """The number of the step under way, from 1 on, as a float."""
        return ops.cast(self.iterations + 1, "float32")

    def _apply_accumulated(self, grads: list[Tensor], variables: list[Variable], steps: int) -> None:
        """Every value the update would write is kept only at the last step of a group."""
        due = ops.equal((self._iterations + 1) % steps, 0)
        sums = [self._accumulators[self._get_variable_index(v)] for v in variables]
        totals = [s + g for s, g in zip(sums, grads, strict=True)]
        own = {id(v) for v in (self._iterations, *self._accumulators)}
        touched = [v for v in self._variables if id(v) not in own] + variables
        before = [ops.convert_to_tensor(v) for v in touched]
        self._update_variables([total / steps for total in totals], variables)
        for variable, old in zip(touched, before, strict=True):
            new = ops.convert_to_tensor(variable)
            if new._node is not old._node:                 # a rate, say, is not written
                variable.assign(ops.where(due, new, old))
        for accumulator, total in zip(sums, totals, strict=True):
            accumulator.assign(ops.where(due, 0.0, total))

    def exclude_from_weight_decay(self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None) -> None:
        """Leaves weights out of weight decay from the next step on; of a model that has been trained, from the next `compile` on.

        Args:
            var_list: Variables.
            var_names: Parts of names, for example `["bias"]`.

        Weights that an earlier call named are decayed again.
        """
        self._without_decay = list(var_list or ())
        self._no_decay_names = re.compile("|".join(set(var_names))) if var_names else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        if any(variable is excluded for excluded in self._without_decay):
            return False
        return self._no_decay_names is None or not self._no_decay_names.search(variable.name)

    def _clip_gradients(self, grads: list[Tensor]) -> list[Tensor]:  # this one and the next by Keras' names: subclasses have their own
        return clipped(grads, self.clipnorm, self.global_clipnorm, self.clipvalue)

    def _apply_weight_decay(self, variables: list[Variable]) -> None:
        if self.weight_decay is None:
            return
        learning_rate = self.learning_rate
        for variable in variables:
            if self._use_weight_decay(variable):
                variable.assign(variable - variable * self.weight_decay * learning_rate)

    def _update_averages(self, variables: list[Variable]) -> None:
        first = ops.equal(self.iterations, 0)
        momentum = ops.where(first, 0.0, self.ema_momentum)
        every = self.ema_overwrite_frequency
        for variable in variables:
            average = self._averages[self._get_variable_index(variable)]
            value = momentum * average + (1.0 - momentum) * variable
            average.assign(value)
            if every:
                variable.assign(ops.where(ops.equal((self.iterations + 1) % every, 0), value, variable))

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """Gives the Variables of `var_list` their moving averages, where they are kept; `fit` calls it at its end."""
        if self.use_ema and self.built:
            for variable in var_list:
                if id(variable) in self._variable_index:
                    variable.assign(ops.convert_to_tensor(self._averages[self._get_variable_index(variable)]))

    def _overwrite_value(self, gradient: Tensor, variable: Variable) -> None:
        """Makes the gradient the value; of several that are gathered, the largest at the last of them."""
        if not self.gradient_accumulation_steps:
            variable.assign(gradient)
            return
        due = ops.equal((self._iterations + 1) % self.gradient_accumulation_steps, 0)
        gathered = self._accumulators[self._get_variable_index(variable)]
        largest = ops.maximum(gradient, gathered)
        variable.assign(ops.where(due, largest, variable))
        gathered.assign(ops.where(due, 0.0, largest))
