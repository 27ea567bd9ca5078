"""`scan`: a function of tensors that runs once for every row of sequences, traced once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import standardize
from ..errors import DtypeError, ShapeError
from ..graph import loop_grad as _gradients  # noqa: F401  (so that loops have theirs)
from ..graph import recurrent_grad as _second_gradients  # noqa: F401  (and whole LSTMs their second ones)
from ..graph.loop import Carry, Loop, argument, together
from ..graph.node import Node
from ..graph.prims import full
from . import trace
from .nest import aligned, flatten, outlined, pack
from .tensor import Tensor, as_node
from .variable import Variable


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
         ends: bool = False) -> Any:  # fmt: skip
    """Runs `f(carry, x)`, which gives the next carry and an output, for every row x of `xs`.

    `f` is traced once, whatever the number of steps; what does not depend on the step is computed once. Variables that
    it assigns go from step to step, and random numbers differ between steps.

    Args:
        f: A function of the carry and one row of each of `xs` (None without `xs`).
        init: The first carry: tensors, nested as `f` likes.
        xs: Tensors of as many rows, nested as `f` likes; or None.
        length: How many steps; needed without `xs`.
        reverse: Whether to begin with the last row. Outputs lie where their rows are.
        ends: Whether the first tensor of the carry says if the loop goes on. Where it is False `f` must give back its carry,
            so that the steps after the end need not run.

    Returns:
        The last carry, and the outputs of all steps stacked, `(steps, …)`.

    Raises:
        ShapeError: The sequences are not of the same length, or a carry changes its shape.
        DtypeError: A carry changes its dtype.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), pyml.ops.zeros(()), np.array([1., 2., 3.]))
        >>> sums.numpy()
        array([1., 3., 6.], dtype=float32)

    Source: `jax.lax.scan`.
    """
    sources, firsts = _nodes(xs), _nodes(init)
    steps = _steps(sources, length)
    carries = [argument(c.shape, c.dtype) for c in firsts]
    rows = [argument(x.shape[1:], x.dtype) for x in sources]
    step_trace = StepTrace()
    with trace.tracing(step_trace):
        carry, out = f(_filled(init, carries), _filled(xs, rows))
        carry = aligned(carry, init, "scan")
        afters, outputs = _nodes(carry), _nodes(out)
    _check(firsts, afters)
    if _form(carry) != _form(init):
        raise ValueError("scan: the carry is nested differently after a step than before it; return the structure of init. "
                         f"Received: {outlined(init)} and {outlined(carry)}")  # fmt: skip
    every = [Carry(*c) for c in zip(carries, firsts, afters, strict=True)]
    outside = {}
    for variable, node in step_trace.variables.values():
        value = variable._value_node()
        if id(variable) in step_trace.written:
            every.append(Carry(node, value, step_trace.written[id(variable)]))
        else:
            outside[id(node)] = value
    if steps == 0:
        return _filled(carry, firsts), _filled(out, [full((0, *y.shape), 0, y.dtype) for y in outputs])
    loop = Loop(steps, reverse, every, list(zip(rows, sources, strict=True)), outputs, outside=outside, ends=ends)
    for variable, node in step_trace.variables.values():
        if id(variable) in step_trace.written:
            variable.assign(Tensor(loop.last(node)))
    lasts, stacks = [loop.last(c) for c in carries], [loop.each(y) for y in outputs]
    together([*lasts, *stacks])
    return _filled(carry, lasts), _filled(out, stacks)


def _nodes(tree: Any) -> list[Node]:
    """The tensors of a nested structure; None is nothing."""
    return [as_node(x) for x in flatten(tree) if x is not None]


def _filled(tree: Any, nodes: list[Node]) -> Any:
    """A structure of the same form with other tensors."""
    rest = iter(nodes)
    return pack(tree, [None if x is None else Tensor(next(rest)) for x in flatten(tree)])


def outline(f: Callable[..., Any], *args: Any) -> Any:
    """What `f` gives as far as shapes and dtypes go: tensors without values. Nothing that it assigns is kept."""
    given = [as_node(a) for a in flatten(args)]
    with trace.tracing(StepTrace()):
        return f(*pack(args, [Tensor(argument(n.shape, n.dtype)) for n in given]))


def _form(tree: Any) -> Any:
    """How a structure is nested; lists and tuples count alike."""
    if isinstance(tree, (tuple, list)):
        return tuple(_form(v) for v in tree)
    return {k: _form(v) for k, v in tree.items()} if isinstance(tree, dict) else None


def _steps(sources: list[Node], length: int | None) -> int:
    if any(not x.shape for x in sources):
        raise ShapeError("scan: xs holds a scalar; expected tensors whose first axis counts the steps.")
    lengths = {x.shape[0] for x in sources} | ({length} if length is not None else set())
    if len(lengths) != 1:
        given = ", ".join(str(x.shape) for x in sources) or "None"
        raise ShapeError(f"scan: xs has shapes {given} and length is {length}; expected one number of steps.")
    return lengths.pop()


def _check(before: list[Node], after: list[Node]) -> None:
    if len(before) != len(after):
        raise ValueError(f"scan: the carry has {len(before)} tensors before a step and {len(after)} after it; return the same number.")
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        if a.shape != b.shape:
            raise ShapeError(f"scan: carry {i} has shape {a.shape} before a step and {b.shape} after it; they must be equal.")
        if a.dtype != b.dtype:
            raise DtypeError(f"scan: carry {i} is {a.dtype} before a step and {b.dtype} after it; cast one of them.")


__all__ = ["outline", "scan"]
