"""Keras' wider half in the tab: text and augmentation layers in a fit, `.keras` files, adapters, own steps."""

import pytest

START = """
import numpy as np, pyml
from pyml import layers
rng = np.random.default_rng(0)
pyml.utils.set_random_seed(0)
1
"""


@pytest.fixture(scope="module", params=["webgpu", "wasm"])
def python(request, pythons):
    found = pythons(f"backend={request.param}")
    found.run(START)
    return found


def test_texts_become_numbers_and_are_learned(python):
    result = python.run("""
        texts = ["good film", "very good", "bad film", "a bad one"] * 8
        labels = np.array([1, 1, 0, 0] * 8, "float32")[:, None]
        vectors = layers.TextVectorization(output_mode="multi_hot")
        vectors.adapt(texts)
        model = pyml.Sequential([layers.Input((len(vectors.get_vocabulary()),)), layers.Dense(1, activation="sigmoid")])
        model.compile(pyml.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
        rows = vectors(texts)
        rows = (await rows.data()).astype("float32")
        history = await model.fit_async(rows, labels, epochs=15, verbose=0)
        dict(words=sorted(map(str, vectors.get_vocabulary()))[:3], accuracy=history.history["accuracy"][-1])
    """)
    assert result["accuracy"] == 1.0
    assert "bad" in result["words"]


def test_pictures_are_changed_at_random_while_a_model_learns_and_left_alone_when_it_predicts(python):
    result = python.run("""
        pictures = rng.random((16, 8, 8, 3)).astype("float32")
        model = pyml.Sequential([layers.Input((8, 8, 3)), layers.RandomFlip("horizontal", seed=1), layers.RandomRotation(0.1, seed=2),
                                 layers.Flatten(), layers.Dense(2)])
        model.compile("sgd", "mse")
        history = await model.fit_async(pictures, np.zeros((16, 2), "float32"), epochs=8, verbose=0)
        flipped = await layers.RandomFlip("horizontal", seed=3)(pictures, training=True).data()
        kept = await layers.RandomFlip("horizontal", seed=3)(pictures, training=False).data()
        back = np.array([np.allclose(a, b) or np.allclose(a[:, ::-1], b) for a, b in zip(flipped, pictures)])
        some, same = bool((flipped != pictures).any()), bool((kept == pictures).all())
        dict(losses=history.history["loss"], whole=bool(back.all()), some=some, kept=same)
    """)
    assert result["whole"] and result["some"] and result["kept"]
    assert result["losses"][-1] < 0.5 * result["losses"][0]


def test_a_model_is_kept_in_a_keras_file_and_comes_back(python):
    result = python.run("""
        inputs = pyml.Input((4,))
        hidden = layers.Dense(3, activation="relu")(inputs)
        model = pyml.Model(inputs, layers.Dense(2)(hidden + 1.0))
        model.compile("adam", "mse")
        x = rng.random((8, 4)).astype("float32")
        await model.fit_async(x, np.ones((8, 2), "float32"), epochs=1, verbose=0)
        expected = await model.predict_async(x, verbose=0)
        model.save("kept.keras")
        import os, zipfile
        names = sorted(zipfile.ZipFile("kept.keras").namelist())
        found = pyml.saving.load_model("kept.keras")
        predicted = await found.predict_async(x, verbose=0)
        dict(names=names, same=bool(np.allclose(predicted, expected, atol=1e-6)))
    """)
    assert result == {"names": ["config.json", "metadata.json", "model.weights.h5"], "same": True}


def test_a_custom_train_step_reports_its_own_numbers(python):
    result = python.run("""
        class Own(pyml.Model):
            def __init__(self):
                super().__init__()
                self.dense = layers.Dense(1)
            def call(self, x):
                return self.dense(x)
            def train_step(self, data):
                x, y = data
                with pyml.GradientTape() as tape:
                    loss = pyml.ops.mean(pyml.ops.square(self(x, training=True) - y))
                self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables))
                return {"own": loss}
        model = Own()
        model.compile(pyml.optimizers.SGD(0.1))
        x = rng.random((64, 3)).astype("float32")
        history = await model.fit_async(x, x.sum(1, keepdims=True), epochs=5, verbose=0)
        history.history
    """)
    assert list(result) == ["own"]
    assert result["own"][-1] < 0.5 * result["own"][0]


@pytest.mark.slow
def test_without_a_way_to_wait_values_of_the_host_are_read_and_files_and_copies_keep_their_compiling(pythons):
    found = pythons("backend=webgpu&jspi=off").run("""
        import numpy as np, pyml
        from pyml import layers
        x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
        features = pyml.utils.FeatureSpace({"a": "float_normalized", "b": "string_categorical"}, output_mode="concat")
        features.adapt(pyml.data.Dataset.from_tensor_slices({"a": x[:, 0], "b": np.array(["p", "q"] * 16)}))
        wide = features({"a": x[:2, 0], "b": np.array(["p", "q"])}).shape
        words = layers.TextVectorization(vocabulary=["a", "b"])(["b a z"]).numpy().tolist()
        model = pyml.Sequential([pyml.Input((4,)), layers.Dense(8, "relu"), layers.Dense(1)])
        model.compile(pyml.optimizers.Adam(0.02), "mse")
        slower = pyml.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        history = await model.fit_async(x, x[:, :1], epochs=2, verbose=0, callbacks=[pyml.callbacks.TensorBoard("logs"), slower])
        copy = pyml.models.clone_model(model)
        try:
            model.save("net.h5")
        except pyml.errors.SyncReadError as error:
            told = str(error)
        await model.save_async("net.h5")
        again = pyml.models.load_model("net.h5")
        expected = await model.predict_async(x, verbose=0)
        again.quantize("int8")
        apart = float(np.abs(await again.predict_async(x, verbose=0) - expected).max())
        rates = [history.history["learning_rate"], float(model.optimizer.learning_rate), float(again.optimizer.learning_rate)]
        import shutil; shutil.rmtree("logs")
        dict(wide=list(wide), words=words, told=told, apart=apart, rates=rates, compiled=[copy.compiled, again.compiled])
    """)
    assert found["wide"][0] == 2 and found["words"] == [[3, 2, 1]]
    assert found["told"] == "This browser cannot wait here; write `await model.save_async('net.h5')`."
    assert found["apart"] < 0.05 and found["compiled"] == [True, True]
    assert found["rates"] == [[0.01, 0.005], pytest.approx(0.005), pytest.approx(0.005)]
