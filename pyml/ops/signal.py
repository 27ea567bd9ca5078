"""Sound and other signals: sequences that may overlap, and the short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import DtypeError, ShapeError
from ..graph import prims
from ..graph.sizes import count_of
from .declare import draw, op, sample
from .fourier import PairError, complex_pair, fft, fft2, ifft2, irfft, real_inverse, real_transform, rfft
from .shaping import pad

__all__ = [
    "extract_sequences", "fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft",
]  # fmt: skip

WINDOWS = ("hann", "hamming")
_SHORT = 1e-11  # an envelope below this cannot be divided by


def _sequences(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::stride, :]


@op(like=_sequences, samples=[sample(draw(2, 11), 4, 3), sample(draw(6), 3, 1), sample(draw(9, low=0, high=9, dtype="int32"), 2, 4)])
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Windows that move along the last axis, one below the other.

    Args:
        x: Tensor `(..., n)`.
        sequence_length: Elements of a window.
        sequence_stride: Elements from a window to the next.

    Returns:
        `(..., 1 + (n - sequence_length) // sequence_stride, sequence_length)`, of the dtype of `x`.

    Raises:
        ShapeError: A length is not a positive integer, or no window fits.

    Source: Keras `ops.extract_sequences`, TensorFlow.js `tf.signal.frame`.

    Example:
        >>> pyml.ops.extract_sequences([1, 2, 3, 4, 5, 6], 3, 2).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    node = as_node(x)
    length = count_of(sequence_length, "extract_sequences", "sequence_length", least=1)
    stride = count_of(sequence_stride, "extract_sequences", "sequence_stride", least=1)
    if not node.ndim or node.shape[-1] < length:
        raise ShapeError(f"extract_sequences: sequences of {length} do not fit the last axis of {node.shape}.")
    return Tensor(prims.frames(node, length, stride))


def _spectra(x: np.ndarray, length: int, stride: int, fft_length: int, window: Any = "hann", center: bool = True) -> list[np.ndarray]:
    """The same in numpy."""
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2], mode="reflect")
    found = np.fft.rfft(_sequences(x, fft_length, stride) * _weights(window, length, fft_length, "stft"))
    return [found.real, found.imag]


@op(
    like=_spectra,
    samples=[sample(draw(2, 32), 8, 4, 8, center=False), sample(draw(20), 5, 3, 9, "hamming"), sample(draw(12), 4, 2, 4, None)],
)
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
        ValueError: A length is not a positive integer, or the window is unknown.
        ShapeError: The signal is shorter than a window, or the weights have another length.
        DtypeError: `x` does not hold floats.

    Source: Keras `ops.stft`, TensorFlow.js `tf.signal.stft`.

    Example:
        >>> tone = np.sin(2 * np.pi * 8 * np.arange(256) / 64)          # eight turns in 64 samples
        >>> real, imag = pyml.ops.stft(tone, 64, 32, 64)
        >>> real.shape, int((real.numpy() ** 2 + imag.numpy() ** 2)[4].argmax())
        ((9, 33), 8)
    """
    _lengths("stft", sequence_length, sequence_stride, fft_length)
    weights = _weights(window, sequence_length, fft_length, "stft")
    node = as_node(x)
    if node.dtype != "float32":
        raise DtypeError(f"stft: x must hold floats; cast it. Received: {node.dtype}")
    if not node.shape:
        raise ShapeError("stft: expected (..., samples). Received a scalar.")
    samples = node.shape[-1]
    half = fft_length // 2 if center else 0
    if samples + 2 * half < fft_length or samples <= half:
        raise ShapeError(f"stft: a signal of {samples} samples is too short for windows of {fft_length}; pad it, or take smaller ones.")
    if half:
        node = pad(Tensor(node), ((0, 0),) * (node.ndim - 1) + ((half, half),), mode="reflect")._node
    # only the samples that have a weight are read
    before = (fft_length - sequence_length) // 2
    after = fft_length - sequence_length - before
    node = prims.slice_(node, (*(0,) * (node.ndim - 1), before), (*node.shape[:-1], node.shape[-1] - after))
    windows = prims.frames(node, sequence_length, sequence_stride)
    if window is not None:
        windows = windows * prims.broadcast_to(as_node(weights[before : fft_length - after].astype(np.float32)), windows.shape)
    windows = prims.pad(windows, ((0, 0),) * (windows.ndim - 1) + ((before, after),))
    real, imaginary = real_transform(windows, fft_length, "stft")
    return Tensor(real), Tensor(imaginary)


def _inverse(x: Any, length: int, stride: int, fft_length: int, samples: int | None = None, window: Any = "hann",
             center: bool = True) -> np.ndarray:  # fmt: skip
    """The same in numpy."""
    spectra = x[0] + 1j * x[1]
    count = spectra.shape[-2]
    windows = np.fft.irfft(spectra, fft_length) * _synthesis(window, length, stride, fft_length, center)
    out = np.zeros((*windows.shape[:-2], (count - 1) * stride + fft_length))
    for i in range(count):
        out[..., i * stride : i * stride + fft_length] += windows[..., i, :]
    start = fft_length // 2 if center else 0
    stop = out.shape[-1] - start if samples is None else start + samples
    return (out / _envelope(window, length, stride, fft_length, count, center))[..., start:stop]


