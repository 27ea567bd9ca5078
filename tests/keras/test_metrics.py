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


def test_a_metric_of_a_function_is_named_by_its_class_as_in_keras():
    pyml.utils.clear_session()
    assert [metrics.MeanMetricWrapper(abs).name for _ in range(2)] == ["mean_metric_wrapper", "mean_metric_wrapper_1"]


def test_numbers_are_samples_of_their_own(cpu):
    for metric, expected in ((metrics.Mean(), 6.0), (metrics.Sum(), 12.0)):
        metric.update_state(5.0)
        assert float(metric(7.0)) == expected


@pytest.mark.parametrize("metric", [metrics.Mean, metrics.Sum])
def test_what_has_seen_nothing_is_0(metric, cpu):
    metric = metric()
    assert float(metric.result()) == 0.0
    assert float(metric([3.0, 5.0], [0.0, 0.0])) == 0.0


@pytest.mark.parametrize("metric", [metrics.Mean, metrics.Sum])
def test_what_rounding_kept_from_a_sum_is_forgotten_with_it(metric, cpu):
    metric = metric()
    for value, total in ((2.0**24, 2**24), (1.0, 2**24), (1.0, 2**24 + 2), (1.0, 2**24 + 4)):     # float32 has no 2**24 + 1
        metric.update_state(value)
        assert float(metric.total.numpy()) == total
    metric.reset_state()
    assert float(metric(0.25)) == 0.25
    running = metric._running_total if isinstance(metric._running_total, tuple) else [metric._running_total]
    assert not any(each.excess.trainable for each in running)


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
    broadcast = p.reshape(predicted) - y.reshape(given) * np.log(p.reshape(predicted) + 1e-7)  # each with every other, as in Keras
    assert float(metrics.Poisson()(y.reshape(given), p.reshape(predicted))) == pytest.approx(broadcast.mean(), rel=1e-4)


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
    np.testing.assert_array_equal(metrics.categorical_accuracy(y[:, :, None], p).numpy(), right[:, :, None])
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


@pytest.mark.parametrize("cls", [metrics.Mean, metrics.MeanSquaredError, metrics.CosineSimilarity])
def test_a_metric_of_ones_own_may_keep_what_it_likes_under_short_names(cls, cpu):
    own, usual = type("Own", (cls,), {})(), cls()
    for name in ("_held", "_computes", "_running", "_mapping"):
        setattr(own, name, [1.0])
    batch = ([1.0, 3.0],) if cls is metrics.Mean else ([[1.0, 3.0]], [[1.5, 2.0]])
    assert float(own(*batch)) == float(usual(*batch)) and len(own.variables) == len(usual.variables)
    assert float(own.stateless_result(own.variables)) == float(usual.result())


def test_variables_and_metrics_count_wherever_a_metric_holds_them(cpu):
    metric = Pair()
    metric.one, metric.several = pyml.Variable(1.0), {"a": [pyml.Variable(2.0), metric.top], "b": (metrics.Sum(), [metrics.Sum()])}
    assert len(metric.variables) == 8                   # `top` once
    metric.mean = metrics.Sum()                         # has one where the mean had two
    metric.mean.inside = Pair()
    assert len(metric.variables) == 11
    metric.several["b"][1][0].update_state([3.0])
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


def test_auc_tells_the_interpolated_area_under_precision_whatever_its_curve_as_in_keras(cpu):
    for options, result in (({}, 0.875), ({"curve": "PR"}, 0.88732654), ({"curve": "PR", "summation_method": "majoring"}, 1.0)):
        metric = metrics.AUC(num_thresholds=5, **options)
        metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        assert float(metric.interpolate_pr_auc()) == pytest.approx(0.88732654, rel=1e-5)
        assert float(metric.result()) == pytest.approx(result, rel=1e-5)


def test_metrics_say_what_they_were_made_with_by_the_names_of_keras():
    assert (metrics.BinaryAccuracy(threshold=0.3).threshold, metrics.Precision(0.4).init_thresholds) == (0.3, 0.4)
    assert (metrics.TruePositives([0.1, 0.4]).init_thresholds, metrics.TruePositives().init_thresholds) == ([0.1, 0.4], None)
    for metric, options in ((metrics.BinaryCrossentropy, {"from_logits": True, "label_smoothing": 0.1}),
                            (metrics.CategoricalCrossentropy, {"from_logits": True, "label_smoothing": 0.1, "axis": 1}),
                            (metrics.SparseCategoricalCrossentropy, {"from_logits": True, "ignore_class": 2, "axis": 1})):  # fmt: skip
        made = metric(**options)
        assert {name: getattr(made, name) for name in options} == options
        assert options.items() <= made.get_config().items()


