"""Matrices of integers with scales, made on the host: how the weights of layers are quantized, and merged with adapters."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.quantizers.absmax import AbsMaxQuantizer, abs_max_quantize_grouped_with_zero_point
from pyml.quantizers.int4 import pack_int4

INT4 = (-8, 7)


def quantized(matrix: np.ndarray, mode: str, block: int | None, quantizer: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The numbers of `(rows, columns)`, the scale and the zero point: of each column, or of each column in each block of rows.

    Args:
        matrix: Floats.
        mode: `"int8"` or `"int4"`.
        block: Rows that share a scale and a zero point; None for one scale of all, and no zero point.
        quantizer: In the place of the one of the mode, without blocks.

    Returns:
        Numbers of int8, not packed yet; `scale`, which numbers are divided by, or multiplied with where there are blocks.
    """
    if block is not None:
        numbers, scale, zero = abs_max_quantize_grouped_with_zero_point(matrix, block, to_numpy=True)
        return numbers.numpy(), scale.numpy(), zero.numpy()
    if quantizer is None:
        quantizer = AbsMaxQuantizer(axis=0, value_range=INT4 if mode == "int4" else (-127, 127))
    numbers, scale = quantizer(matrix, to_numpy=True)
    return numbers.numpy(), scale.numpy()[0], None


def floats(numbers: np.ndarray, scale: np.ndarray, zero: np.ndarray | None, block: int | None) -> np.ndarray:
    """The values that `quantized` numbers stand for."""
    if zero is None or block is None:
        return numbers.astype(np.float32) / scale
    rows = np.arange(len(numbers)) // block
    return (numbers.astype(np.float32) - zero[rows]) * scale[rows]


def pairs(numbers: np.ndarray) -> np.ndarray:
    """Numbers of 4 bits, two of them in a byte along the last axis."""
    return pack_int4(numbers, axis=-1)[0].numpy()


def singles(packed: np.ndarray, length: int) -> np.ndarray:
    """The numbers of `pairs`."""
    both = np.stack([packed << 4 >> 4, packed >> 4], axis=-1)
    return both.reshape(*packed.shape[:-1], -1)[..., :length]
