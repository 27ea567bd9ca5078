"""IMDB: 50,000 reviews of films as numbers of words, for or against."""

from __future__ import annotations

import numpy as np

from pyml.datasets import _words
from pyml.datasets._origins import Split, arrays, fetched


def load_data(path: str = "imdb.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None, seed: int = 113,
              start_char: int | None = 1, oov_char: int | None = 2, index_from: int = 3) -> tuple[Split, Split]:  # fmt: skip
    """Loads the reviews; a word's number says how frequent it is, 1 is the commonest.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`, or an absolute path to one.
        num_words: Only words with numbers below this; None for all.
        skip_top: Without so many of the commonest words.
        maxlen: Only reviews of fewer words; None for all.
        seed: Of the order of reviews.
        start_char: Number before each review, or None.
        oov_char: Number in place of words that are left out; None for nothing in their place.
        index_from: Added to the number of each word.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays `(25000,)` of lists of numbers, and labels 0 or 1.

    Raises:
        ValueError: No review is shorter than `maxlen`, or the file is damaged.
        OSError: The file is not on this machine and cannot be fetched.

    Source: Maas et al. 2011, "Learning word vectors for sentiment analysis".

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.imdb.load_data(num_words=10000)    # doctest: +SKIP
    """
    file = arrays(fetched(path, "imdb.npz"))
    random = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):  # one generator for both, as in Keras
        order = np.arange(len(file[f"x_{part}"]))
        random.shuffle(order)
        parts.append((file[f"x_{part}"][order], file[f"y_{part}"][order]))
    train, test = _words.prepared(parts, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return (_words.ragged(train[0]), train[1]), (_words.ragged(test[0]), test[1])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Args:
        path: Name of the file in the cache, or an absolute path to one.

    Raises:
        OSError: The file is not on this machine and cannot be fetched.

    Example:
        >>> words = {number + 3: word for word, number in pyml.datasets.imdb.get_word_index().items()}    # doctest: +SKIP
    """
    return _words.word_index(path, "imdb_word_index.json")
