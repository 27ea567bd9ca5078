"""Names that the source makes as it runs (one builder for all sizes of a network): Markdown from the objects themselves."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

SECTION = re.compile(r"^([A-Z][a-z]+):\s*$")
ENTRY = re.compile(r"^    ([*\w]+(?:, [*\w]+)*): (.*)$")


@cache
def written(module: str) -> frozenset[str]:
    """Functions and classes with a docstring that stand in the text of a module."""
    file = sys.modules[module].__file__
    assert file is not None
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    return frozenset(node.name for node in found if ast.get_docstring(node))


def is_made(value: Any) -> bool:
    """Whether reading the source alone does not find an object with its docstring."""
    return value.__qualname__ not in written(value.__module__)


def markdown(name: str, value: Any) -> list[str]:
    """The heading, signature and docstring of an object."""
    try:
        signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value)))  # annotations are kept as texts
    except (TypeError, ValueError):
        signature = "(...)"
    label = name.rpartition(".")[2]
    lines = [f'## `{name}` {{: #{name} .doc-heading data-toc-label="{label}" }}', "", "```python", f"{label}{signature}", "```", ""]
    return lines + body(inspect.getdoc(value) or "")


def body(text: str) -> list[str]:
    """A docstring in Google's style as Markdown."""
    lines: list[str] = []
    section = ""
    for line in text.split("\n"):
        head = SECTION.match(line)
        entry = ENTRY.match(line) if section not in ("", "Example") else None
        if section == "Example" and not line.startswith(" ") and line:
            lines, section = [*lines, "```", ""], ""
        if head:
            section = head[1]
            lines += [f"**{section}:**", ""] + (["```pycon"] if section == "Example" else [])
        elif entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        else:
            lines.append(line.removeprefix("    ") if section else line)
    return [*lines, "```"] if section == "Example" else lines
