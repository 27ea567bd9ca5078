"""The examples of the documentation run."""

import doctest
from pathlib import Path

import pyml


def test_the_page_of_the_documentation_runs():
    page = Path(pyml.__file__).parents[1] / "docs" / "vis.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 10 and result.failed == 0
