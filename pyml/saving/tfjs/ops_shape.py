"""Shapes, slices, joins and rearrangements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

from ... import ops
from ...core.tensor import Tensor
from .rules import Value, Xp, check_count, dtype_of, ints, number, rule
from .topology import Node


@rule("Shape", shape_only=True)
def _shape(node: Node, xp: Xp, x: Value) -> Value:
    return np.array(x.shape, np.int32)


@rule("ShapeN", shape_only=True)
def _shape_n(node: Node, xp: Xp, *xs: Value) -> Value:
    return [np.array(x.shape, np.int32) for x in xs]


@rule("Size", shape_only=True)
def _size(node: Node, xp: Xp, x: Value) -> Value:
    return np.array(prod(x.shape), np.int32)


@rule("Rank", shape_only=True)
def _rank(node: Node, xp: Xp, x: Value) -> Value:
    return np.array(len(x.shape), np.int32)


@rule("Reshape", static=(1,))
def _reshape(node: Node, xp: Xp, x: Value, shape: Value) -> Value:
    return xp.reshape(x, tuple(ints(shape)))


@rule("Squeeze")
def _squeeze(node: Node, xp: Xp, x: Value) -> Value:
    axes = node.attr("axis") or node.attr("squeeze_dims") or [i for i, n in enumerate(x.shape) if n == 1]
    axes = {a % len(x.shape) for a in axes}
    if any(x.shape[a] != 1 for a in axes):
        raise ValueError(f"axes {sorted(axes)} of shape {tuple(x.shape)} are not all of size 1")
    return xp.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


@rule("ExpandDims", static=(1,))
def _expand_dims(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
    return xp.expand_dims(x, int(number(axis)))


@rule("Transpose", static=(1,))
def _transpose(node: Node, xp: Xp, x: Value, order: Value) -> Value:
    return xp.transpose(x, tuple(ints(order)))


@rule("Pack")
def _pack(node: Node, xp: Xp, *xs: Value) -> Value:
    return xp.stack(list(xs), int(node.attr("axis", 0)))


@rule("Unpack")
def _unpack(node: Node, xp: Xp, x: Value) -> Value:
    axis = int(node.attr("axis", 0)) % len(x.shape)
    return [_part(x, axis, i, i + 1, drop=True) for i in range(x.shape[axis])]


def _part(x: Value, axis: int, start: int, stop: int | None, drop: bool = False) -> Value:
    key: list[slice | int] = [slice(None)] * len(x.shape)
    key[axis] = start if drop else slice(start, stop)
    return x[tuple(key)]


@rule("Split", static=(0,))
def _split(node: Node, xp: Xp, axis: Value, x: Value) -> Value:
    axis, count = int(number(axis)) % len(x.shape), int(node.attr("num_split", 1))
    if count < 1 or x.shape[axis] % count:
        raise ValueError(f"axis {axis} of shape {tuple(x.shape)} does not divide into {count} equal parts")
    step = x.shape[axis] // count
    return [_part(x, axis, i * step, (i + 1) * step) for i in range(count)]


@rule("SplitV", static=(1, 2))
def _split_v(node: Node, xp: Xp, x: Value, sizes: Value, axis: Value) -> Value:
    axis, sizes = int(number(axis)) % len(x.shape), ints(sizes)
    sizes = [x.shape[axis] - sum(s for s in sizes if s >= 0) if s < 0 else s for s in sizes]
    if sum(sizes) != x.shape[axis] or min(sizes, default=0) < 0:
        raise ValueError(f"sizes {sizes} do not add up to axis {axis} of shape {tuple(x.shape)}")
    ends = np.cumsum(sizes).tolist()
    return [_part(x, axis, e - s, e) for s, e in zip(sizes, ends, strict=True)]


def _concat(xp: Xp, xs: Sequence[Value], axis: Value) -> Value:
    some = [x for x in xs if prod(x.shape)] or list(xs[:1])
    return some[0] if len(some) == 1 else xp.concatenate(some, axis=int(number(axis)) % len(some[0].shape))


@rule("ConcatV2", static=(-1,))
def _concat_v2(node: Node, xp: Xp, *xs: Value) -> Value:
    return _concat(xp, xs[:-1], xs[-1])


@rule("Concat", static=(0,))
def _concat_v1(node: Node, xp: Xp, axis: Value, *xs: Value) -> Value:
    return _concat(xp, xs, axis)


@rule("Slice", static=(1, 2))
def _slice(node: Node, xp: Xp, x: Value, begin: Value, size: Value) -> Value:
    spans = [(b, n - b if s < 0 else s) for b, s, n in zip(ints(begin), ints(size), x.shape, strict=True)]
    if any(b < 0 or s < 0 or b + s > n for (b, s), n in zip(spans, x.shape, strict=True)):
        raise ValueError(f"begin {ints(begin)} and size {ints(size)} leave shape {tuple(x.shape)}")
    return x[tuple(slice(b, b + s) for b, s in spans)]


@rule("StridedSlice", static=(1, 2, 3))
def _strided_slice(node: Node, xp: Xp, x: Value, begin: Value, end: Value, strides: Value) -> Value:
    """numpy's indexing; the masks are bits by position: from the start, to the end, new axis, one element, the rest."""
    mask = {k: int(node.attr(f"{k}_mask", 0) or 0) for k in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    key: list = []
    for i, (b, e, s) in enumerate(zip(ints(begin), ints(end), ints(strides), strict=True)):
        bit = 1 << i
        if mask["ellipsis"] & bit:
            key.append(Ellipsis)
        elif mask["new_axis"] & bit:
            key.append(None)
        elif mask["shrink_axis"] & bit:
            key.append(b)
        else:
            key.append(slice(None if mask["begin"] & bit else b, None if mask["end"] & bit else e, s))
    return x[tuple(key)]


@rule("Tile", static=(1,))
def _tile(node: Node, xp: Xp, x: Value, times: Value) -> Value:
    times = ints(times)
    check_count([n * t for n, t in zip(x.shape, times, strict=True)], "Tile")
    return xp.tile(x, tuple(times))


@rule("BroadcastTo", static=(1,))
def _broadcast_to(node: Node, xp: Xp, x: Value, shape: Value) -> Value:
    return xp.broadcast_to(x, check_count(np.broadcast_shapes(tuple(x.shape), tuple(ints(shape))), "BroadcastTo"))


@rule("BroadcastArgs", static=(0, 1))
def _broadcast_args(node: Node, xp: Xp, a: Value, b: Value) -> Value:
    return np.array(np.broadcast_shapes(tuple(ints(a)), tuple(ints(b))), np.int32)


@rule("Pad", "PadV2", static=(1, 2))
def _pad(node: Node, xp: Xp, x: Value, widths: Value, value: Value = None) -> Value:
    widths = np.asarray(widths).reshape(-1, 2).tolist()
    check_count([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], "Pad")
    return xp.pad(x, tuple(map(tuple, widths)), constant_values=number(value) if value is not None else node.attr("constant_value", 0) or 0)


@rule("MirrorPad", static=(1,))
def _mirror_pad(node: Node, xp: Xp, x: Value, widths: Value) -> Value:
    widths = [tuple(w) for w in np.asarray(widths).reshape(-1, 2).tolist()]
    return xp.pad(x, tuple(widths), mode=node.attr("mode", "REFLECT").lower())


@rule("Reverse", static=(1,))
def _reverse_flags(node: Node, xp: Xp, x: Value, flags: Value) -> Value:
    return xp.flip(x, tuple(i for i, f in enumerate(np.asarray(flags).reshape(-1)) if f))


@rule("ReverseV2", static=(1,))
def _reverse(node: Node, xp: Xp, x: Value, axes: Value) -> Value:
    return xp.flip(x, tuple(a % len(x.shape) for a in ints(axes)))


@rule("Gather")
def _gather_rows(node: Node, xp: Xp, x: Value, indices: Value) -> Value:
    return xp.take(x, indices, axis=0)


@rule("GatherV2", static=(2,))
def _gather(node: Node, xp: Xp, x: Value, indices: Value, axis: Value) -> Value:
    axis, batch = int(number(axis)) % len(x.shape), int(node.attr("batch_dims", 0) or 0)
    if not batch:
        if isinstance(x, Tensor) and isinstance(indices, np.ndarray) and indices.size == 1:  # a slice needs no index on the device
            at = int(number(indices)) % x.shape[axis]
            part = _part(x, axis, at, at + 1)
            return xp.reshape(part, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))
        return xp.take(x, indices, axis=axis)
    lead = tuple(x.shape[:batch])
    rows = [xp.take(_at(x, i), _at(indices, i), axis=axis - batch) for i in np.ndindex(*lead)]
    return xp.reshape(xp.stack(rows, 0), (*lead, *rows[0].shape))


