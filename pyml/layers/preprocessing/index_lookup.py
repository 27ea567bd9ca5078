"""The base of StringLookup and IntegerLookup: a vocabulary, and tokens as their places in it."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.layers.preprocessing.batches import batches_of, host_values
from pyml.layers.preprocessing.encoding import check_dense, checked_mode, encoded, encoded_on_host, encoded_shape
from pyml.layers.preprocessing.hashing import checked_salt, hashed
from pyml.layers.preprocessing.host import HostLayer, answer, on_host, values_of

_STATIC = "after setting a static vocabulary via `vocabulary` argument or `set_vocabulary()` method."
_DROPPED = 2**31 - 1                                   # the place of masked tokens that are not counted


class IndexLookup(HostLayer, abstract=True):
    """Tokens as their places in a vocabulary: first the mask token, then those for tokens not in it, then its own."""

    _text: ClassVar[bool] = False

    def __init__(self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any, vocabulary_dtype: str,
                 vocabulary: Any = None, idf_weights: Any = None, invert: bool = False, output_mode: str = "int", sparse: bool = False,
                 pad_to_max_tokens: bool = False, oov_method: str = "floormod", name: str | None = None, salt: Any = None,
                 **kwargs: Any) -> None:
        owner = type(self).__name__
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}")
        if oov_method not in ("floormod", "farmhash"):
            raise ValueError(f"{owner}: oov_method must be 'floormod' or 'farmhash'. Received: {oov_method!r}")
        if salt is not None and not self._text and oov_method != "farmhash":
            raise ValueError(f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={oov_method}")
        output_mode = checked_mode(output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"), owner)
        if invert and output_mode != "int":
            raise ValueError(f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}")
        check_dense(owner, sparse=sparse)
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: output_mode={output_mode}"
            )
        frozen, has_vocabulary = kwargs.pop("vocabulary_size", None), kwargs.pop("has_input_vocabulary", vocabulary is not None)
        kwargs.pop("dtype", None)
        trainable = kwargs.pop("trainable", True)
        if kwargs:
            raise ValueError(f"Unrecognized keyword argument(s): {kwargs}")
        super().__init__(name=name, trainable=trainable)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.vocabulary_dtype = vocabulary_dtype
        self.invert = invert
        self.output_mode = output_mode
        self.sparse = False
        self.pad_to_max_tokens = pad_to_max_tokens
        self.oov_method = oov_method
        self.salt = checked_salt(salt, owner)
        self._frozen_vocab_size = frozen
        self._has_input_vocabulary = has_vocabulary
        self._tokens: list[Any] | None = None          # in order, without the special ones
        self._tables: dict[Any, Any] = {}
        self.idf_weights: np.ndarray | None = None     # one for each place in the vocabulary
        self.reset_state()
        if output_mode == "tf_idf" and vocabulary is not None and idf_weights is None:
            raise ValueError(
                "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must also be provided."
            )
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        self.built = True

    # ---- the vocabulary
    def _token(self, token: Any) -> Any:
        """A term of a vocabulary, in the type that tokens have."""
        return str(token.decode() if isinstance(token, bytes) else token) if self._text else int(token)

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

    # ---- looking up
    @property
    def runs_on_host(self) -> bool:
        hashes = self.num_oov_indices > 1 and self.oov_method != "floormod"
        return self._text or self.invert or hashes or self.num_oov_indices == 0

    def call(self, inputs: Any) -> Any:
        self._check_ready()
        if self.invert:
            return self._tokens_at(values_of(inputs, type(self).__name__))
        if isinstance(inputs, Tensor) and not self._text:
            return self._on_device(inputs)
        values = values_of(inputs, type(self).__name__)
        return self._encoded(self._places(self._flat(values)).reshape(values.shape))

    def _check_ready(self, name: str | None = None) -> None:
        if self._tokens is None and (self._fixes_size() or not self.pad_to_max_tokens):
            raise RuntimeError(
                f'Layer "{name or self.name}" has no vocabulary yet: when using `output_mode={self.output_mode}`, you must set the '
                "layer's vocabulary before calling it. Either pass a `vocabulary` argument to the layer, or call `adapt` with some sample "
                "data."
            )

    def _encoded(self, places: np.ndarray) -> Any:
        """Places as the output mode has them."""
        if self.output_mode == "int":
            return answer(places, "int32")
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        found = encoded_on_host(places, mode, self._depth())
        if self.output_mode == "tf_idf":
            assert self.idf_weights is not None
            found = found * self.idf_weights
        return answer(found, "float32")

    def _flat(self, values: np.ndarray) -> list[Any]:
        """The tokens of an array, as they are counted and looked up."""
        raise NotImplementedError

    def _table(self, kind: Any = None) -> dict[Any, int]:
        """Token to place; of a kind of spelling."""
        if kind not in self._tables:
            start = self._token_start_index()
            table = {token: start + i for i, token in enumerate(self._tokens or ())}
            if self.mask_token is not None:
                table[self.mask_token] = 0 if self.output_mode == "int" else _DROPPED
            self._tables[kind] = table if kind is None else {kind(token): place for token, place in table.items()}
        return self._tables[kind]

    def _places(self, flat: list[Any], kind: Any = None) -> np.ndarray:
        """The place of each token."""
        table = self._table(kind)
        oov = self._oov_start_index()
        if self.num_oov_indices == 1:
            return np.fromiter((table.get(token, oov) for token in flat), np.int32, len(flat))
        places = np.fromiter((table.get(token, -1) for token in flat), np.int32, len(flat))
        (unknown,) = np.nonzero(places < 0)
        if len(unknown):
            missing = [flat[i] for i in unknown.tolist()]
            if self.num_oov_indices == 0:
                some = ", ".join(repr(self._token(token)) for token in dict.fromkeys(missing[:5]))
                raise ValueError(
                    f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values {some}, consider setting "
                    "`num_oov_indices=1`."
                )
            places[unknown] = oov + self._buckets(missing)
        return places

    def _buckets(self, missing: list[Any]) -> np.ndarray:
        """Which of the places for unknown tokens each one has."""
        if not self._text and self.oov_method == "floormod":
            return np.array([token % self.num_oov_indices for token in missing], np.int32)
        values = np.array(missing, object if self._text else np.int64)
        return hashed(values, self.num_oov_indices, self.salt, type(self).__name__)

    def _on_device(self, inputs: Tensor) -> Any:
        """Integers looked up by the device: each among the sorted tokens."""
        inputs = ops.cast(inputs, "int32")
        tokens = np.array([*(self._tokens or ()), *(() if self.mask_token is None else (self.mask_token,))], np.int64)
        start, oov = self._token_start_index(), self._oov_start_index()
        places = start + np.arange(len(tokens))
        if self.mask_token is not None:
            places[-1] = 0 if self.output_mode == "int" else _DROPPED
        if self.num_oov_indices == 0 or (self.num_oov_indices > 1 and self.oov_method != "floormod"):
            return self._encoded(self._places(self._flat(values_of(inputs, type(self).__name__))).reshape(inputs.shape))
        order = np.argsort(tokens)
        order = order[np.abs(tokens[order] + 0.5) < 2**31]         # no input can be one of the others
        tokens, places = tokens[order].astype("int32"), places[order].astype("int32")
        near = ops.clip(ops.searchsorted(tokens, inputs), 0, len(tokens) - 1)
        others = ops.mod(inputs, self.num_oov_indices) + oov if self.num_oov_indices > 1 else oov
        found = ops.where(ops.equal(ops.take(tokens, near), inputs), ops.take(places, near), others)
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        found = encoded(found, mode, self._depth(), "int32" if mode == "int" else "float32")
        return found if self.output_mode != "tf_idf" else found * self.idf_weights

    def _tokens_at(self, places: np.ndarray) -> Any:
        """The tokens at places, as numpy array."""
        known = self.get_vocabulary()
        flat = [known[i] if 0 <= i < len(known) else self.oov_token for i in places.reshape(-1).tolist()]
        return np.array(flat, object if self._text else np.int64).reshape(places.shape)

    # ---- shapes, configs, files
    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, "count" if self.output_mode == "tf_idf" else self.output_mode, self._depth())

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "string" if self.invert and self._text else "int32" if self.output_mode == "int" else "float32"
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        weights = self.idf_weights
        return self._base_config() | {
            "invert": self.invert, "max_tokens": self.max_tokens, "num_oov_indices": self.num_oov_indices, "oov_token": self.oov_token,
            "mask_token": self.mask_token, "output_mode": self.output_mode, "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens, "vocabulary_dtype": self.vocabulary_dtype,
            "idf_weights": None if weights is None else [float(weight) for weight in weights[: self.vocabulary_size()]],
            "vocabulary": self.get_vocabulary() if self._tokens else None, "vocabulary_size": self._frozen_vocab_size,
            "oov_method": self.oov_method, "salt": self.salt, "has_input_vocabulary": self._has_input_vocabulary,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                "Requested the loading of a vocabulary file outside of the model archive. This carries a potential risk of loading "
                "arbitrary and sensitive files and thus it is disallowed; call `set_vocabulary` with the file if you trust it. "
                f"Vocabulary file: '{config['vocabulary']}'"
            )
        return super().from_config(config, custom_objects)

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        self.built = True

    def save_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights

    def load_own_variables(self, store: Any) -> None:
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = np.asarray(store["idf_weights"], "float32")

    def save_assets(self, dir_path: Any) -> None:
        """Nothing: the config has the vocabulary."""

    def load_assets(self, dir_path: Any) -> None:
        """Reads the vocabulary that Keras keeps beside the config, where that has none.

        Args:
            dir_path: The folder with `vocabulary.txt`.
        """
        if self._tokens is not None:
            return
        with open(os.path.join(dir_path, "vocabulary.txt"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        while lines and lines[-1] == "":
            lines.pop()
        special, given = self._special_tokens(), [self._token(line) for line in lines]
        self._take(given[len(special) :] if given[: len(special)] == special else given, None)     # idf weights are variables


def row_lengths(rows: list[Any]) -> np.ndarray:
    """How many tokens each row has."""
    return np.fromiter(map(len, rows), np.intp, len(rows))  # as numpy counts, in 32 bits in a page


def padded_rows(places: np.ndarray, lengths: np.ndarray, width: int, fill: int) -> np.ndarray:
    """Places of all rows, one after the other, as rows of one width: cut off, or filled up."""
    out = np.full((len(lengths), width), fill, np.int32)
    columns = np.arange(len(places)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows, inside = np.repeat(np.arange(len(lengths)), lengths), columns < width
    out[rows[inside], columns[inside]] = places[inside]
    return out


def check_rectangular(values: np.ndarray, owner: str) -> None:
    """Refuses lists of lists of different lengths.

    Raises:
        ShapeError: The elements are lists.
    """
    if values.dtype == object and values.size and isinstance(values.reshape(-1)[0], (list, tuple)):
        raise ShapeError(f"{owner}: rows have different lengths; fill them up to one length with the mask token.")
