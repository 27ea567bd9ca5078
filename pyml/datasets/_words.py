"""What the data sets of texts share: words as numbers by how often they occur, cut as the caller asks."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pyml.datasets._origins import fetched


def prepared(parts: list[tuple[Any, Any]], num_words: int | None, skip_top: int, maxlen: int | None, start_char: int | None,
             oov_char: int | None, index_from: int) -> list[tuple[list[list[int]], np.ndarray]]:  # fmt: skip
    """Texts and labels of each part as a caller of `load_data` asks, whose arguments these are.

    Raises:
        ValueError: No text of a part is shorter than `maxlen`.
    """
    first = [] if start_char is None else [start_char]
    kept = [_short(maxlen, [first + [word + index_from for word in text] for text in texts], labels) for texts, labels in parts]
    end = num_words or max(max(text) for texts, _ in kept for text in texts)

    def common(text: list[int]) -> list[int]:
        if oov_char is None:
            return [word for word in text if skip_top <= word < end]
        return [word if skip_top <= word < end else oov_char for word in text]

    return [([common(text) for text in texts], np.array(labels)) for texts, labels in kept]


def _short(maxlen: int | None, texts: list[list[int]], labels: Any) -> tuple[list[list[int]], Any]:
    """The texts of fewer than `maxlen` words."""
    if not maxlen:
        return texts, labels
    kept = [i for i, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen.")
    return [texts[i] for i in kept], [labels[i] for i in kept]


def ragged(texts: list[list[int]]) -> np.ndarray:
    """An array of lists; as in Keras, of numbers where all lists are of the same length."""
    return np.array(texts, dtype="object")


def word_index(path: str, file: str) -> dict[str, int]:
    """The number of each word."""
    with open(fetched(path, file), encoding="utf-8") as opened:
        return json.load(opened)
