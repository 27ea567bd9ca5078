"""AdamW without a schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import one_minus_power
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """AdamW that needs no schedule: the weights are between the fast ones z and their mean x.

    For a weight w with gradient g, at step t = 1, 2, ...:

        v = v + (g^2 - v) * (1 - beta_2)
        z = z - learning_rate * min(t / warmup_steps, 1) * g / (sqrt(v / (1 - beta_2^t)) + epsilon)
        x = (1 - 1/t) * x + 1/t * z
        w = (1 - beta_1) * z + beta_1 * x

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1: Share of the mean in the weights.
        beta_2: Share of the old mean square kept per step.
        epsilon: Added to the root.
        warmup_steps: Steps in which the rate grows from 0.
        Others: see `Optimizer`.

    Source: Defazio et al. 2024, "The Road Less Scheduled".

    Example:
        >>> optimizer = pyml.optimizers.ScheduleFreeAdamW(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9
    """

    def __init__(self, learning_rate: LearningRate = 0.0025, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-8, warmup_steps: int = 0, *args: Any, **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        for momentum, variable in zip(self._momentums, variables, strict=True):
            momentum.assign(ops.convert_to_tensor(variable))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        z, v, g = self._momentums[index], self._velocities[index], gradient
        new_v = v + (ops.square(g) - v) * (1 - self.beta_2)
        corrected = self._once_in_step("corrected", lambda: one_minus_power(self.beta_2, self._steps_so_far()))
        rate = self._once_in_step("rate", lambda: self._warm(learning_rate))
        share = self._once_in_step("share", lambda: 1.0 / self._steps_so_far())
        new_z = z - rate * g / (ops.sqrt(new_v / corrected) + self.epsilon)
        x = (variable - (1 - self.beta_1) * z) / self.beta_1
        new_x = (1.0 - share) * x + share * new_z
        self.assign(v, new_v)
        self.assign(z, new_z)
        self.assign(variable, (1 - self.beta_1) * new_z + self.beta_1 * new_x)

    def _warm(self, learning_rate: Any) -> Any:
        return learning_rate * ops.minimum(self._steps_so_far() / self.warmup_steps, 1.0) if self.warmup_steps > 0 else learning_rate

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, z: Any = None, v: Any = 0.0) -> Any:
            z = w if z is None else z
            v = v + (g * g - v) * 0.1
            x = (w - 0.2 * z) / 0.8
            z = z - 0.1 * min(t / 3, 1) * g / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
            x = (1 - 1 / t) * x + z / t
            return 0.2 * z + 0.8 * x, z, v

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3, warmup_steps=3), like=like)
