"""Layers that only act while training: Dropout and noise; and penalties of activations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops, random, regularizers
from pyml.core import Tensor
from pyml.layers.activation import _SameShape
from pyml.layers.input_spec import InputSpec
from pyml.layers.windows import laid_out, standard_data_format
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D",
]


def share_of_one(value: Any, name: str | None, owner: str) -> float:
    """`value`, which must be a number from 0 to 1, also one of numpy's, which becomes Python's, as configs hold those."""
    value = value.item() if isinstance(value, np.generic) else value
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"{owner}: {name} must be a number in [0, 1]. Received: {name}={value!r}")
    return value


class _Random(_SameShape):
    """A layer that draws numbers while it trains, if at all."""

    def __init__(self, seed: int | None, draws: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.supports_masking = True
        if draws:
            self.seed_generator = random.SeedGenerator(seed)
        self._build_at_init()


def _sizes(noise_shape: Any, owner: str) -> tuple[int | None, ...] | None:
    """`noise_shape` as a tuple; None stays None.

    Raises:
        ValueError: It holds something else than positive integers and None.
    """
    if noise_shape is None:
        return None
    sizes = None if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__") else tuple(noise_shape)
    if sizes is None or any(n is not None and (not isinstance(n, int) or n < 1) for n in sizes):
        raise ValueError(f"{owner}: noise_shape must hold positive integers or None. Received: noise_shape={noise_shape!r}")
    return sizes


class Dropout(_Random):
    """While training, sets a share of the inputs to 0 and scales the rest up; otherwise the inputs unchanged.

    Args:
        rate: Share that is dropped, in `[0, 1]`.
        noise_shape: Shape of the mask; sizes of 1 share one decision along that axis.
        seed: Integer seed.

    Input shape: any. Output shape: the same.

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".

    Example:
        >>> layer = pyml.layers.Dropout(0.5, seed=1)
        >>> layer(np.ones((1, 4), "float32")).numpy().tolist()           # not training: unchanged
        [[1.0, 1.0, 1.0, 1.0]]
        >>> sorted(set(layer(np.ones((9, 9)), training=True).numpy().ravel().tolist()))
        [0.0, 2.0]
    """

    _integers_give_float32 = True

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any) -> None:
        rate = share_of_one(rate, "rate", type(self).__name__)
        super().__init__(seed, rate > 0, **kwargs)
        self.rate = rate
        self.noise_shape = _sizes(noise_shape, type(self).__name__)

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return inputs * 0.0
        shape = self.noise_shape
        if shape is not None:
            shape = tuple(n if m is None else m for m, n in zip(shape, inputs.shape, strict=True))
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3, seed=4), draw(2, 3), like=lambda x: x)


class SpatialDropout1D(Dropout, not_in_config=("trainable",)):  # Keras' own refuses it
    """Dropout of whole channels of sequences.

    Args:
        rate: Share that is dropped, in `[0, 1]`.
        seed: Integer seed.

    Input shape: `(batch, steps, channels)`. Output shape: the same.

    Example:
        >>> x = pyml.layers.SpatialDropout1D(0.5, seed=1)(np.ones((1, 3, 8)), training=True).numpy()
        >>> bool((x == x[:, :1]).all())
        True

    Source: Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks".
    """

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(rate, noise_shape=(None, 1, None), seed=seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), draw(2, 3, 4), like=lambda x: x)


class SpatialDropout2D(Dropout, not_in_config=("trainable",)):
    """Dropout of whole channels of images.

    Args:
        rate: Share that is dropped, in `[0, 1]`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.
        seed: Integer seed.

    Input shape: `(batch, height, width, channels)`. Output shape: the same.

    Example:
        >>> x = pyml.layers.SpatialDropout2D(0.5, seed=1)(np.ones((1, 3, 3, 8)), training=True).numpy()
        >>> bool((x == x[:, :1, :1]).all())
        True

    Source: Tompson et al. 2014, "Efficient Object Localization Using Convolutional Networks".
    """

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, name: str | None = None, dtype: Any = None,
                 **kwargs: Any) -> None:
        data_format = standard_data_format(data_format, "SpatialDropout2D")
        noise_shape = laid_out(None, (1, 1), None, data_format)
        super().__init__(rate, noise_shape=noise_shape, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = data_format
        self.input_spec = InputSpec(ndim=4)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3, seed=1), draw(2, 3, 2, 4), like=lambda x: x)


class AlphaDropout(_Random):
    """Dropout that keeps mean and variance of inputs with mean 0 and variance 1, for networks of `selu`.

    Args:
        rate: Share that is dropped, in `[0, 1)`.
        noise_shape: Shape of the mask; sizes of 1 share one decision along that axis.
        seed: Integer seed.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: `rate` is not in `[0, 1)`.

    Example:
        >>> pyml.layers.AlphaDropout(0.3)(np.ones((1, 2))).numpy().tolist()
        [[1.0, 1.0]]

    Source: Klambauer et al. 2017, "Self-Normalizing Neural Networks".
    """

    _integers_give_float32 = True

    def __init__(self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any) -> None:
        rate = share_of_one(rate, "rate", "AlphaDropout")
        super().__init__(seed, rate > 0, **kwargs)
        self.rate = rate
        if rate == 1:
            raise ValueError("AlphaDropout: rate must be below 1.")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        shape = inputs.shape if self.noise_shape is None else tuple(
            n if m is None else m for m, n in zip(self.noise_shape, inputs.shape, strict=True))
        low = -1.0507009873554804934 * 1.6732632423543772848       # where selu ends on the left
        a = ((1 - self.rate) * (1 + self.rate * low * low)) ** -0.5
        kept = random.bernoulli_mask(shape, 1 - self.rate, self.seed_generator)
        return ops.where(kept, inputs, low) * a - a * low * self.rate

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3, noise_shape=(None, 1)), draw(2, 3), like=lambda x: x)


class GaussianNoise(_Random):
    """Adds normally distributed noise while training.

    Args:
        stddev: Its standard deviation.
        seed: Integer seed.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: `stddev` is negative.

    Source: Bishop 1995, "Training with Noise is Equivalent to Tikhonov Regularization".

    Example:
        >>> pyml.layers.GaussianNoise(0.1)(np.ones((1, 2))).numpy().tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, stddev > 0, **kwargs)
        if not stddev >= 0:
            raise ValueError(f"GaussianNoise: stddev must not be negative. Received: stddev={stddev}")
        self.stddev = stddev

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or not self.stddev:
            return inputs
        return inputs + random.normal(inputs.shape, stddev=self.stddev, seed=self.seed_generator)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), draw(2, 3), like=lambda x: x)


