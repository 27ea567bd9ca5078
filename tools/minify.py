"""Writes `build/exported.min.js`, the loader of exported models with esbuild's help; the wheel takes it along.

Without it, exported folders get the loader as it is written: twice the bytes, the same behaviour.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ESBUILD = "esbuild@0.25.12"


def main() -> int:
    """Minifies; returns the exit status."""
    from pyml.export.bundle import bundled, first_line
    from pyml.paths import MINIFIED

    npm = shutil.which("npm")
    if npm is None:
        print("minify: npm is not installed; exported models get the loader as it is written.", file=sys.stderr)
        return 0
    folder = ROOT / "build" / "esbuild"
    program = folder / "node_modules" / ".bin" / "esbuild"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--silent", "--no-audit", "--no-fund"]
        subprocess.run([npm, "install", *quiet, "--prefix", str(folder), ESBUILD], check=True)
    source = bundled()
    flags = ["--minify", "--format=esm", "--target=es2022", "--loader=js"]
    done = subprocess.run([str(program), *flags], input=source.encode(), capture_output=True, check=True)
    (ROOT / "build" / MINIFIED).write_bytes(f"{first_line(source)}\n".encode() + done.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
