"""Sparse and ragged tensors, which are several arrays; on the host, as their sizes depend on values."""

from __future__ import annotations

from math import prod

import numpy as np

from .rules import Value, Xp, check_count, ints, number, rule
from .topology import Node


@rule("SparseReshape", host=True, pure=True)
def _sparse_reshape(node: Node, xp: Xp, indices: Value, shape: Value, new: Value) -> Value:
    shape, new = ints(shape), ints(new)
    known = prod(n for n in new if n != -1)
    new = [prod(shape) // max(1, known) if n == -1 else n for n in new]
    if prod(new) != prod(shape) or min(new, default=0) < 0:
        raise ValueError(f"shape {shape} cannot become {new}")
    flat = np.ravel_multi_index(tuple(indices.T), tuple(shape)) if len(indices) else np.zeros(0, int)
    return [np.stack(np.unravel_index(flat, tuple(new)), -1).reshape(len(indices), len(new)), np.array(new)]


@rule("SparseFillEmptyRows", host=True, pure=True)
def _fill_empty_rows(node: Node, xp: Xp, indices: Value, values: Value, shape: Value, default: Value) -> Value:
    """Rows without values get the default at column 0: indices, values, which rows were empty, where each value went."""
    rows = check_count(ints(shape)[:1], "SparseFillEmptyRows")[0]
    if len(indices) and not 0 <= indices[:, 0].min() <= indices[:, 0].max() < rows:
        raise ValueError(f"indices leave the {rows} rows")
    empty = np.ones(rows, bool)
    empty[indices[:, 0]] = False
    added = np.zeros((int(empty.sum()), indices.shape[1]), np.int32)
    added[:, 0] = np.flatnonzero(empty)
    joined = np.concatenate([indices, added])
    order = np.argsort(joined[:, 0], kind="stable")
    place = np.argsort(order, kind="stable")
    filled = np.concatenate([values, np.full(len(added), number(default), values.dtype)])
    return [joined[order], filled[order], empty, place[: len(indices)]]


@rule("SparseSegmentSum", "SparseSegmentMean", host=True, pure=True)
def _segments(node: Node, xp: Xp, data: Value, indices: Value, segments: Value) -> Value:
    if len(indices) != len(segments) or (np.diff(segments) < 0).any():
        raise ValueError("the segments must be sorted, one for each index")
    if len(indices) and not 0 <= min(indices.min(), segments.min()) <= indices.max() < len(data):
        raise ValueError(f"an index leaves the {len(data)} rows of the data, or a segment is negative")
    count = check_count([int(segments[-1]) + 1 if len(segments) else 0], node.op)[0]
    total = np.zeros((count, *data.shape[1:]), np.float32)
    np.add.at(total, segments, data[indices])
    if node.op == "SparseSegmentMean":
        sizes = np.maximum(np.bincount(segments, minlength=count), 1)
        total = total / sizes.reshape(-1, *(1,) * (data.ndim - 1))
    return total.astype(data.dtype)


@rule("RaggedRange", host=True, pure=True)
def _ragged_range(node: Node, xp: Xp, starts: Value, limits: Value, steps: Value) -> Value:
    starts, limits, steps = np.broadcast_arrays(*(np.reshape(v, -1) for v in (starts, limits, steps)))
    if (steps == 0).any():
        raise ValueError("a step is 0")
    sizes = np.maximum(0, np.ceil((limits - starts) / steps)).astype(np.int64)
    check_count([sizes.sum()], "RaggedRange")
    rows = [s + np.arange(n) * d for s, n, d in zip(starts, sizes, steps, strict=True)]
    return [np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(rows).astype(starts.dtype) if rows else starts]


@rule("RaggedGather", host=True, pure=True)
def _ragged_gather(node: Node, xp: Xp, *inputs: Value) -> Value:
    """Rows of a ragged tensor: for each nested level the splits of the rows taken, then the values."""
    *levels, values, indices = inputs
    shape, at = indices.shape, indices.reshape(-1)
    found = []
    for k in range(1, len(shape)):                      # indices of several axes are even rows around it
        found.append(np.arange(0, prod(shape[: k + 1]) + 1, shape[k]))
    for splits in levels:
        if len(at) and not 0 <= at.min() <= at.max() < len(splits) - 1:
            raise ValueError(f"an index leaves the {len(splits) - 1} rows")
        starts, sizes = splits[at], splits[at + 1] - splits[at]
        check_count([sizes.sum()], "RaggedGather")
        ends = np.cumsum(sizes)
        found.append(np.concatenate([[0], ends]))
        at = np.arange(int(sizes.sum())) + np.repeat(starts - (ends - sizes), sizes.astype(np.intp))
    if len(at) and not 0 <= at.min() <= at.max() < len(values):
        raise ValueError(f"an index leaves the {len(values)} values")
    return [*found, values[at]]


@rule("RaggedTensorToTensor", host=True, pure=True)
def _ragged_to_tensor(node: Node, xp: Xp, shape: Value, values: Value, default: Value, *given: Value) -> Value:
    """Rows of different lengths as one array, what is missing filled, what is too long cut."""
    kinds, parents = list(node.attr("row_partition_types") or []), []
    partitions = list(given)
    most = max(len(values), *(np.size(p) for p in partitions))
    if kinds[:1] == ["FIRST_DIM_SIZE"]:
        rows = int(number(partitions.pop(0)))
        kinds = kinds[1:]
    else:
        rows = len(partitions[0]) - 1
    for kind, partition in zip(kinds, partitions, strict=True):
        if kind == "ROW_SPLITS":
            if (np.diff(partition) < 0).any() or partition[-1] - partition[0] > most:
                raise ValueError("row splits must be sorted, with no more rows in them than there are values")
            partition = np.repeat(np.arange(len(partition) - 1), np.diff(partition).astype(np.intp))
        elif kind != "VALUE_ROWIDS":
            raise ValueError(f"the row partition {kind!r} is not known")
        parents.append(np.asarray(partition, np.int64))
        if len(parents[-1]) and (parents[-1].min() < 0 or (np.diff(parents[-1]) < 0).any()):
            raise ValueError("the row of each value must be sorted and not negative")
    at = np.arange(len(parents[-1]))
    coordinates: list[np.ndarray] = []
    for parent in reversed(parents):
        place = np.arange(len(parent)) - np.searchsorted(parent, parent)
        coordinates.insert(0, place[at])
        at = parent[at]
    coordinates.insert(0, at)
    sizes = [rows, *(int(np.unique(p, return_counts=True)[1].max()) if len(p) else 0 for p in parents), *values.shape[1:]]
    asked = ints(shape) if np.ndim(shape) else []
    sizes = [a if a >= 0 else n for a, n in zip(asked, sizes, strict=True)] if asked else sizes
    result = np.broadcast_to(default, check_count(sizes, "RaggedTensorToTensor")).astype(values.dtype)
    kept = np.all([c < n for c, n in zip(coordinates, sizes, strict=False)], 0)
    result[tuple(c[kept] for c in coordinates)] = values[: len(kept)][kept]
    return result
