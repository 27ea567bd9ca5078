"""Activation functions as layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import activations, constraints, initializers, ops, regularizers
from pyml.core import Tensor
from pyml.errors import AxisError, ShapeError
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample
from pyml.tracebacks import warn

__all__ = ["Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _SameShape(Layer):
    """A layer whose output has the shape of its input."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class Activation(_SameShape):
    """Applies an activation function.

    Args:
        activation: Name or function.

    Input shape: any. Output shape: the same.

    Example:
        >>> pyml.layers.Activation("relu")(np.array([[-2.0, 3.0]], "float32")).numpy().tolist()
        [[0.0, 3.0]]
    """

    _integers_give_float32 = True

    def __init__(self, activation: ActivationLike, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls("tanh"), draw(3, 4), like=np.tanh)


class ReLU(_SameShape):
    """`max(x, 0)`, or its general form.

    Args:
        max_value: Largest value, or None.
        negative_slope: Slope below `threshold`.
        threshold: Values up to it are damped.

    Raises:
        ValueError: `max_value`, `negative_slope` or `threshold` is negative.

    Example:
        >>> pyml.layers.ReLU(max_value=2.5, negative_slope=0.5)(np.array([[-2.0, 3.0]], "float32")).numpy().tolist()
        [[-1.0, 2.5]]
    """

    _integers_give_float32 = True

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"ReLU: max_value must not be negative. Received: max_value={max_value}")
        if negative_slope is None or negative_slope < 0:
            raise ValueError(f"ReLU: negative_slope must be a number >= 0. Received: negative_slope={negative_slope}")
        if threshold is None or threshold < 0:
            raise ValueError(f"ReLU: threshold must be a number >= 0. Received: threshold={threshold}")
        self.supports_masking = True
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, negative_slope=self.negative_slope, max_value=self.max_value,
                                threshold=self.threshold)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(3, 4), like=lambda x: np.maximum(x, 0))
        yield sample(cls(1.0, 0.1, 0.2), draw(3, 4), like=lambda x: np.where(x > 0.2, np.minimum(x, 1.0), 0.1 * (x - 0.2)))


class LeakyReLU(_SameShape, not_in_config=("alpha",)):
    """`x` above 0, `negative_slope * x` below.

    Raises:
        ValueError: `negative_slope` is not a number of at least 0.

    Example:
        >>> pyml.layers.LeakyReLU(0.5)(np.array([[-2.0, 3.0]], "float32")).numpy().tolist()
        [[-1.0, 3.0]]
    """

    _integers_give_float32 = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warn("Argument `alpha` is deprecated. Use `negative_slope` instead.")
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                f"LeakyReLU: negative_slope must be a number >= 0. Received: negative_slope={negative_slope}")
        self.supports_masking = True
        self.negative_slope = negative_slope

    def call(self, inputs: Tensor) -> Tensor:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2), draw(3, 4), like=lambda x: np.where(x > 0, x, 0.2 * x))


class ELU(_SameShape):
    """`x` above 0, `alpha * (exp(x) - 1)` below.

    Example:
        >>> pyml.layers.ELU()(np.array([[-2.0, 3.0]], "float32")).numpy().round(3).tolist()
        [[-0.8650000095367432, 3.0]]
    """

    _integers_give_float32 = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        return activations.elu(inputs, alpha=self.alpha)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.5), draw(3, 4), like=lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)))


class Softmax(_SameShape):
    """`exp(x) / sum(exp(x))` along `axis`.

    Args:
        axis: Axis whose slices sum to 1.

    Call arguments:
        inputs: Tensor.
        mask: What counts: True, or a number above 0.5. Others get 0; a slice without any is 0 throughout.

    Raises:
        ShapeError: The mask does not broadcast to the inputs.

    Example:
        >>> pyml.layers.Softmax()(np.array([[1.0, 1.0]], "float32")).numpy().tolist()
        [[0.5, 0.5]]
    """

    _integers_give_float32 = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = axis

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return activations.softmax(inputs, axis=self.axis)
        mask = ops.convert_to_tensor(mask)
        sizes = list(zip(mask.shape[::-1], inputs.shape[::-1], strict=False))
        if len(mask.shape) > len(inputs.shape) or any(m not in (1, n) for m, n in sizes):
            raise ShapeError(f'Layer "{self.name}": a mask must broadcast to the inputs. Received: a mask of shape {tuple(mask.shape)}, '
                             f"inputs {tuple(inputs.shape)}")  # fmt: skip
        mask = mask if mask.dtype == "bool" else ops.greater(mask, 0.5)
        shares = activations.softmax(ops.where(mask, inputs, -3e38), axis=self.axis)
        return ops.where(mask, shares, 0.0)            # where nothing is left, too

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(axis=1), draw(3, 4, 2), like=lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True))


class PReLU(_SameShape):
    """`x` above 0, `alpha * x` below, with learned slopes `alpha`.

    Args:
        alpha_initializer: Name or object.
        alpha_regularizer: Penalty added to the loss.
        alpha_constraint: Function applied after each update.
        shared_axes: Axes along which one slope is shared, for example `[1, 2]` for images: one slope per channel.

    Input shape: any. Output shape: the same. Weight: alpha, the shape of one sample.

    Raises:
        AxisError: `shared_axes` names an axis that the inputs have not.

    Example:
        >>> layer = pyml.layers.PReLU(alpha_initializer=pyml.initializers.Constant(0.5))
        >>> layer(np.array([[-2.0, 3.0]], "float32")).numpy().tolist()
        [[-1.0, 3.0]]

    Source: He et al. 2015, "Delving Deep into Rectifiers".
    """

    def __init__(self, alpha_initializer: InitializerLike = "Zeros", alpha_regularizer: RegularizerLike = None,
                 alpha_constraint: ConstraintLike = None, shared_axes: int | Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Any) -> None:
        if any(not -len(input_shape) <= axis < len(input_shape) for axis in self.shared_axes or ()):
            raise AxisError(f'Layer "{self.name}": shared_axes={self.shared_axes} are out of range for inputs of {len(input_shape)} axes.')
        shared = [axis % len(input_shape) for axis in self.shared_axes or ()]
        axes = [axis for axis in range(1, len(input_shape)) if axis not in shared]
        sizes = {axis: known_size(self, input_shape, axis) for axis in axes}
        self.alpha = make_weight(self, "alpha", tuple(sizes.get(axis, 1) for axis in range(1, len(input_shape))))
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes if shared else {})
        self.built = True

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs) - self.alpha * activations.relu(-inputs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls("he_normal"), draw(3, 4), like=lambda x, alpha: np.where(x > 0, x, alpha * x))
        yield sample(cls("he_normal", shared_axes=[1, 2]), draw(2, 3, 4, 2), like=lambda x, alpha: np.where(x > 0, x, alpha * x))
