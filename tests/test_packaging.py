"""The wheel in the ecosystem's own tools: pip and pyodide-lock. micropip is in `e2e/`."""

import json
import subprocess
import sys
import zipfile

import pytest

from pyml import paths
from pyml.cli.wheel import read_sources, version, write_wheel

TRAIN = """
import importlib.metadata, sys
import numpy as np, pyml
assert pyml.__file__.startswith(sys.prefix), pyml.__file__
model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
model.compile("sgd", "mse")
x = np.random.default_rng(0).random((32, 2), dtype="float32")
losses = model.fit(x, x.sum(1), epochs=20, verbose=0).history["loss"]
assert losses[-1] < losses[0]
pyml.saving.save_model(model, "model.keras")
assert np.allclose(pyml.saving.load_model("model.keras").predict(x, verbose=0), model.predict(x, verbose=0))
print(importlib.metadata.version("pyml"), importlib.metadata.metadata("pyml")["Requires-Python"])
"""
NO_NETWORK = ("NewConnectionError", "NameResolutionError", "Temporary failure in name resolution", "Read timed out")


@pytest.mark.slow
def test_the_built_wheel_installs_with_pip_in_a_fresh_environment(tmp_path):
    wheels = list((paths.checkout() / "dist").glob("pyml-*-py3-none-any.whl"))
    if not wheels:
        pytest.skip("no wheel in dist/: run `make setup`")
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"

    def run(*command, check=True):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
        assert not check or done.returncode == 0, done.stderr
        return done

    installed = run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheels[0], check=False)
    if any(words in installed.stderr for words in NO_NETWORK):
        pytest.skip("what pyml needs could not be fetched")
    assert installed.returncode == 0, installed.stderr
    assert run(python, "-m", "pip", "check").stdout == "No broken requirements found.\n"
    assert run(python, "-c", TRAIN).stdout.split()[0] == version()
    command = tmp_path / "env" / "bin" / "pyml"
    assert "build" in run(command, "--help").stdout
    run(python, "-m", "pip", "uninstall", "--yes", "--quiet", "pyml")
    assert not list((tmp_path / "env").rglob("pyml*")), "what pip installed is gone with it"


@pytest.fixture(scope="module")
def lock():
    """Pyodide's own lock file, as pyodide-lock reads it."""
    tool = pytest.importorskip("pyodide_lock")
    path = paths.assets_dir() / "pyodide" / "pyodide-lock.json"
    if not path.is_file():
        pytest.skip("Pyodide is not here: run `make setup`")
    data = json.loads(path.read_text())
    if "version" in tool.spec.InfoSpec.model_fields:  # releases for Python 3.11 know the older header
        data["info"] = {**data["info"], "version": "314.0.3"}
    return tool.PyodideLockSpec(**data)


def test_pyodide_lock_adds_the_wheel_to_pyodides_own_lock(lock, tmp_path):
    from pyodide_lock.utils import add_wheels_to_spec

    path = write_wheel(tmp_path, read_sources())
    entry = add_wheels_to_spec(lock, [path]).packages["pyml"]
    # it needs numpy; what it needs on the desktop only, a page does not
    assert (entry.version, entry.file_name, entry.depends, entry.imports) == (version(), path.name, ["numpy"], ["pyml"])


def test_the_wheel_says_what_it_needs_and_where(tmp_path):
    with zipfile.ZipFile(write_wheel(tmp_path, read_sources())) as archive:
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
        tags = archive.read(next(name for name in archive.namelist() if name.endswith("/WHEEL"))).decode()
    assert "Requires-Dist: numpy" in metadata and "Root-Is-Purelib: true" in tags and "Tag: py3-none-any" in tags