@op(
    like=_inverse,
    samples=[sample((draw(2, 5, 5), draw(2, 5, 5)), 8, 4, 8), sample((draw(4, 5), draw(4, 5)), 6, 3, 8, center=False),
             sample((draw(4, 4), draw(4, 4)), 7, 3, 7, 12, "hamming"), sample((draw(4, 4), draw(4, 4)), 6, 6, 6, window=None)],
)  # fmt: skip
def istft(
    x: Sequence[TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | np.ndarray | None = "hann",
    center: bool = True,
) -> Tensor:
    """The signal whose short-time Fourier transform is `x`: the inverse of `stft` with the same arguments.

    Args:
        x: The real and the imaginary parts, float tensors `(..., windows, fft_length // 2 + 1)`.
        sequence_length, sequence_stride, fft_length, window, center: As of `stft`.
        length: Samples of the result; by default as many as the windows cover, without what `center` had added.

    Returns:
        float32 `(..., samples)`.

    Raises:
        ValueError: `x` is not a pair of float tensors of the same shape with two axes, a length is not a positive integer, the stride is
            larger than a window, the window is unknown, or there are samples to which no window gives weight.

    Source: Keras `ops.istft`; Griffin and Lim 1984, windows are added up and divided by the sum of their squares.

    Example:
        >>> signal = np.sin(np.arange(128) / 4).astype("float32")
        >>> back = pyml.ops.istft(pyml.ops.stft(signal, 32, 8, 32), 32, 8, 32)
        >>> bool(np.abs(back.numpy() - signal).max() < 1e-5)
        True
    """
    _lengths("istft", sequence_length, sequence_stride, fft_length)
    _weights(window, sequence_length, fft_length, "istft")
    real, imaginary = complex_pair(x, "istft")
    if real.ndim < 2:
        raise PairError(f"istft: expected parts (..., windows, terms). Received: the shape {real.shape}")
    if sequence_stride > fft_length:
        raise ValueError(f"istft: sequence_stride must be at most fft_length={fft_length}. Received: sequence_stride={sequence_stride}")
    count, wanted = real.shape[-2], None if length is None else count_of(length, "istft", "length")
    if not count:
        raise ShapeError(f"istft: there are no windows in parts of the shape {real.shape}.")
    windows = real_inverse(real, imaginary, fft_length, "istft")
    factor = _synthesis(window, sequence_length, sequence_stride, fft_length, center)
    windows = windows * prims.broadcast_to(as_node(factor.astype(np.float32)), windows.shape)
    out = prims.overlap_add(windows, sequence_stride)
    size, start = out.shape[-1], fft_length // 2 if center else 0
    stop = size - start if wanted is None else min(start + wanted, size)
    stop = max(stop, start)
    out = prims.slice_(out, (*(0,) * (out.ndim - 1), start), (*out.shape[:-1], stop))
    if _exact(window, sequence_length, fft_length, center):
        envelope = _envelope(window, sequence_length, sequence_stride, fft_length, count, center)[start:stop]
        if np.any(envelope < _SHORT):
            raise ValueError(
                "istft: there are samples to which no window gives weight, and which cannot be found again; take a smaller "
                f"sequence_stride or another window. Received: sequence_stride={sequence_stride}, window={window!r}"
            )
        out = out * prims.broadcast_to(as_node((1 / envelope).astype(np.float32)), out.shape)
        if wanted is not None:
            out = prims.pad(out, ((0, 0),) * (out.ndim - 1) + ((0, wanted - (stop - start)),))
    return Tensor(out)


def _lengths(what: str, sequence_length: Any, sequence_stride: Any, fft_length: Any) -> None:
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("fft_length", fft_length)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{what}: {name} must be a positive integer. Received: {name}={value!r}")
    if fft_length < sequence_length:
        raise ValueError(f"{what}: fft_length must be at least sequence_length={sequence_length}. Received: fft_length={fft_length}")


def _weights(window: Any, length: int, fft_length: int, what: str) -> np.ndarray:
    """The weights of a window, periodic as for spectra, with zeros around it."""
    if window is None:
        weights = np.ones(length)
    elif isinstance(window, str):
        if window not in WINDOWS:
            raise ValueError(f"{what}: window must be 'hann', 'hamming', an array or None. Received: window={window!r}")
        turns = np.cos(2 * np.pi * np.arange(length) / length)
        weights = 0.5 - 0.5 * turns if window == "hann" else 0.54 - 0.46 * turns
    else:
        weights = np.asarray(window, np.float64)
        if weights.shape != (length,):
            raise ShapeError(f"{what}: window must hold sequence_length={length} weights. Received the shape {weights.shape}")
    before = (fft_length - length) // 2
    return np.pad(weights, (before, fft_length - length - before))


def _exact(window: Any, length: int, fft_length: int, center: bool) -> bool:
    """Whether a sum of windows is divided by the sum of their squares at each sample, as Keras on PyTorch does it."""
    return window is not None and length == fft_length and center


def _synthesis(window: Any, length: int, stride: int, fft_length: int, center: bool) -> np.ndarray:
    """What windows are multiplied by before they are added up."""
    if window is None:
        return np.ones(fft_length)
    weights = _weights(window, length, fft_length, "istft")
    if _exact(window, length, fft_length, center):
        return weights
    overlaps = -(-fft_length // stride)
    squares = np.pad(weights**2, (0, overlaps * stride - fft_length)).reshape(overlaps, stride).sum(0)
    return weights / np.tile(squares, overlaps)[:fft_length]


def _envelope(window: Any, length: int, stride: int, fft_length: int, windows: int, center: bool) -> np.ndarray:
    """The sum of the squares of all windows at each sample; 1 where windows are divided before they are added up."""
    out = np.zeros((windows - 1) * stride + fft_length)
    if not _exact(window, length, fft_length, center):
        return out + 1.0
    squares = _weights(window, length, fft_length, "istft") ** 2
    for i in range(windows):
        out[i * stride : i * stride + fft_length] += squares
    return out
