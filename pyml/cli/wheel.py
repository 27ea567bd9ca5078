"""The wheel that a page loads, and the Pyodide lock file that names it.

The wheel holds what hatchling's holds, less the `pyml` command and what downloads, which have no use in a browser. It is written
here so that `pyml serve` can renew it between two page loads, and so that an installed pyml can build sites.
"""

import base64
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pyml import kept, paths
from pyml.assets.download import digest, replacing
from pyml.cli import bytecode

LEFT_OUT = ("assets/", "cli/", "hub/fetch/", "__main__.py", "_data/")  # _data is added back from where its files really are
COMPILER = tuple(f"pyml/{part}/" for part in (*kept.COMPILER, "_data/kernels_wgsl"))
DEVELOPMENT = (".pyi", ".h", ".c", ".pxd", ".pyx", ".build", ".md")
TAG = "py3-none-any"  # what a wheel is compatible with
EPOCH = (1980, 1, 1, 0, 0, 0)  # same files, same bytes


def version() -> str:
    """The version of pyml, from the installed distribution."""
    return metadata.version("pyml")


def wheel_sources() -> Iterator[tuple[str, Path]]:
    """Pairs of (path in the wheel, file), sorted by path."""
    found = {}
    for path in paths.PACKAGE.rglob("*.py"):
        inside = path.relative_to(paths.PACKAGE).as_posix()
        if not inside.startswith(LEFT_OUT):
            found[f"pyml/{inside}"] = path
    for path in paths.kernels_dir().glob("*.wgsl"):
        found[f"pyml/_data/kernels_wgsl/{path.name}"] = path
    for name in ("guard.js", "kept.js", "media.js", "pixels.js", "replay.js", "stores.js", "threads.js"):
        if (paths.web_dir() / name).is_file():
            found[f"pyml/_data/web/{name}"] = paths.web_dir() / name
    for path in (paths.web_dir() / "exported").rglob("*.*"):
        found[f"pyml/_data/web/{path.relative_to(paths.web_dir()).as_posix()}"] = path
    if minified := next((path for path in paths.minified() if path.is_file()), None):
        found[f"pyml/_data/web/{paths.MINIFIED}"] = minified
    return iter(sorted(found.items()))


def read_sources() -> dict[str, bytes]:
    """The wheel's files by their path inside it, metadata left out."""
    files = {inside: path.read_bytes() for inside, path in wheel_sources()}
    compiler = {inside: data for inside, data in files.items() if inside.startswith(COMPILER)}
    return {**files, kept.COMPILER_FILE: tag(compiler).encode()}


def record_line(path: str, data: bytes) -> str:
    """One line of a wheel's RECORD file."""
    code = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={code},{len(data)}"


def tag(files: dict[str, bytes], extra: str = "") -> str:
    """Short name of a set of files: changes whenever one of them does."""
    total = hashlib.sha256(extra.encode())
    for inside, data in sorted(files.items()):
        total.update(f"{inside}\0{len(data)}\0".encode() + data)
    return total.hexdigest()[:10]


def write_wheel(folder: Path, files: dict[str, bytes], build: str = "") -> Path:
    """Writes a pyml wheel with the given files into `folder`.

    Args:
        folder: Where it goes.
        files: Contents by path, such as `pyml/__init__.py`.
        build: The wheel's build number; carries the content's name, so that no cache ever serves an old wheel under
            the new lock file.
    """
    info = f"pyml-{version()}.dist-info"
    wheel = f"Wheel-Version: 1.0\nGenerator: pyml\nRoot-Is-Purelib: true\nTag: {TAG}\n"
    if build:
        wheel += f"Build: {build}\n"
    everything = {
        **files,
        f"{info}/METADATA": (metadata.distribution("pyml").read_text("METADATA") or "").encode(),
        f"{info}/WHEEL": wheel.encode(),
    }
    lines = [record_line(path, data) for path, data in everything.items()]
    everything[f"{info}/RECORD"] = ("\n".join([*lines, f"{info}/RECORD,,"]) + "\n").encode()
    target = folder / "-".join(part for part in ("pyml", version(), build, TAG) if part)
    target = target.with_name(target.name + ".whl")
    write_zip(target, everything)
    return target


def write_zip(target: Path, files: dict[str, bytes]) -> None:
    """Writes a zip file; the same files give the same bytes."""
    with replacing(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def lock_entry(wheel: Path) -> dict:
    """What a Pyodide lock file says about the pyml wheel."""
    return {
        "name": "pyml",
        "version": version(),
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": digest(wheel),
        "package_type": "package",
        "imports": ["pyml"],
        "depends": ["numpy"],
        "unvendored_tests": False,
    }


def patched_lock(lock: dict, served: dict[str, Path], pyml: Path) -> dict:
    """The lock file of a site: the packages that it serves, and pyml.

    A package that is not served is left out, so that asking for it says so at once instead of ending in a
    missing file.

    Args:
        lock: Pyodide's own lock file.
        served: The wheel of each served package by the package's name.
        pyml: The pyml wheel.
    """
    packages = {name: {**lock["packages"][name], "file_name": path.name, "sha256": digest(path)} for name, path in served.items()}
    return {**lock, "packages": dict(sorted({**packages, "pyml": lock_entry(pyml)}.items()))}


def repack(source: Path, folder: Path, runtime: Path, cache: Path) -> Path:
    """A Pyodide wheel with compiled modules and without what only compilers and editors read.

    numpy imports in about half the time and unpacks faster; without Node the wheel is copied as it is.
    """
    name, version_, *tags = source.name.split("-")
    recipe = hashlib.sha256(f"{digest(source)} {bytecode.CACHE_TAG} {DEVELOPMENT}".encode()).hexdigest()[:10]
    target = folder / "-".join([name, version_, f"0x{recipe}", *tags])
    if target.is_file():
        return target
    with zipfile.ZipFile(source) as archive:
        wanted = [entry for entry in archive.namelist() if not entry.endswith(DEVELOPMENT)]
        files = {entry: archive.read(entry) for entry in wanted}
    modules = {path: data for path, data in files.items() if path.endswith(".py") and "/f2py/" not in path}
    compiled = bytecode.with_bytecode(modules, runtime, cache)
    if len(compiled) == len(modules):
        target = folder / source.name
        with replacing(target) as part:
            shutil.copyfile(source, part)
        return target
    write_zip(target, {**files, **compiled})
    return target


def write_lock(target: Path, lock: dict) -> None:
    """Writes a lock file unless it is already there."""
    text = json.dumps(lock, indent=1) + "\n"
    if not (target.is_file() and target.read_text() == text):
        with replacing(target) as part:
            part.write_text(text)
