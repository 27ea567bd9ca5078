"""Relatives of Adam: Adamax and Nadam."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import one_minus_power
from pyml.optimizers.base import Optimizer
from pyml.optimizers.moments import TwoMoments

__all__ = ["Adamax", "Nadam"]

_FORGETS = 0.96  # Nadam's momentum is beta_1 * (1 - 0.5 * 0.96^t)
_TERMS = 24  # of a series whose terms halve: what is left out is below float32's last digit


class Adamax(TwoMoments):
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

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        Optimizer.build(self, variables)   # its second is not a mean
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, u, g = self._m[index], self._u[index], gradient
        new_m = m + (g - m) * (1 - self.beta_1)
        new_u = ops.maximum(self.beta_2 * u, ops.abs(g))
        self.assign(m, new_m)
        self.assign(u, new_u)
        rate = self._once_in_step("rate", lambda: learning_rate / one_minus_power(self.beta_1, self._steps_so_far()))
        self.assign_sub(variable, rate * new_m / (new_u + self.epsilon))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, u: Any = 0.0) -> Any:
            m, u = m + (g - m) * 0.2, np.maximum(0.9 * u, abs(g))
            return w - 0.1 / (1 - 0.8**t) * m / (u + 1e-3), m, u

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)


class Nadam(TwoMoments):
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

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._u_product = self.add_variable((), "ones", name="variable")   # nothing reads it: files have it

    def _state_of_keras_2(self, kept: list[Any]) -> list[Any]:
        if len(kept) > 2 and np.shape(kept[1]) == np.shape(kept[2]) == ():  # Keras 3.0 and 3.3 have the product after the rate
            return [kept[0], *kept[3:], kept[2]]
        return [*kept, 1.0]                            # the product is not in its files; the next step makes it

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        new_m, new_v = self._moved(variable, gradient)
        of_mean, of_gradient, corrected = self._once_in_step("factors", lambda: self._factors(learning_rate))
        self.assign_sub(variable, (of_mean * new_m + of_gradient * gradient) / (ops.sqrt(new_v * corrected) + self.epsilon))

    def _decayed(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.exp(step * math.log(_FORGETS)))

    def _product(self, step: Any) -> Any:
        """The product of `_decayed` of all steps up to this one, in no more work than one; the state has it for files only.

        Its logarithm is that of `beta_1^t`, and `log(1 - x / 2)` as a power series, of which each term is a geometric sum.
        """
        if self.beta_1 == 0:
            return 0.0 * step
        k = np.arange(1, _TERMS + 1)
        weights = (0.5 * _FORGETS) ** k / (k * (1 - _FORGETS**k))
        series = ops.sum(ops.expm1(step * (k * math.log(_FORGETS)).astype(np.float32)) * weights.astype(np.float32))
        return ops.exp(step * math.log(self.beta_1) + series)

    def _factors(self, learning_rate: Any) -> tuple[Any, Any, Any]:
        """Numbers of the step that all variables share: those of m and g, and what corrects v."""
        step = self._steps_so_far()
        now, following, product = self._decayed(step), self._decayed(step + 1.0), self._product(step)
        self.assign(self._u_product, product)
        return (learning_rate * following / (1.0 - product * following), learning_rate * (1.0 - now) / (1.0 - product),
                1.0 / one_minus_power(self.beta_2, step))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, v: Any = 0.0) -> Any:
            m, v = m + (g - m) * 0.2, v + (g * g - v) * 0.1
            u, n = (0.8 * (1 - 0.5 * 0.96**s) for s in (t, t + 1))
            p = np.prod([0.8 * (1 - 0.5 * 0.96**s) for s in range(1, t + 1)])
            ahead = n * m / (1 - p * n) + (1 - u) * g / (1 - p)
            return w - 0.1 * ahead / (np.sqrt(v / (1 - 0.9**t)) + 1e-3), m, v

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)
