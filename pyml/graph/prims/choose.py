"""What the choosers of kernels share. Each primitive's chooser stands in its file; nothing outside of this folder looks at
the adapter, but through the questions of `Profile`.

Three families. On a GPU ("tile") threads of a workgroup share tiles of the operands. On a software adapter ("register")
a barrier costs about 50 ns a thread while loads are cheap, so each thread keeps a large tile in registers.
A processor core ("wasm") runs the same kernels but for products and convolutions, which have panels in its caches.
All have one kernel that takes any shape and layout through hooks (`gemm`); the others are faster special cases.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..op import KernelSpec, Profile

_AXIS = 65535  # workgroups along one axis
LOOP_ROUNDS = 60_000  # rounds of a thread; Mesa's software adapter ends its loops after 65,535, counted all together
# Looks at an index, by all threads together, above which indices are sorted first (`scatter_add`). Processor time on Mesa's software
# adapter for 32 columns, looking and sorted: 100 rows of 512 updates 4.5 and 6.5 ms, 400 of 512 9.3 and 7.4, 1,000 of 1,024 33 and 8,
# 20,000 of 6,400 3,250 and 56. A GPU, which looks faster and where up to 16 dispatches more cost most, was not measured.
_LOOKS_SOFTWARE, _LOOKS = 1 << 18, 1 << 24
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


def sums_by_order(threads: int, count: int, profile: Profile) -> bool:
    """Whether rows that are added up by so many indices are found in these once sorted, and not looked for by every thread."""
    return not is_core(profile) and threads * count > (_LOOKS_SOFTWARE if is_software(profile) else _LOOKS)


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


def chunk_of(total: int, splits: int, whole: int = 4) -> int:
    """Terms in each of `splits` partial sums: a multiple of `whole`, so that the last ones may be short or empty."""
    return ceil_div(total, whole * splits) * whole if splits > 1 else total


@dataclass(frozen=True)
class Operand:
    """Where an operand of a product lies: WGSL before its index, with ZERO to return outside of it, and the index, as `array[...]`.

    `four`: the index that is contiguous is a multiple of four long and begins at one, so that vectors can be read.
    """

    array: str
    index: str
    before: str = ""
    along_k: bool = True
    four: bool = False

    def one(self) -> str:
        return f"{self.before.replace('ZERO', '0.0')}return {self.array}[{self.index}];"

    def vector(self) -> str:
        return f"{self.before.replace('ZERO', 'vec4f()')}return {self.array}[({self.index}) / 4u];"


@dataclass(frozen=True)
class Gemm:
    """A product of any layout: `y[out(z, m, n)] = sum_k a(z, m, k) b(z, k, n)`; `out` as a WGSL body."""

    m: int
    n: int
    k: int
    z: int
    a: Operand
    b: Operand
    out: str


def gemm(g: Gemm, profile: Profile) -> KernelSpec:
    """The kernel of a matrix product: register tiles for software adapters, otherwise the tile that suits its size."""
    hooks = {"load_a": g.a.one(), "load_b": g.b.one(), "out_index": g.out}
    params: dict = {"M": g.m, "N": g.n, "K": g.k, "Z": g.z}
    if is_register(profile):
        return flat("gemm_reg", g.z * ceil_div(g.m, 4) * ceil_div(g.n, 4), params, profile, hooks)
    params |= {"A_ALONG_K": g.a.along_k, "B_ALONG_K": g.b.along_k}
    if g.a.four and g.b.four and min(g.m, g.n) > _THIN:
        t = tile_of(g.m, g.n, g.k, g.z, profile)
        hooks |= {"load_a": g.a.vector(), "load_b": g.b.vector()}
        params |= {"TX": t.tx, "TY": t.ty, "S": t.slices, "BK": t.bk, "STEPS": t.steps(g.k), "SIZE": t.shared // 16}
        grid, params["X"] = fold(g.z * t.groups(g.m, g.n))
        return KernelSpec("gemm_tile_four", params, grid, hooks)
    file, tx, ty, bk, each = _tile(g.m, g.n, g.z, profile)
    across, down = tx * each, ty * each
    params |= {"TX": tx, "TY": ty, "BK": bk}
    if each == 4:
        params["WHOLE"] = g.m % down == 0 and g.n % across == 0 and g.k % bk == 0
    grid, params["X"] = fold(g.z * ceil_div(g.m, down) * ceil_div(g.n, across))
    return KernelSpec(file, params, grid, hooks)


def _tile(m: int, n: int, z: int, profile: Profile) -> tuple[str, int, int, int, int]:
    """File, threads across and down, steps of k, outputs a thread along each side, for operands that are read one by one.

    The largest tile of which the result has enough to fill the adapter; a thin result gets a thin tile.
    """
    wanted = profile.threads // 256
    for threads, each in ((256, 8), (64, 8), (64, 4)):
        side = int(threads**0.5)
        tx, ty = min(side, _power(ceil_div(n, each))), min(side, _power(ceil_div(m, each)))
        tx, ty = (tx, min(32, threads // tx)) if tx <= ty else (min(32, threads // ty), ty)
        bk = next((k for k in (16, 8) if 4 * k * each * (tx + ty) <= min(profile.max_shared, 12288)), 4)
        enough = ceil_div(m, ty * each) * ceil_div(n, tx * each) * z >= wanted
        if each == 4 or (tx * ty == threads <= profile.max_invocations and min(tx, ty) >= threads // 32 and enough):
            break
    return "gemm_tile_large" if each == 8 else "gemm_tile", tx, ty, bk, each


def _power(n: int) -> int:
    """The least power of two that is at least n."""
    return 1 << max(0, n - 1).bit_length()


@dataclass(frozen=True)
class Tile:
    """What a workgroup has of a product of vectors: `slices` of tx * ty threads with 8 * 8 outputs a thread."""

    tx: int
    ty: int
    slices: int

    @property
    def threads(self) -> int:
        return self.tx * self.ty * self.slices

    @property
    def bk(self) -> int:
        """Steps of k at a time, of which no thread has more than four vectors to bring."""
        return next(k for k in (16, 8, 4) if k * (self.tx + self.ty) <= 2 * self.tx * self.ty)

    @property
    def shared(self) -> int:
        """Bytes of shared memory: both tiles of every slice, and later a quarter of its sums."""
        return 64 * self.slices * max(self.bk * (self.tx + self.ty) // 2, self.tx * self.ty)

    def steps(self, k: int) -> int:
        return ceil_div(k, self.slices * self.bk)

    def groups(self, m: int, n: int) -> int:
        return ceil_div(m, 8 * self.ty) * ceil_div(n, 8 * self.tx)

    def cycles(self, m: int, n: int, k: int, z: int, profile: Profile) -> float:
        """About how long a GPU takes; on an H200 a tenth off what was measured, and the choices 2 % off the best, on the average.

        A multiprocessor has one group of 256 threads at a time, as each thread keeps half of its registers' worth of sums, and the
        fullest one says when all is done. `profile.threads` are 512 for each of them.
        """
        waves = ceil_div(z * self.groups(m, n) * self.threads, profile.threads // 2)
        return waves * (self.steps(k) * (_PRODUCTS * self.bk + _ANSWER) + _ENDS)


_THIN = 12  # a result with fewer rows or columns leaves most of a tile of vectors empty
# cycles, as `python -m benchmarks.gpu --variants` measured them on an H200
_PRODUCTS = 200  # of 64 products in each of 256 threads
_ANSWER = 1500  # of a step's loads and two barriers, which nothing hides
_ENDS = 16_000  # until the first operands have come, and to store the sums
_LAUNCH = 8000  # of one more kernel
_BYTES = 800  # bytes of memory in a cycle
_STEP = 5000  # cycles of a step with operands that are read one by one, measured on an H200
TILES = tuple(Tile(*t) for t in (
    (16, 16, 1), (8, 16, 2), (16, 8, 2), (8, 8, 4), (4, 16, 4), (16, 4, 4), (4, 8, 8), (8, 4, 8), (4, 4, 16),
    (8, 8, 1), (4, 8, 2), (8, 4, 2), (4, 4, 4),  # where workgroups are small
))  # fmt: skip


@functools.lru_cache(4096)
def tile_of(m: int, n: int, k: int, z: int, profile: Profile) -> Tile:
    """The quickest tile by `Tile.cycles`, the first of equals."""
    fitting = [t for t in TILES if t.threads <= profile.max_invocations and t.shared <= profile.max_shared]
    return min(fitting, key=lambda t: t.cycles(m, n, k, z, profile))


def cycles_in_parts(m: int, n: int, k: int, z: int, four: bool, parts: int, profile: Profile) -> float:
    """About how long a GPU takes for a product that is cut into so many partial sums over k, which one more kernel adds up.

    `four`: its operands are read in vectors.
    """
    each = chunk_of(k, parts)
    again = 0 if parts == 1 else _LAUNCH + 8 * parts * z * m * n / _BYTES
    if four and min(m, n) > _THIN:
        return tile_of(m, n, each, z * parts, profile).cycles(m, n, each, z * parts, profile) + again
    _, tx, ty, bk, side = _tile(m, n, z * parts, profile)
    groups = z * parts * ceil_div(m, ty * side) * ceil_div(n, tx * side)
    return max(1.0, groups * tx * ty / profile.threads) * ceil_div(each, bk) * _STEP + again


def _parts(m: int, n: int, k: int, z: int, four: bool, profile: Profile) -> int:
    """Into how many partial sums a product is cut on a GPU: 1 where that pays."""
    return min((2**i for i in range(11) if k >= 64 * 2**i or i == 0), key=lambda parts: cycles_in_parts(m, n, k, z, four, parts, profile))


def product_splits(m: int, n: int, k: int, four: bool, profile: Profile) -> int:
    """Into how many partial sums over k a product is cut so that a small result still fills the adapter."""
    if is_core(profile):
        return 1
    if not is_register(profile):
        return _parts(m, n, k, 1, four, profile)
    threads, least, wanted = ceil_div(m, 4) * ceil_div(n, 4), 256, 64
    return max(1, min(k // least, wanted // threads, 32))


def filter_splits(rows: int, channels: int, pixels: int, groups: int, four: bool, profile: Profile) -> int:
    """Into how many partial sums over the pixels a filter gradient is cut."""
    if is_core(profile):
        return 1
    if not is_register(profile):
        return _parts(rows, channels, pixels, groups, four, profile)
    tiles, wanted, least = ceil_div(rows, 8) * ceil_div(channels, 8) * groups, 96, 64
    return max(1, min(pixels // least, wanted // tiles, 64))
