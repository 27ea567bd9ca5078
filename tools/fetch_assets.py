"""Fetches the Pyodide runtime, numpy for it, the chart library and the digits into `build/assets`.

    .venv/bin/python tools/fetch_assets.py [--package NAME ...]
    .venv/bin/python tools/fetch_assets.py --tests     only what tests need: TensorFlow.js, which they compare with, axe-core, and wheels

`make setup` runs this; running it again downloads nothing that is already there, and goes on with what broke off.
"""

import argparse
import sys
from pathlib import Path

from pyml import paths
from pyml.assets import AssetError, axe, fetch_all, tensorflow_js, wheels


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, help="folder for the files (default: build/assets)")
    parser.add_argument("--cache", type=Path, help="folder for kept downloads (default: build/cache)")
    parser.add_argument("--package", action="append", default=[], help="a further Pyodide package")
    parser.add_argument("--tests", action="store_true", help="fetch what tests need, and nothing else")
    options = parser.parse_args(arguments)
    try:
        if options.tests:
            cache = options.cache or paths.build_dir() / "cache"
            tensorflow_js.fetch(options.into or tensorflow_js.folder(), cache)
            axe.fetch(cache)
            wheels.fetch(wheels.WHEELS, cache=cache)
            return 0
        folder = fetch_all(options.into, options.cache, options.package)
    except AssetError as error:
        print(f"fetch_assets: {error}", file=sys.stderr)
        return 1
    print(f"assets are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
