"""What the docstrings of a family share, written once: the arguments of all, what a call takes and gives, errors, the source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_ENDS = ("Returns:", "Raises:", "Source:", "Example")
_ORDER = ("", "Args", "Returns", "Raises", "Source", "Example")


@dataclass(frozen=True)
class CommonPart:
    """What is added to the docstring of every built-in class of a family that does not say it.

    Args:
        home: Keras' module, for the source of classes that name no paper.
        call: What the object is called with, and what it gives.
        method: The method, and its first argument, that `call` speaks of.
        arguments: Argument of constructors -> what it is.
        errors: Argument of constructors, or "" for all -> error, and when it is raised.
    """

    home: str
    call: str
    method: tuple[str, str] = ("", "")
    arguments: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def add_to(self, cls: type, function: Callable[..., Any] | None = None) -> None:
        """Writes what is missing into the docstring of `cls`, before its example.

        Args:
            cls: A class of the family.
            function: The function that it computes; what that says of arguments holds for those of the constructor.
        """
        if not cls.__doc__:  # as with python -OO
            return
        lines = inspect.cleandoc(cls.__doc__).split("\n")
        end = next((i for i, line in enumerate(lines) if line.startswith(_ENDS)), len(lines))
        example = next((i for i, line in enumerate(lines) if line.startswith("Example")), len(lines))
        taken = _parameters(cls, "__init__")
        told = {line.strip() for line in lines}
        new = lines[:end]
        if "Args:" not in told:
            known = {**_arguments(function), **self.arguments}
            new += _section("Args:", [f"{name}: {known[name]}" for name in taken if name in known])
        name, first = self.method
        if not name or _parameters(cls, name)[1:2] == (first,):
            new += [self.call, ""]
        if "Raises:" not in told:
            new += _section("Raises:", [text for name, text in self.errors.items() if not name or name in taken])
        new += lines[end:example]
        if not any("Source:" in line for line in lines):
            new += [f"Source: `{self.home}.{cls.__name__}`.", ""]
        cls.__doc__ = "\n".join([*new, *lines[example:]]) + "\n"


@dataclass(frozen=True)
class CommonOfFunctions:
    """What is added to the docstring of every function of a family that does not say it.

    Args:
        home: Keras' module, for the source of functions that name no paper.
        arguments: Argument -> what it is.
        returns: What a call gives.
        errors: Argument, or "" for all -> error, and when it is raised.
    """

    home: str
    arguments: Mapping[str, str]
    returns: str
    errors: Mapping[str, str]

    def add_to(self, function: Callable[..., Any]) -> None:
        """Writes what is missing into the docstring of `function`, each section in its place."""
        if not function.__doc__:  # as with python -OO
            return
        name, taken = str(getattr(function, "__name__", "")), _parameters_of(inspect.unwrap(function))
        text = inspect.cleandoc(function.__doc__)
        head, *sections = re.split(rf"^(?={'|'.join(_ORDER[1:])})", text, flags=re.M)
        told = {"": head, **{section.partition(":")[0]: section for section in sections}}
        known = {**self.arguments, **_arguments(function)}
        told["Args"] = "\n".join(_section("Args:", [f"{given}: {known[given]}" for given in taken if given in known]))
        told.setdefault("Returns", "\n".join(_section("Returns:", [self.returns])))
        errors = [error for given, error in self.errors.items() if not given or given in taken]
        told.setdefault("Raises", "\n".join(_section("Raises:", errors)))
        if "Source:" not in text:
            told["Source"] = f"Source: `{self.home}.{name}`."
        function.__doc__ = "\n\n".join(told[title].rstrip() for title in _ORDER if told.get(title)) + "\n"


def _parameters(cls: type, method: str) -> tuple[str, ...]:
    return _parameters_of(getattr(cls, method, None))


def _parameters_of(function: Any) -> tuple[str, ...]:
    code = getattr(inspect.unwrap(function) if function else None, "__code__", None)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()


def _arguments(function: Callable[..., Any] | None) -> dict[str, str]:
    """What the docstring of a function says of its arguments."""
    section = re.search(r"^Args:\n((?: +.*\n)+)", inspect.cleandoc(function.__doc__ or "") if function else "", re.M)
    entries = re.findall(r"^    (\w+): (.*\n(?:     .*\n)*)", section[1], re.M) if section else ()
    return {name: text.strip("\n") for name, text in entries}


def _section(title: str, entries: list[str]) -> list[str]:
    return [title, *(f"    {entry}" for entry in entries), ""] if entries else []
