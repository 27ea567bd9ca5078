"""Losses of several outputs together: `{"box": giou}` where the output `"box"` is itself a tuple or a dict, and lists that hold such and
the losses of the parts."""

from __future__ import annotations

from typing import Any, NamedTuple

from pyml.core.tree import flatten, is_nested


class Whole(NamedTuple):
    """A loss of a part of the outputs that is nested itself: where it is, which of the flat outputs it has, and its factor."""

    path: tuple[Any, ...]
    start: int
    struct: Any
    loss: Any
    factor: Any

    @property
    def places(self) -> range:
        """Its outputs among the flat ones."""
        return range(self.start, self.start + len(flatten(self.struct)))


def taken_out(given: Any, factors: Any, struct: Any, path: tuple[Any, ...] = (), start: int = 0) -> tuple[Any, Any, list[Whole]]:
    """What was given to `compile` without the losses of whole parts, their factors likewise, and those losses.

    A loss that stands for a nested part gets that part as it is nested, as in Keras; one that stands for all outputs is one for each.
    """
    if given is None or not is_nested(struct):
        return given, factors, []
    if not is_nested(given):
        return (None, factors, [Whole(path, start, struct, given, factors)]) if path else (given, factors, [])
    if isinstance(given, dict):
        keys = sorted(struct) if isinstance(struct, dict) and set(given) <= set(struct) else []
    elif any(is_nested(one) and isinstance(one, type(struct)) for one in given) and not isinstance(struct, type(given)):
        return _several(given, factors, struct, path, start)
    else:
        nested = isinstance(struct, (list, tuple)) and len(given) == len(struct)
        keys = list(range(len(given))) if nested else []
    if not keys:
        return given, factors, []
    rest, found = {}, []
    for key in keys:
        own = given.get(key) if isinstance(given, dict) else given[key]
        factor = factors.get(key) if isinstance(factors, dict) else (
            factors[key] if isinstance(factors, (list, tuple)) and isinstance(key, int) and len(factors) == len(given) else None)
        rest[key], _, more = taken_out(own, factor, struct[key], (*path, key), start)
        found += more
        start += len(flatten(struct[key]))
    return (rest if isinstance(given, dict) else list(rest.values())), factors, found


def _several(given: Any, factors: Any, struct: Any, path: tuple[Any, ...], start: int) -> tuple[Any, Any, list[Whole]]:
    """`[loss of the whole, losses of its parts]`."""
    rest, rest_factors, found = None, None, []
    for i, one in enumerate(given):
        factor = factors[i] if isinstance(factors, (list, tuple)) and len(factors) == len(given) else None
        if is_nested(one):
            rest, rest_factors, more = taken_out(one, factor, struct, path, start)
            found += more
        elif one is not None:
            found.append(Whole(path, start, struct, one, factor))
    return rest, rest_factors, found
