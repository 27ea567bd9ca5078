"""Scales of an einsum's operands, beside its output."""

from __future__ import annotations

from typing import Any

from pyml import ops

_SPARE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def letters_of(terms: Any, ndim: int) -> tuple[str, str, str]:
    """The letters of inputs with `ndim` axes, of the kernel and of the output: an ellipsis becomes letters that none has."""
    given, kernel, wanted = terms
    if "..." in given:
        spare = [letter for letter in _SPARE if letter not in given + kernel + wanted]
        hidden = "".join(spare[: ndim - len(given) + 3])
        given, wanted = given.replace("...", hidden), wanted.replace("...", hidden)
    return given, kernel, wanted


def aligned(scale: Any, given: str, wanted: str) -> Any:
    """A scale with axes `given` where those that `wanted` has stand, and axes of size 1 for the others of `wanted`."""
    sizes = dict(zip(given, scale.shape, strict=True))
    kept = [letter for letter in given if letter in wanted]
    scale = ops.reshape(scale, [sizes[letter] for letter in kept])
    scale = ops.transpose(scale, [kept.index(letter) for letter in wanted if letter in kept])
    return ops.reshape(scale, [sizes.get(letter, 1) for letter in wanted])
