"""Which kernel a shape takes on which adapter, and in how many workgroups: rules that change speed only, so no value holds them.

A new rule changes lines of the table: look at each, then `python tests/kernel_variants.py > tests/goldens/kernel_choices.txt`.
"""

from __future__ import annotations

from pathlib import Path

import plans
import pytest
from kernel_variants import choices

TABLE = (Path(__file__).parent / "goldens" / "kernel_choices.txt").read_text(encoding="utf-8").splitlines()
PLANS = (Path(__file__).parent / "goldens" / "plans.txt").read_text(encoding="utf-8").splitlines()


def test_shapes_take_the_kernels_of_the_table():
    found, listed = ({line.partition(": ")[0]: line for line in lines} for lines in (choices(), TABLE))
    assert found.keys() == listed.keys()
    others = [f"{line}\n  the table says {listed[place]}" for place, line in found.items() if line != listed[place]]
    assert not others, "\n".join(others)


@pytest.mark.parametrize("adapter", plans.PROFILES)
def test_graphs_are_cut_into_the_kernels_of_the_table(adapter):
    """Another rule changes lines: look at each, then `python tests/plans.py > tests/goldens/plans.txt`."""
    wanted = [one for one in PLANS if one.partition(": ")[0].endswith(f"({adapter})")]
    found = [*plans.lines(adapter)]
    assert len(found) == len(wanted) > 100
    others = [f"{one}\n  the table says {listed}" for one, listed in zip(found, wanted, strict=True) if one != listed]
    assert not others, "\n".join(others)
