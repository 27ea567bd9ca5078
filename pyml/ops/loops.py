"""Functions that run once for every row of a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..core.loop import outline
from ..core.loop import scan as _scan
from ..core.nest import aligned, flatten
from ..core.nest import pack as pack_sequence_as
from ..core.tensor import as_node, convert_to_tensor, tensor_of
from ..core.tree import map_structure
from ..core.vectorizing import all_at_once
from ..core.weak import WeakTensor, like, taken
from ..graph.prims import full
from ..graph.sizes import count_of
from .core import cast
from .declare import draw, op, sample
from .joining import stack

__all__ = ["map", "scan", "vectorized_map"]

_NUMBERS = (int, float, WeakTensor)
Carry = TypeVar("Carry")
Result = TypeVar("Result")


def steady(step: Callable[..., Any], first: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first carries, where Python numbers among them have the dtypes that the step gives them."""
    leaves = flatten(first)
    if not any(type(x) in _NUMBERS for x in leaves):
        return first
    after = flatten(aligned(outline(lambda *carry: step(*carry), *first), tuple(first), "scan"))
    if len(after) != len(leaves):
        return first
    pairs = [(x, taken(y) if type(x) in _NUMBERS else None) for x, y in zip(leaves, after, strict=True)]
    return pack_sequence_as(first, [x if y is None else like(as_node(cast(x, y.dtype)), y) for x, y in pairs])


def _tensors(tree: Any) -> Any:
    return map_structure(lambda x: None if x is None else convert_to_tensor(x), tree)


def _numpy_scan(f: Callable[..., Any], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int = 1) -> Any:
    carry, rows = init, []
    for t in range(length or len(xs)):
        carry, y = f(carry, None if xs is None else (xs[::-1] if reverse else xs)[t])
        rows.append(y)
    return carry, np.stack(rows[::-1] if reverse else rows)


def _giving_a_pair(f: Callable[[Any, Any], Any]) -> Callable[[Any, Any], tuple[Any, Any]]:
    """`f`, which has to return the next carry and an output."""

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        found = f(carry, x)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            given = f"{len(found)} values" if isinstance(found, (tuple, list)) else type(found).__name__
            raise TypeError(f"scan: f must return two values, the next carry and an output (None for no output). Received: {given}")
        return found[0], found[1]

    return step


def _decayed(carry: Any, x: Any) -> Any:
    return carry * 0.5 + x, carry * x


