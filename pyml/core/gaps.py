"""Ops without a gradient: they mark their results, and who asks for a gradient that leads through nothing else is told the op."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from ..errors import NotDifferentiable
from ..graph.grad import BESIDE, GAP, depends, pulls, way_between
from ..graph.node import Node
from . import trace
from .nest import flatten, pack
from .tensor import Tensor, tensor_of
from .variable import Variable

P = ParamSpec("P")
R = TypeVar("R")


def call(fn: Callable[..., Any], name: str, args: Any, kwargs: Any, flat: bool) -> Any:
    """An op while gaps are marked: the result, with marks on parts that have no gradient.

    Those are integers and truths that were made of floats, and all of an op that is `flat`. Parts that were made of numbers which
    the host had read have no gradient that way. Ops within ops mark with the name of the one that the user called; ops of
    functions have the gradients that these have.
    """
    outer = trace.marks_gaps()
    given = flatten((args, list(kwargs.values())))
    made_of = [x._node if isinstance(x, Tensor) else x._value_node() for x in given if isinstance(x, (Tensor, Variable))]
    of_functions = any(callable(x) and not hasattr(x, "shape") for x in given)
    if not made_of and not of_functions:
        return fn(*args, **kwargs)
    token = None if of_functions else trace.gaps_marked.set(outer or name)
    reads: list[Node] = []
    try:
        with trace.noting_reads(reads):
            result = fn(*args, **kwargs)
    finally:
        if token is not None:
            trace.gaps_marked.reset(token)
    floats = any(node.dtype == "float32" for node in made_of) and not of_functions
    found = flatten(result)
    if not all(isinstance(x, Tensor) for x in found):  # Python has it now
        trace.note_reads(*(GAP(node, what=outer or name) for node in reads))

    def marked(x: Any) -> Any:
        if not isinstance(x, Tensor) or not x.size:
            return x
        if floats and (flat or x._node.dtype != "float32"):
            return tensor_of(GAP(x._node, *reads, what=outer or name), x.dtype)
        return tensor_of(BESIDE(x._node, *reads, what=outer or name), x.dtype) if reads else x

    return pack(result, [marked(x) for x in found])


def without_gradient(fn: Callable[P, R]) -> Callable[P, R]:
    """Decorator: a function beside the ops whose results have no gradient, as counts of successes."""

    @functools.wraps(fn)
    def marking(*args: P.args, **kwargs: P.kwargs) -> R:
        return fn(*args, **kwargs) if trace.marks_gaps() is None else call(fn, fn.__name__, args, kwargs, True)

    return marking


class Gaps:
    """Around the call of a function: ops in it mark their gaps, and afterwards arguments are refused that only lead to such."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._reads: list[Node] = []

    def __enter__(self) -> Gaps:
        self._token, self._pulls = trace.gaps_marked.set(""), pulls()
        self._noting = trace.noting_reads(self._reads)
        self._noting.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._noting.__exit__(None, None, None)
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
        gap = way_between(outs, targets)
        read = None if gap is not None or depends(outs, targets) else way_between(self._reads, targets)
        if gap or read:
            raise NotDifferentiable(
                f"{self.what}: {gap or read} has no gradient, and {called} changes the value only through it. Use something smooth instead "
                "(softmax for argmax, sigmoid for a comparison), or stop_gradient on its input where zeros are meant."
            )
        if read is not None:
            raise NotDifferentiable(
                f"{self.what}: reading numbers into Python (numpy(), float(), item()) has no gradient, and {called} changes the value only "
                "through it. Compute with tensors and pyml.ops instead, or read stop_gradient(x) where zeros are meant."
            )


@contextmanager
def named(what: str) -> Iterator[None]:
    """Around the way back: an op without a gradient that it meets is told by the function that was called."""
    try:
        yield
    except NotDifferentiable as error:
        if not str(error).startswith(f"{what}: "):
            error.args = (f"{what}: {error}",)
        raise
