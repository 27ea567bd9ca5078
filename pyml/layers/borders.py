"""Layers that add or remove cells at the borders: ZeroPadding and Cropping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.windows import margins
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.layout import data_format_of

__all__ = ["Cropping1D", "Cropping2D", "ZeroPadding1D", "ZeroPadding2D"]


def _for_all_axes(widths: tuple[tuple[int, int], ...], data_format: str) -> tuple[tuple[int, int], ...]:
    """Borders of all axes of a batch: those of its images or steps, none of the others."""
    return ((0, 0), (0, 0), *widths) if data_format == "channels_first" else ((0, 0), *widths, (0, 0))


class _Borders(Layer):
    """What padding and cropping share: their widths, an argument that is called `what`."""

    rank: ClassVar[int] = 2
    what: ClassVar[str]

    def __init__(self, widths: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self._widths = margins(widths, self.rank, self.what, owner)
        setattr(self, self.what, self._widths if self.rank > 1 else self._widths[0])
        self.data_format = data_format_of(data_format, owner)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class _ZeroPadding(_Borders):
    what = "padding"
    padding: Any

    def call(self, inputs: Tensor) -> Tensor:
        return ops.pad(inputs, _for_all_axes(self._widths, self.data_format))

    def compute_output_shape(self, input_shape: Any) -> Any:
        widths = _for_all_axes(self._widths, self.data_format)
        return tuple(None if n is None else n + sum(w) for n, w in zip(input_shape, widths, strict=True))


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after a sequence.

    Args:
        padding: Steps at both ends, or a pair of numbers.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, steps)`.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, new_steps, channels)`.

    Example:
        >>> pyml.layers.ZeroPadding1D((2, 0))(np.ones((1, 3, 1))).numpy()[0, :, 0].tolist()
        [0.0, 0.0, 1.0, 1.0, 1.0]
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((1, 2)), draw(2, 3, 2), like=lambda x: np.pad(x, ((0, 0), (1, 2), (0, 0))))


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images.

    Args:
        padding: One number; height and width; or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.

    Example:
        >>> pyml.layers.ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 3, 3, 1))).shape
        (1, 4, 7, 1)
    """

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(((1, 0), (2, 1))), draw(2, 3, 2, 2), like=lambda x: np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0))))
        yield sample(cls(1, data_format="channels_first"), draw(2, 2, 3, 1), like=lambda x: np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))))


class _Cropping(_Borders):
    what = "cropping"
    cropping: Any

    def call(self, inputs: Tensor) -> Tensor:
        shape = self.compute_output_shape(inputs.shape)
        return ops.slice(inputs, [low for low, _ in _for_all_axes(self._widths, self.data_format)], shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        widths = _for_all_axes(self._widths, self.data_format)
        sizes = tuple(None if n is None else n - sum(w) for n, w in zip(input_shape, widths, strict=True))
        if any(n is not None and n <= 0 for n, w in zip(sizes, widths, strict=True) if w != (0, 0)):
            raise ShapeError(
                f'Layer "{self.name}": cropping {self.cropping} leaves nothing of inputs of shape {tuple(input_shape)}.'
            )
        return sizes


class Cropping1D(_Cropping):
    """A sequence without some steps at its ends.

    Args:
        cropping: Steps to leave out at both ends, or a pair of numbers.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, new_steps, channels)`.

    Example:
        >>> pyml.layers.Cropping1D((1, 2))(np.ones((1, 7, 2))).shape
        (1, 4, 2)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((1, 2)), draw(2, 6, 2), like=lambda x: x[:, 1:-2])


class Cropping2D(_Cropping):
    """Images without their borders.

    Args:
        cropping: One number; height and width; or `((top, bottom), (left, right))`.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Input shape: `(batch, height, width, channels)`. Output shape: `(batch, new_height, new_width, channels)`.

    Raises:
        ShapeError: Nothing would be left.

    Example:
        >>> pyml.layers.Cropping2D(((1, 0), (2, 2)))(np.ones((1, 5, 5, 1))).shape
        (1, 4, 1, 1)
    """

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(((1, 0), (2, 1))), draw(2, 3, 5, 2), like=lambda x: x[:, 1:, 2:-1])
        yield sample(cls(1, data_format="channels_first"), draw(2, 2, 3, 5), like=lambda x: x[:, :, 1:-1, 1:-1])
