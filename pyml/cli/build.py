"""Builds the static folder that a page is served from.

index.html          the gallery, or the user's page
web/                pyml.js, replay.js and what the pages share
demos/NAME/         one folder a demo
pyodide/            the runtime, numpy, the pyml wheel and the lock file that names both
vendor/             the chart library
data/               the digits and the cars; those that a page of your own names
models/NAME/        the networks that were fetched; those that a page of your own names
pictures/, docs/    screenshots for the gallery and the documentation, where `tools.docs` has made them
sw.js               supplies the isolation headers where the host cannot
"""

import contextlib
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pyml import paths
from pyml.assets import AssetError, are_ready, fetch_all
from pyml.assets.download import replacing
from pyml.assets.runtime import fetch_wheels
from pyml.cli import bytecode, compress, numbers, ready, stdlib, wheel
from pyml.cli import programs as page_programs
from pyml.cli.chapters import pages
from pyml.cli.failing import BuildError
from pyml.cli.gallery import gallery
from pyml.hub.registry import ENTRIES

MANIFEST = ".pyml-site.json"
OLD_WHEEL_SECONDS = 600
LARGEST_TEXT = 4_000_000  # bytes of a file that is searched for names
SKIPPED = {"__pycache__", ".DS_Store"}
_one_build = threading.Lock()
Say = Callable[[str], None]


def build_site(
    target: Path,
    page: Path | None = None,
    say: Say = print,
    assets: Path | None = None,
    quick: bool = False,
    programs: bool = True,
    packages: Sequence[str] = (),
) -> Path:
    """Builds a site, or brings one up to date; only files that changed are written.

    Args:
        target: The folder to write. It must be new, empty, or built by pyml before.
        page: A folder with an `index.html`, put at the root instead of the gallery and demos. Of networks and data sets the site
            then holds those that the page's files name.
        say: Receives one line of text per step.
        assets: Fetched files; by default they are looked up, and fetched when missing.
        quick: Leaves modules that changed uncompiled, and Programs unmade; saves the seconds that both take.
        programs: Runs each page's `programs.py` and ships what that compiles (`pyml.cli.programs`).
        packages: Further packages of Pyodide that the page loads, such as `pandas`, by their names in its lock file; what they need comes
            with them.

    Raises:
        BuildError: `target` holds other files, or `page` is not a folder with an index.html.
        ProgramsError: A page's `programs.py` raised an error.
        AssetError: Something had to be fetched and could not be.
    """
    with _one_build:
        target = Path(target).resolve()
        before = check_target(target)
        if page is not None and not (Path(page) / "index.html").is_file():
            raise BuildError(f"--page {page}: holds no index.html; give the folder of your page.")
        assets = assets or ready_assets(say)
        named = page_text(Path(page)) if page is not None else None
        placed: dict[str, Path] = dict(asset_files(assets, named))
        placed.update(page_files(Path(page)) if page is not None else gallery_files(assets))
        placed.update(tree("web/", paths.web_dir(), leave_out=("index.html", "sw.js", paths.MINIFIED)))
        worker = paths.web_dir() / "sw.js"
        if worker.is_file():
            placed["sw.js"] = worker
        own = placed if page is None else placed.keys() - {inside for inside, _ in page_files(Path(page))}
        texts = numbers.numbered(placed, lambda inside: inside in own and inside.startswith(numbers.FOLDERS))
        write_manifest(target, before | set(placed))  # first: a build that ended early has left nothing that the next one does not know
        written = sum(place(source, target / inside) for inside, source in placed.items() if inside not in texts)
        written += sum(place_text(text, target / inside) for inside, text in texts.items())
        further = further_wheels(assets / "pyodide", packages, say) if packages else {}
        names = {*placed, *place_wheels(assets / "pyodide", target / "pyodide", quick, say, further)}
        write_manifest(target, before | names)  # if a page's programs.py fails, the next build knows what lies here
        names |= page_programs.place(target, names if programs else (), say, new=not quick)
        copies = compress.compress(target, names, new=not quick)
        for stale in before - names - copies:
            if in_use(target / stale):
                names.add(stale)  # a later build removes it
            else:
                (target / stale).unlink(missing_ok=True)
        write_manifest(target, names | copies)
        size = sum((target / name).stat().st_size for name in names)
        say(f"{target}: {len(names)} files, {size / 1e6:.1f} MB, {written} of them new or changed")
        return target


