"""What convolutions and pools share: where the channels are, sizes of windows, padding."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..settings import standardize_data_format

Widths = tuple[tuple[int, int], ...]


def channels_first(data_format: str | None, what: str) -> bool:
    """Whether the channels come before the spatial axes.

    Raises:
        ValueError: `data_format` is not a layout.
    """
    return standardize_data_format(data_format, what) == "channels_first"


def to_last(x: Node) -> Node:
    """`(batch, channels, *sizes)` as `(batch, *sizes, channels)`: a view."""
    return prims.permute(x, (0, *range(2, x.ndim), 1))


def to_first(x: Node) -> Node:
    """`(batch, *sizes, channels)` as `(batch, channels, *sizes)`: a view."""
    return prims.permute(x, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def images(x: TensorLike, what: str, data_format: str | None, whole: bool = False) -> tuple[Node, bool]:
    """The node of `x` as float32 `(batch, *sizes, channels)` of one to three sizes, and whether channels came first.

    With `whole`, integers stay what they are.

    Raises:
        ShapeError: There are fewer or more axes.
    """
    first = channels_first(data_format, what)
    node = as_node(x)
    node = node if whole and node.dtype in ("int32", "uint32") else prims.cast(node, dtype="float32")
    if not 3 <= node.ndim <= 5:
        layout = "(batch, channels, *sizes)" if first else "(batch, *sizes, channels)"
        raise ShapeError(f"{what}: expected {layout} with one to three sizes. Received: {node.shape}")
    return (to_last(node) if first else node), first


def answer(node: Node, first: bool) -> Tensor:
    """`(batch, *sizes, channels)` in the layout that was given."""
    return Tensor(to_first(node) if first else node)


def is_whole(value: Any) -> bool:
    """Whether this is one integer, of Python or numpy; an array of several has `__index__` too."""
    return hasattr(value, "__index__") and not isinstance(value, bool) and not getattr(value, "shape", ())


def standard_sizes(value: Any, count: int, what: str, least: int = 1) -> tuple[int, ...]:
    """One integer per spatial axis, of one or several.

    Raises:
        ShapeError: They are not `count` integers of at least `least`.
    """
    given = (value,) * count if is_whole(value) else value
    try:
        sizes = tuple(operator.index(size) for size in given)
    except TypeError:
        sizes = ()
    if len(sizes) != count or any(size < least for size in sizes):
        kind = "positive integers" if least else "integers, none negative"
        raise ShapeError(f"{what}: expected {count} {kind}. Received: {value}")
    return sizes


def standard_padding(padding: str, what: str) -> str:
    """`"valid"` or `"same"`, in small letters.

    Raises:
        ValueError: It is something else.
    """
    text = padding.lower() if isinstance(padding, str) else padding
    if text not in ("valid", "same"):
        raise ValueError(f"{what}: padding must be 'valid' or 'same'. Received: padding={padding!r}")
    return text


def padding_widths(
    padding: str, sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int], dilations: Sequence[int], what: str
) -> Widths:
    """Cells to add before and after each spatial axis: none, or as many as keep `ceil(size / stride)` outputs.

    Raises:
        ShapeError: A window is larger than its padded axis.
    """
    widths: Widths = ((0, 0),) * len(sizes)
    if standard_padding(padding, what) == "same":
        widths = tuple(_same(*args) for args in zip(sizes, windows, strides, dilations, strict=True))
    for n, k, d, (low, high) in zip(sizes, windows, dilations, widths, strict=True):
        if n + low + high < (k - 1) * d + 1:
            raise ShapeError(f"{what}: a window of {tuple(windows)} does not fit inputs of {tuple(sizes)}; use padding='same'.")
    return widths


def _same(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def transposed_span(size: int, window: int, stride: int, padding: str, extra: int | None, dilation: int) -> tuple[int, int]:
    """Output size of a transposed convolution along one axis, and where it begins in the sum of all kernels."""
    reach = (window - 1) * dilation + 1
    if standard_padding(padding, "conv_transpose") == "valid":
        return (size - 1) * stride + reach + (max(reach, stride) - reach if extra is None else extra), 0
    length = size * stride if extra is None else (size - 1) * stride + reach % 2 + extra
    cells = stride + reach - 2 if extra is None else reach + reach % 2 - 2 + extra
    return length, reach - 1 - min(cells // 2 + cells % 2, reach - 1)


def transposed_sizes(
    sizes: Sequence[int | None],
    windows: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilations: Sequence[int],
) -> tuple[int | None, ...]:
    """Output sizes of a transposed convolution, None where the input's is unknown."""
    extras = output_padding or (None,) * len(sizes)
    return tuple(None if n is None else transposed_span(n, *rest)[0]
                 for n, *rest in zip(sizes, windows, strides, (padding,) * len(sizes), extras, dilations, strict=True))


def along_rows(x: Node) -> Node:
    """A sequence `(batch, steps, channels)` as an image of one row."""
    return prims.reshape(x, (x.shape[0], 1, *x.shape[1:]))


def without_rows(x: Node) -> Node:
    """An image of one row as a sequence."""
    return prims.reshape(x, (x.shape[0], *x.shape[2:]))
