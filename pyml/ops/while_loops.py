"""Loops whose ends are found while running: `while_loop`, `fori_loop`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..core import trace
from ..core.branches import select_one
from ..core.loop import outline
from ..core.loop import scan as _scan
from ..core.nest import aligned, flatten
from ..core.repeating import computed, known, trips
from ..core.symbolic import CallNode, FunctionOp, KerasTensor, holds_symbolic
from ..core.tensor import Tensor, as_node, convert_to_tensor
from ..core.tree import map_structure
from ..core.types import TensorLike
from ..core.weak import WeakTensor
from ..errors import DtypeError, ShapeError, SyncReadError, TraceError
from ..graph.loop import ENDLESS
from ..graph.prims import cast, iota
from .branches import read_here, scalar_of
from .declare import draw, op, sample
from .logic import logical_and
from .loops import steady

__all__ = ["fori_loop", "while_loop"]

Result = TypeVar("Result")


def _recorded(fn: Callable[..., Any], args: tuple[Any, ...], name: str, outputs: Any) -> Any:
    """A call in a symbolic graph whose results are known to be like `outputs`."""
    made = map_structure(lambda x: KerasTensor(x.shape, dtype=x.dtype), outputs)
    CallNode(FunctionOp(fn, name), args, {}, made)
    return made


def _while(cond: Any, body: Any, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    several = isinstance(loop_vars, (tuple, list))
    now, count = tuple(loop_vars) if several else (loop_vars,), 0
    while cond(*now) and (maximum_iterations is None or count < maximum_iterations):
        now, count = body(*now), count + 1
        now = tuple(now) if isinstance(now, (tuple, list)) else (now,)
    return now if several else now[0]


@op(complex_parts="inside", like=_while, record=False, samples=[
    sample(lambda i, x: i < 5, lambda i, x: (i + 1, x * 0.5 + i), (0, draw(2, 3))),
    sample(lambda x: x.sum() < 20.0, lambda x: x * 1.5, draw(3, low=0.5, high=1.0)),
    sample(lambda x: x.sum() < 90.0, lambda x: x * 1.5, draw(3, low=0.5, high=1.0), maximum_iterations=4),
])  # fmt: skip
def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """`body` again and again while `cond` holds.

    Where numbers decide when it ends (a counter and a bound, which every step changes alike), the loop is compiled once and
    runs on the device to its end. Otherwise: outside a program, each step runs by itself and its condition is read. Inside
    one, steps run in rounds of 1, 2, 4, … (on a GPU 32 times that), and after each round the host reads whether the loop goes
    on; steps after the end change nothing. Gradients need `maximum_iterations`, and all of these steps run then.

    Args:
        cond: A function of the loop's variables that returns a scalar.
        body: A function of them that returns as many new ones.
        loop_vars: A tensor, or a tuple or list of tensors, each perhaps nested.
        maximum_iterations: The most steps, a number or a scalar tensor of integers. Inside a program only a number bounds the loop
            beforehand, as gradients need it.

    Returns:
        The variables after the last step, in the structure of `loop_vars`; a list comes back as a tuple.

    Raises:
        TypeError: `cond` or `body` is not a function, or `body` returns another number of values.
        NotDifferentiable: Inside a program: the gradient is asked for, and `maximum_iterations` is not given.
        TraceError: Inside a program: nothing ever ends the loop.
        ShapeError, DtypeError: Inside a program: a step changes the shape of a variable, or every step its dtype.
        SyncReadError: In a browser that cannot wait for the condition, without `maximum_iterations`.
        ValueError: `maximum_iterations` is not an integer, nor a scalar tensor of one.

    Source: `keras.ops.while_loop`.

    Example:
        >>> i, x = pyml.ops.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2.0), (0, 1.0))
        >>> i.item(), x.item()
        (3, 8.0)
    """
    for name, fn in (("cond", cond), ("body", body)):
        if not callable(fn):
            raise TypeError(f"while_loop: {name} must be a function. Received: {name}={fn!r}")
    most = known(maximum_iterations)
    if maximum_iterations is not None and (isinstance(most, float) or (most is None and not _is_whole(maximum_iterations))):
        raise ValueError(f"while_loop: maximum_iterations must be an integer. Received: {maximum_iterations!r}")
    several = isinstance(loop_vars, (tuple, list))
    if holds_symbolic((loop_vars, maximum_iterations)):

        def run(values: Any, maximum: Any) -> Any:
            return while_loop(cond, body, values, maximum)

        given = (loop_vars, maximum_iterations)
        return _recorded(run, given, "while_loop", map_structure(_kind, tuple(loop_vars) if several else loop_vars))
    if maximum_iterations is not None and most is None:
        most = _bound(maximum_iterations)
        if most is None:
            return _counted(cond, body, loop_vars, maximum_iterations)
    now = tuple(loop_vars) if several else (loop_vars,)

    def step(*given: Any) -> tuple[Any, ...]:
        after = body(*given)
        after = tuple(after) if isinstance(after, (tuple, list)) else (after,)
        if len(after) != len(now) or (now and all(x is None for x in after)):
            count = "None" if all(x is None for x in after) else len(after)
            raise TypeError(f"while_loop: body must return as many values as loop_vars has, {len(now)}. Received: {count}")
        return tuple(aligned(after, tuple(now), "while_loop"))

    def goes_on(*given: Any) -> Any:
        answer = cond(*given)
        if isinstance(answer, (Tensor, np.ndarray)) and answer.size != 1:
            raise ShapeError("while_loop: what cond returns must be a scalar, which ops.all or ops.any makes. "
                             f"Received: shape {answer.shape}")  # fmt: skip
        return answer

    if trace.current() is None:
        try:
            now = _traced_loop(goes_on, step, now, most)
        except (TraceError, ShapeError, DtypeError, ValueError, _Undecided):  # step by step, whatever the body does
            now = _watched(goes_on, step, map_structure(convert_to_tensor, now), most)
    else:
        try:
            now = _traced_loop(goes_on, step, now, most)
        except _Undecided:
            now = _masked(goes_on, step, now, most)
    return now if several else now[0]


def _is_whole(value: Any) -> bool:
    """Whether something is a tensor of one integer."""
    return isinstance(value, (Tensor, KerasTensor)) and math.prod(size or 0 for size in value.shape) == 1 and "int" in str(value.dtype)


def _bound(value: Tensor) -> int | None:
    """The integer in a tensor; None inside a program, and where it cannot be waited for."""
    if trace.current() is not None:
        return None
    try:
        return int(value)
    except SyncReadError:
        return None


def _counted(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, most: Tensor) -> Any:
    """A loop whose bound the device has: it counts its steps."""
    several = isinstance(loop_vars, (tuple, list))

    def goes_on(count: Any, *values: Any) -> Tensor:
        return logical_and(count < most.reshape(()), scalar_of(cond(*values), "while_loop: what cond returns", "bool"))

    def step(count: Any, *values: Any) -> tuple[Any, ...]:
        after = body(*values)
        return (count + 1, *(after if isinstance(after, (tuple, list)) else (after,)))

    _, *last = while_loop(goes_on, step, (Tensor(as_node(0)).astype(most.dtype), *(loop_vars if several else (loop_vars,))))
    return tuple(last) if several else last[0]


def _kind(value: Any) -> Any:
    return value if isinstance(value, KerasTensor) else convert_to_tensor(value)


def _dtypes(tree: Any) -> list[str]:
    return [convert_to_tensor(x).dtype for x in flatten(tree)]


def _in_the_dtype_of(value: Any, like: Any) -> Tensor:
    return convert_to_tensor(value).astype(convert_to_tensor(like).dtype)


class _Undecided(Exception):
    """Data decides how often a loop runs."""


def _traced_loop(go_on: Callable[..., Any], step: Callable[..., Any], now: tuple[Any, ...], most: int | None) -> tuple[Any, ...]:
    now = steady(step, now)
    count = trips(go_on, step, now, most)
    if count is None:
        raise _Undecided
    last, _ = _scan(lambda carry, _: (step(*carry), None), now, None, count, name="while_loop")
    return last


def _masked(go_on: Callable[..., Any], step: Callable[..., Any], now: tuple[Any, ...], most: int | None) -> tuple[Any, ...]:
    """A scan whose steps change nothing once `go_on` said no; the device need not run those (docs/engine.md, "Loops")."""
    now = steady(step, now)
    changes = _dtypes(outline(step, *now)) != _dtypes(now)

    def goes_on(values: Any) -> Tensor:
        return scalar_of(go_on(*values), "while_loop: what cond returns", "bool")

    def masked(carry: Any, _: None) -> tuple[Any, None]:
        active, values = carry
        kept = map_structure(_in_the_dtype_of, values, outline(step, *values)) if changes else values
        after = select_one(active._node, lambda: step(*values), lambda: kept, "while_loop")
        return (logical_and(active, goes_on(after)), after), None

    (_, last), _ = _scan(masked, (goes_on(now), now), None, ENDLESS if most is None else most, ends=True, name="while_loop")
    return last


def _watched(go_on: Callable[..., Any], step: Callable[..., Any], now: tuple[Any, ...], most: int | None) -> tuple[Any, ...]:
    """Step by step; where the condition cannot be waited for, `most` steps of which those after the end change nothing."""
    try:
        return _stepwise(go_on, step, now, most)
    except SyncReadError as e:
        if most is None:
            raise SyncReadError(
                "while_loop: the host has to see when this loop ends, and this browser cannot wait for the GPU: give "
                'maximum_iterations, or use the device "wasm".'
            ) from e
        return _masked(go_on, step, now, most)


def _stepwise(go_on: Callable[..., Any], step: Callable[..., Any], now: tuple[Any, ...], most: int | None) -> tuple[Any, ...]:
    count = 0
    while most is None or count < most:
        answer = go_on(*now)
        computed(answer, now)
        if not bool(answer):
            break
        now, count = step(*now), count + 1
    return now


def _for(lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    for i in range(int(lower), int(upper)):
        init_val = body_fun(i, init_val)
    return init_val


def _giving_a_value(body_fun: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`body_fun`, which has to return the next value."""

    def body(i: Any, value: Any) -> Any:
        found = body_fun(i, value)
        if found is None and value is not None:
            raise TypeError("fori_loop: body_fun must return the next value. Received: None; end it with `return`.")
        return found

    return body


