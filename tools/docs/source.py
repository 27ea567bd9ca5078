"""Gathers the site's pages in one folder, with links that hold there, and writes the configuration with its navigation."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from . import gallery, reference

# Guides of docs/ in the order in which a newcomer needs them; those that stand in none come under "More".
GUIDES = {
    "Start": ["index", "first_model", "troubleshooting", "readme"],
    "Guides": ["functional_api", "training_loops", "gradients", "transfer_learning", "data", "preprocessing", "vis", "hub", "scikit_learn",
               "array_api", "quantization", "devices", "notebooks"],
    "From elsewhere": ["from_keras", "from_tensorflow_js", "tensorflow_js_names", "models"],
    "Saving and sharing": ["saving", "export", "own_page", "demos"],
    "Inside": ["contributing", "own_op", "engine", "numerics", "benchmarks", "changelog"],
}  # fmt: skip
# Shorter names in the navigation than the pages' headings.
TITLES = {
    "index": "pyml", "readme": "README", "export": "Export: models with no Python", "hub": "Trained networks", "changelog": "Changelog",
    "data": "Data", "vis": "Charts", "saving": "Saving", "models": "Models from elsewhere", "demos": "Demos of your own",
    "quantization": "Smaller models", "training_loops": "Training loops", "transfer_learning": "Transfer learning",
}  # fmt: skip
# Files outside docs/ that are pages too.
OTHERS = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "benchmarks/README.md": "benchmarks.md",
          "README.md": "readme.md"}
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)")


def gather(root: Path, folder: Path) -> None:
    """Writes the pages into `folder`, and `mkdocs.yml` beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for page in sorted((root / "docs").glob("*.md")):
        (folder / page.name).write_text(moved(page.read_text(encoding="utf-8"), f"docs/{page.name}", root), encoding="utf-8")
    for name, target in OTHERS.items():
        (folder / target).write_text(moved((root / name).read_text(encoding="utf-8"), name, root), encoding="utf-8")
    for picture in (root / "docs").glob("*.png"):
        shutil.copy(picture, folder / picture.name)
    shutil.copy(root / "tools" / "docs" / "extra.css", folder / "extra.css")
    gallery.write(root, folder)
    titles = reference.write(folder)
    table = folder / "tensorflow_js_names.md"
    table.write_text(linked(table.read_text(encoding="utf-8"), reference.places()), encoding="utf-8")
    (folder.parent / "mkdocs.yml").write_text(configuration(folder, titles), encoding="utf-8")


def moved(text: str, name: str, root: Path) -> str:
    """A page whose links to other files hold in the site. A file that the site does not have is named without a link."""
    pages = {**{f"docs/{page.name}": page.name for page in (root / "docs").iterdir()}, **OTHERS}

    def link(match: re.Match[str]) -> str:
        picture, words, target = match.groups()
        path, hash, anchor = target.partition("#")
        if ":" in target or not path:
            return match[0]
        file = (root / name).parent.joinpath(path).resolve()
        if not file.is_relative_to(root) or not file.exists():
            return match[0]  # dead: the build says so
        at = file.relative_to(root).as_posix()
        return f"{picture}[{words}]({pages[at]}{hash}{anchor})" if at in pages else words

    return LINK.sub(link, text)


def linked(text: str, places: dict[str, str]) -> str:
    """A text whose names of pyml lead to the reference."""
    return re.sub(r"`(pyml[.\w]+)`", lambda m: f"[{m[0]}]({places[m[1]]})" if m[1] in places else m[0], text)


def configuration(folder: Path, titles: dict[str, str]) -> str:
    """The base of mkdocs' configuration with the navigation."""
    there = {page.stem for page in folder.glob("*.md")}
    named = {name for names in GUIDES.values() for name in names}
    groups = dict(GUIDES, More=sorted(there - named - {"gallery"}))
    nav: list[Any] = []
    for group, names in groups.items():
        pages = [{TITLES[name]: f"{name}.md"} if name in TITLES else f"{name}.md" for name in names if name in there]
        if pages:
            nav.append({group: pages})
        if group == "Start":
            nav.append({"Gallery": "gallery.md"})
    nav.append({"Reference": ["api/index.md", *nested(titles)]})
    return "\n".join(["INHERIT: ../tools/docs/mkdocs.yml", "docs_dir: docs-source", "site_dir: docs", f"nav: {json.dumps(nav)}", ""])


def nested(titles: dict[str, str]) -> list[Any]:
    """The reference's pages; those of a folder are a group."""
    groups = {"layers": "Layers", "ops": "Ops"}
    nav: list[Any] = []
    for path, title in titles.items():
        group = groups.get(path.split("/")[1])
        if group is None:
            nav.append({title: path})
            continue
        last = nav[-1]
        if group not in last:
            nav.append(last := {group: []})
        last[group].append({title: path})
    return nav
