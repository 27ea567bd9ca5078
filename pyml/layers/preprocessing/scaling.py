"""Normalization: features with mean 0 and variance 1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.layers.activation import _SameShape
from pyml.layers.data_layer import DataLayer
from pyml.layers.input_spec import InputSpec
from pyml.layers.preprocessing.batches import batches_of, is_array
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon

__all__ = ["Normalization"]


class Normalization(DataLayer, _SameShape):
    """`(inputs - mean) / sqrt(variance)`, with the mean and the variance of data that `adapt` has seen.

    Args:
        axis: The axis, or axes, whose every position has a mean and a variance of its own; None for one of all values.
        mean, variance: The two, where they are known; then there is nothing to adapt.
        invert: True computes the inputs again from normalized values.

    Input shape: any. Output shape: the same, as float32.

    Raises:
        ValueError: Only one of `mean` and `variance` is given, they have more axes than `axis`, or a size along `axis` is
            unknown or differs from what the layer was built for.

    Example:
        >>> layer = pyml.layers.Normalization()
        >>> layer.adapt(np.array([[0., 7.], [2., 9.]]))
        >>> layer(np.array([[0., 9.]])).numpy()
        array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] | None = -1, mean: Any = None, variance: Any = None, invert: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.invert = invert
        self.supports_masking = True
        if (mean is not None) != (variance is not None):
            raise ValueError(
                f"When setting values directly, both `mean` and `variance` must be set. Received: mean={mean} and variance={variance}"
            )
        self.input_mean, self.input_variance = _plain(mean), _plain(variance)
        shapes = np.shape(self.input_mean), np.shape(self.input_variance)
        if shapes[0] != shapes[1]:
            raise ValueError(
                "When setting values directly, `mean` and `variance` must have the same shape. "
                f"Received: mean shape {shapes[0]} and variance shape {shapes[1]}"
            )
        if len(shapes[0]) > len(self.axis):
            raise ValueError(
                f"The rank of `mean` must be less than or equal to the number of axes ({len(self.axis)}). "
                f"Received: mean shape {shapes[0]} for axis {self.axis}"
            )

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                f"All `axis` values must be in the range [-ndim, ndim). Received inputs with ndim={rank}, while axis={self.axis}"
            )
        self._kept = tuple(sorted(axis % rank for axis in self.axis))
        for axis in self._kept:
            if input_shape[axis] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. "
                    f"Received axis={self.axis}, inputs.shape={input_shape}, with unknown axis at index {axis}"
                )
        self._reduced = tuple(axis for axis in range(rank) if axis not in self._kept)
        self._wide = tuple(input_shape[axis] if axis in self._kept else 1 for axis in range(rank))
        self._keep_apart(_build_shapes=tuple(input_shape))
        sizes = {axis - rank: input_shape[axis] for axis in self._kept if input_shape[axis] != 1}  # a size of 1 is spread, as in Keras
        self.input_spec = InputSpec(min_ndim=-min(sizes), axes=sizes) if sizes else None
        if self.input_mean is not None:
            self._given = tuple(self._aligned(value) for value in (self.input_mean, self.input_variance))
        else:
            shape = tuple(input_shape[axis] for axis in self._kept)
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")  # files of Keras have one
        self.built = True

    def _aligned(self, value: Any) -> np.ndarray:
        """A given mean or variance with the axes of the inputs: its own are the last of those that are kept."""
        value = np.asarray(value, "float32")
        shape = [1] * len(self._wide)
        for axis, size in zip(reversed(self._kept), reversed(value.shape), strict=False):
            shape[axis] = size
        if any(size not in (1, wide) for size, wide in zip(shape, self._wide, strict=True)):
            raise ShapeError(f'Layer "{self.name}": mean and variance must have the sizes of the inputs along axis={self.axis}, '
                             f"{tuple(self._wide[axis] for axis in self._kept)}. Received: one of shape {value.shape}")  # fmt: skip
        return np.broadcast_to(value.reshape(shape), self._wide).copy()

    @property
    def mean(self) -> Any:
        """The mean with the axes of the inputs; None before the layer is built."""
        return self._moment(0)

    @property
    def variance(self) -> Any:
        """The variance with the axes of the inputs; None before the layer is built."""
        return self._moment(1)

    def _moment(self, which: int) -> Any:
        if not self.built:
            return None
        if self.input_mean is not None:
            return ops.convert_to_tensor(self._given[which])
        return ops.reshape((self.adapt_mean, self.adapt_variance)[which], self._wide)

    def adapt(self, data: Any) -> None:
        """Computes the mean and the variance of data.

        Args:
            data: An array or tensor; or batches: a Dataset, a `PyDataset`, or another iterable of arrays. Of a batch
                `(x, y)` or `(x, y, sample_weight)` the first is taken.

        Raises:
            ValueError: There is no batch, or one has other sizes along `axis`.
            TypeError: `data` is not an array and gives none.
        """
        if self.input_mean is not None:
            raise ValueError("Cannot adapt a Normalization layer that has been initialized with `mean` and `variance`; leave them out.")
        if not is_array(data) and hasattr(data, "cardinality") and hasattr(data, "batch"):
            first = next(iter(data), None)
            if len(np.shape(_inputs(first))) == 1:
                data = data.batch(128)
        batches = (_inputs(batch) for batch in batches_of(data))
        first = next(batches, None)
        if first is None:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least one batch. Pass a non-empty iterable of "
                "arrays or tensors, e.g. layer.adapt([x]) or layer.adapt(list_of_batches)."
            )
        if not hasattr(first, "shape"):
            raise TypeError(
                "adapt() expects an iterable that yields arrays or tensors with a `.shape` attribute (e.g. numpy arrays or backend "
                f"tensors). Got an element of type {type(first).__name__}. Ensure each yielded element is array-like with a `.shape` "
                "attribute."
            )
        if not self.built:
            self.build(tuple(first.shape))
        mean, variance = self._moments(chain((first,), batches))
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)
        self.finalize_state()

    def _moments(self, batches: Iterator[Any]) -> tuple[Any, Any]:
        """Mean and variance of all batches, the arrays among them in float64."""
        total, mean, variance = 0, 0.0, 0.0
        for batch in batches:
            shape = tuple(batch.shape)
            if len(shape) != len(self._wide) or any(shape[axis] != self._wide[axis] for axis in self._kept):
                raise ValueError(
                    f"The layer was built with input_shape={self._build_shapes}, but adapt() is being called with data with an "
                    f"incompatible shape, data.shape={shape}"
                )
            count = math.prod(shape[axis] for axis in self._reduced)
            of_batch = _moments(batch, self._reduced)
            total += count
            share = count / total
            moved = mean * (1 - share) + of_batch[0] * share
            # The lack-of-fit sum of squares: what each part's own mean is away from the common one adds to its variance.
            variance = (variance + (mean - moved) ** 2) * (1 - share) + (of_batch[1] + (of_batch[0] - moved) ** 2) * share
            mean = moved
        return mean, variance

    def finalize_state(self) -> None:
        """Kept for Keras' signature: the call reads the weights."""

    def call(self, inputs: Any) -> Any:
        deviation = ops.maximum(ops.sqrt(self.variance), epsilon())
        inputs = ops.cast(inputs, "float32")
        return self.mean + inputs * deviation if self.invert else (inputs - self.mean) / deviation

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"mean": self.input_mean, "variance": self.input_variance}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(mean=[1.0, 2.0], variance=[4.0, 9.0]), draw(3, 2), like=lambda x: (x - [1.0, 2.0]) / [2.0, 3.0])
        yield sample(cls(None, mean=1.0, variance=4.0, invert=True), draw(3, 2), like=lambda x: x * 2 + 1)
        adapted = cls((1, -1))
        adapted.adapt(np.arange(48.0).reshape(4, 3, 2, 2) ** 1.5)
        yield sample(adapted, draw(2, 3, 2, 2),
                     like=lambda x, mean, variance, count: (x - mean[:, None]) / np.sqrt(variance[:, None]))  # fmt: skip


def _inputs(batch: Any) -> Any:
    return batch[0] if isinstance(batch, tuple) else batch


def _plain(value: Any) -> Any:
    return None if value is None else np.asarray(value.numpy() if isinstance(value, Tensor) else value).tolist()


def _moments(batch: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    if isinstance(batch, Tensor):
        batch = ops.cast(batch, "float32")
        return ops.mean(batch, axis=axes), ops.var(batch, axis=axes)
    values = np.asarray(batch, "float64")
    return values.mean(axis=axes), values.var(axis=axes)