class GaussianDropout(_Random):
    """Multiplies by normally distributed numbers around 1 while training.

    Args:
        rate: As of Dropout: the standard deviation is `sqrt(rate / (1 - rate))`.
        seed: Integer seed.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: `rate` is not in `[0, 1)`.

    Example:
        >>> pyml.layers.GaussianDropout(0.3)(np.ones((1, 2))).numpy().tolist()
        [[1.0, 1.0]]

    Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting".
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        rate = share_of_one(rate, "rate", "GaussianDropout")
        super().__init__(seed, rate > 0, **kwargs)
        self.rate = rate
        if rate == 1:
            raise ValueError("GaussianDropout: rate must be below 1.")

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs * random.normal(inputs.shape, mean=1.0, stddev=deviation, seed=self.seed_generator)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3), draw(2, 3), like=lambda x: x)


class ActivityRegularization(_SameShape, not_in_config=("activity_regularizer",)):
    """The inputs unchanged; adds a penalty of their size to the loss.

    Args:
        l1: Factor of the sum of absolute values.
        l2: Factor of the sum of squares.

    Input shape: any. Output shape: the same.

    Example:
        >>> layer = pyml.layers.ActivityRegularization(l1=0.5)
        >>> x = layer(np.array([[1.0, -3.0]], "float32"))
        >>> float(layer.losses[0])
        2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self._build_at_init()

    def call(self, inputs: Tensor) -> Tensor:
        return inputs

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(l1=0.1, l2=0.2), draw(2, 3), like=lambda x: x)
