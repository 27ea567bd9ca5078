"""Fixtures: every test that takes `device` runs on numpy, on native WebGPU and on WebAssembly in wasmtime."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

# Chromium's software adapter compiles kernels several times faster than Mesa's, and has the browser's limits.
# A machine with a GPU says so itself: PYML_TEST_ADAPTER=default.
_SWIFTSHADER = Path("/usr/lib/chromium/vk_swiftshader_icd.json")
if _SWIFTSHADER.exists() and os.environ.get("PYML_TEST_ADAPTER") != "default":
    os.environ.setdefault("VK_DRIVER_FILES", str(_SWIFTSHADER))
    os.environ.setdefault("VK_ICD_FILENAMES", str(_SWIFTSHADER))
    # What pyml takes beside a software adapter, told to the processes that tests start: looking for one costs each a second.
    os.environ.setdefault("PYML_BACKEND", "cpu")

os.environ["PYML_CACHE"] = "off"  # tests compile; those of what is kept name a folder of their own

sys.path.insert(0, str(Path(__file__).parent / "goldens"))  # the cases behind the goldens, which several folders use

import every  # noqa: E402

import pyml  # noqa: E402
from pyml import settings as kept  # noqa: E402
from pyml.graph import prims  # noqa: E402

for _module in pkgutil.iter_modules(prims.__path__):  # also those that load with the ops that need them: tests look at all of them
    importlib.import_module(f"pyml.graph.prims.{_module.name}")

pyml.config.disable_traceback_filtering()  # whoever reads a failure here wants all of it
from pyml.errors import BackendUnavailable  # noqa: E402

with suppress(ImportError):  # a machine with a GPU may lack it
    from hypothesis import HealthCheck, settings

    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption("--case", default="", help="of tests of many cases only those whose names hold this text (tests/every.py)")


def pytest_configure(config):
    every.only = config.getoption("--case")


@pytest.fixture(autouse=True)
def settings_of_no_other_test():
    """A dtype policy that a test, or an example, has set is not there for the next one, and neither is its floatx."""
    yield
    kept.set_policy(None)
    if pyml.config.floatx() != "float32":
        pyml.config.set_floatx("float32")


@contextmanager
def _on(name: str):
    """That device as the default one; the one before is restored afterwards."""
    before = pyml.config.device()
    try:
        pyml.config.set_backend(name)
    except BackendUnavailable as e:
        pytest.skip(f"no {name} device on this machine: {e}")
    yield pyml.config.device()
    pyml.config.set_backend(before.name)


@pytest.fixture(params=["cpu", "webgpu", "wasm"])
def device(request):
    """Each device in turn."""
    with _on(request.param) as one:
        yield one


@pytest.fixture
def cpu():
    """numpy only, for what no device can change."""
    with _on("cpu") as one:
        yield one


@pytest.fixture
def gpu():
    """Native WebGPU only."""
    with _on("webgpu") as one:
        yield one


@pytest.fixture
def wasm():
    """WebAssembly in wasmtime only."""
    with _on("wasm") as one:
        yield one


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pytest_collection_finish():
    """What is there before the first test, thousands of tests among it, stays: no search for garbage need look at it."""
    gc.collect()
    gc.freeze()


MANY = 4  # cases from which on a test takes turns by itself


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """A test of many cases runs each on the cpu, and of four cases one on wasm and the next on webgpu; on all with the slow ones.

    `in_turn` asks for it with fewer cases, `in_turn(2)` takes every case to one of the two, `in_turn(6)` each sixth to wasm and
    the one after it to webgpu; `every_device` says that each case is to run on all of them. `few(n)` leaves every nth case of a
    test that has no device, the others run with the slow ones.
    """
    if every.only:
        items[:] = [item for item in items if every.chosen(item)]
    cases: dict[tuple, dict] = {}
    seen: dict[tuple, int] = {}
    for item in items:
        if (mark := item.get_closest_marker("few")) is not None:
            test = (item.parent.nodeid, item.originalname)
            seen[test] = seen.get(test, -1) + 1
            if seen[test] % mark.args[0]:
                item.add_marker(pytest.mark.slow)
        device = item.callspec.params.get("device") if hasattr(item, "callspec") else None
        if isinstance(device, str):
            name = tuple(part for part in item.callspec.id.split("-") if part != device)
            found = cases.setdefault((item.parent.nodeid, item.originalname), {})
            found.setdefault(name, []).append((device, item))
    for found in cases.values():
        first = next(iter(found.values()))[0][1]
        mark = first.get_closest_marker("in_turn")
        if first.get_closest_marker("every_device") or (mark is None and len(found) < MANY):
            continue
        each = mark.args[0] if mark is not None and mark.args else 4
        for turn, devices in enumerate(found.values()):
            for device, item in devices:
                if device != "cpu" and turn % each != ("wasm", "webgpu").index(device):
                    item.add_marker(pytest.mark.slow)
