"""What users of Keras and TensorFlow.js have reported as wrong there, done right here."""

import numpy as np
import pytest

import pyml
from pyml import Input, Model, Sequential, layers, ops


# ---- copies of models
class Square(layers.Layer):
    """A layer that nobody has registered."""

    def call(self, x):
        return x * x


CLONED = {
    "a layer of one's own in a graph": (lambda i: Model(i, Square()(i)), 9.0),
    "a layer of one's own in a row": (lambda i: Sequential([i, Square()]), 9.0),
    "ops between layers": (lambda i: Model(i, ops.relu(i) * 2 + 1), 7.0),
    "slices between layers": (lambda i: Model(i, layers.Concatenate()([i[:, 1:], i[:, :1]])), 3.0),
}


@pytest.mark.parametrize("what", CLONED)
def test_a_model_is_cloned_with_layers_of_ones_own_and_ops_between_layers(cpu, what):
    make, expected = CLONED[what]
    model = make(Input((2,)))
    copy = pyml.models.clone_model(model)
    assert not {id(layer) for layer in model.layers} & {id(layer) for layer in copy.layers}
    np.testing.assert_array_equal(copy.predict(np.full((1, 2), 3.0), verbose=0), np.full((1, 2), expected))


# ---- outputs in a dict
@pytest.mark.parametrize(("names", "compiled"), [
    (["a_loss", "b_loss", "loss"], {"loss": {"a": "mse", "b": "mae"}}),
    (["a_loss", "b_loss", "loss"], {"loss": "mse"}),
    (["a_loss", "a_mae", "b_loss", "loss"], {"loss": "mse", "metrics": {"a": ["mae"]}}),
    (["a_loss", "b_loss", "loss"], {"loss": "mse", "loss_weights": {"a": 1.0, "b": 0.5}}),
])  # fmt: skip
def test_outputs_in_a_dict_take_losses_metrics_and_weights_by_their_keys(cpu, names, compiled):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), {"a": rng.normal(size=(8, 2)), "b": rng.normal(size=(8, 2))}
    i = Input((3,))
    model = Model(i, {"a": layers.Dense(2)(i), "b": layers.Dense(2)(i)})
    model.compile("sgd", **compiled)
    found = model.predict(x, verbose=0)
    judged = model.evaluate(x, y, verbose=0, return_dict=True)
    kinds = compiled["loss"] if isinstance(compiled["loss"], dict) else {"a": "mse", "b": "mse"}
    weights = compiled.get("loss_weights", {"a": 1.0, "b": 1.0})
    error = {key: found[key] - y[key] for key in y}
    of = {key: float(np.mean(error[key] ** 2 if kinds[key] == "mse" else np.abs(error[key]))) for key in y}
    assert judged["a_loss"] == pytest.approx(of["a"], rel=1e-5) and judged["b_loss"] == pytest.approx(of["b"], rel=1e-5)
    assert judged["loss"] == pytest.approx(weights["a"] * of["a"] + weights["b"] * of["b"], rel=1e-5)
    assert sorted(model.fit(x, y, verbose=0).history) == names


# ---- classes that do not count
def test_an_ignored_class_does_not_count_in_the_mean_of_a_loss(device):
    labels = np.array([[0, -1, 2, -1]])
    p = np.float32([[[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.2, 0.2, 0.6], [0.3, 0.3, 0.4]]])
    expected = -(np.log(0.7) + np.log(0.6)) / 2  # over the two that count, not over four
    loss = pyml.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert float(loss(labels, p)) == pytest.approx(expected, rel=1e-5)
    model = Sequential([Input((4, 3)), layers.Activation("linear")])
    model.compile("sgd", loss)
    assert model.evaluate(p, labels, verbose=0) == pytest.approx(expected, rel=1e-5)


# ---- whole numbers
PRODUCTS = {"matmul": ops.matmul, "@": lambda a, b: a @ b, "dot": ops.dot, "tensordot": lambda a, b: ops.tensordot(a, b, 1),
            "einsum": lambda a, b: ops.einsum("ij,jk->ik", a, b)}  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS)
def test_products_of_whole_numbers_are_whole_and_exact(device, product):
    a, b = ops.convert_to_tensor(np.int32([[16777217, 1]])), ops.convert_to_tensor(np.int32([[1], [1]]))
    found = PRODUCTS[product](a, b)
    assert found.dtype == "int32" and found.numpy().tolist() == [[16777218]]  # which no float32 is


def test_powers_of_whole_numbers_are_exact(device):
    assert ops.power(ops.convert_to_tensor(np.int32([3, -3])), np.int32([13, 19])).numpy().tolist() == [3**13, -(3**19)]


# ---- rows of which nothing is left
def test_a_row_with_nothing_left_has_a_softmax_of_0(device):
    found = layers.Softmax()(np.float32([[1, 2, 3, 4], [1, 1, 9, 9]]), mask=np.array([[False] * 4, [True, True, False, False]]))
    np.testing.assert_allclose(found.numpy(), [[0, 0, 0, 0], [0.5, 0.5, 0, 0]], atol=1e-6)


def test_scores_of_a_query_that_may_see_nothing_are_0(device):
    q = np.random.default_rng(0).normal(size=(1, 3, 4)).astype("f4")
    mask = np.ones((1, 3, 3), bool)
    mask[0, 2] = False
    _, scores = layers.MultiHeadAttention(2, 2)(q, q, attention_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(scores.numpy().sum(-1), [[[1, 1, 0]] * 2], atol=1e-5)


def test_keys_of_metrics_that_return_dicts_come_last_in_lists_sorted(cpu):
    class Two(pyml.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            return super().update_state(y_pred)

        def result(self):
            return {"zoo": super().result(), "apple": super().result() * 2}

    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[Two(), "mae"])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    assert model.evaluate(x, y, verbose=0) == [4.0, 2.0, 6.0, 3.0]      # loss, mae, then apple, zoo
    assert model.test_on_batch(x, y) == [4.0, 2.0, 6.0, 3.0]


ORDERS = {  # outputs, losses, and the losses in the order of the list that `evaluate` returns
    "a dict of losses": ({"z": 1.0, "b": 2.0, "m": 3.0}, {"m": "mse", "z": "mse", "b": "mse"}, [9, 1, 4]),
    "one loss": ({"z": 1.0, "b": 2.0, "m": 3.0}, "mse", [1, 4, 9]),
    "a dict in a list": ([{"z": 1.0, "b": 2.0}, 3.0], [{"z": "mse", "b": "mse"}, "mse"], [1, 4, 9]),
    "a list in a dict": ({"o": [2.0, 1.0], "c": 3.0}, {"o": ["mse", "mae"], "c": "mse"}, [4, 1, 9]),
    "outputs in a list": ([3.0, 1.0, 2.0], "mse", [9, 1, 4]),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_losses_of_outputs_are_listed_in_the_order_in_which_they_were_given(kind, cpu):
    factors, losses, want = ORDERS[kind]
    i = Input((1,))
    model = Model(i, pyml.tree.map_structure(lambda factor: i * factor, factors))
    model.compile("sgd", losses)
    x, y = np.ones((4, 1), "float32"), pyml.tree.map_structure(lambda _: np.zeros((4, 1), "float32"), factors)
    assert model.evaluate(x, y, verbose=0) == [sum(want), *want]
    assert model.test_on_batch(x, y) == [sum(want), *want]
