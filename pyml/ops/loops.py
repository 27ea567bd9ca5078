"""Functions that run once for every row of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.loop import scan as _scan
from ..core.tree import flatten, map_structure
from .declare import draw, op, sample
from .joining import stack

__all__ = ["scan"]


def _numpy_scan(f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int = 1) -> Any:
    carry, rows = init, []
    for t in range(length or len(xs)):
        carry, y = f(carry, None if xs is None else (xs[::-1] if reverse else xs)[t])
        rows.append(y)
    return carry, np.stack(rows[::-1] if reverse else rows)


def _decayed(carry: Any, x: Any) -> Any:
    return carry * 0.5 + x, carry * x


@op(like=_numpy_scan, samples=[
    sample(_decayed, draw(3), draw(4, 3)), sample(_decayed, draw(2, 1), draw(5, 2, 1), reverse=True),
    sample(_decayed, draw(3), draw(3, 3), unroll=True), sample(lambda c, x: (c * c, c + 1), draw(2, low=-0.9, high=0.9), length=3),
])  # fmt: skip
def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: int | bool = 1) -> tuple[Any, Any]:  # fmt: skip
    """Runs `f(carry, x)`, which returns the next carry and an output, for every row `x` of `xs`.

    `f` is traced and compiled once, whatever the number of rows. Variables that it assigns go from step to step, and random
    numbers differ between steps.

    Args:
        f: A function of the carry and of one row of each tensor of `xs` (None without `xs`).
        init: The first carry: a tensor, or tensors in lists, tuples and dicts. Its shapes and dtypes stay.
        xs: A tensor, or tensors in lists, tuples and dicts, all of one length along the first axis.
        length: The number of steps; needed only without `xs`.
        reverse: Whether to begin with the last row. Outputs lie where their rows do.
        unroll: True traces every step by itself, which a few short steps gain from. A number has no effect.

    Returns:
        The carry after the last step, and the outputs of all steps, stacked along a new first axis.

    Raises:
        ShapeError: The tensors of `xs` are not of one length, or the carry changes its shape.
        DtypeError: The carry changes its dtype.
        TypeError: `f` is no function.

    Example:
        >>> total, sums = pyml.ops.scan(lambda c, x: (c + x, c + x), 0.0, pyml.ops.convert_to_tensor([1., 2., 3.]))
        >>> sums.numpy()
        array([1., 3., 6.], dtype=float32)

    Source: `jax.lax.scan`.
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function of the carry and of a row. Received: f={f!r}")
    if not isinstance(unroll, (bool, int)) or unroll < 0:
        raise ValueError(f"scan: unroll must be True, False or a positive number. Received: unroll={unroll!r}")
    steps = length if xs is None or length is not None else len(flatten(xs)[0])
    if unroll is not True or not steps:
        return _scan(f, init, xs, length, reverse)
    carry, rows = init, []
    for t in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(carry, map_structure(lambda x, t=t: x[t], xs) if xs is not None else None)
        rows.append(y)
    rows = rows[::-1] if reverse else rows
    return carry, map_structure(lambda *parts: None if parts[0] is None else stack(parts), *rows)
