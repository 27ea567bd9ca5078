"""Speech as features, from which spoken words can be learned with few examples."""


from __future__ import annotations

from typing import Any

import numpy as np

import pyml
from pyml import layers, ops
from pyml.core import Tensor, convert_to_tensor
from pyml.core.symbolic import KerasTensor
from pyml.errors import ShapeError
from pyml.hub import weights
from pyml.hub.registry import Entry
from pyml.initializers import Initializer
from pyml.models import Model

RATE, HOP, WINDOW, FFT = 16000, 160, 400, 512          # samples; a spectrum every 10 ms
BANDS, FRAMES = 32, 76                                 # an embedding sees 76 spectra and moves on by 8, 80 ms
SHORTEST = (FRAMES - 1) * HOP + FFT                    # 12,512 samples, 0.782 s
# Per stage: filters, and how far its pool goes in time and in pitch. Each stage is four convolutions but the first and last.
POOLS = ((24, (2, 2)), (48, (1, 2)), (72, (2, 2)), (96, (1, 2)), (96, (2, 2)))


def build_speech_embedding(initializer: str | Initializer = "glorot_uniform", name: str = "speech_embedding") -> Model:
    """The network behind `pyml.hub.speech_embedding`: mel spectra to embeddings.

    Args:
        initializer: Of kernels.

    Returns:
        A Model from `(batch, spectra, 32, 1)` to `(batch, (spectra - 76) // 8 + 1, 96)`.

    Source: Lin et al. 2020, "Training Keyword Spotters with Limited and Synthesized Speech Data".
    """
    inputs = layers.Input((None, BANDS, 1), name="mel")
    x = layers.ZeroPadding2D((0, 1), name="edges")(inputs)
    number = 0

    def conv(
        x: KerasTensor | Tensor, filters: int, size: tuple[int, int], padding: str = "valid", active: bool = True
    ) -> KerasTensor | Tensor:
        nonlocal number
        x = layers.Conv2D(filters, size, padding=padding, kernel_initializer=initializer, name=f"conv{number}")(x)
        number += 1
        return ops.maximum(layers.LeakyReLU(0.2, name=f"conv{number - 1}_relu")(x), -0.4) if active else x

    for stage, (filters, pool) in enumerate(POOLS):
        if stage == 0:
            x = conv(x, filters, (3, 3))
        else:
            x = conv(x, filters, (1, 3), "same")
            x = conv(x, filters, (3, 1))
        x = conv(x, filters, (1, 3), "same")
        x = conv(x, filters, (3, 1))
        x = layers.MaxPooling2D(pool, name=f"pool{stage}")(x)
    x = conv(x, 96, (3, 1), active=False)
    return Model(inputs, layers.Reshape((-1, 96), name="embedding")(x), name=name)


def spectrum_weights() -> np.ndarray:
    """float32 `(512, 514)`: a Hann window of 400 samples in the middle of 512, times cosines, then sines, of 257 pitches."""
    window = np.zeros(FFT)
    start = (FFT - WINDOW) // 2
    window[start : start + WINDOW] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    angle = 2 * np.pi * np.outer(np.arange(FFT), np.arange(FFT // 2 + 1)) / FFT
    return (window[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], 1)).astype(np.float32)


class SpeechEmbedding:
    """A trained network that turns speech into features; `pyml.hub.speech_embedding` returns it.

    Attributes:
        keras: The network as a `pyml.Model` from mel spectra `(batch, spectra, 32, 1)` to `(batch, frames, 96)`.
        sample_rate: 16000, in Hz.
        features: 96.
        name, licence, source: What it is, who made it, and on which terms.

    Args:
        entry, files: What the network is, and its files; `pyml.hub.speech_embedding` loads them.
    """

    sample_rate, features = RATE, 96

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        self.name, self.licence, self.source = entry.name, entry.licence, entry.source
        arrays = weights.unpack(files["weights.safetensors"], entry.name)
        self.mel_weights = arrays.pop("mel")
        self.keras = build_speech_embedding(initializer="zeros")
        weights.assign(self.keras, arrays, entry.name)
        self._spectrum = convert_to_tensor(spectrum_weights())
        self._mel = convert_to_tensor(self.mel_weights)
        self._run = pyml.program(self._embeddings)

    def _exported(self) -> tuple[Model, None]:
        """What `pyml.export` writes."""
        return self.keras, None

    def __repr__(self) -> str:
        return f"<{self.name}: {self.features} features every 80 ms; {self.licence}>"

    def embed(self, audio: Any, sample_rate: int = RATE) -> Tensor:
        """The features of a piece of speech.

        Args:
            audio: `(samples,)`: floats from -1 to 1, or int16. At least 12,512 samples, 0.782 s.
            sample_rate: Samples per second; only 16000.

        Returns:
            float32 `(frames, 96)` on the device: the first frame is of the first 0.78 s, each further one of 80 ms later.
            A second gives 3 frames.

        Raises:
            ShapeError: The sound is not one channel, or too short.
            ValueError: The sample rate is another.

        Example:
            features = model.embed(clip).numpy().mean(axis=0)
        """
        return self._run(self._samples(audio, sample_rate, "embed"))

    def mel(self, audio: Any, sample_rate: int = RATE) -> Tensor:
        """The mel spectra of `audio`, as for `embed`, which the network sees: float32 `(spectra, 32)`, each of 10 ms, decibels / 10 + 2."""
        return self._spectra(self._samples(audio, sample_rate, "mel"))

    def _samples(self, audio: Any, sample_rate: int, what: str) -> Tensor:
        if sample_rate != RATE:
            raise ValueError(f"{self.name}.{what}: the sound must have {RATE} samples a second; resample it. Received: {sample_rate}")
        if not isinstance(audio, Tensor):
            audio = np.asarray(audio.to_py() if hasattr(audio, "to_py") else audio)
        if audio.ndim != 1 or audio.shape[0] < SHORTEST:
            raise ShapeError(
                f"{self.name}.{what}: expected (samples,), at least {SHORTEST} samples ({SHORTEST / RATE:.3f} s). Received: {audio.shape}"
            )
        kind = np.dtype(audio.dtype)
        if kind == np.int16 or (kind == np.int32 and isinstance(audio, Tensor)):
            return ops.cast(convert_to_tensor(audio.astype("int32")), "float32")
        if kind.kind != "f":
            raise TypeError(f"{self.name}.{what}: expected floats from -1 to 1, or int16. Received: {kind}")
        return ops.cast(convert_to_tensor(audio), "float32") * 32767.0

    def _spectra(self, samples: Tensor) -> Tensor:
        count = (samples.shape[0] - FFT) // HOP + 1
        at = np.arange(count, dtype=np.int32)[:, None] * HOP + np.arange(FFT, dtype=np.int32)
        parts = ops.matmul(ops.take(samples, at), self._spectrum)
        half = FFT // 2 + 1
        power = ops.square(parts[:, :half]) + ops.square(parts[:, half:])
        decibels = ops.log(ops.maximum(ops.matmul(power, self._mel), 1e-10)) * float(10 / np.log(10))
        loud = ops.maximum(decibels, ops.max(decibels) - 80.0)  # what is 80 dB below the loudest is silence
        return loud / 10.0 + 2.0

    def _embeddings(self, samples: Tensor) -> Tensor:
        return self.keras(self._spectra(samples)[None, ..., None], training=False)[0]