def check_target(target: Path) -> set[str]:
    """The files an earlier build left in `target`."""
    manifest = target / MANIFEST
    if manifest.is_file():
        return set(json.loads(manifest.read_text()))
    if target.exists() and not target.is_dir():
        raise BuildError(f"{target}: is a file; give a new or empty folder.")
    if target.exists() and any(target.iterdir()):
        raise BuildError(f"{target}: holds files that pyml did not write; choose a new or empty folder.")
    return set()


def write_manifest(target: Path, names: set[str]) -> None:
    """Notes the files that builds have put into `target`."""
    with replacing(target / MANIFEST) as part:
        part.write_text(json.dumps(sorted(names), indent=0) + "\n")


def in_use(path: Path) -> bool:
    """Whether a page that read the former lock file or plan may still ask for this file."""
    return path.suffix in (".whl", ".gz", ".wasm") and path.is_file() and time.time() - path.stat().st_mtime < OLD_WHEEL_SECONDS


def ready_assets(say: Say) -> Path:
    """The folder of fetched assets; fetches them first when they are not there."""
    folder = paths.assets_dir()
    if are_ready(folder):
        return folder
    say("fetching the runtime, once")
    return fetch_all(say=say)


def asset_files(assets: Path, named: str | None) -> Iterator[tuple[str, Path]]:
    """Fetched files that go into a site as they are.

    Args:
        assets: Where they are.
        named: The text of a page, which gets the data and networks that it names; None takes all, for the demos.
    """
    own = {path.name for path in (assets / "pyodide").glob("*.whl")}
    yield from tree("pyodide/", assets / "pyodide", leave_out=("pyodide-lock.json", stdlib.NAME, *own))
    yield from tree("vendor/", assets / "vendor")
    for inside, source in tree("data/", assets / "data", leave_out=("mnist.json", "mails.json")):
        if named is None or is_named(source.stem, named):
            yield inside, source
    for entry in ENTRIES:  # those networks that were fetched
        if entry.served and (named is None or is_named(entry.name, named)):
            yield from tree(f"models/{entry.name}/", assets / "models" / entry.name)


def is_named(name: str, text: str) -> bool:
    """Whether a text names a network or a data set: by its name, in code as in `<meta name="networks">`; `photo` means `photos`."""
    return re.search(rf"(?<![a-z0-9]){re.escape(name.removesuffix('s'))}", text) is not None


def page_text(page: Path) -> str:
    """All that a page's files say, code and data alike; pictures and other binaries say nothing."""
    found = []
    for _, source in tree("", page):
        with contextlib.suppress(UnicodeDecodeError):
            if source.stat().st_size <= LARGEST_TEXT:
                found.append(source.read_bytes().decode())
    return "\n".join(found)


def gallery_files(assets: Path) -> Iterator[tuple[str, Path]]:
    """The gallery page and the demos of a checkout; the page says which networks are not among the assets."""
    root = paths.checkout()
    if root is None:
        raise BuildError("the gallery and demos are in pyml's source checkout only; name a page with --page.")
    made, pictures, docs = paths.build_dir() / "cache", paths.build_dir() / "docs-pictures", paths.build_dir() / "docs"
    template = (root / "web" / "index.html").read_text(encoding="utf-8")
    networks = {entry.name for entry in ENTRIES if (assets / "models" / entry.name).is_dir()}
    data = {path.name for path in (assets / "data").glob("*")}
    page = gallery(template, root / "demos", pictures, (docs / "index.html").is_file(), networks, data)
    yield "index.html", written(made / "gallery.html", in_one(page))
    yield from tree("pictures/", pictures)
    if (docs / "index.html").is_file():
        yield from tree("docs/", docs)
    for name, text in pages(root / "demos").items():
        yield f"demos/{name}/index.html", written(made / "chapters" / f"{name}.html", in_one(text))
    for inside, source in tree("demos/", root / "demos", leave_out=("chapters/page.html",)):
        if source.name == "index.html":
            source = written(made / "pages" / f"{source.parent.name}.html", in_one(source.read_text(encoding="utf-8")))
        yield inside, source


def in_one(page: str) -> str:
    """A page with its style and the script of its head inside, so that a browser paints it without another file."""
    for name, pattern, tag in (("demo.css", r'<link rel="stylesheet" href="(?:\.\./)*web/demo\.css">', "style"),
                               ("guard.js", r'<script src="(?:\.\./)*web/guard\.js"></script>', "script")):  # fmt: skip
        text = (paths.web_dir() / name).read_text(encoding="utf-8").strip()
        whole = f"<{tag}>\n{text}\n</{tag}>"
        page = re.sub(pattern, whole.replace("\\", "\\\\"), page)
    return page