@op(complex_parts="inside", dtypes="own", like=_numpy_scan, samples=[
    sample(_decayed, draw(3), draw(4, 3)), sample(_decayed, draw(2, 1), draw(5, 2, 1), reverse=True),
    sample(_decayed, draw(3), draw(3, 3), unroll=True), sample(lambda c, x: (c * c, c + 1), draw(2, low=-0.9, high=0.9), length=3),
])  # fmt: skip
def scan(f: Callable[[Any, Any], tuple[Carry, Result]], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         unroll: int | bool = 1) -> tuple[Carry, Result]:  # fmt: skip
    """Runs `f(carry, x)`, which returns the next carry and an output, for every row `x` of `xs`.

    `f` is traced and compiled once, whatever the number of rows. Variables that it assigns go from step to step, and random
    numbers differ between steps.

    Args:
        f: A function of the carry and of one row of each tensor of `xs` (None without `xs`).
        init: The first carry: a tensor, or tensors in lists, tuples and dicts. Its shapes stay. Where `f` gives back another dtype,
            as of an integer that floats are added to, the first step runs by itself, and the others are a loop with that.
        xs: A tensor, or tensors in lists, tuples and dicts, all of the same length along the first axis.
        length: The number of steps; needed only without `xs`.
        reverse: Whether to begin with the last row. Outputs lie where their rows do.
        unroll: True traces every step by itself, which a few short steps gain from. A number has no effect.

    Returns:
        The carry after the last step, and the outputs of all steps, stacked along a new first axis.

    Raises:
        ShapeError: The tensors of `xs` are not of the same length, or the carry changes its shape.
        DtypeError: The carry changes its dtype in every step.
        TypeError: `f` is not a function, or does not return two values.
        ValueError: Neither `xs` nor `length` says how many steps there are, or `length` is no integer of at least 0.

    Source: `jax.lax.scan`.

    Example:
        >>> total, sums = pyml.ops.scan(lambda c, x: (c + x, c + x), 0.0, pyml.ops.convert_to_tensor([1., 2., 3.]))
        >>> sums.numpy()
        array([1., 3., 6.], dtype=float32)
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function of the carry and of a row. Received: f={f!r}")
    if not isinstance(unroll, (bool, int)) or (unroll < 1 and unroll is not False):
        raise ValueError(f"scan: unroll must be True, False or a positive number. Received: unroll={unroll!r}")
    if xs is None and length is None:
        raise ValueError("scan: there is nothing to say how many steps there are; give xs or length.")
    length = None if length is None else count_of(length, "scan", "length")
    f = _giving_a_pair(f)
    xs = _tensors(xs)
    rows = map_structure(lambda x: None if x is None else tensor_of(full(x.shape[1:], 0, x._node.dtype), x.dtype), xs)
    (init,) = steady(lambda carry: (f(carry, rows)[0],), (init,))
    steps = length if xs is None or length is not None else len(flatten(xs)[0])
    if unroll is not True or not steps:
        return _scan(f, init, xs, length, reverse)
    carry, rows = _tensors(init), []
    for t in reversed(range(steps)) if reverse else range(steps):
        carry, y = f(carry, map_structure(lambda x, t=t: x[t], xs) if xs is not None else None)
        rows.append(y)
    rows = rows[::-1] if reverse else rows
    return carry, map_structure(lambda *parts: None if parts[0] is None else stack(parts), *rows)


@op(complex_parts="inside", dtypes="own", like=lambda f, xs: np.stack([f(x) for x in xs]), samples=[
    sample(lambda x: x * x + x, draw(4, 3)), sample(lambda x: x.sum(), draw(3, 2, 2)),
])  # fmt: skip
def map(f: Callable[[Any], Result], xs: Any) -> Result:
    """`f(x)` for every row `x` of `xs`, stacked along a new first axis, in the dtypes that `f` gives.

    A loop on the device: `f` is traced and compiled once, and one row is worked on at a time. `vectorized_map` works on all
    at once.

    Args:
        f: A function of one row of each tensor of `xs`, which returns tensors in any nesting.
        xs: A tensor, or tensors in lists, tuples and dicts, all of the same length along the first axis.

    Returns:
        What the function returns, each tensor of it with a first axis more, as long as the rows.

    Raises:
        ShapeError: The tensors of `xs` are not of the same length.
        TypeError: `f` is not a function.

    Source: `keras.ops.map`, `jax.lax.map`.

    Example:
        >>> pyml.ops.map(lambda x: x * x, pyml.ops.convert_to_tensor([1., 2., 3.])).numpy()
        array([1., 4., 9.], dtype=float32)
    """
    if not callable(f):
        raise TypeError(f"map: f must be a function of a row. Received: f={f!r}")
    return _scan(lambda carry, x: (carry, f(x)), (), xs, name="map")[1]


@op(complex_parts="inside", dtypes="own", like=lambda function, elements: np.stack([function(x) for x in elements]), samples=[
    sample(lambda x: x * x + x, draw(4, 3)), sample(lambda x: (x * 2.0).sum(), draw(3, 2, 2)),
])  # fmt: skip
def vectorized_map(function: Callable[[Any], Result], elements: Any) -> Result:
    """`function(x)` for every row `x` of `elements`, stacked along a new first axis in the dtypes that it gives, for all rows at once.

    The function is traced once, for one row. Where it consists of arithmetic, reductions, products of matrices, softmax and
    movements of elements (slices, transposes, joins), each of these gets one axis more. Anything else in it (a convolution,
    a table look-up by an index of the row, a loop, a gradient of its own, a Variable that it assigns) makes it the loop that `map` is.

    Args:
        function: A function of one row of each tensor of `elements`, which returns tensors in any nesting.
        elements: A tensor, or tensors in lists, tuples and dicts, all of the same length along the first axis.

    Returns:
        What the function returns, each tensor of it with a first axis more, as long as the rows.

    Raises:
        ShapeError: The tensors of `elements` are not of the same length.
        TypeError: `function` is not a function.

    Source: `keras.ops.vectorized_map`, `jax.vmap`.

    Example:
        >>> pyml.ops.vectorized_map(lambda x: pyml.ops.sum(x * x), np.array([[1., 2.], [3., 4.]])).numpy()
        array([ 5., 25.], dtype=float32)
    """
    if not callable(function):
        raise TypeError(f"vectorized_map: function must be a function of a row. Received: function={function!r}")
    return all_at_once(function, elements)
