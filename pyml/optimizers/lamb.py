"""Optimizers whose steps do not depend on the scale of the gradients: Lamb and Lion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import one_minus_power
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments
from pyml.optimizers.moments import TwoMoments
from pyml.optimizers.parts import in_one_place

__all__ = ["Lamb", "Lion"]


class Lamb(TwoMoments):
    """Adam whose step is as long as a share of the weights, for large batches.

    For a weight w with gradient g, at step t = 1, 2, ...:

        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
        w = w - learning_rate * |w| / |u| * u

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1, beta_2: Share of the old means m and v kept per step.
        epsilon: Added to the root.
        Others: see `Optimizer`.

    Source: You et al. 2019, "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes".

    Example:
        >>> optimizer = pyml.optimizers.Lamb(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9
    """

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        new_m, new_v = self._moved(variable, gradient)
        t = self._steps_so_far
        by_first, second, rate = self._once_in_step("numbers", lambda: in_one_place(
            1.0 / one_minus_power(self.beta_1, t()), one_minus_power(self.beta_2, t()), learning_rate))  # fmt: skip
        update = new_m / (ops.sqrt(new_v / second) + self.epsilon)  # 1 - beta_1^t times u: its length is divided away
        mine, its = (ops.sqrt(ops.sum(ops.square(x))) for x in (variable, update))
        both = ops.logical_and(mine > 0, its > 0)
        ratio = ops.where(both, mine / ops.where(both, its, 1.0), by_first)
        self.assign_sub(variable, ratio * rate * update)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, v: Any = 0.0) -> Any:
            m, v = m + (g - m) * 0.2, v + (g * g - v) * 0.1
            u = m / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
            return w - 0.1 * np.linalg.norm(w) / np.linalg.norm(u) * u, m, v

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)


class Lion(Optimizer):
    """Steps of equal length, by the sign of the mean gradient: one state per weight.

    For a weight w with gradient g, at step t = 1, 2, ...:

        w = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)
        m = beta_2 * m + (1 - beta_2) * g

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1: Share of m in the step, in (0, 1].
        beta_2: Share of the old m kept per step.
        Others: see `Optimizer`.

    Raises:
        ValueError: `beta_1` is not in `(0, 1]`.

    Source: Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms".

    Example:
        >>> optimizer = pyml.optimizers.Lion(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9
    """

    def __init__(self, learning_rate: LearningRate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Lion: beta_1 must lie in (0, 1]. Received: beta_1={beta_1}")
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, g = self._momentums[index], gradient
        step = ops.sign(m * self.beta_1 + g * (1.0 - self.beta_1))
        self.assign(m, m * self.beta_2 + g * (1.0 - self.beta_2))
        self.assign_sub(variable, learning_rate * step)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0) -> Any:
            return w - 0.1 * np.sign(0.8 * m + 0.2 * g), 0.9 * m + 0.1 * g

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9), like=like)
