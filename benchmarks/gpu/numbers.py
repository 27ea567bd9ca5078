"""The numeric half of the check: every kernel of the GPU family against numpy on this adapter, and probes of f16 and subgroups."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = "(tile or webgpu) and not finite"  # the GPU family by name, and every op as the adapter's own choice of kernels runs it
TESTS = {"tests/test_kernels.py": CHOSEN, "tests/test_op_table.py": CHOSEN, "tests/test_special_values.py": "are_those_of_numpy and webgpu"}
FEW = {"tests/test_kernels.py": "tile and (samples or row or matmul) and not folded"}
MOST = 700  # characters of what a failed test says: numpy's first differing values are in them


def kernels(seconds: float, small: bool) -> dict[str, Any]:
    """Runs the project's kernel tests on the default adapter, file by file; what failed, by name."""
    ends, found = time.monotonic() + seconds, {"passed": 0, "failed": [], "skipped": 0, "reasons": {}}
    for test, chosen in (FEW if small else TESTS).items():
        part = _tests_of(test, chosen, small, max(15.0, ends - time.monotonic()))
        found = {k: {**v, **part[k]} if isinstance(v, dict) else v + part[k] for k, v in found.items()}
    return found


def _tests_of(test: str, chosen: str, small: bool, seconds: float) -> dict[str, Any]:
    environment = {**os.environ, "PYML_TEST_ADAPTER": "default"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", test, "-q", "-k", chosen, "-o", "addopts=", "-o", "timeout=0", "-p", "no:cacheprovider",
                   "-W", "ignore", f"--junitxml={report}", *(["-m", "not slow"] if small else [])]  # fmt: skip
        none: dict[str, Any] = {"passed": 0, "skipped": 0, "reasons": {}}
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return {**none, "failed": [f"{test} did not end within {seconds:.0f} s"]}
        if not report.exists():
            return {**none, "failed": [(done.stdout + done.stderr)[-2000:]]}
        return counted(ET.parse(report).getroot())


def counted(root: ET.Element) -> dict[str, Any]:
    """Counts of a junit report; a skipped test is counted and its reason kept."""
    passed, failed, skipped = 0, [], {}
    for case in root.iter("testcase"):
        bad = case.find("failure")
        bad = case.find("error") if bad is None else bad
        left = case.find("skipped")
        if bad is not None:
            failed.append(f"{case.get('name')}: {said(bad)}")
        elif left is not None:
            reason = left.get("message") or ""
            skipped[reason] = skipped.get(reason, 0) + 1
        else:
            passed += 1
    return {"passed": passed, "failed": failed, "skipped": sum(skipped.values()), "reasons": skipped}


def said(bad: ET.Element) -> str:
    """What a failed test says, on one line: numpy begins with an empty line, and has what differs further down."""
    lines = [" ".join(line.split()) for line in (bad.get("message") or bad.text or "").splitlines()]
    return "; ".join(line for line in lines if line and line != "AssertionError:")[:MOST]


_F16 = """enable f16;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  y[id.x] = f32(f16(x[id.x]) * f16(0.5) + f16(1.0));
}"""
_SUBGROUP = """@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) lane: u32) {
  let sum = subgroupAdd(x[id.x]);
  y[id.x] = select(0.0, sum, lane == 0u);
}"""


def probes(device: Any) -> dict[str, str]:
    """Whether half floats and subgroup sums compute what they should here; no kernel of pyml uses them yet."""
    import numpy as np

    x = (np.arange(256, dtype=np.float32) - 100) / 8
    half = (x.astype(np.float16) * np.float16(0.5) + np.float16(1)).astype(np.float32)
    out = {}
    for name, feature, source, right in (
        ("f16", "shader-f16", _F16, lambda y: np.allclose(y, half, atol=2e-2)),
        ("subgroups", "subgroup", _SUBGROUP, lambda y: np.isclose(y.sum(), x.sum(), atol=1e-3)),
    ):
        if feature not in device.features:
            out[name] = "not offered"
            continue
        try:
            out[name] = "right" if right(_run(device, source, x)) else "WRONG"
        except Exception as e:  # a probe reports, whatever the driver does
            out[name] = f"offered, but it does not run: {str(e).strip().splitlines()[0][:200]}"
    return out


def _run(device: Any, source: str, x: Any) -> Any:
    import numpy as np

    from pyml.device.base import DeviceKernel, Dispatch

    kernel = DeviceKernel("probe", source, ("read", "read_write"), (len(x) // 64, 1, 1))
    a, b = device.alloc(x.nbytes), device.alloc(x.nbytes)
    device.write(a, x)
    device.sync_wait(device.prepare([kernel]))
    device.replay(device.record([Dispatch(kernel, (a, b))]))
    return np.frombuffer(device.sync_wait(device.read(b, x.nbytes)), np.float32)
