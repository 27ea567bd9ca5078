"""Images seen through a map of the plane: affine, perspective, elastic. One kernel moves the pixels of a whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.above import above
from ..core.custom import custom_gradient
from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..dtypes import is_float
from ..errors import ShapeError
from ..graph import prims
from ..graph.grad import WATCHED, pullback
from ..graph.node import Node
from .apply import as_float
from .arranging import roll
from .blurring import blurred, gaussian
from .core import unstack
from .creation import ones_like
from .declare import draw, op, sample
from .joining import concatenate, stack
from .layout import as_before, channels_last, check_rank, data_format_of, image_batch, unbatched
from .reduce import sum
from .resizing import back_to
from .sampling import check_fill_mode, order_of, sampled
from .shaping import broadcast_to, expand_dims, reshape

__all__ = ["affine_transform", "elastic_transform", "perspective_transform"]


def _warped(x: Node, places: Tensor, order: int, fill_mode: str, fill_value: float) -> Node:
    """Images `(batch, height, width, channels)` whose pixels come from other places, given as `prims.warp` takes them."""
    if 0 in x.shape:
        return x
    if order == 0 and not is_float(x.dtype):  # whole numbers may have more digits than a float
        return _composed(x, places, order, fill_mode, fill_value)
    fill = fill_value if is_float(x.dtype) else int(fill_value)

    def value(images: Tensor, places: Tensor) -> tuple[Tensor, Callable[[Tensor], list[Tensor | None]]]:
        def back(upstream: Tensor) -> list[Tensor | None]:
            sources = [WATCHED(images._node), WATCHED(places._node)]
            made = _composed(sources[0], Tensor(sources[1]), order, fill_mode, fill_value)
            found = pullback([(made, upstream._node)], sources, leaf=lambda node: any(node is s for s in sources))
            return [None if g is None else Tensor(g) for g in found]

        return Tensor(prims.warp(images._node, places._node, fill_mode, order == 1, fill)), back

    return back_to(custom_gradient(value)(as_float(Tensor(x)), places)._node, x.dtype)


def _composed(x: Node, places: Tensor, order: int, fill_mode: str, fill_value: float) -> Node:
    """What `prims.warp` computes, made of ops that have gradients and take whole numbers."""
    batch, height, width, channels = x.shape
    if places.ndim == 4:
        found = [places[..., 0], places[..., 1]]
    else:
        down, across = (Tensor(prims.cast(prims.iota(n), dtype="float32")) for n in (height, width))
        down, across = reshape(down, (1, -1, 1)), reshape(across, (1, 1, -1))
        a, b, c, d, e, f, *last = (reshape(column, (-1, 1, 1)) for column in unstack(places, axis=1))
        found = [d * across + e * down + f, a * across + b * down + c]
        if last:
            depth = last[0] * across + last[1] * down + last[2]
            found = [place / depth for place in found]
    found = [broadcast_to(place, (batch, height, width)) for place in found]
    first = reshape(Tensor(prims.iota(batch)) * (height * width), (batch, 1, 1, 1))
    rows = prims.reshape(x, (batch * height * width, channels))
    return sampled(rows, (height, width), found, first, order, fill_mode, fill_value)._node


def _maps(numbers: Tensor, batch: int, what: str) -> Tensor:
    """`numbers`, a row for each image or one for all."""
    if numbers.shape[0] not in (1, batch):
        raise ShapeError(f"{what}: {numbers.shape[0]} maps were given for {batch} images; give one, or one for each.")
    return numbers


def _like_images(what: str) -> Callable[..., KerasTensor]:
    """What a symbolic call returns: tracing with stand-ins would meet points of more images than there are."""

    def spec(images: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        check_rank(images.shape, what)
        return KerasTensor(images.shape, dtype=images.dtype)

    return spec


def _moved(x: np.ndarray, at: Callable[..., Any], fill_mode: str = "constant") -> np.ndarray:
    """An image in numpy, whose pixel (row, column) comes from `at(row, column)`, linearly."""
    modes = {"constant": "constant", "nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}
    wide, out = np.pad(x, ((9, 9), (9, 9), (0, 0)), modes[fill_mode]), np.zeros(x.shape)  # type: ignore[call-overload]
    for row, column in np.ndindex(x.shape[:2]):
        y, z = (float(v) + 9 for v in at(row, column))
        i, j = int(np.floor(y)), int(np.floor(z))
        upper, lower = (wide[k, j] * (1 - z + j) + wide[k, j + 1] * (z - j) for k in (i, i + 1))
        out[row, column] = upper * (1 - y + i) + lower * (y - i)
    return out


@op(
    dtypes="first",
    like=lambda x, t, fill_mode="constant": _moved(
        x, lambda y, z: (t[3] * z + t[4] * y + t[5], t[0] * z + t[1] * y + t[2]), fill_mode
    ),
    samples=[sample(draw(4, 5, 2), draw(8, low=-0.7, high=0.9)), sample(draw(4, 5, 2), draw(8, low=-0.7), fill_mode="reflect")],
    spec=_like_images("affine_transform"),
)
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images turned, stretched, sheared and shifted.

    Args:
        images: `(batch, height, width, channels)` or one image.
        transform: `(8,)`, or a row for each image: `[a0, a1, a2, b0, b1, b2, c0, c1]`. The pixel in column x and row y is
            taken from column `a0 x + a1 y + a2` and row `b0 x + b1 y + b2`; c0 and c1 count as 0, as in Keras but on
            TensorFlow.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: What is outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`, as for `map_coordinates`.
        fill_value: The constant.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`; integer results are rounded.

    Raises:
        ValueError: An argument is unknown.
        ShapeError: The images have neither 3 nor 4 axes, or the transform is not of 8 numbers.

    Source: `keras.ops.image.affine_transform`.

    Example:
        >>> pyml.ops.image.affine_transform([[[1.], [2.], [3.]]], [1., 0., 1., 0., 1., 0., 0., 0.]).numpy().ravel()
        array([2., 3., 0.], dtype=float32)
    """
    layout, order = data_format_of(data_format, "affine_transform"), order_of(interpolation, "affine_transform")
    check_fill_mode(fill_mode, "affine_transform")
    numbers = as_float(transform)
    if numbers.ndim not in (1, 2) or numbers.shape[-1] != 8:
        raise ShapeError(f"affine_transform: transform must be 8 numbers, or a row of them for each image. Received: {numbers.shape}")
    x, single = image_batch(images, "affine_transform")
    maps = _maps(reshape(numbers, (-1, 8)), x.shape[0], "affine_transform")[:, :6]
    y = _warped(channels_last(x, layout), maps, order, fill_mode, fill_value)
    return Tensor(unbatched(as_before(y, layout), single))


