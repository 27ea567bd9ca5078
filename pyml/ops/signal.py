"""Sound and other signals: the short-time Fourier transform."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..core.tensor import Tensor, as_node, convert_to_tensor
from ..core.types import TensorLike
from ..errors import ShapeError
from .convolution import conv
from .core import slice as _slice
from .declare import draw, op, sample
from .shaping import pad, reshape

__all__ = ["stft"]

WINDOWS = ("hann", "hamming")


def _spectra(x: np.ndarray, length: int, stride: int, fft_length: int, center: bool) -> list[np.ndarray]:
    """The same in numpy, without reflection and with as many samples as a window has."""
    frames = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::stride, :]
    found = np.fft.rfft(frames * _weights("hann", length))
    return [found.real, found.imag]


@op(like=_spectra, samples=[sample(draw(2, 32), 8, 4, 8, center=False)])
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | np.ndarray | None = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """The spectra of windows that move along the last axis: its short-time Fourier transform.

    Args:
        x: Floats `(..., samples)`.
        sequence_length: Samples of a window.
        sequence_stride: Samples from a window to the next.
        fft_length: Samples that are transformed, `sequence_length` or more: zeros on both sides of the window fill it.
        window: `"hann"`, `"hamming"`, an array of `sequence_length` weights, or None for weights of 1.
        center: Reflect the signal at both ends by half of `fft_length`, so that windows lie around their time.

    Returns:
        The real and the imaginary parts, float32 `(..., windows, fft_length // 2 + 1)` each. They differentiate.

    Raises:
        ValueError: A length is no positive integer, or the window is unknown.
        ShapeError: The signal is shorter than a window, or the weights have another length.

    Source: Keras `ops.stft`; one product with the sines and cosines of each frequency, as `tf.signal.stft` defines it.

    Example:
        >>> tone = np.sin(2 * np.pi * 8 * np.arange(256) / 64)          # eight turns in 64 samples
        >>> real, imag = pyml.ops.stft(tone, 64, 32, 64)
        >>> real.shape, int((real.numpy() ** 2 + imag.numpy() ** 2)[4].argmax())
        ((9, 33), 8)
    """
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("fft_length", fft_length)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"stft: {name} must be a positive integer. Received: {name}={value!r}")
    if fft_length < sequence_length:
        raise ValueError(f"stft: fft_length must be at least sequence_length={sequence_length}. Received: fft_length={fft_length}")
    weights = _weights(window, sequence_length)
    shape = as_node(x).shape
    if not shape:
        raise ShapeError("stft: expected (..., samples). Received a scalar.")
    half = fft_length // 2 if center else 0
    if shape[-1] + 2 * half < fft_length or shape[-1] <= half:
        raise ShapeError(f"stft: a signal of {shape[-1]} samples is too short for windows of {fft_length}; pad it, or take smaller ones.")
    signals = reshape(x, (-1, shape[-1]))
    if half:
        signals = pad(signals, ((0, 0), (half, half)), mode="reflect")
    waves = convert_to_tensor(_waves(weights.tobytes(), sequence_length, fft_length))
    out = conv(reshape(signals, (*signals.shape, 1)), waves, strides=sequence_stride)
    batch, count, bins = out.shape[0], out.shape[1], fft_length // 2 + 1
    real, imaginary = (_slice(out, (0, 0, start), (batch, count, bins)) for start in (0, bins))
    return reshape(real, (*shape[:-1], count, bins)), reshape(imaginary, (*shape[:-1], count, bins))


def _weights(window: str | np.ndarray | None, length: int) -> np.ndarray:
    """The weights of a window, periodic as for spectra."""
    if window is None:
        return np.ones(length)
    if isinstance(window, str):
        if window not in WINDOWS:
            raise ValueError(f"stft: window must be 'hann', 'hamming', an array or None. Received: window={window!r}")
        turns = np.cos(2 * np.pi * np.arange(length) / length)
        return 0.5 - 0.5 * turns if window == "hann" else 0.54 - 0.46 * turns
    weights = np.asarray(window, np.float64)
    if weights.shape != (length,):
        raise ShapeError(f"stft: window must hold sequence_length={length} weights. Received the shape {weights.shape}")
    return weights


@lru_cache(maxsize=8)
def _waves(weights: bytes, length: int, fft_length: int) -> np.ndarray:
    """A kernel `(fft_length, 1, 2 * bins)` of weighted cosines and negative sines."""
    before = (fft_length - length) // 2
    weighted = np.pad(np.frombuffer(weights), (before, fft_length - length - before))
    turns = np.outer(np.arange(fft_length), np.arange(fft_length // 2 + 1)) % fft_length * (2 * np.pi / fft_length)
    return (weighted[:, None] * np.concatenate([np.cos(turns), -np.sin(turns)], axis=1))[:, None].astype(np.float32)
