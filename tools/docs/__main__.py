"""Builds the documentation site: `python -m tools.docs [--pictures [NAME ...]] [--only pages]`.

Gathers docs/, README's neighbours and the reference in `build/docs-source`, then has mkdocs build them, strictly, into
`build/docs`. Needs the packages of the extra `docs`; `make docs` installs them.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from . import pictures, source

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=["pages"], help="write the pages, build nothing")
    about = "first take screenshots of the demos that have changed, for the gallery and build/looks; needs make setup"
    parser.add_argument("--pictures", nargs="*", metavar="NAME", choices=pictures.names_of(ROOT), help=about)
    options = parser.parse_args(arguments)
    if options.pictures is not None:
        late = pictures.take(ROOT, options.pictures)
        print(f"docs: not done in time, shown as far as they came: {', '.join(late)}" if late else "docs: the demos are pictured")
    source.gather(ROOT, ROOT / "build" / "docs-source")
    if options.only:
        return 0
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--clean", "-f", str(ROOT / "build" / "mkdocs.yml")]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # news of the theme's maker
    status = subprocess.run(command, cwd=ROOT, env=quiet).returncode
    if status == 0:
        print("docs: build/docs/index.html; with its search: python3 -m http.server -d build/docs")
    return status


if __name__ == "__main__":
    sys.exit(main())
