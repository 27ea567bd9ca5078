"""What Python does for the page: trains model.py, reports its progress, and reads digits.

Runs inside Pyodide; `pyml_page` is the small module that web/runtime.js offers. `python train.py` is the
same training in a terminal.
"""

import json
import time

import exports
import numpy as np
import project
from lines import Lines
from names import names as names
from pyml_page import post, stopping

import pyml
from pyml import callbacks

PAGE = "digits"
READ_ME = """model.json and its .bin files are a TensorFlow.js layers-model; labels.json names its outputs, the digits.

It takes pictures of 28 x 28 x 1 values from 0, the paper, to 1, the ink.

    import * as tf from "@tensorflow/tfjs";
    const model = await tf.loadLayersModel("model.json");
    const shares = await model.predict(tf.tensor(pixels, [1, 28, 28, 1])).data();

In Python: model = pyml.saving.load_model("model.json")
"""
SHOWN = 54  # digits in the grid, at most
POINTS = 20  # points of a curve per epoch, at most

state = {"model": None, "test": None}


def send(kind, **values):
    post(kind, json.dumps(values))


def load_digits(path="mnist.npz"):
    """The packed digits: `(x_train, y_train), (x_test, y_test)`, images float32 `(n, 28, 28, 1)` in 0..1."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in ("x_train", "y_train", "x_test", "y_test")}

    def images(name):
        return (arrays[name].astype("float32") / 255).reshape(-1, 28, 28, 1)

    def labels(name):
        return arrays[name].astype("int32")

    return (images("x_train"), labels("y_train")), (images("x_test"), labels("y_test"))


class Report(callbacks.ProgbarLogger):
    """The terminal's progress lines, and the same for the page; hears the page's Stop button.

    `fit` moves a progress bar a few times a second with losses it has read anyway, so this costs no step a wait.
    """

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.epoch, self.began = epoch, time.perf_counter()
        self.before = (0, {})

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        steps, means = batch + 1, numbers(logs)
        ms = 1000 * (time.perf_counter() - self.began) / steps
        send("step", epoch=self.epoch, step=steps, of=self.target or steps, ms=ms, **self.since_last(steps, means))
        if stopping():
            self.model.stop_training = True

    def since_last(self, steps, means):
        """Means over the last steps, out of two means since the epoch began; empty until there are enough steps."""
        earlier, old = self.before
        if steps - earlier < max(1, (self.target or 0) / POINTS):
            return {}
        self.before = (steps, means)
        return {k: (steps * v - earlier * old.get(k, 0.0)) / (steps - earlier) for k, v in means.items()}

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        send("epoch", epoch=epoch, **numbers(logs))


def numbers(logs):
    return {name: float(value) for name, value in (logs or {}).items() if np.ndim(value) == 0}


async def train(source, epochs, batch_size, digits=None):
    """Builds the model of `source`, trains it on the first `digits` digits, and returns how it reads the test digits."""
    lines = Lines(source)
    try:
        send("begun")
        model = lines.build()
    except KeyboardInterrupt:  # the Stop button
        return {"stopped": "before the model was built"}
    except Exception as error:  # anything a user's model.py can do
        return {"error": lines.explain(error)}
    when = "before the training began"
    try:
        (x, y), test = load_digits()
        x, y = x[:digits], y[:digits]
        state.update(model=model, test=test)
        send("model", parameters=model.count_params(), digits=len(x), epochs=epochs)
        lost = None
        try:
            with lines.watching():
                await model.fit_async(x, y, batch_size=batch_size, epochs=epochs, validation_data=test, verbose=2, callbacks=[Report()])
        except pyml.errors.DeviceLost as error:  # fit has put the last step's weights on a new device
            lost = str(error)
        except KeyboardInterrupt:  # the Stop button, pressed twice
            send("stopping")
        when = "before it had read the test digits"
        return {"lost": lost, **await examine()}
    except KeyboardInterrupt:
        return {"stopped": when}
    except Exception as error:
        return {"error": lines.explain(error)}


async def examine():
    """Reads every test digit: accuracy, confusion matrix, and digits for the grid."""
    x, y = state["test"]
    chances = await state["model"].predict_async(x, batch_size=250, verbose=0)
    read = chances.argmax(axis=1)
    accuracy = float((read == y).mean())
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, read), 1)
    wrong, right = np.flatnonzero(read != y), np.flatnonzero(read == y)
    print(f"Test accuracy: {accuracy:.4f} ({len(wrong)} of {len(y)} digits misread)")

    def digit(i):
        pixels = (x[i].ravel() * 255).astype(int).tolist()
        return {"pixels": pixels, "label": int(y[i]), "read": int(read[i]), "sure": float(chances[i].max())}

    return {
        "accuracy": accuracy,
        "mistakes": len(wrong),
        "tested": len(y),
        "confusion": confusion.tolist(),
        "wrong": [digit(i) for i in wrong[:SHOWN].tolist()],
        "right": [digit(i) for i in right[:SHOWN].tolist()],
    }


async def read_digit(pixels):
    """Ten probabilities for one drawn digit of 784 values in 0..1, or None before the first training."""
    if state["model"] is None:
        return None
    image = np.asarray(pixels, "float32").reshape(1, 28, 28, 1)
    chances = await state["model"].predict_async(image, verbose=0)
    return [float(value) for value in chances[0]]


async def export(files):
    """The page's twin: its `files`, pairs of a path and a text, and the model, as the bytes of a .zip file."""
    return await pyml.export.export_zip_async(state["model"], "digits", dict(files), inside="model")


async def export_keras():
    return await exports.keras_bytes(state["model"])


async def export_tfjs():
    return await exports.tfjs_zip(state["model"], [str(digit) for digit in range(10)], READ_ME)


# ---- projects


async def save_project(source, settings):
    """The bytes of a project: model.py, and the network that was trained last."""
    files = {"model.py": source}
    if state["model"] is not None:
        files[project.MODEL] = await exports.keras_bytes(state["model"])
    return project.pack(PAGE, {"settings": settings}, files)


async def open_project(data):
    """Takes a project: its code for the page to show, and its network; none of its code is run."""
    facts, files = project.unpack(data, PAGE)
    with project.reading():
        source, settings = bytes(project.part(files, "model.py")).decode(), dict(facts.get("settings", {}))
    found = await restore_model(files[project.MODEL]) if project.MODEL in files else None
    if found is None or "error" in found:
        state["model"] = None
    return {"source": source, "settings": settings, "result": found}


async def restore_model(data):
    """Takes a network of a .keras file and returns how it reads the test digits; the `error`, in a sentence, where it cannot be opened."""
    try:
        model = await project.model_of(data)
    except project.ProjectError:
        return {"error": "Its network has layers that only its code knows: read the code, then press Train."}
    if tuple(model.output_shape) != (None, 10) or tuple(model.input_shape) != (None, 28, 28, 1):
        return {"error": "Its network does not read digits: press Train."}
    state.update(model=model, test=load_digits()[1])
    return await examine()
