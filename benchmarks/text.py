"""Texts per second of TextVectorization: 10,000 of 20 words out of 20,000.

    PYML_BACKEND=cpu python benchmarks/text.py
"""

import time

import numpy as np

import pyml

TEXTS, WORDS, KNOWN = 10_000, 20, 20_000


def main():
    rng = np.random.default_rng(0)
    words = np.array([f"Word{i:x}" for i in range(KNOWN)])
    texts = [" ".join(row) + "!" for row in words[rng.zipf(1.3, (TEXTS, WORDS)) % KNOWN]]
    for options in ({"output_sequence_length": 20}, {"ngrams": 2}, {"output_mode": "multi_hot", "max_tokens": 2000}):
        layer = pyml.layers.TextVectorization(**options)
        start = time.perf_counter()
        layer.adapt(texts)
        adapted = time.perf_counter()
        layer(texts)
        done = time.perf_counter()
        print(f"{options}: adapt {TEXTS / (adapted - start):,.0f} texts/s, call {TEXTS / (done - adapted):,.0f} texts/s")


if __name__ == "__main__":
    main()
