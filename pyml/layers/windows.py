"""Arguments that convolution and pooling share: sizes, padding, data format, output lengths."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from pyml.errors import ShapeError
from pyml.ops.spatial import is_whole
from pyml.settings import standardize_data_format

_COUNTS = {1: "a positive integer", 2: "one or two positive integers", 3: "one or three positive integers"}


def window_sizes(value: Any, rank: Any, name: str | None, owner: str) -> tuple[int, ...]:
    """An integer, or `rank` of them, as a tuple of `rank` positive integers.

    Raises:
        ValueError: It is something else.
    """
    sizes = (value,) * rank if is_whole(value) else value
    try:
        sizes = tuple(operator.index(size) for size in sizes)
    except TypeError:
        sizes = ()
    if len(sizes) != rank or any(size <= 0 for size in sizes):
        raise ValueError(f"{owner}: {name} must be {_COUNTS[rank]}. Received: {name}={value!r}")
    return sizes


def margins(value: Any, rank: Any, name: str | None, owner: str) -> tuple[tuple[int, int], ...]:
    """Cells at both ends of `rank` axes as pairs: of one number, one per axis, or a pair per axis.

    Raises:
        ValueError: It is something else.
    """
    value = value.tolist() if isinstance(value, np.ndarray) else value
    widths: list = []
    if is_whole(value):
        widths = [(value, value)] * rank
    elif rank == 1 and isinstance(value, (list, tuple)) and len(value) == 2 and all(map(is_whole, value)):
        widths = [tuple(value)]
    elif rank > 1 and isinstance(value, (list, tuple)) and len(value) == rank:
        widths = [(v, v) if is_whole(v) else tuple(v) if isinstance(v, (list, tuple)) else () for v in value]
    if len(widths) != rank or any(len(w) != 2 or not all(is_whole(n) and n >= 0 for n in w) for w in widths):
        pairs = "an integer or a pair of them" if rank == 1 else "an integer, one per axis, or a pair per axis"
        raise ValueError(f"{owner}: {name} must be {pairs}, none negative. Received: {name}={value!r}")
    return tuple((int(low), int(high)) for low, high in widths)


def standard_padding(padding: Any, owner: str, known: Any = ("valid", "same")) -> str:
    """One of the words in `known`.

    Raises:
        ValueError: It is something else.
    """
    text = str(padding).lower()
    if text not in known:
        raise ValueError(f"{owner}: padding must be {' or '.join(map(repr, known))}. Received: padding={padding!r}")
    return text


def standard_data_format(data_format: str | None, owner: str) -> str:
    """`"channels_last"` or `"channels_first"`; None stands for `pyml.config.image_data_format()`.

    Raises:
        ValueError: It is something else.
    """
    return standardize_data_format(data_format, owner)


def channel_axis(data_format: str) -> int:
    """Where the channels are."""
    return 1 if data_format == "channels_first" else -1


def spatial(shape: Any, data_format: str) -> Any:
    """The sizes of `(batch, *sizes, channels)`, or of `(batch, channels, *sizes)`."""
    return tuple(shape[2:] if data_format == "channels_first" else shape[1:-1])


def laid_out(batch: Any, sizes: Any, channels: Any, data_format: str) -> tuple[Any, ...]:
    """A shape from its parts."""
    return (batch, channels, *sizes) if data_format == "channels_first" else (batch, *sizes, channels)


def output_length(length: Any, window: Any, stride: Any, padding: Any, dilation: Any = 1) -> int | None:
    """Outputs along one axis for `length` inputs, None when unknown."""
    if length is None:
        return None
    if padding != "valid":                             # same and causal keep the length
        return -(-length // stride)
    return (length - dilation * (window - 1) - 1) // stride + 1


def output_sizes(sizes: Any, windows: Any, strides: Any, padding: Any, dilations: Any,
                 layer: Any) -> tuple[int | None, ...]:
    """Outputs along all spatial axes.

    Raises:
        ShapeError: A window is larger than its axis, or has other axes.
    """
    if len(sizes) != len(windows):
        raise ShapeError(f'Layer "{layer.name}": a window of {windows} needs inputs of {len(windows)} axes beside batch and channels. '
                         f"Received: {len(sizes)}, of {tuple(sizes)}")  # fmt: skip
    lengths = tuple(output_length(n, w, s, padding, d)
                    for n, w, s, d in zip(sizes, windows, strides, dilations, strict=True))
    if any(n is not None and n <= 0 for n in lengths):
        raise ShapeError(
            f'Layer "{layer.name}": a window of {windows} does not fit inputs of {tuple(sizes)} '
            f"(output would be {lengths}); use padding='same', a smaller window, or larger inputs."
        )
    return lengths
