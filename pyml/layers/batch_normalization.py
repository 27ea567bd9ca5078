"""Batch normalization: statistics of the batch while training, moving averages of them otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import constraints, initializers, ops, regularizers
from pyml.core import Tensor, Variable
from pyml.initializers import RandomUniform
from pyml.layers.activation import _SameShape
from pyml.layers.input_spec import InputSpec
from pyml.layers.renormalization import corrections, limits_of
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.normalization import normalize_by_batch
from pyml.settings import epsilon as small

__all__ = ["BatchNormalization"]


class BatchNormalization(_SameShape):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, each channel with its own statistics.

    While training these are the mean and variance of the batch, and the moving averages follow them:
    `moving = moving * momentum + batch * (1 - momentum)`. Otherwise, and always when the layer is frozen
    (`layer.trainable = False`), the moving averages are used and stay as they are.

    Args:
        axis: Axis of the channels.
        momentum: Share of the moving averages that a step keeps.
        epsilon: Added to the variance.
        center, scale: Whether to add `beta`, to multiply by `gamma`.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: Names or objects.
        beta_regularizer, gamma_regularizer: Penalties added to the loss.
        beta_constraint, gamma_constraint: Functions applied after each update.
        renorm: Whether the statistics of a batch are corrected by those of the batches before it, which small batches need.
        renorm_clipping: Dict of limits of the corrections, `"rmin"` and `"rmax"` of the factor and `"dmax"` of the shift.
        renorm_momentum: As `momentum`, for the statistics that batches are corrected by.
        synchronized: Kept for Keras' signature; only False is supported, as in its backends but TensorFlow.

    Input shape: any. Output shape: the same. Weights: gamma, beta, moving_mean, moving_variance; with `renorm` moving_stddev,
    renorm_mean, renorm_stddev.

    Raises:
        ValueError: `renorm_clipping` is out of range; `synchronized` was asked for.

    Example:
        >>> layer = pyml.layers.BatchNormalization(momentum=0.5)
        >>> x = np.array([[1.0], [3.0]], "float32")
        >>> layer(x, training=True).numpy().round(2).tolist()
        [[-1.0], [1.0]]
        >>> layer.moving_mean.numpy().tolist()
        [1.0]

    Source: Ioffe and Szegedy 2015, "Batch Normalization"; Ioffe 2017, "Batch Renormalization".
    """

    _reads_numbers = True

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
                 beta_initializer: InitializerLike = "zeros", gamma_initializer: InitializerLike = "ones",
                 moving_mean_initializer: InitializerLike = "zeros", moving_variance_initializer: InitializerLike = "ones",
                 beta_regularizer: RegularizerLike = None, gamma_regularizer: RegularizerLike = None,
                 beta_constraint: ConstraintLike = None, gamma_constraint: ConstraintLike = None, renorm: bool = False,
                 renorm_clipping: Any = None, renorm_momentum: float = 0.99, synchronized: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if synchronized:
            raise ValueError("BatchNormalization: synchronized=True is not supported; leave it False.")
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_clipping, self.renorm_momentum = renorm, renorm_clipping, renorm_momentum
        self._limits = limits_of(renorm, renorm_clipping)
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def build(self, input_shape: Any) -> None:
        shape = (known_size(self, input_shape, self.axis),)
        if self.scale:
            self.gamma = make_weight(self, "gamma", shape)
        if self.center:
            self.beta = make_weight(self, "beta", shape)
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer=self.moving_mean_initializer, trainable=False)
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=shape, initializer=self.moving_variance_initializer, trainable=False)
        if self.renorm:
            deviation = lambda shape, dtype=None: ops.sqrt(initializers.get(self.moving_variance_initializer)(shape, dtype=dtype))
            self.moving_stddev = self.add_weight(name="moving_stddev", shape=shape, initializer=deviation, trainable=False)
            self.renorm_mean = self.add_weight(name="renorm_mean", shape=shape, initializer=self.moving_mean_initializer, trainable=False)
            self.renorm_stddev = self.add_weight(name="renorm_stddev", shape=shape, initializer=deviation, trainable=False)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        if not (training and self.trainable):
            return ops.batch_normalization(inputs, self.moving_mean, self.moving_variance, self.axis, offset=self.beta,
                                           scale=self.gamma, epsilon=self.epsilon)
        if self.renorm:
            return self._renormalized(inputs, mask)
        if mask is None:
            outputs, mean, variance = normalize_by_batch(
                inputs, self.axis, offset=self.beta, scale=self.gamma, epsilon=self.epsilon)
        else:
            mean, variance = self._masked_moments(inputs, mask)
            outputs = ops.batch_normalization(inputs, mean, variance, self.axis, offset=self.beta, scale=self.gamma,
                                              epsilon=self.epsilon)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance)
        return outputs

    def _renormalized(self, inputs: Tensor, mask: Any) -> Tensor:
        """With the statistics of the batch, corrected by those of the batches before it."""
        axes = [a for a in range(inputs.ndim) if a != self.axis % inputs.ndim]
        mean, variance = ops.moments(inputs, axes) if mask is None else self._masked_moments(inputs, mask)
        deviation = ops.sqrt(variance + self.epsilon)
        scale, offset = corrections(self, mean, deviation, self._limits)
        outputs = ops.batch_normalization(inputs, mean, variance, self.axis, offset=offset, scale=scale, epsilon=self.epsilon)
        self._follow(self.renorm_mean, mean, self.renorm_momentum)
        self._follow(self.renorm_stddev, deviation, self.renorm_momentum)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_stddev, deviation)
        self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev) - self.epsilon))
        return outputs

    def _follow(self, moving: Any, now: Any, momentum: float | None = None) -> Any:
        keep = self.momentum if momentum is None else momentum
        moving.assign(moving * keep + ops.stop_gradient(now) * (1.0 - keep))

    def _masked_moments(self, inputs: Any, mask: Any) -> Any:
        """Mean and variance of the steps that the mask keeps; it has one axis less than the inputs."""
        axis = self.axis % len(inputs.shape)
        axes = [a for a in range(len(inputs.shape)) if a != axis]
        weight = ops.expand_dims(ops.cast(mask, "float32"), -1) + ops.zeros_like(inputs, dtype="float32")
        total = ops.sum(weight, axis=axes, keepdims=True) + small()
        mean = ops.sum(inputs * weight, axis=axes, keepdims=True) / total
        variance = ops.sum(ops.square(inputs - mean) * weight, axis=axes, keepdims=True) / total
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any, gamma: Any, beta: Any, moving_mean: Any, moving_variance: Any) -> Any:
            return (x - moving_mean) / np.sqrt(moving_variance + 0.01) * gamma + beta

        some = cls(epsilon=0.01, beta_initializer="normal", moving_mean_initializer="normal",
                   moving_variance_initializer=RandomUniform(0.5, 2.0))
        yield sample(some, draw(3, 2, 4), like=like)
        yield sample(cls(axis=1, center=False, scale=False), draw(3, 4, 2), like=lambda x, **moving: x / np.sqrt(1.001))
