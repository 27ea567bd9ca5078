#!/usr/bin/env python3
"""What of Keras' and the array API's public names pyml has, with the same parameters and defaults: `make parity`.

    python tools/parity.py                     a line a module, then what is missing or differs
    python tools/parity.py keras.ops           only modules whose name begins so
    python tools/parity.py --counts            only the lines of the modules

The names stand in `tests/parity/keras.txt` and `array_api.txt`, methods in `methods.txt`; `exclusions.txt` there names those
that pyml leaves out, each with the reason. A name that has more parameters than Keras', with defaults and after Keras' own,
does not differ.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "parity"
sys.path.insert(0, str(ROOT))


@dataclass
class Module:
    """One namespace: its names with their signatures ("" for what is not a function or class)."""

    name: str
    names: dict[str, str]
    missing: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        there = len(self.names) - len(self.missing) - len(self.excluded)
        return (f"{self.name:32} {there:4} of {len(self.names):4}, {len(self.missing):4} missing, {len(self.differing):4} differ, "
                f"{len(self.excluded):3} excluded")  # fmt: skip


def sections(path: Path, prefix: str = "") -> Iterator[Module]:
    """The modules of a list of names."""
    module: Module | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            if module is not None:
                yield module
            module = Module(prefix + line[1:-1], {})
        elif line and not line.startswith("#") and module is not None:
            name, bracket, rest = line.partition("(")
            module.names[name] = bracket + rest
    if module is not None:
        yield module


def exclusions() -> dict[str, str]:
    """Full name -> reason."""
    found = {}
    for line in (DATA / "exclusions.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise SystemExit(f"exclusions.txt: {name} has no reason")
            found[name] = reason.strip()
    return found


def parameters(signature: str) -> list[tuple[str, str | None]]:
    """(name, default as text or None) of a written signature; `*args` and `**kwargs` with their stars."""
    f = ast.parse(f"def f{signature}: pass").body[0]
    assert isinstance(f, ast.FunctionDef)
    a = f.args
    plain = [*a.posonlyargs, *a.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    out = [(p.arg, None if d is None else ast.unparse(d)) for p, d in zip(plain, defaults, strict=True)]
    out += [("*" + a.vararg.arg, None)] if a.vararg else []
    out += [(p.arg, None if d is None else ast.unparse(d)) for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]
    return out + ([("**" + a.kwarg.arg, None)] if a.kwarg else [])


def own_parameters(value: Any) -> list[tuple[str, str | None]] | None:
    """The same of a function or class of pyml; None where Python does not know them."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    out: list[tuple[str, str | None]] = []
    for p in signature.parameters.values():
        stars = "*" if p.kind is p.VAR_POSITIONAL else "**" if p.kind is p.VAR_KEYWORD else ""
        default = None if p.default is p.empty or stars else ast.unparse(ast.parse(repr(p.default)).body[0]) if written(p.default) else "?"
        out.append((stars + p.name, default))
    return out


def written(default: Any) -> bool:
    try:
        ast.parse(repr(default))
        return True
    except SyntaxError:
        return False


def difference(signature: str, value: Any) -> str | None:
    """What differs between Keras' signature and that of pyml's value, in words."""
    mine = own_parameters(value)
    if mine is None or not signature:
        return None
    try:
        theirs = parameters(signature)
    except SyntaxError:
        return None
    takes_any = any(name.startswith("**") for name, _ in mine)
    plain = lambda those: [(n, d) for n, d in those if not n.startswith("*")]
    for i, (name, default) in enumerate(plain(theirs)):
        found = dict(plain(mine)).get(name)
        if name not in dict(mine):
            if takes_any and default is not None:
                continue
            return f"has no parameter {name}"
        if [n for n, _ in plain(mine)].index(name) != i and not takes_any:
            return f"has {name} in another place"
        if found != default and "?" not in (found, default):
            return f"{name}={found}, expected {default}" if default is not None else f"{name} has a default ({found})"
    extra = [n for n, d in plain(mine) if d is None and n not in dict(theirs)]
    return f"asks for {', '.join(extra)}" if extra else None


def resolve(module: str) -> Any:
    """The module or object of pyml for a dotted name; None where there is none."""
    import pyml

    value: Any = pyml
    for part in module.split(".")[1:]:
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(f"{value.__name__}.{part}")
            except (ImportError, AttributeError):
                return None
    return value