@op(complex_parts="inside", dtypes="own", like=_for, samples=[
    sample(0, 5, lambda i, x: x * 0.5 + i, draw(2, 3)), sample(-2, 3, lambda i, x: x + i * x, draw(3)),
    sample(4, 1, lambda i, x: x * 2.0, draw(3)),
])  # fmt: skip
def fori_loop(lower: TensorLike, upper: TensorLike, body_fun: Callable[[Any, Any], Result], init_val: Any) -> Result:
    """`body_fun(i, value)` for `i` from `lower` to `upper - 1`, each with what the one before gave.

    The body is traced and compiled once, whatever the number of steps; `i` is an int32 scalar tensor. Only outside a
    program, a body that reads values or changes shapes runs step by step, and `i` is a Python number. Inside a program, bounds
    that are tensors make a `while_loop` of it, which has no gradient. As a number of Python does, `i` takes the dtype of what it
    meets, and so does a number in `init_val`.

    Args:
        lower: The first `i`.
        upper: The first that is left out.
        body_fun: A function of `i` and of the value, which returns the next.
        init_val: The first value: a tensor, or tensors in lists, tuples and dicts.

    Returns:
        What the last step gives, in the structure and shapes of `init_val`.

    Raises:
        TypeError: `body_fun` is not a function, or returns None, or a bound is no integer.
        ShapeError, DtypeError: Inside a program: a step changes the shape of the value, or every step its dtype.

    Source: `keras.ops.fori_loop`.

    Example:
        >>> pyml.ops.fori_loop(0, 10, lambda i, total: total + i, 0).item()
        45
    """
    if not callable(body_fun):
        raise TypeError(f"fori_loop: body_fun must be a function. Received: body_fun={body_fun!r}")
    body_fun = _giving_a_value(body_fun)
    bounds: list[Any] = [known(b) if known(b) is not None else b for b in (lower, upper)]
    if any(b is None or isinstance(b, (float, np.floating, str, bytes)) for b in bounds):
        raise TypeError(f"fori_loop: lower and upper must be integers. Received: lower={lower!r}, upper={upper!r}")
    if trace.current() is not None and any(isinstance(b, Tensor) for b in bounds):
        begin, limit = (Tensor(cast(as_node(b), dtype="int32")) for b in bounds)
        return while_loop(lambda i, _: i < limit, lambda i, value: (i + 1, body_fun(WeakTensor(i._node), value)), (begin, init_val))[1]
    first, end = (int(read_here(b, "fori_loop: a bound") if isinstance(b, Tensor) else b) for b in bounds)
    trace.note_reads(*(b._node for b in bounds if isinstance(b, Tensor)))
    if end <= first:
        return map_structure(convert_to_tensor, init_val)
    try:
        init = map_structure(lambda v: WeakTensor(as_node(v)) if type(v) in (int, float) else v, init_val)
        (init,) = steady(lambda value: (body_fun(WeakTensor(as_node(first)), value),), (init,))
        last, _ = _scan(lambda value, i: (body_fun(WeakTensor((i + first)._node), value), None), init, Tensor(iota(end - first)),
                        name="fori_loop")  # fmt: skip
        return last
    except (TraceError, ShapeError, DtypeError, ValueError, TypeError):
        if trace.current() is not None:
            raise
    value = init_val
    for i in range(first, end):
        value = map_structure(convert_to_tensor, body_fun(i, value))
        computed(value)
    return value
