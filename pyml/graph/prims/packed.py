"""Products with matrices of integers that stay packed in words of 32 bits: four numbers of 8 bits, or eight of 4.

A kernel takes a word apart where it loads it, so weights cross the memory bus packed. Where both operands are integers a core
multiplies them as such (`matmul_whole`, `matmul_row_whole`); everything else is a product of float32. Sums of integers are exact
in float32 up to 2^24, which is 1,024 products of int8: `exact` cuts longer sums there and adds the parts as int32, so that all
adapters give the same numbers to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import LONG_SUM, Gemm, Operand, ceil_div, chunk_of, flat, fold, gemm, is_core, is_register, product_splits
from .contract import _cut, _panel, _row, matmul, rows_of_block
from .conv_panel import columns, in_lanes
from .elementwise import add, bitwise_and, cast, left_shift, mul, right_shift, sub
from .leaf import full, iota
from .move import broadcast_to, pad, reshape, slice_
from .packed_text import Packed, four, one, pair, vector
from .reduce import reduce_sum

PAIRED = 1 << 18  # numbers of 16 bits that stay in a core's second cache
FEW, MOST = 48, 16  # rows and blocks up to which scaling sums of blocks is quicker on a core than scaling weights
LINES = 128  # rows of numbers of 4 bits whose lines of memory stay in a core's first cache
EXACT = 1024  # products of int8 whose sum is exact in float32: 127 * 127 * 1024 < 2^24


# ---- words as arrays of numbers, for everything but products
def _shifts(shape: tuple[int, ...], bits: int) -> Node:
    """How far each number of a word is from the highest bits, along the last axis."""
    per = 32 // bits
    return broadcast_to(sub(full((per,), 32 - bits, "int32"), mul(iota(per), full((per,), bits, "int32"))), shape)


def unpacked(words: Node, n: int, bits: int = 8, signed: bool = True) -> Node:
    """The first `n` numbers of each row of words, int32; whoever reads them has this arithmetic in its own kernel."""
    *lead, count = words.shape
    wide = (*lead, count, 32 // bits)
    numbers = left_shift(broadcast_to(reshape(words, (*lead, count, 1)), wide), _shifts(wide, bits))
    numbers = right_shift(numbers, full(wide, 32 - bits, "int32"))
    if not signed:
        numbers = bitwise_and(numbers, full(wide, 2**bits - 1, "int32"))
    numbers = reshape(numbers, (*lead, count * (32 // bits)))
    return slice_(numbers, (0,) * numbers.ndim, (*lead, n))


def packed(numbers: Node) -> Node:
    """`(rows, n)` numbers of 8 bits as words of four, `(rows, ceil(n / 4))`."""
    rows, n = numbers.shape
    wide = (rows, ceil_div(n, 4), 4)
    whole = pad(cast(numbers, dtype="int32"), ((0, 0), (0, -n % 4)), 0)
    low = bitwise_and(reshape(whole, wide), full(wide, 255, "int32"))
    return reduce_sum(left_shift(low, sub(full(wide, 24, "int32"), _shifts(wide, 8))), (2,))


# ---- the product
def _shape(
    a: Shape, words: Shape, *parts: Shape, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool, block: int = 0
) -> Shape:
    held = (words[0], words[-1] * (32 // bits))
    rows, columns = (n, first + a[-1]) if tb else (first + a[-1], n)
    if len(words) != 2 or len(a) != 2 or rows > held[0] or columns > held[1]:
        raise ShapeError(f"packed_matmul: a is {a} and the words are {words}, which do not hold {n} columns of {a[-1]} numbers each.")
    if parts != (((ceil_div(first + a[1], block), n),) * 2 if block else ()):
        raise ShapeError(f"packed_matmul: scales and zero points are {parts}; expected both for {n} columns of each {block} rows, or none.")
    return (splits, a[0], n) if splits > 1 else (a[0], n)


def _dtype(a: str, words: str, *parts: str, **attrs: Any) -> str:
    if (a, words, *parts) != ("float32", "int32", *["float32"] * len(parts)):
        raise DtypeError(f"packed_matmul: operands are {', '.join((a, words, *parts))}; expected float32 and words of int32.")
    return "float32"


def _matrix(words: np.ndarray, parts: tuple[np.ndarray, ...], k: int, n: int, bits: int, tb: bool, first: int, block: int) -> np.ndarray:
    """The second operand in float32, `(k, n)`."""
    numbers = np.ascontiguousarray(words).view(np.int8)
    if bits == 4:
        numbers = np.stack([numbers << 4 >> 4, numbers >> 4], axis=-1).reshape(len(words), -1)
    if tb:
        return numbers[:n, first : first + k].T.astype(np.float32)
    values = numbers[first : first + k, :n].astype(np.float32)
    if block:
        scale, zero = (part[np.arange(first, first + k) // block] for part in parts)
        values = (values - zero) * scale
    return values


def _numpy(
    a: np.ndarray, words: np.ndarray, *parts: np.ndarray, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool, block: int = 0
) -> np.ndarray:
    b = _matrix(words, parts, a.shape[1], n, bits, tb, first, block)
    if splits == 1:
        return np.matmul(a, b)
    chunk = chunk_of(a.shape[1], splits)
    return np.stack([a[:, i * chunk : (i + 1) * chunk] @ b[i * chunk : (i + 1) * chunk] for i in range(splits)])


def _grad(
    g: Node, y: Node, a: Node, words: Node, *parts: Node, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool, block: int = 0
) -> Grads:
    """Of the floats alone: integers have none."""
    k = a.shape[1]
    if tb:
        numbers = slice_(unpacked(words, first + k, bits), (0, first), (n, first + k))
        return matmul(g, cast(numbers, dtype="float32")), None
    numbers = cast(slice_(unpacked(words, n, bits), (first, 0), (first + k, n)), dtype="float32")
    if not block:
        return matmul(g, numbers, tb=True), None
    scale, zero = parts
    count = scale.shape[0]
    wide, rows = (count, block, n), count * block
    blocks = lambda x: reshape(pad(x, ((first, rows - first - k), (0, 0)), 0.0), wide)
    spread = lambda part: broadcast_to(reshape(part, (count, 1, n)), wide)
    centred = sub(blocks(numbers), spread(zero))
    weights = slice_(reshape(mul(centred, spread(scale)), (rows, n)), (first, 0), (first + k, n))
    upstream = blocks(matmul(a, g, ta=True))
    of_zero = mul(reduce_sum(upstream, (1,)), mul(scale, full(scale.shape, -1.0, "float32")))
    return matmul(g, weights, tb=True), None, reduce_sum(mul(upstream, centred), (1,)), of_zero


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    """A product of panels on a core, of registers on a software adapter, otherwise of tiles; words are taken apart as they are loaded."""
    n, tb, splits = node.attrs["n"], node.attrs["tb"], node.attrs["splits"]
    m, k = node.src[0].shape
    if _is_whole(node, profile):
        return _whole(node, m, n, k, profile)
    if _is_row_of_four(node, profile):
        return _row_of_four(node, n, k, profile)
    if is_core(profile) and n % 4 == 0 and splits == 1:
        spec = _row(n, k, 1, profile) if m == 1 and not tb else _panel(m, n, k, 1, False, tb, profile)
        return _spec(node, spec, {"one_b": f"return {one(node, 'r', 'k')};"} if tb else {"four_b": four(node, "r", "(n / 4u)")})
    if is_register(profile) and splits == 1 and n % 4 == 0 and k % 4 == 0 and m >= 4:
        params = {"M": m, "N": n, "K": k, "Z": 1, "TA": False, "TB": tb}
        return _spec(node, flat("matmul_reg", ceil_div(m, 8) * ceil_div(n, 8), params, profile), {"four_b": four(node, "r", "q")})
    chunk = chunk_of(k, splits)
    step = "k" if splits == 1 else f"(z * {chunk}u + k)"
    guard = f"if ({step} >= {k}u) {{ return ZERO; }} " if chunk * splits != k else ""
    row, column = ("n", step) if tb else (step, "n")
    left = Operand("a", f"m * {k}u + {step}", guard, True, k % 4 == 0)
    right = Packed("b", "", guard, tb, _fours(node), one(node, row, column), four(node, row, f"({column} / 4u)"))
    return _spec(node, gemm(Gemm(m, n, chunk, splits, left, right, f"return (z * {m}u + m) * {n}u + n;"), profile))


def _spec(node: Node, spec: KernelSpec, hooks: dict[str, str] | None = None) -> KernelSpec:
    """A kernel of floats that reads words, and scales and zero points of blocks where there are some."""
    return KernelSpec(spec.file, spec.params | {"B": "i32"}, spec.grid, hooks or spec.hooks, ("scale", "zero")[: len(node.src) - 2])


def _is_whole(node: Node, profile: Profile) -> bool:
    """Whether a core multiplies whole numbers: twice as many at a time as floats, and sums of 32 bits are exact.

    For one row that is quicker with whole vectors of bytes only.
    """
    row = node.src[0].shape[0] == 1 and not node.attrs["tb"]
    fits = node.attrs["n"] % 16 == 0 and node.attrs["bits"] == 8 if row else node.attrs["n"] % 4 == 0
    return is_core(profile) and node.attrs["exact"] and fits


def _row_of_whole(node: Node, n: int, k: int, profile: Profile) -> KernelSpec:
    """The product of one row of whole numbers."""
    cols = min(n, ceil_div(columns(n, 1, profile, least=8), 16) * 16)
    grid, across = fold(ceil_div(n, cols))
    together = next(u for u in (4, 5, 3, 2, 1) if ceil_div(k, 2) % u == 0)
    start = f"let p = (r + {node.attrs['first']}u) * {node.src[1].shape[1]}u + n / 4u;"
    words = f"{start} return vec4<i32>(b[p], b[p + 1u], b[p + 2u], b[p + 3u]);"
    return KernelSpec("matmul_row_whole", {"N": n, "K": k, "COLS": cols, "U": together, "X": across}, grid, {"words_b": words})


def _is_row_of_four(node: Node, profile: Profile) -> bool:
    """Whether a core has one row to multiply with whole vectors of words of eight numbers, from the beginning where they have blocks."""
    attrs = node.attrs
    fits = attrs["n"] % 32 == 0 and not (attrs.get("block", 0) and attrs["first"])
    return is_core(profile) and node.src[0].shape[0] == 1 and attrs["bits"] == 4 and not attrs["tb"] and fits


def _row_of_four(node: Node, n: int, k: int, profile: Profile) -> KernelSpec:
    """The product of one row with numbers of 4 bits."""
    cols = min(n, ceil_div(columns(n, 1, profile, least=8), 32) * 32)
    grid, across = fold(ceil_div(n, cols))
    scaled = node.attrs.get("block", 0)
    start = f"let p = (r + {node.attrs['first']}u) * {node.src[1].shape[1]}u + n / 8u;"
    hooks = {"words_b": f"{start} return vec4<i32>(b[p], b[p + 1u], b[p + 2u], b[p + 3u]);"}
    if scaled:
        hooks["scaled"] = f"let p = i * {n}u + n; return (s - {vector('zero')} * whole) * {vector('scale')};"
    params = {"N": n, "K": k, "BLOCK": scaled or min(k, LINES), "COLS": cols, "X": across}
    return _spec(node, KernelSpec("matmul_row_four", params, grid), hooks)


def _whole(node: Node, m: int, n: int, k: int, profile: Profile) -> KernelSpec:
    """The product of whole numbers: rows of `a` are packed in pairs once for each workgroup, so it has eight panels at least."""
    if m == 1 and not node.attrs["tb"]:
        return _row_of_whole(node, n, k, profile)
    block = rows_of_block(m, profile.rows, PAIRED // k)
    blocks = ceil_div(m, block)
    cols = columns(n, blocks, profile, least=8)
    grid, across = fold(blocks * ceil_div(n, cols))
    params = {"M": m, "N": n, "K": k, "R": profile.rows, "LANES": in_lanes(profile), "BLOCK": block, "COLS": cols, "X": across}
    return KernelSpec("matmul_whole", params, grid, {"pair_b": pair(node)})


def _fours(node: Node) -> bool:
    """Whether the numbers can be read four at a time."""
    return (node.src[0].shape[-1] if node.attrs["tb"] else node.attrs["n"]) % 4 == 0


def _added(parts: list[Node], exact: bool) -> Node:
    total = None
    for part in parts:
        part = cast(part, dtype="int32") if exact else part
        total = part if total is None else add(total, part)
    assert total is not None
    return cast(total, dtype="float32")


def _lower(node: Node, profile: Profile) -> Node | None:
    """Products that are cut: columns filled up to whole vectors, long sums in parts that are exact or accurate."""
    a, words, *parts = node.src
    attrs: dict[str, Any] = dict(node.attrs)
    n, exact = attrs["n"], attrs["exact"]
    m, k = a.shape
    if attrs["splits"] > 1:
        return None
    if is_core(profile) and n % 4 and not attrs["tb"] and m > 1:  # words are whole vectors of columns
        wide = [pad(part, ((0, 0), (0, -n % 4)), 0.0) for part in parts]
        return slice_(PACKED(a, words, *wide, **{**attrs, "n": n + -n % 4}), (0, 0), node.shape)
    if _is_whole(node, profile) or (parts and _is_row_of_four(node, profile)):
        return None
    if is_core(profile) and parts and not attrs["first"] and m <= FEW and ceil_div(k, attrs["block"]) <= MOST:
        return _block_by_block(a, words, parts[0], parts[1], attrs)
    long = EXACT if exact else LONG_SUM
    if is_core(profile):
        if k <= long:
            return None
        each = ceil_div(k, 8 * ceil_div(k, long)) * 8
        cuts = [(i, min(i + each, k)) for i in range(0, k, each)]
        return _added([PACKED(_cut(a, 1, i, j), words, *_until(parts, attrs, i, j), **_from(attrs, i)) for i, j in cuts], exact)
    splits = max(product_splits(m, n, k, k % 4 == 0 and _fours(node), profile), ceil_div(k, long))
    if splits == 1:
        return None
    sums = PACKED(a, words, *parts, **{**attrs, "splits": splits})
    return cast(reduce_sum(cast(sums, dtype="int32") if exact else sums, (0,)), dtype="float32")


def _block_by_block(a: Node, words: Node, scale: Node, zero: Node, attrs: dict[str, Any]) -> Node:
    """The same with scales and zero points for the sums of each block, which are fewer than the weights where a has few rows."""
    (m, k), n, block = a.shape, attrs["n"], attrs["block"]
    plain = {name: value for name, value in attrs.items() if name != "block"}
    sums = []
    for i, start in enumerate(range(0, k, block)):
        cut = _cut(a, 1, start, min(start + block, k))
        of = lambda part, i=i: broadcast_to(slice_(part, (i, 0), (i + 1, n)), (m, n))
        whole = broadcast_to(reshape(reduce_sum(cut, (1,)), (m, 1)), (m, n))
        sums.append(mul(sub(PACKED(cut, words, **_from(plain, start)), mul(of(zero), whole)), of(scale)))
    total = sums[0]
    for more in sums[1:]:
        total = add(total, more)
    return total


def _from(attrs: dict[str, Any], row: int) -> dict[str, Any]:
    return {**attrs, "first": attrs["first"] + row}


def _until(parts: list[Node], attrs: dict[str, Any], first: int, last: int) -> list[Node]:
    """The scales and zero points up to a row."""
    return [slice_(part, (0, 0), (ceil_div(attrs["first"] + last, attrs["block"]), part.shape[1])) for part in parts]


def _array(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def _words(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-(2**31), 2**31, shape).astype(np.int32)


_PLAIN = {"bits": 8, "tb": False, "first": 0, "splits": 1, "exact": False}

PACKED = routine(
    "packed_matmul",
    shape=_shape,
    dtype=_dtype,
    numpy=_numpy,
    grad=_grad,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: 2 * node.size // node.attrs["splits"] * node.src[0].shape[-1],
    tol=1e-4,
    samples=[
        ((_array(0, 5, 8), _words(1, 9, 3)), {**_PLAIN, "n": 12}),
        ((_array(2, 3, 7), _words(3, 9, 2)), {**_PLAIN, "n": 6, "first": 1}),
        ((_array(4, 5, 8), _words(5, 8, 2)), {**_PLAIN, "n": 12, "bits": 4}),
        ((_array(6, 3, 10), _words(7, 10, 1), _array(9, 3, 8), _array(10, 3, 8)), {**_PLAIN, "n": 8, "bits": 4, "block": 4}),
        ((_array(8, 2, 8), _words(9, 5, 2)), {**_PLAIN, "n": 4, "tb": True, "bits": 4, "first": 8}),
    ],
)


def packed_matmul(a: Node, words: Node, n: int, bits: int, transposed: bool = False, exact: bool = False) -> Node:
    """`a` times the first `n` columns of the numbers in `words`, whose rows begin words of their own.

    Args:
        a: float32 `(m, k)`.
        words: int32 `(k, …)`, or `(n, …)` where the product is with the transposed numbers.
        bits: 8, or 4: then `n` is at most eight to a word.
        exact: The floats are integers in the range of int8: sums are exact, however long.

    Raises:
        ShapeError: The words do not have that many rows and columns.
        DtypeError: The operands are not float32 and int32.
    """
    return PACKED(a, words, n=n, bits=bits, tb=transposed, first=0, splits=1, exact=exact)


def product_of_blocks(a: Node, words: Node, scale: Node, zero: Node, n: int, block: int) -> Node:
    """`a`, float32 `(m, k)`, times the first `n` columns of numbers of 4 bits, of which each `block` rows have scales and zero points.

    `scale` and `zero` are float32 `(ceil(k / block), n)`; a weight is `(number - zero) * scale`.

    Raises:
        ShapeError, DtypeError: As above, or there is not one of both for each column of each block.
    """
    return PACKED(a, words, scale, zero, n=n, bits=4, tb=False, first=0, splits=1, exact=False, block=block)


__all__ = ["packed", "packed_matmul", "product_of_blocks", "unpacked"]
