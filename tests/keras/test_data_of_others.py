"""Data frames, loaders and batches of other libraries, which fit knows by what they can do."""

import numpy as np
import pytest

import pyml
from pyml import layers

X = np.arange(24, dtype="float32").reshape(8, 3) / 24
Y = X[:, :2] * 2


class Frame:
    """As pandas has them: iterating gives the names of columns."""

    columns = ("a", "b", "c")

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values

    def __len__(self):
        return len(self.values)

    def __iter__(self):
        return iter(self.columns)


class Loader:
    """As PyTorch has them: lists of tensors, again in every epoch."""

    def __len__(self):
        return 4

    def __iter__(self):
        return ([Frame(X[k:k + 2]), Frame(Y[k:k + 2])] for k in range(0, 8, 2))


def fitted(*data, **how):
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2, kernel_initializer="ones")])
    model.compile(pyml.optimizers.SGD(0.1), "mse")
    history = model.fit(*data, epochs=2, shuffle=False, verbose=0, **how).history["loss"]
    return history, model


def test_frames_and_loaders_train_as_arrays_do(cpu):
    expected, _ = fitted(X, Y, batch_size=2)
    assert fitted(Frame(X), Frame(Y), batch_size=2)[0] == pytest.approx(expected)
    history, model = fitted(Loader(), validation_data=Loader())
    assert history == pytest.approx(expected)
    assert model.predict(Loader(), verbose=0).shape == (8, 2)
    assert model.evaluate(Loader(), verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


class Column(Frame):
    """As pandas has columns of text: their dtype is none of numpy's."""

    dtype = "str"


def test_columns_of_text_and_tables_of_one_column_are_inputs_by_name(cpu):
    words, sizes = np.array(["red", "blue", "red", "red"], dtype=object), np.array([[1.0], [2.0], [3.0], [4.0]])
    color, size = pyml.Input((1,), dtype="string", name="color"), pyml.Input((1,), name="size")
    looked = layers.StringLookup(vocabulary=["red", "blue"], output_mode="one_hot")(color)
    model = pyml.Model({"color": color, "size": size}, layers.Concatenate()([looked, size]))
    model.compile("sgd", "mse")
    expected = [[0, 1, 0, 1], [0, 0, 1, 2], [0, 1, 0, 3], [0, 1, 0, 4]]
    for given in ({"color": Column(words), "size": sizes[:, 0]}, {"color": Frame(words[:, None]), "size": Frame(sizes)}):
        np.testing.assert_array_equal(model(given), expected)
        np.testing.assert_array_equal(model.predict(given, verbose=0), expected)
    assert model.evaluate({"color": Column(words), "size": sizes[:, 0]}, np.array(expected), verbose=0) == 0


@pytest.mark.parametrize("flags", [[True, False] * 4, [3, 7] * 4], ids=["yes and no", "whole numbers of a nullable column"])
def test_columns_of_several_kinds_of_numbers_train_as_one_array(cpu, flags):
    mixed = Frame(np.array([[*row, flag] for row, flag in zip(X[:, :2].tolist(), flags, strict=True)], dtype=object))
    plain = np.column_stack([X[:, :2], np.array(flags, "float32")])
    expected, model = fitted(plain, Y)
    history, own = fitted(mixed, Y)
    assert history == pytest.approx(expected)
    np.testing.assert_array_equal(own.predict(mixed, verbose=0), model.predict(plain, verbose=0))


@pytest.mark.parametrize(("last", "told"), [
    ("owl", r"holds text, 'owl' in row 5; make numbers of it \(layers.StringLookup, pandas.get_dummies\) or leave it out"),
    (None, r"has no value in row 5 \(None\); fill it \(fillna\) or leave the row out \(dropna\)"),
])  # fmt: skip
def test_a_column_without_numbers_is_named_with_its_row(cpu, last, told):
    cells = X.astype(object)
    cells[5, 2] = last
    with pytest.raises(TypeError, match=f"fit: x must hold numbers. Received: a Frame whose column 'c' {told}"):
        fitted(Frame(cells), Y)


def test_labels_in_words_are_named_with_what_makes_numbers_of_them(cpu):
    for words in (np.array(["cat", "dog"] * 4), np.array(["cat", "dog"] * 4, dtype=object), ["cat", "dog"] * 4):
        with pytest.raises(TypeError, match=r"y must hold numbers. Received: .*'cat'.*np.unique\(y, return_inverse=True\)"):
            fitted(X, words)


def test_a_step_gets_what_the_user_passed(cpu):
    given = []

    class Asked(pyml.Model):
        def train_step(self, data):
            given.append(type(data).__name__ if not isinstance(data, tuple) else len(data))
            return {"seen": 1.0}

    i = pyml.Input((3,))
    for data, how in (((X,), {}), ((X, Y), {}), ((X, Y), {"sample_weight": np.ones(8)}), ((Loader(),), {}), (({"x": X},), {})):
        model = Asked(i, layers.Dense(2)(i))
        model.compile("sgd")
        model.fit(*data, batch_size=8, verbose=0, **how)
    assert given == ["Tensor", 2, 3, 2, "dict"]


@pytest.mark.parametrize("written_out", [None, 0], ids=["as an array", "batch by batch"])
def test_sparse_matrices_of_scipy_train_and_predict_as_arrays_do(cpu, monkeypatch, written_out):
    sparse = pytest.importorskip("scipy.sparse")
    if written_out is not None:
        monkeypatch.setattr("pyml.trainers.sparse_rows.WRITTEN_OUT", written_out)
    x = np.where(X > 0.5, X, 0)
    expected, model = fitted(x, Y, batch_size=3)
    for matrix in (sparse.csr_matrix(x), sparse.coo_matrix(x), sparse.csc_array(x)):
        history, again = fitted(matrix, Y, batch_size=3)
        assert history == pytest.approx(expected)
        assert again.evaluate(matrix, Y, verbose=0) == pytest.approx(model.evaluate(x, Y, verbose=0))
        np.testing.assert_allclose(again.predict(matrix, batch_size=3, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
