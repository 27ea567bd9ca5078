"""`scan`: a function of tensors that runs once for every row of sequences, traced once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..dtypes import result_type, standardize
from ..errors import DtypeError, ShapeError
from ..graph import loop_grad as _gradients  # noqa: F401  (so that loops have theirs)
from ..graph import recurrent_grad as _second_gradients  # noqa: F401  (and whole LSTMs their second ones)
from ..graph.loop import ENDLESS, Carry, Loop, argument, together
from ..graph.node import Node
from ..graph.prims import cast, concat, full
from . import trace
from .nest import aligned, flatten, outlined, pack
from .tensor import Tensor, convert_to_tensor, tensor_of
from .variable import Variable
from .weak import WeakTensor, kind, like, taken

_MOST_AHEAD = 16  # steps after which carries whose dtypes still change are refused


class StepTrace(trace.Trace):
    """What a step reads and writes. Variables stand for themselves until the step is traced: then it shows which change."""

    def __init__(self) -> None:
        super().__init__()
        self.in_region = True
        self.variables: dict[int, tuple[Variable, Node]] = {}
        self.written: dict[int, Node] = {}

    def read(self, variable: Variable) -> Node:
        if id(variable) in self.written:
            return self.written[id(variable)]
        if id(variable) not in self.variables:
            self.variables[id(variable)] = variable, argument(variable.shape, standardize(variable.dtype))
        return self.variables[id(variable)][1]

    def write(self, variable: Variable, node: Node) -> None:
        self.read(variable)
        self.written[id(variable)] = node


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None, reverse: bool = False,
         ends: bool = False, name: str = "scan") -> Any:  # fmt: skip
    """Runs `f(carry, x)`, which gives the next carry and an output, for every row x of `xs`.

    `f` is traced once, whatever the number of steps; what does not depend on the step is computed once. Variables that
    it assigns go from step to step, and random numbers differ between steps. Where the first steps change the dtype of a carry,
    they run by themselves, and the loop begins behind them.

    Args:
        f: A function of the carry and one row of each of `xs` (None without `xs`).
        init: The first carry: tensors, nested as `f` likes.
        xs: Tensors of as many rows, nested as `f` likes; or None.
        length: How many steps; needed without `xs`.
        reverse: Whether to begin with the last row. Outputs lie where their rows are.
        ends: Whether the first tensor of the carry says if the loop goes on. Where it is False `f` must give back its carry,
            so that the steps after the end need not run.
        name: What the user called, for messages.

    Returns:
        The last carry, and the outputs of all steps stacked, `(steps, …)`.

    Raises:
        ShapeError: The sequences are not of the same length, or a carry changes its shape.
        DtypeError: A carry changes its dtype in every step.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), pyml.ops.zeros(()), np.array([1., 2., 3.]))
        >>> sums.numpy()
        array([1., 3., 6.], dtype=float32)

    Source: `jax.lax.scan`.
    """
    sources, now = _tensors(xs), [taken(x) for x in _leaves(init)]
    steps = _steps(sources, length, name)
    step, ahead = _Step(f, init, xs, now, sources, name), 0
    while step.changes and ahead < min(steps, _MOST_AHEAD):
        step, ahead = _Step(f, init, xs, step.afters, sources, name), ahead + 1
    if step.changes and ahead < steps:
        raise DtypeError(f"{name}: {_part(name)} {step.changes} after it, and no number of steps ends that; cast one of them.")
    outputs: list[list[Tensor]] = []
    for t in range(ahead):  # by themselves: what they are given and give is of other dtypes than in the steps to come
        row = steps - 1 - t if reverse else t
        carry, out = f(_filled(init, now), _filled(xs, [x[row] for x in sources]))
        now = [taken(x) for x in _leaves(aligned(carry, init, name))]
        outputs.append([x[None] for x in _tensors(out)])
    if ahead < steps:
        rest = [x[: steps - ahead] if reverse else x[ahead:] for x in sources] if ahead else sources
        now, rows = _looped(step, now, rest, steps if steps == ENDLESS else steps - ahead, reverse, ends)
        outputs.append(rows)
    elif not steps:
        outputs.append([tensor_of(full((0, *y.shape), 0, y._node.dtype), y.dtype) for y in step.outputs])
    stacks = [_joined(parts[::-1] if reverse else parts) for parts in zip(*outputs, strict=True)]
    return _filled(step.carry, [tensor_of(x._node, x.dtype) for x in now]), _filled(step.out, stacks)


class _Step:
    """`f` as it is traced for one row of the sequences, of carries of these dtypes."""

    def __init__(self, f: Callable[..., Any], init: Any, xs: Any, before: Sequence[Tensor], sources: Sequence[Tensor], name: str) -> None:
        self.before = [like(argument(c.shape, c._node.dtype), c) for c in before]
        self.rows = [tensor_of(argument(x.shape[1:], x._node.dtype), x.dtype) for x in sources]
        self.trace = StepTrace()
        with trace.tracing(self.trace):
            carry, self.out = f(_filled(init, self.before), _filled(xs, self.rows))
            self.carry = aligned(carry, init, name)
            afters = _leaves(self.carry)
            _check_number(before, afters, name)
            pairs = zip(afters, before, strict=True)
            self.afters = [taken(x) if isinstance(c, WeakTensor) else convert_to_tensor(x) for x, c in pairs]
            self.outputs = _tensors(self.out)
        _check_shapes(before, self.afters, name)
        if _form(self.carry) != _form(init):
            raise ValueError(f"{name}: the {_part(name)} is nested differently after a step than before it; return the structure of the "
                             f"first. Received: {outlined(init)} and {outlined(self.carry)}")  # fmt: skip

    @property
    def changes(self) -> str:
        """Which carry is of another dtype after the step, if one is, and of which before it."""
        pairs = enumerate(zip(self.before, self.afters, strict=True))
        return next((f"{i} is {a.dtype} before a step and {b.dtype}" for i, (a, b) in pairs if kind(a) != kind(b)), "")


def _looped(step: _Step, firsts: Sequence[Tensor], sources: Sequence[Tensor], steps: int, reverse: bool,
            ends: bool) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
    """The carries after the last step, and the outputs of all."""
    pairs = zip(step.before, firsts, step.afters, strict=True)
    every = [Carry(c._node, first._node, after._node) for c, first, after in pairs]
    outside = {}
    for variable, node in step.trace.variables.values():
        value = variable._value_node()
        if id(variable) in step.trace.written:
            every.append(Carry(node, value, step.trace.written[id(variable)]))
        else:
            outside[id(node)] = value
    rows = [(row._node, x._node) for row, x in zip(step.rows, sources, strict=True)]
    loop = Loop(steps, reverse, every, rows, [y._node for y in step.outputs], outside=outside, ends=ends)
    for variable, node in step.trace.variables.values():
        if id(variable) in step.trace.written:
            variable.assign(Tensor(loop.last(node)))
    lasts, stacks = [loop.last(c._node) for c in step.before], [loop.each(y._node) for y in step.outputs]
    together([*lasts, *stacks])
    return ([like(n, c) for n, c in zip(lasts, step.before, strict=True)],
            [tensor_of(n, y.dtype) for n, y in zip(stacks, step.outputs, strict=True)])  # fmt: skip


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Rows in the dtype that all of them have together."""
    if len(parts) == 1:
        return parts[0]
    dtype = result_type(*(x.dtype for x in parts))
    return tensor_of(concat([cast(x._node, dtype=standardize(dtype)) for x in parts], 0), dtype)


