"""The order of rows: short ones by counting, those of a workgroup by a network or one thread, all others by radix sort in passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import DtypeError, ShapeError
from ..node import Node
from ..op import ZERO, KernelSpec, Profile, Shape, routine
from .choose import ceil_div, flat, fold, is_core, is_register, is_software
from .elementwise import cast
from .keys import ELEMENT, bits_of, element_hook, host_elements, host_keys, key_hook, matrix
from .pick import PUT
from .scan import scan

_COUNTED = 64  # a row of at most this many elements is ordered by counting …
_COUNTED_SOFTWARE = 512  # … or of so many, where a pass costs more than …
_COMPARISONS = 2**23  # … all comparisons
_ROW = 2048  # a row of at most so many elements is one thread's work on a processor core, from the first digit to the last
_NETWORK = 2048  # keys and columns of so many elements fill 16 KiB of shared memory
_GROUP = 256
_EACH = 8  # elements a thread of a workgroup moves in a pass


def _shape(x: Shape, **attrs: Any) -> Shape:
    matrix("sort", x)
    return x


def _threads_a_row(rows: int, n: int, profile: Profile) -> int:
    """Elements that one thread, or one workgroup of a GPU, moves."""
    if not is_register(profile):
        return _GROUP * _EACH
    least = 2048 if is_core(profile) else 256
    return min(n, max(least, min(8192 if is_software(profile) else n, ceil_div(rows * n, max(1, profile.threads)))))


def _bits(node: Node) -> int:
    """The digits of keys in which elements differ."""
    return int(node.attrs.get("bits", bits_of(node.src[0].dtype)))


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (x,) = node.src
    rows, n = x.shape
    hooks = key_hook(x.dtype, descending=node.attrs.get("descending", False))
    params = {"ROWS": rows, "N": n, "T": ELEMENT[x.dtype]}
    if node.op is SORT:
        hooks["item"], params["Y"] = "return x[i];", ELEMENT[x.dtype]
    grid, across = fold(rows)
    if is_core(profile) and n > _COUNTED:
        columns = node.op is ARGSORT
        hooks = key_hook(x.dtype, descending=node.attrs.get("descending", False), exact=not columns)
        hooks |= {} if columns else element_hook(x.dtype)
        params |= {"PASSES": ceil_div(_bits(node), 8), "COLUMNS": columns, "Y": ELEMENT[node.dtype], "X": across}
        return KernelSpec("radix_core", params, grid, hooks)
    if is_register(profile) or not _COUNTED < n <= _NETWORK:
        return flat("sort_rank", rows * n, params, profile, hooks)
    size = 1 << (n - 1).bit_length()
    return KernelSpec("sort_group", {**params, "P": size, "WG": min(_GROUP, profile.max_invocations), "X": across}, grid, hooks)


def _lower(node: Node, profile: Profile) -> Node | None:
    """Radix sort: for each digit of the keys, from the last on, how often it is in each chunk, where that begins, and the move."""
    (x,) = node.src
    rows, n = x.shape
    if n <= (_ROW if is_core(profile) else _COUNTED if is_register(profile) else _NETWORK):
        return None
    if is_software(profile) and n <= _COUNTED_SOFTWARE and rows * n * n <= _COMPARISONS:
        return None
    bits = _bits(node)
    digit = min(8, bits) if is_register(profile) else 4
    attrs = {"shape": (rows, n), "chunk": _threads_a_row(rows, n, profile), "digit": digit, "columns": node.op is ARGSORT}
    attrs["descending"] = node.attrs.get("descending", False)
    now = x
    for shift in range(0, bits, digit):
        counts = COUNT(now, shift=shift, first=shift == 0, **attrs)
        last = x.dtype if shift + digit >= bits else ""
        now = MOVE(now, scan(counts), shift=shift, first=shift == 0, last=last, **attrs)
    return now


def _numpy(x: np.ndarray, descending: bool, **attrs: Any) -> np.ndarray:
    return np.argsort(host_keys(x, descending), axis=1, kind="stable").astype(np.int32)


_X = np.random.default_rng(0).uniform(-3, 3, (5, 7)).astype(np.float32)
_TIES = np.random.default_rng(1).integers(-4, 4, (3, 40)).astype(np.int32)
_WIDE = np.round(np.random.default_rng(2).uniform(-30, 30, (2, 300))).astype(np.float32)
_WIDE[0, 5], _WIDE[1, 7], _WIDE[1, 8] = np.nan, -0.0, np.inf

ARGSORT = routine(
    "argsort",
    shape=_shape,
    dtype=lambda x, **attrs: "int32",
    numpy=_numpy,
    grad=ZERO,
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: node.size,
    samples=[((_X,), {"descending": False}), ((_TIES,), {"descending": True}), ((_WIDE,), {"descending": False})],
)


def order_below(x: Node, most: int) -> Node:
    """The order of unsigned integers in the rows of a matrix, none above `most`: their other digits need no pass. As `argsort`."""
    return ARGSORT(x, descending=False, bits=most.bit_length())


def argsort(x: Node, descending: bool = False) -> Node:
    """For each row of a matrix its columns in the order of their elements, equal ones in order of their columns: int32.

    Raises:
        ShapeError: x is not a matrix, or has no columns.
    """
    return ARGSORT(x, descending=descending)


SORT = routine(
    "sort",
    shape=_shape,
    dtype=lambda x: x,
    numpy=lambda x: np.sort(x, axis=1),
    grad=lambda g, y, x: (PUT(g, ARGSORT(x, descending=False)),),
    kernel=_kernel,
    lower=_lower,
    flops=lambda node: node.size,
    samples=[((_X,), {}), ((_TIES,), {}), ((_WIDE,), {})],
)


def sort_rows(x: Node) -> Node:
    """Each row of a matrix in order, a NaN behind all numbers.

    Raises:
        ShapeError: x is not a matrix, or has no columns.
    """
    if x.dtype == "bool":  # what follows a routine in its kernel takes numbers
        return cast(SORT(cast(x, dtype="uint32")), dtype="bool")
    return SORT(x)


# ---- one pass: `columns` says whether each key is followed by the column it came from, `last` for what dtype the pass is the last
def _bins(attrs: dict[str, Any]) -> int:
    return 1 << attrs["digit"]


def _count_shape(x: Shape, *, shape: Shape, chunk: int, digit: int, first: bool, columns: bool, **attrs: Any) -> Shape:
    if x != (shape if first or not columns else (2, *shape)):
        raise ShapeError(f"radix_count: input is {x}; expected {shape}, or keys and columns of that shape.")
    return (shape[0], ceil_div(shape[1], chunk) << digit)


def _keys_of(x: np.ndarray, first: bool, columns: bool, descending: bool) -> np.ndarray:
    return host_keys(x, descending, exact=not columns) if first else x[0] if columns else x


def _digits(x: np.ndarray, attrs: dict[str, Any]) -> np.ndarray:
    keys = _keys_of(x, attrs["first"], attrs["columns"], attrs["descending"])
    return (keys >> np.uint32(attrs["shift"])) & np.uint32(_bins(attrs) - 1)


def _count_numpy(x: np.ndarray, **attrs: Any) -> np.ndarray:
    (rows, n), chunk = attrs["shape"], attrs["chunk"]
    chunks = ceil_div(n, chunk)
    y = np.zeros((rows, _bins(attrs), chunks), np.uint32)
    np.add.at(y, (np.arange(rows)[:, None], _digits(x, attrs), np.arange(n)[None] // chunk), 1)
    return y.reshape(rows, -1)


def _move_numpy(x: np.ndarray, ends: np.ndarray, last: str, **attrs: Any) -> np.ndarray:
    (rows, n), first, columns = attrs["shape"], attrs["first"], attrs["columns"]
    order = np.argsort(_digits(x, attrs), axis=1, kind="stable")
    keys = np.take_along_axis(_keys_of(x, first, columns, attrs["descending"]), order, 1)
    if not columns:
        return host_elements(keys, last) if last else keys
    places = np.take_along_axis(np.broadcast_to(np.arange(n, dtype=np.uint32), (rows, n)) if first else x[1], order, 1)
    return places.astype(np.int32) if last else np.stack([keys, places])


def _move_shape(x: Shape, ends: Shape, *, last: str, **attrs: Any) -> Shape:
    if ends != (counted := _count_shape(x, **attrs)):
        raise ShapeError(f"radix_move: ends are {ends}; expected {counted}, as the counts are.")
    return attrs["shape"] if last or not attrs["columns"] else (2, *attrs["shape"])


def _pass(node: Node, profile: Profile, name: str) -> KernelSpec:
    """The kernel of a pass of radix sort: `count` the digits of each chunk, or `move` its elements."""
    attrs, x = node.attrs, node.src[0]
    (rows, n), chunk, first = attrs["shape"], attrs["chunk"], attrs["first"]
    chunks = ceil_div(n, chunk)
    params = {"ROWS": rows, "N": n, "CHUNK": chunk, "CHUNKS": chunks, "BINS": _bins(attrs), "SHIFT": attrs["shift"],
              "T": ELEMENT[x.dtype]}  # fmt: skip
    hooks = key_hook(x.dtype, descending=attrs["descending"], exact=not attrs["columns"]) if first else {}
    if name == "move":
        last, columns = attrs["last"], attrs["columns"]
        params |= {"LAST": bool(last), "COLUMNS": columns, "Y": ELEMENT[node.dtype]}
        hooks |= {"column": "return i % N;"} if first else {}
        hooks |= element_hook(last) if last and not columns else {}
    if is_register(profile) or attrs["digit"] != 4 or chunk % min(_GROUP, profile.max_invocations):
        return flat(f"radix_{name}_thread", rows * chunks, params, profile, hooks)
    grid, across = fold(rows * chunks)
    return KernelSpec(f"radix_{name}_group", {**params, "WG": min(_GROUP, profile.max_invocations), "X": across}, grid, hooks)


def _pass_dtype(x: str, *rest: str, first: bool, columns: bool, last: str = "", **attrs: Any) -> str:
    if not first and x != "uint32":
        raise DtypeError(f"radix sort: keys are {x}; expected uint32.")
    return ("int32" if columns else last) if last else "uint32"


_PASS = {"shape": (2, 300), "chunk": 256, "shift": 0, "first": True, "descending": False, "columns": True}
_PAIRS = np.stack([np.random.default_rng(4).integers(0, 2**32, (2, 300), dtype=np.uint32),
                   np.tile(np.random.default_rng(5).permutation(300).astype(np.uint32), (2, 1))])  # fmt: skip
_LATER = {"shape": (2, 300), "chunk": 70, "shift": 24, "first": False, "descending": False, "columns": True, "digit": 8}
_ALONE = _LATER | {"columns": False}
_LATER_FOUR = _LATER | {"chunk": 512, "digit": 4, "shift": 28}

COUNT = routine(
    "radix_count",
    shape=_count_shape,
    dtype=_pass_dtype,
    numpy=_count_numpy,
    grad=None,
    kernel=lambda node, profile: _pass(node, profile, "count"),
    samples=[((_WIDE,), _PASS | {"digit": 4}), ((_PAIRS,), _LATER), ((_PAIRS,), _LATER_FOUR), ((_PAIRS[0],), _ALONE)],
)


def _ends(x: np.ndarray, attrs: dict[str, Any]) -> np.ndarray:
    return np.cumsum(_count_numpy(x, **attrs), axis=1, dtype=np.uint32)


MOVE = routine(
    "radix_move",
    shape=_move_shape,
    dtype=_pass_dtype,
    numpy=_move_numpy,
    grad=None,
    kernel=lambda node, profile: _pass(node, profile, "move"),
    samples=[
        ((_WIDE, _ends(_WIDE, _PASS | {"digit": 4})), _PASS | {"digit": 4, "last": ""}),
        ((_PAIRS, _ends(_PAIRS, _LATER)), _LATER | {"last": "float32"}),
        ((_PAIRS, _ends(_PAIRS, _LATER_FOUR)), _LATER_FOUR | {"last": "uint32"}),
        ((_PAIRS[0], _ends(_PAIRS[0], _ALONE)), _ALONE | {"last": "int32"}),
    ],
)
