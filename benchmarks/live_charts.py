#!/usr/bin/env python3
"""What charts cost that are drawn while `fit` runs: the processor time of a step with `vis.fit_callbacks` and without.

    PYML_BACKEND=wasm python benchmarks/live_charts.py [--epochs 3] [--rounds 5]
"""

import argparse
import json
import time

import numpy as np

import pyml
from pyml import layers, vis
from pyml.vis.training import FitCallbacks

HOOKS = ("on_train_begin", "on_train_batch_end", "on_epoch_end", "on_train_end")


def timed(name):
    """The hook of that name, which adds its processor time to `Timed.spent`."""

    def hook(self, *given):
        began = time.process_time()
        getattr(FitCallbacks, name)(self, *given)
        Timed.spent += time.process_time() - began

    return hook


Timed = type("Timed", (FitCallbacks,), {"spent": 0.0, **{name: timed(name) for name in HOOKS}})


def convnet():
    """A small network for pictures of 28 x 28."""
    model = pyml.Sequential([
        pyml.Input((28, 28, 1)), layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5, help="of each, one after the other")
    options = parser.parse_args()
    draw = np.random.default_rng(0)
    x, y = draw.random((4096, 28, 28, 1), dtype=np.float32), draw.integers(0, 10, 4096)
    sent = []
    vis.draw_with(lambda name, tab, figure: sent.append(len(json.dumps(figure.spec))))  # as a page is sent it
    model = convnet()
    seconds, shares = {"without": [], "with": []}, []
    for turn in range(options.rounds + 1):
        for kind in seconds:
            callbacks = [Timed(callbacks=["on_batch_end", "on_epoch_end"])] if kind == "with" else []
            Timed.spent = 0.0
            began = time.process_time()
            model.fit(x, y, batch_size=32, epochs=options.epochs, verbose=0, callbacks=callbacks)
            if turn:  # the first of each compiles
                seconds[kind].append(time.process_time() - began)
                if callbacks:
                    shares.append(Timed.spent / (seconds[kind][-1] - Timed.spent))
    steps = options.epochs * -(-len(x) // 32)
    plain, live = (1000 * min(seconds[kind]) / steps for kind in seconds)
    print(f"{pyml.config.backend()}: {plain:.3f} ms of processor time a step, {live:.3f} ms with charts: {live / plain - 1:+.1%}")
    print(f"of it inside the charts' own hooks, which other work on the machine blurs less: {np.median(shares):+.1%}")
    print(f"{len(sent)} figures of {np.mean(sent) / 1000:.0f} kB on average in {options.rounds + 1} trainings")


if __name__ == "__main__":
    main()
