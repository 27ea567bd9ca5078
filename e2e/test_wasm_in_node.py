"""The tests of ops, programs, kernels and Keras goldens once more, by pytest inside real Pyodide, run by Node.

No browser, no page and no JavaScript of ours: the wasm device there is pyml's Python alone, on Pyodide's own memory.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pyml import paths

SCRIPT = """
import { readFileSync } from "node:fs";
const { runtime, folders, code } = JSON.parse(readFileSync(0, "utf8"));
const { loadPyodide } = await import(runtime);
const py = await loadPyodide({ stdout: (line) => console.log(line), stderr: (line) => console.log(line) });
await py.loadPackage(["numpy"], { messageCallback() {} });
for (const [inside, outside] of Object.entries(folders)) py.mountNodeFS(inside, outside);
const status = await py.runPythonAsync(code).catch((error) => { console.log(error.message); return 1; });
process.exit(status);
"""
RUN = """
import os, sys
sys.path.insert(0, "/repository")
sys.path.append("/packages")  # pytest; numpy is Pyodide's own, which comes first
sys.dont_write_bytecode = True
os.chdir("/repository")
os.environ.update(%(environment)r, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
import types
for name in ("_pyrepl", "_pyrepl.utils"):  # pdb, which pytest imports, asks for what the site leaves out
    sys.modules[name] = types.ModuleType(name)
sys.modules["_pyrepl"].utils = sys.modules["_pyrepl.utils"]
import pyml, pytest
print(pyml.config.describe())
int(pytest.main(%(arguments)r + ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-k", "wasm", "--override-ini", "addopts="]))
"""


def run(*arguments, flags=(), **environment):
    """What pytest inside Pyodide printed, and its exit status."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    root, runtime = paths.checkout(), paths.site_dir() / "pyodide" / "pyodide.mjs"
    folders = {"/packages": str(Path(pytest.__file__).parent.parent)}
    for name in ("pyml", "kernels_wgsl", "web", "tests", "benchmarks"):
        folders[f"/repository/{name}"] = str(root / name)
    code = RUN % {"environment": environment, "arguments": list(arguments)}
    task = json.dumps({"runtime": Path(runtime).as_uri(), "folders": folders, "code": code})
    command = [node, *flags, "--input-type=module", "--eval", SCRIPT]
    done = subprocess.run(command, input=task.encode(), capture_output=True)
    return done.stdout.decode() + done.stderr.decode()[-1000:], done.returncode


def passed(printed):
    """How many tests passed, none having failed."""
    last = printed.strip().splitlines()[-1]
    assert "failed" not in last and "error" not in last, printed[-6000:]
    return int(re.search(r"(\d+) passed", last)[1])


@pytest.mark.parametrize(("name", "least"), [("test_programs.py", 30), ("test_goldens.py", 30), ("test_kernels.py", 20)])
def test_programs_goldens_and_kernels_pass_in_pyodide(site, name, least):
    printed, status = run(f"tests/{name}")
    assert status == 0, printed[-6000:]
    assert "backend   wasm (" in printed
    assert passed(printed) > least


def test_ops_pass_in_pyodide_with_and_without_relaxed_simd(site):
    flag = ["--experimental-wasm-relaxed-simd"] if b"relaxed-simd" in subprocess.run(
        [shutil.which("node") or "node", "--v8-options"], capture_output=True
    ).stdout else []  # fmt: skip
    printed, status = run("tests/test_op_table.py", flags=flag)
    assert status == 0 and "fused multiply-add" in printed and passed(printed), printed[-6000:]
    printed, status = run("tests/test_op_table.py", flags=flag, PYML_WASM_RELAXED="0")
    assert status == 0 and "separate multiply and add" in printed and passed(printed), printed[-6000:]


IMPORTS = """
import { readFileSync } from "node:fs";
const { runtime, code } = JSON.parse(readFileSync(0, "utf8"));
const { loadPyodide } = await import(runtime);
const py = await loadPyodide({ stdout() {}, stderr() {} });
await py.loadPackage(["numpy", "pyml"], { messageCallback() {} });
console.log(py.runPython(code));
process.exit(0);
"""
EVERY = """
import importlib, json, pkgutil, sys, warnings
import numpy, pyml
warnings.simplefilter("ignore")
imported, missing = [], []
for package in (pyml, numpy):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=lambda name: None):
        if found.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(found.name)
            imported.append(found.name)
        except ModuleNotFoundError as error:
            missing.append([found.name, error.name, error.name.partition(".")[0] in sys.stdlib_module_names])
json.dumps([imported, missing])
"""


def test_every_module_of_pyml_and_numpy_is_imported_with_the_standard_library_that_pages_get(site):
    task = {"runtime": (paths.site_dir() / "pyodide" / "pyodide.mjs").as_uri(), "code": EVERY}
    command = [shutil.which("node") or pytest.skip("Node is not installed"), "--input-type=module", "--eval", IMPORTS]
    done = subprocess.run(command, input=json.dumps(task).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    imported, missing = json.loads(done.stdout)
    assert {"pyml.applications.resnet", "pyml.saving.keras.hdf5", "pyml.vis.charts", "numpy.polynomial", "numpy.ma.core"} <= {*imported}
    assert len([name for name in imported if name.startswith("pyml.")]) > 600
    assert [(who, what) for who, what, own in missing if own or who.startswith("pyml")] == []
