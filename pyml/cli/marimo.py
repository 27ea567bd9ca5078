"""`pyml build --marimo FOLDER`: a marimo notebook with Pyodide, numpy and pyml in its folder; no file comes from elsewhere."""

import html
import json
import os
import shutil
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

from pyml import atomic, paths
from pyml.assets import marimo
from pyml.assets.checks import digest
from pyml.cli import distribution, wheel
from pyml.cli.build import BuildError, Say, check_target, ready_assets
from pyml.cli.first_notebook import marimo_notebook

LOCK = "pyodide-lock.json"
PLACE = '<marimo-wasm hidden=""'  # where marimo's page is told the places of Pyodide, its lock file and an index of packages
TOLD = {"data-pyodide-index-url": "./pyodide/", "data-pyodide-lockfile-url": f"./pyodide/{LOCK}"}


def build(target: Path, page: Path | None = None, say: Say = print) -> Path:
    """Builds the site.

    Args:
        target: The folder to write: new, empty, or built by pyml before.
        page: A notebook of marimo (a `.py` file), instead of the first notebook.
        say: Receives a line of text per step.

    Raises:
        BuildError: A package is missing or of another version, `target` holds other files, `page` is not a file, or marimo's own export
            failed.
        AssetError: Something had to be fetched and could not be.
    """
    distribution.need(("marimo", "uv"), "marimo", "pyml build --marimo")
    if version("marimo") != marimo.VERSION:
        raise BuildError(f"pyml build --marimo is made for marimo {marimo.VERSION}, and {version('marimo')} is installed; run "
                         f"`{distribution.install_command('marimo')}`.")  # fmt: skip
    if page is not None and not Path(page).is_file():
        raise BuildError(f"--page {page}: is not a file; give the .py file of your marimo notebook.")
    target = Path(target).resolve()
    before = check_target(target)
    assets = ready_assets(say)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        notebook = work / "notebook.py"
        atomic.write(notebook, marimo_notebook().encode() if page is None else Path(page).read_bytes())
        say("marimo export html-wasm")
        export(notebook, work / "site")
        place(work / "site" / "pyodide", assets, say)
        return distribution.put(work / "site", target, before, say)


def export(notebook: Path, folder: Path) -> None:
    """marimo's own export, told to look for Python in the folder."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}  # it asks for uv there
    command = [sys.executable, "-m", "marimo", "-y", "export", "html-wasm", notebook.name, "-o", str(folder), "--mode", "edit"]
    distribution.run(command, "marimo export html-wasm", notebook.parent, env=environment)
    page = folder / "index.html"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if text.count(PLACE) != 1:
        raise BuildError("marimo export html-wasm wrote a page that cannot be told where its Python is.")
    told = "".join(f' {name}="{html.escape(value)}"' for name, value in TOLD.items())
    atomic.write(page, text.replace(PLACE, PLACE + told).encode())


def place(folder: Path, assets: Path, say: Say) -> None:
    """Writes Pyodide as marimo's page loads it, with numpy, pyml and marimo, and the lock file that lists them."""
    source = assets / "pyodide"
    folder.mkdir(parents=True)
    marimo.fetch_runtime(folder)
    core, ours = (json.loads((path / LOCK).read_text()) for path in (folder, source))
    if core["info"]["abi_version"] != ours["info"]["abi_version"]:
        raise BuildError("marimo's Pyodide and that of pyml have different binary interfaces; numpy cannot be shared.")
    owners = {entry["file_name"]: name for name, entry in ours["packages"].items()}
    served = {owners[path.name]: wheel.repack(path, folder, source, paths.build_dir() / "cache" / "bytecode")
              for path in sorted(source.glob("*.whl")) if path.name in owners}  # fmt: skip
    listed = wheel.patched_lock(ours, served, distribution.pyml_wheel(folder, assets))["packages"]
    for name, path in marimo.fetch_wheels(say).items():
        placed = folder / path.name
        if name == "pyyaml":
            with zipfile.ZipFile(path) as archive:
                kept = [member for member in archive.namelist() if not member.endswith((".so", "/"))]
                wheel.write_zip(placed, {member: archive.read(member) for member in kept})
        else:
            shutil.copyfile(path, placed)
        listed[name] = entry(name, placed)
    wheel.write_lock(folder / LOCK, {**core, "packages": dict(sorted(listed.items()))})


def entry(name: str, path: Path) -> dict:
    """What a Pyodide lock file says about one of marimo's wheels."""
    depends = marimo.DEPENDS if name == "marimo-base" else ("parso",) if name == "jedi" else ()
    return {
        "name": name, "version": path.name.split("-")[1], "file_name": path.name, "install_dir": "site", "sha256": digest(path),
        "package_type": "package", "imports": marimo.IMPORTS.get(name, [name.replace("-", "_")]), "depends": list(depends),
        "unvendored_tests": False,
    }  # fmt: skip
