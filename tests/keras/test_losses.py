"""Every loss with its options off their defaults, against its formula in float64."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from every import every

import pyml
from pyml import losses, ops
from pyml.losses.base import squeeze_or_expand_to_same_rank

RNG = np.random.default_rng(3)
Y = np.array([[0.0, 1.0, 2.5], [-1.0, 0.0, 0.25], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
P = np.array([[0.0, 5.0, 2.5], [-3.0, 0.75, 1.5], [1.0, 1.0, 1.0], [0.2, 0.0, 0.9]])


def close(found, expected, tolerance=1e-4):
    found = found.numpy()
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-9)


def unit(x, axis=-1):
    return x / np.sqrt(np.maximum((x * x).sum(axis, keepdims=True), 1e-14))


def signs(y):
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y


FORMULAS = {
    "mean_squared_error": lambda y, p: ((y - p) ** 2).mean(-1),
    "mean_absolute_error": lambda y, p: abs(y - p).mean(-1),
    "mean_absolute_percentage_error": lambda y, p: 100 * (abs(y - p) / np.maximum(abs(y), 1e-7)).mean(-1),
    "mean_squared_logarithmic_error":
        lambda y, p: ((np.log1p(np.maximum(y, 1e-7)) - np.log1p(np.maximum(p, 1e-7))) ** 2).mean(-1),
    "huber": lambda y, p: np.where(abs(y - p) <= 1, (y - p) ** 2 / 2, abs(y - p) - 0.5).mean(-1),
    "log_cosh": lambda y, p: np.log(np.cosh(p - y)).mean(-1),
    "cosine_similarity": lambda y, p: -(unit(y) * unit(p)).sum(-1),
    "poisson": lambda y, p: (p - y * np.log(p + 1e-7)).mean(-1),
    "kl_divergence": lambda y, p: (np.clip(y, 1e-7, 1) * np.log(np.clip(y, 1e-7, 1) / np.clip(p, 1e-7, 1))).sum(-1),
    "hinge": lambda y, p: np.maximum(1 - signs(y) * p, 0).mean(-1),
    "squared_hinge": lambda y, p: (np.maximum(1 - signs(y) * p, 0) ** 2).mean(-1),
    "categorical_hinge": lambda y, p: np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_loss_at_the_edges_of_its_formula_and_of_steps_is_one_number_a_sample(name, cpu):
    prediction = abs(P) if name == "poisson" else P
    for y, p in ((Y, prediction), (np.stack([Y, Y[::-1]]), np.stack([prediction, prediction]))):
        close(getattr(losses, name)(y, p), FORMULAS[name](y, p))


@pytest.mark.parametrize("name", FORMULAS)
def test_whole_numbers_as_predictions_are_taken_as_floats(name, cpu):
    y, p = np.array([[0.5, 0.25, 1.0]]), np.array([[1, 2, 1]], "int32")
    close(getattr(losses, name)(y, ops.convert_to_tensor(p)), FORMULAS[name](y, p.astype("float64")))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("given", "predicted"), [((4,), (4, 1)), ((4, 1), (4,))])
def test_a_last_axis_of_size_1_may_be_left_out_of_what_a_loss_gets_and_of_the_functions_that_keras_aligns(name, given, predicted, cpu):
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.9, 0.4, 0.7])
    aligned, broadcast = FORMULAS[name](y[:, None], p[:, None]), FORMULAS[name](y.reshape(given), p.reshape(predicted))
    other = name in ("poisson", "kl_divergence", "hinge", "squared_hinge", "categorical_hinge")
    close(getattr(losses, name)(y.reshape(given), p.reshape(predicted)), broadcast if other else aligned)
    found = losses.LossFunctionWrapper(getattr(losses, name))(y.reshape(given), p.reshape(predicted))
    close(found, aligned.mean())


@pytest.mark.parametrize("y", [[[0.0, 1.0]], [[-1.0, 1.0]], [[-1.0, 0.0]]])
def test_targets_of_0_and_1_mean_minus_1_and_1(y, cpu):
    y, p = np.array(y), np.array([[0.3, -0.4]])
    close(losses.hinge(y, p), FORMULAS["hinge"](y, p))


@pytest.mark.parametrize("delta", [0.5, 2.0])
def test_huber_is_linear_beyond_delta(delta, cpu):
    error = abs(Y - P)
    expected = np.where(error <= delta, error**2 / 2, delta * error - delta**2 / 2)
    close(losses.huber(Y, P, delta), expected.mean(-1))
    close(losses.Huber(delta)(Y, P), expected.mean())


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_cosine_is_that_along_an_axis(axis, cpu):
    y, p = RNG.standard_normal((2, 4, 3))
    close(losses.cosine_similarity(y, p, axis=axis), -(unit(y, axis) * unit(p, axis)).sum(axis))
    close(losses.CosineSimilarity(axis=axis)(y, p), -(unit(y, axis) * unit(p, axis)).sum(axis).mean())


# ---- cross-entropies
def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def probabilities(p, axis, from_logits):
    return softmax(p, axis) if from_logits else p / p.sum(axis, keepdims=True)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("axis", [1, -1])
def test_categorical_crossentropy_with_each_option(from_logits, smoothing, axis, cpu):
    p = RNG.uniform(0.1, 0.9, (2, 4, 3))
    y = np.eye(3)[RNG.integers(0, 3, (2, 4))]
    p, y = (p, y) if axis == -1 else (p.transpose(0, 2, 1), y.transpose(0, 2, 1))
    # Keras, too, spreads by the size of the last axis
    expected = -((y * (1 - smoothing) + smoothing / y.shape[-1]) * np.log(probabilities(p, axis, from_logits))).sum(axis)
    options = {"from_logits": from_logits, "label_smoothing": smoothing, "axis": axis}
    close(losses.categorical_crossentropy(y, p, **options), expected)
    close(losses.CategoricalCrossentropy(reduction="none", **options)(y, p), expected)
    metric = pyml.metrics.CategoricalCrossentropy(**options)
    metric.update_state(y, p)
    close(metric.result(), expected.mean())


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_binary_crossentropy_with_each_option(from_logits, smoothing, cpu):
    p, y = RNG.uniform(0.1, 0.9, (4, 3)), RNG.integers(0, 2, (4, 3))
    q = 1 / (1 + np.exp(-p)) if from_logits else p
    smooth = y * (1 - smoothing) + smoothing / 2
    each = -(smooth * np.log(q) + (1 - smooth) * np.log(1 - q))
    options = {"from_logits": from_logits, "label_smoothing": smoothing}
    for axis in (0, -1):
        close(losses.binary_crossentropy(y, p, axis=axis, **options), each.mean(axis))
        close(losses.BinaryCrossentropy(axis=axis, reduction="none", **options)(y, p), each.mean(axis))
    metric = pyml.metrics.BinaryCrossentropy(**options)
    metric.update_state(y, p)
    close(metric.result(), each.mean())


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("ignored", [None, 1, 255])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("column", [False, True])
def test_sparse_categorical_crossentropy_with_each_option(from_logits, ignored, axis, column, cpu):
    p = RNG.uniform(0.1, 0.9, (2, 3, 3))
    y = np.array([[0, 1, 2], [2, 0, 1]])
    y = y if ignored is None else np.where(y == 1, ignored, y)
    q = probabilities(p, axis, from_logits)
    right = np.take_along_axis(q, np.expand_dims(np.where(y > 2, 0, y), axis), axis).squeeze(axis)
    expected = -np.log(right) * (1.0 if ignored is None else y != ignored)
    given = np.expand_dims(y, axis) if column else y
    options = {"from_logits": from_logits, "ignore_class": ignored, "axis": axis}
    close(losses.sparse_categorical_crossentropy(given, p, **options), expected)
    close(losses.SparseCategoricalCrossentropy(reduction="none", **options)(given, p), expected)
    if not column:                                # labels of shape (..., 1, 1) lose both, as in Keras
        columns = np.expand_dims(np.expand_dims(y, axis), -1)
        close(losses.SparseCategoricalCrossentropy(reduction="none", **options)(columns, p), expected)
    metric = pyml.metrics.SparseCategoricalCrossentropy(**options)
    metric.update_state(given, p)
    close(metric.result(), expected.mean())


def test_whole_numbers_as_logits_are_taken_as_floats(cpu):
    p, y = np.array([[1, 2, 0]], "int32"), np.array([[0.25, 0.5, 0.25]])
    close(losses.categorical_crossentropy(y, ops.convert_to_tensor(p), from_logits=True), -(y * np.log(softmax(p, -1))).sum(-1))


def test_only_a_single_class_is_warned_about(cpu):
    with pytest.warns(SyntaxWarning, match="single class"):
        losses.categorical_crossentropy([[1.0]], [[0.7]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses.categorical_crossentropy([[1.0, 0.0]], [[0.7, 0.3]])


@pytest.mark.parametrize(("make", "expected"), [
    (losses.BinaryCrossentropy, {"from_logits": False, "label_smoothing": 0.0, "axis": -1}),
    (losses.CategoricalCrossentropy, {"from_logits": False, "label_smoothing": 0.0, "axis": -1}),
    (losses.SparseCategoricalCrossentropy, {"from_logits": False, "ignore_class": None, "axis": -1}),
])  # fmt: skip
def test_cross_entropies_say_their_options(make, expected):
    loss = make()
    assert {name: getattr(loss, name) for name in expected} == expected
    assert loss.get_config() == {"name": loss.name, "reduction": "sum_over_batch_size", **expected}


# ---- weights, masks, reductions
def reduced(values, weights, reduction):
    """What a loss makes of its values, in float64; weights have an axis for each of the values."""
    total = (values * (1.0 if weights is None else weights)).sum()
    if reduction in (None, "none"):
        return values * (1.0 if weights is None else weights)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weights is not None:
        return total / weights.sum() if weights.sum() else 0.0
    return total / values.size


REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]


@every("shape, reduction", [*itertools.product([None, (4,), (1,), (4, 1), (4, 3), (1, 3)], REDUCTIONS)], blocks=1)
def test_weights_and_reductions(reduction, shape, cpu):
    y, p = RNG.standard_normal((2, 4, 3, 2))
    weights = None if shape is None else RNG.uniform(0.5, 2, shape)
    axes = None if weights is None else weights.reshape(*shape, *[1] * (2 - len(shape)))
    close(losses.MeanSquaredError(reduction=reduction)(y, p, weights), reduced(((y - p) ** 2).mean(-1), axes, reduction))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_that_are_all_0_make_a_loss_of_0(reduction, cpu):
    y, p = RNG.standard_normal((2, 4, 3))
    found = losses.MeanSquaredError(reduction=reduction)(y, p, np.zeros(4))
    close(found, np.zeros(found.shape))


def test_weights_of_a_column_fit_values_of_a_row(cpu):
    y, p = RNG.standard_normal((2, 4, 3))
    weights = np.array([1.0, 2.0, 0.0, 3.0])
    close(losses.MeanSquaredError()(y, p, weights[:, None]), (((y - p) ** 2).mean(-1) * weights).mean())


def test_a_loss_of_one_number_is_weighed_by_every_sample(device):
    x, y, weights = RNG.standard_normal((6, 3)), RNG.integers(0, 2, (6, 1)), np.arange(6.0)
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1)])
    model.compile("sgd", lambda t, p: pyml.ops.mean(pyml.ops.abs(t - p)))
    plain = model.evaluate(x, y, verbose=0)
    assert np.isclose(model.evaluate(x, y, verbose=0, sample_weight=weights), plain * weights.mean(), rtol=1e-4)
    history = model.fit(x, y, verbose=0, class_weight={0: 2.0, 1: 0.5}).history
    assert np.isclose(history["loss"][0], plain * np.where(y == 1, 0.5, 2.0).mean(), rtol=1e-4)


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 3, 2), (2, 3)])
def test_weights_that_do_not_fit_are_refused(shape, cpu):
    y, p = RNG.standard_normal((2, 4, 3, 5))
    with pytest.raises(pyml.errors.ShapeError, match=r"sample_weight of shape .* does not fit losses of shape \(4, 3\)"):
        losses.MeanSquaredError()(y, p, np.ones(shape))


@every("left, shape, reduction", [*itertools.product(["most", "one", "none"], [None, (4,), (4, 1), (4, 3)], REDUCTIONS)], blocks=1)
def test_steps_that_a_mask_leaves_out_do_not_count(reduction, shape, left, cpu):
    x, y = RNG.uniform(1, 2, (4, 3, 2)), RNG.standard_normal((4, 3, 2))
    x[1, 1:] = x[3] = 0
    if left != "most":
        x[0] = x[2] = 0
    if left == "none":
        x[1] = 0
    weights = None if shape is None else RNG.uniform(0.5, 2, shape)
    kept = (x != 0).any(-1).astype("float64")
    if reduction in ("sum_over_batch_size", "mean"):
        kept *= kept.size / max(kept.sum(), 1)
    all_weights = kept if weights is None else kept * weights.reshape(*shape, *[1] * (2 - len(shape)))
    found = losses.MeanSquaredError(reduction=reduction)(y, pyml.layers.Masking()(ops.convert_to_tensor(x.astype("float32"))), weights)
    close(found, reduced(((y - x) ** 2).mean(-1), all_weights, reduction))


@pytest.mark.parametrize(("first", "second", "expand", "expected"), [
    ((4, 3, 1), (4, 3), True, ((4, 3), (4, 3))), ((4, 3), (4, 3, 1), True, ((4, 3), (4, 3))),
    ((4, 1), (4,), True, ((4, 1), (4, 1))), ((4,), (4, 1), True, ((4, 1), (4, 1))),
    ((4, 1), (4,), False, ((4,), (4,))), ((4,), (4, 1), False, ((4,), (4,))),
    ((4, 3), (4,), True, ((4, 3), (4,))), ((4,), (4, 3), True, ((4,), (4, 3))),
    ((4, 1, 1), (4,), True, ((4, 1, 1), (4,))), ((4, 1), (4, 3), True, ((4, 1), (4, 3))),
])  # fmt: skip
def test_ranks_that_differ_by_one_are_made_the_same(first, second, expand, expected, cpu):
    found = squeeze_or_expand_to_same_rank(ops.ones(first), ops.ones(second), expand)
    assert tuple(tensor.shape for tensor in found) == expected


def test_a_loss_of_ones_own_has_the_defaults_of_all(cpu):
    class Fourth(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean((y_true - y_pred) ** 4, axis=-1)

    loss = Fourth()
    assert (loss.name, loss.reduction, loss.dtype) == ("fourth", "sum_over_batch_size", "float32")
    assert Fourth(name="own", reduction="sum").get_config() == {"name": "own", "reduction": "sum"}
    close(loss(np.array([[1.0, 2.0]]), np.array([[3, 2]])), 8.0)   # integers become floats
    with pytest.raises(ValueError, match="reduction must be one of"):
        Fourth(reduction="average")
    with pytest.raises(TypeError, match="Loss must define call"):
        losses.Loss()([1.0], [1.0])


def test_a_loss_computes_in_the_dtype_that_it_is_given(cpu):
    class Difference(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.max(ops.cast(y_true, y_pred.dtype) - y_pred, axis=-1)

    y, p = np.array([[5.5]]), np.array([[2.5]])
    found = [Difference(dtype=dtype, reduction="none")(y, p) for dtype in (None, "float32", "mixed_float16", "int32")]
    assert [(value.dtype, value.tolist()) for value in found] == [*2 * [("float32", [3.0])], ("float16", [3.0]), ("int32", [3])]
    with pytest.raises(ValueError, match="Cannot convert 'float31'"):
        Difference(dtype="float31")


def test_lists_beside_arrays_are_taken_as_arrays(cpu):
    y, p = np.array([[0.25, 0.5], [1.0, 0.0]]), np.array([[0.5, 0.75], [0.25, 0.5]])
    for given, predicted in ((y, p.tolist()), (y.tolist(), p), (y.tolist(), p.tolist())):
        close(losses.MeanSquaredError()(given, predicted), ((y - p) ** 2).mean())


def test_options_and_shapes_are_taken_up_to_their_limits(cpu):
    assert [losses.CategoricalGeneralizedCrossEntropy(q).q for q in (0.01, 0.99)] == [0.01, 0.99]
    for q in (0, 1, -0.5, 1.5):
        with pytest.raises(ValueError, match="q must lie in"):
            losses.CategoricalGeneralizedCrossEntropy(q)
    for axis in (True, False):
        with pytest.raises(ValueError, match="axis must be an integer"):
            losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]], axis=axis)
    assert losses.ctc(np.ones((2, 1), "int32"), np.zeros((2, 3, 2))).shape == (2,)
    steps = (np.arange(24).reshape(2, 4, 3) - 12) / 100                                            # a 0 between labels: as in Keras
    close(losses.ctc([[1, 2, 1, 0], [1, 2, 0, 2]], steps), [2.4429314, 2.4543595])
    for labels, scores in (((2,), (2, 3, 2)), ((2, 1), (2, 3)), ((2, 1, 1), (2, 3, 2)), ((2,), (3, 2))):
        with pytest.raises(pyml.errors.ShapeError, match="ctc: expected labels"):
            losses.ctc(np.ones(labels, "int32"), np.zeros(scores))


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_a_focal_loss_without_focus_is_the_plain_one_to_the_edges_of_certainty(from_logits, smoothing, cpu):
    y, p = np.eye(3)[[0, 1, 2, 0]], np.array([[0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    options = {"from_logits": from_logits, "label_smoothing": smoothing}
    plain, focal = losses.categorical_crossentropy, losses.categorical_focal_crossentropy
    np.testing.assert_allclose(focal(y, p, 1.0, 0.0, **options).numpy(), plain(y, p, **options).numpy(), rtol=1e-4)
    plain, focal = losses.binary_crossentropy, losses.binary_focal_crossentropy
    np.testing.assert_allclose(focal(y, p, gamma=0.0, **options).numpy(), plain(y, p, **options).numpy(), rtol=1e-4)


def test_epsilon_is_added_where_nothing_else_is_left_to_divide_by(cpu):
    close(losses.dice([[1.0]], [[-1.0]]), 1 + 2 / 1e-7)
    close(losses.tversky([[1.0]], [[-1.0]]), 1 + 1 / 1e-7)
    close(losses.cosine_similarity([[1e-8, 0.0]], [[1e-8, 0.0]]), [-0.01])


@every("loss", ["MeanSquaredError", "BinaryCrossentropy", "Huber", "CosineSimilarity", "KLDivergence", "Hinge"])
def test_a_loss_of_16_bits_gives_16_bits(loss):
    y, p = np.array([[0.0, 1.0]]), np.array([[0.3, 0.7]])
    wanted = float(getattr(losses, loss)()(y, p))
    for dtype in ("float16", "bfloat16"):
        found = getattr(losses, loss)(dtype=dtype)(y, p)
        assert found.dtype == dtype and float(found) == pytest.approx(wanted, rel=0.02)
    assert getattr(losses, loss)(dtype="float64")(y, p).dtype == "float32"


def test_a_function_gives_the_dtype_of_predictions_of_16_bits(cpu):
    y, labels = ops.convert_to_tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]], dtype="bfloat16"), np.array([1, 2])
    others = {
        "categorical_crossentropy": y, "binary_crossentropy": y, "sparse_categorical_crossentropy": labels,
        "categorical_focal_crossentropy": y, "binary_focal_crossentropy": y, "dice": y, "tversky": y, "circle": labels,
    }  # fmt: skip
    for name, target in {**dict.fromkeys(FORMULAS, y), **others}.items():
        more = {"ignore_class": 1} if name.startswith("sparse") else {}
        for dtype in ("float16", "bfloat16"):
            p = ops.convert_to_tensor([[0.25, 0.5, 0.75], [0.125, 0.5, 0.25]], dtype=dtype)
            found, wanted = getattr(losses, name)(target, p, **more), getattr(losses, name)(target, ops.cast(p, "float32"), **more)
            assert found.dtype == ("float32" if name == "mean_squared_logarithmic_error" else dtype), name
            assert ops.cast(wanted, found.dtype).tolist() == found.tolist(), name
            if more:
                assert found._keras_mask.tolist() == [False, True]


@pytest.mark.parametrize("kind", ["class", "function"])
def test_a_users_loss_gets_targets_of_its_own_dtype(kind):
    seen = []

    class Off(losses.Loss):
        def call(self, y_true, y_pred):
            seen.append(y_true.dtype)
            return ops.mean(abs(y_pred - y_true), axis=-1)

    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    model.compile("sgd", Off() if kind == "class" else lambda y_true, y_pred: Off().call(y_true, y_pred))
    model.fit(np.ones((4, 2)), np.array([[0], [1], [1], [0]]), verbose=0)
    assert set(seen) == {"float32"}
