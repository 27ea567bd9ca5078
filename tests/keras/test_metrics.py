"""Metrics gather over batches; with weights, masks and options off their defaults, against float64."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import metrics, ops

RNG = np.random.default_rng(4)


def right_padded(weights, rank):
    return weights.reshape(*weights.shape, *[1] * (rank - weights.ndim))


@pytest.mark.parametrize("shape", [None, (4,), (4, 1), (4, 3), (4, 3, 1), (4, 3, 2), (1,)])
def test_sums_and_means_count_each_value_by_its_weight(shape, cpu):
    mean, total = metrics.Mean(), metrics.Sum()
    above = below = 0.0
    for _ in range(2):
        values, weights = RNG.standard_normal((4, 3, 2)), None if shape is None else RNG.uniform(0.5, 2, shape)
        mean.update_state(values, weights)
        total.update_state(values, weights)
        each = np.broadcast_to(1.0 if weights is None else right_padded(weights, 3), values.shape)
        above, below = above + (each * values).sum(), below + each.sum()
    assert float(mean.result()) == pytest.approx(above / below, rel=1e-4)
    assert float(total.result()) == pytest.approx(above, rel=1e-4)


def test_numbers_are_samples_of_their_own(cpu):
    for metric, expected in ((metrics.Mean(), 6.0), (metrics.Sum(), 12.0)):
        metric.update_state(5.0)
        assert float(metric(7.0)) == expected


@pytest.mark.parametrize("metric", [metrics.Mean, metrics.Sum])
def test_what_has_seen_nothing_is_0(metric, cpu):
    metric = metric()
    assert float(metric.result()) == 0.0
    assert float(metric([3.0, 5.0], [0.0, 0.0])) == 0.0


def test_a_call_gathers_and_gives_the_value_so_far(cpu):
    metric = metrics.BinaryAccuracy()
    assert float(metric([[1], [0]], [[0.9], [0.6]])) == 0.5
    assert float(metric([[1], [0]], [[0.9], [0.4]])) == 0.75
    metric.reset_state()
    assert float(metric.result()) == 0.0


@pytest.mark.parametrize("cls", [metrics.Accuracy, metrics.BinaryAccuracy, metrics.MeanSquaredError, metrics.RootMeanSquaredError,
                                 metrics.BinaryCrossentropy, metrics.Mean, metrics.Sum])  # fmt: skip
def test_state_is_float32_and_not_trained(cls, cpu):
    metric = cls()
    assert metric.dtype == "float32" and metric.get_config()["dtype"] == "float32"
    assert metric.variables and all(v.dtype == "float32" and not v.trainable for v in metric.variables)


def test_samples_count_by_their_weight(cpu):
    y, p, weights = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3)), np.array([1.0, 0.0, 2.0, 0.5])
    each = (y - p) ** 2
    expected = (each.mean(-1) * weights).sum() / weights.sum()
    for cls, value in ((metrics.MeanSquaredError, expected), (metrics.RootMeanSquaredError, np.sqrt(expected))):
        assert float(cls()(y, p, sample_weight=weights)) == pytest.approx(value, rel=1e-4)


def test_steps_that_a_mask_leaves_out_do_not_count(cpu):
    x, y = RNG.uniform(1, 2, (4, 3, 2)).astype("float32"), RNG.standard_normal((4, 3, 2))
    x[1, 1:] = 0
    kept = (x != 0).any(-1)
    masked = pyml.layers.Masking()(ops.convert_to_tensor(x))
    assert float(metrics.MeanSquaredError()(y, masked)) == pytest.approx((((y - x) ** 2).mean(-1) * kept).sum() / kept.sum(), rel=1e-4)
    weights = np.array([1.0, 2.0, 0.5, 1.0])
    both = kept * weights[:, None]
    found = float(metrics.MeanSquaredError()(y, masked, sample_weight=weights))
    assert found == pytest.approx((((y - x) ** 2).mean(-1) * both).sum() / both.sum(), rel=1e-4)


@pytest.mark.parametrize(("given", "predicted"), [((4,), (4, 1)), ((4, 1), (4,))])
def test_a_last_axis_of_size_1_may_be_left_out(given, predicted, cpu):
    y, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.7])
    right = (y == (p > 0.5)).mean()
    assert float(metrics.BinaryAccuracy()(y.reshape(given), p.reshape(predicted))) == pytest.approx(right)
    assert float(metrics.Accuracy()(y.reshape(given), y.reshape(predicted))) == 1.0
    found = float(metrics.RootMeanSquaredError()(y.reshape(given), p.reshape(predicted)))
    assert found == pytest.approx(np.sqrt(((y - p) ** 2).mean()), rel=1e-4)


@pytest.mark.parametrize("column", [False, True])
def test_classes_may_stand_in_a_column(column, cpu):
    y, p = np.array([2, 0, 1]), np.array([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1], [0.9, 0.1, 0.0]])
    assert float(metrics.SparseCategoricalAccuracy()(y[:, None] if column else y, p)) == pytest.approx(2 / 3)
    assert metrics.sparse_categorical_accuracy(y[:, None] if column else y, p).shape == (3,)


def test_a_single_step_with_a_single_class_keeps_its_axis(cpu):
    assert metrics.sparse_categorical_accuracy(np.zeros((3, 1), "int32"), np.ones((3, 1, 4))).shape == (3, 1)


def test_accuracy_along_the_last_axis_of_steps(cpu):
    y, p = np.eye(3)[RNG.integers(0, 3, (4, 5))], RNG.uniform(0, 1, (4, 5, 3))
    right = (y.argmax(-1) == p.argmax(-1)).astype("float32")
    np.testing.assert_array_equal(metrics.categorical_accuracy(y, p).numpy(), right)
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy(y.argmax(-1), p).numpy(), right)


def test_a_value_at_the_threshold_means_no(cpu):
    np.testing.assert_array_equal(metrics.binary_accuracy([[1.0, 0.0]], [[0.5, 0.5]]).numpy(), [[0.0, 1.0]])
    np.testing.assert_array_equal(metrics.binary_accuracy([[1.0, 0.0]], [[0.5, 0.5]], threshold=0.4).numpy(), [[1.0, 0.0]])


@pytest.mark.parametrize(("threshold", "right"), [(0, 3), (1, 2), (-0.5, 2), (1.5, 3)])
def test_a_threshold_may_be_any_number_as_logits_need(cpu, threshold, right):
    metric = metrics.BinaryAccuracy(threshold=threshold)
    metric.update_state([1.0, 1.0, 0.0, 0.0], [2.0, 0.2, -0.2, 1.2])
    assert float(metric.result().numpy()) == right / 4


@pytest.mark.parametrize("threshold", [-0.5, 1.5])
def test_a_count_takes_no_threshold_outside_0_and_1(threshold):
    with pytest.raises(ValueError, match=r"thresholds must lie in \[0, 1\]"):
        metrics.Precision(thresholds=threshold)


class Pair(metrics.Metric):
    """The largest value, and a mean that it holds."""

    def __init__(self, name=None):
        super().__init__(name=name)
        self.top = self.add_variable(name="top")
        self.seen = self.add_weight((2,), initializer="ones", dtype="int32", name="seen")
        self.mean = metrics.Mean()

    def update_state(self, values):
        self.top.assign(ops.maximum(self.top, ops.max(values)))
        self.seen.assign(self.seen + 1)
        self.mean.update_state(values)

    def result(self):
        return self.top


def test_a_metric_of_ones_own_holds_variables_and_metrics(cpu):
    metric = Pair()
    assert metric.name.startswith("pair") and metric.dtype == "float32"  # another test may have made one
    assert [(v.name, v.shape, v.dtype) for v in metric.variables[:2]] == [("top", (), "float32"), ("seen", (2,), "int32")]
    assert len(metric.variables) == 4 and not any(v.trainable for v in metric.variables)
    np.testing.assert_array_equal(metric.variables[1].numpy(), [1, 1])
    assert float(metric([2.0, 6.0])) == 6.0
    assert float(metric.mean.result()) == 4.0
    metric.reset_state()
    assert all(not v.numpy().any() for v in metric.variables)


def test_what_a_metric_must_define_is_said(cpu):
    for call in (metrics.Metric().update_state, metrics.Metric().result):
        with pytest.raises(TypeError, match="Metric must define"):
            call()


@pytest.mark.parametrize("name", ["SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"])
def test_one_threshold_is_a_half(cpu, name):
    metric = getattr(pyml.metrics, name)(0.5, num_thresholds=1)
    metric.update_state([0, 0, 1, 1], [0.4, 0.6, 0.4, 0.6])  # half of everything is right
    assert float(metric.result()) == 0.5


def test_weights_of_labels_and_of_samples_multiply(cpu):
    truth, said = RNG.integers(0, 2, (12, 3)), RNG.uniform(0, 1, (12, 3))
    of_samples, of_labels = RNG.uniform(0.5, 2, 12), [0.5, 2.0, 4.0]
    one, each = metrics.AUC(label_weights=of_labels), metrics.AUC()
    one.update_state(truth, said, of_samples)
    each.update_state(truth.ravel(), said.ravel(), np.outer(of_samples, of_labels).ravel())
    for count in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
        np.testing.assert_allclose(getattr(one, count).numpy(), getattr(each, count).numpy(), rtol=1e-5, atol=1e-5)


def test_the_config_of_auc_tells_thresholds_where_they_were_given_as_in_keras():
    assert "thresholds" not in metrics.AUC(num_thresholds=5).get_config()
    given = metrics.AUC(thresholds=[0.5, 0.2]).get_config()
    assert (given["num_thresholds"], given["thresholds"]) == (4, [0.2, 0.5])
    for config in (given, metrics.AUC(num_thresholds=5).get_config()):
        assert metrics.AUC.from_config(config).get_config() == config