def _at(x: Value, index: Iterable[Any]) -> Value:
    for i in index:
        x = x[int(i)]
    return x


@rule("GatherNd")
def _gather_nd(node: Node, xp: Xp, x: Value, indices: Value) -> Value:
    """`x[tuple(indices[..., :])]`: positions in the flattened leading axes."""
    depth = indices.shape[-1]
    sizes = x.shape[:depth]
    at = None
    for k, n in enumerate(sizes):
        part = indices[..., k]
        at = part if at is None else xp.add(xp.multiply(at, n), part)
    if at is None:
        return xp.broadcast_to(x, (*indices.shape[:-1], *x.shape))
    return xp.take(xp.reshape(x, (prod(sizes), *x.shape[depth:])), at, axis=0)


def _flat_positions(xp: Xp, indices: Value, shape: Sequence[int]) -> tuple[Value, int]:
    depth = indices.shape[-1]
    at = None
    for k, n in enumerate(shape[:depth]):
        part = indices[..., k]
        at = part if at is None else xp.add(xp.multiply(at, n), part)
    return xp.reshape(at, (prod(indices.shape[:-1]),)), prod(shape[:depth])


@rule("ScatterNd", static=(2,))
def _scatter_nd(node: Node, xp: Xp, indices: Value, values: Value, shape: Value) -> Value:
    shape = check_count(ints(shape), "ScatterNd")
    at, rows = _flat_positions(xp, indices, shape)
    inner = shape[indices.shape[-1] :]
    if isinstance(at, Tensor) or isinstance(values, Tensor):
        updates = xp.reshape(values, (prod(at.shape), *inner))
        return xp.reshape(ops.segment_sum(updates, at, num_segments=rows), shape)
    y = np.zeros((rows, *inner), values.dtype)
    np.add.at(y, at, np.reshape(values, (-1, *inner)))
    return y.reshape(shape)


