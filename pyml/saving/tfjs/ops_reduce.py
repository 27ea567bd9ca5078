"""Reductions, products of matrices, and what orders or sums along an axis."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ...core.tensor import Tensor
from .ops_basic import ACTIVATIONS, bias_add
from .rules import Function, Value, Xp, check_count, dtype_of, ints, number, rule
from .topology import Node


def _axes(value: Value, ndim: int) -> tuple[int, ...]:
    axes = ints(value)
    return tuple(sorted({a % ndim for a in axes})) if ndim else ()


def _reduction(name: str) -> Function:
    def fn(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
        axes = _axes(axis, len(x.shape))
        if not axes:
            return x
        y = getattr(xp, name)(x, axis=axes, keepdims=bool(node.attr("keep_dims", False)))
        return xp.cast(y, "int32") if name == "mean" and dtype_of(x) == "int32" else y

    return fn


for _tf, _name in {"Sum": "sum", "Mean": "mean", "Max": "max", "Min": "min", "Prod": "prod", "Any": "any", "All": "all"}.items():
    rule(_tf, static=(1,))(_reduction(_name))


@rule("EuclideanNorm", static=(1,))
def _norm(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
    return xp.sqrt(xp.sum(xp.square(x), axis=_axes(axis, len(x.shape)), keepdims=bool(node.attr("keep_dims", False))))


@rule("ArgMax", static=(1,))
def _argmax(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
    return xp.argmax(x, axis=number(axis))


@rule("ArgMin", static=(1,))
def _argmin(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
    return xp.argmin(x, axis=number(axis))


def _swap(xp: Xp, x: Value) -> Value:
    n = len(x.shape)
    return xp.transpose(x, (*range(n - 2), n - 1, n - 2))


@rule("MatMul", "BatchMatMul", "BatchMatMulV2", "_FusedMatMul")
def _matmul(node: Node, xp: Xp, a: Value, b: Value, *others: Value) -> Value:
    a = _swap(xp, a) if node.attr("transpose_a", node.attr("adj_x", False)) else a
    b = _swap(xp, b) if node.attr("transpose_b", node.attr("adj_y", False)) else b
    y = xp.matmul(a, b)
    return fused(node, xp, y, others) if node.op == "_FusedMatMul" else y


def fused(node: Node, xp: Xp, y: Value, others: Value) -> Value:
    """Applies what was fused after a product: a bias, an activation, or both in the order given."""
    others = list(others)
    for name in node.attr("fused_ops", []):
        if name == "BiasAdd":
            y = bias_add(node, xp, y, others.pop(0))
        elif name in ACTIVATIONS:
            y = ACTIVATIONS[name](node, xp, y, others.pop(0) if name == "Prelu" else None)
        else:
            raise ValueError(f"{name!r} cannot be fused into it; known are BiasAdd, {', '.join(ACTIVATIONS)}")
    return y


@rule("TopKV2", host=True, pure=True)
def _top_k(node: Node, xp: Xp, x: Value, k: Value) -> Value:
    k, n = int(number(k)), x.shape[-1]
    if not 0 <= k <= n:
        raise ValueError(f"k is {k}; the last axis has {n} elements")
    rows = x.reshape(-1, n)
    order = np.stack([_largest(row, k) for row in rows]) if len(rows) else np.zeros((0, k), np.int32)
    order = order.reshape(*x.shape[:-1], k)
    return [np.take_along_axis(x, order, -1), order]


def _largest(row: np.ndarray, k: int) -> np.ndarray:
    """Positions of the k largest, in order; the first of equals."""
    if k == 0 or 4 * k > len(row):
        return np.argsort(-row, kind="stable")[:k]
    some = np.flatnonzero(row >= np.partition(row, len(row) - k)[len(row) - k])
    return some[np.argsort(-row[some], kind="stable")[:k]] if len(some) >= k else np.argsort(-row, kind="stable")[:k]


@rule("Cumsum", "Cumprod", static=(1,))
def _cumulate(node: Node, xp: Xp, x: Value, axis: Value) -> Value:
    """Sums up to and with each element (`exclusive`: without it; `reverse`: from the end)."""
    axis = int(number(axis)) % len(x.shape)
    n = x.shape[axis]
    if isinstance(x, Tensor):
        if node.op == "Cumprod":
            parts = [xp.take(x, np.arange(i + 1, dtype=np.int32), axis=axis) for i in range(n)]
            if node.attr("reverse") or node.attr("exclusive"):
                raise ValueError("cumulative products from the end, or without the element, need values on the host")
            return xp.stack([xp.prod(p, axis=axis) for p in parts], axis)
        low = np.tri(n, n, -1 if node.attr("exclusive") else 0, dtype=np.float32)
        low = low.T if node.attr("reverse") else low
        moved = xp.moveaxis(x, axis, -1) if hasattr(xp, "moveaxis") else x
        y = xp.matmul(xp.cast(moved, "float32"), np.ascontiguousarray(low.T))
        return xp.cast(xp.moveaxis(y, -1, axis), dtype_of(x))
    x = np.flip(x, axis) if node.attr("reverse") else x
    y = (np.cumsum if node.op == "Cumsum" else np.cumprod)(x, axis)
    if node.attr("exclusive"):
        first = np.full_like(np.take(y, [0], axis), 0 if node.op == "Cumsum" else 1)
        y = np.concatenate([first, np.delete(y, -1, axis)], axis)
    return np.flip(y, axis) if node.attr("reverse") else y


@rule("Bincount", "DenseBincount", host=True, pure=True)
def _bincount(node: Node, xp: Xp, x: Value, size: Value, weights: Value) -> Value:
    (size,) = check_count([number(size)], "Bincount")
    x = x.reshape(-1)
    kept = x < size                                     # before anything as long as the largest is made
    return np.bincount(x[kept], weights.reshape(-1)[kept] if weights.size else None, size)


@rule("LowerBound", "UpperBound", host=True, pure=True)
def _bound(node: Node, xp: Xp, rows: Value, values: Value) -> Value:
    side: Literal["left", "right"] = "left" if node.op == "LowerBound" else "right"
    pairs = zip(rows.reshape(-1, rows.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True)
    return np.stack([np.searchsorted(r, v, side) for r, v in pairs]).reshape(values.shape)


@rule("Unique", "UniqueV2", host=True, pure=True)
def _unique(node: Node, xp: Xp, x: Value, axis: Value = None) -> Value:
    _, first, inverse = np.unique(x.reshape(-1), return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return [x.reshape(-1)[np.sort(first)], rank[inverse.reshape(-1)]]


@rule("ListDiff", host=True, pure=True)
def _list_diff(node: Node, xp: Xp, x: Value, y: Value) -> Value:
    kept = ~np.isin(x, y)
    return [x[kept], np.flatnonzero(kept)]


@rule("Einsum")
def _einsum(node: Node, xp: Xp, *xs: Value) -> Value:
    if not hasattr(xp, "einsum"):
        raise ValueError("Einsum of values on the device is not supported")
    return xp.einsum(node.attr("equation"), *xs)
