"""The base of StringLookup and IntegerLookup: a vocabulary, and tokens as their places in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.layers.preprocessing.encoding import check_dense, checked_mode, encoded, encoded_on_host, encoded_shape
from pyml.layers.preprocessing.hashing import checked_salt, hashed
from pyml.layers.preprocessing.host import answer, values_of
from pyml.layers.preprocessing.vocabulary import WithVocabulary

_DROPPED = 2**31 - 1                                   # the place of masked tokens that are not counted


class IndexLookup(WithVocabulary, abstract=True):
    """Tokens as their places in a vocabulary: first the mask token, then those for tokens not in it, then its own."""

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
        self._build_at_init()

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
        if places.dtype.kind not in "iufb":
            raise ValueError(f"{type(self).__name__}: with invert=True inputs are places in the vocabulary, integers. Received: "
                             f"{places.dtype} values; leave invert=True out to look up tokens.")  # fmt: skip
        known = self.get_vocabulary()
        flat = [known[i] if 0 <= i < len(known) else self.oov_token for i in places.reshape(-1).tolist()]
        return np.array(flat, object if self._text else np.int64).reshape(places.shape)

    # ---- shapes, configs, files
    def compute_output_shape(self, input_shape: Any) -> Any:
        return encoded_shape(input_shape, "count" if self.output_mode == "tf_idf" else self.output_mode, self._depth())

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = "string" if self.invert and self._text else "int32" if self.output_mode == "int" else self.compute_dtype
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
        """Writes nothing into `dir_path`: the config has the vocabulary."""

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
