"""Weights as one run of bytes, and runs of bytes as one, as TensorFlow.js takes them apart and together."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any

import numpy as np

from .files import ModelFileError
from .tfjs.weights import decode, read_manifest

_DTYPES = {"f": np.float32, "b": np.bool_, "i": np.int32, "u": np.int32}


def encode_weights(tensors: Mapping[str, Any] | Iterable[Any]) -> tuple[bytes, list[dict]]:
    """Weights as bytes, and what is in them.

    Args:
        tensors: Tensors or arrays by name, or objects with a `name`, such as `model.weights`.

    Returns:
        The bytes, and for each weight a dict with `name`, `shape` and `dtype`.

    Raises:
        TypeError: A weight holds no numbers.

    Source: TensorFlow.js `tf.io.encodeWeights`.

    Example:
        >>> data, specs = pyml.io.encode_weights({"kernel": np.ones((2, 3), "float32")})
        >>> len(data), specs
        (24, [{'name': 'kernel', 'shape': [2, 3], 'dtype': 'float32'}])
    """
    given: Any = tensors
    pairs: list[tuple[str, Any]] = list(given.items()) if isinstance(given, Mapping) else [(tensor.name, tensor) for tensor in given]
    specs, parts = [], []
    for name, tensor in pairs:
        array = tensor.numpy() if hasattr(tensor, "numpy") else np.asarray(tensor)
        if array.dtype.kind not in _DTYPES:
            raise TypeError(f"encode_weights: {name!r} is {array.dtype}; expected numbers.")
        array = np.ascontiguousarray(array, _DTYPES[array.dtype.kind]).reshape(array.shape)
        specs.append({"name": name, "shape": list(array.shape), "dtype": array.dtype.name})
        parts.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return b"".join(parts), specs


def decode_weights(data: Any, specs: list[dict]) -> dict[str, np.ndarray]:
    """The weights in bytes, as arrays by name; what was stored shorter is widened.

    Args:
        data: Bytes, or a list of them to be joined.
        specs: As `encode_weights` gives them, or from a `weightsManifest`.

    Raises:
        ModelFileError: The bytes are fewer than the specs say, or these are malformed.

    Source: TensorFlow.js `tf.io.decodeWeights`.

    Example:
        >>> data, specs = pyml.io.encode_weights({"kernel": np.ones((2, 3), "float32")})
        >>> pyml.io.decode_weights(data, specs)["kernel"].shape
        (2, 3)
    """
    ((_, checked, nbytes),) = read_manifest([{"paths": [], "weights": specs}], "decode_weights")
    return decode([concatenate_array_buffers(data)], checked, nbytes, "decode_weights")


async def decode_weights_stream(stream: AsyncIterable[Any], specs: list[dict]) -> dict[str, np.ndarray]:
    """`decode_weights` of bytes that come in parts.

    Args:
        stream: Asynchronous iterable of bytes.
        specs: What `get_weight_specs` returns: name, shape and dtype of each.

    Raises:
        ModelFileError: As `decode_weights`; or more bytes come than the specs say, which ends the reading.

    Source: TensorFlow.js `tf.io.decodeWeightsStream`.

    Example:
        >>> async def parts():
        ...     for value in (1.0, 2.0):
        ...         yield np.float32(value).tobytes()
        >>> specs = [{"name": "w", "shape": [2], "dtype": "float32"}]
        >>> asyncio.run(pyml.io.decode_weights_stream(parts(), specs))["w"].tolist()
        [1.0, 2.0]
    """
    ((_, _, nbytes),) = read_manifest([{"paths": [], "weights": specs}], "decode_weights_stream")
    parts, total = [], 0
    texts = any(spec["dtype"] == "string" for spec in specs)
    async for part in stream:
        parts.append(bytes_of(part))
        total += len(parts[-1])
        if total > nbytes + (64 << 20 if texts else 4096):
            raise ModelFileError(f"decode_weights_stream: more than the {nbytes:,} bytes of the specs came.")
    return decode_weights(parts, specs)


def concatenate_array_buffers(buffers: Any) -> bytes:
    """Several runs of bytes as one.

    Args:
        buffers: A list of bytes, or one.

    Raises:
        TypeError: One of them is something else.

    Source: TensorFlow.js `tf.io.concatenateArrayBuffers`.

    Example:
        >>> pyml.io.concatenate_array_buffers([b"ab", b"c"])
        b'abc'
    """
    if isinstance(buffers, (list, tuple)):
        return b"".join(bytes_of(b) for b in buffers)
    return bytes_of(buffers)


def bytes_of(data: Any) -> bytes:
    if hasattr(data, "to_bytes") and hasattr(data, "js_id"):  # an ArrayBuffer or typed array of the page
        return data.tobytes_of()
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected bytes. Received a {type(data).__name__}.")
    return bytes(data)


class CompositeArrayBuffer:
    """Several runs of bytes, read as one without joining them.

    Source: TensorFlow.js `tf.io.CompositeArrayBuffer`.

    Example:
        >>> pyml.io.composite_array_buffer([b"abc", b"def"]).slice(2, 4)
        b'cd'
    """

    def __init__(self, buffers: Any = ()):
        parts = buffers if isinstance(buffers, (list, tuple)) else [buffers]
        self._parts = [memoryview(bytes_of(part)) for part in parts]
        self.byte_length = sum(len(part) for part in self._parts)

    def __len__(self) -> int:
        return self.byte_length

    def slice(self, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to `end`; negative ones count from the end."""
        start, end, _ = slice(start, end).indices(self.byte_length)
        found, at = [], 0
        for part in self._parts:
            found.append(part[max(0, start - at) : max(0, end - at)])
            at += len(part)
        return b"".join(found)


def composite_array_buffer(buffers: Any = ()) -> CompositeArrayBuffer:
    """A `CompositeArrayBuffer`.

    Raises:
        TypeError: `buffers` are something else than bytes.

    Example:
        >>> len(pyml.io.composite_array_buffer([b"ab", b"c"]))
        3
    """
    return CompositeArrayBuffer(buffers)
