"""A spectrogram as one product of matrices: windows of sound times waves of every frequency.

The page feeds it a microphone. In a terminal `python demos/spectrogram/spectrogram.py sound.wav` prints the loudest
frequency of every quarter of a second; without a file it listens to a tone of its own.
"""

import json

import numpy as np

import pyml
from pyml import ops
from pyml.export import export_zip_async

BATCH = 16  # columns that are computed at once: one shape is one compiled program
QUIET = -140.0  # dB of a bin without any power
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


class Spectrogram:
    """The levels of frequencies over time, as the browser's AnalyserNode defines them (without its smoothing).

    Args:
        sample_rate: Samples a second.
        window: Samples of a column, a power of two from 64 to 4096; a column has half as many frequencies.
        hop: Samples from a column to the next, a quarter of the window by default.

    Source: Web Audio API, "FFT windowing and smoothing over time": Blackman window, magnitude over window length, dB.
    """

    def __init__(self, sample_rate, window=1024, hop=None):
        if window not in {64, 128, 256, 512, 1024, 2048, 4096}:
            raise ValueError(f"A window is a power of two from 64 to 4096 samples. Received: window={window}")
        self.sample_rate, self.window, self.hop = sample_rate, window, hop or window // 4
        n = np.arange(window)
        blackman = 0.42 - 0.5 * np.cos(2 * np.pi * n / window) + 0.08 * np.cos(4 * np.pi * n / window)
        turns = np.outer(n, np.arange(window // 2)) % window * (2 * np.pi / window)
        self.curve = (blackman / window).astype(np.float32)
        scale = (blackman / window)[:, None]
        self.cosines = pyml.Variable((scale * np.cos(turns)).astype(np.float32))
        self.sines = pyml.Variable((scale * np.sin(turns)).astype(np.float32))
        self.powers = pyml.program(self._powers)
        self.rest = np.zeros(0, np.float32)  # samples that did not fill a column yet

    def _powers(self, windows):
        return ops.square(windows @ self.cosines) + ops.square(windows @ self.sines)

    async def export_page(self, files):
        """A zip file with a page of `files`, texts by their names, and these spectra, which runs with no Python; as bytes.

        There the waves would be megabytes to download, so it is a fast Fourier transform.
        """

        def powers(windows):
            real, imaginary = ops.rfft(windows * self.curve)
            return (ops.square(real) + ops.square(imaginary))[:, : self.window // 2]

        pages = {**files, "spectrogram.json": json.dumps({"window": self.window, "batch": BATCH})}
        lot = np.zeros((BATCH, self.window), np.float32)
        return await export_zip_async(powers, "spectrogram", pages, inside="model", inputs=[lot])

    @property
    def bin_width(self):
        """Hz from a frequency of a column to the next."""
        return self.sample_rate / self.window

    async def columns(self, samples):
        """Levels in dB, `(columns, window / 2)`, of the columns that these samples complete."""
        samples = np.concatenate([self.rest, np.asarray(samples, np.float32)])
        count = max(0, (len(samples) - self.window) // self.hop + 1)
        self.rest = samples[count * self.hop :]
        if count == 0:
            return np.zeros((0, self.window // 2), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop][:count]
        padded = np.zeros((-(-count // BATCH) * BATCH, self.window), np.float32)
        padded[:count] = windows
        powers = [await self.powers(padded[i : i + BATCH]).data() for i in range(0, len(padded), BATCH)]
        return 10 * np.log10(np.maximum(np.concatenate(powers)[:count], 10 ** (QUIET / 10)))

    def loudest(self, column):
        """The frequency, in Hz, and the level of the highest peak of a column: a parabola through it and its neighbours."""
        i = int(np.argmax(column[1:-1])) + 1
        below, peak, above = (float(level) for level in column[i - 1 : i + 2])
        bend = below - 2 * peak + above
        shift = 0.5 * (below - above) / bend if bend else 0.0
        return (i + shift) * self.bin_width, peak


def note(frequency):
    """The nearest tone of the piano and how far off it is, in hundredths of a semitone: 440 Hz is `("A4", 0)`."""
    if frequency <= 0:
        return "", 0
    semitones = 12 * np.log2(frequency / 440) + 69
    nearest = round(semitones)
    return f"{NOTES[nearest % 12]}{nearest // 12 - 1}", round(100 * (semitones - nearest))


def tone(frequency, seconds, sample_rate, loudness=0.5):
    return (loudness * np.sin(2 * np.pi * frequency * np.arange(int(seconds * sample_rate)) / sample_rate)).astype(np.float32)


def read_wav(path):
    """`(samples, sample_rate)` of a WAV file of 16-bit numbers; channels are averaged."""
    import wave

    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: its samples have {8 * file.getsampwidth()} bits; expected 16.")
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return values.mean(axis=1).astype(np.float32) / 32768, file.getframerate()


async def main(paths):
    samples, rate = read_wav(paths[0]) if paths else (tone(440, 1, 16000), 16000)
    spectrogram = Spectrogram(rate)
    columns = await spectrogram.columns(samples)
    step = max(1, round(rate / 4 / spectrogram.hop))
    for i in range(0, len(columns), step):
        frequency, level = spectrogram.loudest(columns[i])
        print(f"{i * spectrogram.hop / rate:6.2f} s  {frequency:7.0f} Hz  {note(frequency)[0]:4}  {level:5.0f} dB")


if __name__ == "__main__":
    import asyncio
    import sys

    asyncio.run(main(sys.argv[1:]))
