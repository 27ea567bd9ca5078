"""The bytes of an exported model's states: as they are, or with the weights in fewer bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import config
from pyml.compile.program import to_host
from pyml.core import Variable
from pyml.device.base import Buffer, Device
from pyml.export.programs import State
from pyml.graph.node import Node
from pyml.saving.fewer_bits import misfit, tell_kept

ENCODINGS = ("float32", "float16", "int8")


def read_state(state: State) -> np.ndarray:
    """A state's values now, in the dtype of the device."""
    if isinstance(state.source, Variable):
        return state.source._read()
    buffer, node, home = _place(state)
    return to_host(home.sync_wait(home.read(buffer, 4 * node.size)), node)


async def read_state_async(state: State) -> np.ndarray:
    """`read_state` that works in every browser."""
    buffer, node, home = _place(state)
    return to_host(await home.read(buffer, 4 * node.size), node)


def _place(state: State) -> tuple[Buffer, Node, Device]:
    source = state.source
    buffer = source.settle() if isinstance(source, Variable) else source.buffer
    if buffer is None:
        raise AssertionError(f"{state.name} has no value")
    node = source._as_leaf() if isinstance(source, Variable) else source
    return buffer, node, buffer.device or config.device()


def encoded(states: Sequence[State], arrays: Sequence[np.ndarray], encoding: str, weights: set[int]) -> tuple[list[dict[str, Any]], bytes]:
    """What the loader must know of each state, and all their bytes in one piece.

    Args:
        arrays: The values of the states.
        encoding: `"float32"`; `"float16"`, rounded to nearest; `"int8"`: for kernels, 255 steps a channel, the last axis, and
            float16 for what has no more than one axis. What holds numbers that these cannot keep, such as NaN, stays float32, with a
            warning.
        weights: Places of the states that may have fewer bits: those that training changes must be exact.
    """
    described, pieces, at, misfits = [], [], 0, []
    for i, (state, values) in enumerate(zip(states, arrays, strict=True)):
        entry: dict[str, Any] = {"name": state.name, "shape": list(state.shape), "dtype": state.dtype, "at": at}
        parts = [np.ascontiguousarray(values.astype(np.uint32) if values.dtype == bool else values)]
        if i in weights and values.dtype == np.float32 and values.size and encoding != "float32":
            form = "int8" if encoding == "int8" and values.ndim > 1 else "float16"
            held = misfit(values, form)
            if held is not None:
                misfits.append((state.name, held))
            elif form == "int8":
                scale = np.abs(values).max(axis=tuple(range(values.ndim - 1))).astype(np.float32) / np.float32(127)
                scale[scale == 0] = 1
                parts = [scale, np.rint(values / scale).astype(np.int8)]
                entry["as"] = "int8"
            else:
                parts = [values.astype(np.float16)]
                entry["as"] = "float16"
        for part in parts:
            raw = part.tobytes()
            raw += bytes(-len(raw) % 4)
            pieces.append(raw)
            at += len(raw)
        described.append(entry)
    tell_kept(misfits, "export", f"weights={encoding!r}")
    return described, b"".join(pieces)


__all__ = ["ENCODINGS", "encoded", "read_state", "read_state_async"]
