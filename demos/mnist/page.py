"""What Python does for the page: trains model.py, reports its progress, and reads digits.

Runs inside Pyodide; `pyml_page` is the small module that web/runtime.js offers. `python train.py` is the
same training in a terminal.
"""

import json
import time
import traceback

import numpy as np
from pyml_page import post, stopping

import pyml
from pyml import callbacks

SHOWN = 54  # test digits in the grid
REPORT_EVERY = 0.15  # seconds between two reports of the running loss

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


class Report(callbacks.Callback):
    """Tells the page how training goes and hears its Stop button, both between two steps."""

    def on_train_begin(self, logs=None):
        self.epoch, self.steps, self.due = 0, 0, 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.began = epoch, time.perf_counter()
        self.per_epoch = (self.params or {}).get("steps") or 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if stopping():
            self.model.stop_training = True
        now = time.perf_counter()
        if now < self.due or not logs:
            return
        self.due = now + REPORT_EVERY
        send(
            "step", epoch=self.epoch, step=batch + 1, of=self.per_epoch,
            ms=1000 * (now - self.began) / (batch + 1), **numbers(logs),
        )  # fmt: skip

    def on_epoch_end(self, epoch, logs=None):
        send("epoch", epoch=epoch, seconds=time.perf_counter() - self.began, **numbers(logs))


def numbers(logs):
    return {name: float(value) for name, value in (logs or {}).items()}


def build(source):
    """Runs the text of model.py and calls its `build_model()`."""
    namespace = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), namespace)
    if not callable(namespace.get("build_model")):
        raise ValueError("model.py must define build_model() and return a compiled model from it.")
    model = namespace["build_model"]()
    if model is None:
        raise ValueError("build_model() returned None; end it with `return model`.")
    return model


async def train(source, epochs, batch_size):
    """Builds the model of `source`, trains it, and sends its test results to the page."""
    try:
        model = build(source)
        (x, y), test = load_digits()
        state.update(model=model, test=test)
        send("model", parameters=model.count_params(), digits=len(x), epochs=epochs)
        await model.fit_async(
            x, y, batch_size=batch_size, epochs=epochs, validation_data=test, verbose=2, callbacks=[Report()]
        )
        return await examine()
    except pyml.errors.DeviceLost as error:
        return {"lost": True, "error": str(error)}
    except Exception as error:  # anything a user's model.py can do
        return {"error": user_traceback(error)}


def user_traceback(error):
    """The lines of the traceback a reader of model.py can act on, and the message."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "model.py"]
    if isinstance(error, SyntaxError) and error.filename == "model.py":
        return "".join(traceback.format_exception_only(error)).strip()
    where = f"model.py, line {frames[-1].lineno}\n" if frames else ""
    return f"{where}{type(error).__name__}: {error}"


async def examine():
    """Reads every test digit: accuracy, confusion matrix, and the digits for the grid, mistakes first."""
    x, y = state["test"]
    chances = await state["model"].predict_async(x, batch_size=250, verbose=0)
    read = chances.argmax(axis=1)
    accuracy = float((read == y).mean())
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, read), 1)
    wrong = np.flatnonzero(read != y)
    shown = np.sort(np.concatenate([wrong[: SHOWN // 2], np.flatnonzero(read == y)[: SHOWN - min(len(wrong), SHOWN // 2)]]))
    print(f"Test accuracy: {accuracy:.4f} ({len(wrong)} of {len(y)} digits misread)")
    return {
        "accuracy": accuracy,
        "mistakes": len(wrong),
        "tested": len(y),
        "confusion": confusion.tolist(),
        "digits": [
            {"pixels": (x[i].ravel() * 255).astype(int).tolist(), "label": int(y[i]), "read": int(read[i]), "sure": float(chances[i].max())}
            for i in shown.tolist()
        ],
    }  # fmt: skip


async def read_digit(pixels):
    """Ten probabilities for one drawn digit of 784 values in 0..1, or None before the first training."""
    if state["model"] is None:
        return None
    image = np.asarray(pixels, "float32").reshape(1, 28, 28, 1)
    chances = await state["model"].predict_async(image, verbose=0)
    return [float(value) for value in chances[0]]
