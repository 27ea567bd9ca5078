"""The memory of a Python that has numpy and pyml imported, for pages to start from.

A page that starts Python from nothing initializes the interpreter, unpacks two wheels and imports 600 modules. All of that
comes to the same memory every time, so it is done here once, by the same Pyodide in Node, and kept beside the runtime:

    pyodide/ready.json          what there is, with the bytes of every file; no memory among it where Python starts from nothing
    pyodide/memory-HASH.gz      the memory (pages unpack it while it arrives)
    pyodide/modules-HASH.gz     the Python files of modules that are not in it yet, and numpy's smaller libraries
    pyodide/library-HASH.wasm   numpy's large libraries; all of them lie where they lay when the memory was taken

A build takes a memory anew when anything that goes in changed, so it never meets another runtime, numpy or pyml than its own;
files are named by their content, so browsers keep them without asking (Python's own WebAssembly, which has one name everywhere, is asked
for with a hash behind it). web/ready.js is the other half. What must not be the same
at every visit is made again in web/runtime.js: the states of random numbers; and in web/seeds.js, before Python goes on: the seed of
hashes. Where that lies in a memory web/seedwords.js finds here, and pyml/cli/rehashed.py proves that a Python with another seed
misses nothing; a memory for which that fails keeps the seed that it was taken with.
"""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyml import paths
from pyml.assets.download import digest, replacing, scratch
from pyml.cli import stdlib
from pyml.cli.bytecode import CACHE_TAG, SECONDS

NAME = "ready.json"
FORMAT = 6
LARGE = 1_500_000  # bytes from which on a library is a file of its own: browsers keep machine code of such, and each file costs a request
KEPT = 4  # memories in the cache of builds, 14 MB each
FETCHED = ("pyodide.asm.wasm",)  # besides the memory and what belongs to it
# Modules and names that a page with a model touches; what else there is, a page imports when it is first used.
IMPORTS = """
import random, json, os, sys, warnings, asyncio, difflib, encodings.cp437, traceback, zipfile, tempfile, shutil, inspect, ctypes, wave
import numpy, numpy.fft, numpy.linalg, numpy.random, numpy.ma
import pyodide.code, pyodide.ffi, pyodide.http, pyodide.webloop
import pyml
from pyml import (activations, browser, callbacks, config, constraints, core, data, datasets, dtypes, errors, image, initializers,
                  io, layers, losses, metrics, models, ops, optimizers, random, recent, regularizers, saving, scripts, tracebacks,
                  trainers, tree, utils)
import pyml.kept_page, pyml.browser.page, pyml.browser.pixels, pyml.data.dataset, pyml.hub, pyml.layers.later, pyml.ops.later
import pyml.compile.program, pyml.compile.emit, pyml.compile.schedule, pyml.compile.lower
import pyml.device.browser, pyml.device.wasm, pyml.device.cpu
import pyml.wasm.compile, pyml.wasm.engine, pyml.wasm.link, pyml.wasm.threads, pyml.wasm.library, pyml.wasm.open
for name in dir(pyml):
    if name not in ("applications", "array_api", "visualization", "wrappers", "preprocessing", "mixed_precision"):
        getattr(pyml, name)
layers.Dense, layers.Conv2D, optimizers.Adam, losses.MeanSquaredError, metrics.Mean, callbacks.EarlyStopping
"""
RUN = """
import sys
sys.path[:] = [folder for folder in sys.path if folder]
scope = {}
exec(imports, scope)
scope.clear()
import gc, importlib.util, json
importlib.invalidate_caches()
importlib.util.find_spec("no_such_module")  # the directory of Python's own modules is read now, not by every page
gc.collect()
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
answer = json.dumps([file for file in files if file])
del files, scope, imports
answer
"""


PROOF = Path(__file__).with_name("rehashed.py").read_text() + "\nrepr(missed() or '')[1:-1][:1000]\n"
SCRIPT = Path(__file__).with_name("ready.mjs")


def place(runtime: Path, folder: Path, wheels: Iterable[Path], fresh: bool = True) -> set[str]:
    """Writes the memory and what belongs to it into `folder`, unless it is there; returns the names of all files.

    Args:
        runtime: The folder of Pyodide's own files.
        folder: The site's `pyodide` folder, with Python's own modules in it.
        wheels: The served wheels of numpy and pyml, with compiled modules.
        fresh: False makes nothing new: pages of a memory that is not there start from nothing.
    """
    wheels = sorted(wheels)
    scripts = [paths.web_dir() / name for name in ("ready.js", "seeds.js", "seedwords.js")]
    used = (SCRIPT, *scripts, runtime / "pyodide.asm.wasm", folder / stdlib.NAME)
    parts = [str(FORMAT), RUN, PROOF, IMPORTS, *map(digest, used), *(wheel.name for wheel in wheels)]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
    kept = paths.build_dir() / "cache" / "ready" / key
    if fresh and not (kept / NAME).is_file():
        with scratch(kept.parent.parent) as made:
            make(runtime, made, wheels, folder / stdlib.NAME)
            if (made / NAME).is_file():
                keep(made, kept)
        forget_others(kept)
    plan = json.loads((kept / NAME).read_text()) if (kept / NAME).is_file() else {}
    for name in names(plan):
        if not (folder / name).is_file():
            with replacing(folder / name) as part:
                shutil.copyfile(kept / name, part)
    fetched = [*(runtime / name for name in FETCHED), folder / stdlib.NAME, folder / "pyodide-lock.json"]
    return write_plan(folder, plan, fetched, [wheel.name for wheel in wheels])


