"""What the choosers of kernels share. Each primitive's chooser stands in its file; nothing outside of this folder looks at
the adapter, but through the questions of `Profile`.

Three families. On a GPU ("tile") threads of a workgroup share tiles of the operands. On a software adapter ("register")
a barrier costs about 50 ns a thread while loads are cheap, so each thread keeps a large tile in registers.
A processor core ("wasm") runs the same kernels but for products and convolutions, which have panels in its caches.
All have one kernel that takes any shape and layout through hooks (`gemm`); the others are faster special cases.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..op import KernelSpec, Profile

_AXIS = 65535  # workgroups along one axis
LOOP_ROUNDS = 60_000  # rounds of a thread; Mesa's software adapter ends its loops after 65,535, counted all together
LONG_SUM = 8192  # products in one chain; float32 loses about as many units in the last place, so longer sums are cut



def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def is_register(profile: Profile) -> bool:
    return profile.family in ("register", "wasm")


def is_software(profile: Profile) -> bool:
    """Whether a GPU's interface is computed by a processor: many threads are wanted, and few steps one after another."""
    return profile.family == "register"


def is_core(profile: Profile) -> bool:
    """Whether a processor core runs workgroups one after another, as WebAssembly: packed panels pay there."""
    return profile.family == "wasm"


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
    params = {"M": g.m, "N": g.n, "K": g.k, "Z": g.z}
    if is_register(profile):
        return flat("gemm_reg", g.z * ceil_div(g.m, 4) * ceil_div(g.n, 4), params, profile, hooks)
    file, tx, ty, bk, each = _tile(g, profile)
    across, down = tx * each, ty * each
    params |= {"TX": tx, "TY": ty, "BK": bk, "A_ALONG_K": g.a_along_k, "B_ALONG_K": g.b_along_k}
    params["WHOLE"] = g.m % down == 0 and g.n % across == 0 and g.k % bk == 0
    grid, params["X"] = fold(g.z * ceil_div(g.m, down) * ceil_div(g.n, across))
    return KernelSpec(file, params, grid, hooks)


def _tile(g: Gemm, profile: Profile) -> tuple[str, int, int, int, int]:
    """File, threads across and down, steps of k, outputs a thread along each side.

    The largest tile of which the result has enough to fill the adapter; a thin result gets a thin tile.
    """
    wanted = profile.threads // 256
    for threads, each in ((256, 8), (64, 8), (64, 4)):
        side = int(threads**0.5)
        tx, ty = min(side, _power(ceil_div(g.n, each))), min(side, _power(ceil_div(g.m, each)))
        tx, ty = (tx, min(32, threads // tx)) if tx <= ty else (min(32, threads // ty), ty)
        bk = next((k for k in (16, 8) if 4 * k * each * (tx + ty) <= min(profile.max_shared, 12288)), 4)
        enough = ceil_div(g.m, ty * each) * ceil_div(g.n, tx * each) * g.z >= wanted
        if each == 4 or (tx * ty == threads <= profile.max_invocations and min(tx, ty) >= threads // 32 and enough):
            break
    return "gemm_tile_large" if each == 8 else "gemm_tile", tx, ty, bk, each


def _power(n: int) -> int:
    """The least power of two that is at least n."""
    return 1 << max(0, n - 1).bit_length()


def product_splits(m: int, n: int, k: int, profile: Profile) -> int:
    """Into how many partial sums over k a product is cut so that a small result still fills the adapter."""
    if is_core(profile):
        return 1
    if is_register(profile):
        threads, least, wanted = ceil_div(m, 4) * ceil_div(n, 4), 256, 64
    else:
        threads, least, wanted = ceil_div(m, 32) * ceil_div(n, 32), 512, profile.threads // 512
    if k < 2 * least or 2 * threads > wanted:
        return 1
    return max(1, min(k // least, wanted // threads, 32))


def filter_splits(rows: int, channels: int, pixels: int, groups: int, profile: Profile) -> int:
    """Into how many partial sums over the pixels a filter gradient is cut."""
    if is_core(profile):
        return 1
    if is_register(profile):
        tiles, wanted, least = ceil_div(rows, 8) * ceil_div(channels, 8) * groups, 96, 64
    else:
        tiles, wanted, least = ceil_div(rows, 32) * ceil_div(channels, 32) * groups, profile.threads // 256, 256
    if 2 * tiles > wanted:
        return 1
    return max(1, min(pixels // least, wanted // tiles, 64))
