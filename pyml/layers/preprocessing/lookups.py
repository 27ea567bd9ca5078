"""StringLookup and IntegerLookup: text and integers as their places in a vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.layers.preprocessing.host import texts_of
from pyml.layers.preprocessing.index_lookup import IndexLookup, check_rectangular
from pyml.objects.samples import Sample, draw, sample

__all__ = ["IntegerLookup", "StringLookup"]


class StringLookup(IndexLookup):
    """Text as its place in a vocabulary, on the host.

    Args:
        max_tokens: How many places there are at most, those of special tokens among them; None for no limit.
        num_oov_indices: Places for text that is not in the vocabulary, by its hash where there are several; with 0 such text
            is an error.
        mask_token: Text for missing values; its place is 0, and other modes than `"int"` do not count it.
        oov_token: What `invert` gives for places of text that is not in the vocabulary.
        vocabulary: A list or array of text, or the path of a text file with one in each line; else `adapt` learns it.
        idf_weights: For `"tf_idf"` with a `vocabulary`: the inverse document frequency of each.
        invert: True gives the text of places: a numpy array.
        output_mode: `"int"`; `"one_hot"`, `"multi_hot"` or `"count"` as in `CategoryEncoding`; or `"tf_idf"`: counts times
            inverse document frequencies.
        pad_to_max_tokens: Vectors of length `max_tokens`, also where the vocabulary is shorter.
        sparse: Only False.
        encoding: That of bytes.
        salt: One or two integers: SipHash under this key for text that is not in the vocabulary.

    Input shape: any. Output shape: the same, int32; else vectors as long as the vocabulary, float32.

    Raises:
        ValueError: Arguments that do not fit each other, or text that is not in the vocabulary with `num_oov_indices=0`.
        RuntimeError: There is no vocabulary yet.
        DtypeError: The inputs are not text.

    Source: Keras.

    Example:
        >>> layer = pyml.layers.StringLookup(vocabulary=["a", "b", "c"])
        >>> layer([["a", "c"], ["z", "b"]]).numpy()
        array([[1, 3],
               [0, 2]], dtype=int32)
    """

    _text = True

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: str | None = None, oov_token: str = "[UNK]",
                 vocabulary: Any = None, idf_weights: Any = None, invert: bool = False, output_mode: str = "int",
                 pad_to_max_tokens: bool = False, sparse: bool = False, encoding: str = "utf-8", name: str | None = None, salt: Any = None,
                 **kwargs: Any) -> None:
        self.encoding = encoding
        kwargs.pop("vocabulary_dtype", None)
        super().__init__(max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
                         vocabulary_dtype="string", vocabulary=vocabulary, idf_weights=idf_weights, invert=invert, output_mode=output_mode,
                         sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, name=name, salt=salt, **kwargs)
        self.encoding = encoding

    def _flat(self, values: np.ndarray) -> list[Any]:
        check_rectangular(values, "StringLookup")
        return texts_of(values, "StringLookup", self.encoding)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["vocabulary_dtype"]
        return config | {"encoding": self.encoding}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(vocabulary=["a", "b"]))                   # called in tests/keras/test_preprocessing.py


class IntegerLookup(IndexLookup):
    """Integers as their place in a vocabulary: on the device for tensors, on the host for lists and numpy arrays.

    Args:
        max_tokens: How many places there are at most, those of special tokens among them; None for no limit.
        num_oov_indices: Places for integers that are not in the vocabulary; with 0 such an integer is an error.
        mask_token: The integer for missing values; its place is 0, and other modes than `"int"` do not count it.
        oov_token: What `invert` gives for places of integers that are not in the vocabulary.
        vocabulary: A list or array of integers, or the path of a text file with one in each line; else `adapt` learns it.
        vocabulary_dtype: Only `"int64"`.
        idf_weights: For `"tf_idf"` with a `vocabulary`: the inverse document frequency of each.
        invert: True gives the integers of places: a numpy array.
        output_mode: `"int"`; `"one_hot"`, `"multi_hot"` or `"count"` as in `CategoryEncoding`; or `"tf_idf"`: counts times
            inverse document frequencies.
        sparse: Only False.
        pad_to_max_tokens: Vectors of length `max_tokens`, also where the vocabulary is shorter.
        oov_method: How integers that are not in the vocabulary share several places: by their remainder, `"floormod"`, or
            by their hash, `"farmhash"`.
        salt: For `"farmhash"`, one or two integers: SipHash under this key.

    Input shape: any. Output shape: the same, int32; else vectors as long as the vocabulary, float32.

    Raises:
        ValueError: Arguments that do not fit each other, or an integer that is not in the vocabulary with
            `num_oov_indices=0`.
        RuntimeError: There is no vocabulary yet.

    Source: Keras.

    Example:
        >>> layer = pyml.layers.IntegerLookup(vocabulary=[12, 36, 1138])
        >>> layer(np.array([[12, 1138], [7, 36]])).numpy()
        array([[1, 3],
               [0, 2]], dtype=int32)
    """

    def __init__(self, max_tokens: int | None = None, num_oov_indices: int = 1, mask_token: int | None = None, oov_token: int = -1,
                 vocabulary: Any = None, vocabulary_dtype: str = "int64", idf_weights: Any = None, invert: bool = False,
                 output_mode: str = "int", sparse: bool = False, pad_to_max_tokens: bool = False, oov_method: str = "floormod",
                 salt: Any = None, name: str | None = None, **kwargs: Any) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"Only `vocabulary_dtype='int64'` is supported at this time. Received: vocabulary_dtype={vocabulary_dtype}"
            )
        super().__init__(max_tokens=max_tokens, num_oov_indices=num_oov_indices, mask_token=mask_token, oov_token=oov_token,
                         vocabulary_dtype=vocabulary_dtype, vocabulary=vocabulary, idf_weights=idf_weights, invert=invert,
                         output_mode=output_mode, sparse=sparse, pad_to_max_tokens=pad_to_max_tokens, oov_method=oov_method, salt=salt,
                         name=name, **kwargs)

    def _flat(self, values: np.ndarray) -> list[Any]:
        check_rectangular(values, "IntegerLookup")
        if values.dtype.kind not in "biuf":
            raise ValueError(f"IntegerLookup takes integers. Received: {values.dtype} values; use StringLookup for text.")
        return values.reshape(-1).astype(np.int64).tolist()

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        numbers = draw(4, 3, low=0, high=9, dtype="int32")
        places = lambda x: np.searchsorted([2, 5, 7], x) * np.isin(x, [2, 5, 7]) + np.isin(x, [2, 5, 7])
        yield sample(cls(vocabulary=[2, 5, 7]), numbers, like=places, gradient=False)
        yield sample(cls(vocabulary=[2, 5, 7], output_mode="count"), numbers, like=lambda x: np.eye(4)[places(x).astype(int)].sum(1),
                     gradient=False)  # fmt: skip
        yield sample(cls(mask_token=0, num_oov_indices=2, vocabulary=[2, 5, 7]), numbers, gradient=False,
                     like=lambda x: np.where(np.isin(x, [2, 5, 7]), places(x) + 2, np.where(x == 0, 0, x % 2 + 1)))  # fmt: skip
