"""Nested tuples, lists and dicts of leaves, flattened in a fixed order."""

from __future__ import annotations


def flatten(tree) -> list:
    """The leaves of nested tuples, lists and dicts (by key order of insertion)."""
    out: list = []
    stack = [tree]
    while stack:
        x = stack.pop()
        if isinstance(x, (tuple, list)):
            stack.extend(reversed(x))
        elif isinstance(x, dict):
            stack.extend(reversed(list(x.values())))
        else:
            out.append(x)
    return out


def pack(tree, leaves):
    """A tree of the same structure with other leaves."""
    it = iter(leaves)

    def build(x):
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*(build(v) for v in x))
        if isinstance(x, (tuple, list)):
            return type(x)(build(v) for v in x)
        if isinstance(x, dict):
            return {k: build(v) for k, v in x.items()}
        return next(it)

    return build(tree)


def structure(tree):
    """A hashable description of the structure, without the leaves."""
    if isinstance(tree, (tuple, list)):
        return (type(tree), *(structure(v) for v in tree))
    if isinstance(tree, dict):
        return (dict, *((k, structure(v)) for k, v in tree.items()))
    return None
