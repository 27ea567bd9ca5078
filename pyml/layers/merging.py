"""Layers that combine several inputs value by value: Add, Subtract, Multiply, Average, Maximum, Minimum."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add as plus
from operator import mul
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.layers.layer import Layer
from pyml.layers.signature import mask_of
from pyml.objects.samples import Sample, draw, sample

__all__ = [
    "Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average", "maximum", "minimum", "multiply", "subtract",
]


def _over(mask: Any, x: Any) -> Any:
    """A mask of the first axes of `x` with axes of size 1 for the others."""
    return ops.reshape(mask, (*mask.shape, *(1,) * (len(x.shape) - len(mask.shape))))


class Merge(Layer, abstract=True):
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


class _Extreme(Merge):
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


class Add(Merge):
    """The sum of a list of inputs.

    Example:
        >>> pyml.layers.Add()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-1.0, 4.0]]
    """

    def _merge(self, a: Any, b: Any) -> Any:
        return a + b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3), draw(2, 3)], like=sum)


class Subtract(Merge):
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

    def _merge(self, a: Any, b: Any) -> Any:
        return a - b

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: xs[0] - xs[1])


class Multiply(Merge):
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

    def _merge(self, a: Any, b: Any) -> Any:
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

    def _merge(self, a: Any, b: Any) -> Any:
        return ops.minimum(a, b)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: np.minimum(*xs))


class Average(Merge):
    """The mean of a list of inputs.

    Example:
        >>> pyml.layers.Average()([np.ones((1, 2)), np.array([[-2.0, 3.0]], "float32")]).numpy().tolist()
        [[-0.5, 2.0]]
    """

    _integers_give_float32 = True

    def _merge_function(self, inputs: Any) -> Any:
        return reduce(plus, inputs) * (1.0 / len(inputs))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), [draw(2, 3), draw(2, 3)], like=lambda xs: (xs[0] + xs[1]) / 2)


def add(inputs: Any, **kwargs: Any) -> Tensor:
    """`Add()(inputs)`.

    Example:
        >>> pyml.layers.add([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[4., 6.]], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Tensor:
    """`Subtract()(inputs)`.

    Example:
        >>> pyml.layers.subtract([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[-2.,  2.]], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Tensor:
    """`Multiply()(inputs)`.

    Example:
        >>> pyml.layers.multiply([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[3., 8.]], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Tensor:
    """`Average()(inputs)`.

    Example:
        >>> pyml.layers.average([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[2., 3.]], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Tensor:
    """`Maximum()(inputs)`.

    Example:
        >>> pyml.layers.maximum([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[3., 4.]], dtype=float32)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Tensor:
    """`Minimum()(inputs)`.

    Example:
        >>> pyml.layers.minimum([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
        array([[1., 2.]], dtype=float32)
    """
    return Minimum(**kwargs)(inputs)
