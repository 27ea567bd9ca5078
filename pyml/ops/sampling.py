"""Values between the elements of an array: `map_coordinates`, and what warps images."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import is_float
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .apply import as_float
from .arithmetic import clip
from .core import cast, unstack
from .declare import draw, op, sample
from .elementary import floor, round
from .logic import bitwise_and, equal, logical_and, right_shift, where
from .reduce import sum
from .resizing import back_to
from .shaping import expand_dims, reshape

__all__ = ["map_coordinates"]


def _within(index: Tensor, period: int) -> Tensor:
    """What is left of whole numbers after whole periods; all of one where an adapter divides a little too low."""
    return index - floor(index / float(period)) * period


def _folded(index: Tensor, period: int, first: int) -> Tensor:
    """A period that runs forwards and then backwards, where element -1 is number `first`."""
    left = _within(index, period)
    back = period - 1 + first - left
    return where(back < left, back, left)


def _wrapped(index: Tensor, size: int) -> Tensor:
    left = _within(index, size)
    return where(left < size, left, 0.0)


# Where an index outside finds its element. Indices are whole numbers in float32, as there are no vectors of integer divisions.
_INSIDE: dict[str, Callable[[Tensor, int], Tensor]] = {
    "constant": lambda index, size: index,
    "nearest": lambda index, size: index,
    "wrap": _wrapped,
    "mirror": lambda index, size: _folded(index, max(2 * (size - 1), 1), 1),
    "reflect": lambda index, size: _folded(index, 2 * size, 0),
}
ORDERS = {"nearest": 0, "bilinear": 1}


def check_fill_mode(fill_mode: str, what: str) -> str:
    """`fill_mode`, one of those there are.

    Raises:
        ValueError: It is something else.
    """
    if fill_mode not in _INSIDE:
        raise ValueError(f"{what}: fill_mode must be one of {', '.join(map(repr, _INSIDE))}. Received: fill_mode={fill_mode!r}")
    return fill_mode


def order_of(interpolation: str, what: str) -> int:
    """0 for `"nearest"` and 1 for `"bilinear"`.

    Raises:
        ValueError: It is something else.
    """
    if interpolation not in ORDERS:
        raise ValueError(f"{what}: interpolation must be 'bilinear' or 'nearest'. Received: interpolation={interpolation!r}")
    return ORDERS[interpolation]


def sampled(
    rows: Node, sizes: Sequence[int], places: Sequence[Tensor], first: Tensor | int, order: int, fill_mode: str, fill_value: float
) -> Tensor:
    """Elements of arrays at real positions, each a row of channels; three kernels, whatever the number of axes.

    Args:
        rows: `(count, channels)`: the elements of one array after the other.
        sizes: Sizes of the axes of an array.
        places: For each axis positions along it, all of the same shape.
        first: The row that the arrays begin with, for each position.
        order: 0 takes the nearest element, 1 goes straight from one to the next.
        fill_mode, fill_value: What is outside.

    Returns:
        The shape of the places, and the channels, in the dtype of the rows.
    """
    if rows.size == 0:
        return Tensor(prims.full((*places[0].shape, rows.shape[1]), 0, rows.dtype))
    count = len(sizes)
    corners = Tensor(prims.iota(2**count if order else 1))
    flat: Any = 0
    inside: Any = None
    weights: Any = 1.0
    for axis, (place, size) in enumerate(zip(places, sizes, strict=True)):
        upper = cast(bitwise_and(right_shift(corners, count - 1 - axis), 1), "float32")  # 1 where a corner is the next one along this axis
        low = floor(place) if order else round(place)
        index = cast(_INSIDE[fill_mode](expand_dims(low, -1) + upper, size), "int32")
        element = clip(index, 0, size - 1)
        flat = flat * size + element
        if fill_mode == "constant":
            here = equal(index, element)
            inside = here if inside is None else logical_and(inside, here)
        if order:
            share = (2.0 * upper - 1.0) * expand_dims(place - low, -1)  # of the next one, or what is missing of the whole
            weights = weights * ((1.0 - upper) + share)  # not |share|, which has no slope on a pixel
    found = Tensor(prims.gather(rows, (flat + first)._node))  # (..., corners, channels)
    if fill_mode == "constant":
        outside = fill_value if is_float(rows.dtype) else int(fill_value)
        found = where(expand_dims(inside, -1), found, outside)
    if order == 0:
        return reshape(found, (*places[0].shape, rows.shape[1]))
    return Tensor(back_to(sum(as_float(found) * expand_dims(weights, -1), axis=-2)._node, rows.dtype))


def _spec(inputs: Any, coordinates: Any, *args: Any, **kwargs: Any) -> KerasTensor:
    _check(inputs.shape, coordinates.shape)
    return KerasTensor(coordinates.shape[1:], dtype=inputs.dtype)


def _check(inputs: Sequence[int | None], coordinates: Sequence[int | None]) -> None:
    if len(coordinates) < 2 or coordinates[0] != len(inputs):
        raise ShapeError(
            f"map_coordinates: coordinates need a first axis as long as inputs have axes, and one more. Received: coordinates of shape "
            f"{tuple(coordinates)} for inputs of shape {tuple(inputs)}"
        )


def _between(x: np.ndarray, at: np.ndarray, order: int, fill_mode: str = "constant", fill_value: float = 0.0) -> np.ndarray:
    """`map_coordinates` in numpy, one place after the other."""
    sides = {"constant": "constant", "nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}
    options = {"constant_values": fill_value} if fill_mode == "constant" else {}
    wide = np.pad(x, 9, sides[fill_mode], **options)  # type: ignore[call-overload]
    out = np.zeros(at.shape[1:])
    for place in np.ndindex(out.shape):
        spot = at[(slice(None), *place)] + 9
        low = np.floor(spot).astype(int) if order else np.rint(spot).astype(int)
        for corner in itertools.product((0, 1) if order else (0,), repeat=x.ndim):
            shares = np.where(corner, spot - low, 1 - (spot - low)) if order else np.ones(1)
            out[place] += wide[tuple(low + corner)] * shares.prod()
    return out


@op(
    dtypes="first",
    like=_between,
    samples=[
        sample(draw(4, 5), draw(2, 7, low=-1, high=5), 1),
        *[sample(draw(4, 3), draw(2, 5, low=-6, high=8), 1, fill_mode=mode) for mode in ("nearest", "wrap", "mirror", "reflect")],
        sample(draw(3, 2, 4), draw(3, 2, 3, low=-1, high=4), 1, "constant", 2.5),
    ],
    spec=_spec,
)
def map_coordinates(
    inputs: TensorLike, coordinates: TensorLike, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """Values of an array at places between its elements.

    Args:
        inputs: An array of any number of axes.
        coordinates: `(axes of inputs, ...)`: the places, in elements, along each axis; or a list of as many arrays.
        order: 0 takes the nearest element, 1 goes straight from one to the next along all axes.
        fill_mode: What is outside: `"constant"`; `"nearest"`, the border element; `"wrap"`, the array again; `"mirror"` and
            `"reflect"`, the array backwards, without and with the border element once more.
        fill_value: The constant.

    Returns:
        The shape of a row of `coordinates`, in the dtype of `inputs`; integer results are rounded.

    Raises:
        ShapeError: There are not as many coordinates as axes.
        ValueError: `fill_mode` is unknown.
        NotImplementedError: `order` is above 1, as in Keras.

    Source: scipy.ndimage.map_coordinates.

    Example:
        >>> pyml.ops.image.map_coordinates([[0., 1.], [2., 3.]], [[0.5, 1.0], [0.5, 5.0]], order=1, fill_mode="nearest").numpy()
        array([1.5, 3. ], dtype=float32)
    """
    x, at = as_node(inputs), as_float(coordinates)
    _check(x.shape, at.shape)
    check_fill_mode(fill_mode, "map_coordinates")
    if order not in (0, 1):
        raise NotImplementedError(f"map_coordinates: order must be 0 or 1, as in Keras. Received: order={order!r}")
    return reshape(sampled(prims.reshape(x, (x.size, 1)), x.shape, unstack(at), 0, order, fill_mode, fill_value), at.shape[1:])
