"""Layers that combine several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from pyml import ops
from pyml.errors import AxisError, ShapeError
from pyml.layers.layer import Layer
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average", "concatenate", "dot",
    "maximum", "minimum", "multiply", "subtract",
]


class _Merge(Layer):
    """Inputs that broadcast together, combined two by two."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge(self, a: Any, b: Any) -> Any:
        """Two of the inputs as one; every subclass with `call` as it is here writes its own."""
        raise TypeError(f"{type(self).__name__} must define _merge(a, b).")

    def build(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(
                input_shape[0], (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" merges a list of inputs. Received an input of shape {input_shape}')
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return self._merge_function(inputs)

    def _merge_function(self, inputs: Any) -> Any:     # by Keras' name: subclasses have their own
        return reduce(self._merge, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = list(input_shape[0])
        for shape in input_shape[1:]:
            if len(shape) != len(sizes):
                raise ShapeError(f'Layer "{self.name}": inputs have different ranks: {list(input_shape)}')
            for axis, (m, n) in enumerate(zip(sizes, shape, strict=True)):
                if None not in (m, n) and m != n and 1 not in (m, n):
                    raise ShapeError(f'Layer "{self.name}": inputs do not fit together: {list(input_shape)}')
                sizes[axis] = n if m == 1 else m
        return tuple(sizes)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A step counts where it does in one of the inputs; None where an input has no mask."""
        masks = previous_mask or [None]
        return None if any(mask is None for mask in masks) else reduce(ops.logical_or, masks)


class Add(_Merge):
    """The sum of a list of inputs.

    Example:
        >>> pyml.layers.Add()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-1.0, 4.0]]
    """

    def _merge(self, a: Any, b: float) -> Any:
        return a + b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3), draw(2, 3)], like=sum)


class Subtract(_Merge):
    """The first of two inputs minus the second.

    Raises:
        ShapeError: There are not two inputs.

    Example:
        >>> pyml.layers.Subtract()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[3.0, -2.0]]
    """

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != 2:
            raise ShapeError(f'Layer "{self.name}" subtracts two inputs. Received: {len(input_shape)}')
        super().build(input_shape)

    def _merge(self, a: Any, b: float) -> Any:
        return a - b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: xs[0] - xs[1])


class Multiply(_Merge):
    """The product of a list of inputs.

    Example:
        >>> pyml.layers.Multiply()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-2.0, 3.0]]
    """

    def _merge(self, a: Any, b: float) -> Any:
        return a * b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3), draw(2, 3)], like=lambda xs: xs[0] * xs[1] * xs[2])


class Maximum(_Merge):
    """The largest of a list of inputs, element by element.

    Example:
        >>> pyml.layers.Maximum()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[1.0, 3.0]]
    """

    def _merge(self, a: Any, b: float) -> Any:
        return ops.maximum(a, b)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: np.maximum(*xs))


class Minimum(_Merge):
    """The smallest of a list of inputs, element by element.

    Example:
        >>> pyml.layers.Minimum()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-2.0, 1.0]]
    """

    def _merge(self, a: Any, b: float) -> Any:
        return ops.minimum(a, b)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: np.minimum(*xs))


class Average(_Merge):
    """The mean of a list of inputs.

    Example:
        >>> pyml.layers.Average()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-0.5, 2.0]]
    """

    def call(self, inputs: Any) -> Any:
        return reduce(lambda a, b: a + b, inputs) * (1.0 / len(inputs))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: (xs[0] + xs[1]) / 2)


class Concatenate(Layer):
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
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        if not input_shape or not isinstance(input_shape[0], (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" joins a list of inputs. Received an input of shape {input_shape}')
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs: Any) -> Any:
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Masks of the steps: joined like the inputs along the steps, else a step counts where it does in all inputs."""
        if not previous_mask:
            return None
        masks = [ops.ones(x.shape[:2], "bool") if mask is None else mask
                 for x, mask in zip(inputs, previous_mask, strict=True)]
        along_steps = self.axis % len(inputs[0].shape) == 1
        return ops.concatenate(masks, axis=1) if along_steps else reduce(ops.logical_and, masks)

    def compute_output_shape(self, input_shape: Any) -> Any:
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


class Dot(Layer):
    """Dot products of two inputs, sample by sample, over one axis of each.

    Args:
        axes: The axis of both inputs, or one of each; not the batch.
        normalize: Scale the inputs to length 1 along the axis first: the result is their cosine.

    Input shape: a list of two inputs. Output shape: the axes of the first, then those of the second, without the
    summed ones; `(batch, 1)` for two vectors.

    Raises:
        ValueError: `axes` is neither an integer nor a pair of them.
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
            raise ValueError(f"Dot: axes must be an integer or a pair of integers. Received: axes={axes!r}")
        self.axes = axes
        self.normalize = normalize
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.built = True

    def _both(self, first: Any, second: Any) -> Any:
        a, b = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        if not -len(first) <= a < len(first) or not -len(second) <= b < len(second):
            raise AxisError(f'Layer "{self.name}": axes {(a, b)} are out of range for inputs of {len(first)} and {len(second)} axes.')
        return a % len(first), b % len(second)

    def call(self, inputs: Any) -> Any:
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

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the steps are summed over or mixed."""
        return None

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) != 2 or not all(isinstance(shape, (list, tuple)) for shape in input_shape):
            raise ShapeError(f'Layer "{self.name}" multiplies a list of two inputs. Received shapes: {input_shape}')
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


def add(inputs: Any, **kwargs: Any) -> Any:
    """`Add()(inputs)`.

    Example:
        >>> pyml.layers.add([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[4., 6.]], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """`Subtract()(inputs)`.

    Example:
        >>> pyml.layers.subtract([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[-2.,  2.]], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """`Multiply()(inputs)`.

    Example:
        >>> pyml.layers.multiply([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[3., 8.]], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """`Average()(inputs)`.

    Example:
        >>> pyml.layers.average([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[2., 3.]], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """`Maximum()(inputs)`.

    Example:
        >>> pyml.layers.maximum([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[3., 4.]], dtype=float32)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """`Minimum()(inputs)`.

    Example:
        >>> pyml.layers.minimum([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[1., 2.]], dtype=float32)
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """`Concatenate(axis)(inputs)`.

    Example:
        >>> pyml.layers.concatenate([np.ones((1, 2)), np.ones((1, 3))]).shape
        (1, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Any) -> Any:
    """`Dot(axes)(inputs)`.

    Example:
        >>> pyml.layers.dot([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])], axes=1).numpy()
        array([[11.]], dtype=float32)
    """
    return Dot(axes=axes, **kwargs)(inputs)
