"""Adagrad and Adadelta: rates of every weight's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import initializers, ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["Adadelta", "Adagrad"]


class Adagrad(Optimizer):
    """Steps the smaller the larger the gradients of a weight have been.

    For a weight w with gradient g, at step t = 1, 2, ...:

        a = a + g^2
        w = w - learning_rate * g / sqrt(a + epsilon)

    Args:
        learning_rate: A float, a schedule or a function.
        initial_accumulator_value: What a starts at.
        epsilon: Added to a.
        Others: see `Optimizer`.

    Source: Duchi et al. 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization".

    Example:
        >>> optimizer = pyml.optimizers.Adagrad(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9012
    """

    def __init__(self, learning_rate: LearningRate = 0.001, initial_accumulator_value: float = 0.1, epsilon: float = 1e-7, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._squares = self.add_optimizer_variables(variables, "accumulator", initializers.Constant(self.initial_accumulator_value))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        a, g = self._squares[index], gradient
        new_a = a + ops.square(g)
        self.assign(a, new_a)
        self.assign_sub(variable, learning_rate * g / ops.sqrt(new_a + self.epsilon))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, a: Any = 0.3) -> Any:
            a = a + g * g
            return w - 0.1 * g / np.sqrt(a + 1e-3), a

        yield sample(cls(0.1, initial_accumulator_value=0.3, epsilon=1e-3), like=like)


class Adadelta(Optimizer):
    """Steps as large as the last ones were, whatever the scale of the gradients.

    For a weight w with gradient g, at step t = 1, 2, ...:

        a = rho * a + (1 - rho) * g^2
        d = -sqrt(b + epsilon) / sqrt(a + epsilon) * g
        b = rho * b + (1 - rho) * d^2
        w = w + learning_rate * d

    Args:
        learning_rate: A float, a schedule or a function.
        rho: Share of the old means a and b kept per step.
        epsilon: Added to both.
        Others: see `Optimizer`.

    Source: Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method".

    Example:
        >>> optimizer = pyml.optimizers.Adadelta(learning_rate=1.0)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9986
    """

    def __init__(self, learning_rate: LearningRate = 0.001, rho: float = 0.95, epsilon: float = 1e-7, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"])

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        a, b, g = self._accumulated_grads[index], self._accumulated_delta_vars[index], gradient
        new_a = self.rho * a + (1 - self.rho) * ops.square(g)
        delta = -ops.sqrt(b + self.epsilon) * g / ops.sqrt(new_a + self.epsilon)
        self.assign(a, new_a)
        self.assign(b, self.rho * b + (1 - self.rho) * ops.square(delta))
        self.assign_add(variable, learning_rate * delta)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, a: Any = 0.0, b: Any = 0.0) -> Any:
            a = 0.9 * a + 0.1 * g * g
            d = -np.sqrt(b + 1e-3) / np.sqrt(a + 1e-3) * g
            return w + d, a, 0.9 * b + 0.1 * d * d

        yield sample(cls(1.0, rho=0.9, epsilon=1e-3), like=like)
