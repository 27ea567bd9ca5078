"""The base of Adam's relatives: two means of each gradient, of itself and of its size."""

from __future__ import annotations

from typing import Any, Unpack

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments


class TwoMoments(Optimizer, abstract=True):
    """Base: `beta_1` and `beta_2` say how much of the two means a step keeps."""

    def __init__(self, learning_rate: LearningRate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])

    def _moved(self, variable: Variable, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The means of the gradient and of its square after this step."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        new_m = m + (gradient - m) * (1 - self.beta_1)
        new_v = v + (ops.square(gradient) - v) * (1 - self.beta_2)
        self.assign(m, new_m)
        self.assign(v, new_v)
        return new_m, new_v
