"""What a constructor that failed says: the class, the argument, what was given and what is expected.

Checks that a class writes say all that by themselves. Here is what nobody wrote a check for, by the annotations: whatever makes a
constructor fail, such as a number where a list belongs, and text where a number belongs, also where that would fail later only.
"""

from __future__ import annotations

import functools
import inspect
import re
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from types import TracebackType
from typing import Any

import numpy as np

from pyml import settings
from pyml.tracebacks import is_ours, of_class, shortened

_LIBRARIES = frozenset({"pyml", "numpy", "scipy", *sys.stdlib_module_names})
_FAILURES = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError)


def _list_of(*kinds: type) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        listed = isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)
        return listed and all(isinstance(item, kinds) for item in value)

    return fits


_NOTHING = type(None)
_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {  # what a part of an annotation allows, in words, and whether a value is that
    "int": ("an integer", lambda value: isinstance(value, Integral)),
    "float": ("a number", lambda value: isinstance(value, Real) and value == value),
    "bool": ("True or False", lambda value: isinstance(value, (bool, np.bool_))),
    "str": ("text", lambda value: isinstance(value, str)),
    "None": ("None", lambda value: value is None),
    "os.PathLike[str]": ("a path", lambda value: hasattr(value, "__fspath__")),
    "Sequence[int]": ("a list of integers", _list_of(Integral)),
    "tuple[int, ...]": ("a tuple of integers", _list_of(Integral)),
    "Sequence[int | None]": ("a tuple of sizes such as (3,), None where one is unknown,", _list_of(Integral, _NOTHING)),
    "Sequence[float]": ("a list of numbers", _list_of(Real)),
    "Sequence[str]": ("a list of text", _list_of(str)),
    "Sequence[Any]": ("a list", _list_of(object)),
    "Mapping[str, Any]": ("a dict", lambda value: isinstance(value, Mapping)),
    "Callable[..., Any]": ("a function", callable),
}


_NUMBERS = frozenset({
    "int", "float", "int | None", "float | None", "int | Sequence[int]", "int | Sequence[int] | None", "Sequence[int]", "Sequence[float]",
    "Sequence[float] | None",
})  # fmt: skip


def explained(cls: type) -> Callable[..., None]:
    """The constructor of a class of ours, with errors that name the class and the argument."""
    init: Callable[..., None] = vars(cls)["__init__"]
    names = init.__code__.co_varnames[1:]
    numbers: set[str] | None = None  # looked up at the first call: most classes are never made

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal numbers
        try:
            init(self, *args, **kwargs)
        except _FAILURES as error:
            if settings.is_traceback_filtering_enabled():
                error.__traceback__ = shortened(error.__traceback__)
            if _outermost(type(self)) is not __init__ or _of_users(error.__traceback__):  # who called this one says it
                raise
            if hasattr(error, "_places"):  # of a call of a layer, which it names
                raise
            text = _explanation(type(self), _makers(cls), args, kwargs, error)
            if type(error) is AttributeError and text not in error.args:
                error = TypeError()
            error.args = (text,)
            if str(error) not in (text, repr(text)):  # numpy's make their text of other things
                error = (TypeError if isinstance(error, TypeError) else ValueError)(text)
            error.__dict__["_made"] = type(self).__name__
            raise error from None
        if numbers is None:
            every = {name: _text(annotation) for maker in reversed(_makers(cls)) for name, annotation in maker.__annotations__.items()}
            numbers = {name for name, annotation in every.items() if annotation in _NUMBERS}
        given = [] if numbers.isdisjoint(kwargs) else [(name, kwargs[name]) for name in numbers & kwargs.keys()]
        for name, value in (*zip(names, args, strict=False), *given) if args else given:
            if name in numbers and (texts := _texts(value)) and not (self._reads_numbers and all(map(_is_number, texts))):
                raise ValueError(_unfit(type(self), name, value, _expected(name, _makers(cls))))

    __init__.explains = True  # type: ignore[attr-defined]
    return __init__


