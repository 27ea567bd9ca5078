"""Images and volumes cut into patches, each as a row of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .declare import draw, op, sample
from .spatial import channels_first, padding_widths, standard_sizes, to_first, to_last

__all__ = ["extract_patches", "extract_patches_3d"]


def _patches(
    images: TensorLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    dilation_rate: int | Sequence[int],
    padding: str,
    data_format: str | None,
    count: int,
    what: str,
) -> Tensor:
    """Patches of `count` spatial axes, each as a row."""
    first = channels_first(data_format, what)
    windows = standard_sizes(size, count, f"{what}: size")
    steps = standard_sizes(strides or windows, count, f"{what}: strides")
    dilations = standard_sizes(dilation_rate, count, f"{what}: dilation_rate")
    x = as_node(images)
    if x.ndim not in (count + 1, count + 2):
        raise ShapeError(f"{what}: expected {count} sizes and channels, perhaps of a batch. Received: {x.shape}")
    single = x.ndim == count + 1
    x = prims.reshape(x, (1, *x.shape)) if single else x
    x = to_last(x) if first else x
    widths = padding_widths(padding, x.shape[1:-1], windows, steps, dilations, what)
    x = prims.pad(x, ((0, 0), *widths, (0, 0)))
    for axis in reversed(range(count)):
        x = prims.windows(x, 1 + axis, windows[axis], steps[axis], dilations[axis])
    order = (0, *range(1, 2 * count, 2), *range(2, 2 * count + 1, 2), 2 * count + 1)
    x = prims.permute(x, order)  # batch, places, cells of a patch, channels
    x = prims.reshape(x, (*x.shape[: count + 1], prod(x.shape[count + 1 :])))
    x = to_first(x) if first else x
    return Tensor(prims.reshape(x, x.shape[1:]) if single else x)


def _spec(count: int, what: str) -> Callable[..., KerasTensor]:
    """What a symbolic call returns: sizes that are unknown stay so, whatever patches are cut."""

    def spec(
        images: Any, size: Any, strides: Any = None, dilation_rate: Any = 1, padding: str = "valid", data_format: Any = None
    ) -> KerasTensor:
        """The symbolic result of a call with these arguments."""
        first, shape = channels_first(data_format, what), tuple(images.shape)
        axes = 3 if isinstance(size, (tuple, list)) and len(size) == 3 else count
        if len(shape) not in (axes + 1, axes + 2):
            raise ShapeError(f"{what}: expected {axes} sizes and channels, perhaps of a batch. Received: {shape}")
        windows = standard_sizes(size, axes, f"{what}: size")
        steps = standard_sizes(strides or windows, axes, f"{what}: strides")
        dilations = standard_sizes(dilation_rate, axes, f"{what}: dilation_rate")
        batch, rest = shape[: -axes - 1], shape[-axes - 1 :]
        channels, sizes = (rest[0], rest[1:]) if first else (rest[-1], rest[:-1])
        if padding.lower() == "same":
            places = tuple(None if n is None else -(-n // s) for n, s in zip(sizes, steps, strict=True))
        else:
            reaches = ((k - 1) * d + 1 for k, d in zip(windows, dilations, strict=True))
            places = tuple(None if n is None else (n - r) // s + 1 for n, r, s in zip(sizes, reaches, steps, strict=True))
        depth = None if channels is None else channels * prod(windows)
        return KerasTensor((*batch, depth, *places) if first else (*batch, *places, depth), dtype=images.dtype)

    return spec


def _cut(
    x: np.ndarray, size: int | tuple[int, ...], strides: int | None = None, dilation_rate: int = 1, padding: str = "valid",
    data_format: str = "channels_last", count: int = 2,
) -> np.ndarray:  # fmt: skip
    """The patches in numpy, without padding."""
    first = data_format == "channels_first"
    x = np.moveaxis(x, -count - 1, -1) if first else x
    sizes = (size,) * count if isinstance(size, int) else size
    axes = tuple(range(x.ndim - 1 - count, x.ndim - 1))
    seen = np.lib.stride_tricks.sliding_window_view(x, [(n - 1) * dilation_rate + 1 for n in sizes], axis=axes)
    for axis, n in zip(axes, sizes, strict=True):
        seen = seen[(slice(None),) * axis + (slice(None, None, strides or n),)]
    inner: tuple[Any, ...] = (..., *(slice(None, None, dilation_rate),) * count)
    seen = seen[inner]
    seen = np.moveaxis(seen, x.ndim - 1, -1)
    seen = seen.reshape(*seen.shape[: x.ndim - 1], -1)
    return np.moveaxis(seen, -1, -count - 1) if first else seen


@op(
    like=_cut,
    samples=[
        sample(draw(2, 5, 6, 3), 2),
        sample(draw(6, 5, 2), (2, 3), strides=1),
        sample(draw(1, 2, 6, 5), 2, strides=3, dilation_rate=2, data_format="channels_first"),
    ],
    spec=_spec(2, "extract_patches"),
)
def extract_patches(
    images: TensorLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of images, each as a row: its pixels line by line, the channels of each together.

    Args:
        images: `(batch, height, width, channels)` or one image.
        size: Height and width of a patch, one or two integers; of three, patches of volumes (see `extract_patches_3d`).
        strides: From one patch to the next, by default `size`: patches lie side by side.
        dilation_rate: From one pixel of a patch to the next.
        padding: `"valid"` or `"same"`: zeros around the images, so that there are `ceil(height / stride)` rows of patches.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        `(batch, rows, columns, size * size * channels)`, or with the patches' numbers first, in the dtype of `images`.

    Raises:
        ShapeError: A patch does not fit, or the axes are not those of images.
        TypeError: `size` is neither an integer nor a tuple.
        ValueError: `padding` or `data_format` is none of its words.

    Source: `keras.ops.image.extract_patches`.

    Example:
        >>> pyml.ops.image.extract_patches(np.ones((2, 20, 20, 3)), (5, 5)).shape
        (2, 4, 4, 75)
    """
    if not isinstance(size, (int, tuple, list)):
        raise TypeError(f"extract_patches: size must be an integer or a tuple. Received: size={size!r}")
    count = 3 if isinstance(size, (tuple, list)) and len(size) == 3 else 2
    return _patches(images, size, strides, dilation_rate, padding, data_format, count, "extract_patches")


@op(
    like=partial(_cut, count=3),
    samples=[sample(draw(2, 4, 5, 4, 2), 2), sample(draw(2, 3, 4, 4), (1, 2, 3), strides=1, data_format="channels_first")],
    spec=_spec(3, "extract_patches_3d"),
)
def extract_patches_3d(
    volumes: TensorLike,
    size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    dilation_rate: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Patches of volumes, each as a row. Arguments as for `extract_patches`, with three sizes.

    Args:
        volumes: `(batch, depth, height, width, channels)` or one volume.
        size: Depth, height and width of a patch, one or three integers.
        strides, dilation_rate, padding, data_format: see `extract_patches`.

    Returns:
        `(batch, depths, rows, columns, size * size * size * channels)`, in the layout and dtype of `volumes`.

    Raises:
        ShapeError: A patch does not fit, or the axes are not those of volumes.
        ValueError: `padding` or `data_format` is none of its words.

    Source: `keras.ops.image.extract_patches_3d`.

    Example:
        >>> pyml.ops.image.extract_patches_3d(np.ones((2, 10, 10, 10, 3)), 5).shape
        (2, 2, 2, 2, 375)
    """
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3, "extract_patches_3d")
