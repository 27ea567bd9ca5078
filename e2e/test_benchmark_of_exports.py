"""The benchmark of exported models runs and prints what it measured; how fast anything was is nothing to this test."""

import subprocess
from pathlib import Path

import pytest

from pyml.hub import store

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build" / "bench" / ".venv" / "bin" / "python"


@pytest.mark.slow
def test_the_quick_benchmark_of_exports_prints_a_network_and_the_digits():
    if not PYTHON.is_file() or not all(store.folder_of(name) for name in ("mobilenet_v1", "photos")):
        pytest.skip("the yardstick, mobilenet_v1 or the photos are not there; `make bench` and `make models` bring them")
    command = [str(PYTHON), "-m", "benchmarks.export", "--quick", "--contenders", "pyml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = {line.split("|")[1].strip(): line.split("|")[2:] for line in done.stdout.splitlines() if line.startswith("| ")}
    assert float(rows["mobilenet_v1"][0].replace(",", "")) > 0 and float(rows["mobilenet_v1"][2].replace(",", "")) > 0
    learned = [float(accuracy) for accuracy in rows["pyml-wasm"][1].split(",")]
    assert "failed" not in rows["pyml-wasm"][0] and max(learned) > 0.8
