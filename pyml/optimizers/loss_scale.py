"""Losses that are scaled up so that small gradients are not lost, by a factor that finds itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyml import initializers, ops
from pyml.core import Tensor, Variable
from pyml.objects.samples import Sample, sample
from pyml.optimizers.adam import Adam
from pyml.optimizers.base import Optimizer

__all__ = ["LossScaleOptimizer"]


class LossScaleOptimizer(Optimizer):
    """Another optimizer with a loss scale that halves where gradients overflow, and doubles after steps in which none did.

    Args:
        inner_optimizer: The optimizer that moves the weights. Where a gradient is not finite it is left as it was.
        initial_scale: The first scale.
        dynamic_growth_steps: Steps without overflow after which the scale doubles.
        name: Name of the optimizer.

    Raises:
        TypeError: `inner_optimizer` is not an optimizer.
        ValueError: An argument of other optimizers was given; it belongs to `inner_optimizer`.

    Source: Micikevicius et al. 2017, "Mixed Precision Training".

    Example:
        >>> optimizer = pyml.optimizers.LossScaleOptimizer(pyml.optimizers.SGD(0.5), initial_scale=4.0)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])     # 1 - 0.5 * 2 / 4
        >>> float(w.numpy())
        0.75
    """

    def __init__(self, inner_optimizer: Optimizer, initial_scale: float = 2.0**15, dynamic_growth_steps: int = 2000,
                 name: str | None = None, **kwargs: Any) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError("LossScaleOptimizer: dynamic=False is gone; set loss_scale_factor of the inner optimizer instead.")
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"LossScaleOptimizer: inner_optimizer must be an optimizer. Received: inner_optimizer={inner_optimizer!r}")
        unset = {"use_ema": False, "ema_momentum": 0.99}
        wrong = [key for key, value in kwargs.items() if value != unset.get(key)]
        if wrong:
            raise ValueError(f"LossScaleOptimizer: does not take {', '.join(wrong)}; give it to the inner optimizer.")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None       # else gradients were scaled twice
        # there before `build`, since a step asks for the scale before it has gradients: a number would stay in its program
        self.step_counter = self.add_variable((), "zeros", "int32", name="step_counter")
        self.dynamic_scale = self.add_variable((), initializers.Constant(self.initial_scale), "float32", name="dynamic_scale")

    def build(self, variables: list[Variable]) -> None:
        if self.built:
            return
        self.inner_optimizer.build(list(variables))
        super().build(variables)

    @property
    def variables(self) -> list[Variable]:
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    @property
    def host_learning_rate(self) -> float:
        return self.inner_optimizer.host_learning_rate

    def scale_loss(self, loss: Any) -> Any:
        return loss * self.dynamic_scale

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def check_finite(self, grads: Iterable[Tensor | None]) -> Tensor:
        """Whether all elements of all gradients, `grads`, are finite, a bool tensor `()`; subclasses may answer otherwise."""
        return all_finite([g for g in grads if g is not None])

    def apply(self, grads: Iterable[Tensor | None], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Updates the variables where all gradients are finite, and moves the scale."""
        grads = list(grads)
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if not self.built:
            self.build(variables)
        finite = self.check_finite(grads)
        touched = [*self.inner_optimizer.variables, *variables]
        before = [ops.convert_to_tensor(v) for v in touched]
        # the scale is that of finite gradients: so all of an update waits for the answer, and is one kernel behind it
        back = ops.where(finite, 1.0 / self.dynamic_scale, 0.0)
        unscaled = [g if g is None or v.overwrite_with_gradient else g * back for g, v in zip(grads, variables, strict=True)]
        self.inner_optimizer.apply(unscaled, variables)
        for variable, old in zip(touched, before, strict=True):
            new = ops.convert_to_tensor(variable)
            if new._node is not old._node:                 # a rate, say, is not written
                variable.assign(ops.where(finite, new, old))
        full = ops.equal(self.step_counter, self.dynamic_growth_steps - 1)
        grown = self.dynamic_scale * ops.where(full, 2.0, 1.0)
        counted = ops.where(full, 0, self.step_counter + 1)
        self.dynamic_scale.assign(ops.where(finite, grown, self.dynamic_scale * 0.5))
        self.step_counter.assign(ops.where(finite, counted, 0))

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(Adam(0.1), initial_scale=8.0, dynamic_growth_steps=2))


_SMALL = 1 << 14  # elements of a gradient that one kernel reads beside others
_TOGETHER = 6  # gradients that it reads: more would be copied first, as a kernel has eight buffers


def all_finite(gradients: list[Tensor]) -> Tensor:
    """Whether all elements of all gradients are finite numbers; small gradients are looked at together."""
    small = [ops.reshape(g, (-1,)) for g in gradients if g.size <= _SMALL]
    groups = [ops.concatenate(small[i : i + _TOGETHER]) for i in range(0, len(small), _TOGETHER)]
    finite = ops.convert_to_tensor(True)
    for part in (*groups, *(g for g in gradients if g.size > _SMALL)):
        finite = ops.logical_and(finite, ops.all(ops.isfinite(part)))
    return finite
