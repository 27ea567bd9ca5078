"""The page of the gallery: each demo with its question, what it needs, and how it looks."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

from pyml.cli.gallery import demos, described


def write(root: Path, folder: Path) -> None:
    """Writes `folder/gallery.md`, with the pictures that `make docs-pictures` took in `build/docs-pictures`."""
    pictures = root / "build" / "docs-pictures"
    lines = ["# Gallery", "", "Each of these is one page of Python in the browser: `make demo` opens the first, `pyml demo NAME` any.",
             "Nothing you show them leaves the tab. [The demos, and how to add one](demos.md) says more.", "",
             '<div class="shots" markdown>', ""]  # fmt: skip
    for name in demos(root / "demos"):
        page = (root / "demos" / name / "index.html").read_text(encoding="utf-8")
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
        title = html.unescape(re.sub(r"<[^>]+>", "", heading[1])).strip() if heading else name
        lines += ['<div class="shot" markdown>', "", f"**{title}**", ""]
        shown = [theme for theme in ("light", "dark") if (pictures / f"{name}-{theme}.png").is_file()]
        for theme in shown:
            (folder / "gallery").mkdir(exist_ok=True)
            shutil.copy(pictures / f"{name}-{theme}.png", folder / "gallery")
            only = f"#only-{theme}" if len(shown) == 2 else ""
            lines.append(f"![The page of {name}](gallery/{name}-{theme}.png{only})")
        needs = described(page, "needs")
        lines += ["", described(page, "description"), "", f"`pyml demo {name}`" + (f" — {needs}" if needs else ""), "", "</div>", ""]
    lines += ["</div>", ""]
    (folder / "gallery.md").write_text("\n".join(lines), encoding="utf-8")
