"""Nested tuples, lists and dicts of leaves, flattened in a fixed order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from copy import copy
from typing import Any


class Parts:
    """Base of an object that stands for several tensors: structures hold it as they hold a tuple of these."""

    __slots__ = ()

    def parts(self) -> tuple[Any, ...]:
        """What it stands for."""
        raise NotImplementedError

    def of_parts(self, parts: Sequence[Any]) -> Any:
        """Another one, of these."""
        raise NotImplementedError


def flatten(tree: Any) -> list[Any]:
    """The leaves of nested tuples, lists and dicts (by key order of insertion)."""
    out: list = []
    stack = [tree]
    while stack:
        x = stack.pop()
        if isinstance(x, (tuple, list)):
            stack.extend(reversed(x))
        elif isinstance(x, dict):
            stack.extend(reversed(list(x.values())))
        elif isinstance(x, Parts):
            stack.extend(reversed(x.parts()))
        else:
            out.append(x)
    return out


def pack(tree: Any, leaves: Iterable[Any]) -> Any:
    """A tree of the same structure with other leaves."""
    return _pack(tree, iter(leaves))


def _pack(tree: Any, it: Iterator[Any]) -> Any:
    # A function of its own: a recursive closure is a reference cycle, and would keep the leaves alive.
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_pack(v, it) for v in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)([_pack(v, it) for v in tree])
    if isinstance(tree, dict):
        found = {k: _pack(v, it) for k, v in tree.items()}
        if type(tree) is dict:
            return found
        like = copy(tree)  # an OrderedDict, or a defaultdict with its factory
        like.update(found)
        return like
    if isinstance(tree, Parts):
        return tree.of_parts([_pack(v, it) for v in tree.parts()])
    return next(it)


def aligned(tree: Any, like: Any, what: str) -> Any:
    """`tree` with the keys of its dicts in the order in which `like` has them, so that both are flattened alike.

    Raises:
        ValueError: A dict has other keys; the message begins with `what`.
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            given = f"the keys {', '.join(map(repr, tree))}" if isinstance(tree, dict) else type(tree).__name__
            raise ValueError(f"{what}: expected a dict with the keys {', '.join(map(repr, like))}. Received: {given}")
        return {key: aligned(tree[key], value, what) for key, value in like.items()}
    if isinstance(like, (tuple, list)) and isinstance(tree, (tuple, list)) and len(tree) == len(like):
        items = [aligned(t, v, what) for t, v in zip(tree, like, strict=True)]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return tree


def outlined(tree: Any) -> Any:
    """A structure for a message, with a star for each leaf that is something."""
    return pack(tree, [None if x is None else "*" for x in flatten(tree)])


def structure(tree: Any) -> Hashable:
    """A hashable description of the structure, without the leaves."""
    if isinstance(tree, (tuple, list)):
        return (type(tree), *(structure(v) for v in tree))
    if isinstance(tree, dict):
        return (dict, *((k, structure(v)) for k, v in tree.items()))
    if isinstance(tree, Parts):
        return (type(tree), *(structure(v) for v in tree.parts()))
    return None