def test_the_config_of_auc_tells_thresholds_where_they_were_given_as_in_keras():
    assert "thresholds" not in metrics.AUC(num_thresholds=5).get_config()
    given = metrics.AUC(thresholds=[0.5, 0.2]).get_config()
    assert (given["num_thresholds"], given["thresholds"]) == (4, [0.2, 0.5])
    for config in (given, metrics.AUC(num_thresholds=5).get_config()):
        assert metrics.AUC.from_config(config).get_config() == config


@pytest.mark.parametrize("name, options, argument, taken, refused", [
    ("AUC", {}, "num_thresholds", [2, 3], [1, 0]), ("AUC", {}, "curve", ["ROC", "PRGAIN"], ["XY", None]),
    ("AUC", {}, "summation_method", ["majoring", "minoring"], ["none"]), ("AUC", {}, "num_labels", [None, 0], [1]),
    ("SensitivityAtSpecificity", {}, "specificity", [0, 1], [-0.1, 1.1]),
    ("SpecificityAtSensitivity", {}, "sensitivity", [0, 1], [-0.1, 1.1]),
    ("PrecisionAtRecall", {}, "recall", [0, 1], [-0.1, 1.1]), ("RecallAtPrecision", {}, "precision", [0, 1], [-0.1, 1.1]),
    ("RecallAtPrecision", {"precision": 0.5}, "num_thresholds", [1, 2], [0]),
    ("FBetaScore", {}, "average", [None, "micro", "macro", "weighted"], ["mean"]), ("FBetaScore", {}, "beta", [0.1], [0.0, -1.0, 1]),
    ("FBetaScore", {}, "threshold", [None, 0.1, 1.0], [0.0, 1.1, 1]), ("IoU", {"num_classes": 3}, "target_class_ids", [[0, 2]], [[0, 3]]),
    ("IoU", {"target_class_ids": [0]}, "num_classes", [1, 2], [0, 2.5]),
    ("R2Score", {}, "num_regressors", [0, 1], [-1]), ("R2Score", {}, "class_aggregation", [None, "variance_weighted_average"], ["mean"]),
])  # fmt: skip
def test_an_option_is_taken_up_to_its_limit_and_refused_beyond(name, options, argument, taken, refused):
    made = getattr(metrics, name)
    for value in taken:
        assert getattr(made(**options, **{argument: value}), argument) == value
    for value in refused:
        with pytest.raises(ValueError, match=name):
            made(**options, **{argument: value})


@pytest.mark.parametrize("threshold", [0, 1, 0.25, [0.0, 1.0]])
def test_the_thresholds_of_counts_lie_in_0_to_1(threshold):
    assert metrics.Recall(threshold).thresholds == (threshold if isinstance(threshold, list) else [threshold])
    for wrong in (-0.01, 1.01, [0.5, None]):
        with pytest.raises(ValueError, match="Recall: thresholds must lie in"):
            metrics.Recall(wrong)


@pytest.mark.parametrize("make, shapes", [
    (metrics.F1Score, [((4,), (4, 2)), ((4, 2), (4,)), ((4,), (4,)), ((4, 2, 2), (4, 2, 2))]),
    (metrics.R2Score, [((4,), (4, 2)), ((4, 2), (4,)), ((4,), (4,)), ((4, 2, 2), (4, 2, 2))]),
    (lambda: metrics.AUC(multi_label=True), [((4,), (4,)), ((4, 2, 2), (4, 2, 2))]),
    (lambda: metrics.Precision(class_id=1), [((4,), (4,))]),
])  # fmt: skip
def test_shapes_that_a_metric_does_not_know_are_refused(make, shapes, cpu):
    for given, predicted in shapes:
        with pytest.raises(pyml.errors.ShapeError, match="Received"):
            make().update_state(np.zeros(given), np.zeros(predicted))


