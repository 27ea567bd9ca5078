"""Programs that come with a page, so that its first visitor compiles nothing.

A folder of the site may hold a `programs.py` beside its `index.html`: Python that does once what the page will do (builds its
model, trains one step, predicts one picture), by itself or in a function `main`, which may be a coroutine. While a site is built,
it runs on this machine without computing anything (`pyml.cli.rehearse`), and what visitors' devices would have to compile goes into
`web/programs/`: one file for each kind of device, of which a visitor loads one. `web/programs.json` says which page has what:

    { page: { kind of device: the hash in the file's name } }

Whatever came of a page is kept in the cache of builds until the page's Python, what it imported of pyml, or the compiler changes. What was
compiled is kept beside it, so that a page whose layers changed, but not the compiler, compiles only what is new.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from pyml import kept, paths
from pyml.assets.download import replacing, scratch
from pyml.cli import ready, wheel
from pyml.cli.failing import BuildError

FILE = "programs.py"
LATE = "late.txt"  # where programs that do not end were when their time was over
NEEDS, KNOWN = "needs.json", "known.pack"  # beside what came of a page: what it depends on, and all that was compiled
LIST, FOLDER = "web/programs.json", "web/programs"
SECONDS = 600  # that a page's programs.py may take
KEPT = 60  # pages in the cache of builds, 1 MB each


class ProgramsError(BuildError):
    """A page's Programs could not be made; the message says which and why."""


def pages_of(names: Iterable[str]) -> list[str]:
    """The folders, among the files of a site, that say what to compile; "." is the root."""
    files = set(names)
    folders = [PurePosixPath(name).parent for name in files if PurePosixPath(name).name == FILE]
    return sorted(str(folder) for folder in folders if str(folder / "index.html") in files)


def place(site: Path, names: Iterable[str], say: Callable[[str], None] = print, new: bool = True) -> set[str]:
    """Writes what pages' programs.py compile into a site.

    Args:
        site: The folder, with everything else in it.
        names: The files of the site.
        say: Receives one line of text for each page that is new.
        new: False takes only what an earlier build has made.

    Returns:
        The names of the files that there are, relative to the site.

    Raises:
        ProgramsError: A page's `programs.py` raised an error.
    """
    names = sorted(names)
    sources = wheel.read_sources()
    version = kept.hash_of(sources[kept.COMPILER_FILE])
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sources.items()}
    cache = paths.build_dir() / "cache" / "programs"
    places = {folder: cache / key(site, folder, names) for folder in pages_of(names)}
    wanted = {folder: found for folder, place in places.items() if (found := made_before(place, hashes))}
    if new:
        absent = [folder for folder in places if folder not in wanted]
        with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
            jobs = pool.map(lambda folder: make(site, folder, version, places[folder], hashes), absent)
            for folder, made in zip(absent, jobs, strict=True):
                wanted[folder] = made
                if size := max([0, *(file.stat().st_size for file in made.glob("*.bin"))]):
                    say(f"{folder}: {size / 1e3:.0f} kB of programs at most, which its first visitor need not compile")
        forget_others(cache)
    listed: dict[str, dict[str, str]] = {}
    written = set()
    for folder, made in sorted(wanted.items()):
        inside = "" if folder == "." else f"{folder}/"
        for file in sorted(made.glob("*.bin")):
            content = hashlib.sha256(file.read_bytes()).hexdigest()[:10]
            name = f"{FOLDER}/{inside}{file.stem}-{content}.gz"
            if not (site / name).is_file():
                with replacing(site / name) as part:
                    shutil.copyfile(file, part)
            listed.setdefault(f"/{inside}", {})[file.stem] = content
            written.add(name)
    text = json.dumps(listed, separators=(",", ":")) + "\n"
    if not ((site / LIST).is_file() and (site / LIST).read_text(encoding="utf-8") == text):
        with replacing(site / LIST) as part:
            part.write_text(text, encoding="utf-8")
    return {LIST, *written}


