"""Networks run on WebAssembly where it is there: as on a page without a GPU, and many times faster than on numpy."""

from __future__ import annotations

import pytest

import pyml
from pyml.errors import BackendUnavailable


@pytest.fixture(autouse=True, scope="package")
def quick_device():
    """The device of all tests in this folder."""
    before = pyml.config.device()
    try:
        pyml.config.set_backend("wasm")
    except BackendUnavailable:
        pass
    yield pyml.config.device()
    pyml.config.set_backend(before.name)
