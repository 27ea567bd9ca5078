"""Trains model.py in a terminal: `python demos/mnist/train.py`. The page trains the same file in a browser tab."""

import argparse
import os
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=6, help="passes over the 8,500 training digits (default 6)")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--backend", choices=("webgpu", "wasm", "cpu"), help="default: the GPU if there is one")
    options = parser.parse_args()
    if options.backend:
        os.environ["PYML_BACKEND"] = options.backend

    from model import build_model

    import pyml
    from pyml.datasets import mnist

    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    x_train, x_test = x_train[..., None].astype("float32") / 255, x_test[..., None].astype("float32") / 255

    print(pyml.config.describe())
    model = build_model()
    model.summary()
    model.fit(x_train, y_train, batch_size=options.batch_size, epochs=options.epochs, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test loss: {loss:.4f}, test accuracy: {accuracy:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