def _leaves(tree: Any) -> list[Any]:
    """What a nested structure holds; None is nothing."""
    return [x for x in flatten(tree) if x is not None]


def _tensors(tree: Any) -> list[Tensor]:
    return [convert_to_tensor(x) for x in _leaves(tree)]


def _filled(tree: Any, tensors: Sequence[Tensor]) -> Any:
    """A structure of the same form with other tensors."""
    rest = iter(tensors)
    return pack(tree, [None if x is None else next(rest) for x in flatten(tree)])


def outline(f: Callable[..., Any], *args: Any) -> Any:
    """What `f` gives as far as shapes and dtypes go: tensors without values. Nothing that it assigns is kept."""
    given = [taken(a) for a in flatten(args)]
    with trace.tracing(StepTrace()):
        return f(*pack(args, [like(argument(x.shape, x._node.dtype), x) for x in given]))


def _form(tree: Any) -> Any:
    """How a structure is nested; lists and tuples count alike."""
    if isinstance(tree, (tuple, list)):
        return tuple(_form(v) for v in tree)
    return {k: _form(v) for k, v in tree.items()} if isinstance(tree, dict) else None


def _part(name: str) -> str:
    return "carry" if name == "scan" else "value"


def _steps(sources: Sequence[Tensor], length: int | None, name: str) -> int:
    if any(not x.shape for x in sources):
        raise ShapeError(f"{name}: xs holds a scalar; expected tensors whose first axis counts the steps.")
    lengths = {x.shape[0] for x in sources} | ({length} if length is not None else set())
    if len(lengths) != 1:
        given = ", ".join(str(x.shape) for x in sources) or "None"
        said = "" if length is None else f" and length is {length}"
        raise ShapeError(f"{name}: xs has shapes {given}{said}; expected one number of steps.")
    return lengths.pop()


def _check_number(before: Sequence[Any], after: Sequence[Any], name: str) -> None:
    if len(before) != len(after):
        counts = f"{len(before)} tensors before a step and {len(after)} after it"
        raise ValueError(f"{name}: the {_part(name)} has {counts}; return the same number.")


def _check_shapes(before: Sequence[Tensor], after: Sequence[Tensor], name: str) -> None:
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        if a.shape != b.shape:
            raise ShapeError(f"{name}: {_part(name)} {i} has shape {a.shape} before a step and {b.shape} after it; they must be equal.")


__all__ = ["outline", "scan"]