@rule("TensorScatterUpdate", host=True, pure=True)
def _scatter_update(node: Node, xp: Xp, x: Value, indices: Value, values: Value) -> Value:
    y = np.array(x)
    y[tuple(np.moveaxis(indices, -1, 0))] = values
    return y


@rule("SparseToDense", host=True, pure=True)
def _sparse_to_dense(node: Node, xp: Xp, indices: Value, shape: Value, values: Value, default: Value) -> Value:
    y = np.full(check_count(ints(shape), "SparseToDense"), number(default), values.dtype)
    indices = indices.reshape(-1, 1) if indices.ndim < 2 else indices
    y[tuple(indices.T)] = values
    return y


@rule("DepthToSpace")
def _depth_to_space(node: Node, xp: Xp, x: Value) -> Value:
    block, first = int(node.attr("block_size", 2)), node.attr("data_format", "NHWC") == "NCHW"
    x = xp.transpose(x, (0, 2, 3, 1)) if first else x
    n, h, w, c = x.shape
    if block < 1 or c % block**2:
        raise ValueError(f"{c} channels do not divide into blocks of {block}x{block}")
    y = xp.reshape(x, (n, h, w, block, block, c // block**2))
    y = xp.reshape(xp.transpose(y, (0, 1, 3, 2, 4, 5)), (n, h * block, w * block, c // block**2))
    return xp.transpose(y, (0, 3, 1, 2)) if first else y


@rule("SpaceToDepth")
def _space_to_depth(node: Node, xp: Xp, x: Value) -> Value:
    block, first = int(node.attr("block_size", 2)), node.attr("data_format", "NHWC") == "NCHW"
    x = xp.transpose(x, (0, 2, 3, 1)) if first else x
    n, h, w, c = x.shape
    if block < 1 or h % block or w % block:
        raise ValueError(f"{h} rows and {w} columns do not divide into blocks of {block}x{block}")
    y = xp.reshape(x, (n, h // block, block, w // block, block, c))
    y = xp.reshape(xp.transpose(y, (0, 1, 3, 2, 4, 5)), (n, h // block, w // block, block * block * c))
    return xp.transpose(y, (0, 3, 1, 2)) if first else y


@rule("SpaceToBatchND", static=(1, 2))
def _space_to_batch(node: Node, xp: Xp, x: Value, block: Value, paddings: Value) -> Value:
    block, m = ints(block), np.asarray(block).size
    widths = [(0, 0), *map(tuple, np.asarray(paddings).reshape(m, 2).tolist()), *[(0, 0)] * (len(x.shape) - 1 - m)]
    check_count([n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)], "SpaceToBatchND")
    x = xp.pad(x, tuple(widths))
    n, spatial, rest = x.shape[0], x.shape[1 : 1 + m], x.shape[1 + m :]
    y = xp.reshape(x, (n, *(v for s, b in zip(spatial, block, strict=True) for v in (s // b, b)), *rest))
    order = (*(2 + 2 * i for i in range(m)), 0, *(1 + 2 * i for i in range(m)), *range(1 + 2 * m, len(y.shape)))
    return xp.reshape(xp.transpose(y, order), (n * prod(block), *(s // b for s, b in zip(spatial, block, strict=True)), *rest))


@rule("BatchToSpaceND", static=(1, 2))
def _batch_to_space(node: Node, xp: Xp, x: Value, block: Value, crops: Value) -> Value:
    block, m = ints(block), np.asarray(block).size
    crops = np.asarray(crops).reshape(m, 2).tolist()
    n, spatial, rest = x.shape[0] // prod(block), x.shape[1 : 1 + m], x.shape[1 + m :]
    y = xp.reshape(x, (*block, n, *spatial, *rest))
    order = (m, *(v for i in range(m) for v in (m + 1 + i, i)), *range(2 * m + 1, len(y.shape)))
    y = xp.reshape(xp.transpose(y, order), (n, *(s * b for s, b in zip(spatial, block, strict=True)), *rest))
    return y[(slice(None), *(slice(a, y.shape[1 + i] - b) for i, (a, b) in enumerate(crops)))]


# ---- made from numbers
@rule("Fill", static=(0,))
def _fill(node: Node, xp: Xp, shape: Value, value: Value) -> Value:
    return xp.broadcast_to(value, check_count(ints(shape), "Fill"))


@rule("Zeros", static=(0,))
def _zeros(node: Node, xp: Xp, shape: Value) -> Value:
    return np.zeros(check_count(ints(shape), "Zeros"), node.attr("T", "float32"))


@rule("Ones", static=(0,))
def _ones(node: Node, xp: Xp, shape: Value) -> Value:
    return np.ones(check_count(ints(shape), "Ones"), node.attr("T", "float32"))


@rule("Range", static=(0, 1, 2))
def _range(node: Node, xp: Xp, start: Value, stop: Value, step: Value) -> Value:
    start, stop, step = number(start), number(stop), number(step)
    if not step:
        raise ValueError("the step is 0")
    check_count([max(0, int((stop - start) / step))], "Range")
    return np.arange(start, stop, step, dtype=node.attr("Tidx", "int32"))


@rule("LinSpace", static=(0, 1, 2))
def _linspace(node: Node, xp: Xp, start: Value, stop: Value, count: Value) -> Value:
    (many,) = check_count([number(count)], "LinSpace")
    return np.linspace(number(start), number(stop), many, dtype=np.float32)


@rule("OneHot", static=(1, 2, 3))
def _one_hot(node: Node, xp: Xp, indices: Value, depth: Value, on: Value, off: Value) -> Value:
    axis, rank = int(node.attr("axis", -1)), len(indices.shape) + 1
    classes = np.arange(check_count([number(depth)], "OneHot")[0], dtype=np.int32)
    classes = classes.reshape([-1 if i == axis % rank else 1 for i in range(rank)])
    dtype = dtype_of(on)
    return xp.cast(xp.where(xp.equal(xp.expand_dims(indices, axis), classes), number(on), number(off)), dtype)


@rule("MatrixBandPart", static=(1, 2))
def _band(node: Node, xp: Xp, x: Value, lower: Value, upper: Value) -> Value:
    m, n = x.shape[-2:]
    i, j = np.arange(m)[:, None], np.arange(n)[None]
    low, high = int(number(lower)), int(number(upper))
    kept = ((i - j <= low) | (low < 0)) & ((j - i <= high) | (high < 0))
    return xp.where(kept, x, xp.zeros_like(x))


def _random(node: Node, shape: Value) -> tuple[np.random.Generator, tuple[int, ...]]:
    shape = check_count(ints(shape), node.op)
    seed = (int(node.attr("seed", 0) or 0), int(node.attr("seed2", 0) or 0))
    return np.random.default_rng(seed if any(seed) else None), shape


@rule("RandomUniform", "RandomUniformInt", host=True)
def _uniform(node: Node, xp: Xp, shape: Value, low: Value = 0.0, high: Value = 1.0) -> Value:
    rng, shape = _random(node, shape)
    if node.op == "RandomUniformInt":
        return rng.integers(int(number(low)), int(number(high)), shape)
    return rng.uniform(node.attr("minval", 0) or 0, node.attr("maxval", 1), shape)


@rule("RandomStandardNormal", host=True)
def _normal(node: Node, xp: Xp, shape: Value) -> Value:
    rng, shape = _random(node, shape)
    return rng.standard_normal(shape)


@rule("TruncatedNormal", host=True)
def _truncated(node: Node, xp: Xp, shape: Value) -> Value:
    rng, shape = _random(node, shape)
    values = np.asarray(rng.standard_normal(shape))
    while (far := np.abs(values) > 2).any():
        values[far] = rng.standard_normal(int(far.sum()))
    return values


@rule("Multinomial", host=True)
def _multinomial(node: Node, xp: Xp, logits: Value, count: Value) -> Value:
    rng, _ = _random(node, ())
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return np.stack([rng.choice(len(row), int(number(count)), p=row / row.sum()) for row in p.astype(np.float64)])
