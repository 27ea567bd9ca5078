"""Runs a page's Programs while a site is built, so that its first visitor compiles nothing.

A folder of the site may hold a `programs.py` beside its `index.html`: Python that does once what the page will do (builds its
model, trains one step, predicts one picture). It runs in a browser on the built site, with the folder's Python files beside it,
on the wasm device for each number of threads that visitors have; plans and kernels do not depend on the machine.
Everything that was compiled goes into `web/programs/`, and `web/programs.json` says which page has which file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pyml import kept
from pyml.assets.download import replacing
from pyml.cli import browser as browsers
from pyml.cli.serve import running

FILE = "programs.py"
LIST, FOLDER = "web/programs.json", "web/programs"
THREADS = (1, 2, 4, 8)  # what `wasm` takes on most machines
BLANK = "/web/programs.json"  # any file of the site that is no page

_RUN = """async ([page, files, code, threads]) => {
  const { loadPyml } = await import("/web/pyml.js");
  const pyml = await loadPyml({ status: () => {}, page, files, backend: "wasm", threads: String(threads), shipped: null });
  await pyml.runPython(code, "programs.py");
  const packed = await pyml.runPython("import base64\\nfrom pyml import kept\\nbase64.b64encode(kept.store().pack()).decode()");
  const version = await pyml.runPython("kept.version()");
  pyml.close();
  return [version, packed];
}"""


class ProgramsError(Exception):
    """A page's Programs could not be run; the message says which and why."""


def page_folders(site: Path) -> list[Path]:
    """The folders of a built site that say what to compile."""
    return sorted(path.parent for path in site.rglob(FILE) if (path.parent / "index.html").is_file())


def compile_pages(site: Path, say: Callable[[str], None] = print, threads: Sequence[int] = THREADS, browser: Any = None) -> list[str]:
    """Runs every page's `programs.py` and writes what was compiled into the site.

    Args:
        site: A folder that `build_site` wrote.
        say: Receives one line of text for each page.
        threads: Numbers of threads to compile for.
        browser: A Chromium that runs already; without it one is started.

    Returns:
        The names of the files that were written, relative to the site.

    Raises:
        ProgramsError: A page's `programs.py` raised an error, or there is no browser.
    """
    folders = page_folders(site)
    listed: dict[str, str] = {}
    written: list[str] = []
    try:
        with running(site) as url, nullcontext(browser) if browser else browsers.chromium() as chromium:
            for folder in folders:
                inside = folder.relative_to(site).as_posix()
                page = "/" if inside == "." else f"/{inside}/"
                try:
                    data = _compiled(chromium, url, page, folder, threads)
                except Exception as error:  # of Python in the page, or of the page
                    raise ProgramsError(f"{inside}/{FILE}: {str(error).strip().splitlines()[-1]}") from error
                name = f"{FOLDER}/{inside.replace('/', '-').replace('.', 'index')}.bin"
                (site / name).parent.mkdir(parents=True, exist_ok=True)
                with replacing(site / name) as part:
                    part.write_bytes(data)
                listed[page], written = name.removeprefix("web/"), [*written, name]
                say(f"{page}: what its first visitor would compile, {len(data) / 1e3:.0f} kB")
    except browsers.NoBrowser as error:
        raise ProgramsError(f"--programs: {error}") from error
    with replacing(site / LIST) as part:
        part.write_text(json.dumps(listed) + "\n")
    return written


def _compiled(browser: Any, url: str, page: str, folder: Path, threads: Sequence[int]) -> bytes:
    files = [{"path": path.name, "url": f"{url}{page}{path.name}"} for path in sorted(folder.glob("*.py"))]
    code = (folder / FILE).read_text(encoding="utf-8")
    whole, version = kept.MemoryStore(), ""
    for count in threads:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(url + BLANK)
        version, packed = tab.evaluate(_RUN, [page, files, code, count])
        whole.unpack(base64.b64decode(packed), version)
        context.close()
    return whole.pack(version)
