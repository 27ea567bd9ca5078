"""Each test has a visor of its own, which is otherwise that of the process."""

import pytest

from pyml.vis import panel


@pytest.fixture(autouse=True)
def own_visor(monkeypatch):
    monkeypatch.setattr(panel, "_visor", None)
