"""Screenshots of the demos and chapters in both themes, into `build/docs-pictures`, from the site that `make setup` built."""

from __future__ import annotations

from pathlib import Path

from pyml.cli.browser import chromium
from pyml.cli.chapters import chapters
from pyml.cli.gallery import demos
from pyml.cli.serve import running

SETTLED = "() => window.pymlDemo && (pymlDemo.done || pymlDemo.ready || pymlDemo.error || pymlDemo.shares)"


def take(root: Path, names: list[str], patience: float = 240.0) -> list[str]:
    """Opens each page, lets it do its work, and keeps how it looks. Returns the names of those that were not done in time.

    Args:
        root: The checkout; its `build/site` is served.
        names: Demos and chapters; all if empty.
        patience: Seconds for each page.
    """
    folder = root / "build" / "docs-pictures"
    folder.mkdir(parents=True, exist_ok=True)
    late = []
    with running(root / "build" / "site") as origin, chromium() as browser:
        window = browser.new_context(viewport={"width": 1000, "height": 700})
        for name in names or [*demos(root / "demos"), *(one.name for one in chapters(root / "demos"))]:
            page = window.new_page()
            page.goto(f"{origin}/demos/{name}/index.html?autorun=1&backend=wasm")
            try:
                page.wait_for_function(SETTLED, timeout=patience * 1000)
            except Exception:  # it shows how far it came
                late.append(name)
            page.evaluate("document.querySelector('#cells .figures')?.scrollIntoView({ block: 'center' })")  # not the text above it
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                page.wait_for_timeout(1500)  # charts are drawn again
                page.screenshot(path=folder / f"{name}-{theme}.png")
            page.close()
    return late
