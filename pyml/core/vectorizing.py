"""A function of one row for all rows at once; a loop where its graph has no such form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ShapeError
from ..graph.batch import batched
from ..graph.loop import argument
from ..graph.region import replaced
from . import trace
from .loop import StepTrace, scan
from .nest import flatten, pack
from .tensor import convert_to_tensor, tensor_of


def all_at_once(f: Callable[[Any], Any], xs: Any, what: str = "vectorized_map") -> Any:
    """`f(x)` for every row of the tensors of `xs`, stacked."""
    sources = [convert_to_tensor(x) for x in flatten(xs)]
    lengths = {x.shape[0] for x in sources if x.shape}
    if len(lengths) != 1 or any(not x.shape for x in sources):
        shapes = ", ".join(str(x.shape) for x in sources) or "no tensors"
        raise ShapeError(f"{what}: the tensors must have the same length along their first axis. Received: {shapes}")
    n = lengths.pop()
    rows = [tensor_of(argument(x.shape[1:], x._node.dtype), x.dtype) for x in sources]
    step = StepTrace()
    with trace.tracing(step):
        out = f(pack(xs, rows))
        outputs = [convert_to_tensor(y) for y in flatten(out) if y is not None]
    found = None
    if n and not step.written:
        outer = {id(node): variable._value_node() for variable, node in step.variables.values()}
        given = {id(r._node): x._node for r, x in zip(rows, sources, strict=True)}
        found = batched(replaced([y._node for y in outputs], outer), given, n)
    if found is None:
        return scan(lambda carry, x: (carry, f(x)), (), pack(xs, sources))[1]
    rest = iter([tensor_of(node, y.dtype) for node, y in zip(found, outputs, strict=True)])
    return pack(out, [None if y is None else next(rest) for y in flatten(out)])


__all__ = ["all_at_once"]
