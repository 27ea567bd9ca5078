"""Parts of an optimizer's step: gradients that are clipped, and numbers that share a buffer."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.graph.prims import copy


def clipped(grads: list[Tensor], norm: float | None, global_norm: float | None, value: float | None) -> list[Tensor]:
    """Gradients within a limit: each shortened to `norm`, all together to `global_norm`, or their elements cut off at `value`."""
    if norm:
        return [clip_by_norm(g, norm) for g in grads]
    if global_norm:
        length = ops.sqrt(sum(ops.sum(ops.square(g)) for g in grads))
        scale = global_norm / ops.maximum(length, global_norm)
        return [g * scale for g in grads]
    if value:
        return [ops.clip(g, -value, value) for g in grads]
    return grads


def clip_by_norm(gradient: Tensor, limit: float) -> Tensor:
    """`gradient` shortened to norm `limit` where it is longer."""
    norm = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * (limit / ops.maximum(norm, limit))


def in_one_place(*numbers: Any) -> list[Tensor]:
    """The numbers as parts of one tensor in memory: a kernel has eight buffers, and these take one of them."""
    row = Tensor(copy(ops.stack([ops.cast(number, "float32") for number in numbers])._node))
    return [row[i] for i in range(len(numbers))]
