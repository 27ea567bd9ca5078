"""Parts of a graph as functions: what a branch computes, and what is computed once more on the way back.

A `Template` is a graph with `argument` nodes in the places of its inputs. Gradients of templates are templates, so that
functions made of them can be differentiated as often as somebody likes.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from .grad import READ, pullback, results_of
from .loop import argument
from .node import Node, toposort
from .prims import CONST, IOTA, after, broadcast_to, copy, full, reshape, slice_, where

_NUMBERS = (CONST, IOTA)


class Template:
    """`roots` as functions of `inputs`, which stand for values that are given when it is called."""

    def __init__(self, inputs: Sequence[Node], roots: Sequence[Node]) -> None:
        self.inputs, self.roots = tuple(inputs), tuple(roots)

    def __call__(self, sources: Sequence[Node]) -> list[Node]:
        """The roots, made of these sources."""
        return replaced(self.roots, {id(i): s for i, s in zip(self.inputs, sources, strict=True)})

    def gradient(self, of: Sequence[int]) -> tuple[Template, list[int]]:
        """The gradients that arrive at the inputs as functions of the inputs and of those that arrive at the results `of`.

        With it come the numbers of the inputs at which something arrives.
        """
        arriving = [argument(self.roots[k].shape, "float32") for k in of]
        floats = [i for i, node in enumerate(self.inputs) if node.dtype == "float32"]
        found = pullback([(self.roots[k], g) for k, g in zip(of, arriving, strict=True)], [self.inputs[i] for i in floats])
        parts = {i: g for i, g in zip(floats, found, strict=True) if g is not None}
        return Template([*self.inputs, *arriving], list(parts.values())), list(parts)


def replaced(roots: Sequence[Node], known: dict[int, Node]) -> list[Node]:
    """The roots with other nodes in the places of those whose ids are in `known`."""
    known = dict(known)
    for node in toposort(roots, stop=lambda n: id(n) in known):
        if id(node) not in known and any(id(s) in known for s in node.src):
            src = tuple(known.get(id(s), s) for s in node.src)
            known[id(node)] = Node(node.op, src, node.attrs, node.shape, node.dtype)
    return [known.get(id(r), r) for r in roots]


def templates(parts: Sequence[Sequence[Node]], since: int) -> tuple[list[Template], list[Node]]:
    """Several graphs as templates of common inputs, and the values of these: what was made before `since`, or given."""
    captured: dict[int, tuple[Node, Node]] = {}

    def outside(node: Node) -> bool:
        if node.op is READ:  # a tape asks for its gradient
            return outside(node.src[0])
        return node.time < since or (not node.src and node.op not in _NUMBERS)

    for roots in parts:
        for node in toposort(roots, stop=lambda n: outside(n) or n.op in _NUMBERS):
            if outside(node) and node.op not in _NUMBERS and id(node) not in captured:
                captured[id(node)] = node, argument(node.shape, node.dtype)
    known, inputs = {k: a for k, (_, a) in captured.items()}, [a for _, a in captured.values()]
    return [Template(inputs, replaced(roots, known)) for roots in parts], [n for n, _ in captured.values()]


def template_of(roots: Sequence[Node], arguments: Sequence[Node]) -> tuple[Template, list[Node]]:
    """The roots as a template whose inputs are `arguments` and then what else they are made of, with the values of that."""
    varies, captured = {id(a) for a in arguments}, dict[int, tuple[Node, Node]]()

    def capture(node: Node) -> None:
        if id(node) not in varies and node.op not in _NUMBERS and id(node) not in captured:
            captured[id(node)] = node, argument(node.shape, node.dtype)

    for node in toposort(roots, stop=lambda n: id(n) in varies):
        if any(id(s) in varies for s in node.src):
            varies.add(id(node))
            for source in node.src:
                capture(source)
    for root in roots:
        capture(root)
    inputs = [*arguments, *(a for _, a in captured.values())]
    return Template(inputs, replaced(roots, {k: a for k, (_, a) in captured.items()})), [n for n, _ in captured.values()]


def select(pred: Node, yes: Template, no: Template, sources: Sequence[Node]) -> list[Node]:
    """The results of one of two templates. The other's have no part in the gradient, whatever they are: not even NaN."""
    values = [_either(pred, a, b) for a, b in zip(yes(sources), no(sources), strict=True)]

    def rule(found: dict[tuple[str, int], Node], pred: Node, *src: Node) -> list[Node | None]:
        of = [k for _, k in found]
        (back, places), (other, others) = yes.gradient(of), no.gradient(of)
        inputs = [*(argument(n.shape, n.dtype) for n in src), *(argument(g.shape, g.dtype) for g in found.values())]
        reached = sorted({*places, *others})
        both: list[Template] = []
        for template, numbers in ((back, places), (other, others)):
            roots = dict(zip(numbers, template(inputs), strict=True))
            both.append(Template(inputs, [roots[i] if i in roots else full(src[i].shape, 0.0, "float32") for i in reached]))
        grads = dict(zip(reached, select(pred, both[0], both[1], [*src, *found.values()]), strict=True))
        return [None, *(grads.get(i) for i in range(len(src)))]

    return results_of(values, [pred, *sources], rule)


def _either(pred: Node, a: Node, b: Node) -> Node:
    return where(broadcast_to(reshape(pred, (1,) * a.ndim), a.shape), a, b)


def recomputed(template: Template, sources: Sequence[Node], places: Container[int]) -> list[Node]:
    """The results of a template that is computed once more on the way back, when the gradient is there, and not kept.

    What depends on the sources at these places is computed again.
    """

    def rule(found: dict[tuple[str, int], Node], *src: Node) -> Sequence[Node | None]:
        one = next(iter(found.values()))
        late = [_after(s, one) if i in places else copy(s) for i, s in enumerate(src)]
        again = template(late)
        return pullback([(again[k], g) for (_, k), g in found.items() if again[k].dtype == "float32"], late)

    return results_of(template(sources), sources, rule)


def _after(x: Node, late: Node) -> Node:
    """`x`, but not before `late` is there."""
    if not late.size:
        return x
    first = slice_(late, [0] * late.ndim, [1] * late.ndim)
    return after(x, broadcast_to(reshape(first, (1,) * x.ndim), x.shape))


__all__ = ["Template", "recomputed", "replaced", "select", "template_of", "templates"]