def keep(made: Path, kept: Path) -> None:
    """Puts a folder that was made into its place, whole. Two differ in bytes: where another process was first, its own stays."""
    made.chmod(0o755)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # it is there
        made.rename(kept)


def forget_others(kept: Path) -> None:
    """Leaves the newest few memories in the cache."""
    others = sorted(kept.parent.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def names(plan: dict[str, Any]) -> list[str]:
    """The files that a plan speaks of."""
    return [plan["memory"], plan["modules"], *(file for _, file in plan["libraries"] if file)] if "memory" in plan else []


def write_plan(folder: Path, plan: dict[str, Any], fetched: list[Path], wheels: list[str]) -> set[str]:
    """Writes `ready.json` with the bytes of every file of a start; the value is its name and those of the files it speaks of."""
    fetched = [*fetched, *(folder / name for name in names(plan) or wheels)]
    sizes = {path.name: path.stat().st_size for path in fetched}
    plan = {"format": FORMAT, "engine": digest(fetched[0])[:10], **plan, "sizes": sizes}
    text = json.dumps(plan, indent=1) + "\n"
    target = folder / NAME
    if not (target.is_file() and target.read_text() == text):
        with replacing(target) as part:
            part.write_text(text)
    return {NAME, *(names(plan) if "memory" in plan else [])}


def make(runtime: Path, folder: Path, wheels: list[Path], library: Path) -> None:
    """Takes the memory in Node and writes its files, the plan last; nothing where Node is missing or cannot."""
    node = shutil.which("node")
    if node is None:
        return
    libraries, files = read_wheels(wheels)
    with tempfile.TemporaryDirectory() as work:
        Path(work, "libraries").write_bytes(pack(libraries))
        Path(work, "files").write_bytes(pack(files))
        code = f"imports = {IMPORTS!r}\n{RUN}"
        task = {"runtime": runtime.resolve().as_uri() + "/", "web": paths.web_dir().resolve().as_uri() + "/", "work": work, "code": code}
        task.update(library=str(library.resolve()), proof=PROOF)
        try:
            done = subprocess.run([node, SCRIPT], input=json.dumps(task).encode(), capture_output=True, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return
        if done.returncode:
            return
        memory = Path(work, "memory").read_bytes()
        imported = json.loads(Path(work, "answer.json").read_text())
    inside = {file.partition("/site-packages/")[2] for file in imported}
    large = {path: data for path, data in libraries.items() if len(data) >= LARGE}
    small = {path: data for path, data in libraries.items() if path not in large}
    others = pack({**{path: data for path, data in files.items() if path not in inside}, **small})
    data = {name: gzip.compress(content, 9, mtime=0) for name, content in (("memory", memory), ("modules", others))}
    plan: dict[str, Any] = {
        "format": FORMAT,
        "bytes": int.from_bytes(memory[:4], "little"),
        "head": int.from_bytes(memory[20:24], "little"),
        **{name: f"{name}-{hashlib.sha256(content).hexdigest()[:10]}.gz" for name, content in data.items()},
        "libraries": [[path, library_name(large[path]) if path in large else None] for path in libraries],
    }
    for name, content in data.items():
        write(folder / plan[name], content)
    for path, file in plan["libraries"]:
        if file:
            write(folder / file, large[path])
    write(folder / NAME, json.dumps(plan).encode())


def library_name(content: bytes) -> str:
    """The file of a large library."""
    return f"library-{hashlib.sha256(content).hexdigest()[:10]}.wasm"


def write(target: Path, data: bytes) -> None:
    """Writes a file whose name tells its content."""
    with replacing(target) as part:
        part.write_bytes(data)


def read_wheels(wheels: list[Path]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The compiled libraries of wheels, and their other files: of modules that have a compiled form only that."""
    libraries, files = {}, {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            inside = set(archive.namelist())
            for path in sorted(inside):
                if path.endswith("/") or re.search(r"/(tests|f2py|distutils)/|lapack_lite", path):
                    continue
                if path.endswith(".so"):
                    libraries[path] = archive.read(path)
                elif "/__pycache__/" in path:
                    files[re.sub(r"/__pycache__/(\w+)\.[\w-]+\.pyc$", r"/\1.pyc", path)] = archive.read(path)
                elif not (path.endswith(".py") and compiled_form(path, inside)):
                    files[path] = archive.read(path)
            if "numpy/f2py/__init__.py" in inside:     # `from numpy import *`, as scipy does, wants the name: there is no compiler
                files["numpy/f2py/__init__.py"] = b""
    return libraries, files


def compiled_form(path: str, inside: set[str]) -> bool:
    """Whether a wheel holds the compiled form of a module."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/__pycache__/{name[:-3]}.{CACHE_TAG}.pyc" in inside


def pack(files: dict[str, bytes]) -> bytes:
    """Files as one: the length of the table in four bytes, the table of names and sizes as JSON, the contents."""
    table = json.dumps([[path, len(data)] for path, data in files.items()]).encode()
    return len(table).to_bytes(4, "little") + table + b"".join(files.values())

