"""Layers that combine several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate."""

from functools import reduce

from pyml import ops
from pyml.errors import ShapeError
from pyml.layers.layer import Layer


class _Merge(Layer):
    """Inputs that broadcast together, combined two by two."""

    def build(self, input_shape):
        if not isinstance(input_shape, (list, tuple)) or not input_shape or not isinstance(
                input_shape[0], (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" merges a list of inputs. Received an input of shape {input_shape}')
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs):
        return reduce(self._merge, inputs)

    def compute_output_shape(self, input_shape):
        sizes = list(input_shape[0])
        for shape in input_shape[1:]:
            if len(shape) != len(sizes):
                raise ShapeError(f'Layer "{self.name}": inputs have different ranks: {list(input_shape)}')
            for axis, (m, n) in enumerate(zip(sizes, shape, strict=True)):
                if None not in (m, n) and m != n and 1 not in (m, n):
                    raise ShapeError(f'Layer "{self.name}": inputs do not fit together: {list(input_shape)}')
                sizes[axis] = n if m == 1 else m
        return tuple(sizes)


class Add(_Merge):
    """The sum of a list of inputs."""

    def _merge(self, a, b):
        return a + b


class Subtract(_Merge):
    """The first of two inputs minus the second."""

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ShapeError(f'Layer "{self.name}" subtracts two inputs. Received: {len(input_shape)}')
        super().build(input_shape)

    def _merge(self, a, b):
        return a - b


class Multiply(_Merge):
    """The product of a list of inputs."""

    def _merge(self, a, b):
        return a * b


class Maximum(_Merge):
    """The largest of a list of inputs, element by element."""

    def _merge(self, a, b):
        return ops.maximum(a, b)


class Minimum(_Merge):
    """The smallest of a list of inputs, element by element."""

    def _merge(self, a, b):
        return ops.minimum(a, b)


class Average(_Merge):
    """The mean of a list of inputs."""

    def call(self, inputs):
        return reduce(lambda a, b: a + b, inputs) * (1.0 / len(inputs))


class Concatenate(Layer):
    """A list of inputs side by side along `axis`.

    Args:
        axis: Axis along which they are joined; the other sizes must be equal.

    Raises:
        ShapeError: Other sizes differ.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def build(self, input_shape):
        if not input_shape or not isinstance(input_shape[0], (list, tuple)):
            raise ShapeError(f'Layer "{self.name}" joins a list of inputs. Received an input of shape {input_shape}')
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs):
        return ops.concatenate(list(inputs), axis=self.axis)

    def compute_output_shape(self, input_shape):
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

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def add(inputs, **kwargs):
    """`Add()(inputs)`."""
    return Add(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """`Concatenate(axis)(inputs)`."""
    return Concatenate(axis=axis, **kwargs)(inputs)
