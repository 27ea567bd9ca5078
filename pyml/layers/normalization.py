"""Normalization of each sample by itself: Layer, Group, RMS and Unit normalization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor, Variable
from pyml.dtypes import FLOATS
from pyml.errors import AxisKindError
from pyml.layers.activation import _SameShape
from pyml.layers.input_spec import InputSpec
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample
from pyml.tracebacks import warn

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


def _axes(axis: Any, owner: str) -> int | list[int]:
    """An axis, or several, as Keras keeps them: an int or a list.

    Raises:
        AxisKindError: It is something else.
    """
    if isinstance(axis, int) and not isinstance(axis, bool):
        return axis
    if isinstance(axis, (list, tuple)) and axis and all(isinstance(a, int) for a in axis):
        return list(axis)
    raise AxisKindError(f"{owner}: axis must be an integer or a list of integers. Received: axis={axis!r}")


def _sizes(layer: Any, input_shape: Any) -> tuple[list[int], tuple[int, ...]]:
    """The axes in order as a list, and their sizes."""
    axes = sorted(layer.axis) if isinstance(layer.axis, list) else [layer.axis]
    return axes, tuple(known_size(layer, input_shape, axis) for axis in axes)


class _ScaleAndOffset(_SameShape):
    """What LayerNormalization and GroupNormalization share: `gamma` and `beta`."""

    def __init__(self, epsilon: float, center: bool, scale: bool, beta_initializer: InitializerLike, gamma_initializer: InitializerLike,
                 beta_regularizer: RegularizerLike, gamma_regularizer: RegularizerLike, beta_constraint: ConstraintLike,
                 gamma_constraint: ConstraintLike, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def _make(self, shape: Any) -> None:
        if self.scale:
            self.gamma = make_weight(self, "gamma", shape)
        if self.center:
            self.beta = make_weight(self, "beta", shape)
        self.built = True


def _floats(x: Tensor) -> Tensor:
    """`x`, integers as float32: the op would give integers again."""
    return x if x.dtype in FLOATS else ops.cast(x, "float32")


class LayerNormalization(_ScaleAndOffset):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, each sample with the statistics of its own `axis`.

    Args:
        axis: Axis to normalize over, or a list of them.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, to multiply by `gamma`.
        beta_initializer, gamma_initializer: Names or objects.
        beta_regularizer, gamma_regularizer: Penalties added to the loss.
        beta_constraint, gamma_constraint: Functions applied after each update.
        rms_scaling: As in Keras: `x / sqrt(variance + epsilon) * gamma`, with a warning.

    Input shape: any. Output shape: the same. Weights: gamma, beta, with the sizes of `axis`.

    Raises:
        ValueError: `epsilon` is not positive.

    Example:
        >>> layer = pyml.layers.LayerNormalization()
        >>> layer(np.array([[1.0, 3.0]], "float32")).numpy().round(2).tolist()
        [[-1.0, 1.0]]

    Source: Ba et al. 2016, "Layer Normalization".
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None, rms_scaling: bool = False,
                 **kwargs: Any) -> None:
        if rms_scaling:
            warn("You passed `rms_scaling=True`, which is deprecated: it scales by the variance, not by the mean square. Use "
                 "RMSNormalization for that.")  # fmt: skip
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)
        self.axis = _axes(axis, "LayerNormalization")
        self.rms_scaling = rms_scaling

    def build(self, input_shape: Any) -> None:
        self.axis, shape = _sizes(self, input_shape)
        if self.rms_scaling:
            self.gamma = make_weight(self, "gamma", shape)
            self.built = True
        else:
            self._make(shape)

    def call(self, inputs: Tensor) -> Tensor:
        if not self.rms_scaling:
            return ops.layer_normalization(_floats(inputs), self.gamma, self.beta, self.axis, self.epsilon)
        axes = [self.axis] if isinstance(self.axis, int) else list(self.axis)
        gamma = ops.reshape(cast(Any, self.gamma), [n if i in [a % inputs.ndim for a in axes] else 1 for i, n in enumerate(inputs.shape)])
        return inputs * ops.rsqrt(ops.var(inputs, axis=axes, keepdims=True) + self.epsilon) * gamma

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any, gamma: Any, beta: Any) -> Any:
            return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 0.01) * gamma + beta

        yield sample(cls(epsilon=0.01, gamma_initializer="normal", beta_initializer="normal"), draw(3, 2, 4), like=like)
        yield sample(cls(axis=[1, 2], center=False), draw(3, 2, 4))


class GroupNormalization(_ScaleAndOffset):
    """Channels in groups, each group of a sample normalized over its channels and all positions.

    Args:
        groups: Number of groups; -1 makes each channel a group (instance normalization).
        axis: Axis of the channels.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, to multiply by `gamma`.
        Others: see `LayerNormalization`.

    Input shape: any. Output shape: the same. Weights: gamma, beta, one number per channel.

    Raises:
        ValueError: `groups` is not a positive number or -1, or does not divide the channels.

    Example:
        >>> layer = pyml.layers.GroupNormalization(groups=2)
        >>> layer(np.array([[1.0, 3.0, 5.0, 5.0]], "float32")).numpy().round(2).tolist()
        [[-1.0, 1.0, 0.0, 0.0]]

    Source: Wu and He 2018, "Group Normalization".
    """

    def __init__(self, groups: int = 32, axis: int = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None, **kwargs: Any) -> None:
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)
        if groups != -1 and (not isinstance(groups, int) or groups <= 0):
            raise ValueError(f"GroupNormalization: groups must be a positive integer or -1. Received: groups={groups}")
        self.groups = groups
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        channels = known_size(self, input_shape, self.axis)
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f'Layer "{self.name}": groups must divide the channels. Received: groups={self.groups}, '
                f"input shape {tuple(input_shape)}"
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._make((channels,))

    def call(self, inputs: Tensor) -> Tensor:
        axis = self.axis % len(inputs.shape)
        shape = tuple(inputs.shape)
        grouped = (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1:])
        axes = tuple(a for a in range(1, len(grouped)) if a != axis)
        y = ops.reshape(ops.layer_normalization(ops.reshape(_floats(inputs), grouped), axis=axes, epsilon=self.epsilon), shape)
        flat = tuple(n if a == axis else 1 for a, n in enumerate(shape))
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma, flat)
        return y if self.beta is None else y + ops.reshape(self.beta, flat)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(groups=2, beta_initializer="normal"), draw(2, 3, 4))


class RMSNormalization(_SameShape):
    """`x / sqrt(mean(x^2) + epsilon) * scale` over `axis`.

    Args:
        axis: Axis to normalize over, or a list of them.
        epsilon: Added to the mean.

    Input shape: any. Output shape: the same. Weight: scale, with the sizes of `axis`.

    Example:
        >>> layer = pyml.layers.RMSNormalization()
        >>> print(layer(np.array([[3.0, 4.0]], "float32")).numpy().round(3))
        [[0.849 1.131]]

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(axis, "RMSNormalization")
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        self.axis, shape = _sizes(self, input_shape)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.built = True

    def call(self, x: Tensor) -> Tensor:
        return ops.rms_normalization(_floats(x), self.scale, self.axis, self.epsilon)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(epsilon=0.1), draw(3, 4), like=lambda x, scale: x / np.sqrt((x * x).mean(-1, keepdims=True) + 0.1) * scale)


class UnitNormalization(_SameShape):
    """`x` divided by its length along `axis`.

    Args:
        axis: Axis, or a list of axes, along which the result has length 1.

    Input shape: any. Output shape: the same.

    Example:
        >>> print(pyml.layers.UnitNormalization()(np.array([[3.0, 4.0]], "float32")).numpy().round(2))
        [[0.6 0.8]]
    """

    _integers_give_float32 = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes(axis, "UnitNormalization")
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(axis=1), draw(3, 4, 2), like=lambda x: x / np.sqrt((x * x).sum(1, keepdims=True)))
