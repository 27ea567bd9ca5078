"""Adafactor: little state for large matrices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.base import LearningRate, Optimizer, OptimizerArguments
from pyml.optimizers.parts import in_one_place

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adam with a row and a column in the place of a matrix of squares, and steps in the scale of the weights.

    For a weight w with gradient g, at step t = 1, 2, ...:

        b = 1 - t^beta_2_decay
        r, c = b * r + (1 - b) * the means of (g^2 + epsilon_1) over columns and rows; v = r * c / mean(r)
        u = g / sqrt(v), at most of the root mean square clip_threshold
        w = w - max(epsilon_2, rms(w)) * min(learning_rate, 1 / sqrt(t)) * u

    Args:
        learning_rate: A float, a schedule or a function.
        beta_2_decay: How fast the means forget less.
        epsilon_1: Added to the squares.
        epsilon_2: Least scale of the weights.
        clip_threshold: Largest root mean square of a step.
        relative_step: The rate falls by 1 / sqrt(t).
        Others: see `Optimizer`.

    Source: Shazeer and Stern 2018, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost".

    Example:
        >>> optimizer = pyml.optimizers.Adafactor(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.9
    """

    def __init__(self, learning_rate: LearningRate = 0.001, beta_2_decay: float = -0.8, epsilon_1: float = 1e-30,
                 epsilon_2: float = 1e-3, clip_threshold: float = 1.0, relative_step: bool = True, *args: Any,
                 **kwargs: Unpack[OptimizerArguments]) -> None:
        super().__init__(learning_rate, *args, **kwargs)
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._r: list[Variable] = []
        self._c: list[Variable] = []
        self._v: list[Variable] = []
        for variable in variables:
            shape = tuple(variable.shape)
            if len(shape) < 2:                         # numbers that nothing reads: files have them
                self._r.append(self.add_variable((), dtype="int32", name=variable.name))
                self._c.append(self.add_variable((), dtype="int32", name=variable.name))
            else:
                self._r.append(self.add_variable(shape[:-1], dtype=variable.dtype, name=variable.name))
                self._c.append(self.add_variable((*shape[:-2], shape[-1]), dtype=variable.dtype, name=variable.name))
            self._v.append(self.add_variable_from_reference(variable, "velocity"))

    def _state_of_keras_2(self, kept: list[Any]) -> list[Any]:
        left, unread = iter(kept[1:]), {id(variable) for variable in (*self._r, *self._c) if not variable.shape}
        own = [variable for variable in self.variables if variable is not self._iterations and variable is not self._learning_rate]
        return [*kept[:1], *[0 if id(variable) in unread else next(left, None) for variable in own], *left]  # it has no unread ones

    def _numbers(self, learning_rate: Any) -> list[Tensor]:
        """What is kept of the old means, what is taken of the new ones, and the rate."""
        t = self._steps_so_far()
        kept = 1.0 - ops.exp(ops.log(t) * self.beta_2_decay)
        return in_one_place(kept, 1.0 - kept, ops.minimum(learning_rate, ops.rsqrt(t)))

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        g, v = gradient, self._v[index]
        kept, new, rate = self._once_in_step("numbers", lambda: self._numbers(learning_rate))
        squares = ops.square(g) + self.epsilon_1
        if len(variable.shape) >= 2:
            r, c = self._r[index], self._c[index]
            new_r = kept * r + new * ops.mean(squares, axis=-1)
            new_c = kept * c + new * ops.mean(squares, axis=-2)
            self.assign(r, new_r)
            self.assign(c, new_c)
            new_v = ops.expand_dims(new_r / ops.mean(new_r, axis=-1, keepdims=True), -1) * ops.expand_dims(new_c, -2)
        else:
            new_v = kept * v + new * squares
        self.assign(v, new_v)
        update = g / ops.sqrt(new_v)
        update = update / ops.maximum(1.0, root_mean_square(update) / self.clip_threshold)
        self.assign_sub(variable, ops.maximum(self.epsilon_2, root_mean_square(variable)) * rate * update)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(w: Any, g: Any, t: int, v: Any = 0.0) -> Any:
            kept = 1 - t**-0.7
            v = kept * v + (1 - kept) * (g * g + 1e-3)
            u = g / np.sqrt(v)
            u = u / max(1, np.sqrt((u * u).mean()) / 0.9)
            return w - max(1e-2, np.sqrt((w * w).mean())) * min(0.6, t**-0.5) * u, v

        yield sample(cls(0.6, beta_2_decay=-0.7, epsilon_1=1e-3, epsilon_2=1e-2, clip_threshold=0.9), like=like)


def root_mean_square(x: Any) -> Any:
    """The root of the mean of the squares."""
    return ops.sqrt(ops.mean(ops.square(x)))
