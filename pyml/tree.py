"""Nested lists, tuples, dicts, named tuples and deques, handled as trees whose leaves are everything else.

Leaves of dicts go in the order of their sorted keys, of `collections.OrderedDict` in its own. `None` is a leaf.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = [
    "MAP_TO_NONE", "assert_same_paths", "assert_same_structure", "flatten", "flatten_with_path", "is_nested", "lists_to_tuples",
    "map_shape_structure", "map_structure", "map_structure_up_to", "pack_sequence_as", "traverse",
]  # fmt: skip

_DICTS = (dict, OrderedDict, defaultdict)
_KINDS = frozenset({list, tuple, dict, OrderedDict, defaultdict, deque})


class MAP_TO_NONE:
    """What the function of `traverse` returns to put None in place of a part.

    Example:
        >>> pyml.tree.traverse(lambda part: pyml.tree.MAP_TO_NONE if part == 2 else None, [1, 2])
        [1, None]
    """


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple, dict, named tuple or deque; objects of other classes are leaves.

    Example:
        >>> pyml.tree.is_nested({"a": 42}), pyml.tree.is_nested(42)
        (True, False)
    """
    kind = type(structure)
    return kind in _KINDS or (isinstance(structure, tuple) and hasattr(kind, "_fields"))


def _keys(structure: Any) -> list[Any]:
    """The keys of a dict or the places of a sequence, in order."""
    if isinstance(structure, _DICTS):
        return list(structure) if isinstance(structure, OrderedDict) else sorted(structure)
    return list(range(len(structure)))


def _rebuilt(structure: Any, parts: dict[Any, Any]) -> Any:
    """A structure of the same kind with other parts; a dict keeps the order that it had."""
    if isinstance(structure, _DICTS):
        parts = {key: parts[key] for key in structure}
    if isinstance(structure, defaultdict):
        return defaultdict(structure.default_factory, parts)
    if isinstance(structure, _DICTS):
        return type(structure)(parts)
    if hasattr(structure, "_fields"):
        return type(structure)(*parts.values())
    return deque(parts.values(), structure.maxlen) if isinstance(structure, deque) else type(structure)(parts.values())


def _same_kind(a: Any, b: Any) -> bool:
    """Whether two structures have the same kind and keys; dicts of all kinds are one."""
    if isinstance(a, _DICTS) and isinstance(b, _DICTS):
        return a.keys() == b.keys()
    return type(a) is type(b) and len(a) == len(b)


def _check(shallow: Any, other: Any) -> None:
    if not is_nested(other) or not _same_kind(shallow, other):
        raise ValueError(f"The structures don't have the same nested structure: one has {shallow!r} where another has {other!r}.")