@pytest.mark.parametrize("average", [None, "micro", "weighted"])
@pytest.mark.parametrize("threshold", [None, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_f_scores_count_by_weights(average, threshold, weighted, cpu):
    metric = metrics.FBetaScore(average, beta=2.0, threshold=threshold)
    sums = np.zeros((4, 3))
    for _ in range(2):
        y, p = RNG.integers(0, 2, (5, 3)), RNG.uniform(0, 1, (5, 3))
        p[:4] = [0, -0.3, -0.1], [0.5, 0.2, 0.5], [-1, 9e-10, 0], [1.1e-9, 0, -1]    # nothing said, two alike, too little, and just enough
        weights = RNG.uniform(0.5, 2, 5) if weighted else None
        metric.update_state(y, p, weights)
        yes = (p >= p.max(-1, keepdims=True)) & (abs(p) > 1e-9) if threshold is None else p > threshold
        each = np.stack([yes & (y == 1), yes & (y == 0), ~yes & (y == 1), y == 1]) * (1.0 if weights is None else weights[:, None])
        sums += each.sum(1)
    sums = sums.sum(1) if average == "micro" else sums
    names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
    for name, count in zip(names, sums, strict=True):
        np.testing.assert_allclose(getattr(metric, name).numpy(), count, rtol=1e-5)
    scores = 5 * sums[0] / (5 * sums[0] + 4 * sums[2] + sums[1])
    expected = (scores * sums[3]).sum() / sums[3].sum() if average == "weighted" else scores
    np.testing.assert_allclose(metric.result().numpy(), expected, rtol=1e-4)


def test_an_f_score_of_next_to_no_weight_is_a_small_one(cpu):
    assert float(metrics.F1Score("micro", 0.5)([[1]], [[0.9]], [1e-7])) == pytest.approx(0.5, rel=1e-4)     # epsilon weighs as much


@pytest.mark.parametrize("regressors", [0, 1, 2, 3, 4])
def test_r2_is_adjusted_while_there_are_samples_for_it(regressors, cpu):
    y, p = RNG.standard_normal((2, 4, 1))
    metric = metrics.R2Score(num_regressors=regressors)
    assert float(metric.result()) == 0.0
    metric.update_state(y, p)
    plain = 1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    left = 4 - regressors - 1
    assert float(metric.result()) == pytest.approx(1 - (1 - plain) * 3 / left if left > 0 else plain, rel=1e-4)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2)])
def test_r2_counts_by_weights_and_is_0_where_targets_do_not_vary(shape, cpu):
    y, p, weights = RNG.standard_normal((4, 2)), RNG.standard_normal((4, 2)), RNG.uniform(0.5, 2, shape)
    y[:, 1] = 2.0
    metric = metrics.R2Score(None)
    metric.update_state(y, p, weights)
    w = np.broadcast_to(weights.reshape(4, -1), (4, 2))[:, 0]
    mean = (y[:, 0] * w).sum() / w.sum()
    first = 1 - ((y[:, 0] - p[:, 0]) ** 2 * w).sum() / ((y[:, 0] - mean) ** 2 * w).sum()
    found = metric.result().numpy()
    assert found[0] == pytest.approx(first, rel=1e-3) and found[1] == 0.0


@pytest.mark.parametrize("scored, axis", [(False, -1), (True, -1), (True, 1)])
@pytest.mark.parametrize("ignored", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_overlap_of_classes_is_that_of_their_pixels(scored, axis, ignored, weighted, cpu):
    true, said = RNG.integers(0, 3, (2, 3, 5))
    true[0, :2], said[1, :2] = (-1, 4), (5, -2)                          # no such classes: these pixels do not count
    weights = RNG.integers(1, 4, (3, 5)) if weighted else np.ones((3, 5), int)
    metric = metrics.IoU(4, [0, 1, 1, 3], ignore_class=ignored, sparse_y_pred=not scored, axis=axis, dtype="float32")
    scores = np.moveaxis(np.eye(6)[said], -1, axis)                      # -2 is the fifth from the end
    metric.update_state(true, scores if scored else said, weights if weighted else None)
    said = said % 6 if scored else said
    counts = (true >= 0) & (true < 4) & (said >= 0) & (said < 4) & (true != (99 if ignored is None else ignored))
    table = np.zeros((4, 4))
    np.add.at(table, (true[counts], said[counts]), weights[counts])
    np.testing.assert_array_equal(metric.total_cm.numpy(), table)
    either = table.sum(0) + table.sum(1) - table.diagonal()
    shares = [table[i, i] / either[i] for i in (0, 1, 1, 3) if either[i]]   # a class named twice counts twice
    assert float(metric.result()) == pytest.approx(np.mean(shares), rel=1e-4)


@pytest.mark.parametrize("make", [lambda: metrics.AUC(num_thresholds=3), lambda: metrics.AUC(num_thresholds=9),
                                  lambda: metrics.AUC(thresholds=[0.5, 0.1]), lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=5),
                                  lambda: metrics.AUC(num_thresholds=5, multi_label=True)])  # fmt: skip
def test_a_count_at_a_threshold_is_of_predictions_above_it(make, cpu):
    metric = make()
    y, p = RNG.integers(0, 2, (30, 3)), RNG.choice([0.0, 0.1, 0.125, 0.25, 0.3, 0.5, 0.6, 0.75, 1.0], (30, 3))
    metric.update_state(y, p)
    axis = 1 if getattr(metric, "multi_label", False) else (1, 2)
    yes = p[None] > np.array(metric.thresholds)[:, None, None]
    for name, kind, said in (("true_positives", 1, True), ("false_positives", 0, True), ("true_negatives", 0, False),
                             ("false_negatives", 1, False)):  # fmt: skip
        np.testing.assert_array_equal(getattr(metric, name).numpy(), ((yes == said) & (y == kind)).sum(axis), err_msg=name)


