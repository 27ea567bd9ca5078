"""The examples in the documentation of `pyml.data`, `pyml.browser` and KNNClassifier run and give what they say."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import pyml

MODULES = [
    "data.dataset", "data.grouping", "data.combining", "data.stepping", "data.keeping", "data.iterators", "data.crc",
    "data.tfrecord", "data.example", "data.tables", "data.reading", "data.text", "data.csv_dataset", "data.csv_findings", "data.sources",
    "browser.pixels", "models.knn",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    module = importlib.import_module(f"pyml.{name}")
    examples = {"np": np, "pyml": pyml}
    result = doctest.testmod(module, extraglobs=examples, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0 and result.failed == 0


def test_the_page_of_the_documentation_runs():
    page = Path(pyml.__file__).parents[1] / "docs" / "data.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 10 and result.failed == 0
