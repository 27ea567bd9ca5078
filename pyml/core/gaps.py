"""Ops without a gradient: they mark their results, and who asks for a gradient that leads through nothing else is told the op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import NotDifferentiable
from ..graph.grad import GAP, gap_between, pulls
from ..graph.node import Node
from . import trace
from .nest import flatten, pack
from .tensor import Tensor, tensor_of
from .variable import Variable


def call(fn: Callable[..., Any], name: str, args: Any, kwargs: Any, flat: bool) -> Any:
    """An op while gaps are marked: the result, with marks on parts that have no gradient.

    Those are integers and truths that were made of floats, and all of an op that is `flat`. Ops within ops mark with the name
    of the one that the user called; ops of functions have the gradients that these have.
    """
    outer = trace.marks_gaps()
    given = flatten((args, list(kwargs.values())))
    made_of = [x._node if isinstance(x, Tensor) else x._value_node() for x in given if isinstance(x, (Tensor, Variable))]
    if not made_of or any(callable(x) and not hasattr(x, "shape") for x in given):
        return fn(*args, **kwargs)
    token = trace.gaps_marked.set(outer or name)
    try:
        result = fn(*args, **kwargs)
    finally:
        trace.gaps_marked.reset(token)
    floats = any(node.dtype == "float32" for node in made_of)

    def marked(x: Any) -> Any:
        if not isinstance(x, Tensor) or not x.size or not (flat or x._node.dtype != "float32"):
            return x
        read = not x._node.src and not x._node.op.constant  # by the host: the mark has what it was made of
        return tensor_of(GAP(x._node, *made_of if read else (), what=outer or name), x.dtype) if read or floats else x

    return pack(result, [marked(x) for x in flatten(result)])


class Gaps:
    """Around the call of a function: ops in it mark their gaps, and afterwards arguments are refused that only lead to such."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> Gaps:
        self._token, self._pulls = trace.gaps_marked.set(""), pulls()
        return self

    def __exit__(self, *error: object) -> None:
        trace.gaps_marked.reset(self._token)
        self._known = pulls() == self._pulls  # a gradient that was made inside is constant, but for comparisons, where the
        # function is made of straight pieces: then there are zeros

    def refuse(self, outs: Sequence[Node], targets: Sequence[Node], found: Sequence[Node | None], called: str) -> None:
        """Refuses an argument, with `targets` in it, if an op without a gradient is the reason that none was `found`.

        Where one of its targets has a gradient, the others have zeros: of a net's weights one may serve for a mask alone.

        Raises:
            NotDifferentiable: It is so.
        """
        if not self._known or not targets or any(g is not None for g in found):
            return
        gap = gap_between(outs, targets)
        if gap is not None:
            raise NotDifferentiable(
                f"{self.what}: {gap} has no gradient, and {called} changes the value only through it. Use something smooth instead "
                "(softmax for argmax, sigmoid for a comparison), or stop_gradient on its input where zeros are meant."
            )
