"""Ops answer as Keras on PyTorch does: values, dtypes, shapes and gradients, frozen in `goldens/ops`."""

import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import op_calls
import pytest
from every import every

import pyml

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import parity

TESTS = Path(__file__).parent
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


# Names without frozen numbers of Keras: bases, what keeps and makes objects, and what draws; and the tests that show them.
SHOWN_ELSEWHERE = {
    **dict.fromkeys(("Metric", "MeanMetricWrapper"), "keras/test_metrics.py"), "Loss": "keras/test_losses.py",
    **dict.fromkeys(("Initializer", "Constraint", "Regularizer", "LearningRateSchedule"), "keras/test_names_and_configs.py"),
    **dict.fromkeys(("Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"), "keras/test_optimizers.py"),
    **dict.fromkeys(("get", "serialize", "deserialize"), "keras/test_names_and_configs.py"),
    **dict.fromkeys(("Orthogonal", "OrthogonalInitializer", "orthogonal", "LecunNormal", "LecunUniform", "RandomNormal", "RandomUniform",
                     "TruncatedNormal", "lecun_normal", "lecun_uniform", "random_normal", "random_uniform", "truncated_normal",
                     "variance_scaling"), "test_samples.py"),
    **dict.fromkeys(("AWQDTypePolicy", "GPTQDTypePolicy"), "keras/test_dtype_policies.py"),
    "legacy": "parity/exclusions.txt",
}  # fmt: skip
PARTS = ("losses", "metrics", "activations", "constraints", "regularizers", "initializers", "optimizers", "optimizers.schedules", "tree",
         "dtype_policies")


def test_every_function_and_small_class_of_keras_has_frozen_numbers_of_keras():
    cases = "".join(path.read_text(encoding="utf-8") for path in sorted(op_calls.FOLDER.parent.rglob("*.py")))
    words = set(re.findall(r"\w+", cases))
    sections = {section.name: section for section in parity.sections(parity.DATA / "keras.txt")}
    names = {name for part in PARTS for name in sections[f"keras.{part}"].names}
    assert len(names) > 200 and names - words - set(SHOWN_ELSEWHERE) == set()
    assert all((TESTS / file).is_file() for file in SHOWN_ELSEWHERE.values())
