"""TextVectorization: text as the places of its words in a vocabulary."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Self

import numpy as np

from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.layers.preprocessing.batches import batches_of, host_values
from pyml.layers.preprocessing.encoding import check_dense, checked_mode
from pyml.layers.preprocessing.host import HostLayer, answer, on_host, texts_of, values_of
from pyml.layers.preprocessing.index_lookup import padded_rows, row_lengths
from pyml.layers.preprocessing.lookups import StringLookup
from pyml.objects.samples import Sample, sample
from pyml.objects.serialization import serialize_keras_object

__all__ = ["TextVectorization"]

# Text is changed as bytes in UTF-8, where ASCII letters and marks are bytes of their own: one pass of `bytes.translate`.
_AS_IS = bytes(range(256))
_LOWER = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_MARKS = string.punctuation.encode()
_CHANGES = {
    None: (_AS_IS, b""), "lower": (_LOWER, b""), "strip_punctuation": (_AS_IS, _MARKS), "lower_and_strip_punctuation": (_LOWER, _MARKS),
}  # fmt: skip
_OUTSIDE = 2**31 - 1


class TextVectorization(HostLayer):
    """Text as the places of its words in a vocabulary, or as vectors that count them; on the host.

    Args:
        max_tokens: How many places there are at most, those of special tokens among them; None for no limit.
        standardize: `"lower_and_strip_punctuation"`, `"lower"` and `"strip_punctuation"` change ASCII letters and marks only;
            None; or a function of a numpy array of text.
        split: `"whitespace"`, `"character"`, None; or a function of a numpy array of text that gives a list of tokens for
            each.
        ngrams: Also rows of up to that many tokens; or a tuple of how many, and only those.
        output_mode: `"int"`; `"multi_hot"` or `"count"`: a vector for each text; or `"tf_idf"`: counts times inverse
            document frequencies.
        output_sequence_length: For `"int"`: cut off or fill up to this length; by default that of the longest text.
        pad_to_max_tokens: Vectors of length `max_tokens`, also where the vocabulary is shorter.
        vocabulary: A list or array of tokens, or the path of a text file with one in each line; else `adapt` learns it.
        idf_weights: For `"tf_idf"` with a `vocabulary`: the inverse document frequency of each token.
        sparse, ragged: Only False.
        encoding: That of bytes.

    For `"int"` place 0 fills up and 1 stands for tokens that are not in the vocabulary; else 0 does.

    Input shape: `(batch,)` or `(batch, 1)`, or one text. Output shape: `(batch, length)`, int32; else `(batch, places)`,
    float32.

    Raises:
        ValueError: Arguments that are unknown or do not fit each other, or inputs with several texts in a row.
        RuntimeError: There is no vocabulary yet.
        DtypeError: The inputs are not text.

    Source: Keras.

    Example:
        >>> layer = pyml.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["foo bar", "bar baz", "baz bada boom"])
        >>> layer(["Foo qux, bar!", "qux baz"]).numpy()
        array([[4, 1, 3, 0],
               [1, 2, 0, 0]], dtype=int32)
    """

    def __init__(self, max_tokens: int | None = None, standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
                 split: str | Callable[..., Any] | None = "whitespace", ngrams: int | tuple[int, ...] | None = None,
                 output_mode: str = "int", output_sequence_length: int | None = None, pad_to_max_tokens: bool = False,
                 vocabulary: Any = None, idf_weights: Any = None, sparse: bool = False, ragged: bool = False, encoding: str = "utf-8",
                 name: str | None = None, **kwargs: Any) -> None:
        check_dense("TextVectorization", sparse=sparse, ragged=ragged)
        _check_choice(standardize, tuple(_CHANGES), "standardize")
        _check_choice(split, (None, "whitespace", "character"), "split")
        output_mode = checked_mode(output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"), "TextVectorization")
        if not (ngrams is None or isinstance(ngrams, int) or (isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams))):
            raise ValueError(f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}")
        if output_mode == "int" and not (output_sequence_length is None or isinstance(output_sequence_length, int)):
            raise ValueError(
                "`output_sequence_length` must be either None or an integer when `output_mode` is 'int'. "
                f"Received: output_sequence_length={output_sequence_length}"
            )
        if output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                "`output_sequence_length` must not be set if `output_mode` is not 'int'. "
                f"Received output_sequence_length={output_sequence_length}."
            )
        known = {key: kwargs.pop(key) for key in ("has_input_vocabulary", "vocabulary_size") if key in kwargs}
        super().__init__(name=name, **kwargs)
        self._standardize, self._split, self._ngrams = standardize, split, ngrams
        self._widths = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self._output_mode = output_mode
        self._output_sequence_length = output_sequence_length
        self._encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens, mask_token="",
            output_mode=output_mode, encoding=encoding, name=f"{self.name}_lookup", **known)
        self._build_at_init()

    # ---- tokens
    def _rows(self, values: np.ndarray) -> tuple[list[list[Any]], tuple[int, ...] | None]:
        """The tokens of each text, `str` or bytes in UTF-8; and the shape of single tokens where nothing is split."""
        quick = not callable(self._standardize) and self._split == "whitespace"
        texts: Any = texts_of(values, "TextVectorization", self._encoding)
        if callable(self._standardize):
            values = np.asarray(host_values(self._standardize(np.array(texts, str).reshape(values.shape))))
            texts = texts_of(values, "TextVectorization", self._encoding)
        else:
            table, marks = _CHANGES[self._standardize]
            if quick:
                rows = [text.encode().translate(table, marks).split() for text in texts]
            elif self._standardize is not None:
                texts = [text.encode().translate(table, marks).decode() for text in texts]
        if self._split is None:
            shape = values.shape or (1,)
            size = shape[-1]
            rows = [texts[i : i + size] for i in range(0, len(texts), size)] if size else [[]]
            if self._widths is None:
                return rows, values.shape
            return [self._with_ngrams(row, " ") for row in rows], None
        if values.ndim > 1 and values.shape[-1] != 1:
            raise ShapeError(
                "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape dimension must be 1. "
                f"Received: inputs.shape={values.shape} with rank={values.ndim}"
            )
        if callable(self._split):
            found = self._split(np.array(texts, str))
            rows = [texts_of(on_host(row), "TextVectorization", self._encoding) if len(row) else [] for row in found]
        elif self._split == "character":
            rows = [list(text) for text in texts]
        elif not quick:
            rows = [text.encode().split() for text in texts]
        if self._widths is not None:
            rows = [self._with_ngrams(row, b" " if row and isinstance(row[0], bytes) else " ") for row in rows]
        return rows, None

    def _with_ngrams(self, row: list[Any], between: Any) -> list[Any]:
        return [between.join(row[i : i + n]) for n in self._widths or () for i in range(len(row) - n + 1)]

    # ---- the vocabulary
    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learns the vocabulary: the tokens in `data`, the most frequent first, equally frequent ones in reverse order.

        Args:
            data: A list or array of text; or a Dataset or another iterable of texts or of batches of them.
            batch_size: Kept for Keras' signature.
            steps: How many batches at most.

        Raises:
            ValueError: The layer has a vocabulary that was given to it.
        """
        self.reset_state()
        if isinstance(data, (list, tuple)):
            data = on_host(data)
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Counts the tokens of `data`, a batch of texts."""
        values = host_values(on_host(data))
        if self._split is None and values.ndim == 1:
            values = values[:, None]
        self._lookup_layer._count(self._rows(values)[0])

    def finalize_state(self) -> None:
        """Makes the vocabulary from the counts."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forgets the tokens that were counted."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their places.

        Args:
            include_special_tokens: False leaves out those that fill up and that stand for tokens not in the vocabulary.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many places there are, those of special tokens among them."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Takes a vocabulary in place of the one there is; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    # ---- looking up
    def call(self, inputs: Any) -> Any:
        lookup = self._lookup_layer
        lookup._check_ready(self.name)
        values = values_of(inputs, "TextVectorization")
        rows, shape = self._rows(values)
        flat, lengths = list(chain.from_iterable(rows)), row_lengths(rows)
        as_bytes = bool(flat) and isinstance(flat[0], bytes)
        places = lookup._places(flat, str.encode if as_bytes else None)
        if self._output_mode != "int":
            wide = padded_rows(places, lengths, max(lengths, default=0), _OUTSIDE)
            return lookup._encoded(wide[0] if values.ndim == 0 or (shape is not None and values.ndim == 1) else wide)
        length = self._output_sequence_length
        if shape is not None and length is None:
            return answer(places.reshape(shape), "int32")
        found = padded_rows(places, lengths, max(lengths, default=0) if length is None else length, 0)
        if values.ndim == 0 or (shape is not None and values.ndim == 1):
            found = found[0]
        return answer(found, "int32")

    # ---- shapes, configs, files
    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_mode == "int":
            return (*input_shape[:1], self._output_sequence_length)
        return (*input_shape[:1], self._lookup_layer._depth())

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "int32" if self._output_mode == "int" else self.compute_dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        inner = self._lookup_layer.get_config()
        kept = ("max_tokens", "pad_to_max_tokens", "sparse", "vocabulary", "idf_weights", "vocabulary_size", "has_input_vocabulary")
        return self._base_config() | {key: inner[key] for key in kept} | {
            "standardize": serialize_keras_object(self._standardize), "split": serialize_keras_object(self._split),
            "ngrams": self._ngrams, "output_mode": self._output_mode, "output_sequence_length": self._output_sequence_length,
            "ragged": False, "encoding": self._encoding,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        if isinstance(config.get("vocabulary"), str):
            StringLookup.from_config({"vocabulary": config["vocabulary"]})
        if isinstance(config.get("ngrams"), list):
            config = config | {"ngrams": tuple(config["ngrams"])}
        return super().from_config(config, custom_objects)

    def get_build_config(self) -> dict[str, Any] | None:
        return None

    def save_own_variables(self, store: Any) -> None:
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: Any) -> None:
        """Writes nothing into `dir_path`: the config has the vocabulary."""

    def load_assets(self, dir_path: Any) -> None:
        """Reads the vocabulary that Keras keeps in `dir_path`; see `StringLookup.load_assets`."""
        self._lookup_layer.load_assets(dir_path)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(vocabulary=["a", "b"], ngrams=2))             # called in tests/keras/test_preprocessing.py


def _check_choice(value: Any, known: tuple[Any, ...], name: str) -> None:
    if not callable(value) and value not in known:
        raise ValueError(
            f"TextVectorization: unknown value of {name}; expected a function or one of {', '.join(map(repr, known))}. Received: {value!r}"
        )