def test_predictions_beyond_1_are_cut_off_where_three_thresholds_or_more_lie_evenly(cpu):
    for thresholds, expected in (([0.0, 1.0], [1, 1]), ([0.0, 0.5, 1.0], [1, 1, 0]), ([0.0, 0.4, 1.0], [1, 1, 1])):
        assert metrics.TruePositives(thresholds)([1], [1.5]).numpy().tolist() == expected


def test_of_equal_predictions_the_first_are_the_best(cpu):
    found = [float(metrics.Precision(top_k=k)([[0, 1, 0, 1]], [[0.2, 0.5, 0.5, 0.5]])) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(found, [1, 1 / 2, 2 / 3, 1 / 2], rtol=1e-6)
    found = [float(metrics.SparseTopKCategoricalAccuracy(k=k)([3, 1, 0], [[0.2, 0.5, 0.5, 0.5]] * 3)) for k in (1, 3, 4)]
    np.testing.assert_allclose(found, [2 / 3, 2 / 3, 1], rtol=1e-6)      # here equal ones share their place, as in Keras


def test_a_class_that_is_ignored_takes_its_weight_with_it(cpu):
    y, p = [0, 1, 2], [[0.8, 0.1, 0.1], [0.05, 0.95, 0.0], [0.1, 0.8, 0.1]]
    each = np.array([0.0, -np.log(0.95), -np.log(0.1)])
    for weights, expected in (([0.5, 1.5, 2.0], each @ [0, 1.5, 2.0] / 3.5), (None, each.mean())):      # without weights as in Keras
        assert float(metrics.SparseCategoricalCrossentropy(ignore_class=0)(y, p, weights)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("ids", [np.int32, np.float32])
def test_classes_in_order_of_their_scores_may_be_floats(ids, cpu):
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert float(metric(np.array([2, 1, 0]), np.array([[2, 0, 1], [0, 1, 2], [1, 2, 0]], ids))) == pytest.approx(2 / 3)


def test_a_mean_over_labels_goes_by_their_weights_and_of_none_is_0(cpu):
    y, p = RNG.integers(0, 2, (12, 2)), RNG.uniform(0, 1, (12, 2))
    areas = [float(metrics.AUC(num_thresholds=9)(y[:, i], p[:, i])) for i in (0, 1)]
    for weights, expected in ((None, np.mean(areas)), ([1.0, 3.0], (areas[0] + 3 * areas[1]) / 4), ([0.0, 0.0], 0.0)):
        metric = metrics.AUC(num_thresholds=9, multi_label=True, label_weights=weights)
        assert float(metric(y, p)) == pytest.approx(expected, rel=1e-5)
        each = np.stack([metrics.AUC(num_thresholds=9, multi_label=True)(y[:, i:i + 1], p[:, i:i + 1]).numpy() for i in (0, 1)])
        np.testing.assert_allclose(each, areas, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_metrics_of_16_bits_compute_in_32(dtype, cpu):
    error, mean, fit = metrics.MeanSquaredError(dtype=dtype), metrics.Mean(dtype=dtype), metrics.R2Score(dtype=dtype)
    for wrong in (300.0, 0.0, 0.0):                                      # 90,000 is beyond float16
        error.update_state([[wrong]], [[0.0]])
    rows = np.arange(3000.0)[:, None]
    assert float(error.result()) == float(ops.cast(30_000, dtype))
    assert float(mean([60_000.0, 60_000.0])) == float(ops.cast(60_000, dtype))
    assert float(fit(rows, rows + 1)) == pytest.approx(1 - 12 / 3000**2, abs=5e-7)


@pytest.mark.parametrize("name", ["pearson_correlation", "concordance_correlation"])
def test_correlations_of_values_far_from_0_are_those_of_values_near_it(name, cpu):
    y, p = RNG.integers(-16, 16, (2, 3, 7)) / 4
    function = getattr(metrics, name)
    np.testing.assert_allclose(function(y + 4096, p + 4096).numpy(), function(y, p).numpy(), atol=2e-4)


def test_the_concordance_of_almost_equal_numbers_is_held_down_by_epsilon():
    found = metrics.concordance_correlation([[0.0, 2e-4]], [[0.0, 2e-4]]).numpy()
    np.testing.assert_allclose(found, [2e-8 / (2e-8 + 1e-7)], rtol=1e-4)
