"""Random initializers, drawn on the host from a seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.initializers.base import Initializer, compute_fans
from pyml.objects.samples import Sample, sample
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.random.seeds import of_numpy
from pyml.utils.seeds import make_default_seed

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "Orthogonal",
    "OrthogonalInitializer", "RandomInitializer", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform", "orthogonal", "random_normal",
    "random_uniform", "truncated_normal", "variance_scaling",
]

# Standard deviation of a unit normal cut at two deviations; scaled initializers divide by it.
_TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer, abstract=True):
    """Base of the random ones: `seed` is an integer (the same values at each call) or a SeedGenerator.

    Raises:
        ValueError: `seed` is neither an integer nor a `SeedGenerator`.

    Example:
        >>> isinstance(pyml.initializers.HeNormal(), pyml.initializers.RandomInitializer)
        True
    """

    def __init__(self, seed: Any = None) -> None:
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        elif not isinstance(seed, (int, np.integer)) and not hasattr(seed, "next"):
            raise ValueError(
                f"{type(self).__name__}: seed must be an integer or a SeedGenerator. Received: seed={seed!r}"
            )
        self.seed = seed

    def _generator(self) -> np.random.Generator:
        if hasattr(self.seed, "next"):
            words = np.asarray(self.seed.next().numpy(), dtype="uint32").reshape(-1)
            return np.random.Generator(np.random.PCG64([int(word) for word in words]))
        return np.random.Generator(np.random.PCG64(of_numpy(int(self.seed))))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": serialize_keras_object(self._init_seed)}   # None, not the seed drawn for it


class RandomUniform(RandomInitializer, aliases=("uniform",)):
    """Uniform values in `[minval, maxval)`.

    Example:
        >>> values = pyml.initializers.RandomUniform(-1.0, 1.0, seed=1)((100, 100)).numpy()
        >>> bool(abs(values).max() <= 1)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        return draw_uniform(self._generator(), shape, self.minval, self.maxval, dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(-1.0, 1.0, seed=3))


class RandomNormal(RandomInitializer, aliases=("normal",)):
    """Normal values.

    Args:
        mean: Mean of the values.
        stddev: Their standard deviation.
        seed: An integer or a `SeedGenerator`: the same values each time, or new ones; None draws one at random.

    Example:
        >>> values = pyml.initializers.RandomNormal(stddev=0.5, seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        values = self._generator().standard_normal(shape, "float32")
        return (self.mean + self.stddev * values).astype(dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.5, 0.1, seed=3))


class TruncatedNormal(RandomNormal):
    """Normal values; those more than two standard deviations away are drawn again.

    Args:
        mean: Mean of the values.
        stddev: Their standard deviation, before the far ones are drawn again.
        seed: An integer or a `SeedGenerator`: the same values each time, or new ones; None draws one at random.

    Example:
        >>> values = pyml.initializers.TruncatedNormal(seed=1)((100, 100)).numpy()
        >>> bool(abs(values).max() <= 0.1)
        True
    """

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        return draw_truncated_normal(self._generator(), shape, self.mean, self.stddev, dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class VarianceScaling(RandomInitializer):
    """Values whose variance is `scale / n`, so signals keep their size through the layer.

    Args:
        scale: Positive number.
        mode: `"fan_in"`, `"fan_out"` or `"fan_avg"`: what n is.
        distribution: `"truncated_normal"`, `"untruncated_normal"` or `"uniform"`.
        seed: Integer, SeedGenerator or None.
        input_axes, output_axes: Axes of the kernel that count as inputs and outputs.

    Raises:
        ValueError: `scale` is not positive, or `mode` or `distribution` is none of these words.

    Source: He et al. 2015, "Delving Deep into Rectifiers"; Glorot and Bengio 2010.

    Example:
        >>> values = pyml.initializers.VarianceScaling(2.0, seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (2 / 400) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal", seed: Any = None,
                 input_axes: Any = None, output_axes: Any = None) -> None:
        if scale <= 0:
            raise ValueError(f"{type(self).__name__}: scale must be positive. Received: scale={scale}")
        distribution = "truncated_normal" if str(distribution).lower() == "normal" else str(distribution).lower()
        mode = str(mode).lower()
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f"{type(self).__name__}: mode must be 'fan_in', 'fan_out' or 'fan_avg'. Received: mode={mode!r}"
            )
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"{type(self).__name__}: distribution must be 'truncated_normal', 'untruncated_normal' or "
                f"'uniform'. Received: distribution={distribution!r}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return draw_uniform(self._generator(), shape, -limit, limit, dtype)
        if self.distribution == "truncated_normal":
            return draw_truncated_normal(self._generator(), shape, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV, dtype)
        return (math.sqrt(variance) * self._generator().standard_normal(shape, "float32")).astype(dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2.0, "fan_out", "uniform", seed=3))


