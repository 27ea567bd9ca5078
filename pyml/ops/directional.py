"""How a function changes along a direction: `jvp`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..core.derivatives import jvp as _jvp
from ..core.symbolic import call_function, holds_symbolic

__all__ = ["jvp"]


def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """`fun`'s value at `primals`, and how it changes along `tangents`; see `pyml.jvp`.

    Args:
        fun: A function of tensors in any nesting, which returns float tensors in any nesting; `(value, aux)` with `has_aux`.
        primals: A tuple or list of its arguments.
        tangents: As many, of their structures and shapes.
        has_aux: Whether `fun` returns a second value that is not differentiated.

    Returns:
        `(value, change)`, or `(value, change, aux)`; the change has the structure and shapes of the value.

    Raises:
        TypeError: `primals` or `tangents` is not a tuple or list.
        ShapeError: The tangents do not have the shapes of the primals.
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no gradient.

    Source: `keras.ops.jvp`.

    Example:
        >>> value, change = pyml.ops.jvp(pyml.ops.sin, (0.1,), (0.2,))
        >>> round(value.item(), 4), round(change.item(), 4)
        (0.0998, 0.199)
    """
    if holds_symbolic((primals, tangents)):
        return call_function(functools.partial(_jvp, fun), (primals, tangents), {"has_aux": has_aux}, "jvp")
    return _jvp(fun, primals, tangents, has_aux)
