"""Axes by name: `rearrange`, as einops writes it."""

from __future__ import annotations

import re
from math import prod

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .declare import draw, op, sample

__all__ = ["rearrange"]

_SIDE = re.compile(r"\s*(?:(?:\w+|\(\s*\w+(?:\s+\w+)*\s*\)|\(\s*\))\s*)*")


def _groups(side: str, pattern: str) -> list[list[str]]:
    """The names of each axis of one side of a pattern."""
    if not _SIDE.fullmatch(side):
        raise ValueError(f"rearrange: expected names and groups of names in brackets. Received: pattern={pattern!r}")
    return [part.strip("()").split() for part in re.findall(r"\w+|\([^)]*\)", side)]


def _known(pattern: str, shape: tuple[int, ...], lengths: dict[str, int]) -> tuple[list[list[str]], list[list[str]], dict[str, int]]:
    """The axes before and after, and how long each name is."""
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: expected a pattern 'before -> after'. Received: pattern={pattern!r}")
    before, after = (_groups(side, pattern) for side in sides)
    names = [name for group in before for name in group]
    if len(set(names)) != len(names) or sorted(names) != sorted(name for group in after for name in group):
        raise ValueError(f"rearrange: each name must occur once before and once after the arrow. Received: pattern={pattern!r}")
    if set(lengths) - set(names):
        raise ValueError(f"rearrange: the pattern has no axis {sorted(set(lengths) - set(names))}. Received: pattern={pattern!r}")
    if len(before) != len(shape):
        raise ShapeError(f"rearrange: the pattern {pattern!r} has {len(before)} axes before the arrow. Received: shape {shape}")
    sizes = {name: int(length) for name, length in lengths.items()}
    for group, size in zip(before, shape, strict=True):
        open_ = [name for name in group if name not in sizes]
        known = prod(sizes[name] for name in group if name in sizes)
        if len(open_) > 1:
            raise ValueError(f"rearrange: the lengths of all but one of {open_} must be given. Received: pattern={pattern!r}")
        if open_ and known:
            sizes[open_[0]] = size // known
        if any(name not in sizes for name in group) or prod(sizes[name] for name in group) != size:
            raise ShapeError(f"rearrange: an axis of {size} is not ({' '.join(group)}) of lengths {lengths}. Received: shape {shape}")
    return before, after, sizes


def _patches(x: np.ndarray, pattern: str, h: int, w: int) -> np.ndarray:
    """The sample's pattern in numpy."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // h, h, width // w, w, channels)
    return x.transpose(0, 1, 3, 5, 2, 4).reshape(-1, channels, h * w)


@op(like=_patches, samples=[sample(draw(2, 4, 6, 3), "b (y h) (x w) c -> (b y x) c (h w)", h=2, w=3)])
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Tensor:
    """The axes of a tensor in another order, taken apart and joined, by their names.

    Args:
        tensor: Tensor.
        pattern: `"before -> after"`: the names of all axes; names in brackets share an axis.
        **axes_lengths: How long names are; one in each bracket before the arrow may be left out.

    Returns:
        The dtype of `tensor`.

    Raises:
        ValueError: The pattern is none, or leaves a length open.
        ShapeError: The axes do not fit the pattern.

    Source: Keras `ops.rearrange`; Rogozhnikov 2022, "Einops".

    Example:
        >>> images = np.ones((32, 30, 40, 3))
        >>> pyml.ops.rearrange(images, "b h w c -> b c h w").shape
        (32, 3, 30, 40)
        >>> pyml.ops.rearrange(images, "b (h1 h) (w1 w) c -> (b h1 w1) h w c", h1=2, w1=2).shape
        (128, 15, 20, 3)
    """
    node = as_node(tensor)
    before, after, sizes = _known(pattern, node.shape, axes_lengths)
    names = [name for group in before for name in group]
    node = prims.reshape(node, [sizes[name] for name in names])
    node = prims.permute(node, [names.index(name) for group in after for name in group])
    return Tensor(prims.reshape(node, [prod(sizes[name] for name in group) for group in after]))
