"""Small models and data that several tests use."""

import numpy as np

import pyml


def blobs(samples=120, features=6, classes=3, seed=0):
    """Points around one centre per class: easy to learn."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    x = rng.standard_normal((samples, features)) * 0.3
    x[np.arange(samples), y] += 2
    return x.astype("float32"), y.astype("int32")


def classifier(seed=3, optimizer="adam", dropout=0.0, metrics=("accuracy",), **kwargs):
    """Two dense layers for `blobs`, the same weights for the same seed."""
    pyml.utils.set_random_seed(seed)
    model = pyml.Sequential([
        pyml.Input((6,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dropout(dropout, seed=7),
        pyml.layers.Dense(3, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=list(metrics), **kwargs)
    return model


def assert_same_weights(a, b, tolerance=0.0):
    for mine, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)
