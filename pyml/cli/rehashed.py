"""Whether a Python finds all that it has. `pyml build` runs this file in a memory whose seed of hashes was drawn anew
(pyml/cli/ready.py), before pyml's files are there: it imports none of them.
"""

import collections
import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

# Equal values whose hash is computed now; text of one letter is there once.
ANEW: dict[type, Callable[[Any], Any]] = {
    str: lambda text: (text + text[:1])[: len(text)],
    bytes: lambda text: (text + text[:1])[: len(text)],
    tuple: lambda items: (*items, None)[:-1],
    frozenset: lambda items: frozenset(list(items)),
}

TEXT: tuple[Any, ...] = (str, bytes)


def missed() -> list[Any]:
    """What is not found again, or has another hash than its equal, among all that Python's collector reaches."""
    own: list[Any] = [[], {}, []]
    wrong, seen, ahead = own
    for value in gc.get_objects():
        _attribute(value, "__dict__")  # attributes of an object are a dict only for who asks
    ahead.extend(gc.get_objects())
    while ahead:
        value = ahead.pop()
        if id(value) not in seen and not any(value is each for each in own):
            seen[id(value)] = value
            ahead.extend(gc.get_referents(value))
            wrong.extend(_wrong(value))
    return wrong


def _wrong(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (key for key in list(dict.keys(value)) if not dict.__contains__(value, _again(key)))
    if isinstance(value, collections.OrderedDict) and not _moves(value):
        yield value
    if isinstance(value, (set, frozenset)):
        sets: Any = set if isinstance(value, set) else frozenset
        yield from (member for member in list(sets.__iter__(value)) if not sets.__contains__(value, _again(member)))
    if isinstance(value, str) and _interned(value) and sys.intern(_again(value)) is not value:
        yield value
    if isinstance(_attribute(value, "_hash"), int):
        yield value  # which Python code computed
    for kind in TEXT:
        if isinstance(value, kind) and kind.__hash__(value) != hash(ANEW[kind](kind.__getitem__(value, slice(None)))):
            yield value  # of a class with a hash of its own, perhaps
    same = value() if isinstance(value, weakref.ref) else _again(value)
    if same is not None and _hash(value) != _hash(same):
        yield value


def _again(value: Any) -> Any:
    return ANEW[type(value)](value) if type(value) in ANEW else value


def _moves(items: collections.OrderedDict[Any, Any]) -> bool:
    """Whether an OrderedDict knows where each key stands."""
    keys = list(dict.keys(items))
    for key in keys:
        collections.OrderedDict.move_to_end(items, _again(key))
    popped = [collections.OrderedDict.popitem(items, last=False) for _ in keys]
    for key, value in popped:
        collections.OrderedDict.__setitem__(items, key, value)
    return [key for key, _ in popped] == keys


def _interned(text: str) -> bool:
    asked = getattr(sys, "_is_interned", None)  # from 3.13 on
    return asked is not None and type(text) is str and asked(text)


def _attribute(value: Any, name: str) -> Any:
    try:
        return object.__getattribute__(value, name)
    except Exception:
        return None


def _hash(value: Any) -> int | None:
    try:
        return hash(value)
    except TypeError:
        return None