def compare(module: Module, place: Any, left_out: dict[str, str]) -> Module:
    """Fills in what is missing and what differs."""
    for name, signature in module.names.items():
        full = f"{module.name}.{name}"
        if full in left_out or f"{module.name}.*" in left_out:
            module.excluded.append(name)
            continue
        value = getattr(place, name, None) if place is not None else None
        if value is None and not (place is not None and hasattr(place, name)):
            module.missing.append(name)
            continue
        told = difference(signature, value) if signature else None
        if told:
            module.differing.append(f"{name}: {told}")
    return module


def array_api_place(group: str) -> Any:
    space = resolve("pyml.array_api")
    if group.endswith("of the array"):
        from pyml.core import Tensor

        return Tensor
    return getattr(space, group.removeprefix("extension "), None) if group.startswith("extension") else space


def report(wanted: Callable[[str], bool] = lambda name: True) -> list[Module]:
    """All modules whose name is wanted."""
    left_out = exclusions()
    out = [compare(m, resolve(m.name.replace("keras", "pyml", 1)), left_out) for m in sections(DATA / "keras.txt") if wanted(m.name)]
    return out + [compare(m, array_api_place(m.name.removeprefix("array_api.")), left_out)
                  for m in sections(DATA / "array_api.txt", "array_api.") if wanted(m.name)]  # fmt: skip


def methods() -> list[str]:
    """Public methods of classes that pyml has not, or whose arguments cannot be given by the place or the name that Keras has."""
    text = (DATA / "methods.txt").read_text(encoding="utf-8").replace("\n    ", " ")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    left_out = [line.split()[1] for line in lines if line.startswith("- ")]
    found = []
    for line in lines:
        if line.startswith("- "):
            continue
        written_as, _, classes = line.partition("): ")
        name, _, arguments = written_as.partition("(")
        for owner in classes.split():
            if any(fnmatch(f"{owner}.{name}", pattern) for pattern in left_out):
                continue
            cls = resolve(f"pyml.{owner}")
            told = "there is no such method" if not hasattr(cls, name) else not_taken(cls, name, arguments.split(", "))
            if told:
                found.append(f"{owner}.{name}: {told}")
    return found


def not_taken(cls: Any, name: str, arguments: list[str]) -> str | None:
    """The first argument that a method does not take as Keras' does, in words; `*` and what follows it is given by name alone."""
    value, static = getattr(cls, name), inspect.getattr_static(cls, name)
    if not callable(value):
        return None
    mine = list(inspect.signature(value).parameters.values())
    mine = mine if inspect.ismethod(value) or isinstance(static, staticmethod) else mine[1:]
    places = [p.name for p in mine if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    kinds, by_name_alone = {p.kind for p in mine}, False
    for i, argument in enumerate(filter(None, arguments)):
        wanted = argument.removesuffix("=")
        by_name_alone = by_name_alone or argument.startswith("*")
        if argument.startswith("*"):
            continue
        if wanted not in {p.name for p in mine} and inspect.Parameter.VAR_KEYWORD not in kinds:
            return f"has no argument {wanted}"
        if not by_name_alone and wanted not in places[i : i + 1] and inspect.Parameter.VAR_POSITIONAL not in kinds:
            return f"has {wanted} in another place"
        if argument.endswith("=") and any((p.name, p.default) == (wanted, p.empty) and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
                                          for p in mine):  # fmt: skip
            return f"asks for {wanted}"
    return None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="beginnings of module names")
    parser.add_argument("--counts", action="store_true", help="leave the names out")
    options = parser.parse_args(arguments)
    modules = report(lambda name: not options.modules or name.startswith(tuple(options.modules)))
    for module in modules:
        print(module.line)
    for module in [] if options.counts else modules:
        if module.missing:
            print(f"\n{module.name}, missing: {', '.join(module.missing)}")
        for line in module.differing:
            print(f"{module.name}.{line}")
    for line in [] if options.counts or options.modules else methods():
        print(f"method {line}")
    total = sum(len(m.names) for m in modules)
    missing, differing = sum(len(m.missing) for m in modules), sum(len(m.differing) for m in modules)
    print(f"\nparity: {total - missing - differing} of {total} names as they should be; {missing} missing, {differing} differ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
