"""Neighbourhoods of pixels: smoothing, edges, and how alike two images are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.sizes import count_of, shape_of
from .apply import as_float
from .core import cast, unstack
from .declare import draw, op, sample
from .elementary import exp
from .indexing import get_item
from .joining import concatenate, split, stack
from .layout import channels_last, data_format_of, image_batch, unbatched
from .reduce import mean, sum
from .resizing import back_to
from .shaping import pad, reshape

__all__ = ["gaussian_blur", "sobel_edges", "ssim"]

ONE_PASS = 9  # numbers of a window up to which one pass over the images is quicker than two


def gaussian(size: int, sigma: TensorLike) -> Tensor:
    """float32 `(size,)`: a bell of standard deviation `sigma` around the middle, of sum 1; of a number, without a kernel."""
    if isinstance(sigma, (int, float)):
        fixed = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
        return Tensor(as_node((fixed / fixed.sum()).astype(np.float32)))
    places = Tensor(prims.cast(prims.iota(size), dtype="float32")) - (size - 1) / 2
    bell = exp((places / sigma) ** 2 * -0.5)
    return bell / sum(bell)


def blurred(x: Node, rows: Tensor, columns: Tensor, same: bool = True) -> Node:
    """Images `(batch, height, width, channels)` smoothed along their height, then along their width; by a small window in one pass."""
    channels = x.shape[3]
    down, across = reshape(rows, (-1, 1, 1, 1)), reshape(columns, (1, -1, 1, 1))
    for window in (down * across,) if rows.shape[0] * columns.shape[0] <= ONE_PASS else (down, across):
        kernel = prims.broadcast_to(window._node, (*window.shape[:3], channels))
        padding = tuple(((size - 1) // 2, size // 2) if same else (0, 0) for size in window.shape[:2])
        x = prims.conv2d(x, kernel, strides=(1, 1), padding=padding, dilation=(1, 1), groups=channels)
    return x


def _smoothed(x: np.ndarray, size: tuple[int, int] = (3, 3), sigma: tuple[float, float] = (1.0, 1.0), **_: Any) -> np.ndarray:
    """`gaussian_blur` in numpy."""
    for axis, count, width in ((-3, size[1], sigma[1]), (-2, size[0], sigma[0])):
        bell = np.exp(-0.5 * ((np.arange(count) - (count - 1) / 2) / width) ** 2)
        margins = [(0, 0)] * x.ndim
        margins[axis] = ((count - 1) // 2, count // 2)
        views = np.lib.stride_tricks.sliding_window_view(np.pad(x, margins), count, axis=axis)
        x = views @ (bell / bell.sum())
    return x


@op(
    dtypes="first",
    like=_smoothed,
    samples=[
        sample(draw(2, 5, 4, 3)),
        sample(draw(4, 6, 2), (5, 3), (2.0, 0.5)),
        sample(draw(1, 4, 5, 1), (2, 2), data_format="channels_last"),
    ],
)
def gaussian_blur(
    images: TensorLike,
    kernel_size: Sequence[int] = (3, 3),
    sigma: TensorLike = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Images smoothed with a bell-shaped window; beyond their borders they count as 0.

    Args:
        images: `(batch, height, width, channels)` or one image.
        kernel_size: Pixels of the window along the width and along the height, as Keras' numpy and JAX take them.
        sigma: Standard deviations in the same order, in pixels; numbers or a tensor of two.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`; integer results are rounded.

    Raises:
        ShapeError: The images have neither 3 nor 4 axes, or there are not two sizes.
        ValueError: `data_format` is neither of its words.

    Source: `keras.ops.image.gaussian_blur`.

    Example:
        >>> pyml.ops.image.gaussian_blur(np.eye(3)[..., None])[..., 0].numpy().round(2)
        array([[0.28, 0.25, 0.08],
               [0.25, 0.35, 0.25],
               [0.08, 0.25, 0.28]], dtype=float32)
    """
    layout = data_format_of(data_format, "gaussian_blur")
    sizes = shape_of(kernel_size, "gaussian_blur", "kernel_size")
    fixed = isinstance(sigma, (tuple, list)) and all(isinstance(width, (int, float)) for width in sigma)
    widths: Any = sigma if fixed else unstack(as_float(sigma))
    if len(sizes) != 2 or min(sizes) < 1 or len(widths) != 2:
        raise ShapeError(f"gaussian_blur: kernel_size must be two sizes from 1, sigma two numbers. Received: {kernel_size} and {sigma}")
    x, single = image_batch(images, "gaussian_blur")
    if 0 in x.shape:
        return Tensor(unbatched(x, single))
    bells = [gaussian(size, width) for size, width in zip(sizes, widths, strict=True)]
    y = prims.cast(x, dtype="float32")
    if layout == "channels_first":  # each channel an image of its own: a view
        y = prims.reshape(y, (x.shape[0] * x.shape[1], *x.shape[2:], 1))
    y = prims.reshape(blurred(y, bells[1], bells[0]), x.shape)
    return Tensor(unbatched(back_to(y, x.dtype), single))


def _edges(x: np.ndarray, **_: Any) -> np.ndarray:
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    down, across = x[:, 2:] - x[:, :-2], x[:, :, 2:] - x[:, :, :-2]
    dy = down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]
    return np.stack([dy, across[:, :-2] + 2 * across[:, 1:-1] + across[:, 2:]], -1)


