"""Fixtures: every test that takes `device` runs on the cpu device and on native WebGPU."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml.errors import BackendUnavailable


def _use(name: str):
    try:
        pyml.config.set_backend(name)
    except BackendUnavailable as e:
        pytest.skip(f"no native WebGPU adapter on this machine: {e}")


@pytest.fixture(params=["cpu", "webgpu"])
def device(request):
    """Each device in turn; the default one is restored afterwards."""
    before = pyml.config.device()
    _use(request.param)
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
def rng():
    return np.random.default_rng(0)
