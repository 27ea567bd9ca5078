"""STFTSpectrogram and MelSpectrogram: the spectra of sound over time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import initializers, ops
from pyml.core.symbolic import KerasTensor
from pyml.dtypes import FLOATS
from pyml.layers.data_layer import DataLayer
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.batches import host_values
from pyml.layers.windows import standard_data_format
from pyml.objects.samples import Sample, draw, sample
from pyml.settings import epsilon
from pyml.tracebacks import warn

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class STFTSpectrogram(Layer):
    """The spectrum of windows that move along a signal, by two convolutions whose kernels are weights.

    Args:
        mode: `"magnitude"`, its logarithm `"log"`, its square with what lies between the ends counted twice `"psd"`; the
            parts `"real"` or `"imag"`, both of them one after the other `"stft"`, or `"angle"`.
        frame_length: Samples of a window.
        frame_step: Samples from a window to the next; half of `frame_length` by default.
        fft_length: Length of the transform; by default the power of two from `frame_length` on.
        window: `"hann"`, `"hamming"` or another window of `scipy.signal`, an array of weights, or None.
        periodic: Whether the window is one period of a repeating one.
        scaling: `"density"`, `"spectrum"`, or None: what the window is divided by.
        padding: `"valid"`, or `"same"` with zeros at the ends.
        expand_dims: Keep the terms and the channels on an axis each, as images have them.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, samples)`.

    Input shape: `(batch, samples, channels)`. Output shape: `(batch, windows, channels * terms)`, with `expand_dims`
    `(batch, windows, terms, channels)`; there are `fft_length // 2 + 1` terms. With `"channels_first"`
    `(batch, channels * terms, windows)` and `(batch, channels, windows, terms)`.

    Raises:
        ValueError: An argument is not one of these.
        TypeError: The inputs are not floats.

    Example:
        >>> tone = np.sin(2 * np.pi * 8 * np.arange(256) / 64)[None, :, None]          # eight turns in 64 samples
        >>> spectra = pyml.layers.STFTSpectrogram("magnitude", frame_length=64)(tone.astype("float32"))
        >>> spectra.shape, int(spectra.numpy()[0, 3].argmax())
        ((1, 7, 33), 8)
    """

    def __init__(self, mode: str = "log", frame_length: int = 256, frame_step: int | None = None, fft_length: int | None = None,
                 window: Any = "hann", periodic: bool = False, scaling: str | None = "density", padding: str = "valid",
                 expand_dims: bool = False, data_format: str | None = None, **kwargs: Any) -> None:
        if frame_length < 1:
            raise ValueError(f"STFTSpectrogram: frame_length must be a positive integer. Received: frame_length={frame_length}")
        if frame_step is not None and not 1 <= frame_step <= frame_length:
            raise ValueError(
                "`frame_step` should be a positive integer not greater than `frame_length`. "
                f"Received frame_step={frame_step}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length < frame_length:
            raise ValueError(
                f"`fft_length` should be not less than `frame_length`. Received fft_length={fft_length}, frame_length={frame_length}"
            )
        if fft_length is not None and fft_length & (fft_length - 1):
            warn(f"`fft_length` is recommended to be a power of two. Received fft_length={fft_length}")
        if mode not in _MODES:
            raise ValueError(f"Output mode is invalid, it must be one of {', '.join(_MODES)}. Received: mode={mode}")
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(f"Scaling is invalid, it must be `None`, 'density' or 'spectrum'. Received scaling={scaling}")
        if padding not in ("valid", "same"):
            raise ValueError(f"Padding is invalid, it should be 'valid', 'same'. Received: padding={padding}")
        super().__init__(**kwargs)
        self.mode = mode
        self.frame_length = frame_length
        self.frame_step = frame_step
        self._step = frame_step or frame_length // 2
        self.fft_length = fft_length
        self._terms = (fft_length or 2 ** math.ceil(math.log2(frame_length))) // 2 + 1
        self.window = window
        self.periodic = periodic
        self.scaling = scaling
        self._kernels = {part: initializers.STFT(part, window, scaling, periodic) for part in ("real", "imag")}
        self.padding = padding
        self.expand_dims = expand_dims
        self.data_format = standard_data_format(data_format, "STFTSpectrogram")
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape: Any) -> None:
        shape = (self.frame_length, 1, self._terms)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(shape, self._kernels["real"], name="real_kernel")
        if self.mode != "real":
            self.imag_kernel = self.add_weight(shape, self._kernels["imag"], name="imag_kernel")

    def _part(self, inputs: Any, kernel: Any) -> Any:
        """The real or imaginary parts `(batch, channels, windows, terms)`."""
        batch, channels, samples = inputs.shape
        found = ops.conv(ops.reshape(inputs, (batch * channels, samples, 1)), kernel, self._step, self.padding, "channels_last")
        return ops.reshape(found, (batch, channels, *found.shape[1:]))

    def _laid_out(self, found: Any) -> Any:
        batch, channels, windows, terms = found.shape
        if self.data_format == "channels_first":
            flat = None if self.expand_dims else (batch, channels * terms, windows)
            return found if flat is None else ops.reshape(ops.transpose(found, (0, 1, 3, 2)), flat)
        if self.expand_dims:
            return ops.transpose(found, (0, 2, 3, 1))
        return ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (batch, windows, channels * terms))

    def call(self, inputs: Any) -> Any:
        if inputs.dtype not in FLOATS:
            raise TypeError(f"Invalid input type. Expected `float16`, `float32` or `float64`. Received: input type={inputs.dtype}")
        if self.data_format == "channels_last":
            inputs = ops.transpose(inputs, (0, 2, 1))
        real = None if self.mode == "imag" else self._part(inputs, self.real_kernel)
        imag = None if self.mode == "real" else self._part(inputs, self.imag_kernel)
        if real is None or imag is None:
            return self._laid_out(imag if real is None else real)
        if self.mode == "angle":
            return self._laid_out(ops.arctan2(imag, real))
        if self.mode == "stft":
            return self._laid_out(ops.concatenate([real, imag], axis=-1))
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":
            return self._laid_out(power + ops.pad(power[..., 1:-1], ((0, 0), (0, 0), (0, 0), (1, 1))))
        size = self._laid_out(ops.sqrt(ops.maximum(power, epsilon())))
        return size if self.mode == "magnitude" else ops.log(ops.maximum(size, epsilon()))

    def compute_output_shape(self, input_shape: Any) -> Any:
        last = self.data_format == "channels_last"
        batch, samples, channels = input_shape if last else (input_shape[0], input_shape[2], input_shape[1])
        windows = samples
        if samples is not None:
            windows = -(-samples // self._step) if self.padding == "same" else (samples - self.frame_length) // self._step + 1
        terms = self._terms * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            return (batch, windows, terms, channels) if last else (batch, channels, windows, terms)
        flat = None if channels is None else channels * terms
        return (batch, windows, flat) if last else (batch, flat, windows)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def framed(x: np.ndarray) -> np.ndarray:  # (batch, windows, 8, channels)
            return np.stack([x[:, start : start + 8] for start in range(0, x.shape[1] - 7, 4)], axis=1)

        turns = np.arange(8)[:, None] * np.arange(5) / 8 * 2 * np.pi
        yield sample(cls("stft", 8, window=None, scaling=None), draw(2, 20, 1),
                     like=lambda x, real_kernel, imag_kernel: framed(x)[..., 0] @ np.concatenate([np.cos(turns), -np.sin(turns)], 1))
        yield sample(cls("magnitude", 8, 3, 16, expand_dims=True), draw(2, 20, 2), gradient=False)  # a kink at 0
        yield sample(cls("psd", 8, scaling="spectrum", padding="same", data_format="channels_first"), draw(2, 2, 20))


class MelSpectrogram(DataLayer, Layer):
    """How loud a signal is over time in bands that are as wide as they sound to people, in decibels.

    Args:
        fft_length: Samples that are transformed.
        sequence_stride: Samples from a window to the next.
        sequence_length: Samples of a window; `fft_length` by default.
        window: `"hann"`, `"hamming"`, an array of weights, or None.
        sampling_rate: Samples per second, in Hz.
        num_mel_bins: Number of bands.
        min_freq: Where the lowest band begins, in Hz.
        max_freq: Where the highest band ends; half of `sampling_rate` by default.
        power_to_db: False gives the power itself.
        top_db: What lies that far below the loudest is raised to it.
        mag_exp: Exponent of the magnitude: 2 for power.
        min_power: Least power.
        ref_power: The power of 0 decibels.

    Input shape: `(batch, samples)`, or one signal. Output shape: `(batch, num_mel_bins, windows)`.

    Raises:
        ValueError: `fft_length` is less than `sequence_length`.

    Source: O'Shaughnessy 1987, mel = 2595 log10(1 + f / 700 Hz), as in the Hidden Markov Model Toolkit.

    Example:
        >>> layer = pyml.layers.MelSpectrogram(num_mel_bins=64, sampling_rate=8000, sequence_stride=256, fft_length=2048)
        >>> layer(np.random.default_rng(0).normal(size=16000).astype("float32")).shape
        (64, 63)
    """

    def __init__(self, fft_length: int = 2048, sequence_stride: int = 512, sequence_length: int | None = None, window: Any = "hann",
                 sampling_rate: int = 16000, num_mel_bins: int = 128, min_freq: float = 20.0, max_freq: float | None = None,
                 power_to_db: bool = True, top_db: float = 80.0, mag_exp: float = 2.0, min_power: float = 1e-10, ref_power: float = 1.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        if fft_length < self.sequence_length:
            raise ValueError(
                "`fft_length` must be greater than or equal to `sequence_length`. "
                f"Received: `sequence_length`={self.sequence_length}, `fft_length`={fft_length}."
            )
        self.window = window if window is None or isinstance(window, str) else host_values(window, "float32")
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        inputs = ops.cast(inputs, "float32")
        real, imag = ops.stft(inputs, self.sequence_length, self.sequence_stride, self.fft_length, self.window)
        power = ops.square(real) + ops.square(imag)
        if self.mag_exp != 2:
            power = ops.power(ops.sqrt(power), self.mag_exp)
        bands = _mel_weights(self.num_mel_bins, self.fft_length // 2 + 1, self.sampling_rate, self.min_freq, self.max_freq)
        found = ops.matmul(power, bands)
        if self.power_to_db:
            found = ops.log10(ops.maximum(found, self.min_power)) * 10.0 - 10.0 * math.log10(max(abs(self.ref_power), self.min_power))
            found = ops.maximum(found, ops.max(found) - self.top_db)
        return ops.swapaxes(found, -1, -2)

    def linear_to_mel_weight_matrix(self, num_mel_bins: int = 20, num_spectrogram_bins: int = 129, sampling_rate: float = 8000,
                                    lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0, dtype: str = "float32") -> Any:
        """Triangular filters that turn a power spectrum into mel bands.

        Args:
            num_mel_bins: Number of bands.
            num_spectrogram_bins: Terms of the spectrum, `fft_length // 2 + 1`.
            sampling_rate: Samples per second, in Hz.
            lower_edge_hertz, upper_edge_hertz: Where the lowest band begins and the highest ends.
            dtype: Dtype of the result.

        Returns:
            `(num_spectrogram_bins, num_mel_bins)`; each column is one filter with peak 1.
        """
        bands = _mel_weights(num_mel_bins, num_spectrogram_bins, sampling_rate, lower_edge_hertz, upper_edge_hertz)
        return ops.convert_to_tensor(bands, dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        samples = input_shape[-1]
        windows = None if samples is None else (samples - self.fft_length % 2) // self.sequence_stride + 1
        return (*input_shape[:-1], self.num_mel_bins, windows)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def power(x: np.ndarray) -> np.ndarray:
            padded = np.pad(x, ((0, 0), (8, 8)), mode="reflect")
            windows = np.stack([padded[:, start : start + 16] for start in range(0, x.shape[1] + 1, 8)], axis=1)
            hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(16) / 16)
            return (np.abs(np.fft.rfft(windows * hann)) ** 2 @ _mel_weights(5, 9, 100, 1, 50)).swapaxes(1, 2)

        options: dict[str, Any] = {"sequence_stride": 8, "sampling_rate": 100, "num_mel_bins": 5, "min_freq": 1.0}
        yield sample(cls(16, power_to_db=False, **options), draw(2, 32), like=power)


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _mel_weights(bands: int, terms: int, rate: float, lowest: float, highest: float) -> np.ndarray:
    """The triangles of `linear_to_mel_weight_matrix`, float32; the term of frequency 0 belongs to none."""
    at = _mel(np.linspace(0.0, rate / 2.0, terms)[1:])[:, None]
    edges = np.linspace(_mel(lowest), _mel(highest), bands + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rows = np.maximum(0.0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))
    return np.pad(rows, ((1, 0), (0, 0))).astype("float32")
