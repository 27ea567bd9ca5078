"""RMSprop, the default of `compile`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps by the gradient over the root of the mean of its square. For a weight w with gradient g:

        v = rho * v + (1 - rho) * g^2
        w = w - learning_rate * g / sqrt(v + epsilon)

    With `centered` the square of the mean gradient, `a = rho * a + (1 - rho) * g`, is taken off below the root. With
    `momentum` the step is added to a share of the last one: `m = momentum * m + step; w = w - m`.

    Args:
        learning_rate: A float, a schedule or a function.
        rho: Share of the old means kept per step.
        momentum: Momentum of the step.
        epsilon: Added under the root.
        centered: Divide by the deviation of the gradient instead of its size.
        Others: see `Optimizer`.

    Source: Hinton 2012, lecture 6 of "Neural Networks for Machine Learning".

    Example:
        >>> optimizer = pyml.optimizers.RMSprop(learning_rate=0.1, rho=0.75)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])     # 0.1 * 2 / sqrt(0.25 * 2^2)
        >>> round(float(w.numpy()), 4)
        0.8
    """

    def __init__(self, learning_rate: LearningRate = 0.001, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7,
                 centered: bool = False, *args: Any, **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._averages_of_gradients = self.add_optimizer_variables(variables, "average_gradient") if self.centered else []

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        g, v = gradient, self._velocities[index]
        new_v = self.rho * v + (1 - self.rho) * ops.square(g)
        self.assign(v, new_v)
        below = new_v + self.epsilon
        if self.centered:
            a = self._averages_of_gradients[index]
            new_a = self.rho * a + (1 - self.rho) * g
            self.assign(a, new_a)
            below = below - ops.square(new_a)
        step = learning_rate * g * ops.rsqrt(below)
        if self.momentum > 0:
            m = self._momentums[index]
            step = self.momentum * m + step
            self.assign(m, step)
        self.assign_sub(variable, step)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def centered(w: Any, g: Any, t: int, v: Any = 0.0, a: Any = 0.0, m: Any = 0.0) -> Any:
            v, a = 0.9 * v + 0.1 * g * g, 0.9 * a + 0.1 * g
            m = 0.5 * m + 0.1 * g / np.sqrt(v - a * a + 1e-3)
            return w - m, v, a, m

        yield sample(cls(0.1, momentum=0.5, epsilon=1e-3, centered=True), like=centered)
