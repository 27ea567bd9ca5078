"""The spectrum that a browser's AnalyserNode gives, on the desktop."""

from __future__ import annotations

import numpy as np


class Analyser:
    """Spectra of windows of sound, smoothed over time.

    Args:
        size: Samples per window; a spectrum has half as many values.
        smoothing: Share of the spectrum before in each, from 0 to below 1.

    Source: Web Audio API, "FFT windowing and smoothing over time": a Blackman window with alpha 0.16, magnitudes
    divided by the size, decibels.
    """

    def __init__(self, size: int, smoothing: float):
        phase = 2 * np.pi * np.arange(size) / size
        self.size, self.smoothing = size, smoothing
        self._window = 0.42 - 0.5 * np.cos(phase) + 0.08 * np.cos(2 * phase)
        self._last = np.zeros(size // 2)

    def decibels(self, samples: np.ndarray) -> np.ndarray:
        """The spectrum of a window `(size,)` as float32 `(size / 2,)`; silence is minus infinity."""
        magnitudes = np.abs(np.fft.rfft(samples * self._window))[: self.size // 2] / self.size
        self._last = self.smoothing * self._last + (1 - self.smoothing) * magnitudes
        with np.errstate(divide="ignore"):
            return (20 * np.log10(self._last)).astype(np.float32)
