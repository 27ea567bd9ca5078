"""Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments, OtherArguments

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by the mean of the gradient over the root of the mean of its square, both corrected for their start.

    For a weight w with gradient g, at step t = 1, 2, ...:

        m = m + (g - m) * (1 - beta_1)
        v = v + (g^2 - v) * (1 - beta_2)
        w = w - rate * m / (sqrt(v) + epsilon),  rate = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t)

    With `amsgrad` the largest v so far takes the place of v.

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1, beta_2: Share of the old means m and v kept per step.
        epsilon: Added to the root.
        amsgrad: Divide by the largest root so far.
        Others: see `Optimizer`.

    Source: Kingma and Ba 2014, "Adam: A Method for Stochastic Optimization"; Reddi et al. 2018 for AMSGrad.

    Example:
        >>> optimizer = pyml.optimizers.Adam(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])     # the first step goes by learning_rate
        >>> round(float(w.numpy()), 4)
        0.9
    """

    def __init__(self, learning_rate: LearningRate = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7,
                 amsgrad: bool = False, *args: Any, **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self._rates: dict[int, tuple[Any, Tensor]] | None = None     # of the step under way, by their learning rate

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def _update_variables(self, grads: list[Tensor], variables: list[Variable]) -> None:
        self._rates = {}
        super()._update_variables(grads, variables)
        self._rates = None

    def _rate(self, learning_rate: Any) -> Tensor:
        """The corrected learning rate, made once for all variables of a step."""
        known = {} if self._rates is None else self._rates
        if id(learning_rate) not in known:
            t = ops.cast(self.iterations + 1, "float32")
            rate = learning_rate * ops.sqrt(one_minus_power(self.beta_2, t)) / one_minus_power(self.beta_1, t)
            known[id(learning_rate)] = (learning_rate, rate)         # kept, so that no other takes its id
        return known[id(learning_rate)][1]

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        g, rate = gradient, self._rate(learning_rate)
        m, v = self._momentums[index], self._velocities[index]
        new_m = m + (g - m) * (1 - self.beta_1)
        new_v = v + (ops.square(g) - v) * (1 - self.beta_2)
        self.assign(m, new_m)
        self.assign(v, new_v)
        if self.amsgrad:
            largest = self._velocity_hats[index]
            new_v = ops.maximum(largest, new_v)
            self.assign(largest, new_v)
        self.assign_sub(variable, new_m * rate / (ops.sqrt(new_v) + self.epsilon))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, v: Any = 0.0) -> Any:
            m, v = m + (g - m) * 0.2, v + (g * g - v) * 0.1
            rate = 0.1 * np.sqrt(1 - 0.9**t) / (1 - 0.8**t)
            return w - rate * m / (np.sqrt(v) + 1e-3), m, v

        yield sample(cls(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3), like=like)
        yield sample(cls(0.1, amsgrad=True))


class AdamW(Adam):
    """Adam with decoupled weight decay: before each step, `w = w - w * weight_decay * learning_rate`.

    Arguments as for `Adam`; `weight_decay` must be a number.

    Raises:
        ValueError: `weight_decay` is None.

    Source: Loshchilov and Hutter 2017, "Decoupled Weight Decay Regularization".

    Example:
        >>> optimizer = pyml.optimizers.AdamW(learning_rate=0.1, weight_decay=0.5)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])     # 1 - 1 * 0.5 * 0.1 - 0.1
        >>> round(float(w.numpy()), 4)
        0.85
    """

    def __init__(self, learning_rate: LearningRate = 0.001, weight_decay: float = 0.004, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-7, amsgrad: bool = False, *args: Any, **kwargs: Unpack[OtherArguments]) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, *args, **kwargs)
        if self.weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; use Adam for none.")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, m: Any = 0.0, v: Any = 0.0) -> Any:
            m, v = m + (g - m) * 0.1, v + (g * g - v) * 0.001
            rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            return w - 0.1 * 0.5 * w - rate * m / (np.sqrt(v) + 1e-7), m, v

        yield sample(cls(0.1, weight_decay=0.5), like=like)


def one_minus_power(base: float, exponent: Tensor) -> Any:
    """`1 - base**exponent` for a Python `base` in `[0, 1)` and a tensor `exponent` >= 1; exact for small ones, too."""
    return -ops.expm1(exponent * math.log(base)) if base > 0 else 1.0
