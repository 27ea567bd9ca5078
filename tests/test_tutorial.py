"""The tutorials of CONTRIBUTING.md work as they are written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent


@pytest.mark.slow
def test_a_new_op_touches_one_file_and_gets_its_tests(tmp_path):
    text = (TOP / "CONTRIBUTING.md").read_text()
    section = text.partition("## A new op")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    shutil.copytree(TOP / "pyml", tmp_path / "pyml", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "kernels_wgsl", tmp_path / "kernels_wgsl")
    for name in ("conftest.py", "test_ops.py"):
        shutil.copy(TOP / "tests" / name, tmp_path / name)
    file = tmp_path / "pyml" / "ops" / "elementary.py"
    file.write_text(file.read_text().replace("__all__ = [", '__all__ = [\n    "log_cosh",', 1) + "\n\n" + code)
    plain = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *plain, "test_ops.py", "-k", "log_cosh and not webgpu"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = int(re.search(r"(\d+) passed", done.stdout).group(1))
    assert passed >= 9  # numpy on two devices, gradients and models of both samples, and the example
