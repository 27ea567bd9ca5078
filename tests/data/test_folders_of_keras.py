"""Datasets of folders and of series hold what those of Keras hold (see goldens/directory_cases.py)."""

import json
from pathlib import Path

import directory_cases as cases
import numpy as np
import pytest

import pyml

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


def same(mine, golden, at):
    """Equal in structure and text, and in numbers to a few thousandths of 255 steps."""
    if isinstance(golden, dict):
        assert sorted(mine) == sorted(golden), at
        for key in golden:
            same(mine[key], golden[key], f"{at}/{key}")
    elif isinstance(golden, list) and not _numbers(golden):
        assert len(mine) == len(golden), at
        for i, (one, other) in enumerate(zip(mine, golden, strict=True)):
            same(one, other, f"{at}[{i}]")
    elif isinstance(golden, list):
        # Pillow rounds a grey pixel, TensorFlow cuts it off
        np.testing.assert_allclose(mine, golden, atol=1.01 if "/grey" in at else 2e-3, rtol=1e-4, err_msg=at)
    else:
        assert mine == golden, at


def _numbers(value):
    try:
        return np.asarray(value).dtype.kind in "if"
    except ValueError:
        return False


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_what_is_in_a_dataset_is_what_keras_puts_there(case, cpu):
    if case is cases.picture_folders:
        pytest.importorskip("PIL.Image")
    same(case(pyml), GOLDENS[case.__name__], case.__name__)
