"""The tutorials of CONTRIBUTING.md work as they are written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
import pyml.layers.dense

TOP = Path(__file__).parent.parent


def block(section: str) -> str:
    """The only Python of a section of CONTRIBUTING.md."""
    text = (TOP / "CONTRIBUTING.md").read_text().partition(f"## {section}")[2]
    (code,) = re.findall(r"```python\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    return code


def passed_with(added: str, name: str, file: str, tests: str, folder: Path) -> int:
    """How many tests of `name` pass in a copy of the package whose `file` has `added` at its end and `name` in `__all__`."""
    shutil.copytree(TOP / "pyml", folder / "pyml", ignore=shutil.ignore_patterns("__pycache__"))
    for needed in ("kernels_wgsl", "tests/goldens", "tests/parity"):
        shutil.copytree(TOP / needed, folder / needed, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tools").mkdir()
    for needed in ("tests/conftest.py", "tests/every.py", f"tests/{tests}", "tools/parity.py"):
        shutil.copy(TOP / needed, folder / needed)
    path = folder / "pyml" / file
    path.write_text(path.read_text().replace("__all__ = [", f'__all__ = [\n    "{name}",', 1) + "\n\n" + added)
    plain = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *plain, f"tests/{tests}", "--case", name, "-k", "not webgpu"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(re.search(r"(\d+) passed", done.stdout).group(1))


@pytest.mark.slow
def test_a_new_op_touches_one_file_and_gets_its_tests(tmp_path):
    passed = passed_with(block("A new op"), "log_cosh", "ops/elementary.py", "test_ops.py", tmp_path)
    assert passed >= 9  # numpy on two devices, gradients and models of both samples, and the example


@pytest.mark.slow
def test_a_new_layer_touches_one_file_and_gets_its_tests(tmp_path):
    passed = passed_with(block("A new layer"), "Maxout", "layers/dense.py", "test_samples.py", tmp_path)
    assert passed >= 8  # samples, config, judge, numpy on two devices, gradient, shape, files


def test_the_new_layer_needs_no_get_config_to_be_saved_and_opened(tmp_path):
    scope = {"np": np, "pyml": pyml, **vars(pyml.layers.dense)}
    exec(f"@register()\n{block('A new layer')}", {**scope, "register": pyml.saving.register_keras_serializable}, scope)
    layer = scope["Maxout"](3, pieces=4, kernel_initializer="he_normal", name="most")
    model = pyml.Sequential([pyml.Input((5,)), layer])
    config = json.loads(json.dumps(layer.get_config()))
    assert {name: config[name] for name in ("name", "units", "pieces")} == {"name": "most", "units": 3, "pieces": 4}
    assert config["kernel_initializer"]["class_name"] == "HeNormal"
    again = pyml.models.model_from_json(model.to_json())
    model.save_weights(tmp_path / "weights.npz")
    again.load_weights(tmp_path / "weights.npz")
    x = np.random.default_rng(0).standard_normal((2, 5)).astype("float32")
    np.testing.assert_array_equal(again(x).numpy(), model(x).numpy())
    products = (x @ layer.kernel.numpy()).reshape(2, 3, 4)
    np.testing.assert_allclose(model(x).numpy(), products.max(-1), rtol=1e-5)