@op(like=_edges, samples=[sample(draw(2, 4, 5, 3)), sample(draw(1, 1, 2, 1), data_format="channels_last")])
def sobel_edges(images: TensorLike, data_format: str | None = None) -> Tensor:
    """How steeply images change downwards and to the right, by Sobel's filters, as float32; beyond their borders they count as 0.

    Args:
        images: `(batch, height, width, channels)`.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape of `images` and an axis of two, `[dy, dx]`.

    Raises:
        ShapeError: The images have not 4 axes.
        ValueError: `data_format` is neither of its words.

    Source: Sobel and Feldman 1968; keras.ops.image.sobel_edges.

    Example:
        >>> pyml.ops.image.sobel_edges(np.arange(3.)[None, None, :, None] * np.ones((1, 3, 1, 1)))[0, 1, 1, 0].numpy()
        array([0., 8.], dtype=float32)
    """
    layout = data_format_of(data_format, "sobel_edges")
    x = Tensor(as_node(images))
    if x.ndim != 4:
        raise ShapeError(f"sobel_edges: expected a batch of images, 4 axes. Received: images of shape {x.shape}")
    rows, columns = (1, 2) if layout == "channels_last" else (2, 3)
    x = pad(x, [(1, 1) if axis in (rows, columns) else (0, 0) for axis in range(4)])

    def part(v: Tensor, axis: int, first: int) -> Tensor:
        return get_item(v, (slice(None),) * axis + (slice(first, v.shape[axis] - 2 + first),))

    def edges(across: int, along: int) -> Tensor:
        steep = part(x, across, 2) - part(x, across, 0)
        return part(steep, along, 0) + part(steep, along, 1) * 2 + part(steep, along, 2)

    return stack([edges(rows, columns), edges(columns, rows)], -1)


def _alike(a: np.ndarray, b: np.ndarray, max_val: float = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, **_: Any) -> np.ndarray:
    """`ssim` in numpy."""
    bell = np.exp(-((np.arange(filter_size) - (filter_size - 1) / 2) ** 2) / (2 * filter_sigma**2))
    window = np.outer(bell, bell) / bell.sum() ** 2

    def smooth(x: np.ndarray) -> np.ndarray:
        return np.einsum("...hwcij,ij->...hwc", np.lib.stride_tricks.sliding_window_view(x, window.shape, axis=(-3, -2)), window)

    p, q, c1, c2 = smooth(a), smooth(b), (0.01 * max_val) ** 2, (0.03 * max_val) ** 2
    pp, qq, pq = smooth(a * a) - p * p, smooth(b * b) - q * q, smooth(a * b) - p * q
    return ((2 * p * q + c1) * (2 * pq + c2) / ((p * p + q * q + c1) * (pp + qq + c2))).mean((-3, -2, -1))


@op(
    like=_alike,
    samples=[sample(draw(2, 12, 13, 2), draw(2, 12, 13, 2)), sample(draw(4, 6, 1), draw(4, 6, 1), max_val=2.0, filter_size=3)],
)
def ssim(
    image1: TensorLike,
    image2: TensorLike,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """The structural similarity of images, 1 where they are equal: means, contrasts and how pixels vary together are compared.

    Args:
        image1, image2: Of one shape, `(batch, height, width, channels)` or one image.
        max_val: The largest value that pixels may have.
        filter_size: Pixels of the window that statistics are taken in, along both sides.
        filter_sigma: Standard deviation of the bell that weighs them.
        k1, k2: Parts of `max_val` that keep quotients of small numbers in bounds.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        `(batch,)`, or a number for one image, in the dtype of `image1`.

    Raises:
        ShapeError: The shapes differ, or the window does not fit.
        ValueError: `data_format` is neither of its words.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural similarity".

    Example:
        >>> pyml.ops.image.ssim(np.ones((2, 16, 16, 3)), np.ones((2, 16, 16, 3))).numpy()
        array([1., 1.], dtype=float32)
    """
    layout = data_format_of(data_format, "ssim")
    size = count_of(filter_size, "ssim", "filter_size", least=1)
    (a, single), (b, _) = image_batch(image1, "ssim", "image1"), image_batch(image2, "ssim", "image2")
    if a.shape != b.shape:
        raise ShapeError(f"ssim: image1 is {as_node(image1).shape} and image2 {as_node(image2).shape}; expected the same shape.")
    x, y = (Tensor(prims.cast(channels_last(node, layout), dtype="float32")) for node in (a, b))
    if min(x.shape[1:3]) < size:
        raise ShapeError(f"ssim: a window of {size} pixels does not fit images of {x.shape[1]} x {x.shape[2]}; make filter_size smaller.")
    bell = gaussian(size, filter_sigma)
    parts = concatenate([x, y, x * x, y * y, x * y], 0)
    mx, my, xx, yy, xy = split(Tensor(blurred(parts._node, bell, bell, same=False)), 5)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    product, squares = mx * my, mx * mx + my * my
    found = (product * 2.0 + c1) * ((xy - product) * 2.0 + c2) / ((squares + c1) * (xx + yy - squares + c2))
    result = cast(mean(found, axis=(1, 2, 3)), a.dtype)
    return reshape(result, ()) if single else result
