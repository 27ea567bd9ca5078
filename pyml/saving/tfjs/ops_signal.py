"""Complex numbers and Fourier transforms: on the host, as tensors are real."""

from __future__ import annotations

import numpy as np

from .rules import Value, Xp, number, rule
from .topology import Node


@rule("Complex", host=True, pure=True)
def _complex(node: Node, xp: Xp, real: Value, imag: Value) -> Value:
    return (real + 1j * imag).astype(np.complex64)


@rule("Real", host=True, pure=True)
def _real(node: Node, xp: Xp, x: Value) -> Value:
    return x.real


@rule("Imag", host=True, pure=True)
def _imag(node: Node, xp: Xp, x: Value) -> Value:
    return x.imag if np.iscomplexobj(x) else np.zeros_like(x)


@rule("ComplexAbs", host=True, pure=True)
def _complex_abs(node: Node, xp: Xp, x: Value) -> Value:
    return np.abs(x)


@rule("FFT", host=True, pure=True)
def _fft(node: Node, xp: Xp, x: Value) -> Value:
    return np.fft.fft(x).astype(np.complex64)


@rule("IFFT", host=True, pure=True)
def _ifft(node: Node, xp: Xp, x: Value) -> Value:
    return np.fft.ifft(x).astype(np.complex64)


@rule("RFFT", host=True, pure=True)
def _rfft(node: Node, xp: Xp, x: Value, length: Value = None) -> Value:
    return np.fft.rfft(x, _length(length, x.shape[-1])).astype(np.complex64)


@rule("IRFFT", host=True, pure=True)
def _irfft(node: Node, xp: Xp, x: Value, length: Value = None) -> Value:
    return np.fft.irfft(x, _length(length, 2 * (x.shape[-1] - 1))).astype(np.float32)


def _length(given: Value, own: int) -> int:
    """How many samples a transform takes: as many as are asked for, at most 2 ** 26."""
    count = own if given is None or not np.size(given) else int(number(given))
    if not 0 < count <= 1 << 26:
        raise ValueError(f"the transform is {count} samples long; expected 1 to {1 << 26:,}")
    return count
