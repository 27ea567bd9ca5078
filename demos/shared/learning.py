"""What the pages that learn from examples show of it: a line and curves while they train, and which examples were taken for which."""

import json
import time

import numpy as np
from pyml_page import post, stopping

from pyml import callbacks, vis

SPACING = 0.15  # seconds from one picture of the curves to the next


def show(name, figure):
    """Has the page draw a figure."""
    post("figure", json.dumps({"name": name, "spec": figure.spec}, allow_nan=False))


class Report(callbacks.Callback):
    """Tells the page about every epoch, draws loss and accuracy, and hears the Stop button."""

    def on_train_begin(self, logs=None):
        self.curves, self.drawn = {}, 0.0

    def on_epoch_end(self, epoch, logs=None):
        values = {name: float(value) for name, value in logs.items()}
        for name, value in values.items():
            self.curves.setdefault(name, []).append(value)
        post("epoch", json.dumps({"epoch": epoch + 1, "of": self.params["epochs"], **values}))
        if time.monotonic() - self.drawn > SPACING:
            self.draw()
        if stopping():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.draw()

    def draw(self):
        self.drawn = time.monotonic()
        for metric, title in (("loss", "Loss"), ("accuracy", "Accuracy")):
            series = {"training": self.curves.get(metric), "test": self.curves.get(f"val_{metric}")}
            points = {name: np.stack([np.arange(1, len(y) + 1), y], 1) for name, y in series.items() if y}
            if points:
                figure = vis.line_chart(points, title=title, x_label="epoch", y_label=metric, height=150)
                figure.spec["encoding"]["x"]["axis"] = {"format": "d", "tickMinStep": 1}
                show(title, figure)


def show_mistakes(labels, guesses, names):
    """Draws which examples were taken for which; nothing where none were kept for the test."""
    if len(labels):
        show("What it takes for what", vis.confusion_matrix(np.asarray(labels), np.asarray(guesses), class_names=names))