def _cross(p: Tensor) -> Tensor:
    """Of three points `(..., 3, 3)` in homogeneous coordinates the cross products of the two others: the inverse but for a factor."""
    a, b = roll(p, -1, axis=-2), roll(p, -2, axis=-2)
    return roll(a, -1, axis=-1) * roll(b, -2, axis=-1) - roll(a, -2, axis=-1) * roll(b, -1, axis=-1)


def _as_base(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three of four points `(..., 4, 3)`, their inverse, and the share of each in the fourth one."""
    base = points[..., :3, :]
    inverse = _cross(base)
    return base, inverse, sum(inverse * points[..., 3:, :], axis=-1)


def homography(start: Tensor, end: Tensor) -> Tensor:
    """`(maps, 3, 3)`: the projective map that takes four points `(maps, 4, 2)` of `end` to those of `start`, but for a factor.

    Three points are a base; the fourth says how long its vectors are.
    """
    (base, _, seen), (_, inverse, moved) = (_as_base(concatenate([points, ones_like(points[..., :1])], -1)) for points in (start, end))
    rows = inverse * expand_dims(seen / moved, -1)
    return sum(expand_dims(base, -1) * expand_dims(rows, -2), axis=-3)


def _seen(x: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """`perspective_transform` of an image in numpy."""
    rows = []  # a m = b, for the eight numbers of the map
    for (p, q), (u, v) in zip(start, end, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -p * u, -p * v], [0, 0, 0, u, v, 1, -q * u, -q * v]]
    m = np.append(np.linalg.solve(np.array(rows, float), start.ravel()), 1).reshape(3, 3)

    def at(row: int, column: int) -> Any:
        across, down, depth = m @ [column, row, 1]
        return down / depth, across / depth

    return _moved(x, at)


_FROM = np.array([[0.0, 0.5], [4.2, 0.0], [0.3, 3.0], [4.0, 2.6]], np.float32)
_TO = np.array([[0.4, 0.0], [3.9, 0.3], [0.0, 2.8], [4.4, 3.1]], np.float32)


@op(
    dtypes="first",
    like=_seen,
    samples=[sample(draw(4, 5, 2), _FROM, _TO), sample(draw(5, 4, 1), _TO, _FROM)],
    spec=_like_images("perspective_transform"),
)
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images as if seen from elsewhere: four points of them come to lie at four others.

    Args:
        images: `(batch, height, width, channels)` or one image.
        start_points: `(4, 2)`, or that for each image: x (column) and y (row) of points.
        end_points: Where they shall be, of the same shape.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: What is outside.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`; integer results are rounded.

    Raises:
        ValueError: An argument is unknown.
        ShapeError: The images have neither 3 nor 4 axes, or the points are not four for each.

    Source: Heckbert 1989, "Fundamentals of texture mapping and image warping"; keras.ops.image.perspective_transform.

    Example:
        >>> corners = np.array([[0., 0.], [0., 2.], [2., 0.], [2., 2.]])
        >>> image = np.arange(9.).reshape(3, 3, 1)
        >>> pyml.ops.image.perspective_transform(image, corners, corners[:, ::-1])[..., 0].numpy()
        array([[0., 3., 6.],
               [1., 4., 7.],
               [2., 5., 8.]], dtype=float32)
    """
    layout, order = data_format_of(data_format, "perspective_transform"), order_of(interpolation, "perspective_transform")
    start, end = as_float(start_points), as_float(end_points)
    if start.shape != end.shape or start.ndim not in (2, 3) or start.shape[-2:] != (4, 2):
        raise ShapeError(
            "perspective_transform: start_points and end_points must both be (4, 2) or (images, 4, 2). Received: "
            f"{start.shape} and {end.shape}"
        )
    x, single = image_batch(images, "perspective_transform")
    maps = homography(reshape(start, (-1, 4, 2)), reshape(end, (-1, 4, 2)))
    maps = _maps(reshape(maps, (-1, 9)), x.shape[0], "perspective_transform")
    y = _warped(channels_last(x, layout), maps, order, "constant", fill_value)
    return Tensor(unbatched(as_before(y, layout), single))


@op(
    like=lambda x, **_: x,
    samples=[sample(draw(2, 5, 4, 3), alpha=0.0, sigma=1.0, seed=1), sample(draw(4, 5, 1), alpha=0.0, fill_mode="constant", seed=2)],
    spec=_like_images("elastic_transform"),
)
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Images distorted at random, smoothly, as if printed on rubber: each in its own way, its channels alike.

    Args:
        images: `(batch, height, width, channels)` or one image.
        alpha: How far pixels move; 0 moves none.
        sigma: How smooth it is: standard deviation in pixels of the bell that random numbers are smoothed with.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: What is outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`, as for `map_coordinates`.
        fill_value: The constant.
        seed: An integer gives the same distortion each time, a `SeedGenerator` or None another one.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`; integer results are rounded.

    Raises:
        ValueError: An argument is unknown, or `sigma` is not above 0.
        ShapeError: The images have neither 3 nor 4 axes.

    Source: Simard et al. 2003, "Best practices for convolutional neural networks".

    Example:
        >>> pyml.ops.image.elastic_transform(np.ones((2, 8, 8, 3)), seed=1).shape
        (2, 8, 8, 3)
    """
    width = float(sigma)
    if not width > 0:
        raise ValueError(f"elastic_transform: sigma must be a number above 0. Received: sigma={sigma!r}")
    return distorted(images, alpha, width, int(6 * width) | 1, interpolation, fill_mode, fill_value, seed, data_format)


def distorted(
    images: TensorLike, alpha: Any, sigma: Any, size: int, interpolation: str, fill_mode: str, fill_value: float, seed: Any,
    data_format: str | None,
) -> Tensor:
    """`elastic_transform`, whose `alpha` and `sigma` may be known on the device only: `size` is how wide the bell is cut off."""
    layout, order = data_format_of(data_format, "elastic_transform"), order_of(interpolation, "elastic_transform")
    check_fill_mode(fill_mode, "elastic_transform")
    x, single = image_batch(images, "elastic_transform")
    x = channels_last(x, layout)
    if 0 in x.shape[:3]:  # nothing moves
        return Tensor(unbatched(as_before(x, layout), single))
    bell = gaussian(size, sigma)
    noise = above("random").normal((*x.shape[:3], 2), seed=seed) * sigma
    down, across = (Tensor(prims.cast(prims.iota(n), dtype="float32")) for n in x.shape[1:3])
    own = stack([broadcast_to(expand_dims(down, 1), x.shape[1:3]), broadcast_to(across, x.shape[1:3])], axis=-1)
    places = Tensor(blurred(noise._node, bell, bell)) * alpha + own
    return Tensor(unbatched(as_before(_warped(x, places, order, fill_mode, fill_value), layout), single))
