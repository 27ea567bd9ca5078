"""`pyml.distillation`: Keras' losses and histories; arguments that do not fit; files."""

from __future__ import annotations

import json
from pathlib import Path

import distillation_cases as cases
import numpy as np
import pytest

import pyml
from pyml import layers
from pyml.distillation import DistillationLoss, Distiller, FeatureDistillation, LogitsDistillation

GOLDENS = json.loads((Path(cases.__file__).parent / "distillation_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases.CASES)
def test_a_student_learns_as_in_keras(case, cpu):
    found, wanted = cases.CASES[case](pyml), GOLDENS[case]
    assert sorted(found["history"]) == sorted(wanted["history"])
    for name, values in wanted["history"].items():
        np.testing.assert_allclose(found["history"][name], values, rtol=1e-4, err_msg=name)
    np.testing.assert_allclose(found["said"], wanted["said"], rtol=1e-4, atol=1e-5)


def test_losses_of_several_outputs_are_added_and_none_leaves_one_out(cpu):
    random = np.random.default_rng(4)
    a, b, c, d = (random.uniform(-1, 1, (5, 3)).astype("float32") for _ in range(4))
    found = LogitsDistillation(2.0, ["mse", "mae"]).compute_loss([a, b], [c, d])
    np.testing.assert_allclose(float(found), np.mean((a - c) ** 2) / 4 + np.mean(abs(b - d)) / 2, rtol=1e-5)
    found = FeatureDistillation({"x": "mse", "y": None}).compute_loss({"x": a, "y": b}, {"x": c, "y": d})
    np.testing.assert_allclose(float(found), np.mean((a - c) ** 2), rtol=1e-5)
    run = cases.trained(pyml, LogitsDistillation(3.0, ["mse", "mae"]), outputs=2)  # Keras on PyTorch refuses lists of losses here
    losses = run["history"]["loss"]
    assert losses[-1] < losses[0]


def test_the_teacher_stays_and_the_distiller_is_kept_in_a_file(tmp_path, cpu):
    teacher, student = cases.network(pyml, 8, 2), cases.network(pyml, 6, 3)
    before = [np.array(w) for w in teacher.get_weights()]
    distiller = Distiller(teacher, student, [FeatureDistillation("mse", "features", "features"), LogitsDistillation(2.0)], [2.0, 1.0], 0.3)
    distiller.compile("sgd", "mse")
    x, y = np.ones((4, 4), "float32"), np.ones((4, 3), "float32")
    distiller.fit(x, y, verbose=0)
    for old, new in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    again = Distiller.from_config(distiller.get_config())
    assert again.distillation_loss_weights == [2.0, 1.0] and again.distillation_losses[0].student_layer_name == "features"
    assert again.distillation_losses[1].temperature == 2.0 and again.student_loss_weight == 0.3
    student.save(tmp_path / "student.keras")
    np.testing.assert_allclose(pyml.models.load_model(tmp_path / "student.keras").predict(x, verbose=0), distiller.predict(x, verbose=0))


class Rows(DistillationLoss):
    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return pyml.ops.mean(abs(teacher_outputs - student_outputs), axis=-1)


def distilled(losses=None, teacher=None, student=None, **kwargs):
    return Distiller(teacher or cases.network(pyml, 8, 2), student or cases.network(pyml, 6, 3), losses or LogitsDistillation(), **kwargs)


def other(shape, units, dtype="float32"):
    return pyml.Sequential([pyml.Input(shape, dtype=dtype), layers.Dense(units)])


@pytest.mark.parametrize("make, told", [
    (lambda: LogitsDistillation(temperature="hot"), "must be a number"),
    (lambda: LogitsDistillation(temperature=0), "must be positive"),
    (lambda: LogitsDistillation(loss=[None]), "At least one loss"),
    (lambda: FeatureDistillation(loss=[None, None]), "at least one non-`None`"),
    (lambda: Distiller(3, other((4,), 3), LogitsDistillation()), "Teacher must be"),
    (lambda: Distiller(other((4,), 3), None, LogitsDistillation()), "Student must be"),
    (lambda: Distiller(other((4,), 3), other((4,), 3), None), "cannot be `None`"),
    (lambda: distilled(student=other((5,), 3)), "input shapes are incompatible"),
    (lambda: distilled(student=other((4,), 2)), "output shapes are incompatible"),
    (lambda: distilled(student=other((4, 4), 3)), "different dimensions"),
    (lambda: distilled(student_loss_weight=2.0), "between 0.0 and 1.0"),
    (lambda: distilled(student_loss_weight="half"), "must be a number"),
    (lambda: distilled([LogitsDistillation()], distillation_loss_weights=[1.0, 2.0]), "must match"),
    (lambda: distilled(FeatureDistillation("mse", "none", "features")), "In teacher model"),
    (lambda: distilled(FeatureDistillation("mse", "features", "none")), "In student model"),
    (lambda: distilled().compile("sgd"), "'loss' cannot be"),
    (lambda: distilled().compile("sgd", "mse", metrics="mae"), "list or tuple"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_a_loss_of_many_numbers_is_refused_by_name(cpu):
    distiller = distilled(Rows())
    distiller.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Rows returned a non-scalar loss"):
        distiller.fit(np.ones((4, 4), "float32"), np.ones((4, 3), "float32"), verbose=0)
