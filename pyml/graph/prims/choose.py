"""Which kernel runs a product, a convolution or a row operation: the only place that looks at the adapter.

Two families. On a GPU ("tile") threads of a workgroup share tiles of the operands. On a software adapter ("register")
a barrier costs about 50 ns a thread while loads are cheap, so each thread keeps a large tile in registers.
Both have one kernel that takes any shape and layout through hooks (`gemm`); the others are faster special cases.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..op import KernelSpec, Profile

_AXIS = 65535  # workgroups along one axis

# GPU tiles, largest first: file, threads across and down, steps of k, outputs a thread. A tile is taken when the
# result has enough of them to fill the adapter.
_TILES = (("gemm_tile_large", 16, 16, 8, 8), ("gemm_tile_large", 8, 8, 16, 8), ("gemm_tile", 8, 8, 16, 4))


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def is_register(profile: Profile) -> bool:
    return profile.family == "register"


def width(threads: int, profile: Profile) -> int:
    """Threads in a workgroup that needs no barrier: few when there are few, so that every core gets some."""
    if not is_register(profile):
        return min(64, profile.max_invocations)
    return 64 if threads >= 64 * 64 else 16 if threads >= 16 * 16 else 4


def fold(groups: int) -> tuple[tuple[int, int, int], int]:
    """Workgroup counts for `groups` in a row, and how many of them lie along x."""
    rows = ceil_div(groups, _AXIS)
    across = ceil_div(groups, rows)
    return (across, rows, 1), across


def flat(file: str, threads: int, params: dict, profile: Profile, hooks: dict | None = None, fold_name: str = "X") -> KernelSpec:
    """A kernel with one output (or a few) a thread, and no shared memory."""
    wg = width(threads, profile)
    grid, across = fold(ceil_div(threads, wg))
    return KernelSpec(file, {**params, "WG": wg, fold_name: across}, grid, hooks or {})


def chunk_of(total: int, splits: int) -> int:
    """Terms in each of `splits` partial sums: a multiple of four, so that the last ones may be short or empty."""
    return ceil_div(total, 4 * splits) * 4 if splits > 1 else total


@dataclass(frozen=True)
class Gemm:
    """A product of any layout: `y[out(z, m, n)] = sum_k a(z, m, k) b(z, k, n)`, the hooks as WGSL bodies."""

    m: int
    n: int
    k: int
    z: int
    load_a: str
    load_b: str
    out: str
    a_along_k: bool = True
    b_along_k: bool = False


def gemm(g: Gemm, profile: Profile) -> KernelSpec:
    hooks = {"load_a": g.load_a, "load_b": g.load_b, "out_index": g.out}
    params = {"M": g.m, "N": g.n, "K": g.k}
    if is_register(profile):
        threads = ceil_div(g.m, 4) * ceil_div(g.n, 4)
        wg = width(threads * g.z, profile)
        (across, rows, _), x = fold(ceil_div(threads, wg))
        return KernelSpec("gemm_reg", {**params, "WG": wg, "X": x}, (across, rows, g.z), hooks)
    file, tx, ty, bk, each = _tile(g, profile)
    params |= {"TX": tx, "TY": ty, "BK": bk, "A_ALONG_K": g.a_along_k, "B_ALONG_K": g.b_along_k}
    return KernelSpec(file, params, (ceil_div(g.n, tx * each), ceil_div(g.m, ty * each), g.z), hooks)


def _tile(g: Gemm, profile: Profile) -> tuple[str, int, int, int, int]:
    wanted = profile.threads // 256
    for file, tx, ty, bk, each in _TILES:
        down, across = ty * each, tx * each
        fits = tx * ty <= profile.max_invocations and 16 * bk * (each // 4) * (tx + ty) <= profile.max_shared
        if fits and 2 * g.m > down and 2 * g.n > across and ceil_div(g.m, down) * ceil_div(g.n, across) * g.z >= wanted:
            return file, tx, ty, bk, each
    across, down = 8, 8  # 64 threads, laid out along the longer side of a thin result
    while across > 1 and across * 2 >= g.n:
        across, down = across // 2, down * 2
    while down > 1 and down * 2 >= g.m and across < 32:
        across, down = across * 2, down // 2
    return "gemm_tile", across, down, 16, 4


def product_splits(m: int, n: int, k: int, profile: Profile) -> int:
    """Into how many partial sums over k a product is cut so that a small result still fills the adapter."""
    if is_register(profile):
        threads, least, wanted = ceil_div(m, 4) * ceil_div(n, 4), 256, 64
    else:
        threads, least, wanted = ceil_div(m, 32) * ceil_div(n, 32), 512, profile.threads // 512
    if k < 2 * least or 2 * threads > wanted:
        return 1
    return max(1, min(k // least, wanted // threads, 32))


def filter_splits(rows: int, channels: int, pixels: int, groups: int, profile: Profile) -> int:
    """Into how many partial sums over the pixels a filter gradient is cut."""
    if is_register(profile):
        tiles, wanted, least = ceil_div(rows, 8) * ceil_div(channels, 8) * groups, 96, 64
    else:
        tiles, wanted, least = ceil_div(rows, 32) * ceil_div(channels, 32) * groups, profile.threads // 256, 256
    if 2 * tiles > wanted:
        return 1
    return max(1, min(pixels // least, wanted // tiles, 64))
