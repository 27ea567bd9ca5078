"""Learning rates that are computed in the graph from the number of updates made."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyml import ops
from pyml.core.narrow import in_32_bits
from pyml.errors import Undefined
from pyml.objects.common_part import CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import SCHEDULES
from pyml.objects.samples import Sample, sample
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.settings import default_float


class LearningRateSchedule(Configured, kind=SCHEDULES, abstract=True):
    """Base: write `__call__(step)` with ops; `step` is an int32 tensor, the result a float32 one.

    Raises:
        Undefined: A subclass does not define `__call__`.

    Source: `keras.optimizers.schedules.LearningRateSchedule`.

    Example:
        >>> class Halved(pyml.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** pyml.ops.cast(step, "float32")
        >>> round(float(Halved()(pyml.ops.convert_to_tensor(2))), 4)
        0.025
    """

    _common_part = CommonPart(
        "keras.optimizers.schedules",
        "Called with the number of a step, from 0 on, as a number or a tensor, it gives its learning rate, a float32 tensor `()`.",
        arguments={
            "initial_learning_rate": "The rate at step 0.",
            "decay_steps": "Number of steps after which the rate has decayed once.",
            "decay_rate": "How fast it decays.",
            "staircase": "Whether it stays the same within `decay_steps` steps.",
            "boundaries": "Steps at which the rate changes, in order.",
            "values": "Rates, one more than `boundaries`.",
            "name": "What configs call it.",
        },
        errors={
            "decay_steps": "ValueError: `decay_steps` is not positive.",
            "first_decay_steps": "ValueError: `first_decay_steps` is not positive.",
        })  # fmt: skip

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`; every subclass writes its own."""
        raise Undefined(f"{type(self).__name__} must define __call__(step).")


def in_floatx(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A rate that is computed in 32 bits, whose steps float16 cannot count, and then rounded to floatx."""

    @functools.wraps(call)
    def rounded(self: Any, step: Any) -> Any:
        dtype, rate = default_float(), in_32_bits(call, (self, step), {})
        return rate if dtype == "float32" else ops.cast(rate, dtype)

    return rounded


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; `staircase` rounds the exponent down.

    Example:
        >>> round(float(pyml.optimizers.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)(20)), 4)
        0.025
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
                 name: str = "ExponentialDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "ExponentialDecay")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    @in_floatx
    def __call__(self, step: Any) -> Any:
        power = ops.cast(step, "float32") / float(self.decay_steps)
        power = ops.floor(power) if self.staircase else power
        return self.initial_learning_rate * ops.exp(power * math.log(self.decay_rate))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, 10, 0.9), like=lambda t: 0.1 * 0.9 ** (t / 10))
        yield sample(cls(0.1, 10, 0.9, staircase=True), like=lambda t: 0.1 * 0.9 ** (t // 10))


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; `staircase` rounds the quotient down.

    Source: Robbins and Monro 1951, "A Stochastic Approximation Method".

    Example:
        >>> round(float(pyml.optimizers.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)(10)), 4)
        0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False,
                 name: str = "InverseTimeDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "InverseTimeDecay")
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    @in_floatx
    def __call__(self, step: Any) -> Any:
        share = ops.cast(step, "float32") / float(self.decay_steps)
        share = ops.floor(share) if self.staircase else share
        return self.initial_learning_rate / (1.0 + self.decay_rate * share)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, 10, 0.5), like=lambda t: 0.1 / (1 + 0.5 * t / 10))


class CosineDecayRestarts(LearningRateSchedule):
    """A cosine from `initial_learning_rate` down to `alpha` of it, again and again, each `t_mul` times as long and `m_mul` as high.

    Args:
        initial_learning_rate: The rate at step 0.
        first_decay_steps: Steps of the first fall.
        t_mul: How many times as long every fall is as the one before.
        m_mul: How many times as high.
        alpha: Least share of the rate.
        name: Name of the schedule.

    Source: Loshchilov and Hutter 2016, "SGDR: Stochastic Gradient Descent with Warm Restarts".

    Example:
        >>> round(float(pyml.optimizers.schedules.CosineDecayRestarts(0.1, first_decay_steps=10)(5)), 4)
        0.05
    """

    def __init__(self, initial_learning_rate: float, first_decay_steps: int, t_mul: float = 2.0, m_mul: float = 1.0, alpha: float = 0.0,
                 name: str = "SGDRDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(first_decay_steps, "CosineDecayRestarts", "first_decay_steps")
        self._t_mul = t_mul
        self._m_mul = m_mul
        self.alpha = alpha
        self.name = name

    @in_floatx
    def __call__(self, step: Any) -> Any:
        done = ops.cast(step, "float32") / float(self.first_decay_steps)
        if self._t_mul == 1.0:
            restarts = ops.floor(done)
            done = done - restarts
        else:
            restarts = ops.floor(ops.log(1.0 - done * (1.0 - self._t_mul)) / math.log(self._t_mul))
            length = ops.power(self._t_mul, restarts)
            done = (done - (1.0 - length) / (1.0 - self._t_mul)) / length
        height = 0.5 * ops.power(self._m_mul, restarts) * (1.0 + ops.cos(math.pi * done))
        return self.initial_learning_rate * ((1.0 - self.alpha) * height + self.alpha)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(t: int) -> float:
            start, length, height = 0.0, 10.0, 1.0
            while t >= start + length:
                start, length, height = start + length, length * 2.0, height * 0.8
            return 0.1 * (0.9 * 0.5 * height * (1 + math.cos(math.pi * (t - start) / length)) + 0.1)

        yield sample(cls(0.1, 10, m_mul=0.8, alpha=0.1), like=like)
        yield sample(cls(0.1, 12, t_mul=1.0))


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and so on.

    Raises:
        ValueError: There is not one value more than boundaries.

    Example:
        >>> round(float(pyml.optimizers.schedules.PiecewiseConstantDecay([5, 15], [1.0, 0.5, 0.1])(6)), 4)
        0.5
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: values must hold one more number than boundaries. "
                f"Received: {len(boundaries)} boundaries and {len(values)} values."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    @in_floatx
    def __call__(self, step: Any) -> Any:
        rate = ops.cast(self.values[-1], "float32")
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = ops.where(ops.less_equal(step, boundary), value, rate)
        return rate

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls([5, 15], [1.0, 0.5, 0.1]), like=lambda t: 1.0 if t <= 5 else 0.5 if t <= 15 else 0.1)


class CosineDecay(LearningRateSchedule):
    """An optional linear rise to `warmup_target`, then half a cosine down to `alpha` times the rate.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps of the fall.
        alpha: Share of the highest rate that is left at the end.
        warmup_target: The rate after the rise; None leaves the rise out.
        warmup_steps: Steps of the rise.

    Source: Loshchilov and Hutter 2016, "SGDR".

    Example:
        >>> round(float(pyml.optimizers.schedules.CosineDecay(0.1, decay_steps=10)(5)), 4)
        0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0, name: str = "CosineDecay",
                 warmup_target: float | None = None, warmup_steps: int = 0) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "CosineDecay")
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    @in_floatx
    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        top = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        warmup = float(self.warmup_steps) if self.warmup_target is not None else 0.0
        done = ops.clip((step - warmup) / float(self.decay_steps), 0.0, 1.0)
        rate = top * ((1 - self.alpha) * 0.5 * (1.0 + ops.cos(math.pi * done)) + self.alpha)
        if not warmup:
            return rate
        rise = self.initial_learning_rate + (top - self.initial_learning_rate) * step / warmup
        return ops.where(step < warmup, rise, rate)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, 20, alpha=0.1), like=lambda t: 0.1 * (0.45 * (1 + math.cos(math.pi * min(t / 20, 1))) + 0.1))
        yield sample(cls(0.0, 20, warmup_target=0.1, warmup_steps=5))


