"""`pyml.data.microphone`: spectrograms and waveforms of a microphone as tensors."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pyml.core import Tensor, convert_to_tensor
from pyml.data.analyser import Analyser
from pyml.data.media import IN_BROWSER, Captured, MediaError, PageDevice, page_devices, whole


def microphone(source: Any = None, sample_rate_hz: int | None = None, fft_size: int = 1024,
               columns_truncate_to: int | None = None, num_frames_per_spectrogram: int = 43,
               audio_track_constraints: dict | None = None, smoothing_time_constant: float = 0.0,
               include_spectrogram: bool = True, include_waveform: bool = False) -> Microphone:
    """Spectrograms or waveforms of a microphone, one after the other.

    Args:
        source: On the desktop the path of a WAV file; a microphone, which needs sounddevice
            (`pip install sounddevice`), for None. A page has its microphone only.
        sample_rate_hz: Samples per second, 44100 or 48000 as a rule; by default what the device gives.
        fft_size: Values per frame, a power of two from 16 to 16384; each comes from a window of twice as many samples.
        columns_truncate_to: Keep only the lowest values of each frame.
        num_frames_per_spectrogram: Frames per element; they follow each other by `fft_size` samples.
        audio_track_constraints: More wishes for the page's microphone, as `getUserMedia` takes them.
        smoothing_time_constant: Share of the frame before in each, from 0 to below 1.
        include_spectrogram, include_waveform: What elements hold.

    Returns:
        A Microphone. Elements are dicts of float32 tensors: `"spectrogram"` `(frames, columns, 1)` in decibels as
        the browser's AnalyserNode defines them, and `"waveform"` `(frames * fft_size, 1)` from -1 to 1.

    Raises:
        ValueError: Arguments are wrong. Starting and reading raise `MediaError`, whose `kind` tells denied permission,
            a missing or unplugged microphone, another sample rate and so on.

    Source: TensorFlow.js `tf.data.microphone`.

    Example:
        >>> async with pyml.data.microphone(columns_truncate_to=232) as ears:    # doctest: +SKIP
        ...     spectrogram = (await ears.capture())["spectrogram"]
    """
    return Microphone(source, sample_rate_hz, fft_size, columns_truncate_to, num_frames_per_spectrogram,
                      audio_track_constraints, smoothing_time_constant, include_spectrogram, include_waveform)


async def microphones() -> list[dict[str, str]]:
    """The microphones of the page: dicts of `device_id` and `label`, which is empty before one was allowed.

    Raises:
        RuntimeError: There is no page: this is the desktop.

    Example:
        >>> [found["label"] for found in await pyml.data.microphones()]     # doctest: +SKIP
    """
    return await page_devices("microphone")


class Microphone(Captured):
    """A microphone: `await capture()`, `async for`, `await start()`, `stop()`; see `pyml.data.microphone`.

    It is released by `stop()`, at the end of `async with`, and with the last reference.

    Args:
        constraints: What the browser is asked of the microphone, as for `getUserMedia`.
        smoothing: Share of the spectrum before that stays in each, from 0 to 1.
    """

    _ends = ("ended", "stopped")

    def __init__(self, source: Any, sample_rate_hz: int | None, fft_size: int, columns: int | None, frames: int,
                 constraints: dict[str, Any] | None, smoothing: float, spectrogram: bool, waveform: bool):
        whole("microphone", "fft_size", fft_size, 16)
        if fft_size > 16384 or fft_size & (fft_size - 1):
            raise ValueError(f"microphone: fft_size must be a power of two from 16 to 16384. Received: fft_size={fft_size}")
        whole("microphone", "num_frames_per_spectrogram", frames)
        if sample_rate_hz is not None:
            whole("microphone", "sample_rate_hz", sample_rate_hz)
        if columns is not None:
            whole("microphone", "columns_truncate_to", columns)
            if columns > fft_size:
                raise ValueError(f"microphone: columns_truncate_to must be at most fft_size={fft_size}. Received: {columns}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"microphone: smoothing_time_constant must lie in [0, 1). Received: {smoothing!r}")
        if not (spectrogram or waveform):
            raise ValueError("microphone: include_spectrogram and include_waveform are both False; elements would be empty.")
        self.fft_size, self.columns, self.frames = fft_size, columns or fft_size, frames
        self._options: dict[str, Any] = {"fftSize": fft_size, "smoothing": float(smoothing)}
        if sample_rate_hz is not None:
            self._options["sampleRate"] = sample_rate_hz
        if constraints is not None:
            self._options["constraints"] = constraints
        self._wanted = {"frames": frames, "columns": self.columns, "spectrogram": bool(spectrogram), "waveform": bool(waveform)}
        self.label = ""                                # of the microphone, once it has started
        self.sample_rate_hz = sample_rate_hz           # the true one, once it has started
        self._running = False
        if IN_BROWSER and source is not None:
            raise ValueError("microphone: a page has its microphone only; leave out source.")
        self._device: Any = PageDevice("microphone") if IN_BROWSER else _DesktopSound(source)

    async def start(self) -> Microphone:
        """Starts the microphone, if it is not running.

        Raises:
            MediaError: It cannot be started.
        """
        if not self._running:
            info = await self._device.call("open", **self._options)
            self.label, self.sample_rate_hz, self._running = info.label, int(info.sampleRate), True
        return self

    async def capture(self) -> dict[str, Tensor]:
        """The next element; starts the microphone if need be.

        Raises:
            MediaError: There is none: the microphone was unplugged, and so on.
        """
        found = await self._next(**self._wanted)
        element = {}
        if self._wanted["spectrogram"]:
            element["spectrogram"] = _tensor(found.spectrogram, (self.frames, self.columns, 1))
        if self._wanted["waveform"]:
            element["waveform"] = _tensor(found.waveform, (self.frames * self.fft_size, 1))
        return element


def _tensor(values: Any, shape: tuple[int, ...]) -> Tensor:
    if not isinstance(values, np.ndarray):             # a Float32Array
        values = np.frombuffer(values.to_bytes(), np.float32)
    return convert_to_tensor(values.reshape(shape))


@dataclass
class _Started:
    """What `open` of a device answers, in the names of a page."""

    label: str
    sampleRate: int


@dataclass
class _Frames:
    """What `next` answers: decibels `(frames, columns)` and samples `(frames, fft_size)`."""

    spectrogram: np.ndarray
    waveform: np.ndarray


class _Sound(NamedTuple):
    """Sound that is open: `read(count)` gives float32 `(count,)` samples from -1 to 1, fewer where a file ends."""

    read: Callable[[int], np.ndarray]
    rate: int
    close: Callable[[], None]


class _DesktopSound:
    """A microphone by sounddevice or a WAV file, with the methods of a PageDevice."""

    def __init__(self, source: str | os.PathLike[str] | None):
        self.source = source
        self._sound: _Sound | None = None

    async def call(self, method: str, **options: Any) -> _Started | _Frames:
        answer: Callable[..., _Started | _Frames] = self._open if method == "open" else self._next
        return await asyncio.to_thread(answer, **options)

    def _open(self, fftSize: int, smoothing: float, sampleRate: int | None = None, constraints: dict[str, Any] | None = None) -> _Started:
        sound = self._sound = _recorded(sampleRate) if self.source is None else _wav(self.source)
        if sampleRate not in (None, sound.rate):
            self.stop()
            raise MediaError("microphone", "rate", f"it gives {sound.rate} Hz, not {sampleRate}")
        self._size = fftSize
        self._analyser = Analyser(2 * fftSize, smoothing)
        self._heard = self._samples(fftSize)           # the older half of the first window
        return _Started(str(self.source or "microphone"), sound.rate)

    def _samples(self, count: int) -> np.ndarray:
        sound = self._sound
        if sound is None:
            raise MediaError("microphone", "stopped")
        samples = sound.read(count)
        if len(samples) < count:
            raise SoundEnded(f"the sound of {self.source} has ended.")
        return samples

    def _next(self, frames: int, columns: int, spectrogram: bool, waveform: bool) -> _Frames:
        power = np.empty((frames, columns), np.float32)
        sound = np.empty((frames, self._size), np.float32)
        for i in range(frames):
            sound[i] = self._samples(self._size)
            window = np.concatenate([self._heard, sound[i]])
            self._heard = sound[i].copy()
            if spectrogram:
                power[i] = self._analyser.decibels(window)[:columns]
        return _Frames(power, sound)

    def stop(self) -> None:
        sound, self._sound = self._sound, None
        if sound is not None:
            sound.close()


class SoundEnded(MediaError):
    """A sound file has no more samples; a loop over it just ends."""

    def __init__(self, text: str):
        OSError.__init__(self, text)
        self.kind = "ended"


def _wav(path: str | os.PathLike[str]) -> _Sound:
    """A WAV file."""
    try:
        file = wave.open(str(path), "rb")              # noqa: SIM115 (the caller closes it)
    except (wave.Error, EOFError, RuntimeError) as error:  # the last where a size in it leads out of the file
        raise ValueError(f"microphone: {path} is not a WAV file of plain samples ({error or 'it is damaged'}).") from None
    channels, width = file.getnchannels(), file.getsampwidth()
    if width not in (1, 2, 4):
        file.close()
        raise ValueError(f"microphone: {path} has samples of {width} bytes; convert it to 16-bit samples.")
    dtype, scale, shift = {1: ("u1", 128, 128), 2: ("<i2", 2**15, 0), 4: ("<i4", 2**31, 0)}[width]

    def read(count: int) -> np.ndarray:
        data = file.readframes(count)
        data = data[: len(data) - len(data) % (width * channels)]  # a file that was cut may end within a sample
        values = np.frombuffer(data, dtype).reshape(-1, channels)
        return ((values.astype(np.float64) - shift) / scale).mean(axis=1).astype(np.float32)

    return _Sound(read, file.getframerate(), file.close)


def _recorded(rate: int | None) -> _Sound:
    """The microphone, at the rate asked for or its own."""
    try:
        import sounddevice
    except ImportError:
        raise ImportError("microphone: on the desktop a microphone is read by sounddevice: pip install sounddevice.") from None
    try:
        stream = sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32")
        stream.start()
    except sounddevice.PortAudioError as error:
        raise MediaError("microphone", "rate" if "rate" in str(error).lower() else "missing", str(error)) from None

    def close() -> None:
        stream.stop()
        stream.close()

    return _Sound(lambda count: stream.read(count)[0][:, 0], int(stream.samplerate), close)
