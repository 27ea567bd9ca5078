"""Lists of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_ENDS = ("pre", "post")


def pad_sequences(sequences: Sequence[Any], maxlen: int | None = None, dtype: Any = "int32", padding: str = "pre",
                  truncating: str = "pre", value: Any = 0.0) -> np.ndarray:  # fmt: skip
    """Sequences of different lengths as one array, filled up and cut to one length.

    Args:
        sequences: List of sequences; their elements may be arrays of the same shape.
        maxlen: The length; by default that of the longest sequence.
        dtype: Dtype of the array; `object` for strings of any length.
        padding: `"pre"` fills up before a sequence, `"post"` behind it.
        truncating: `"pre"` cuts the beginning of a sequence that is too long, `"post"` its end.
        value: What sequences are filled up with.

    Returns:
        A numpy array `(len(sequences), maxlen, ...)`.

    Raises:
        ValueError: Something is not a sequence, elements have other shapes, or a word is unknown.

    Example:
        >>> pyml.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for what, word in (("padding", padding), ("truncating", truncating)):
        if word not in _ENDS:
            raise ValueError(f"pad_sequences: {what} must be 'pre' or 'post'. Received: {what}={word!r}")
    for item in sequences:
        if not hasattr(item, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {item}")
    longest = max((len(item) for item in sequences), default=0) if maxlen is None else maxlen
    shape = next((np.asarray(item).shape[1:] for item in sequences if len(item)), ())
    words = np.issubdtype(dtype, np.str_) or np.issubdtype(dtype, np.bytes_)
    if isinstance(value, str) and dtype is not object and not words:
        raise ValueError(f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}. You should set `dtype=object`.")
    result = np.full((len(sequences), longest, *shape), value, dtype=dtype)
    for row, item in zip(result, sequences, strict=True):
        if not len(item) or not longest:
            continue
        cut = item[-longest:] if truncating == "pre" else item[:longest]
        try:
            kept = np.asarray(cut, dtype=dtype)
        except ValueError as error:
            raise ValueError(f"pad_sequences: sequences must hold values of dtype={dtype!r}. Received: {cut!r:.80}; "
                             "layers.TextVectorization makes numbers of text, dtype=object keeps it.") from error  # fmt: skip
        if kept.shape[1:] != shape:
            raise ValueError(f"Shape of sample {kept.shape[1:]} of sequence is different from expected shape {shape}")
        row[len(row) - len(kept) if padding == "pre" else 0 :][: len(kept)] = kept
    return result
