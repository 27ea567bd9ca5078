"""A folder of Pyodide for other hosts than pyml's own pages: the runtime, numpy, pyml, and the pure-Python wheels that a host needs."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pyml import paths
from pyml.assets import pins, runtime, wheels
from pyml.cli import build as sites
from pyml.cli import bytecode, wheel


def need(modules: Iterable[str], extra: str, what: str) -> None:
    """Raises BuildError unless the modules can be imported; the message says how to install what the extra lists."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise sites.BuildError(
            f"{what} needs {' and '.join(name.replace('_', '-') for name in missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed; run `{install_command(extra)}` and build again."
        )


def install_command(extra: str) -> str:
    """The line for a shell that installs what an extra of pyml lists.

    It names the packages themselves: an extra would be looked up at PyPI, whose `pyml` is another project.
    """
    listed = [line.partition(";") for line in requires("pyml") or ()]
    packages = [package.strip() for package, _, marker in listed if re.search(rf"extra == ['\"]{extra}['\"]", marker)]
    return f"{Path(sys.executable).name} -m pip install {shlex.join(packages)}"


def pure(names: Iterable[str], assets: Path) -> list[str]:
    """The names with all that they depend on, by Pyodide's lock file; names that are not in it stand for themselves."""
    packages = json.loads((assets / "pyodide" / "pyodide-lock.json").read_text())["packages"]
    listed = list(names)
    found = runtime.with_dependencies(packages, [name for name in listed if name in packages])
    return [*found, *(name for name in listed if name not in packages)]


def pyml_wheel(folder: Path, assets: Path) -> Path:
    """Writes the wheel of pyml, with compiled modules, into `folder`."""
    files = bytecode.with_bytecode(wheel.read_sources(), assets / "pyodide", paths.build_dir() / "cache" / "bytecode")
    folder.mkdir(parents=True, exist_ok=True)
    return wheel.write_wheel(folder, files, build="0x" + wheel.tag(files, wheel.version()))


def place(folder: Path, names: Iterable[str], assets: Path, say: sites.Say) -> Path:
    """Writes Pyodide with numpy, pyml and the named packages into `folder`, and the lock file that lists them.

    Args:
        folder: Where it goes.
        names: Pure-Python packages of `pyml.assets.wheels`; what they depend on comes along.
        assets: Fetched files.
        say: Receives a line of text per step.

    Returns:
        The wheel of pyml in it.
    """
    source = assets / "pyodide"
    lock = json.loads((source / "pyodide-lock.json").read_text())
    fetched = wheels.fetch(pure(names, assets), say=say)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*pins.PYODIDE.files, *(path.name for path in fetched.values())):
        shutil.copyfile(source / name if name in pins.PYODIDE.files else fetched_path(fetched, name), folder / name)
    owners = {entry["file_name"]: name for name, entry in lock["packages"].items()}
    served = {
        owners[path.name]: wheel.repack(path, folder, source, paths.build_dir() / "cache" / "bytecode")
        for path in sorted(source.glob("*.whl")) if path.name in owners
    }  # fmt: skip
    known = {name: path for name, path in fetched.items() if name in lock["packages"]}
    own = pyml_wheel(folder, assets)
    wheel.write_lock(folder / "pyodide-lock.json", wheel.patched_lock(lock, {**served, **known}, own))
    return own


def fetched_path(fetched: dict[str, Path], name: str) -> Path:
    """The fetched file of this name."""
    return next(path for path in fetched.values() if path.name == name)


def run(command: list[str], what: str, folder: Path, **options: Any) -> None:
    """Runs another program's command in `folder`.

    Args:
        command: The program and its arguments.
        what: What the command is called in errors.
        folder: Where it runs.
        options: More arguments of `subprocess.run`.

    Raises:
        BuildError: It failed; the message ends with the last lines that it printed.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        last = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise sites.BuildError(f"{what} failed, exit {done.returncode}:\n  {last}")


def put(source: Path, target: Path, before: set[str], say: sites.Say) -> Path:
    """Copies a built folder to its place, removes what an earlier build left there, and lists its files for the next build.

    Args:
        source: The built folder.
        target: Where it goes.
        before: The files of the earlier build, relative to `target`.
        say: Receives a line of text.

    Returns:
        `target`.
    """
    names = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    sites.write_manifest(target, before | names)  # first: a build that ended early has left nothing that the next one does not know
    for name in sorted(names):
        sites.place(source / name, target / name)
    for stale in before - names:
        (target / stale).unlink(missing_ok=True)
    sites.write_manifest(target, names)
    size = sum((target / name).stat().st_size for name in names)
    say(f"{target}: {len(names)} files, {size / 1e6:.1f} MB")
    return target
