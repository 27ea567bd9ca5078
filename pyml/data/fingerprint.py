"""A mark of a pipeline that is another where its functions, its arguments or its data are others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from pyml.data.structure import is_tensor

_PLAIN = (str, bytes, bool, int, float, complex, type(None), type(Ellipsis), range, slice, PurePath, np.generic)


def fingerprint(source: Callable[..., Any]) -> str:
    """The mark of what opens a stream: the same in every run of the same program.

    What has a state of its own (random numbers, objects of other packages) counts by its kind only, and tensors by shape and dtype.
    """
    mark = hashlib.blake2b(digest_size=16)
    for part in _parts(source, {}):
        mark.update(part)
    return mark.hexdigest()


def _parts(value: Any, seen: dict[int, Any]) -> Iterator[bytes]:
    """What tells a value from others, piece by piece; `seen` holds the values, so that no other takes the place of one in memory."""
    if isinstance(value, _PLAIN):
        yield f"{type(value).__name__} {value!r};".encode()
        return
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        yield f"array {value.dtype} {value.shape};".encode()
        yield np.ascontiguousarray(value).tobytes()
        return
    if id(value) in seen:
        yield b"again;"
        return
    seen[id(value)] = value
    yield f"{type(value).__module__}.{type(value).__qualname__};".encode()
    for inner in _inside(value):
        yield from _parts(inner, seen)


def _inside(value: Any) -> Iterator[Any]:
    """The values that make up another."""
    if is_tensor(value):
        yield from (str(value.dtype), str(value.shape))
    elif isinstance(value, partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, FunctionType):
        code = value.__code__
        yield from (value.__qualname__, code, value.__defaults__, value.__kwdefaults__)
        yield from (cell.cell_contents for cell in value.__closure__ or () if _is_full(cell))
        named = [value.__globals__.get(name) for name in code.co_names]
        yield from (one for one in named if isinstance(one, (*_PLAIN, np.ndarray, tuple, FunctionType)))
    elif isinstance(value, CodeType):
        yield from (value.co_code, value.co_names, value.co_consts)
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        yield from sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    elif hasattr(value, "_open"):                      # a dataset
        yield value._open
    elif hasattr(value, "made_of"):
        yield from (getattr(value, name) for name in value.made_of)
    elif isinstance(value, type) or callable(value):
        yield getattr(value, "__qualname__", "")


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:                                 # nothing was put into it yet
        return False
