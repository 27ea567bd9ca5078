"""Ftrl: for many weights of which few are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import initializers, ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["Ftrl"]


class Ftrl(Optimizer):
    """Follows the regularized leader: many weights become exactly 0.

    For a weight w with gradient g, at step t = 1, 2, ...:

        n' = n + g^2, s = (n'^-power - n^-power) / learning_rate
        z = z + g + 2 * shrinkage * w - s * w; n = n'
        w = (clip(z, -l1, l1) - z) / (n^-power / learning_rate + 2 * (l2 + beta / (2 * learning_rate)))

    Args:
        learning_rate: A float, a schedule or a function.
        learning_rate_power: `power`, at most 0.
        initial_accumulator_value: What n starts at.
        l1_regularization_strength: `l1`.
        l2_regularization_strength: `l2`.
        l2_shrinkage_regularization_strength: `shrinkage`.
        beta: As in the formula.
        Others: see `Optimizer`.

    Raises:
        ValueError: `learning_rate_power` is above 0, or another of these numbers below 0.

    Source: McMahan et al. 2013, "Ad click prediction: a view from the trenches".

    Example:
        >>> optimizer = pyml.optimizers.Ftrl(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.7451
    """

    def __init__(self, learning_rate: LearningRate = 0.001, learning_rate_power: float = -0.5, initial_accumulator_value: float = 0.1,
                 l1_regularization_strength: float = 0.0, l2_regularization_strength: float = 0.0,
                 l2_shrinkage_regularization_strength: float = 0.0, beta: float = 0.0, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        if learning_rate_power > 0:
            raise ValueError(f"Ftrl: learning_rate_power must not be above 0. Received: learning_rate_power={learning_rate_power}")
        for what, value in (("initial_accumulator_value", initial_accumulator_value),
                            ("l1_regularization_strength", l1_regularization_strength),
                            ("l2_regularization_strength", l2_regularization_strength),
                            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength)):
            if value < 0:
                raise ValueError(f"Ftrl: {what} must not be negative. Received: {what}={value}")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._squares: list[Variable] = []
        self._linears: list[Variable] = []
        first = initializers.Constant(self.initial_accumulator_value)
        for variable in variables:                     # in this order, which files have
            self._squares.append(self.add_variable_from_reference(variable, "accumulator", first))
            self._linears.append(self.add_variable_from_reference(variable, "linear"))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        n, z, g = self._squares[index], self._linears[index], gradient
        power = -self.learning_rate_power
        new_n = n + ops.square(g)
        grown = ops.power(new_n, power)
        pull = g + 2.0 * self.l2_shrinkage_regularization_strength * variable
        new_z = z + pull - (grown - ops.power(n, power)) / learning_rate * variable
        l1 = self.l1_regularization_strength
        below = grown / learning_rate + 2.0 * (self.l2_regularization_strength + self.beta / (2.0 * learning_rate))
        self.assign(n, new_n)
        self.assign(z, new_z)
        self.assign(variable, (ops.clip(new_z, -l1, l1) - new_z) / below)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, n: Any = 0.1, z: Any = 0.0) -> Any:
            m = n + g * g
            z = z + g - (np.sqrt(m) - np.sqrt(n)) / 0.1 * w
            return (np.clip(z, -0.1, 0.1) - z) / (np.sqrt(m) / 0.1 + 0.4), m, z

        yield sample(cls(0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2), like=like)
