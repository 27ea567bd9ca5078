"""What the tests of the hub share: which networks were fetched, each opened once."""

from __future__ import annotations

from functools import cache

import pytest

import pyml
from pyml.hub import store


def need(*names: str) -> None:
    """Skips a test whose networks were not fetched; tests never download."""
    for name in names:
        if store.folder_of(name) is None:
            pytest.skip(f"{name} was not fetched; run `make models` or `pyml hub fetch {name}`")


@cache
def opened(name: str):
    """A network, on whichever device is in use at the time."""
    return getattr(pyml.hub, name)()


def network(name: str, *photos: str):
    """A network, if it and the photos of a test are here."""
    need(name, *photos)
    return opened(name)
