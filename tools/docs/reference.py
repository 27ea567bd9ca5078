"""The pages of the reference, in Markdown: each name is one directive that mkdocstrings fills from the source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import made
from .names import Entry, entries
from .pages import Page

INDENT = "      "


def write(folder: Path) -> dict[str, str]:
    """Writes `folder/api/**.md` and the way in, `folder/api/index.md`; returns path -> title, in order."""
    found = entries()
    titles = {}
    for page, those in found.values():
        file = folder / "api" / f"{page.path}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text(page, those), encoding="utf-8")
        titles[f"api/{page.path}.md"] = page.title
    (folder / "api" / "index.md").write_text(index(found), encoding="utf-8")
    return titles


def places() -> dict[str, str]:
    """Name -> where the reference tells of it, as a link from the top of the site."""
    found = {}
    for page, those in entries().values():
        for entry in those:
            for name in (entry.name, *entry.also):
                found[name] = f"api/{page.path}.md#{entry.name}"
    return found


def text(page: Page, those: list[Entry]) -> str:
    """One page: what it is about, a line a name, then the names."""
    lines = [f"# {page.title}", "", page.about, ""]
    lines += ["| name | what it does |", "|---|---|"]
    lines += [f"| [`{short(entry)}`](#{entry.name}) | {cell(entry.summary)} |" for entry in those]
    for entry in those:
        lines += ["", *directive(page, entry)]
    return "\n".join(lines) + "\n"


def short(entry: Entry) -> str:
    return entry.name.removeprefix("pyml.")


def cell(summary: str, longest: int = 150) -> str:
    """A summary as a cell of a table: its first sentence, with bars escaped."""
    sentence = summary.partition(". ")[0].rstrip(".:")
    if len(sentence) > longest:
        sentence = sentence[:longest].rpartition(" ")[0] + " …"
        if sentence.count("`") % 2:
            sentence += "`"
    parts = sentence.split("`")  # code, every second one, needs no escapes
    return "`".join(part if i % 2 else part.replace("|", "\\|").replace("[", "\\[") for i, part in enumerate(parts))


def directive(page: Page, entry: Entry) -> list[str]:
    """The directive of one name, and its other names."""
    also = ["", f"Also: {', '.join(f'`{name}`' for name in entry.also)}.", "{ .also }"] if entry.also else []
    if made.is_made(entry.value):
        return made.markdown(entry.name, entry.value) + also
    whole = entry.name.rpartition(".")[2] in page.inherited
    options: dict[str, Any] = {
        "heading": entry.name,
        "toc_label": short(entry).rpartition(".")[2] if not page.path.startswith("datasets") else short(entry),
        "inherited_members": whole,
    }
    if whole:
        options["summary"] = {"functions": True}
    if page.path.startswith("layers/") and not page.inherited:  # `call` and its like are the base layer's
        options["filters"] = ["!^_", "!^build$", "!^call$", "!^compute_", "!_config$"]
    lines = [f'<a id="{entry.name}"></a>', "", f"::: {entry.defined}", "    options:"]
    lines += [f"{INDENT}{name}: {json.dumps(value)}" for name, value in options.items()]
    return lines + also


def index(found: dict[str, tuple[Page, list[Entry]]]) -> str:
    """The way into the reference: its pages, with their most telling names."""
    lines = ["# Reference", "", "Every public name, from the docstrings of the source. Examples begin as in a terminal, with",
             "`import numpy as np, pyml`. Shapes are written as in Keras: `(batch, ...)`.", ""]  # fmt: skip
    for page, those in found.values():
        names = ", ".join(f"[`{short(e).rpartition('.')[2]}`]({page.path}.md#{e.name})" for e in those[:8])
        more = f" and {len(those) - 8} more" if len(those) > 8 else ""
        lines += [f"**[{page.title}]({page.path}.md)**: {page.about.partition('; [')[0].rstrip('.')}.", "", f"{names}{more}", ""]
    return "\n".join(lines)