def draw_uniform(generator: np.random.Generator, shape: Any, low: float, high: float, dtype: Any) -> np.ndarray:
    """Uniform values in `[low, high)` from a numpy generator."""
    return (low + (high - low) * generator.random(shape, "float32")).astype(dtype)


def draw_truncated_normal(generator: np.random.Generator, shape: Any, mean: float, stddev: float, dtype: Any) -> np.ndarray:
    """Normal values within two standard deviations from a numpy generator."""
    values = generator.standard_normal(shape, "float32")
    while (outside := np.abs(values) > 2).any():
        values = np.where(outside, generator.standard_normal(shape, "float32"), values)
    return (mean + stddev * values).astype(dtype)


class GlorotUniform(VarianceScaling):
    """Uniform with variance 2 / (fan_in + fan_out). Source: Glorot and Bengio 2010.

    Example:
        >>> values = pyml.initializers.GlorotUniform(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (2 / 600) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class GlorotNormal(VarianceScaling):
    """Truncated normal with variance 2 / (fan_in + fan_out). Source: Glorot and Bengio 2010.

    Example:
        >>> values = pyml.initializers.GlorotNormal(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (2 / 600) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class HeUniform(VarianceScaling):
    """Uniform with variance 2 / fan_in, for ReLU layers. Source: He et al. 2015.

    Example:
        >>> values = pyml.initializers.HeUniform(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (2 / 400) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class HeNormal(VarianceScaling):
    """Truncated normal with variance 2 / fan_in, for ReLU layers. Source: He et al. 2015.

    Example:
        >>> values = pyml.initializers.HeNormal(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (2 / 400) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class LecunUniform(VarianceScaling):
    """Uniform with variance 1 / fan_in. Source: LeCun et al. 1998.

    Example:
        >>> values = pyml.initializers.LecunUniform(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (1 / 400) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class LecunNormal(VarianceScaling):
    """Truncated normal with variance 1 / fan_in. Source: LeCun et al. 1998.

    Example:
        >>> values = pyml.initializers.LecunNormal(seed=1)((400, 200)).numpy()
        >>> bool(abs(values.std() / (1 / 400) ** 0.5 - 1) < 0.01)
        True
    """

    def __init__(self, seed: Any = None, input_axes: Any = None, output_axes: Any = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed, input_axes, output_axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3))


class Orthogonal(RandomInitializer, aliases=("OrthogonalInitializer",)):
    """A matrix with orthonormal rows or columns, times `gain`; further axes count as rows.

    Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning".

    Raises:
        ValueError: The shape has fewer than two axes.

    Example:
        >>> q = pyml.initializers.Orthogonal(seed=1)((3, 3)).numpy()
        >>> bool(np.allclose(q @ q.T, np.eye(3), atol=1e-5))
        True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal initializer needs at least two axes. Received: shape={shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        draw = self._generator().standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(draw)
        q = q * np.sign(np.diag(r))                    # makes the choice of q unique
        return (self.gain * (q.T if rows < columns else q)).reshape(shape).astype(dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(gain=2.0, seed=3))


OrthogonalInitializer = Orthogonal
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform
lecun_normal, lecun_uniform, orthogonal = LecunNormal, LecunUniform, Orthogonal
random_normal, random_uniform, truncated_normal, variance_scaling = RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling
