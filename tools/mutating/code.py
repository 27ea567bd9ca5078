"""Which function a change is in, and how the functions that are there get the changed code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

PATIENCE = 4  # what takes so many times the processor time that it takes without a change, and some seconds more, hangs
Pair = tuple[CodeType, CodeType]  # without and with the change


def inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def own(code: CodeType) -> tuple[Any, ...]:
    """What a function does itself, without the functions in it and without where it stands."""
    constants = [(type(c), repr(c)) for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_exceptiontable


def differences(old: CodeType, new: CodeType, above: tuple[Pair, ...] = ()) -> Iterator[tuple[Pair, ...]]:
    """The functions whose own code differs, each with those that it stands in, from outside."""
    line = (*above, (old, new))
    if own(old) != own(new):
        yield line
    for before, after in zip(inner(old), inner(new), strict=True):
        yield from differences(before, after, line)


def place(old: str, new: str, path: str) -> tuple[Pair, ...] | None:
    """The function that a change is in, with those that it stands in; nothing where it isn't in just one."""
    before, after = (compile(source, path, "exec", dont_inherit=True) for source in (old, new))
    try:
        found = list(differences(before, after))
    except ValueError:  # a function in it came or went
        return None
    return found[0][1:] if len(found) == 1 and len(found[0]) > 1 else None


def replace(old: str, new: str, path: str, functions: Iterable[FunctionType]) -> bool:
    """Gives the functions that are there the changed code; whether any had the old one."""
    done = False
    for before, after in place(old, new, path) or ():
        for function in functions:
            code = function.__code__
            if code == before and code.co_qualname == before.co_qualname and code.co_linetable == before.co_linetable:
                try:
                    function.__code__ = after
                except ValueError:  # it takes other variables of the function that it stands in
                    return False
                done = True
    return done
