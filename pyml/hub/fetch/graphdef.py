"""Reads the constants of a frozen TensorFlow graph (`.pb`): a protocol buffer, of which only the `Const` nodes matter."""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pyml.assets.checks import AssetError

# Field numbers in tensorflow/core/framework: graph, node_def, attr_value, tensor, tensor_shape.
NODE, NAME, OP, ATTR, TENSOR, DTYPE, SHAPE, CONTENT, FLOATS, DIM = 1, 1, 2, 5, 8, 1, 2, 4, 5, 2
FLOAT32 = 1
EMPTY = memoryview(b"")


def fields(data: memoryview) -> Iterator[tuple[int, Any]]:
    """The fields of a message: their numbers with an integer, or with the bytes of a text, message or fixed number."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = varint(data, at)
        if size is None or at + size > len(data):
            raise ValueError(f"a field of kind {kind} at byte {at} does not fit")
        yield key >> 3, data[at : at + size]
        at += size


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, least first, and the place after it."""
    value = 0
    for i in range(10):
        value |= (data[at + i] & 127) << (7 * i)
        if data[at + i] < 128:
            return value, at + i + 1
    raise ValueError(f"a number at byte {at} has no end")


def read_constants(path: Path) -> dict[str, np.ndarray]:
    """The float32 constants of a frozen graph by the names of their nodes.

    Raises:
        AssetError: The file is no such graph.
    """
    found = {}
    try:
        for number, node in fields(memoryview(path.read_bytes())):
            if number == NODE and (pair := constant(node)) is not None:
                found[pair[0]] = pair[1]
    except (ValueError, IndexError, TypeError) as error:
        raise AssetError(f"{path.name}: not a frozen graph that can be read ({error}).") from None
    return found


def constant(node: memoryview) -> tuple[str, np.ndarray] | None:
    """Name and value of a float32 `Const` node, None for any other."""
    name, op, tensor = "", "", None
    for number, value in fields(node):
        if number == NAME:
            name = bytes(value).decode()
        elif number == OP:
            op = bytes(value).decode()
        elif number == ATTR:
            entry = dict(fields(value))                # of a map: 1 is the key, 2 the value
            if bytes(entry[1]) == b"value":
                tensor = dict(fields(entry[2])).get(TENSOR)
    if op != "Const" or tensor is None:
        return None
    parts = dict(fields(tensor))
    if parts.get(DTYPE) != FLOAT32:
        return None
    sizes = [dict(fields(dim)).get(1, 0) for number, dim in fields(parts.get(SHAPE, EMPTY)) if number == DIM]
    values = np.frombuffer(parts[CONTENT] if CONTENT in parts else parts.get(FLOATS, EMPTY), "<f4")
    if values.size == 1:
        values = np.full(prod(sizes), values[0], "<f4")
    return name, values.reshape(sizes)
