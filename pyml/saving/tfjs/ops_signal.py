"""Complex numbers and Fourier transforms: on the host, as tensors are real."""

from __future__ import annotations

import numpy as np

from .rules import number, rule


@rule("Complex", host=True, pure=True)
def _complex(node, xp, real, imag):
    return (real + 1j * imag).astype(np.complex64)


@rule("Real", host=True, pure=True)
def _real(node, xp, x):
    return x.real


@rule("Imag", host=True, pure=True)
def _imag(node, xp, x):
    return x.imag if np.iscomplexobj(x) else np.zeros_like(x)


@rule("ComplexAbs", host=True, pure=True)
def _complex_abs(node, xp, x):
    return np.abs(x)


@rule("FFT", host=True, pure=True)
def _fft(node, xp, x):
    return np.fft.fft(x).astype(np.complex64)


@rule("IFFT", host=True, pure=True)
def _ifft(node, xp, x):
    return np.fft.ifft(x).astype(np.complex64)


@rule("RFFT", host=True, pure=True)
def _rfft(node, xp, x, length=None):
    return np.fft.rfft(x, _length(length, x.shape[-1])).astype(np.complex64)


@rule("IRFFT", host=True, pure=True)
def _irfft(node, xp, x, length=None):
    return np.fft.irfft(x, _length(length, 2 * (x.shape[-1] - 1))).astype(np.float32)


def _length(given, own: int) -> int:
    """How many samples a transform takes: as many as are asked for, at most 2 ** 26."""
    count = own if given is None or not np.size(given) else int(number(given))
    if not 0 < count <= 1 << 26:
        raise ValueError(f"the transform is {count} samples long; expected 1 to {1 << 26:,}")
    return count
