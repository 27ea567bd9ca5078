"""Relatives of Adam: Adamax and Nadam."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import one_minus_power
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["Adamax", "Nadam"]


class Adamax(Optimizer):
    """Adam with the largest gradient of late in the place of the root of the mean square.

    For a weight w with gradient g, at step t = 1, 2, ...:

        m = m + (g - m) * (1 - beta_1)
        u = max(beta_2 * u, |g|)
        w = w - learning_rate / (1 - beta_1^t) * m / (u + epsilon)

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1: Share of the old mean m kept per step.
        beta_2: Share of the old largest gradient kept per step.
        epsilon: Added to u.
        Others: see `Optimizer`.

    Source: Kingma and Ba 2014, "Adam: A Method for Stochastic Optimization", section 7.

    Example:
        >>> optimizer = pyml.optimizers.Adamax(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9
    """

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
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, u, g = self._m[index], self._u[index], gradient
        new_m = m + (g - m) * (1 - self.beta_1)
        new_u = ops.maximum(self.beta_2 * u, ops.abs(g))
        self.assign(m, new_m)
        self.assign(u, new_u)
        rate = self._once("rate", lambda: learning_rate / one_minus_power(self.beta_1, self._step()))
        self.assign_sub(variable, rate * new_m / (new_u + self.epsilon))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, u: Any = 0.0) -> Any:
            m, u = m + (g - m) * 0.2, np.maximum(0.9 * u, abs(g))
            return w - 0.1 / (1 - 0.8**t) * m / (u + 1e-3), m, u

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)


class Nadam(Optimizer):
    """Adam with the momentum of Nesterov.

    For a weight w with gradient g, at step t = 1, 2, ...:

        u = beta_1 * (1 - 0.5 * 0.96^t), v' = the u of the next step, p = the product of all u up to now
        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        w = w - learning_rate * (v' * m / (1 - p * v') + (1 - u) * g / (1 - p)) / (sqrt(v / (1 - beta_2^t)) + epsilon)

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1, beta_2: Share of the old means m and v kept per step.
        epsilon: Added to the root.
        Others: see `Optimizer`.

    Source: Dozat 2015, "Incorporating Nesterov Momentum into Adam".

    Example:
        >>> optimizer = pyml.optimizers.Nadam(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.8937
    """

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
        self._u_product = self.add_variable((), "ones", "float32", name="u_product")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v, g = self._momentums[index], self._velocities[index], gradient
        new_m = m + (g - m) * (1 - self.beta_1)
        new_v = v + (ops.square(g) - v) * (1 - self.beta_2)
        self.assign(m, new_m)
        self.assign(v, new_v)
        now, following, product, corrected = self._once("factors", self._factors)
        ahead = following * new_m / (1.0 - product * following) + (1.0 - now) * g / (1.0 - product)
        self.assign_sub(variable, ahead * learning_rate / (ops.sqrt(new_v / corrected) + self.epsilon))

    def _update(self, grads: list[Tensor], variables: list[Variable]) -> None:
        self._u_product.assign(self._u_product * self._decayed(self._step()))
        super()._update(grads, variables)

    def _decayed(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.exp(step * math.log(0.96)))

    def _factors(self) -> tuple[Any, ...]:
        """Numbers of the step that all variables share."""
        step = self._step()
        return (self._decayed(step), self._decayed(step + 1.0), ops.convert_to_tensor(self._u_product),
                one_minus_power(self.beta_2, step))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, v: Any = 0.0, p: Any = 1.0) -> Any:
            m, v = m + (g - m) * 0.2, v + (g * g - v) * 0.1
            u, n = (0.8 * (1 - 0.5 * 0.96**s) for s in (t, t + 1))
            p = p * u
            ahead = n * m / (1 - p * n) + (1 - u) * g / (1 - p)
            return w - 0.1 * ahead / (np.sqrt(v / (1 - 0.9**t)) + 1e-3), m, v, p

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)
