"""Reuters: 11,228 pieces of news as numbers of words, of 46 topics."""

from __future__ import annotations

from pyml.datasets import _words
from pyml.datasets._origins import Split, arrays, fetched, shuffled

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude nat-gas cpi "
    "money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc "
    "orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(path: str = "reuters.npz", num_words: int | None = None, skip_top: int = 0, maxlen: int | None = None,
              test_split: float = 0.2, seed: int = 113, start_char: int | None = 1, oov_char: int | None = 2,
              index_from: int = 3) -> tuple[Split, Split]:  # fmt: skip
    """Loads the news; a word's number says how frequent it is, 1 is the commonest.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets`, or an absolute path to one.
        num_words: Only words with numbers below this; None for all.
        skip_top: Without so many of the commonest words.
        maxlen: Only pieces of fewer words; None for all.
        test_split: Share of pieces for testing.
        seed: Of the order of pieces.
        start_char: Number before each piece; None for nothing there.
        oov_char: Number in place of words that are left out; None for nothing in their place.
        index_from: Added to the number of each word.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays `(8982,)` and `(2246,)` of lists of numbers, and topics from 0 to 45.

    Raises:
        ValueError: No piece is shorter than `maxlen`, or the file is damaged.
        OSError: The file is not on this machine and cannot be fetched.

    Source: the Reuters-21578 collection.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.reuters.load_data(num_words=10000)    # doctest: +SKIP
    """
    file = arrays(fetched(path, "reuters.npz"))
    texts, labels = shuffled(seed, file["x"], file["y"])
    ((texts, labels),) = _words.prepared([(texts, labels)], num_words, skip_top, maxlen, start_char, oov_char, index_from)
    first = int(len(texts) * (1 - test_split))
    return (_words.ragged(texts[:first]), labels[:first]), (_words.ragged(texts[first:]), labels[first:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word, before `index_from` is added.

    Args:
        path: Name of the file in the cache, or an absolute path to one.

    Raises:
        OSError: The file is not on this machine and cannot be fetched.

    Example:
        >>> words = {number + 3: word for word, number in pyml.datasets.reuters.get_word_index().items()}    # doctest: +SKIP
    """
    return _words.word_index(path, "reuters_word_index.json")


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    Example:
        >>> pyml.datasets.reuters.get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return tuple(_TOPICS.split())
