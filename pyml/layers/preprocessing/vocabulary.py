"""A vocabulary: given, read from a file, or learned by counting tokens."""

from __future__ import annotations

import math
import os
from collections import Counter
from typing import Any, ClassVar

import numpy as np

from pyml.layers.preprocessing.batches import batches_of, host_values
from pyml.layers.preprocessing.host import HostLayer, on_host

_STATIC = "after setting a static vocabulary via `vocabulary` argument or `set_vocabulary()` method."


class WithVocabulary(HostLayer, abstract=True):
    """Part of IndexLookup: tokens in the order of their places, the special ones first, and how often each was seen."""

    _text: ClassVar[bool] = False

    mask_token: Any
    oov_token: Any
    max_tokens: int | None
    num_oov_indices: int
    output_mode: str
    invert: bool
    pad_to_max_tokens: bool
    idf_weights: np.ndarray | None
    _tokens: list[Any] | None
    _tables: dict[Any, Any]
    _frozen_vocab_size: Any
    _has_input_vocabulary: Any

    # ---- the vocabulary
    def _token(self, token: Any) -> Any:
        """A term of a vocabulary, in the type that tokens have."""
        return str(token.decode() if isinstance(token, bytes) else token) if self._text else int(token)

    def _flat(self, values: np.ndarray) -> list[Any]:
        """The tokens of an array, as they are counted and looked up."""
        raise NotImplementedError

    def _oov_start_index(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start_index(self) -> int:
        return self._oov_start_index() + self.num_oov_indices

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start_index() + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their places.

        Args:
            include_special_tokens: False leaves out the mask token and those for tokens not in the vocabulary.
        """
        return [*(self._special_tokens() if include_special_tokens else ()), *(self._tokens or ())]

    def vocabulary_size(self) -> int:
        """How many places there are, those of special tokens among them."""
        return self._token_start_index() + len(self._tokens or ())

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Takes a vocabulary in place of the one there is.

        Args:
            vocabulary: A list or array of tokens, with or without the special ones at its start; or the path of a text file
                with a token in each line.
            idf_weights: For `"tf_idf"`: the inverse document frequency of each token.

        Raises:
            ValueError: It is empty, too long, names a token twice, or weights are missing, too many or not asked for.
            RuntimeError: Another size was fixed by the first call.
        """
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                f"`idf_weights` should only be set if output_mode is `'tf_idf'`. Received: output_mode={self.output_mode}"
            )
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = self._lines_of(vocabulary)
        if np.ndim(vocabulary) == 0:
            raise ValueError(f"vocabulary must be a list of tokens or the path of a file. Received: vocabulary={vocabulary!r}")
        vocabulary = vocabulary if isinstance(vocabulary, (list, tuple)) else host_values(vocabulary).tolist()
        given = [self._token(token) for token in vocabulary]
        if not given:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        special = self._special_tokens()
        found = bool(special) and given[: len(special)] == special
        tokens = given[len(special) :] if found else given
        self._check_tokens(tokens, special)
        if self.max_tokens is not None and len(special) + len(tokens) > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. "
                f"Received vocabulary size is {len(special) + len(tokens)}; `max_tokens` is {self.max_tokens}."
            )
        weights = None
        if self.output_mode == "tf_idf":
            weights = host_values(idf_weights, "float32")
            if weights.ndim != 1 or len(weights) != len(given):
                raise ValueError(
                    "`idf_weights` must be the same length as vocabulary. "
                    f"Received idf_weights of shape {weights.shape}; len(vocabulary) is {len(given)}"
                )
            front = 0 if found or not special else len(special)
            weights = np.concatenate([np.full(front, weights.mean(), "float32"), weights])
        self._take(tokens, weights)

    def _lines_of(self, path: Any) -> list[Any]:
        if self.output_mode == "tf_idf":
            raise ValueError("output_mode `'tf_idf'` does not support loading a vocabulary from file.")
        if not os.path.exists(path):
            raise ValueError(f"Vocabulary file {os.fspath(path)} does not exist.")
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def _check_tokens(self, tokens: list[Any], special: list[Any]) -> None:
        """Refuses tokens that occur twice, and special ones among the others."""
        known = set(tokens)
        if len(known) != len(tokens):
            again = [token for token, count in Counter(tokens).items() if count > 1]
            raise ValueError(
                f"The passed vocabulary has at least one repeated term. Please uniquify your dataset. The repeated terms are: {again}"
            )
        for name, token, matters in (("mask", self.mask_token, True), ("oov", self.oov_token, self.invert)):
            if token is not None and matters and token in known:
                raise ValueError(
                    f"Found reserved {'OOV' if name == 'oov' else name} token at unexpected location in `vocabulary`. Note that passed "
                    "`vocabulary` does not need to include the OOV and mask tokens. Either remove all mask and OOV tokens, or include "
                    f"them only at the start of the vocabulary in precisely this order: {special}. "
                    f"Received: {name}_token={token!r} at vocabulary index {tokens.index(token)}"
                )

    def _take(self, tokens: list[Any], weights: np.ndarray | None) -> None:
        size = self._token_start_index() + len(tokens)
        if self._fixes_size() and self._frozen_vocab_size not in (None, size):
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the vocabulary size cannot be changed after "
                f"the layer is called. Old vocab size is {self._frozen_vocab_size}, new vocab size is {size}"
            )
        self._tokens, self._frozen_vocab_size = tokens, size
        self._tables = {}
        if weights is not None:
            behind = self._depth() - len(weights) if self.pad_to_max_tokens else 0
            self.idf_weights = np.pad(weights, (0, behind)).astype("float32")

    def _fixes_size(self) -> bool:
        return self.output_mode != "int" and not self.pad_to_max_tokens

    def _depth(self) -> Any:
        return self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size

    # ---- learning it
    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the vocabulary: the tokens in `data`, the most frequent first, equally frequent ones in reverse order.

        Args:
            data: A list or array of tokens; or a Dataset or another iterable of batches. In `"tf_idf"` a row is a document.
            steps: How many batches at most.

        Raises:
            ValueError: The layer has a vocabulary that was given to it.
        """
        self.reset_state()
        if isinstance(data, (list, tuple)):
            data = on_host(data)
        whole = hasattr(data, "shape")
        for batch in batches_of(data, steps):
            self.update_state(on_host(batch)[:, None] if whole and len(batch.shape) == 1 else batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Counts the tokens of a batch."""
        values = host_values(on_host(data))
        flat = self._flat(values)
        rows = values.shape[0] if values.ndim > 1 else 1
        self._count([flat[i : i + len(flat) // rows] for i in range(0, len(flat), max(1, len(flat) // rows))] if flat else [])

    def _count(self, rows: list[Any]) -> None:
        """Counts the tokens of documents."""
        if self._has_input_vocabulary:
            raise ValueError(f"Cannot adapt layer '{self.name}' {_STATIC}")
        for row in rows:
            self._counts.update(row)
        if self.output_mode == "tf_idf":
            for row in rows:
                self._document_counts.update(set(row))
        self._documents += len(rows)

    def finalize_state(self) -> None:
        """Makes the vocabulary from the counts."""
        if self._has_input_vocabulary or not self._counts:
            self._frozen_vocab_size = self.vocabulary_size() if self._tokens else self._frozen_vocab_size
            return
        counts = {self._token(token): count for token, count in self._counts.items()}
        special = {self.mask_token, self.oov_token}
        tokens = sorted((token for token in counts if token not in special), key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens:
            tokens = tokens[: self.max_tokens - self._token_start_index()]
        weights = None
        if self.output_mode == "tf_idf":
            seen = {self._token(token): count for token, count in self._document_counts.items()}
            own = np.array([math.log(1 + self._documents / (1 + seen[token])) for token in tokens], "float32")
            weights = np.concatenate([np.full(self._token_start_index(), own.mean() if len(own) else 0, "float32"), own])
        self._take(tokens, weights)
        self.reset_state()

    def reset_state(self) -> None:
        """Forgets the tokens that were counted."""
        self._counts: Counter[Any] = Counter()
        self._document_counts: Counter[Any] = Counter()
        self._documents = 0
