"""The page of the gallery: each demo and chapter with its question, what it needs, and how it looks."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

from pyml.cli.chapters import chapters
from pyml.cli.gallery import NO_PICTURE, demos, described

ABOUT = """# Gallery

Each of these is one page of Python in the browser. In a checkout, `make demo` opens the first and `pyml demo NAME` any of the
demos; the link "pyml demos" on each page leads to all of them. Nothing that you show them leaves the tab.
[The demos, and how to add one](demos.md) says more.
"""


def write(root: Path, folder: Path) -> None:
    """Writes `folder/gallery.md`, with the screenshots of `build/docs-pictures` where `tools.docs --pictures` took some."""
    lines = [ABOUT, "## Demos", "", '<div class="shots" markdown>', ""]
    for name in demos(root / "demos"):
        page = (root / "demos" / name / "index.html").read_text(encoding="utf-8")
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
        title = html.unescape(re.sub(r"<[^>]+>", "", heading[1])).strip() if heading else name
        needs = described(page, "needs")
        below = f"`pyml demo {name}`" + (f"; needs {needs[0].lower()}{needs[1:]}" if needs else "")
        lines += card(root, folder, name, title, described(page, "description"), below, root / "demos" / name / "picture.svg")
    lines += ["</div>", "", "## Chapters", "",
              "A chapter is one Python file that is read, run and changed in its page, and that runs in a terminal, too.", "",
              '<div class="shots" markdown>', ""]  # fmt: skip
    for one in chapters(root / "demos"):
        lines += card(root, folder, one.name, one.title, one.description, f"`demos/chapters/{one.name}.py`", one.picture)
    lines += ["</div>", ""]
    (folder / "gallery.md").write_text("\n".join(lines), encoding="utf-8")


def card(root: Path, folder: Path, name: str, title: str, about: str, below: str, drawing: Path) -> list[str]:
    """One demo or chapter: its screenshots, one for each theme, or else the drawing of the pages' own gallery."""
    pictures = root / "build" / "docs-pictures"
    lines = ['<div class="shot" markdown>', ""]
    shown = [theme for theme in ("light", "dark") if (pictures / f"{name}-{theme}.png").is_file()]
    for theme in shown:
        (folder / "pictures").mkdir(exist_ok=True)
        shutil.copy(pictures / f"{name}-{theme}.png", folder / "pictures")
        only = f"#only-{theme}" if len(shown) == 2 else ""
        lines.append(f"![The page {name}](pictures/{name}-{theme}.png{only})")
    if not shown:
        svg = drawing.read_text(encoding="utf-8").strip() if drawing.is_file() else NO_PICTURE
        lines.append(f'<div class="drawing" aria-hidden="true">{" ".join(svg.split())}</div>')
    return [*lines, "", f"**{title}**", "", about, "", below, "", "</div>", ""]
