"""Products with matrices of integers that stay packed in words of 32 bits: four numbers of 8 bits, or eight of 4.

A kernel takes a word apart where it loads it, so weights cross the memory bus packed. Where both operands are integers a core
multiplies them as such (`matmul_whole`); everything else is a product of float32. Sums of integers are exact in float32 up
to 2^24, which is 1,024 products of int8: `exact` cuts longer sums there and adds the parts as int32, so that all adapters give
the same numbers to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .choose import LONG_SUM, Gemm, Operand, ceil_div, chunk_of, flat, fold, gemm, is_core, is_register, product_splits
from .contract import _cut, _panel, matmul, rows_of_block
from .conv_panel import columns
from .elementwise import add, bitwise_and, cast, left_shift, mul, right_shift, sub
from .leaf import full, iota
from .move import broadcast_to, pad, reshape, slice_
from .reduce import reduce_sum

PAIRED = 1 << 18  # numbers of 16 bits that stay in a core's second cache
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
def _sizes(a: Shape, words: Shape, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool) -> tuple[int, int, int]:
    """M, K and the number of matrices."""
    return a[-2], a[-1], a[0] if len(a) == 3 else 1


def _shape(a: Shape, words: Shape, *, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool) -> Shape:
    m, k, z = _sizes(a, words, n, bits, tb, first, splits, exact)
    per = 32 // bits
    rows, columns = (n, first + k) if tb else (1 + (z - 1) * k, n)
    short = not tb and z == 1 and first + k > words[0]
    if len(words) != 2 or len(a) not in (2, 3) or rows > words[0] or columns > words[1] * per or short:
        raise ShapeError(f"packed_matmul: a is {a} and the words are {words}, which do not hold {n} columns of {k} numbers each.")
    return (splits, m, n) if splits > 1 else (*a[:-1], n)


def _dtype(a: str, words: str, **attrs: Any) -> str:
    if (a, words) != ("float32", "int32"):
        raise DtypeError(f"packed_matmul: operands are {a} and {words}; expected float32 and words of int32.")
    return "float32"


def _matrices(words: np.ndarray, a: np.ndarray, n: int, bits: int, tb: bool, first: int) -> np.ndarray:
    """The second operand in float32: `(k, n)`, or `(z, k, n)`."""
    numbers = np.ascontiguousarray(words).view(np.int8)
    if bits == 4:
        numbers = np.stack([numbers << 4 >> 4, numbers >> 4], axis=-1).reshape(len(words), -1)
    k = a.shape[-1]
    if tb:
        return numbers[:n, first : first + k].T.astype(np.float32)
    if a.ndim == 2:
        return numbers[first : first + k, :n].astype(np.float32)
    return np.pad(numbers[: a.shape[0] * k, :n], ((0, max(0, a.shape[0] * k - len(numbers))), (0, 0))).reshape(-1, k, n).astype(np.float32)


def _numpy(a: np.ndarray, words: np.ndarray, *, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool) -> np.ndarray:
    b = _matrices(words, a, n, bits, tb, first)
    if splits == 1:
        return np.matmul(a, b)
    chunk = chunk_of(a.shape[1], splits)
    return np.stack([a[:, i * chunk : (i + 1) * chunk] @ b[i * chunk : (i + 1) * chunk] for i in range(splits)])


def _grad(g: Node, y: Node, a: Node, words: Node, n: int, bits: int, tb: bool, first: int, splits: int, exact: bool) -> Grads:
    """Of the floats alone: integers have none."""
    k = a.shape[-1]
    if tb:
        numbers = slice_(unpacked(words, first + k, bits), (0, first), (n, first + k))
        return matmul(g, cast(numbers, dtype="float32")), None
    numbers = cast(unpacked(words, n, bits), dtype="float32")
    if a.ndim == 2:
        return matmul(g, slice_(numbers, (first, 0), (first + k, n)), tb=True), None
    z = a.shape[0]
    numbers = pad(numbers, ((0, max(0, z * k - words.shape[0])), (0, 0)), 0.0)
    return matmul(g, reshape(slice_(numbers, (0, 0), (z * k, n)), (z, k, n)), tb=True), None


def _row(node: Node, row: str) -> str:
    """The row of words, within the matrix: the last block of rows may be short, and meets zeros of a."""
    a, words = node.src
    first = node.attrs["first"]
    if node.attrs["tb"]:
        return row
    if a.ndim == 3 and a.shape[0] * a.shape[-1] > words.shape[0]:
        return f"min({row}, {words.shape[0] - 1}u)"
    return f"({row} + {first}u)" if first else row


def _one(node: Node, row: str, column: str) -> str:
    """A number as f32."""
    bits, stride = node.attrs["bits"], node.src[1].shape[1]
    per, high = 32 // bits, 32 - node.attrs["bits"]
    if node.attrs["tb"] and node.attrs["first"]:
        column = f"({column} + {node.attrs['first']}u)"
    return f"f32((b[{_row(node, row)} * {stride}u + {column} / {per}u] << ({high}u - {bits}u * ({column} % {per}u))) >> {high}u)"


def _four(node: Node, row: str, q: str) -> str:
    """Statements that return the numbers 4 q … 4 q + 3 of a row: products bring each to the highest bits, in every lane at once."""
    bits, stride = node.attrs["bits"], node.src[1].shape[1]
    if node.attrs["tb"] and node.attrs["first"]:
        q = f"({q} + {node.attrs['first'] // 4}u)"
    return f"return vec4f({_numbers(f'b[{_row(node, row)} * {stride}u + {q} / {8 // bits}u]', bits, q)});"


def _numbers(word: str, bits: int, q: str) -> str:
    """The numbers 4 q … 4 q + 3 of a row, which are in this word of it."""
    if bits == 4:
        word = f"{word} << (16u - 16u * ({q} % 2u))"
    factors = ", ".join(str(1 << (bits * (3 - i))) for i in range(4))
    return f"(vec4<i32>({word}) * vec4<i32>({factors})) >> vec4<u32>({32 - bits}u)"


def _pair(node: Node) -> str:
    """Statements that return numbers 8 o + j and 8 o + j + 4 of columns n … n + 3, in the halves of words."""
    bits, k, stride = node.attrs["bits"], node.src[0].shape[-1], node.src[1].shape[1]
    first, low, high = node.attrs["first"], "vec4<i32>(65535)", "vec4<u32>(16u)"
    if not node.attrs["tb"]:
        rows = [f"min(8u * o + j{more}, {k - 1}u) + {first}u" for more in ("", " + 4u")]
        l, h = (_numbers(f"b[({row}) * {stride}u + n / {32 // bits}u]", bits, "n / 4u") for row in rows)
        return f"return (({l}) & {low}) | (({h}) << {high});"
    at = [f"min({8 // (32 // bits)}u * o + {first // (32 // bits) + i}u, {stride - 1}u)" for i in range(2)]
    words = [f"vec4<i32>({', '.join(f'b[(n + {c}u) * {stride}u + {one}]' for c in range(4))})" for one in at]
    up = f"vec4<u32>({32 - bits}u)"
    l = f"({words[0]} << vec4<u32>({32 - bits}u - {bits}u * j)) >> {up}"
    h = f"({words[1]} << vec4<u32>(24u - 8u * j)) >> {up}" if bits == 8 else f"({words[0]} << vec4<u32>(12u - 4u * j)) >> {up}"
    return f"return (({l}) & {low}) | (({h}) << {high});"


@dataclass(frozen=True)
class _Packed(Operand):
    """An operand whose numbers are taken out of words: one as an expression, four as statements."""

    number: str = ""
    numbers: str = ""

    def one(self) -> str:
        return f"{self.before.replace('ZERO', '0.0')}return {self.number};"

    def vector(self) -> str:
        return f"{self.before.replace('ZERO', 'vec4f()')}{self.numbers}"


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    """A product of panels on a core, of registers on a software adapter, otherwise of tiles; words are taken apart as they are loaded."""
    a = node.src[0]
    n, tb, splits = node.attrs["n"], node.attrs["tb"], node.attrs["splits"]
    m, k, z = a.shape[-2], a.shape[-1], a.shape[0] if a.ndim == 3 else 1
    if _is_whole(node, profile):
        return _whole(node, m, n, k, profile)
    if is_core(profile) and n % 4 == 0 and splits == 1:
        spec = _panel(m, n, k, z, False, tb, profile)
        hooks = {"one_b": f"return {_one(node, 'r', 'k')};"} if tb else {"four_b": _four(node, "r", "n / 4u")}
        return KernelSpec(spec.file, spec.params | {"B": "i32"}, spec.grid, hooks)
    if is_register(profile) and splits == 1 and n % 4 == 0 and k % 4 == 0 and m >= 4:
        params = {"M": m, "N": n, "K": k, "Z": z, "TA": False, "TB": tb, "B": "i32"}
        return flat("matmul_reg", z * ceil_div(m, 8) * ceil_div(n, 8), params, profile, {"four_b": _four(node, "r", "q")})
    chunk = chunk_of(k, splits)
    step, guard, matrix = ("k", "", "z") if splits == 1 else (f"(z * {chunk}u + k)", "", "0u")
    if chunk * splits != k:
        guard = f"if ({step} >= {k}u) {{ return ZERO; }} "
    row, column = ("n", step) if tb else (step if z == 1 else f"(z * {k}u + k)", "n")
    left = Operand("a", f"({matrix} * {m}u + m) * {k}u + {step}", guard, True, k % 4 == 0)
    right = _Packed("b", "", guard, tb, _fours(node), _one(node, row, column), _four(node, row, f"({column} / 4u)"))
    spec = gemm(Gemm(m, n, chunk, z * splits, left, right, f"return (z * {m}u + m) * {n}u + n;"), profile)
    return KernelSpec(spec.file, spec.params | {"B": "i32"}, spec.grid, spec.hooks)


def _is_whole(node: Node, profile: Profile) -> bool:
    """Whether a core multiplies whole numbers: twice as many at a time as floats, and sums of 32 bits are exact."""
    return is_core(profile) and node.attrs["exact"] and node.attrs["n"] % 4 == 0 and node.src[0].ndim == 2


def _whole(node: Node, m: int, n: int, k: int, profile: Profile) -> KernelSpec:
    """The product of whole numbers: rows of `a` are packed in pairs once for each workgroup, so it has eight panels at least."""
    block = rows_of_block(m, PAIRED // k)
    blocks = ceil_div(m, block)
    cols = columns(n, blocks, profile, least=8)
    grid, across = fold(blocks * ceil_div(n, cols))
    return KernelSpec("matmul_whole", {"M": m, "N": n, "K": k, "BLOCK": block, "COLS": cols, "X": across}, grid, {"pair_b": _pair(node)})


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
    a, words = node.src
    attrs: dict[str, Any] = dict(node.attrs)
    n, tb, exact = attrs["n"], attrs["tb"], attrs["exact"]
    k, again = a.shape[-1], _same(a, words, attrs)
    if attrs["splits"] > 1:
        return None
    if is_core(profile) and n % 4 and not tb and a.shape[-2] > 1:  # words are whole vectors of columns
        return slice_(again(n=n + -n % 4), (0,) * node.ndim, node.shape)
    if _is_whole(node, profile):
        return None
    long = EXACT if exact else LONG_SUM
    if is_core(profile) or a.ndim == 3:
        if k <= long or a.ndim == 3:
            return None
        each = ceil_div(k, 8 * ceil_div(k, long)) * 8
        cuts = [(i, min(i + each, k)) for i in range(0, k, each)]
        return _added([_same(_cut(a, 1, i, j), words, attrs)(first=attrs["first"] + i) for i, j in cuts], exact)
    splits = max(product_splits(a.shape[0], n, k, k % 4 == 0 and _fours(node), profile), ceil_div(k, long))
    if splits == 1:
        return None
    parts = again(splits=splits)
    return cast(reduce_sum(cast(parts, dtype="int32") if exact else parts, (0,)), dtype="float32")


def _same(a: Node, words: Node, attrs: dict[str, Any]) -> Callable[..., Node]:
    return lambda **other: PACKED(a, words, **{**attrs, **other})


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
        ((_array(6, 3, 2, 4) * (np.arange(12) < 10).reshape(3, 1, 4), _words(7, 10, 1)), {**_PLAIN, "n": 4, "bits": 4}),
        ((_array(8, 2, 8), _words(9, 5, 2)), {**_PLAIN, "n": 4, "tb": True, "bits": 4, "first": 8}),
    ],
)


def packed_matmul(a: Node, words: Node, n: int, bits: int = 8, transposed: bool = False, exact: bool = False, first: int = 0) -> Node:
    """`a` times the first `n` columns of the numbers in `words`, whose rows begin words of their own.

    Args:
        a: float32 `(m, k)`; or `(z, m, k)`, for which each k rows of the numbers are another matrix; where the last one is short,
            `a` has zeros.
        words: int32 `(k, …)`, or `(n, …)` where the product is with the transposed numbers.
        bits: 8, or 4: then `n` is at most eight to a word.
        exact: The floats are integers in the range of int8: sums are exact, however long.
        first: The row of the numbers that meets the first of `a`; transposed the column, a multiple of 8.

    Raises:
        ShapeError: The words do not have that many rows and columns.
        DtypeError: The operands are not float32 and int32.
    """
    return PACKED(a, words, n=n, bits=bits, tb=transposed, first=first, splits=1, exact=exact)


__all__ = ["packed", "packed_matmul", "unpacked"]
