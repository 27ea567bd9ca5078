"""`fit`, `evaluate` and `predict` of datasets: like arrays, lazily, in constant memory."""

import asyncio
import gc
import tracemalloc

import numpy as np
import pytest

import pyml
from pyml.data import Dataset, csv
from pyml.errors import ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = (X.sum(axis=1, keepdims=True) > 0).astype("float32")
BATCHES = Dataset.from_tensor_slices((X, Y)).batch(16)


def classifier(features=4):
    pyml.utils.set_random_seed(1)
    model = pyml.Sequential([pyml.Input((features,)), pyml.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def history(*args, **kwargs):
    return classifier().fit(*args, verbose=0, **kwargs).history


def close(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)


def counting(n=5):
    """A dataset of batches, and how many of them were made."""
    made = []

    def batches():
        for i in range(n):
            made.append(i)
            yield X[:8], Y[:8]

    return Dataset.from_generator(batches), made


def test_batches_train_as_arrays_do(device):
    arrays = history(X, Y, batch_size=16, shuffle=False, epochs=2, validation_data=(X, Y))
    close(history(BATCHES, epochs=2, validation_data=BATCHES), arrays)


def test_evaluate_and_predict_give_what_arrays_give(device):
    model = classifier()
    np.testing.assert_allclose(model.evaluate(BATCHES, verbose=0), model.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(model.predict(BATCHES, verbose=0), model.predict(X, verbose=0), rtol=1e-5)
    assert model.predict(BATCHES.map(lambda x, y: x), steps=2, verbose=0).shape == (32, 1)


def test_sample_weights_come_with_the_batches():
    weights = RNG.random(40).astype("float32")
    weighted = Dataset.from_tensor_slices((X, Y, weights)).batch(16)
    close(history(weighted), history(X, Y, sample_weight=weights, batch_size=16, shuffle=False))


def test_batches_may_be_tensors(device):
    tensors = BATCHES.map(lambda x, y: (pyml.convert_to_tensor(x) * 1.0, y))
    close(history(tensors), history(BATCHES))
    close(asyncio.run(classifier().fit_async(tensors, verbose=0)).history, history(BATCHES))


def test_dicts_and_tuples_feed_models_with_several_inputs():
    a, b = pyml.Input((4,), name="a"), pyml.Input((4,), name="b")
    model = pyml.Model({"a": a, "b": b}, pyml.layers.Dense(1)(pyml.layers.Concatenate()([a, b])))
    model.compile(optimizer="sgd", loss="mse")
    losses = model.fit(BATCHES.map(lambda x, y: ({"a": x, "b": -x}, y)), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_with_steps_an_epoch_takes_what_the_last_one_has_left():
    ds, made = counting(5)
    with pytest.warns(UserWarning, match="ran out of data after 1 of the 4 steps"):
        logs = history(ds, epochs=3, steps_per_epoch=4)
    assert len(logs["loss"]) == 3 and made == [*range(5), *range(4)]
    endless = history(BATCHES.repeat(), epochs=2, steps_per_epoch=3)
    close(endless, history(BATCHES, epochs=2))


def test_validation_starts_from_the_beginning_each_time():
    ds, made = counting(5)
    history(BATCHES, epochs=2, validation_data=ds, validation_steps=2)
    assert made == [0, 1, 0, 1]
    with pytest.warns(UserWarning, match="ran out of data after 5 of the 9 steps"):
        shorter = classifier().evaluate(ds, steps=9, verbose=0, return_dict=True)
    close(shorter, classifier().evaluate(ds, verbose=0, return_dict=True))


def test_each_epoch_is_a_pass_and_reads_no_more():
    ds, made = counting(3)
    history(ds, epochs=2)
    assert made == [0, 1, 2] * 2
    classifier().predict(ds, steps=2, verbose=0)
    assert made == [0, 1, 2] * 2 + [0, 1]


def test_sources_that_wait_train_with_fit_and_fit_async():
    async def later(x, y):
        await asyncio.sleep(0)
        return x, y

    waits = BATCHES.map(later).prefetch(2)
    expected = history(BATCHES, epochs=2)
    close(history(waits, epochs=2), expected)

    async def both():
        model = classifier()
        logs = (await model.fit_async(waits, epochs=2, verbose=0, validation_data=waits)).history
        return logs, await model.evaluate_async(waits, verbose=0), await model.predict_async(waits, verbose=0)

    logs, evaluated, predicted = asyncio.run(both())
    close({name: logs[name] for name in expected}, expected)
    assert evaluated[0] == pytest.approx(logs["val_loss"][-1]) and predicted.shape == (40, 1)


def test_a_stopped_fit_closes_its_source():
    closed = []

    def batches():
        try:
            while True:
                yield X[:8], Y[:8]
        finally:
            closed.append(True)

    class Stop(pyml.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 2

    history(Dataset.from_generator(batches), callbacks=[Stop()])
    assert closed == [True]
    with pytest.raises(ShapeError):
        history(Dataset.from_generator(batches).map(lambda x, y: (x[:, :2], y)))
    assert closed == [True, True]


def test_a_csv_with_missing_values_trains(tmp_path):
    path = tmp_path / "homes.csv"
    rows = "\n".join(f"{i % 7},{'' if i % 5 == 0 else i % 3},{i % 7 + i % 3}" for i in range(60))
    path.write_text(f"rooms,age,price\n{rows}\n")
    homes = csv(path, column_configs={"age": {"default": 1}, "price": {"is_label": True}})
    batches = homes.map(lambda x, y: ([x["rooms"], x["age"]], [y["price"]])).shuffle(60, seed=0).batch(10)
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    model.compile(optimizer=pyml.optimizers.Adam(0.1), loss="mse")
    losses = model.fit(batches, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 10


def test_steps_leave_nothing_behind(device):
    model, ds = classifier(), Dataset.from_tensor_slices((X, Y)).shuffle(40).batch(8)

    def held(passes):
        model.fit(ds.repeat(passes), verbose=0)
        gc.collect()
        return tracemalloc.get_traced_memory()[0], getattr(getattr(device, "usage", None), "buffers", None)

    tracemalloc.start()
    try:
        held(5)
        few, many = held(5), held(50)
    finally:
        tracemalloc.stop()
    assert many[0] - few[0] < 20_000 and many[1] == few[1]  # 225 steps more


@pytest.mark.parametrize(
    "run, error, message",
    [
        (lambda m: m.fit(BATCHES.repeat()), ValueError, "fit: the dataset is infinite; pass steps_per_epoch="),
        (lambda m: m.fit(BATCHES, validation_data=BATCHES.repeat()), ValueError, "pass validation_steps="),
        (lambda m: m.evaluate(BATCHES.repeat()), ValueError, "evaluate: the dataset is infinite; pass steps="),
        (lambda m: m.predict(BATCHES.repeat()), ValueError, "predict: the dataset is infinite"),
        (lambda m: m.fit(BATCHES.take(0)), ValueError, "fit: the dataset gave no batches"),
        (lambda m: m.fit(BATCHES, steps_per_epoch=0), ValueError, "steps_per_epoch must be a positive integer"),
        (lambda m: m.fit(BATCHES, Y), ValueError, "y and sample_weight must come with the batches"),
        (lambda m: m.fit(BATCHES, validation_split=0.5), ValueError, "validation_split needs arrays"),
        (lambda m: m.fit(Dataset.from_tensor_slices((X, Y[:, 0]))), ShapeError, "single samples, not batches; write `dataset.batch(32)`"),
        (lambda m: m.fit(Dataset.from_tensor_slices((X, Y))), ShapeError, "Received sizes x: 4, y: 1"),
        (lambda m: m.fit(BATCHES.map(lambda x, y: (x, y[:3]))), ShapeError, "Received sizes x: 16, y: 3"),
        (lambda m: m.fit(BATCHES.map(lambda x, y: (x[:, :3], y))), ShapeError, "expected (None, 4), received"),
        (
            lambda m: m.fit(BATCHES.take(1).concatenate(BATCHES.map(lambda x, y: x)), verbose=0),
            ShapeError,
            "batch 2 of the dataset has another structure than the first",
        ),
        (lambda m: m.fit(BATCHES.map(lambda x, y: (x.astype(str), y))), TypeError, "x must hold numbers"),
    ],
)
def test_datasets_that_do_not_fit_are_refused(run, error, message):
    with pytest.raises(error) as caught:
        run(classifier())
    assert message in str(caught.value)


def test_classes_that_do_not_exist_are_refused_in_every_batch():
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
    model.compile(optimizer="sgd", loss=pyml.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = Dataset.from_tensor_slices((X, np.arange(40) // 12)).batch(10)
    with pytest.raises(ValueError, match="class numbers from 0 to 2"):
        model.fit(labels, verbose=0)


@pytest.mark.parametrize("line", [3, 40, 150])         # among the first 100 rows, which decide about dtypes, and behind them
@pytest.mark.parametrize("prefetched", [False, True])
def test_a_ragged_row_ends_training_with_its_line(line, prefetched):
    rows = [f"{i},{i % 2}" for i in range(200)]
    rows[line - 2] = "1,2,3"
    homes = csv("\n".join(["x,y", *rows]).encode(), column_configs={"y": {"is_label": True}})
    batches = homes.map(lambda x, y: ([x["x"] / 200], [y["y"]])).batch(16)
    batches = batches.prefetch(2) if prefetched else batches
    model = classifier(1)
    before = model.get_weights()[0].copy()
    with pytest.raises(ValueError, match=rf"bytes, line {line}: expected 2 values, one for each of the columns x, y. Received 3."):
        asyncio.run(model.fit_async(batches, verbose=0))
    if line <= 100:                                    # nothing was learned
        np.testing.assert_array_equal(model.get_weights()[0], before)
