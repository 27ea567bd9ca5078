"""What the recurrent primitives share: their dtypes, their kernels' sizes, and how long sequences are computed in parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import DtypeError
from ..node import Node
from ..op import KernelSpec, Profile, Routine
from .choose import LOOP_ROUNDS, ceil_div, flat, fold, is_core, is_register, is_software
from .move import concat, slice_


def sequence_dtype(name: str) -> Callable[..., str]:
    """The dtype rule: float32 and, last, an int32 mask."""

    def rule(*dtypes: str) -> str:
        *floats, keep = dtypes
        if set(floats) != {"float32"} or keep != "int32":
            raise DtypeError(f"{name}: operands have dtypes {', '.join(dtypes)}; expected float32, and int32 for the mask.")
        return "float32"

    return rule


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))


def steps_at_once(steps: int, rounds: int, profile: Profile) -> int:
    """How many steps of `rounds` loop rounds each one dispatch may take."""
    return max(1, min(steps, LOOP_ROUNDS // rounds)) if is_software(profile) else steps


def part_of(x: Node, first: int, last: int) -> Node:
    """Steps `first` … `last` - 1."""
    return slice_(x, (first, *(0,) * (x.ndim - 1)), (last, *x.shape[1:]))


def forward_in_parts(op: Routine, node: Node, rounds: int, profile: Profile, states: Callable[[Node], Node]) -> Node | None:
    """Some steps after the others, where all of them are too many for the loops of one thread.

    Args:
        op: Makes the node of a part.
        node: All steps; the sources are the projected inputs, weights, the first states and the mask.
        rounds: Loop rounds of one step.
        profile: The adapter's.
        states: The states after a step, as the next part begins with them, out of that step's results `(1, batch, ...)`.
    """
    x, *weights, start, keep = node.src
    steps = x.shape[0]
    most = steps_at_once(steps, rounds, profile)
    if most >= steps:
        return None
    out = []
    for first in range(0, steps, most):
        last = min(first + most, steps)
        out.append(op(part_of(x, first, last), *weights, start, part_of(keep, first, last)))
        start = states(part_of(out[-1], last - first - 1, last - first))
    return concat(out, 0)


def backward_in_parts(op: Routine, node: Node, rounds: int, profile: Profile, states: Callable[[Node], Node]) -> Node | None:
    """As `forward_in_parts`, the last steps first; what they hand back joins the gradient that arrives at the step before them.

    The sources of `node` are the gradient that arrives, what was saved of each step, the results of the steps, the first states,
    the transposed recurrent kernel and the mask. Its result has one row more than there are steps: the gradient of the first states.
    """
    dy, *saved, y, start, rt, keep = node.src
    steps, width = dy.shape[0], dy.shape[2]
    most = steps_at_once(steps, rounds, profile)
    if most >= steps:
        return None
    out, arriving = [], None
    for last in range(steps, 0, -most):
        first = max(0, last - most)
        d = part_of(dy, first, last)
        if arriving is not None:
            d = concat([part_of(d, 0, last - first - 1), part_of(d, last - first - 1, last - first) + arriving], 0)
        begin = states(part_of(y, first - 1, first)) if first else start
        back = op(d, *(part_of(one, first, last) for one in (*saved, y)), begin, rt, part_of(keep, first, last))
        arriving = slice_(back, (last - first, 0, 0), (last - first + 1, *back.shape[1:-1], width))
        out.append(part_of(back, 0, last - first))
    return concat([*reversed(out), part_of(back, back.shape[0] - 1, back.shape[0])], 0)


def sequence_spec(file: str, node: Node, units: int, profile: Profile, params: dict | None = None,
                  hooks: dict | None = None) -> KernelSpec:  # fmt: skip
    """One sequence a thread on a software adapter, a workgroup on a GPU; `params` and `hooks` are for the former."""
    steps, rows = node.src[-1].shape
    if is_core(profile) and units % 4 == 0 and file.startswith("lstm"):
        each = max(6, ceil_div(rows, profile.cores))  # as many as a tile of the product has, or more
        return KernelSpec(f"{file}_core", {"STEPS": steps, "B": rows, "ROWS": each, "U": units}, (ceil_div(rows, each), 1, 1))
    sizes = {"STEPS": steps, "ROWS": rows, "U": units}
    if is_register(profile):
        return flat(f"{file}_thread", rows, sizes | (params or {}), profile, hooks)
    grid, across = fold(rows)
    wg = min(ceil_div(4 * units, 32) * 32, profile.max_invocations)
    return KernelSpec(f"{file}_group", {**sizes, "WG": wg, "X": across}, grid)
