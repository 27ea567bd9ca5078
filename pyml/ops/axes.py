"""Axes as numpy counts them: from the end where they are negative."""

from __future__ import annotations

from operator import index

from ..core.types import Axis
from ..errors import AxisError, AxisKindError, ShapeError


def ordered_axes(axis: Axis, ndim: int, what: str) -> list[int]:
    """Non-negative axes in the order given; None means all.

    Raises:
        AxisError: An axis is out of range.
        ShapeError: One is named twice.
        AxisKindError: One is not an integer.
    """
    if axis is None:
        return list(range(ndim))
    out = []
    for a in axis if isinstance(axis, (tuple, list)) else (axis,):
        try:
            a = index(a)
        except TypeError:
            raise AxisKindError(f"{what}: an axis must be an integer. Received: axis={axis!r}") from None
        if not -ndim <= a < ndim:
            span = f"use {-ndim} to {ndim - 1}" if ndim else "a scalar has none"
            raise AxisError(f"{what}: axis {a} is out of range for {ndim} dimensions; {span}.")
        out.append(a % ndim)
    if len(set(out)) != len(out):
        raise ShapeError(f"{what}: axis {axis} names an axis twice.")
    return out


def standardize_axis(axis: Axis, ndim: int, what: str) -> tuple[int, ...]:
    """Increasing non-negative axes; None means all.

    Raises:
        AxisError: An axis is out of range.
        ShapeError: One is named twice.
    """
    return tuple(sorted(ordered_axes(axis, ndim, what)))


def one_axis(axis: Axis, ndim: int, what: str) -> int:
    """The one axis that `axis` names, non-negative.

    Raises:
        AxisError: It is out of range.
        ShapeError: It names none or several.
    """
    found = standardize_axis(axis, ndim, what)
    if len(found) != 1:
        raise ShapeError(f"{what}: axis must be one axis. Received: axis={axis!r} for {ndim} dimensions")
    return found[0]
