"""`pyml demo` without a display: prints what the page says, keeps a screenshot, and judges the result."""

import subprocess
import sys

import pytest

PAGE = """<!doctype html><title>tiny</title><script>
console.log("pyml: Epoch 1/1");
console.log("of no interest");
console.log("pyml: accuracy: 0.9876 on " + new URLSearchParams(location.search).get("backend"));
window.pymlDemo = %s;
</script>"""

RUN = """
import sys
from pathlib import Path
from pyml import paths
from pyml.cli import demo
folder = Path(sys.argv[1])
paths.build_dir = lambda: folder
demo.GOALS["tiny"] = 0.97
try:
    sys.exit(demo.run_headless("tiny", folder, timeout=3600, query={"backend": "webgpu", "epochs": None}))
except demo.DemoError as error:
    sys.exit(f"failed: {error}")
"""


def run(folder, result):
    """Runs the driver in a process of its own on a page that ends with `result`."""
    (folder / "demos" / "tiny").mkdir(parents=True)
    (folder / "demos" / "tiny" / "index.html").write_text(PAGE % result)
    return subprocess.run([sys.executable, "-c", RUN, str(folder)], capture_output=True, text=True)


def test_driver_prints_the_pages_lines_and_passes(tmp_path, browser):
    done = run(tmp_path, '{done: true, error: null, testAccuracy: 0.9876, backend: "webgpu"}')
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1:3] == ["Epoch 1/1", "accuracy: 0.9876 on webgpu"]
    assert "test accuracy: 0.9876" in lines and "backend: webgpu" in lines
    assert "of no interest" not in done.stdout
    assert (tmp_path / "demo-tiny.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("result", "message"),
    [
        pytest.param('{done: true, error: null, testAccuracy: 0.5, backend: "webgpu"}', "test accuracy is below 0.97",
                     marks=pytest.mark.slow),
        ('{done: true, error: "device lost", testAccuracy: null, backend: "webgpu"}', "device lost"),
    ],
)  # fmt: skip
def test_driver_fails_with_the_reason(tmp_path, browser, result, message):
    done = run(tmp_path, result)
    assert done.returncode == 1 and message in done.stderr
