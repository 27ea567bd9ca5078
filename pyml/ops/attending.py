"""Attention: means of values, weighted by how well their keys fit a query."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.custom import custom_gradient
from ..core.loop import scan
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .apply import as_float
from .crossentropy import softmax
from .declare import draw, op, sample
from .logic import greater_equal, logical_and, where
from .products import matmul
from .reduce import sum as _sum
from .shaping import broadcast_to, expand_dims, moveaxis, pad, reshape, swapaxes

__all__ = ["dot_product_attention"]

_TILE = 256  # queries at a time where there are many
_WHOLE = 2**20  # scores of a head up to which they are computed at once
_FAR = -0.7 * 3.38953e38  # added to a score that does not count; Keras' number: a row of them has equal weights


def _numbers(n: int) -> Tensor:
    return Tensor(prims.iota(n))


def _shares(q: Tensor, k: Tensor, bias: Tensor | None, mask: Tensor | None, first: Any, scale: float, empty_is_zero: bool) -> Tensor:
    """What each query takes of each value; `first` is the number of the first query where they see no later keys, else None."""
    scores = matmul(q, swapaxes(k, -1, -2)) * scale
    if bias is not None:
        scores = scores + bias
    if first is not None:
        earlier = greater_equal(expand_dims(_numbers(q.shape[-2]), 1) + first, expand_dims(_numbers(k.shape[-2]), 0))
        mask = earlier if mask is None else logical_and(mask, earlier)
    if mask is not None:
        scores = scores + where(mask, 0.0, _FAR)
    shares = softmax(scores)
    return where(mask, shares, 0.0) if mask is not None and empty_is_zero else shares


def attention_shares(q: Tensor, k: Tensor, scale: float, mask: Tensor | None, causal: bool,
                     empty_is_zero: bool) -> Tensor:
    """`softmax(q @ k.T * scale)`, `(.., queries, keys)`; arguments as of `attend`."""
    return _shares(q, k, None, mask, 0 if causal else None, scale, empty_is_zero)


def _tiled(x: Tensor, tiles: int) -> Tensor:
    """`(.., rows, size)` as `(tiles, .., _TILE, size)`, the last one filled up with zeros."""
    missing = tiles * _TILE - x.shape[-2]
    x = pad(x, ((0, 0),) * (x.ndim - 2) + ((0, missing), (0, 0))) if missing else x
    return moveaxis(reshape(x, (*x.shape[:-2], tiles, _TILE, x.shape[-1])), -3, 0)


def _joined(x: Tensor, rows: int) -> Tensor:
    """The way back of `_tiled`."""
    x = moveaxis(x, 0, -3)
    return reshape(x, (*x.shape[:-3], x.shape[-3] * x.shape[-2], x.shape[-1]))[..., :rows, :]


def _summed_to(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The sum of `x` over the axes along which `shape` was broadcast."""
    axes = tuple(a for a, (n, m) in enumerate(zip(x.shape, shape, strict=True)) if n != m)
    return _sum(x, axis=axes, keepdims=True) if axes else x


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None, mask: Tensor | None = None,
           causal: bool = False, empty_is_zero: bool = False) -> Tensor:
    """`softmax(q @ k.T * scale + bias) @ v` for `(batch, heads, steps, size)`.

    Long sequences go through a loop over tiles of queries, backwards too, which computes the scores of a tile again: no
    more than `batch x heads x tile x keys` of them are ever held.

    Args:
        q, k, v: Queries, keys and values of the same heads.
        scale: Factor of the scores.
        bias, mask: Four axes that broadcast to the scores.
        causal: Query i sees keys 0 to i.
        empty_is_zero: A query whose mask has no key gets zeros; otherwise the mean of all values.
    """
    rows, keys = q.shape[-2], k.shape[-2]
    if rows <= _TILE or rows * keys <= _WHOLE:
        return matmul(_shares(q, k, bias, mask, 0 if causal else None, scale, empty_is_zero), v)
    tiles = -(-rows // _TILE)
    firsts = _numbers(tiles) * _TILE if causal else None
    each_mask = mask is not None and mask.shape[-2] != 1
    each_bias = bias is not None and bias.shape[-2] != 1
    masks = _tiled(mask, tiles) if each_mask and mask is not None else None

    def run(q: Tensor, k: Tensor, v: Tensor, *biases: Tensor) -> tuple[Tensor, Any]:
        """The output of all tiles of queries, and the function of its gradients."""
        shared = biases[0] if biases and not each_bias else None
        xs = {"q": _tiled(q, tiles), "first": firsts, "mask": masks, "bias": _tiled(biases[0], tiles) if each_bias else None}

        def shares_of(x: dict[str, Any]) -> Tensor:
            here = x["bias"] if each_bias else shared
            return _shares(x["q"], k, here, x["mask"] if each_mask else mask, x["first"], scale, empty_is_zero)

        def forward(carry: Any, x: dict[str, Any]) -> tuple[Any, Tensor]:
            return carry, matmul(shares_of(x), v)

        def backward(carry: tuple[Tensor, Tensor], x: dict[str, Any]) -> tuple[Any, Any]:
            shares, upstream = shares_of(x), x["upstream"]
            d_shares = matmul(upstream, swapaxes(v, -1, -2))
            d_scores = shares * (d_shares - _sum(shares * d_shares, axis=-1, keepdims=True))
            dk = matmul(swapaxes(d_scores, -1, -2), x["q"]) * scale
            dv = matmul(swapaxes(shares, -1, -2), upstream)
            d_bias = [_summed_to(d_scores, (*b.shape[:2], _TILE if each_bias else 1, b.shape[3])) for b in biases]
            return (carry[0] + dk, carry[1] + dv), (matmul(d_scores, k) * scale, *d_bias)

        def gradients(upstream: Tensor) -> tuple[Tensor, ...]:
            zeros = Tensor(prims.full(k.shape, 0.0, "float32")), Tensor(prims.full(v.shape, 0.0, "float32"))
            (dk, dv), (dq, *rest) = scan(backward, zeros, {**xs, "upstream": _tiled(upstream, tiles)})
            return (_joined(dq, rows), dk, dv, *(_joined(b, rows) if each_bias else _sum(b, axis=0) for b in rest))

        return _joined(scan(forward, Tensor(prims.full((), 0.0, "float32")), xs)[1], rows), gradients

    return custom_gradient(run)(q, k, v, *(() if bias is None else (bias,)))


def _in_numpy(q: np.ndarray, k: np.ndarray, v: np.ndarray, **kwargs: Any) -> np.ndarray:
    """The same in numpy."""
    k, v = (np.repeat(x, q.shape[2] // x.shape[2], 2) for x in (k, v))
    scores = np.einsum("bthd,bshd->bhts", q, k) * kwargs.get("scale", q.shape[3] ** -0.5) + kwargs.get("bias", 0.0)
    mask = np.broadcast_to(kwargs.get("mask", True), scores.shape)
    mask = np.tril(mask) if kwargs.get("is_causal") else mask
    shares = np.exp(scores - scores.max(-1, keepdims=True)) * mask
    return np.einsum("bhts,bshd->bthd", shares / shares.sum(-1, keepdims=True), v)


def _four(x: TensorLike | None, what: str, shape: tuple[int, ...]) -> Tensor | None:
    """A mask or bias with as many axes as the scores."""
    if x is None:
        return None
    t = Tensor(as_node(x))
    full = (1,) * (4 - t.ndim) + t.shape
    if len(full) != 4 or any(n not in (1, m) for n, m in zip(full, shape, strict=True)):
        raise ShapeError(f"dot_product_attention: {what} must broadcast to (batch, heads, queries, keys), {shape}. Received: {t.shape}")
    return reshape(t, full)


_MASK = np.array([[True, True, False, True, False], [True, False, True, True, True], [True] * 5])


@op(like=_in_numpy, samples=[
    sample(draw(2, 3, 2, 4), draw(2, 5, 2, 4), draw(2, 5, 2, 4)),
    sample(draw(1, 3, 4, 2), draw(1, 5, 2, 2), draw(1, 5, 2, 2), mask=_MASK, scale=0.7),
    sample(draw(1, 4, 2, 3), draw(1, 4, 1, 3), draw(1, 4, 1, 3), bias=draw(1, 2, 1, 4), is_causal=True),
])  # fmt: skip
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(query @ key.T * scale + bias) @ value` for each head: what each query sees of the values.

    Scores of long sequences are never held together: from 2^20 of them a head on, a loop takes 256 queries at a time, and
    the gradient computes their scores again.

    Args:
        query: `(batch, queries, heads, size)`.
        key, value: `(batch, keys, heads, size)`, or of fewer heads, each for several of the query's.
        bias: Added to the scores; broadcasts to `(batch, heads, queries, keys)`.
        mask: Booleans that broadcast to the same: False where a key does not count. A query without any key gets the
            mean of all values, as in Keras.
        scale: Factor of the scores, by default `1 / sqrt(size)`.
        is_causal: Query i sees keys 0 to i only.
        flash_attention: Kept for Keras' signature; memory is saved in any case.
        attn_logits_soft_cap: Only None.

    Returns:
        float32 `(batch, queries, heads, size)`.

    Raises:
        ShapeError: The shapes do not fit together.
        ValueError: `attn_logits_soft_cap` is given.

    Source: Keras `ops.dot_product_attention`; Vaswani et al. 2017; Rabe and Staats 2021, "Self-attention Does Not Need
    O(n^2) Memory".

    Example:
        >>> pyml.ops.dot_product_attention(np.ones((2, 4, 8, 16)), np.ones((2, 6, 8, 16)), np.ones((2, 6, 8, 16))).shape
        (2, 4, 8, 16)
    """
    if attn_logits_soft_cap is not None:
        raise ValueError(
            f"dot_product_attention: attn_logits_soft_cap must be None, as on all of Keras' backends but JAX on TPU. "
            f"Received: attn_logits_soft_cap={attn_logits_soft_cap}"
        )
    q, k, v = as_float(query), as_float(key), as_float(value)
    fits = q.ndim == k.ndim == v.ndim == 4 and q.shape[0] == k.shape[0] == v.shape[0] and k.shape[1:3] == v.shape[1:3]
    if not fits or q.shape[3] != k.shape[3] or k.shape[2] == 0 or q.shape[2] % k.shape[2]:
        raise ShapeError(
            "dot_product_attention: expected query (batch, queries, heads, size), key and value (batch, keys, heads, size), with "
            f"as many heads as the query or a divisor of that number. Received: {q.shape}, {k.shape} and {v.shape}"
        )
    scores = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    if mask is not None:
        mask = Tensor(prims.cast(as_node(mask), dtype="bool"))
    q, k, v = (swapaxes(x, 1, 2) for x in (q, k, v))
    groups = q.shape[1] // k.shape[1]
    if groups > 1:
        k, v = (_repeated(x, groups) for x in (k, v))
    bias = None if bias is None else as_float(bias)
    scale = 1.0 / math.sqrt(q.shape[3]) if scale is None else float(scale)
    y = attend(q, k, v, scale, _four(bias, "bias", scores), _four(mask, "mask", scores), is_causal)
    return swapaxes(y, 1, 2)


def _repeated(x: Tensor, groups: int) -> Tensor:
    """Each head `groups` times."""
    batch, heads, steps, size = x.shape
    return reshape(broadcast_to(expand_dims(x, 2), (batch, heads, groups, steps, size)), (batch, heads * groups, steps, size))
