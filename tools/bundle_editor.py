"""Makes `build/assets/vendor/codemirror.js`, the code editor of the demos' pages, with esbuild's help.

CodeMirror and esbuild come through npm in the versions, and with the checksums, of `tools/editor/package-lock.json`. Without the file
pages have a plain field for text instead.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "tools" / "editor"
TARGET = ROOT / "build" / "assets" / "vendor" / "codemirror.js"


def main() -> int:
    """Bundles; returns the exit status."""
    npm = shutil.which("npm")
    if npm is None:
        print("bundle_editor: npm is not installed; the pages' code is edited in a plain field.", file=sys.stderr)
        return 0
    folder = ROOT / "build" / "editor"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "entry.js"):
        shutil.copyfile(SOURCES / name, folder / name)
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder)], check=True)
    made = folder / "codemirror.js"
    flags = ["--bundle", "--minify", "--format=esm", "--target=es2022", "--legal-comments=none"]
    banner = "--banner:js=/* CodeMirror 6, MIT licence: codemirror.LICENSE.txt */"
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    subprocess.run([str(esbuild), "entry.js", *flags, banner, f"--outfile={made}", "--log-level=warning"], cwd=folder, check=True)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "node_modules" / "@codemirror" / "view" / "LICENSE", TARGET.with_name("codemirror.LICENSE.txt"))
    made.replace(TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
