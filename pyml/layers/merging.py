"""Layers that combine several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from math import prod
from operator import add as plus
from operator import mul
from typing import Any

import numpy as np

from pyml import ops
from pyml.errors import AxisError, ShapeError
from pyml.layers.layer import Layer
from pyml.layers.signature import mask_of
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average", "concatenate", "dot",
    "maximum", "minimum", "multiply", "subtract",
]


def _over(mask: Any, x: Any) -> Any:
    """A mask of the first axes of `x` with axes of size 1 for the others."""
    return ops.reshape(mask, (*mask.shape, *(1,) * (len(x.shape) - len(mask.shape))))


class _Merge(Layer):
    """Inputs that broadcast together sample by sample, combined two by two."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge(self, a: Any, b: Any) -> Any:
        """Two of the inputs as one; every subclass with `_merge_function` as it is here writes its own."""
        raise TypeError(f"{type(self).__name__} must define _merge(a, b).")

    def build(self, input_shape: Any) -> None:
        self._check_shapes(input_shape)
        self.compute_output_shape(input_shape)
        self.built = True

    def _check_shapes(self, input_shape: Any) -> None:
        if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(
                input_shape[0], (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" merges a list of inputs. Received an input of shape {input_shape}')

    def call(self, inputs: Any) -> Any:
        if not isinstance(inputs, (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" merges a list of inputs. Received: {type(inputs).__name__}')
        return self._merge_function(self._of_one_rank(inputs))

    def _of_one_rank(self, inputs: Any) -> Any:
        """Inputs of fewer axes get axes of size 1 behind the batch."""
        rank = max(len(x.shape) for x in inputs)
        return [x if len(x.shape) == rank else ops.expand_dims(x, list(range(1, 1 + rank - len(x.shape)))) for x in inputs]

    def _merge_function(self, inputs: Any) -> Any:     # by Keras' name: subclasses have their own
        return reduce(self._merge, inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        rank = max(map(len, input_shape))
        sizes: list[int | None] = [None, *[1] * (rank - 1)][:rank]
        for shape in input_shape:
            spread = (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])
            for axis, (m, n) in enumerate(zip(sizes, spread, strict=True)):
                if None not in (m, n) and m != n and (not axis or 1 not in (m, n)):
                    what = "batches of different sizes" if not axis else "inputs that do not fit together"
                    raise ShapeError(f'Layer "{self.name}": {what}: {list(input_shape)}')
                sizes[axis] = (n if m is None else m) if not axis else n if m == 1 else None if n is None else m
        return tuple(sizes)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """A step counts where it does in one of the inputs; None where an input has no mask."""
        masks = self._masks_of(inputs, mask)
        return None if any(mask is None for mask in masks) else reduce(ops.logical_or, masks)

    def _masks_of(self, inputs: Any, mask: Any) -> Any:
        """The masks, one for each input.

        Raises:
            ShapeError: They are no list, the inputs are none, or the lists have different lengths.
        """
        if mask is None:
            return [None]
        for name, value in (("mask", mask), ("inputs", inputs)):
            if not isinstance(value, (list, tuple)):
                raise ShapeError(f'Layer "{self.name}": {name} must be a list with one for each input. Received: {name}={value}')
        if len(mask) != len(inputs):
            raise ShapeError(f'Layer "{self.name}": {len(inputs)} inputs need as many masks. Received: {len(mask)}')
        return mask


class _Extreme(_Merge):
    """The larger or smaller of two values: what one input masks is left to the other, as no value stands for nothing."""

    def _merge_function(self, inputs: Any) -> Any:
        found, kept = inputs[0], mask_of(inputs[0])
        for x in inputs[1:]:
            mask = mask_of(x)
            if mask is not None:
                x = ops.where(_over(mask, x), x, found)
            if kept is not None:
                found = ops.where(_over(kept, found), found, x)
            kept = None if kept is None or mask is None else ops.logical_or(kept, mask)
            found = self._merge(found, x)
        return found


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

    def _check_shapes(self, input_shape: Any) -> None:
        super()._check_shapes(input_shape)
        if len(input_shape) != 2:
            raise ShapeError(f'Layer "{self.name}" subtracts two inputs. Received: {len(input_shape)}')

    def _merge(self, a: Any, b: float) -> Any:
        return a - b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: xs[0] - xs[1])


class Multiply(_Merge):
    """The product of a list of inputs; a step that is masked in an input counts as 1 there, and one that is masked in all of them is 0.

    Example:
        >>> pyml.layers.Multiply()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-2.0, 3.0]]
    """

    def _merge_function(self, inputs: Any) -> Any:
        masks = [mask_of(x) for x in inputs]
        product = reduce(mul, (x if mask is None else ops.where(_over(mask, x), x, ops.ones((), x.dtype))
                               for x, mask in zip(inputs, masks, strict=True)))  # fmt: skip
        if any(mask is None for mask in masks):
            return product
        return ops.where(_over(reduce(ops.logical_or, masks), product), product, ops.zeros((), product.dtype))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3), draw(2, 3)], like=lambda xs: xs[0] * xs[1] * xs[2])


class Maximum(_Extreme):
    """The largest of a list of inputs, element by element; of steps that are masked in one input the others count alone.

    Example:
        >>> pyml.layers.Maximum()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[1.0, 3.0]]
    """

    def _merge(self, a: Any, b: float) -> Any:
        return ops.maximum(a, b)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: np.maximum(*xs))


class Minimum(_Extreme):
    """The smallest of a list of inputs, element by element; of steps that are masked in one input the others count alone.

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

    def _merge_function(self, inputs: Any) -> Any:
        return reduce(plus, inputs) * (1.0 / len(inputs))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: (xs[0] + xs[1]) / 2)


class Concatenate(_Merge):
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


class Dot(_Merge):
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
