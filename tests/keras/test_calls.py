"""What fit, evaluate, predict and the on_batch methods refuse: one sentence, before anything has run."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import blobs, classifier

import pyml

X, Y = blobs(12)


def nothing_ran(model, call, error, message):
    before = model.get_weights()
    with pytest.raises(error, match=message):
        call()
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("data", "error", "message"), [
    ([], ValueError, r"x is empty.*x=\[\]"), ({}, ValueError, r"x is empty"), (None, ValueError, "no data was given"),
    ("abc", TypeError, r"'abc'|must hold numbers. Received: str"), (len, TypeError, "builtin_function_or_method"),
    (np.array([["a"] * 6] * 12), TypeError, "must hold numbers. Received: array of <U1"),
    (np.array([[object()] * 6] * 12), TypeError, "must hold numbers. Received: array of object"),
    (np.ones((12, 6), complex), TypeError, "complex128"), ([[1.0, 2.0], [3.0]], ValueError, "rows have different lengths"),
    (np.ma.masked_array(X, mask=X > 0), TypeError, r"masked.*filled\(0\)"), (np.float32(3), ValueError, "a single number"),
    (np.full((12, 6), 2**40), TypeError, "do not fit int32")])  # fmt: skip
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"])
def test_data_that_cannot_be_used(method, data, error, message):
    model = classifier()
    silent = {} if method.endswith("on_batch") else {"verbose": 0}
    targets = () if method.startswith("predict") else (Y,)
    nothing_ran(model, lambda: getattr(model, method)(data, *targets, **silent), error, message)


@pytest.mark.parametrize("data", [iter([]), (x for x in ()), np.ones((0, 6))])
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_data_without_samples(method, data):
    model = classifier()
    nothing_ran(model, lambda: getattr(model, method)(data, verbose=0), ValueError, f"{method}: .*(no batches|no samples)")


@pytest.mark.parametrize(("argument", "values"), [
    ("batch_size", [0, -1, 2.5, "a", True]), ("steps_per_epoch", [0, -2, 1.5]), ("epochs", [-1, None, 1.5]), ("initial_epoch", [-1]),
    ("verbose", [3, "loud"]), ("validation_split", [-0.1, 1, 2.0, "half"]), ("class_weight", [[1, 2], {"a": 1.0}, {0: "x"}]),
    ("validation_freq", [0, 1.5, "often"]), ("validation_batch_size", [0]), ("validation_steps", [0])])  # fmt: skip
def test_arguments_of_fit_out_of_range(argument, values):
    for value in values:
        model = classifier()
        data = {"validation_data": (X, Y)} if argument in ("validation_batch_size", "validation_steps", "validation_freq") else {}
        nothing_ran(model, lambda model=model, data=data, value=value: model.fit(X, Y, **{"verbose": 0, argument: value, **data}),
                    (ValueError, TypeError), f"fit: {argument}.*")  # fmt: skip


@pytest.mark.parametrize(("argument", "values"), [("batch_size", [0, -1, 2.5]), ("steps", [0, -1]), ("verbose", [7])])
@pytest.mark.parametrize("method", ["evaluate", "predict"])
def test_arguments_of_evaluate_and_predict_out_of_range(method, argument, values):
    for value in values:
        model = classifier()
        targets = () if method == "predict" else (Y,)
        with pytest.raises((ValueError, TypeError), match=f"{method}: {argument}.*{value}"):
            getattr(model, method)(X, *targets, **{"verbose": 0, argument: value})


def test_targets_are_asked_for_by_name():
    for call in (lambda model: model.fit(X, verbose=0), lambda model: model.evaluate(iter([X]), verbose=0)):
        with pytest.raises(ValueError, match="need targets y"):
            call(classifier())


def test_an_iterator_that_is_used_up_says_so():
    used = iter([(X, Y)])
    with pytest.warns(UserWarning, match="An iterator yields its batches only once"):
        classifier().fit(used, epochs=2, verbose=0)
    with pytest.raises(ValueError, match="is it exhausted"):
        classifier().fit(used, verbose=0)


def test_training_without_an_optimizer_says_so():
    model = classifier(optimizer=None)
    assert len(model.evaluate(X, Y, verbose=0)) == 2
    with pytest.raises(ValueError, match="without an optimizer"):
        model.fit(X, Y, verbose=0)


def test_the_other_byte_order_and_masks_that_hide_nothing_are_numbers():
    model = classifier()
    expected = model.predict(X, verbose=0)
    for same in (X.astype(">f4"), X.astype(">f8"), np.ma.masked_array(X), np.asfortranarray(X), X[::-1][::-1], X.tolist()):
        np.testing.assert_allclose(model.predict(same, verbose=0), expected, atol=1e-6)
        model.fit(same, Y.astype(">i8"), epochs=0, verbose=0)


@pytest.mark.parametrize("kind", [pyml.layers.SimpleRNN, pyml.layers.GRU, pyml.layers.LSTM])
def test_sequences_without_steps(kind):
    with pytest.raises(ValueError, match=r'"reader" needs sequences of one step or more; received shape \(2, 0, 4\)'):
        kind(3, name="reader")(np.zeros((2, 0, 4)))


# ---- calls within calls
class Then(pyml.callbacks.Callback):
    """Does something after each epoch."""

    def __init__(self, work):
        super().__init__()
        self.work, self.result = work, None

    def on_epoch_end(self, epoch, logs=None):
        self.result = self.work(self.model)


def elsewhere(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize("work", [
    lambda model: model.fit(X, Y, verbose=0), lambda model: elsewhere(lambda: model.fit(X, Y, verbose=0)),
    lambda model: elsewhere(lambda: model.evaluate(X, Y, verbose=0))], ids=["fit", "fit in a thread", "evaluate in a thread"])  # fmt: skip
def test_a_model_that_trains_is_busy(work):
    model = classifier()
    with pytest.raises(RuntimeError, match="is already running a call of fit"):
        model.fit(X, Y, verbose=0, callbacks=[Then(work)])
    model.fit(X, Y, verbose=0)  # and not busy any more


def test_a_task_does_not_evaluate_a_model_that_another_one_trains():
    async def both(model):
        await asyncio.gather(model.fit_async(X, Y, epochs=2, verbose=0), model.evaluate_async(X, Y, verbose=0))

    with pytest.raises(RuntimeError, match=r"evaluate: .*already running a call of fit"):
        asyncio.run(both(classifier()))


def test_a_model_that_trains_predicts_in_another_thread():
    model, looked = classifier(), Then(lambda model: elsewhere(lambda: model.predict(X, verbose=0)))
    model.fit(X, Y, verbose=0, callbacks=[looked])
    np.testing.assert_allclose(looked.result, model.predict(X, verbose=0), atol=1e-6)


def test_evaluating_in_a_callback_leaves_the_metrics_and_the_validation_data_of_fit():
    other_x, other_y = blobs(12, seed=9)

    class Evaluates(pyml.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.evaluate(other_x, other_y, verbose=0)

    def history(*callbacks):
        return classifier().fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y), callbacks=callbacks).history

    for name, expected in history().items():
        np.testing.assert_allclose(history(Evaluates())[name], expected, rtol=1e-5)


# ---- batches of a fixed size
def fixed(kind="sequential", **kwargs):
    x = pyml.Input((6,), batch_size=4, **kwargs)
    model = pyml.Sequential([x, pyml.layers.Dense(3)]) if kind == "sequential" else pyml.Model(x, pyml.layers.Dense(3)(x))
    model.compile("sgd", "mse")
    return model


TARGETS = np.ones((12, 3), "float32")


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_model_of_a_fixed_batch_size_trains_evaluates_and_predicts_without_being_told_it(kind):
    model = fixed(kind)
    losses = model.fit(X, TARGETS, epochs=5, validation_data=(X[:8], TARGETS[:8]), verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.evaluate(X, TARGETS, verbose=0) < losses[0]
    assert model.predict(X, verbose=0).shape == (12, 3)
    assert model.predict_on_batch(X[:4]).shape == (4, 3)
    assert model.train_on_batch(X[:4], TARGETS[:4]) > 0


STEPS = np.ones((12, 5, 3), "float32")


def remembering():
    model = pyml.Sequential([pyml.Input(batch_shape=(4, 5, 3)), pyml.layers.LSTM(3, stateful=True)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(("call", "message"), [
    (lambda m: m.fit(STEPS, TARGETS, batch_size=3, verbose=0), "fit: .*exactly 4 samples.*batch_size=3"),
    (lambda m: m.fit(STEPS[:6], TARGETS[:6], verbose=0), "fit: .*exactly 4 samples.*6 samples, which leaves 2"),
    (lambda m: m.evaluate(STEPS[:6], TARGETS[:6], verbose=0), "evaluate: .*exactly 4 samples.*leaves 2"),
    (lambda m: m.predict(STEPS[:6], verbose=0), "predict: .*exactly 4 samples.*leaves 2"),
    (lambda m: m.fit(STEPS, TARGETS, validation_data=(STEPS[:6], TARGETS[:6]), verbose=0), "validation_data: .*leaves 2"),
    (lambda m: m.train_on_batch(STEPS, TARGETS), "stateful for batches of 4 samples; received 12"),
    (lambda m: m.fit(iter([(STEPS, TARGETS)]), verbose=0), "stateful for batches of 4 samples; received 12")])  # fmt: skip
def test_batches_of_another_size_than_the_fixed_one(call, message):
    model = remembering()
    nothing_ran(model, lambda: call(model), ValueError, message)


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_a_model_that_remembers_nothing_takes_batches_of_other_sizes_than_its_input_says(kind):
    model = fixed(kind)
    model.fit(X[:6], TARGETS[:6], batch_size=5, verbose=0)
    want = X @ model.get_weights()[0] + model.get_weights()[1]
    for found in (model.predict(X[:6], verbose=0), model(X[:6])):
        np.testing.assert_allclose(np.asarray(found), want[:6], atol=1e-5)
    assert np.isclose(model.evaluate(X[:7], TARGETS[:7], verbose=0), ((want[:7] - 1) ** 2).mean(), atol=1e-5)


def test_a_stateful_layer_trains_with_a_fixed_batch_size(device):
    model = pyml.Sequential([pyml.Input(batch_shape=(4, 5, 3)), pyml.layers.LSTM(6, stateful=True), pyml.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.random.default_rng(0).normal(size=(8, 5, 3)), np.ones((8, 1))
    losses = model.fit(x, y, epochs=3, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert np.isfinite(model.evaluate(x, y, verbose=0))
    first, second = model.predict_on_batch(x[:4]), model.predict_on_batch(x[:4])
    assert not np.allclose(first, second)  # the state went on


def test_a_layer_that_writes_compute_mask_gives_its_outputs_masks():
    class Halves(pyml.layers.Layer):
        def call(self, inputs):
            return pyml.ops.split(inputs, 2, axis=1)

        def compute_mask(self, inputs, mask=None):
            return None if mask is None else pyml.ops.split(mask, 2, axis=1)

    numbers = np.array([[1, 0, 2, 0], [0, 3, 0, 4]])
    outputs = Halves()(pyml.layers.Embedding(5, 2, mask_zero=True)(numbers))
    assert [output._keras_mask.numpy().tolist() for output in outputs] == [[[True, False], [False, True]]] * 2
    i = pyml.Input((4,), dtype="int32")
    first, _ = Halves()(pyml.layers.Embedding(3, 3, mask_zero=True, embeddings_initializer="identity")(i))
    model = pyml.Model(i, pyml.layers.GlobalAveragePooling1D()(first))
    assert model.predict(np.array([[1, 0, 2, 0], [0, 2, 1, 1]]), verbose=0).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert not pyml.layers.Layer().supports_masking and Halves().supports_masking


def test_a_layer_that_joins_masked_inputs_carries_the_mask_of_the_first(cpu):
    class Joined(pyml.layers.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def call(self, inputs, mask=None):
            assert len(mask) == 2
            return inputs[0] + inputs[1]

    table = pyml.layers.Embedding(5, 2, mask_zero=True)
    a, b = pyml.Input((3,)), pyml.Input((3,))
    y = Joined()([table(a), table(b)])
    assert y._keras_mask.shape == (None, 3)
    out = pyml.Model([a, b], y)([np.array([[1, 2, 0]]), np.array([[1, 0, 0]])])
    assert out._keras_mask.tolist() == [[True, True, False]]


def test_a_mask_that_a_layer_loses_is_told_once(cpu):
    ids, table = np.array([[1, 2, 0]]), pyml.layers.Embedding(5, 2, mask_zero=True)
    for given in (lambda: table(ids), lambda: table(pyml.Input((3,)))):
        layer = pyml.layers.Flatten(name="flat")
        with pytest.warns(UserWarning, match=r"Layer 'flat' \(of type Flatten\).*does not support masking") as told:
            layer(given())
            layer(given())
        assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pyml.Sequential([table, pyml.Sequential([pyml.layers.Dense(2), pyml.layers.LSTM(2)])])(ids)
        pyml.layers.MultiHeadAttention(1, 2)(table(ids), table(ids))


def test_tables_of_models_call_ops_by_their_names(capsys):
    x = pyml.Input((4,))
    pyml.Model(x, pyml.ops.expand_dims(x + 1, -1)).summary()
    assert "(ExpandDims)" in (table := capsys.readouterr().out) and "(Add)" in table


# ---- structures inside structures
NESTED = {
    "a dict in a list": lambda a, b: [{"z": a + 1, "y": b * 2}, a],
    "a list in a dict": lambda a, b: {"o": [b * 2, {"z": a + 1, "b": b}], "a": (a,)},
    "dicts in a dict": lambda a, b: {"z": {"q": a, "p": b + 3}, "a": {"z": b, "c": a - 1}},
}


@pytest.mark.parametrize("kind", NESTED)
def test_predictions_keep_their_places_in_any_structure(kind, device):
    a, b = pyml.Input((2,), name="a"), pyml.Input((2,), name="b")
    model = pyml.Model({"z": a, "c": [b]}, NESTED[kind](a, b))
    x = {"z": np.arange(10, dtype="float32").reshape(5, 2), "c": [np.arange(10, 20, dtype="float32").reshape(5, 2)]}
    want = NESTED[kind](x["z"], x["c"][0])
    for found in (model(x), model.predict(x, batch_size=3, verbose=0), model.predict_on_batch(x)):
        pyml.tree.assert_same_structure(found, want)
        pyml.tree.map_structure(lambda one, other: np.testing.assert_allclose(one, other), found, want)


def test_a_sequential_without_an_input_takes_every_size_that_its_layers_take(device):
    layers = pyml.layers
    pictures = pyml.Sequential([layers.Conv2D(2, 3, padding="same", kernel_initializer="ones"), layers.GlobalMaxPooling2D()])
    words = pyml.Sequential([layers.Embedding(9, 4), layers.LSTM(3), layers.Dense(1)])
    words.compile("sgd", "mse")
    for size in (5, 7, 4):
        np.testing.assert_allclose(pictures.predict(np.ones((2, size, size + 1, 1)), verbose=0), np.full((2, 2), 9.0))
        assert np.isfinite(words.fit(np.ones((3, size), "int32"), np.ones((3, 1)), verbose=0).history["loss"][0])
    with pytest.raises(ValueError, match="conv2d"):
        pictures(np.ones((2, 5, 5, 3)))
    with pytest.raises(ValueError, match=r"rank|wrong shape|dimensions"):
        pictures(np.ones((5, 5)))


def test_a_mask_goes_to_the_first_output_and_never_over_one_that_a_layer_inside_made_as_in_keras(cpu):
    class Turned(pyml.layers.Layer):
        def __init__(self, call, turns=False):
            super().__init__()
            self.supports_masking, self.function, self.turns = True, call, turns

        def call(self, x):
            return self.function(x)

        def compute_mask(self, x, mask=None):
            return mask if mask is None or not self.turns else ~mask

    def marks(outputs):
        return [None if (mask := getattr(y, "_keras_mask", None)) is None else mask.numpy().tolist() for y in pyml.tree.flatten(outputs)]

    given, inputs = pyml.layers.Masking()(np.array([[[1.0], [0.0]]])), pyml.Input((2, 1))
    for function, found in ((lambda x: [x * 1, x * 2], [[[True, False]], None]), (Turned(lambda x: x + 1, turns=True), [[[False, True]]]),
                            (lambda x: {"b": x * 1, "a": x * 2}, [[[True, False]], None])):  # fmt: skip
        assert marks(Turned(function)(given)) == found
        assert marks(pyml.Model(inputs, Turned(function)(pyml.layers.Masking()(inputs)))(np.array([[[1.0], [0.0]]]))) == found
