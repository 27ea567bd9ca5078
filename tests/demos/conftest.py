"""Modules of the demos, imported as their pages do: by their plain names, from their own folder."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from pyml import paths


@pytest.fixture(scope="session")
def demo_module() -> Callable[[str, str], ModuleType]:
    """`demo_module("regression", "table")` is demos/regression/table.py."""

    def load(demo: str, name: str) -> ModuleType:
        folder = str(paths.checkout() / "demos" / demo)
        sys.path.insert(0, folder)
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(folder)

    return load
