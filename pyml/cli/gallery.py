"""The gallery page: a card for every demo, made of what the demos' own pages say about themselves.

A demo is a folder of `demos/` with an `index.html`; its `<h1>` and `<meta name="description">` become the text of the
card, `<meta name="needs">` the line below, and `picture.svg` beside it the picture, put into the page so that it
follows the page's colours; screenshots, where `python -m tools.docs --pictures` has taken some, come in its place. A chapter is a file of
`demos/chapters` (`pyml.cli.chapters`), with a picture of its name.
"""

import html
import re
from collections.abc import Collection
from pathlib import Path

from pyml.cli.chapters import Chapter, chapters

# From what runs everywhere to what needs a camera or a microphone; others follow by name.
ORDER = ("mnist", "regression", "classify", "teachable", "controller", "pose", "speech", "spectrogram")
MARK = "<!-- demos -->"
CHAPTERS = "<!-- chapters -->"
SOURCES = "<!-- sources -->"
DOCS = "<!-- docs -->"
THEMES = ("light", "dark")
OPTIONAL = re.compile(r'<meta name="networks"[^>]* data-optional')  # the page does without its network, if less well
NO_PICTURE = (
    '<svg viewBox="0 0 320 160"><path d="M40 120 C110 20 190 140 280 40" fill="none" stroke="var(--accent)" stroke-width="6"/></svg>'
)


def demos(folder: Path) -> list[str]:
    """Names of the demos in a folder, as they are shown."""
    found = [page.parent.name for page in folder.glob("*/index.html")]
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def gallery(template: str, folder: Path, pictures: Path | None = None, docs: bool = False, networks: Collection[str] | None = None,
            data: Collection[str] | None = None) -> str:  # fmt: skip
    """The gallery page.

    Args:
        template: The page with a `<!-- demos -->` where the cards go, a `<!-- chapters -->` where those of chapters do, a
            `<!-- sources -->` for links to the pages' Python and a `<!-- docs -->` for one to the documentation.
        folder: The folder of the demos.
        pictures: Where screenshots are, `NAME-light.png` and `NAME-dark.png`.
        docs: Whether the site has the documentation.
        networks: Those that the site has; pages that do nothing without another one are grey. None: all.
        data: The names of the files of data/ that the site has, for the chapters in the same way.

    Raises:
        ValueError: The template has no such place.
    """
    if template.count(MARK) != 1:
        raise ValueError(f"the gallery's page must hold {MARK} once, where the demos go.")
    names, lessons = demos(folder), chapters(folder)
    cards = [lesson(one, pictures, networks, data) for one in lessons]
    template = template.replace(CHAPTERS, "\n".join(cards))
    files = [f"demos/{name}/{main_file(folder / name)}" for name in names if main_file(folder / name)]
    files += [f"demos/chapters/{one.name}.py" for one in lessons]
    links = [f'    <li><a href="{file}">{file.removeprefix("demos/")}</a></li>' for file in files]
    template = template.replace(SOURCES, "\n".join(links))
    with_docs = '<a href="docs/index.html">Documentation</a>: guides, and every name.'
    without = '<span class="absent">Documentation: not part of this copy of the site; <code>make docs</code> builds it.</span>'
    template = template.replace(DOCS, with_docs if docs else without)
    return template.replace(MARK, "\n".join(card(folder / name, pictures, networks) for name in names))


def main_file(demo: Path) -> str:
    """The Python of a demo that a reader wants to see first: what also runs in a terminal."""
    return next((name for name in (f"{demo.name}.py", "model.py") if (demo / name).is_file()), "")


def shots(pictures: Path | None, name: str) -> bool:
    """Whether there are screenshots of a page in both themes."""
    return pictures is not None and all((pictures / f"{name}-{theme}.png").is_file() for theme in THEMES)


def card(demo: Path, pictures: Path | None = None, networks: Collection[str] | None = None) -> str:
    """One item of the gallery's list."""
    page = (demo / "index.html").read_text(encoding="utf-8")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    title = html.unescape(re.sub(r"<[^>]+>", "", heading[1])).strip() if heading else demo.name
    wanted = [] if OPTIONAL.search(page) else described(page, "networks").split()[:1]  # the others give samples
    missing = next((name for name in wanted if networks is not None and name not in networks), "")
    texts = described(page, "description"), described(page, "needs")
    return drawn(demo.name, title, *texts, demo / "picture.svg", shots(pictures, demo.name), without(missing))


def lesson(chapter: Chapter, pictures: Path | None, networks: Collection[str] | None, data: Collection[str] | None) -> str:
    """The card of a chapter."""
    network = next((name for name in chapter.networks if networks is not None and name not in networks), "")
    file = next((name for name in chapter.data if data is not None and name not in data), "")
    lacking = f"Its data, {html.escape(file)}, could not be fetched when this copy of the site was made." if file else without(network)
    return drawn(chapter.name, chapter.title, chapter.description, "", chapter.picture, shots(pictures, chapter.name), lacking)


def without(network: str) -> str:
    """What the card of a page says whose network is not there."""
    how = f"the page offers to fetch it, or <code>pyml hub fetch {network}</code> does."
    return f"Its network is not on this copy of the site: {how}" if network else ""


def drawn(name: str, title: str, description: str, needs: str, picture: Path, photographed: bool = False, lacking: str = "") -> str:
    """The text of a card, grey where it says what the page lacks."""
    if photographed:
        shown = (
            f'<picture><source srcset="pictures/{name}-dark.png" media="(prefers-color-scheme: dark)">'
            f'<img src="pictures/{name}-light.png" alt="" width="1000" height="700" loading="lazy"></picture>'
        )
    else:
        shown = picture.read_text(encoding="utf-8").strip() if picture.is_file() else NO_PICTURE
    return "\n".join(
        [
            f'    <li class="card demo{" absent" if lacking else ""}">',
            f'      <div class="picture" aria-hidden="true">{shown}</div>',
            f'      <h2><a href="demos/{name}/index.html">{html.escape(title)}</a></h2>',
            f"      <p>{html.escape(description)}</p>",
            *([f'      <p class="quiet">{html.escape(needs)}</p>'] if needs else []),
            *([f'      <p class="quiet">{lacking}</p>'] if lacking else []),
            "    </li>",
        ]
    )


def described(page: str, name: str) -> str:
    """The content of a page's `<meta>` of that name, or nothing."""
    found = re.search(rf'<meta name="{name}"\s+content="([^"]*)"', page)
    return " ".join(html.unescape(found[1]).split()) if found else ""
