"""Muon: steps of matrices that turn all directions alike."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import one_minus_power
from pyml.optimizers.base import LearningRate, Optimizer

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum whose step is made orthogonal, for matrices; Adam with weight decay for everything else.

    Args:
        learning_rate: A float, a schedule or a function.
        adam_beta_1, adam_beta_2: Share of Adam's old means kept per step.
        adam_weight_decay: Weight decay of what Adam moves.
        epsilon: Added to Adam's root.
        exclude_layers: Patterns of paths whose matrices Adam moves.
        exclude_embeddings: Adam moves what has `embedding` in its path.
        muon_a, muon_b, muon_c: The polynomial of Newton and Schulz.
        adam_lr_ratio: Adam's learning rate by that of Muon.
        momentum: Share of the old momentum kept per step.
        ns_steps: Times that the polynomial is applied.
        nesterov: Look ahead along the momentum.
        rms_rate: Scale of a step by the root of the longer side; None for none.
        Others: see `Optimizer`.

    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al. 2025 for its scale.

    Example:
        >>> optimizer = pyml.optimizers.Muon(learning_rate=0.1, rms_rate=None, weight_decay=None)
        >>> w = pyml.Variable([[1.0, 0.0], [0.0, 1.0]])
        >>> optimizer.apply([pyml.ops.eye(2)], [w])                     # about learning_rate in every direction
        >>> bool(0.85 < w.numpy()[0, 0] < 0.95)
        True
    """

    def __init__(self, learning_rate: LearningRate = 0.001, adam_beta_1: float = 0.9, adam_beta_2: float = 0.999,
                 adam_weight_decay: float | None = 0.004, epsilon: float = 1e-7, weight_decay: float | None = 0.004,
                 clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
                 use_ema: bool = False, ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None,
                 loss_scale_factor: float | None = None, gradient_accumulation_steps: int | None = None, name: str | None = None,
                 exclude_layers: Sequence[str] | None = None, exclude_embeddings: bool = True, muon_a: float = 3.4445,
                 muon_b: float = -4.775, muon_c: float = 2.0315, adam_lr_ratio: float = 1, momentum: float = 0.95,
                 ns_steps: int = 5, nesterov: bool = True, rms_rate: float | None = 0.2, **kwargs: Any) -> None:
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _by_adam(self, variable: Variable) -> bool:
        path = str(getattr(variable, "path", None) or variable.name or "")
        if len(variable.shape) != 2 or (self.exclude_embeddings and "embedding" in path.lower()):
            return True
        return any(re.search(pattern, path) for pattern in self.exclude_layers)

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums: list[Variable] = []
        self.adam_velocities: list[Variable | None] = []
        for variable in variables:
            self.momentums.append(self.add_variable_from_reference(variable, "momentum"))
            self.adam_velocities.append(self.add_variable_from_reference(variable, "velocity") if self._by_adam(variable) else None)

    def _update_all(self, grads: list[Tensor], variables: list[Variable], learning_rate: Any) -> None:
        """Matrices of the same shape go through the products together."""
        alike: dict[tuple[int, ...], list[tuple[Tensor, Variable]]] = {}
        for gradient, variable in zip(grads, variables, strict=True):
            if self.adam_velocities[self._get_variable_index(variable)] is None:
                alike.setdefault(tuple(variable.shape), []).append((gradient, variable))
            else:
                self.update_step(gradient, variable, learning_rate)
        for shape, pairs in alike.items():
            together = max(1, _TOGETHER // max(1, shape[0] * shape[1]))
            for at in range(0, len(pairs), together):
                self._update_matrices(pairs[at : at + together], learning_rate)

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        m, v = self.momentums[index], self.adam_velocities[index]
        if v is None:
            return self._update_matrices([(gradient, variable)], learning_rate)
        t = self._steps_so_far
        rate = self._once_in_step("rate", lambda: learning_rate * self.adam_lr_ratio
                          * ops.sqrt(one_minus_power(self.adam_beta_2, t())) / one_minus_power(self.adam_beta_1, t()))
        new_m = m + (gradient - m) * (1 - self.adam_beta_1)
        new_v = v + (ops.square(gradient) - v) * (1 - self.adam_beta_2)
        self.assign(m, new_m)
        self.assign(v, new_v)
        self.assign_sub(variable, new_m * rate / (ops.sqrt(new_v) + self.epsilon))
        return None

    def _update_matrices(self, pairs: list[tuple[Tensor, Variable]], learning_rate: Any) -> None:
        """Moves matrices of the same shape."""
        steps = []
        for gradient, variable in pairs:
            m = self.momentums[self._get_variable_index(variable)]
            new_m = m * self.momentum + gradient
            self.assign(m, new_m)
            steps.append(gradient + self.momentum * new_m if self.nesterov else new_m)
        together = len(steps) > 1
        turned = self.zeropower_via_newtonschulz5(ops.stack(steps) if together else steps[0], self.ns_steps)
        for step, (_, variable) in zip(ops.unstack(turned) if together else [turned], pairs, strict=True):
            self.assign_sub(variable, learning_rate * self.lr_adjust(step))

    def lr_adjust(self, x: Tensor) -> Tensor:
        """A matrix scaled so that Muon takes the learning rate and weight decay of Adam: by `rms_rate` times the root of its longer side.

        Args:
            x: A matrix, of the step or of the step times the learning rate.

        Returns:
            `x * rms_rate * sqrt(max(rows, columns))`; `x` where `rms_rate` is None.

        Source: Liu et al. 2025, "Muon is scalable for LLM training".

        Example:
            >>> pyml.optimizers.Muon(rms_rate=0.5).lr_adjust(pyml.ops.ones((1, 4))).tolist()
            [[1.0, 1.0, 1.0, 1.0]]
        """
        return x if self.rms_rate is None else x * (self.rms_rate * float(max(x.shape[0], x.shape[1])) ** 0.5)

    def transpose_last_axis(self, X: Tensor) -> Tensor:
        """`X` with its last two axes swapped.

        Args:
            X: A tensor of at least two axes.

        Example:
            >>> pyml.optimizers.Muon().transpose_last_axis(pyml.ops.ones((5, 2, 3))).shape
            (5, 3, 2)
        """
        return ops.swapaxes(X, -1, -2)

    def zeropower_via_newtonschulz5(self, x: Tensor, steps: int) -> Tensor:
        """About the orthogonal matrices nearest to those of `x`, by the iteration of Newton and Schulz.

        Args:
            x: `(..., rows, columns)`; all matrices go through the products together.
            steps: Times that the polynomial with `muon_a`, `muon_b` and `muon_c` is applied.

        Returns:
            The shape of `x`; singular values lie around 1, which is near enough for steps of an optimizer.

        Raises:
            ValueError: `x` has fewer than two axes.

        Example:
            >>> turned = pyml.optimizers.Muon().zeropower_via_newtonschulz5(pyml.ops.diag([3.0, 2.0]), 5)
            >>> bool(abs(turned.numpy() - np.eye(2)).max() < 0.35)
            True
        """
        shape = tuple(x.shape)
        if len(shape) < 2:
            raise ValueError(f"Expected gradient or momentum to have at least 2 dimensions. Received: shape={shape}")
        least, most = sorted(shape[-2:])
        tall = shape[-2] > least
        product = _sums if math.prod(shape[:-2]) * least * least * most <= _TINY else ops.matmul
        x = x / (ops.sqrt(ops.sum(ops.square(x), axis=(-2, -1), keepdims=True)) + 1e-7)
        for _ in range(steps):
            turned = self.transpose_last_axis(x)
            a = product(turned, x) if tall else product(x, turned)  # the smaller square of both
            factor = self.muon_b * a + self.muon_c * product(a, a)
            x = self.muon_a * x + (product(x, factor) if tall else product(factor, x))
        return x

    def _apply_weight_decay(self, variables: list[Variable]) -> None:
        learning_rate = self.learning_rate
        for variable in variables:
            decay = self.adam_weight_decay if self._by_adam(variable) else self.weight_decay
            if decay is not None and self._use_weight_decay(variable):
                variable.assign(variable - variable * decay * learning_rate)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, adam_beta_1=0.8, adam_weight_decay=None, exclude_layers=["head"]))


_TOGETHER = 1 << 22  # elements of matrices that are multiplied at once: more gain nothing, and would all lie in memory
_TINY = 4096  # multiply-adds of a product that is not a kernel of its own but one of several in a workgroup


def _sums(a: Tensor, b: Tensor) -> Tensor:
    """The product of small matrices as sums, which need no whole tiles."""
    return ops.sum(ops.expand_dims(a, -1) * ops.expand_dims(b, -3), axis=-2)
