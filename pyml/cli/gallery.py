"""The gallery page: a card for every demo, made of what the demos' own pages say about themselves.

A demo is a folder of `demos/` with an `index.html`; its `<h1>` and `<meta name="description">` become the text of the
card, `<meta name="needs">` the line below, and `picture.svg` beside it the picture, put into the page so that it
follows the page's colours.
"""

import html
import re
from pathlib import Path

# From what runs everywhere to what needs a camera or a microphone; others follow by name.
ORDER = ("mnist", "regression", "classify", "teachable", "controller", "pose", "speech", "spectrogram")
MARK = "<!-- demos -->"
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
        template: The page with a `<!-- demos -->` where the cards go.
        folder: The folder of the demos.

    Raises:
        ValueError: The template has no such place.
    """
    if template.count(MARK) != 1:
        raise ValueError(f"the gallery's page must hold {MARK} once, where the demos go.")
    return template.replace(MARK, "\n".join(card(folder / name) for name in demos(folder)))


def card(demo: Path) -> str:
    """One item of the gallery's list."""
    page = (demo / "index.html").read_text(encoding="utf-8")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    title = html.unescape(re.sub(r"<[^>]+>", "", heading[1])).strip() if heading else demo.name
    picture = demo / "picture.svg"
    drawing = picture.read_text(encoding="utf-8").strip() if picture.is_file() else NO_PICTURE
    needs = described(page, "needs")
    return "\n".join(
        [
            '    <li class="card demo">',
            f'      <div class="picture" aria-hidden="true">{drawing}</div>',
            f'      <h2><a href="demos/{demo.name}/index.html">{html.escape(title)}</a></h2>',
            f"      <p>{html.escape(described(page, 'description'))}</p>",
            *([f'      <p class="quiet">{html.escape(needs)}</p>'] if needs else []),
            "    </li>",
        ]
    )


def described(page: str, name: str) -> str:
    """The content of a page's `<meta>` of that name, or nothing."""
    found = re.search(rf'<meta name="{name}"\s+content="([^"]*)"', page)
    return " ".join(html.unescape(found[1]).split()) if found else ""