def key(site: Path, folder: str, names: list[str]) -> str:
    """What a page's programs depend on beside pyml: the page's Python, and whether the site has the data and networks that it names."""
    own = {name: (site / name).read_bytes() for name in names if name.endswith(".py") and str(PurePosixPath(name).parent) == folder}
    text = b"\n".join([*own.values(), (site / folder / "index.html").read_bytes()]).decode(errors="replace")
    there = [name for name in names if name.startswith(("models/", "data/")) and name.split("/")[1].partition(".")[0] in text]
    runner = Path(__file__).with_name("rehearse.py").read_bytes()
    return wheel.tag({**own, "rehearse.py": runner}, "\0".join(there))


def made_before(place: Path, hashes: dict[str, str]) -> Path | None:
    """What came of a page with just these files of pyml, if it is there; files that its Python never imported may differ."""
    for needs in sorted(place.glob(f"*/{NEEDS}")):
        if all(hashes.get(name) == known for name, known in json.loads(needs.read_text()).items()):
            return needs.parent
    return None


def make(site: Path, folder: str, version: str, place: Path, hashes: dict[str, str]) -> Path:
    """Runs a page's programs.py and leaves what came of it in a folder in `place`, which it returns."""
    known = place.parent / "compiled" / f"{wheel.tag({}, folder)}.pack"
    with scratch(place.parent) as work:
        given = (site / folder, FILE, site / "models", version, work, known, SECONDS)
        command = [sys.executable, "-m", "pyml.cli.rehearse", *map(str, given)]
        before = os.environ.get("PYTHONPATH")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(paths.PACKAGE.parent), *([before] if before else [])])}
        file = FILE if folder == "." else f"{folder}/{FILE}"
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2 * SECONDS + 60)  # it ends itself
        except subprocess.TimeoutExpired:
            raise ProgramsError(f"{file}: it did not end; do once what the page does, and no more.") from None
        late = work / LATE
        if late.is_file() and (text := late.read_text()):
            found = re.search(rf'File "{re.escape(FILE)}", line (\d+)', text)
            line = f", line {found[1]}" if found else ""
            raise ProgramsError(f"{file}{line}: it has run for {SECONDS} seconds; do once what the page does, and no more. Nothing is "
                                "computed while a site is built, every result is 0: a loop that waits for another one never ends.")
        told = work / "error.json"
        if told.is_file():
            error = json.loads(told.read_text())
            line = f", line {error['line']}" if error["line"] else ""
            raise ProgramsError(f"{file}{line}: {error['error']}")
        if done.returncode:
            raise ProgramsError(f"{file}: {(done.stderr.strip() or f'exit {done.returncode}').splitlines()[-1]}")
        late.unlink(missing_ok=True)
        known.parent.mkdir(parents=True, exist_ok=True)
        (work / KNOWN).replace(known)
        used = {name: hashes[name] for name in json.loads((work / NEEDS).read_text()) if name in hashes}
        text = json.dumps({**used, kept.COMPILER_FILE: hashes[kept.COMPILER_FILE]})
        with replacing(work / NEEDS) as part:
            part.write_text(text, encoding="utf-8")
        made = place / hashlib.sha256(text.encode()).hexdigest()[:10]
        ready.keep(work, made)
    return made


def forget_others(cache: Path) -> None:
    """Leaves the newest pages in the cache, and nothing of former ways to keep them."""
    others = sorted((needs.parent for needs in cache.glob(f"*/*/{NEEDS}")), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    for place in cache.glob("[0-9a-f]" * 10):  # and no "fetch-…", where another build is at work
        if any(place.glob("*.bin")):
            shutil.rmtree(place, ignore_errors=True)
    packs = sorted(cache.glob("compiled/*.pack"), key=lambda path: path.stat().st_mtime, reverse=True)
    for pack in packs[KEPT:]:
        pack.unlink(missing_ok=True)
