"""Which kernel a shape takes on which adapter, and in how many workgroups: rules that change speed only, so no value holds them.

A new rule changes lines of the table: look at each, then `python tests/kernel_variants.py > tests/goldens/kernel_choices.txt`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from kernel_variants import choices

TABLE = (Path(__file__).parent / "goldens" / "kernel_choices.txt").read_text(encoding="utf-8").splitlines()
FOUND = {line.partition(": ")[0]: line for line in choices()}


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.partition(":")[0].replace(" ", "-"))
def test_shapes_take_the_kernels_of_the_table(line):
    assert FOUND[line.partition(": ")[0]] == line


def test_every_choice_stands_in_the_table():
    assert len(FOUND) == len(TABLE)