def _makers(cls: type) -> list[Any]:
    """The constructors of ours that make an object of the class, from its own on."""
    return [vars(base)["__init__"] for base in cls.__mro__ if is_ours(base) and "__init__" in vars(base)]


def _outermost(cls: type) -> Any:
    return next(maker for maker in _makers(cls) if hasattr(maker, "explains"))


def _text(annotation: Any) -> str:
    """An annotation as it was written."""
    return annotation if isinstance(annotation, str) else annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _of_users(traceback: TracebackType | None) -> bool:
    """Whether an error came through code that is neither ours nor Python's, such as the `call` of a layer that a model builds."""
    while traceback is not None:
        owner = str(traceback.tb_frame.f_globals.get("__name__")).partition(".")[0]
        if owner not in _LIBRARIES:
            return True
        traceback = traceback.tb_next
    return False


def _texts(value: Any) -> list[str]:
    """The text that a value is, or that it lists."""
    if type(value) is str:
        return [value]
    return [item for item in value if type(item) is str] if type(value) in (list, tuple) else []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _explanation(cls: type, makers: Sequence[Any], args: Sequence[Any], kwargs: Mapping[str, Any], error: BaseException) -> str:
    """What an error is to say: its own words where they name the class."""
    said = error.__dict__.pop("_said", None) or (str(error.args[0]) if len(error.args) == 1 else str(error))
    said = said.removeprefix(f"{error.__dict__.get('_made')}: ")  # of the cell of a recurrent layer, or another part of its own
    given = {**dict(zip(list(inspect.signature(makers[0]).parameters)[1:], args, strict=False)), **kwargs}
    said = of_class(cls, said)
    twice = re.search(r"got multiple values for (?:keyword )?argument '(\w+)'", said)
    if twice and twice[1] in kwargs and twice[1] in list(inspect.signature(cls).parameters)[: len(args)]:
        return f"{cls.__name__}: {twice[1]} is given twice, by its place and by its name. Received: {twice[1]}={kwargs[twice[1]]!r}"
    if twice and twice[1] in kwargs:
        return f"{cls.__name__}: {twice[1]} is set by the class itself. Received: {twice[1]}={kwargs[twice[1]]!r}"
    if any(re.search(rf"\b{owner.__name__}\b", said) for owner in cls.__mro__[:-1]):
        return said
    for name, value in given.items():
        expected = _expected(name, makers)
        if expected and not any(fits(value) for _, fits in expected):
            return _unfit(cls, name, value, expected)
    told = [name for name, value in given.items() if _in(repr(value), said)]
    told = told or [name for name, value in given.items() if str(value) and _in(str(value), said)]
    of_kind = [name for name in told if name.rpartition("_")[2] in said]
    name, *others = of_kind or told or [""]
    if not name:
        error.__dict__["_said"] = said  # what is given here may not be what an object around this one was given
        received = ", ".join(f"{name}={reprlib.repr(value)}" for name, value in given.items())
        return f"{cls.__name__}: {said.rstrip('.')}. Received: {received or 'no arguments'}"
    return f"{cls.__name__}: {said}" if others or name in said else f"{cls.__name__}: {name}: {said}"


def _in(value: str, said: str) -> bool:
    """Whether a text has a value in it, and not within a longer one."""
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.]*\w)", said) is not None


def _unfit(cls: type, name: str, value: Any, expected: Sequence[tuple[str, Any]]) -> str:
    *most, last = (words for words, _ in expected)
    return f"{cls.__name__}: {name} must be {', '.join(most)}{' or ' if most else ''}{last}. Received: {name}={value!r}"


def _expected(name: str, makers: Sequence[Any]) -> list[tuple[str, Callable[[Any], bool]]]:
    """What the annotation of an argument allows, of the first constructor that has it; nothing where that is more than plain values."""
    for maker in makers:
        annotation = maker.__annotations__.get(name)
        if annotation is not None:
            parts = re.split(r" \| (?![^\[]*\])", _text(annotation))
            return [_EXPECTED[part] for part in parts] if all(part in _EXPECTED for part in parts) else []
    return []


__all__ = ["explained", "is_ours"]
