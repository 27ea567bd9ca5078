"""`Example`: the messages of named lists that TFRecord files usually hold, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_KINDS = {1: "bytes", 2: "float32", 3: "int64"}        # fields of Feature: BytesList, FloatList, Int64List


class Example:
    """Named lists of bytes, float32 or int64, as `tf.train.Example` has them.

    Args:
        features: Dict of names and lists or arrays: of `bytes` or strings, of floats, or of integers and bools. Arrays are
            flattened, as the format has no shapes.

    Raises:
        TypeError: A list holds something else, or several kinds.

    Source: tensorflow/core/example/example.proto, feature.proto.

    Example:
        >>> data = pyml.data.Example({"name": "Ada", "sizes": [1.5, 2.0], "label": 3}).SerializeToString()
        >>> pyml.data.Example.FromString(data).features["label"]
        array([3])
    """

    def __init__(self, features: Mapping[str, Any] | None = None):
        self.features: dict[str, Any] = {str(name): _values(name, value) for name, value in (features or {}).items()}

    def SerializeToString(self) -> bytes:
        """The message; names in alphabetical order, so that equal Examples are equal bytes."""
        entries = b"".join(_field(1, _field(1, name.encode()) + _field(2, _feature(self.features[name]))) for name in sorted(self.features))
        return _field(1, entries)

    @staticmethod
    def FromString(data: bytes) -> Example:
        """The Example of a message, `data`.

        Raises:
            ValueError: It is none.
        """
        example = Example()
        try:
            for number, features in _fields(memoryview(data)):
                for _, entry in _fields(features) if number == 1 else ():
                    parts = dict(_fields(entry))
                    example.features[bytes(parts[1]).decode()] = _parsed(parts.get(2, memoryview(b"")))
        except (IndexError, KeyError, TypeError, UnicodeDecodeError, ValueError) as error:
            raise ValueError(f"Example.FromString: these {len(data)} bytes are not an Example ({error}).") from None
        return example

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Example) and self.SerializeToString() == other.SerializeToString()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Example({self.features!r})"


@dataclass(frozen=True)
class FixedLenFeature:
    """A feature with as many values as `shape` has room for; `default_value` where it is missing, else that is an error.

    Example:
        >>> pyml.data.FixedLenFeature([2], "float32").shape
        [2]
    """

    shape: Any
    dtype: Any
    default_value: Any = None


@dataclass(frozen=True)
class VarLenFeature:
    """A feature with any number of values, none where it is missing; parsed to an array with one axis.

    Example:
        >>> pyml.data.VarLenFeature("int64").dtype
        'int64'
    """

    dtype: Any


def parse_single_example(serialized: bytes, features: Mapping[str, Any]) -> dict[str, Any]:
    """The features of a message, as arrays.

    Args:
        serialized: A message, as `Example.SerializeToString` makes it.
        features: Dict of names and `FixedLenFeature` or `VarLenFeature`.

    Returns:
        A dict of arrays; strings are object arrays of bytes.

    Raises:
        ValueError: A feature is missing, of another dtype, or of another number of values.

    Source: `tf.io.parse_single_example`.

    Example:
        >>> data = pyml.data.Example({"x": [1.0, 2.0], "y": 1}).SerializeToString()
        >>> row = pyml.data.parse_single_example(data, {
        ...     "x": pyml.data.FixedLenFeature([2], "float32"), "y": pyml.data.FixedLenFeature([], "int64")})
        >>> row["x"], int(row["y"])
        (array([1., 2.], dtype=float32), 1)
    """
    found = Example.FromString(serialized).features
    return {name: _wanted(name, found.get(name), spec) for name, spec in features.items()}


def parse_example(serialized: Iterable[bytes], features: Mapping[str, Any]) -> dict[str, Any]:
    """The features of several messages: arrays with a first axis for them, and lists of arrays for `VarLenFeature`.

    Args:
        serialized: Messages, as `Example.SerializeToString` makes them.
        features: Dict of names and `FixedLenFeature` or `VarLenFeature`.

    Raises:
        ValueError: A feature is missing, of another dtype, or of another number of values.

    Source: `tf.io.parse_example`.

    Example:
        >>> messages = [pyml.data.Example({"y": k}).SerializeToString() for k in range(3)]
        >>> pyml.data.parse_example(messages, {"y": pyml.data.FixedLenFeature([], "int64")})["y"].tolist()
        [0, 1, 2]
    """
    rows = [parse_single_example(one, features) for one in serialized]
    return {
        name: [row[name] for row in rows] if isinstance(spec, VarLenFeature) else np.stack([row[name] for row in rows])
        for name, spec in features.items()
    }


def _wanted(name: str, values: Any, spec: Any) -> Any:
    """The values of a feature as its spec asks, or its default."""
    if not isinstance(spec, (FixedLenFeature, VarLenFeature)):
        raise TypeError(f"parse_single_example: feature {name!r} must be a FixedLenFeature or VarLenFeature. Received: {spec!r}")
    dtype = str(getattr(spec.dtype, "name", spec.dtype))
    kind = "bytes" if dtype in ("string", "str", "bytes") else dtype
    if kind not in _KINDS.values():
        raise ValueError(f'parse_single_example: the dtype of feature {name!r} must be "float32", "int64" or "string". Received: {dtype!r}')
    fixed = spec if isinstance(spec, FixedLenFeature) else None
    room = 0 if fixed is None else int(np.prod(fixed.shape, dtype=np.int_))
    if values is None or not len(values):
        default = None if fixed is None else fixed.default_value
        if fixed is not None and default is None and room:
            raise ValueError(f"parse_single_example: the Example has no feature {name!r}, and it has no default_value.")
        given = [] if default is None else _values(name, default)
        if len(given) == 1:
            given = list(given) * room
        values = list(given) if kind == "bytes" else np.asarray(given, kind)
    have = "bytes" if isinstance(values, list) else str(values.dtype)
    if have != kind:
        raise ValueError(f"parse_single_example: feature {name!r} is {have}, not {kind}.")
    if isinstance(values, list):
        array = np.empty(len(values), object)
        array[:] = values
    else:
        array = values
    if fixed is None:
        return array
    if array.size != room:
        raise ValueError(f"parse_single_example: feature {name!r} has {array.size} values, and shape {list(fixed.shape)} needs {room}.")
    return array.reshape(fixed.shape)


# ---- values
def _values(name: Any, value: Any) -> Any:
    """A list of bytes, or an array of float32 or int64."""
    if isinstance(value, (bytes, str)):
        value = [value]
    if hasattr(value, "numpy"):
        value = value.numpy()
    array = value if isinstance(value, np.ndarray) else None
    if array is None and isinstance(value, (list, tuple)) and value and all(isinstance(one, (bytes, str)) for one in value):
        return [one.encode() if isinstance(one, str) else one for one in value]
    if isinstance(value, (list, tuple)) and any(isinstance(one, (bytes, str)) for one in value):
        raise TypeError(f"Example: feature {name!r} must hold values of one kind, text or numbers. Received: {value!r:.80}")
    array = np.asarray(value).reshape(-1)
    if array.dtype.kind in "US" or (array.dtype.kind == "O" and all(isinstance(one, (bytes, str)) for one in array)):
        return [one.encode() if isinstance(one, str) else bytes(one) for one in array.tolist()]
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    raise TypeError(f"Example: feature {name!r} must hold bytes, strings, floats or integers. Received: {value!r:.80}")


def _feature(values: Any) -> bytes:
    if isinstance(values, list):
        return _field(1, b"".join(_field(1, one) for one in values))
    if values.dtype == np.float32:
        return _field(2, _field(1, values.astype("<f4").tobytes()) if len(values) else b"")
    return _field(3, _field(1, b"".join(map(_varint, values.tolist()))) if len(values) else b"")


def _parsed(feature: memoryview) -> Any:
    """The values of a serialized feature: a list of bytes, float32 or int64."""
    for number, values in _fields(feature):
        if number == 1:
            return [bytes(one) for _, one in _fields(values)]
        if number == 2:
            runs = [np.frombuffer(one, "<f4") for _, one in _fields(values)]
            return np.concatenate(runs).astype(np.float32) if runs else np.zeros(0, np.float32)
        if number == 3:
            numbers: list[int] = []
            for _, run in _fields(values):
                if isinstance(run, int):               # not packed
                    numbers.append(run)
                    continue
                place = 0
                while place < len(run):
                    value, place = _read_varint(run, place)
                    numbers.append(value)
            return np.array(numbers, np.uint64).astype(np.int64)
    return np.zeros(0, np.float32)


# ---- protobuf: every field is a key, its number and a kind, and a value
def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _read_varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _fields(data: memoryview) -> Any:
    """Number and value of each field of a protocol buffer: an integer, or the bytes of anything else."""
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, place = _read_varint(data, place)
            yield number, value
            continue
        if kind == 2:
            length, place = _read_varint(data, place)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"field {number} is of a kind that is not known")
        if place + length > len(data):
            raise ValueError("it ends too early")
        yield number, data[place : place + length]
        place += length
