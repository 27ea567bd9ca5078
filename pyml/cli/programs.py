"""Runs a page's Programs while a site is built, so that its first visitor compiles nothing.

A folder of the site may hold a `programs.py` beside its `index.html`: Python that does once what the page will do (builds its
model, trains one step, predicts one picture), by itself or in a function `main`, which may be a coroutine. It runs in a browser
on the built site, with the folder's Python files beside it, on the wasm device, for each number of threads that visitors have,
with relaxed SIMD and without, as Safari is; of the machine that builds nothing else shows in plans and kernels. Everything that
was compiled goes into `web/programs/`, and `web/programs.json` says which page has which file.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from pyml import kept
from pyml.assets.download import replacing
from pyml.cli import browser as browsers
from pyml.cli.serve import running

FILE = "programs.py"
LIST, FOLDER = "web/programs.json", "web/programs"
THREADS = (1, 2, 4, 6, 8)  # what `wasm` takes on most machines
RELAXED = (None, "off")
BLANK = "/web/programs.json"  # any file of the site that is not a page
_MAIN = """

import inspect
if inspect.isfunction(globals().get("main")) and inspect.isawaitable(awaited := main()):
    await awaited
"""

_RUN = """async ([page, files, code, threads, relaxed]) => {
  const { loadPyml } = await import("/web/pyml.js");
  const pyml = await loadPyml({ status: () => {}, page, files, backend: "wasm", threads: String(threads), relaxed, shipped: null });
  try {
    await pyml.runPython(code, "programs.py");
  } catch (error) {
    return [null, error.message];
  }
  const packed = await pyml.runPython("import base64\\nfrom pyml import kept\\nbase64.b64encode(kept.store().pack()).decode()");
  const version = await pyml.runPython("kept.version()");
  pyml.close();
  return [version, packed];
}"""


class ProgramsError(Exception):
    """A page's Programs could not be run; the message says which and why."""


def pages_of(names: Iterable[str]) -> list[str]:
    """The folders, among the files of a site, that say what to compile; "." is the root."""
    files = set(names)
    folders = [PurePosixPath(name).parent for name in files if PurePosixPath(name).name == FILE]
    return sorted(str(folder) for folder in folders if str(folder / "index.html") in files)


def compile_pages(
    site: Path,
    names: Iterable[str],
    say: Callable[[str], None] = print,
    threads: Sequence[int] = THREADS,
    relaxed: Sequence[str | None] = RELAXED,
    browser: Any = None,
) -> list[str]:
    """Runs every page's `programs.py` and writes what was compiled into the site.

    Args:
        site: A folder that `build_site` wrote.
        names: The files of the site.
        say: Receives one line of text for each page.
        threads: Numbers of threads to compile for.
        relaxed: With relaxed SIMD (None), without ("off"), or for both.
        browser: A Chromium that runs already; without it one is started.

    Returns:
        The names of the files that were written, relative to the site.

    Raises:
        ProgramsError: A page's `programs.py` raised an error, or there is no browser.
    """
    names = list(names)
    folders = pages_of(names)
    if not folders:
        say(f"--programs: no page has a {FILE} beside its index.html, so nothing is compiled for visitors")
        return []
    listed: dict[str, str] = {}
    try:
        with running(site) as url, nullcontext(browser) if browser else browsers.chromium() as chromium:
            for folder in folders:
                inside = "" if folder == "." else f"{folder}/"
                own = [name for name in names if name.endswith(".py") and str(PurePosixPath(name).parent) == folder]
                files = [{"path": PurePosixPath(name).name, "url": f"{url}/{quote(name)}"} for name in own]
                code = (site / folder / FILE).read_text(encoding="utf-8") + _MAIN
                visits = ([f"/{inside}", files, code, count, how] for count in threads for how in relaxed)
                data = _compiled(chromium, url, visits, f"{inside}{FILE}")
                name = listed[f"/{inside}"] = f"{FOLDER}/{inside}programs.bin"
                (site / name).parent.mkdir(parents=True, exist_ok=True)
                with replacing(site / name) as part:
                    part.write_bytes(data)
                say(f"/{inside}: {len(data) / 1e3:.0f} kB of programs, which its first visitor need not compile")
    except browsers.NoBrowser as error:
        raise ProgramsError(f"--programs: {error}") from error
    with replacing(site / LIST) as part:
        part.write_text(json.dumps({page: quote(name.removeprefix("web/")) for page, name in listed.items()}) + "\n")
    return list(listed.values())


def _compiled(browser: Any, url: str, visits: Iterator[list[Any]], file: str) -> bytes:
    """What all visits compiled, each by a browser that has nothing kept. `file` is for errors to name."""
    whole, version = kept.MemoryStore(), ""
    for visit in visits:
        with closing(browser.new_context()) as context:
            tab = context.new_page()
            tab.goto(url + BLANK)
            try:
                version, packed = tab.evaluate(_RUN, visit)
            except Exception as error:  # of Python's start; the first line says it, the others are JavaScript's
                raise ProgramsError(f"{file}: {(str(error).strip() or type(error).__name__).splitlines()[0]}") from error
            if version is None:
                places = re.findall(r'File "[^"]*?([\w.]+\.py)", line (\d+)', packed)
                line = next((f", line {number}" for name, number in reversed(places) if name == FILE), "")
                raise ProgramsError(f"{file}{line}: {packed.strip().splitlines()[-1]}")
            whole.unpack(base64.b64decode(packed), version)
    return whole.pack(version)
