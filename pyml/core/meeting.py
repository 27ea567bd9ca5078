"""Unknown sizes that meet known ones in what an op, or a layer of pyml's own, is given: as in a product of `(None, None)` and `(5, 3)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

from ..errors import ShapeError
from .probes import PROBES
from .symbolic import KerasTensor, infer_output_spec, specs_of, traced
from .tree import flatten, map_structure

_MOST_GUESSES = 32


def infer_spec_where_sizes_meet(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """As `infer_output_spec`; where no size does for all unknown ones, one or two that meet a known size are taken to be that one.

    `fn` runs none of the user's code, whose printing would be seen once for each guess; so one that is given functions is tried no further.
    """
    try:
        return infer_output_spec(fn, args, kwargs)
    except ShapeError:
        leaves = flatten([args, kwargs])
        if not any(map(callable, leaves)):
            for met in islice(_guesses(leaves), _MOST_GUESSES):
                these, named = map_structure(lambda leaf, met=met: met.get(id(leaf), leaf), (tuple(args), dict(kwargs)))
                try:
                    return specs_of([traced(fn, these, named, size) for size in PROBES])
                except ValueError:  # as of an argument that does not fit the sizes, which are guessed
                    continue
        raise


def _guesses(leaves: Sequence[Any]) -> Iterator[dict[int, KerasTensor]]:
    """Symbolic tensors by the ids of those that they stand for: with one unknown size that is a known one of any leaf, then with two."""
    symbolic = {id(leaf): leaf for leaf in leaves if isinstance(leaf, KerasTensor)}
    unknown = [(key, axis) for key, leaf in symbolic.items() for axis, size in enumerate(leaf.shape) if size is None]
    known = sorted({size for leaf in leaves for size in getattr(leaf, "shape", None) or () if isinstance(size, int) and size > 1})
    single = [{place: size} for place in reversed(unknown) for size in known]
    double = [first | second for first, second in combinations(single, 2) if first.keys() != second.keys()]
    for sizes in single + double:
        yield {key: _with(leaf, {axis: size for (of, axis), size in sizes.items() if of == key}) for key, leaf in symbolic.items()}


def _with(leaf: KerasTensor, sizes: Mapping[int, int]) -> KerasTensor:
    return KerasTensor([sizes.get(axis, size) for axis, size in enumerate(leaf.shape)], leaf.dtype)
