"""Reads the tensors and operators of a TFLite file: a FlatBuffer, of which only a few tables matter here."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyml.assets.checks import AssetError

DTYPES: dict[int, type] = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 6: np.bool_, 9: np.int8}
TABLES = 100_000                                       # no vector of tables is longer in any file that is meant


@dataclass
class Tensor:
    """A tensor of the graph; `values` is None unless the file holds its numbers."""

    name: str
    shape: tuple[int, ...]
    values: np.ndarray | None


@dataclass
class Operator:
    """One step: the number of its kind in TFLite's schema, and the numbers of the tensors it reads and writes."""

    code: int
    inputs: list[int]
    outputs: list[int]


class Table:
    """A table of a FlatBuffer: fields by their number in the schema."""

    def __init__(self, data: bytes, place: int):
        self.data, self.place = data, place
        self.fields = place - struct.unpack_from("<i", data, place)[0]
        self.size = struct.unpack_from("<H", data, self.fields)[0]

    def _at(self, field: int) -> int | None:
        slot = 4 + 2 * field
        offset = struct.unpack_from("<H", self.data, self.fields + slot)[0] if slot < self.size else 0
        return self.place + offset if offset else None

    def number(self, field: int, form: str = "<i") -> int:
        at = self._at(field)
        return 0 if at is None else struct.unpack_from(form, self.data, at)[0]

    def _vector(self, field: int) -> tuple[int, int]:
        at = self._at(field)
        if at is None:
            return 0, 0
        start = at + struct.unpack_from("<I", self.data, at)[0]
        return start + 4, struct.unpack_from("<I", self.data, start)[0]

    def bytes(self, field: int) -> memoryview:
        start, count = self._vector(field)
        return memoryview(self.data)[start : start + count]

    def numbers(self, field: int) -> list[int]:
        start, count = self._vector(field)
        return np.frombuffer(self.data, "<i4", count, start).tolist() if count else []

    def tables(self, field: int) -> list["Table"]:
        start, count = self._vector(field)
        if count > TABLES:
            raise ValueError(f"{count} tables")
        places = [start + 4 * i for i in range(count)]
        return [Table(self.data, p + struct.unpack_from("<I", self.data, p)[0]) for p in places]


def read_tflite(path: Path) -> tuple[list[Tensor], list[Operator]]:
    """The tensors and operators of the first graph of a TFLite file.

    Raises:
        AssetError: It is no such file, or it is damaged.
    """
    data = path.read_bytes()
    try:
        if data[4:8] != b"TFL3":
            raise ValueError("the file does not begin as one")
        model = Table(data, struct.unpack_from("<I", data)[0])
        codes = [max(t.number(0, "<b"), t.number(3)) for t in model.tables(1)]
        buffers = [t.bytes(0) for t in model.tables(4)]
        graph = model.tables(2)[0]
        tensors = [_tensor(t, buffers) for t in graph.tables(0)]
        operators = [Operator(codes[t.number(0, "<I")], t.numbers(1), t.numbers(2)) for t in graph.tables(3)]
    except (struct.error, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise AssetError(f"{path.name}: not a readable TFLite file ({error}).") from None
    return tensors, operators


def _tensor(table: Table, buffers: list[memoryview]) -> Tensor:
    shape = tuple(table.numbers(0))
    held = buffers[table.number(2, "<I")]
    values: np.ndarray | None = np.frombuffer(held, DTYPES[table.number(1, "<b")]).reshape(shape) if len(held) else None
    return Tensor(bytes(table.bytes(3)).decode(), shape, values)
