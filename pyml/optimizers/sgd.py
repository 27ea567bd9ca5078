"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent. For a weight w with gradient g:

        w = w - learning_rate * g

    or with momentum, and with `nesterov`, which looks ahead:

        m = momentum * m - learning_rate * g
        w = w + m,  or  w = w + momentum * m - learning_rate * g

    Args:
        learning_rate: A float, a schedule or a function.
        momentum: Share of the last step kept, in `[0, 1]`.
        nesterov: Look ahead.
        Others: see `Optimizer`.

    Raises:
        ValueError: `momentum` is not in `[0, 1]`.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum".

    Example:
        >>> optimizer = pyml.optimizers.SGD(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.8
    """

    def __init__(self, learning_rate: LearningRate = 0.01, momentum: float = 0.0, nesterov: bool = False, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be a number in [0, 1]. Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def _state_of_keras_2(self, kept: list[Any]) -> list[Any]:
        return kept if self.momentum or np.shape(kept[1:2]) == (1,) else kept[:1]              # it keeps momentums that it never uses

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        step = gradient * learning_rate
        if not self.momentum:
            self.assign_sub(variable, step)
            return
        m = self.momentums[self._get_variable_index(variable)]
        new_m = m * self.momentum - step
        self.assign(m, new_m)
        self.assign_add(variable, new_m * self.momentum - step if self.nesterov else new_m)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def nesterov(w: Any, g: Any, t: int, m: Any = 0.0) -> Any:
            m = 0.9 * m - 0.1 * g
            return w + 0.9 * m - 0.1 * g, m

        yield sample(cls(0.1), like=lambda w, g, t: (w - 0.1 * g,))
        yield sample(cls(0.1, momentum=0.9, nesterov=True), like=nesterov)
        yield sample(cls(0.1, weight_decay=0.5, clipvalue=0.2), like=lambda w, g, t: (w - 0.1 * (0.5 * w + np.clip(g, -0.2, 0.2)),))
