"""Nested lists, tuples and dicts: the few functions needed to treat models with many inputs like one."""

from collections.abc import Callable, Iterable
from typing import Any

from .nest import Parts


def is_nested(structure: Any) -> bool:
    """True for a list, a tuple or a dict."""
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list[Any]:
    """The leaves from left to right; dicts in the order of their sorted keys. `None` is a leaf."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    if isinstance(structure, Parts):
        return [leaf for item in structure.parts() for leaf in flatten(item)]
    return [structure]


def map_structure(fn: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """`fn` on every leaf (and the leaves at the same places of `others`), in a structure of the same form."""
    if isinstance(structure, dict):
        return {k: map_structure(fn, v, *(o[k] for o in others)) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        items = [map_structure(fn, v, *(o[i] for o in others)) for i, v in enumerate(structure)]
        if hasattr(structure, "_fields"):
            return type(structure)(*items)
        return type(structure)(items)
    if isinstance(structure, Parts):
        return structure.of_parts([map_structure(fn, v, *(o.parts()[i] for o in others)) for i, v in enumerate(structure.parts())])
    return fn(structure, *others)


def pack_sequence_as(structure: Any, leaves: Iterable[Any]) -> Any:
    """The inverse of `flatten`: `leaves` in the form of `structure`."""
    leaves = list(leaves)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"A structure of {expected} leaves cannot hold {len(leaves)} values.")
    iterator = iter(leaves)

    def pack(part: Any) -> Any:
        if isinstance(part, dict):
            packed = {key: pack(part[key]) for key in sorted(part)}
            return {key: packed[key] for key in part}
        if isinstance(part, (list, tuple)):
            items = [pack(item) for item in part]
            return type(part)(*items) if hasattr(part, "_fields") else type(part)(items)
        if isinstance(part, Parts):
            return part.of_parts([pack(item) for item in part.parts()])
        return next(iterator)

    return pack(structure)


def is_shape(value: Any) -> bool:
    """True for a tuple or list of sizes, each an int or None."""
    return isinstance(value, (list, tuple)) and all(v is None or isinstance(v, int) for v in value)


def map_shapes(fn: Callable[[Any], Any], structure: Any) -> Any:
    """`fn` on every shape of a structure of shapes."""
    if structure is None or is_shape(structure):
        return fn(structure)
    if isinstance(structure, dict):
        return {k: map_shapes(fn, v) for k, v in structure.items()}
    return type(structure)(map_shapes(fn, v) for v in structure)
