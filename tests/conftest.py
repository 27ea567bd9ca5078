"""Fixtures: every test that takes `device` runs on numpy, on native WebGPU and on WebAssembly in wasmtime."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

# Chromium's software adapter compiles kernels several times faster than Mesa's, and has the browser's limits.
# A machine with a GPU says so itself: PYML_TEST_ADAPTER=default.
_SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
if _SWIFTSHADER.exists() and os.environ.get("PYML_TEST_ADAPTER") != "default":
    os.environ.setdefault("VK_DRIVER_FILES", str(_SWIFTSHADER))
    os.environ.setdefault("VK_ICD_FILENAMES", str(_SWIFTSHADER))

sys.path.insert(0, str(Path(__file__).parent / "goldens"))  # the cases behind the goldens, which several folders use

import pyml  # noqa: E402
import pyml.graph.prims.spectral  # noqa: E402  # primitives that load with the ops that need them

pyml.config.disable_traceback_filtering()  # whoever reads a failure here wants all of it
from pyml.errors import BackendUnavailable  # noqa: E402


def _use(name: str):
    try:
        pyml.config.set_backend(name)
    except BackendUnavailable as e:
        pytest.skip(f"no {name} device on this machine: {e}")


@pytest.fixture(params=["cpu", "webgpu", "wasm"])
def device(request):
    """Each device in turn; the default one is restored afterwards."""
    before = pyml.config.device()
    _use(request.param)
    yield pyml.config.device()
    pyml.config.set_backend(before.name)


@pytest.fixture
def cpu():
    """numpy only, for what no device can change."""
    before = pyml.config.device()
    _use("cpu")
    yield pyml.config.device()
    pyml.config.set_backend(before.name)


@pytest.fixture
def gpu():
    """Native WebGPU only."""
    before = pyml.config.device()
    _use("webgpu")
    yield pyml.config.device()
    pyml.config.set_backend(before.name)


@pytest.fixture
def wasm():
    """WebAssembly in wasmtime only."""
    before = pyml.config.device()
    _use("wasm")
    yield pyml.config.device()
    pyml.config.set_backend(before.name)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """`in_turn`: a test runs on the cpu and on one other device, from case to case the next; on all with the slow ones.

    `in_turn(6)`: each sixth case runs on wasm, the one after it on webgpu.
    """
    cases = {}
    for item in items:
        mark = item.get_closest_marker("in_turn")
        if mark is None or "device" not in getattr(item, "fixturenames", ()):
            continue
        device = item.callspec.params["device"]
        name = (item.parent.nodeid, item.originalname, *(part for part in item.callspec.id.split("-") if part != device))
        turn = cases.setdefault(name, len(cases)) % (mark.args[0] if mark.args else 2)
        if device != "cpu" and turn != ("wasm", "webgpu").index(device):
            item.add_marker(pytest.mark.slow)
