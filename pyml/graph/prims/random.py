"""Counter-based random bits, so that a replayed program draws new numbers from a changed counter.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Threefry-2x32, 20 rounds).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import ZERO, elementwise

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)


def _threefry(k0: Any, k1: Any, c0: Any, c1: Any) -> tuple[np.ndarray, np.ndarray]:
    k0, k1, x0, x1 = (np.asarray(v, np.uint32) for v in (k0, k1, c0, c1))
    with np.errstate(over="ignore"):
        keys = (k0, k1, k0 ^ k1 ^ np.uint32(0x1BD11BDA))
        x0, x1 = x0 + keys[0], x1 + keys[1]
        for block in range(5):
            for r in _ROTATIONS[4 * (block % 2) : 4 * (block % 2) + 4]:
                x0 = x0 + x1
                x1 = ((x1 << np.uint32(r)) | (x1 >> np.uint32(32 - r))) ^ x0
            x0 = x0 + keys[(block + 1) % 3]
            x1 = x1 + keys[(block + 2) % 3] + np.uint32(block + 1)
    return x0, x1


def _wgsl() -> str:
    lines = ["fn threefry_$(k0: U, k1: U, c0: U, c1: U) -> U {", "  let k2 = k0 ^ k1 ^ U(0x1bd11bdau);",
             "  var x0 = c0 + k0; var x1 = c1 + k1;"]  # fmt: skip
    for block in range(5):
        for r in _ROTATIONS[4 * (block % 2) : 4 * (block % 2) + 4]:
            lines.append(f"  x0 += x1; x1 = ((x1 << U({r}u)) | (x1 >> U({32 - r}u))) ^ x0;")
        lines.append(f"  x0 += k{(block + 1) % 3}; x1 += k{(block + 2) % 3} + U({block + 1}u);")
    return "\n".join([*lines, "  return x0;", "}"])


random_bits = elementwise(
    "random_bits",
    wgsl="threefry_$(k0, k1, c0, c1)",
    numpy=lambda k0, k1, c0, c1: _threefry(k0, k1, c0, c1)[0],
    grad=ZERO,
    params=("k0", "k1", "c0", "c1"),
    arity=4,
    cost=80,
    preamble=_wgsl(),
)
