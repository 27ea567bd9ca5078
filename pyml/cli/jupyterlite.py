"""`pyml build --jupyterlite FOLDER`: a JupyterLite site with Pyodide, numpy and pyml in it, which asks for no file from anywhere else."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from pyml import atomic
from pyml.assets import wheels
from pyml.cli import distribution
from pyml.cli.build import BuildError, Say, check_target, ready_assets
from pyml.cli.first_notebook import ipynb

KERNEL = ("ipython", "ipython-pygments-lexers", "jedi", "comm")  # what the Python kernel of JupyterLite installs when it starts
FIRST = "pyml.ipynb"


def build(target: Path, page: Path | None = None, say: Say = print) -> Path:
    """Builds the site.

    Args:
        target: The folder to write: new, empty, or built by pyml before.
        page: A folder of notebooks and other files that the site opens with, instead of the first notebook.
        say: Receives a line of text per step.

    Raises:
        BuildError: A package is missing, `target` holds other files, `page` is not a folder, or JupyterLite's own build failed.
        AssetError: Something had to be fetched and could not be.
    """
    distribution.need(("jupyterlite_core", "jupyterlite_pyodide_kernel", "jupyter_server"), "jupyterlite", "pyml build --jupyterlite")
    if page is not None and not Path(page).is_dir():
        raise BuildError(f"--page {page}: is not a folder; give the folder of your notebooks.")
    target = Path(target).resolve()
    before = check_target(target)
    assets = ready_assets(say)
    with tempfile.TemporaryDirectory() as name:
        lite = Path(name)
        distribution.place(lite / "static" / "pyodide", ["micropip"], assets, say)
        piplite = lite / "wheels"
        distribution.pyml_wheel(piplite, assets)
        for path in wheels.fetch(distribution.pure(KERNEL, assets), say=say).values():
            shutil.copyfile(path, piplite / path.name)
        if page is None:
            (lite / "files").mkdir()
            atomic.write(lite / "files" / FIRST, ipynb().encode())
        else:
            shutil.copytree(page, lite / "files", ignore=shutil.ignore_patterns(".*", "__pycache__"))
        opened = next((path.name for path in sorted((lite / "files").glob("*.ipynb"))), None)
        atomic.write(lite / "jupyter-lite.json", json.dumps(settings(opened)).encode())
        say("jupyter lite build")
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(lite), "--output-dir", str(lite / "out")]
        command += ["--contents", str(lite / "files"), "--piplite-wheels", str(piplite), "--no-sourcemaps"]
        distribution.run(command, "jupyter lite build", lite)
        return distribution.put(lite / "out", target, before, say)


def settings(opened: str | None) -> dict:
    """What JupyterLite is told: the site's name and the notebook that it opens with."""
    data: dict = {"appName": "pyml", "disabledExtensions": []}
    if opened:
        data["defaultUrl"] = "lab"
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}