def flatten(structure: Any) -> list[Any]:
    """The leaves from left to right.

    Args:
        structure: Nested dicts, lists and tuples; anything else is a leaf.

    Example:
        >>> pyml.tree.flatten({"b": [3, (4, None)], "a": 1})
        [1, 3, 4, None]
    """
    if not is_nested(structure):
        return [structure]
    return [leaf for key in _keys(structure) for leaf in flatten(structure[key])]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Pairs `(path, leaf)`; a path has the keys and places that lead to the leaf.

    Args:
        structure: Nested dicts, lists and tuples; anything else is a leaf.

    Example:
        >>> pyml.tree.flatten_with_path([{"a": 42}, 7])
        [((0, 'a'), 42), ((1,), 7)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key in _keys(structure) for path, leaf in flatten_with_path(structure[key])]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` on every leaf, or on the leaves at one place of several structures, in a structure of the same form.

    Args:
        func: Takes as many arguments as there are structures.
        *structures: Structures of one form.
        none_is_leaf: False leaves None as it is.

    Raises:
        ValueError: No structure is given, or their forms differ.
        TypeError: `func` cannot be called.

    Example:
        >>> pyml.tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]})
        {'x': [11, 22]}
    """
    _callable(func, "map_structure")
    if not structures:
        raise ValueError("map_structure: at least one structure is needed.")
    return _mapped(func, structures, none_is_leaf)


def _mapped(func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool) -> Any:
    first, *others = structures
    if not is_nested(first):
        if first is None and not none_is_leaf and all(other is None for other in others):
            return None
        for other in others:
            if is_nested(other) or (not none_is_leaf and (first is None or other is None)):
                raise ValueError(f"The structures don't have the same nested structure: one has {first!r} where another has {other!r}.")
        return func(*structures)
    for other in others:
        _check(first, other)
    return _rebuilt(first, {key: _mapped(func, tuple(s[key] for s in structures), none_is_leaf) for key in _keys(first)})


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`func` on the parts of `structures` at the leaves of `shallow_structure`, in its form.

    Raises:
        ValueError: No structure is given, or one is not as deep as `shallow_structure`.
        TypeError: `func` cannot be called.

    Example:
        >>> pyml.tree.map_structure_up_to([None, None], len, [[1, 1], [2]])
        [2, 1]
    """
    _callable(func, "map_structure_up_to")
    if not structures:
        raise ValueError("map_structure_up_to: at least one structure is needed.")
    if not is_nested(shallow_structure):
        return func(*structures)
    for other in structures:
        _check(shallow_structure, other)
    parts = {key: map_structure_up_to(shallow_structure[key], func, *(s[key] for s in structures)) for key in _keys(shallow_structure)}
    return _rebuilt(shallow_structure, parts)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Checks that two structures have one form; leaves may differ. `check_types` has no effect, as in Keras.

    Args:
        a, b: Structures of nested dicts, lists and tuples.

    Raises:
        ValueError: Their forms differ.

    Example:
        >>> pyml.tree.assert_same_structure([(0, 1)], [(2, 3)])
    """
    if is_nested(a) or is_nested(b):
        if not is_nested(a):
            _check(b, a)
        _check(a, b)
        for key in _keys(a):
            assert_same_structure(a[key], b[key])


def assert_same_paths(a: Any, b: Any) -> None:
    """Checks that two structures have leaves at the same paths, whatever kinds of sequences they are made of.

    Args:
        a, b: Structures of nested dicts, lists and tuples.

    Raises:
        ValueError: A path is in one of them only; the message names it.

    Example:
        >>> pyml.tree.assert_same_paths([0, 1], (2, 3))
    """
    paths = [{path for path, _ in flatten_with_path(s)} for s in (a, b)]
    if paths[0] != paths[1]:
        only = [sorted(map(str, one - other)) for one, other in (paths, paths[::-1])]
        raise ValueError(f"`a` and `b` don't have the same paths: only a has {only[0]}, only b has {only[1]}.")


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The values of `flat_sequence` in the form of `structure`: the inverse of `flatten`.

    Raises:
        TypeError: `flat_sequence` is not an iterable.
        ValueError: It has more or fewer values than `structure` has leaves.

    Example:
        >>> pyml.tree.pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
        {'b': 3, 'a': [1, 2]}
    """
    if not isinstance(flat_sequence, Iterable):
        raise TypeError(f"pack_sequence_as: flat_sequence must be iterable. Received: {flat_sequence!r}")
    values, expected = list(flat_sequence), len(flatten(structure))
    if len(values) != expected:
        raise ValueError(f"pack_sequence_as: the structure has {expected} leaves. Received: {len(values)} values.")
    return _packed(structure, iter(values))


def _packed(structure: Any, values: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(values)
    return _rebuilt(structure, {key: _packed(structure[key], values) for key in _keys(structure)})


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """`func` on every part of a structure, itself and the leaves too.

    Args:
        func: What it returns takes the place of the part, `MAP_TO_NONE` for None; None leaves the part as it is.
        structure: The structure.
        top_down: Whether a part comes before what is in it; what is in a part that was replaced is not visited.

    Returns:
        The structure with what `func` replaced.

    Raises:
        TypeError: `func` cannot be called.

    Example:
        >>> pyml.tree.traverse(lambda part: len(part) if isinstance(part, tuple) else None, [(1, 2), {"a": 4}])
        [2, {'a': 4}]
    """
    _callable(func, "traverse")
    children = lambda: _rebuilt(structure, {k: traverse(func, structure[k], top_down) for k in _keys(structure)})
    if top_down:
        found = func(structure)
        if found is None:
            return children() if is_nested(structure) else structure
    else:
        below = children() if is_nested(structure) else structure
        found = func(below)
        if found is None:
            return below
    return None if found is MAP_TO_NONE else found


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists.

    Example:
        >>> pyml.tree.lists_to_tuples([[1, 2], {"a": [3]}])
        ((1, 2), {'a': (3,)})
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """`func` on every shape: a list or tuple of ints and None is one leaf here.

    Args:
        func: Function of a shape.
        structure: Nested dicts, lists and tuples of shapes.

    Example:
        >>> pyml.tree.map_shape_structure(lambda shape: shape[0], {"x": (None, 3), "y": (2,)})
        {'x': None, 'y': 2}
    """
    if not is_nested(structure) or (isinstance(structure, (list, tuple)) and all(n is None or isinstance(n, int) for n in structure)):
        return func(structure)
    return _rebuilt(structure, {key: map_shape_structure(func, structure[key]) for key in _keys(structure)})


def _callable(func: Any, what: str) -> None:
    if not callable(func):
        raise TypeError(f"{what}: func must be callable. Received: {func!r}")
