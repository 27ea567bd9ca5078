"""The gallery page: a card for every demo, made of what the demos' own pages say about themselves.

A demo is a folder of `demos/` with an `index.html`; its `<h1>` and `<meta name="description">` become the text of the
card, `<meta name="needs">` the line below, and `picture.svg` beside it the picture, put into the page so that it
follows the page's colours. A chapter is a file of `demos/chapters` (`pyml.cli.chapters`), with a picture of its name.
"""

import html
import re
from pathlib import Path

from pyml.cli.chapters import chapters

# From what runs everywhere to what needs a camera or a microphone; others follow by name.
ORDER = ("mnist", "regression", "classify", "teachable", "controller", "pose", "speech", "spectrogram")
MARK = "<!-- demos -->"
CHAPTERS = "<!-- chapters -->"
NO_PICTURE = (
    '<svg viewBox="0 0 320 160"><path d="M40 120 C110 20 190 140 280 40" fill="none" stroke="var(--accent)" stroke-width="6"/></svg>'
)


def demos(folder: Path) -> list[str]:
    """Names of the demos in a folder, as they are shown."""
    found = [page.parent.name for page in folder.glob("*/index.html")]
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def gallery(template: str, folder: Path) -> str:
    """The gallery page.

    Args:
        template: The page with a `<!-- demos -->` where the cards go, and a `<!-- chapters -->` where those of chapters do.
        folder: The folder of the demos.

    Raises:
        ValueError: The template has no such place.
    """
    if template.count(MARK) != 1:
        raise ValueError(f"the gallery's page must hold {MARK} once, where the demos go.")
    lessons = [drawn(one.name, one.title, one.description, "", one.picture) for one in chapters(folder)]
    template = template.replace(CHAPTERS, "\n".join(lessons))
    return template.replace(MARK, "\n".join(card(folder / name) for name in demos(folder)))


def card(demo: Path) -> str:
    """One item of the gallery's list."""
    page = (demo / "index.html").read_text(encoding="utf-8")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    title = html.unescape(re.sub(r"<[^>]+>", "", heading[1])).strip() if heading else demo.name
    return drawn(demo.name, title, described(page, "description"), described(page, "needs"), demo / "picture.svg")


def drawn(name: str, title: str, description: str, needs: str, picture: Path) -> str:
    """The text of a card."""
    drawing = picture.read_text(encoding="utf-8").strip() if picture.is_file() else NO_PICTURE
    return "\n".join(
        [
            '    <li class="card demo">',
            f'      <div class="picture" aria-hidden="true">{drawing}</div>',
            f'      <h2><a href="demos/{name}/index.html">{html.escape(title)}</a></h2>',
            f"      <p>{html.escape(description)}</p>",
            *([f'      <p class="quiet">{html.escape(needs)}</p>'] if needs else []),
            "    </li>",
        ]
    )


def described(page: str, name: str) -> str:
    """The content of a page's `<meta>` of that name, or nothing."""
    found = re.search(rf'<meta name="{name}"\s+content="([^"]*)"', page)
    return " ".join(html.unescape(found[1]).split()) if found else ""
