"""How many threads of a GPU share one result of a reduction: decided by shapes alone, before and while writing WGSL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from ..op import Profile

_LONG_ROW = 128  # from here on a row is worth a workgroup; shorter ones are one thread's work
_LONG_COLUMN = 64
_SIDE_BY_SIDE = 8  # columns (or vectors of four) that a workgroup reads in one go: 128 bytes


@dataclass(frozen=True)
class Team:
    """`lanes` threads per result, `outs` results side by side in a workgroup; the threads divide run number `run`."""

    lanes: int
    outs: int
    run: int
    width: int  # elements a thread reads at once
    rows: bool  # each result is a row of neighbours

    def steps(self, terms: int) -> int:
        """How many elements (or vectors) of `terms` each thread adds up."""
        return terms // (self.lanes * (self.width if self.rows else 1))


def runs(axis: Sequence[int]) -> list[tuple[int, ...]]:
    """Neighbouring reduced axes together: each run is one loop."""
    found: list[list[int]] = []
    for a in axis:
        if found and found[-1][-1] == a - 1:
            found[-1].append(a)
        else:
            found.append([a])
    return [tuple(r) for r in found]


def team(shape: Sequence[int], axis: Sequence[int], profile: Profile, together: int = 1) -> Team | None:
    """The team for `together` reductions of `shape` over `axis`; None where a thread per result is as good.

    One thread per row would read with a row's length between neighbouring threads, so a long row is shared and its
    neighbours are read by neighbours. Few columns would leave a GPU idle, so a workgroup shares those too.
    """
    if profile.family != "tile" or not axis or 0 in shape:
        return None
    found = _team(shape, axis, profile)
    if found is not None and 16 * found.lanes * found.outs * together > profile.max_shared:
        return None
    return found


def _team(shape: Sequence[int], axis: Sequence[int], profile: Profile) -> Team | None:
    """The team by shape alone; whether its shared memory fits is for the caller."""
    sizes = [prod(shape[a] for a in run) for run in runs(axis)]
    results = prod(n for i, n in enumerate(shape) if i not in axis)
    if axis[-1] == len(shape) - 1:
        width = 4 if sizes[-1] % 4 == 0 else 1
        trips = sizes[-1] // width
        lanes = 256 if trips >= 2048 and profile.max_invocations >= 256 else 64
        return Team(lanes, 1, len(sizes) - 1, width, True) if sizes[-1] >= _LONG_ROW else None
    width = 4 if shape[-1] % 4 == 0 else 1
    columns = results // width
    run = max(range(len(sizes)), key=sizes.__getitem__)
    if sizes[run] < _LONG_COLUMN or columns * 8 > profile.threads:
        return None
    outs = min(_SIDE_BY_SIDE * 4 // width, _power_above(columns))
    lanes = min(min(256, profile.max_invocations) // outs, _power_above(sizes[run]) // 4)
    return Team(lanes, outs, run, width, False) if lanes > 1 else None


def chain_size(profile: Profile) -> int:
    """Threads of a workgroup that runs several small kernels one after another."""
    if profile.family == "wasm":
        return 1
    return min(256, profile.max_invocations) if profile.family == "tile" else 16


def in_chain(shape: Sequence[int], axis: Sequence[int], profile: Profile, together: int) -> bool:
    """Whether such a workgroup can compute these reductions: one thread each, or all threads for few rows."""
    shared = team(shape, axis, profile, together)
    return shared is None or (shared.rows and prod(shape) <= 4 * prod(n for i, n in enumerate(shape) if i in axis))


def _power_above(n: int) -> int:
    return 1 << max(0, n - 1).bit_length()