def written(path: Path, text: str) -> Path:
    """A file with this text, written only where it has another."""
    if not (path.is_file() and path.read_text(encoding="utf-8") == text):
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    return path


def page_files(page: Path) -> Iterator[tuple[str, Path]]:
    """The user's own files, at the root of the site.

    Raises:
        BuildError: A file would take the place of one of pyml's.
    """
    for inside, source in tree("", page):
        if inside.startswith(("web/", "pyodide/", "vendor/")) or inside == "sw.js":
            raise BuildError(f"{source}: pyml needs the name {inside} itself; rename your file or folder.")
        yield inside, source


def tree(prefix: str, folder: Path, leave_out: tuple[str, ...] = ()) -> Iterator[tuple[str, Path]]:
    """Pairs of (name in the site, file) for every file below a folder; hidden ones are left out."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in SKIPPED for part in parts)
        if path.is_file() and not hidden and path.relative_to(folder).as_posix() not in leave_out:
            yield prefix + "/".join(parts), path


def place(source: Path, target: Path) -> bool:
    """Copies a file unless the copy is already the same; says whether it had to."""
    new = source.stat()
    if target.is_file():
        old = target.stat()
        if (old.st_size, old.st_mtime_ns) == (new.st_size, new.st_mtime_ns):
            return False
    with replacing(target) as part:
        shutil.copyfile(source, part)
        shutil.copystat(source, part)
    return True


def place_text(text: str, target: Path) -> bool:
    """Writes a file unless it has this text already; says whether it had to."""
    if target.is_file() and target.read_bytes() == text.encode():
        return False
    with replacing(target) as part:
        part.write_bytes(text.encode())
    return True


def further_wheels(runtime: Path, packages: Sequence[str], say: Say) -> dict[str, Path]:
    """The wheels of packages, and of what those need, that are no part of every site, by the packages' names.

    Raises:
        AssetError: Pyodide has no such package, or it could not be fetched.
    """
    cache = paths.build_dir() / "cache"
    kept = cache / "pyodide-packages"
    kept.mkdir(parents=True, exist_ok=True)
    own = {path.name for path in runtime.glob("*.whl")}
    for name in own:
        place(runtime / name, kept / name)
    lock = runtime / "pyodide-lock.json"
    owners = {entry["file_name"]: name for name, entry in json.loads(lock.read_text())["packages"].items()}
    return {owners[path.name]: path for path in fetch_wheels(lock, kept, cache, packages, say) if path.name not in own}


def place_wheels(runtime: Path, folder: Path, quick: bool, say: Say, further: dict[str, Path]) -> set[str]:
    """Writes the wheels and the lock file that names them; returns their names in the site. `further` ones are loaded where a page asks."""
    cache = paths.build_dir() / "cache" / "bytecode"
    lock = json.loads((runtime / "pyodide-lock.json").read_text())
    owners = {entry["file_name"]: name for name, entry in lock["packages"].items()}
    served = {
        owners[path.name]: wheel.repack(path, folder, runtime, cache) for path in sorted(runtime.glob("*.whl")) if path.name in owners
    }
    sources = wheel.read_sources()
    files = bytecode.with_bytecode(sources, runtime, cache, compile_new=not quick)
    if not quick and len(files) == len(sources):
        say("pyml is served uncompiled and imports slower: compiling needs Node 20 or newer")
    build = "0x" + wheel.tag(files, wheel.version())
    existing = list(folder.glob(f"pyml-*-{build}-*.whl"))
    path = existing[0] if existing else wheel.write_wheel(folder, files, build=build)
    for source in further.values():
        place(source, folder / source.name)
    wheel.write_lock(folder / "pyodide-lock.json", wheel.patched_lock(lock, {**served, **further}, path))
    library = stdlib.place(runtime, folder, cache)
    started = ready.place(runtime, folder, [path, *served.values()], fresh=not quick)
    wheels = [path.name, *(one.name for one in (*served.values(), *further.values()))]
    return {f"pyodide/{name}" for name in ("pyodide-lock.json", library.name, *wheels, *started)}


__all__ = ["AssetError", "BuildError", "build_site"]
