"""pyml without web/pyml.js: in a plain Pyodide, installed by micropip, and in a page whose whole site lies on another host."""

import json
import shutil

import pytest

from pyml import paths
from pyml.assets import AssetError, wheels
from pyml.cli.wheel import patched_lock, read_sources, write_wheel

from .hosting import hosted
from .patience import patience

START = """async (env) => {
  const { loadPyodide } = await import("/pyodide.mjs");
  const py = await loadPyodide({ indexURL: "/", env: { HOME: "/home/pyodide", ...env } });
  await py.loadPackage("micropip");
  await py.runPythonAsync("import micropip\\nawait micropip.install('/pyml-0.1.0-py3-none-any.whl')");
  globalThis.said = [];
  py.setStderr({ batched: (text) => said.push(text) });
  globalThis.py = py;
}"""
MODEL = """
import numpy as np, pyml
model = pyml.Sequential([pyml.Input((1,)), pyml.layers.Dense(4, "tanh"), pyml.layers.Dense(1)])
x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
model.compile("adam", "mse")
model.fit(x, x ** 2, epochs=2, verbose=0)
pyml.config.describe().splitlines()[0]
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """Pyodide as it is published, with the packages that micropip needs, and the wheel of pyml."""
    folder = tmp_path_factory.mktemp("pyodide")
    try:
        micropip = wheels.fetch(["micropip"], say=lambda text: None)["micropip"]
    except AssetError as error:
        pytest.skip(str(error))
    runtime = paths.assets_dir() / "pyodide"
    numpy = next(runtime.glob("numpy-*.whl"))
    for file in (*runtime.iterdir(), micropip):
        shutil.copyfile(file, folder / file.name)
    pyml = write_wheel(folder, read_sources())
    lock = patched_lock(json.loads((runtime / "pyodide-lock.json").read_text()), {"numpy": numpy, "micropip": micropip}, pyml)
    del lock["packages"]["pyml"]
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))
    (folder / "index.html").write_text("<!doctype html><title>bare</title>")
    with hosted(folder) as url:
        yield url


def test_a_plain_import_opens_webgpu_by_itself_and_says_so_where_it_cannot_wait(profile, host):
    page = profile.new_page()
    page.set_default_timeout(patience())
    page.goto(host)
    page.evaluate(START, {})
    # `runPython` cannot suspend, so nothing can be opened: it says what to write, once
    assert page.evaluate("(code) => py.runPython(code)", MODEL) == "backend   wasm (WebGPU has not been opened on this page)"
    (said,) = [line for line in page.evaluate("said") if "Warning" in line]
    assert "pyml computes on wasm; write `await pyml.config.init_async()` once before the first model" in said
    # `runPythonAsync` can: the adapter here is software, which is only taken when asked for
    anew = "import sys\nfor name in [n for n in sys.modules if n.split('.')[0] == 'pyml']: del sys.modules[name]\n"
    found = page.evaluate("(code) => py.runPythonAsync(code)", anew + MODEL)
    assert found.startswith("backend   wasm (the only WebGPU adapter is software")
    asked = "import os\nos.environ['PYML_BACKEND'] = 'webgpu'\n"
    assert page.evaluate("(code) => py.runPythonAsync(code)", anew + asked + MODEL) == "backend   webgpu (asked for)"
    named = "import os\ndel os.environ['PYML_BACKEND']\nimport pyml\npyml.config.set_backend('webgpu')\n"
    assert page.evaluate("(code) => py.runPythonAsync(code)", anew + named + MODEL) == "backend   webgpu (chosen by set_backend)"
    assert len([line for line in page.evaluate("said") if "Warning" in line]) == 1
    page.close()
