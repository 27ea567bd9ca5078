"""Kernels that are sines and cosines: a convolution with them is a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.errors import to_install
from pyml.initializers.base import Initializer
from pyml.objects.samples import Sample, sample

__all__ = ["STFT", "STFTInitializer", "stft"]

# weights of cosines of 0, 1, 2, ... turns over the window, whose middle is 1
_COSINES = {
    "boxcar": (1.0,), "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411), "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}  # fmt: skip
_NAMES = {"hanning": "hann", "rect": "boxcar", "rectangular": "boxcar", "ones": "boxcar", "box": "boxcar", "hamm": "hamming",
          "han": "hann", "ham": "hamming", "black": "blackman", "blk": "blackman", "bart": "bartlett", "brt": "bartlett"}  # fmt: skip


def window(name: str, size: int, periodic: bool = False) -> np.ndarray:
    """A window's weights in float64, as `scipy.signal.get_window` gives them.

    Args:
        name: One of scipy's names; all but the common ones need scipy.
        size: How many weights.
        periodic: One period of a window that repeats, in place of one that is symmetric.

    Raises:
        ValueError: No window has that name.
    """
    name = _NAMES.get(name, name)
    if name in _COSINES:
        if size == 1:
            return np.ones(1)
        turns = 2 * np.pi / (size if periodic else size - 1) * np.arange(size)
        return np.asarray(sum((-1) ** k * weight * np.cos(k * turns) for k, weight in enumerate(_COSINES[name])))
    if name == "bartlett":
        return np.bartlett(size + 1)[:-1] if periodic and size > 1 else np.bartlett(size)
    try:
        from scipy.signal import get_window
    except ImportError:
        raise ValueError(f"the window {name!r} needs scipy ({to_install('scipy')}); without it there are "
                         f"{', '.join(sorted([*_COSINES, 'bartlett']))}.") from None
    return np.asarray(get_window(name, size, periodic))


class STFT(Initializer, aliases=("STFTInitializer", "stft")):
    """Kernels `(frame length, 1, fft_length // 2 + 1)` of a convolution that gives the real or imaginary part of a spectrum.

    Args:
        side: `"real"` for cosines, `"imag"` for negative sines.
        window: Name of a window of `scipy.signal`, its weights, or None for weights of 1.
        scaling: `"density"` divides by the root of the sum of the window's squares, `"spectrum"` by the sum of its weights;
            None by nothing.
        periodic: Whether the window is one period of a repeating one.

    Raises:
        ValueError: An argument is not one of these, or the window has another length than a kernel.

    Example:
        >>> pyml.initializers.STFT("real", window=None)((4, 1, 3)).numpy().round(4)[:, 0, 1].tolist()
        [1.0, 0.0, -1.0, -0.0]
    """

    def __init__(self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False) -> None:
        if side not in ("real", "imag"):
            raise ValueError(f"STFT: side must be 'real' or 'imag'. Received: side={side!r}")
        if isinstance(window, str):
            _window(window, 1)
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"STFT: scaling must be None, 'density' or 'spectrum'. Received: scaling={scaling!r}")
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def host_value(self, shape: Any, dtype: Any) -> np.ndarray:
        if len(shape) != 3:
            raise ValueError(f"STFT initializer makes kernels (frame length, 1, terms). Received: shape={shape}")
        length, _, terms = shape
        angles = np.arange(length)[:, None, None] * np.arange(terms)[None, None, :] % max(1, 2 * (terms - 1))
        angles = angles * (2 * np.pi / max(1, 2 * (terms - 1)))
        kernel = np.cos(angles) if self.side == "real" else -np.sin(angles)
        if self.window is None:
            return kernel.astype(dtype)
        weights = np.asarray(_window(self.window, length, self.periodic) if isinstance(self.window, str) else self.window, np.float64)
        if weights.shape != (length,):
            raise ValueError(f"STFT: window must hold {length} weights, as many as the kernel's first axis. "
                             f"Received: the shape {weights.shape}")  # fmt: skip
        scale = {None: 1.0, "density": np.sqrt((weights**2).sum()), "spectrum": np.abs(weights).sum()}[self.scaling]
        return (kernel * weights[:, None, None] / scale).astype(dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        turns = np.arange(8)[:, None, None] * np.arange(5) / 8
        yield sample(cls(window=None), (8, 1, 5), like=lambda shape: np.cos(2 * np.pi * turns))
        yield sample(cls("imag", None, None), (8, 1, 5), like=lambda shape: -np.sin(2 * np.pi * turns))
        hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8))[:, None, None]
        yield sample(cls(scaling="spectrum", periodic=True), (8, 1, 5), like=lambda shape: np.cos(2 * np.pi * turns) * hann / hann.sum())


_window = window
STFTInitializer = stft = STFT
