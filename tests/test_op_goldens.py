"""Ops answer as Keras on PyTorch does: values, dtypes, shapes and gradients, frozen in `goldens/ops`."""

import functools
import json

import numpy as np
import op_calls
import pytest
from every import every

import pyml

FAMILIES = op_calls.families()
NAMES = [(family, name) for family, cases in FAMILIES.items() for name in cases]


@functools.cache
def golden(family):
    return json.loads((op_calls.FOLDER / f"{family}.json").read_text(encoding="utf-8"))


def assert_close(got, want, tol):
    for g, w in zip(got, want, strict=True):
        w = np.array(w, np.float64)
        scale = max(1.0, np.abs(w[np.isfinite(w)]).max(initial=0))
        np.testing.assert_allclose(np.asarray(g, np.float64), w.reshape(np.shape(g)), rtol=tol, atol=tol * scale)


@pytest.mark.in_turn(16)
@every("family, name", NAMES, blocks=16)
def test_an_op_answers_as_keras_does(device, family, name):
    call, want = FAMILIES[family][name], golden(family)[name]
    got = op_calls.run(pyml, call)
    assert got["dtype"] == want["dtype"]
    assert got["shape"] == want["shape"]
    assert_close(got["out"], want["out"], call.tol)
    assert ("grad" in got) == ("grad" in want)
    assert_close(got.get("grad", []), want.get("grad", []), call.tol)


def test_every_golden_has_a_case_and_every_case_a_golden():
    for family, cases in FAMILIES.items():
        assert set(golden(family)) - {"_made_by"} == set(cases), family
