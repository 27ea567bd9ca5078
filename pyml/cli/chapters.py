"""The pages of chapters: each is made of one Python file of `demos/chapters` and the page's form, `demos/chapters/page.html`.

Such a file begins with a docstring, whose first line is the title, whose next paragraph is the description of the gallery's card, and with
a line `CHAPTER = {...}`:

    order   where it stands among the chapters, a number
    data    the files of the site's data/ that it reads
    networks  those of `pyml.hub` that it uses
    merit   (variable, "<" or ">", bound, unit): what its last run must reach
"""

from __future__ import annotations

import ast
import html
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "chapters"
FORM = "page.html"


class ChapterError(ValueError):
    """A chapter's file cannot be made into a page; the message says what it lacks."""


@dataclass(frozen=True)
class Chapter:
    """What the file of a chapter says about itself."""

    name: str
    title: str
    description: str
    order: float
    data: tuple[str, ...]
    networks: tuple[str, ...]
    merit: tuple[str, str, float, str] | None
    picture: Path


def chapters(demos: Path) -> list[Chapter]:
    """The chapters below a folder of demos, in order."""
    found = [read(path) for path in sorted((demos / FOLDER).glob("*.py")) if "CHAPTER" in path.read_text(encoding="utf-8")]
    return sorted((one for one in found if one is not None), key=lambda one: (one.order, one.name))


def read(path: Path) -> Chapter | None:
    """The chapter of a file; None for a file without a `CHAPTER = {...}`.

    Raises:
        ChapterError: It has no title or description, or `CHAPTER` is not a literal dict.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    facts = next((literal(path, node) for node in tree.body if assigns(node)), None)
    if facts is None:
        return None
    title, _, rest = (ast.get_docstring(tree) or "").partition("\n")
    description = " ".join(rest.strip().partition("\n\n")[0].split())
    if not title or not description:
        raise ChapterError(f"{path.name}: its docstring must begin with a title, an empty line and a paragraph for the gallery.")
    data, merit = tuple(facts.get("data", ())), facts.get("merit")
    if merit is not None and (len(merit) != 4 or merit[1] not in ("<", ">")):
        raise ChapterError(f'{path.name}: merit must be (variable, "<" or ">", bound, unit). Received: {merit!r}')
    return Chapter(path.stem, title.strip(), description, facts.get("order", 1000), data, tuple(facts.get("networks", ())), merit,
                   path.with_suffix(".svg"))  # fmt: skip


def assigns(node: ast.stmt) -> bool:
    """Whether a statement is `CHAPTER = ...`."""
    return isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["CHAPTER"]


def literal(path: Path, node: ast.stmt) -> dict[str, Any]:
    """The dict of `CHAPTER = {...}`."""
    try:
        value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ChapterError(f"{path.name}, line {node.lineno}: CHAPTER must be a dict of plain values.")
    return value


def pages(demos: Path) -> dict[str, str]:
    """The text of each chapter's page by the chapter's name."""
    every = chapters(demos)
    if not every:
        return {}
    form = string.Template((demos / FOLDER / FORM).read_text(encoding="utf-8"))
    made = {}
    for i, chapter in enumerate(every):
        ways = [("previous", every[i - 1] if i else None), ("next", every[i + 1] if i + 1 < len(every) else None)]
        links = [f'<a href="../{one.name}/index.html">{way}: {html.escape(one.title)}</a>' for way, one in ways if one]
        onward = '<a href="../../index.html">That was the last chapter: back to all of them</a>'
        if after := every[i + 1 : i + 2]:
            onward = f'<a href="../{after[0].name}/index.html">On to the next chapter: {html.escape(after[0].title)}</a>'
        texts = {"name": chapter.name, "title": chapter.title, "description": chapter.description, "data": " ".join(chapter.data),
                 "networks": " ".join(chapter.networks)}  # fmt: skip
        ready = {"neighbours": " ".join(links), "onward": onward}
        made[chapter.name] = form.substitute({**{k: html.escape(v) for k, v in texts.items()}, **ready})
    return made
