"""Syntax trees of the package, for the tests that read its code.

They are 800,000 objects: a file of tests that reads them forgets them at its end, since every collection of garbage would go
through them in all the tests that follow in the same process.
"""

import ast
import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    collects = gc.isenabled()
    gc.disable()  # nothing of a new tree is garbage, and looking takes three times as long as parsing
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    finally:
        if collects:
            gc.enable()


@pytest.fixture(scope="module", autouse=True)
def trees_are_forgotten() -> Iterator[None]:
    """Imported by the files that use `tree_of`."""
    yield
    tree_of.cache_clear()
