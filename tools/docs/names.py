"""Every public name of pyml with the object behind it, the file that defines it, and its page of the reference."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyml

from .pages import PAGES, Page


@dataclass
class Entry:
    """One object of the reference: the name that users write, where it is defined, and its other names."""

    name: str  # pyml.layers.Dense
    value: Any
    also: list[str] = field(default_factory=list)

    @property
    def defined(self) -> str:
        """The dotted path of the definition, `pyml.layers.dense.Dense`."""
        return f"{self.value.__module__}.{self.value.__qualname__}"

    @property
    def file(self) -> str:
        """The file of the definition below `pyml/`, without `.py`: `layers/dense`."""
        return str(self.value.__module__).removeprefix("pyml.").replace(".", "/")

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, in one line."""
        return " ".join((inspect.getdoc(self.value) or "").partition("\n\n")[0].split())


def public(module: str) -> dict[str, Any]:
    """Name -> object of the functions and classes that a module offers."""
    found = importlib.import_module(module)
    names = getattr(found, "__all__", None) or dir(found)
    own = {name: getattr(found, name) for name in sorted(names, key=str.lower) if not name.startswith("_")}
    if not hasattr(found, "__all__") and not hasattr(found, "__path__") and module.count(".") == 1:  # a file that imports helpers
        own = {name: value for name, value in own.items() if getattr(value, "__module__", "") == module}
    return {name: value for name, value in own.items() if inspect.isroutine(value) or inspect.isclass(value) if belongs(value)}


def belongs(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith("pyml.") or getattr(value, "__module__", "") == "pyml"


def entries() -> dict[str, tuple[Page, list[Entry]]]:
    """Page -> its entries. An object stands once, on the first page that takes it; its other names are told there."""
    seen: dict[int, Entry] = {}
    out: dict[str, tuple[Page, list[Entry]]] = {page.path: (page, []) for page in PAGES}
    for page in PAGES:
        for module in page.modules:
            for name, value in public(module).items():
                if id(value) in seen or not page.takes(f"{module}.{name}", value):
                    continue
                op = module.startswith("pyml.ops.") and getattr(pyml.ops, name, None) is value
                full = f"pyml.ops.{name}" if op else f"{module}.{name}"
                seen[id(value)] = Entry(full, value)
                out[page.path][1].append(seen[id(value)])
    for module in sorted({module for page in PAGES for module in page.modules}):
        for name, value in public(module).items():
            if id(value) in seen and f"{module}.{name}" not in (seen[id(value)].name, *seen[id(value)].also):
                seen[id(value)].also.append(f"{module}.{name}")
    for page, those in out.values():
        rank = {name: i for i, name in enumerate(page.first)}
        those.sort(key=lambda entry: rank.get(entry.name.rpartition(".")[2], len(rank)))
    return out


def left() -> Iterator[str]:
    """Public names that stand on no page."""
    told = {name for _, those in entries().values() for entry in those for name in (entry.name, *entry.also)}
    for module in sorted({module for page in PAGES for module in page.modules} | {f"pyml.{name}" for name in pyml._SUBMODULES}):
        yield from (f"{module}.{name}" for name in public(module) if f"{module}.{name}" not in told)
