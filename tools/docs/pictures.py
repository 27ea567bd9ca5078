"""Screenshots of the demos and chapters from the site that `make setup` built: for the gallery, and all forms of each to look at.

A page is opened once, does its work, and is then pictured in the light and in the dark: at the gallery's size into
`build/docs-pictures`, and whole at the widths of a desk and of a phone into `build/looks`, where `index.html` shows all of them side by
side. A page whose files are those of its last pictures is not opened again: the same command goes on with a run that was broken off.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyml.cli.browser import chromium
from pyml.cli.chapters import chapters
from pyml.cli.gallery import demos
from pyml.cli.serve import running

# done, or ready for twenty seconds and doing nothing by itself
SETTLED = """() => {
  const { done, ready, error, shares } = window.pymlDemo ?? {};
  if (ready || shares) window.waited ??= performance.now();
  return done || error || performance.now() - window.waited > 20_000;
}"""
THEMES = ("light", "dark")
WIDTHS = (1280, 390)
STYLE = """body { font: 14px sans-serif; margin: 1rem } img { max-height: 90vh; border: 1px solid #888 }
div { display: flex; gap: 8px; align-items: start; overflow: auto }"""


def names_of(root: Path) -> list[str]:
    """All demos and chapters of a checkout."""
    return [*demos(root / "demos"), *(one.name for one in chapters(root / "demos"))]


def stamp(root: Path, name: str) -> str:
    """What a page's looks are made of: its own files, those of all pages, and those that draw. Networks and engines are not among them."""
    lesson = (root / "demos" / "chapters" / f"{name}.py").is_file()
    own = [*(root / "demos" / "chapters").glob("*.js"), *(root / "demos" / "chapters").glob("page.*"),
           *(root / "demos" / "chapters").glob("chapter.py"), root / "demos" / "chapters" / f"{name}.py"]  # fmt: skip
    files = own if lesson else [path for path in (root / "demos" / name).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    common = [*(root / "web").rglob("*.js"), *(root / "web").rglob("*.css"), *(root / "pyml" / "vis").glob("*.py")]
    return digest(root, [*files, *common])


def digest(root: Path, files: Iterable[Path]) -> str:
    """A hash of files and of their names."""
    found = hashlib.sha256()
    for path in sorted(set(files)):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def waiting(root: Path, names: list[str]) -> list[str]:
    """Those of some pages (all if none are named) that are other than at their last pictures."""
    looks = root / "build" / "looks"
    kept = {name: (looks / f"{name}.stamp").read_text() if (looks / f"{name}.stamp").is_file() else "" for name in names or names_of(root)}
    return [name for name, was in kept.items() if was != stamp(root, name)]


def take(root: Path, names: list[str], patience: float = 240.0) -> list[str]:
    """Opens each page that has changed, lets it do its work, and keeps how it looks. Returns the names of those that were not done in time.

    Args:
        root: The checkout; its `build/site` is served.
        names: Demos and chapters; all if empty.
        patience: Seconds for each page.
    """
    looks, late = root / "build" / "looks", []
    looks.mkdir(parents=True, exist_ok=True)
    (root / "build" / "docs-pictures").mkdir(parents=True, exist_ok=True)
    todo = waiting(root, names)
    if todo:
        with running(root / "build" / "site") as origin, chromium() as browser:
            window = browser.new_context(viewport={"width": 1000, "height": 700})
            for name in todo:
                page = window.new_page()
                page.goto(f"{origin}/demos/{name}/index.html?autorun=1&backend=wasm")
                try:
                    page.wait_for_function(SETTLED, timeout=patience * 1000)
                except Exception:  # it shows how far it came, and is opened again the next time
                    late.append(name)
                picture(root, page, name)
                page.close()
                if name not in late:
                    (looks / f"{name}.stamp").write_text(stamp(root, name))
                sheet(root)
    return late


def picture(root: Path, page: Any, name: str) -> None:
    """Takes all pictures of an open page."""
    looks, pictures = root / "build" / "looks", root / "build" / "docs-pictures"
    page.evaluate("document.querySelector('#cells .figures')?.scrollIntoView({ block: 'center' })")  # not the text above it
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(1500)  # charts are drawn again
        page.screenshot(path=pictures / f"{name}-{theme}.png")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(500)
        # a window as high as the page: editors measure their lines only where they can be seen
        page.set_viewport_size({"width": width, "height": min(page.evaluate("document.documentElement.scrollHeight"), 12_000)})
        page.evaluate("scrollTo(0, 0)")
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(1500)
            page.screenshot(path=looks / f"{name}-{width}-{theme}.png")


def sheet(root: Path) -> None:
    """Writes `build/looks/index.html`, all pages in all forms."""
    looks = root / "build" / "looks"
    rows = [f"<!doctype html><meta charset=utf-8><title>How the pages look</title><style>{STYLE}</style>"]
    for name in names_of(root):
        every = [f"{name}-{width}-{theme}.png" for width in WIDTHS for theme in THEMES]
        there = [file for file in every if (looks / file).is_file()]
        shown = "".join(f'<a href="{file}"><img src="{file}" alt="{file}" loading="lazy"></a>' for file in there)
        rows.append(f"<h2>{html.escape(name)}</h2><div>{shown or 'no pictures yet'}</div>")
    (looks / "index.html").write_text("\n".join(rows), encoding="utf-8")
