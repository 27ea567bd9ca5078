"""Layers that join inputs along an axis or multiply them over one: Concatenate, Dot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import AxisError, ShapeError
from pyml.layers.merging import Merge
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Concatenate", "Dot", "concatenate", "dot"]


class Concatenate(Merge):
    """A list of inputs side by side along `axis`.

    Args:
        axis: Axis along which they are joined; the other sizes must be equal.

    Raises:
        ShapeError: Other sizes differ.

    Example:
        >>> pyml.layers.Concatenate(axis=1)([np.ones((2, 3, 4)), np.ones((2, 1, 4))]).shape
        (2, 4, 4)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _of_one_rank(self, inputs: Any) -> Any:
        return list(inputs)

    def _merge_function(self, inputs: Any) -> Any:
        return ops.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Masks of steps: joined like the inputs along the steps; along features a step counts where it does in one of the inputs.

        An input without a mask counts everywhere, if another has one.
        """
        masks = self._masks_of(inputs, mask)
        if all(mask is None for mask in masks):
            return None
        rank, axis = max(len(mask.shape) for mask in masks if mask is not None), self.axis % len(inputs[0].shape)
        whole = rank == len(inputs[0].shape)           # of values, not of steps: what is left is where any of the last axis counts
        masks = [ops.ones_like(x[(..., *(0,) * (len(x.shape) - rank))], dtype="bool") if mask is None else mask
                 for x, mask in zip(inputs, masks, strict=True)]  # fmt: skip
        joined = ops.concatenate(masks, axis=axis) if axis < rank else reduce(ops.logical_or, masks)
        return ops.any(joined, axis=-1) if whole else joined

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_shapes(input_shape)
        first = list(input_shape[0])
        axis = self.axis % len(first)
        for shape in input_shape[1:]:
            fits = len(shape) == len(first) and all(
                i == axis or None in (m, n) or m == n for i, (m, n) in enumerate(zip(first, shape, strict=True)))
            if not fits:
                raise ShapeError(
                    f'Layer "{self.name}": inputs may differ only along axis {self.axis}. '
                    f"Received shapes: {list(input_shape)}"
                )
        lengths = [shape[axis] for shape in input_shape]
        first[axis] = None if None in lengths else sum(lengths)
        return tuple(first)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(axis=1), [draw(2, 3, 2), draw(2, 1, 2)], like=lambda xs: np.concatenate(xs, axis=1))


class Dot(Merge):
    """Dot products of two inputs, sample by sample, over one axis of each.

    Args:
        axes: The axis of both inputs, or one of each; not the batch.
        normalize: Scale the inputs to length 1 along the axis first: the result is their cosine.

    Input shape: a list of two inputs. Output shape: the axes of the first, then those of the second, without the
    summed ones; `(batch, 1)` for two vectors.

    Raises:
        TypeError: `axes` is neither an integer nor a list.
        ValueError: It is a list, but not of two integers.
        ShapeError: The two axes have different sizes, or there are not two inputs.

    Example:
        >>> x, y = np.ones((1, 5, 2), "float32"), np.ones((1, 2, 5), "float32")
        >>> pyml.layers.Dot(axes=(1, 2))([x, y]).numpy().tolist()
        [[[5.0, 5.0], [5.0, 5.0]]]
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        pair = isinstance(axes, (list, tuple)) and len(axes) == 2 and all(isinstance(a, int) for a in axes)
        if not isinstance(axes, int) and not pair:
            error = ValueError if isinstance(axes, (list, tuple)) else TypeError
            raise error(f"Dot: axes must be an integer or a pair of integers. Received: axes={axes!r}")
        self.axes = axes
        self.normalize = normalize

    def _of_one_rank(self, inputs: Any) -> Any:
        return inputs

    def _check_shapes(self, input_shape: Any) -> None:
        if len(input_shape) != 2 or not all(isinstance(shape, (list, tuple)) for shape in input_shape):
            raise ShapeError(f'Layer "{self.name}" multiplies a list of two inputs. Received shapes: {input_shape}')

    def _both(self, first: Any, second: Any) -> Any:
        a, b = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if not -len(first) <= a < len(first) or not -len(second) <= b < len(second):
            raise AxisError(f'Layer "{self.name}": axes {(a, b)} are out of range for inputs of {len(first)} and {len(second)} axes.')
        return a % len(first), b % len(second)

    def _merge_function(self, inputs: Any) -> Any:
        x, y = inputs
        a, b = self._both(x.shape, y.shape)
        if self.normalize:
            x, y = ops.normalize(x, axis=a), ops.normalize(y, axis=b)
        x, y = ops.moveaxis(x, a, -1), ops.moveaxis(y, b, 1)
        batch, length = x.shape[0], x.shape[-1]
        shape = (*x.shape[:-1], *y.shape[2:])
        product = ops.matmul(ops.reshape(x, (batch, prod(x.shape[1:-1]), length)),
                             ops.reshape(y, (batch, length, prod(y.shape[2:]))))
        return ops.reshape(product, shape if len(shape) > 1 else (batch, 1))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the steps are summed over or mixed."""
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._check_shapes(input_shape)
        first, second = (list(shape) for shape in input_shape)
        a, b = self._both(first, second)
        if not a or not b or (None not in (first[a], second[b]) and first[a] != second[b]):
            raise ShapeError(
                f'Layer "{self.name}": axes {(a, b)} of inputs {[tuple(shape) for shape in input_shape]} must have the '
                "same size, and neither may be the batch."
            )
        del first[a], second[b]
        shape = (*first, *second[1:])
        return shape if len(shape) > 1 else (*shape, 1)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(axes=(1, 2)), [draw(2, 3, 4), draw(2, 5, 3)], like=lambda xs: np.einsum("bij,bki->bjk", *xs))
        yield sample(cls(axes=1, normalize=True), [draw(2, 3), draw(2, 3)])


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Tensor:
    """`Concatenate(axis)(inputs)`.

    Example:
        >>> pyml.layers.concatenate([np.ones((1, 2)), np.ones((1, 3))]).shape
        (1, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Tensor:
    """`Dot(axes)(inputs)`.

    Example:
        >>> pyml.layers.dot([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])], axes=1).numpy()
        array([[11.]], dtype=float32)
    """
    return Dot(axes=axes, **kwargs)(inputs)
