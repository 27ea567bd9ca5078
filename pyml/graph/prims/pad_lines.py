"""Zeros around images whose channels are not whole vectors, copied line by line: what a processor core puts in place of `pad`."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import KernelSpec, Profile, Shape, routine
from .choose import flat


def _shape(x: Shape, *, padding: tuple[tuple[int, int], ...]) -> Shape:
    if len(x) != 4:
        raise ShapeError(f"pad_lines: input is {x}; expected (batch, height, width, channels).")
    return (x[0], *(n + sum(side) for n, side in zip(x[1:3], padding, strict=True)), x[3])


def _kernel(node: Node, profile: Profile) -> KernelSpec:
    (batch, h, w, c), (_, oh, ow, _) = node.src[0].shape, node.shape
    (top, _), (left, _) = node.attrs["padding"]
    params = {"BATCH": batch, "H": h, "W": w * c, "OH": oh, "OW": ow * c, "PT": top, "PL": left * c}
    return flat("pad_lines", batch * oh, params, profile)


_X = np.random.default_rng(3).uniform(-1, 1, (2, 3, 4, 3)).astype(np.float32)

PAD_LINES = routine(
    "pad_lines",
    shape=_shape,
    dtype=lambda x, padding: x,
    numpy=lambda x, padding: np.pad(x, ((0, 0), *padding, (0, 0))),
    grad=None,
    kernel=_kernel,
    samples=[((_X,), {"padding": ((1, 2), (0, 1))}), ((_X[..., :1],), {"padding": ((0, 0), (3, 0))})],
)
