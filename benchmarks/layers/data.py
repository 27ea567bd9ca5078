"""Batches and first weights, the same numbers in pyml, PyTorch and TensorFlow.js. It needs nothing but numpy."""

import numpy as np

TEXTS, WORDS, KNOWN = 10_000, 20, 20_000


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def weights(shapes):
    """A first value for each weight: kernels of variance 1 / inputs, vectors near 0.

    Args:
        shapes: Those of the weights in Keras' order; `(shape, 1)` for a gain, which is near 1.
    """
    found = []
    for seed, shape in enumerate(shapes, 1):
        shape, start = shape if isinstance(shape[0], tuple) else (shape, 0)
        scale = 0.05 if len(shape) == 1 else float(np.prod(shape[:-1])) ** -0.5
        found.append((start + scale * normal(*shape, seed=seed)).astype("float32"))
    return found


def texts():
    """10,000 texts of 20 words, some of them far more often than others, as in a language."""
    rng = np.random.default_rng(0)
    words = np.array([f"Word{i:x}" for i in range(KNOWN)])
    return [" ".join(some) + "!" for some in words[rng.zipf(1.3, (TEXTS, WORDS)) % KNOWN]]