class PolynomialDecay(LearningRateSchedule):
    """From the initial to the last rate along `(1 - step / decay_steps) ** power`.

    Args:
        initial_learning_rate: The rate at step 0.
        decay_steps: Steps of the fall.
        end_learning_rate: The rate from then on.
        power: 1 is a straight line.
        cycle: Whether, after the end, the fall is stretched to the next multiple of `decay_steps`.

    Example:
        >>> round(float(pyml.optimizers.schedules.PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)(5)), 4)
        0.05
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, end_learning_rate: float = 0.0001, power: float = 1.0,
                 cycle: bool = False, name: str = "PolynomialDecay") -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(decay_steps, "PolynomialDecay")
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    @in_floatx
    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        steps: Any = float(self.decay_steps)
        if self.cycle:
            steps = steps * ops.maximum(1.0, ops.ceil(step / steps))
        else:
            step = ops.minimum(step, steps)
        left = ops.maximum(1.0 - step / steps, 0.0)
        shape = left if self.power == 1 else ops.power(left, float(self.power))
        return (self.initial_learning_rate - self.end_learning_rate) * shape + self.end_learning_rate

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, 20, 0.01, power=2.0), like=lambda t: 0.09 * (1 - min(t, 20) / 20) ** 2 + 0.01)
        yield sample(cls(0.1, 8, cycle=True))


def positive(steps: int, owner: str, name: str = "decay_steps") -> int:
    """`steps`, which must be positive."""
    if steps <= 0:
        raise ValueError(f"{owner}: {name} must be positive. Received: {name}={steps}")
    return steps


def serialize(learning_rate_schedule: Any) -> Any:
    """The config dict of a `learning_rate_schedule`, for `deserialize`.

    Example:
        >>> pyml.optimizers.schedules.serialize(pyml.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))["class_name"]
        'ExponentialDecay'
    """
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a `config` that `serialize` returned; `custom_objects` are your own classes and functions by name.

    Example:
        >>> config = pyml.optimizers.schedules.serialize(pyml.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
        >>> pyml.optimizers.schedules.deserialize(config).decay_steps
        10
    """
    return deserialize_keras_object(config, custom_objects, kind=SCHEDULES)


__all__ = ["CosineDecay", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule", "PiecewiseConstantDecay",
           "PolynomialDecay", "deserialize", "serialize"]
