"""Branches of which one is taken, by a condition or by a number: `cond`, `switch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..core import trace
from ..core.branches import select_one
from ..core.repeating import known
from ..core.symbolic import call_function, holds_symbolic
from ..core.tensor import Tensor, as_node
from ..core.tree import map_structure
from ..core.types import TensorLike
from ..errors import ShapeError, SyncReadError
from .arithmetic import clip
from .declare import draw, op, sample
from .logic import where

__all__ = ["cond", "switch"]

Result = TypeVar("Result")


def scalar_of(value: Any, what: str, dtype: str) -> Tensor:
    """`value` as a tensor `()` of a dtype."""
    node = as_node(value)
    if node.size != 1:
        raise ShapeError(f"{what} must be a scalar. Received: shape {node.shape}")
    return Tensor(node).reshape(()).astype(dtype)


@op(complex_parts="inside", like=lambda pred, true_fn, false_fn: true_fn() if pred else false_fn(), gradient=False, record=False, samples=[
    sample(draw(low=0, high=1, dtype="bool"), lambda: np.float32(2.0), lambda: np.float32(3.0)),
    sample(True, lambda: np.ones((2, 3), "float32"), lambda: np.zeros((2, 3), "float32")),
])  # fmt: skip
def cond(pred: TensorLike, true_fn: Callable[[], Result], false_fn: Callable[[], Result]) -> Result:
    """What `true_fn()` gives where `pred` holds, else what `false_fn()` gives.

    Outside a program `pred` is read and one of the functions runs. Inside one both run on the device, one of the results
    is taken, and only its gradients count; Variables change as the function that is taken assigns them.

    Args:
        pred: A scalar; not 0 is true.
        true_fn: A function without arguments that returns tensors, in any nesting.
        false_fn: Another. Inside a program its results have the structure, shapes and dtypes of the first.

    Returns:
        What the function returns that is called, of its structure, shapes and dtypes.

    Raises:
        TypeError: `true_fn` or `false_fn` is not a function.
        ShapeError: `pred` is not a scalar; inside a program also: the shapes of results differ.
        ValueError, DtypeError: Inside a program: the structures or dtypes of results differ.
        SyncReadError: Outside a program, in a browser that cannot wait for `pred`; use it in a program there.

    Source: `keras.ops.cond`.

    Example:
        >>> x = pyml.ops.convert_to_tensor(3.0)
        >>> pyml.ops.cond(x > 0, lambda: x * 2, lambda: -x).item()
        6.0
    """
    for name, fn in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(fn):
            raise TypeError(f"cond: {name} must be a function without arguments. Received: {name}={fn!r}")
    if holds_symbolic(pred):
        results = true_fn(), false_fn()
        if holds_symbolic(results):  # they are of other symbolic tensors: all of them are in the graph
            return map_structure(lambda a, b: where(pred, a, b), *results)
        return call_function(cond, (pred, true_fn, false_fn), {}, "cond")
    number = known(pred)
    if number is None:
        scalar = scalar_of(pred, "cond: pred", "bool")
        if trace.current() is not None:
            return select_one(scalar._node, true_fn, false_fn)
        number = read_here(scalar, "cond: pred")
    return true_fn() if number else false_fn()


def read_here(scalar: Tensor, what: str) -> Any:
    """The number that Python needs to know."""
    try:
        with trace.noting_reads(None):  # the result is made of what the branch is made of
            return scalar.item()
    except SyncReadError as e:
        raise SyncReadError(
            f"{what} has to be read here, and this browser cannot wait for the GPU: call it in a function with @pyml.program, "
            'which does not have to read it, or use the device "wasm".'
        ) from e


def _switched(index: Any, branches: Any, *operands: Any) -> Any:
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


@op(complex_parts="inside", dtypes="own", like=_switched, samples=[
    sample(1, [lambda x, y: x + y, lambda x, y: x - y], draw(2, 3), draw(2, 3)),
    sample(draw(low=0, high=3, dtype="int32"), [lambda x: x * 2.0, lambda x: x * x, lambda x: x * 0.5], draw(4)),
    sample(np.int32(9), [lambda x: x * 2.0, lambda x: x * x], draw(4)),
])  # fmt: skip
def switch(index: TensorLike, branches: Sequence[Callable[..., Result]], *operands: Any) -> Result:
    """What the function number `index` of `branches` gives for `operands`; an index out of bounds is the nearest.

    Outside a program one function runs. Inside one all of them do, and the device takes the results of one, as in `cond`.

    Args:
        index: An integer scalar.
        branches: Functions; inside a program their results have the same structure, one shape and one dtype.
        operands: Their arguments.

    Returns:
        What the function returns that is called, of its structure, shapes and dtypes.

    Raises:
        ValueError: There are no branches; inside a program also: the structures of results differ.
        ShapeError, DtypeError: `index` is not a scalar; inside a program also: shapes or dtypes of results differ.

    Source: `keras.ops.switch`.

    Example:
        >>> pyml.ops.switch(1, [lambda x, y: x + y, lambda x, y: x - y], 2.0, 0.5)
        1.5
    """
    if not branches or not all(callable(b) for b in branches):
        raise ValueError(f"switch: branches must be one function or more. Received: branches={branches!r}")
    number = known(index)
    if number is None:
        scalar = scalar_of(index, "switch: index", "int32")
        if trace.current() is not None:
            place = clip(scalar, 0, len(branches) - 1)
            return _chosen(place, list(branches), operands, 0)
        number = read_here(scalar, "switch: index")
    return branches[min(max(int(number), 0), len(branches) - 1)](*operands)


def _chosen(place: Tensor, branches: list[Callable[..., Any]], operands: tuple[Any, ...], first: int) -> Any:
    """Half of the branches against the other half, so that results pass few selections."""
    if len(branches) == 1:
        return branches[0](*operands)
    half = len(branches) // 2
    pred = (place < first + half)._node
    return select_one(pred, lambda: _chosen(place, branches[:half], operands, first),
                      lambda: _chosen(place, branches[half:], operands, first + half), "switch")  # fmt: skip
