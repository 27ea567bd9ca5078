"""Words of your own: a few examples of each, a network that learns them, and an ear that waits for them.

The page records its examples with a microphone. In a terminal, with a folder for each word that holds WAV files of it:
`python demos/speech/speech.py FOLDER`.
"""

import json

import numpy as np

from pyml import Input, Sequential, hub, layers, ops, optimizers, utils
from pyml.export import export_zip_async

RATE = 16000  # samples a second
CLIP = RATE  # samples of an example
FRAME = 160  # samples of a frame, 10 ms: loudness and spectra are measured in frames
BANDS, WINDOW = 40, 512  # of a spectrum
EPOCHS, LEARNING_RATE = 40, 0.001
FEWEST = 3  # examples of a word before anything can be learned
SURE = 0.6  # least share of the best word that counts as heard
QUIET = 0.008  # loudness, of 1, below which nothing was said


# ---- sound


def loudness(samples):
    """The loudness of every frame."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.sqrt(np.mean(np.square(frames - frames.mean(axis=1, keepdims=True)), axis=1))


def middle(samples, floor=0.0):
    """Where the middle of what was said is, in samples; None where it is quiet throughout."""
    loud = loudness(samples)
    power = np.where(loud > max(QUIET, 3 * floor, 0.1 * loud.max(initial=0)), loud**2, 0)
    return float(power @ np.arange(len(power)) / power.sum() + 0.5) * FRAME if power.any() else None


def cut(samples):
    """The second around what was said.

    Raises:
        ValueError: Nothing was said.
    """
    samples = np.asarray(samples, np.float32)
    at = middle(samples)
    if at is None:
        raise ValueError("Nothing was heard there; record it again, louder or closer to the microphone.")
    start = round(at) - CLIP // 2
    padded = np.pad(samples, (max(0, -start), max(0, start + CLIP - len(samples))))
    return padded[max(0, start) :][:CLIP]


def mel_weights(bands=BANDS):
    """float32 `(257, bands)`: triangular filters, evenly spaced by ear from 60 Hz to 7.6 kHz; each column adds up to 1."""
    ears = np.linspace(*(2595 * np.log10(1 + np.array([60.0, 7600.0]) / 700)), bands + 2)
    edges = 700 * (10 ** (ears / 2595) - 1)
    hertz = np.arange(WINDOW // 2 + 1)[:, None] * RATE / WINDOW
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.clip(np.minimum((hertz - low) / (peak - low), (high - hertz) / (high - peak)), 0, None)
    return (weights / np.maximum(weights.sum(axis=0), 1e-9)).astype(np.float32)


class Spectra:
    """Mel spectra of sound that comes in pieces, one every 10 ms: decibels of 40 bands, float32 `(spectra, 40)`."""

    weights = mel_weights()
    hann = np.hanning(WINDOW).astype(np.float32)

    def __init__(self):
        self.rest = np.zeros(WINDOW - FRAME, np.float32)

    def of(self, samples):
        samples = np.concatenate([self.rest, np.asarray(samples, np.float32)])
        count = max(0, (len(samples) - WINDOW) // FRAME + 1)
        self.rest = samples[count * FRAME :]
        if count == 0:
            return np.zeros((0, BANDS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::FRAME][:count]
        power = np.square(np.abs(np.fft.rfft(windows * self.hann, axis=1))) / WINDOW
        return (10 * np.log10(power @ self.weights + 1e-9)).astype(np.float32)


class Ear:
    """Waits for words in sound that comes in pieces."""

    def __init__(self):
        self.heard = np.zeros(2 * CLIP, np.float32)
        self.deaf = 0  # samples until the next word may come

    def hear(self, samples):
        """The clips of words whose middle was half a second ago: they have ended, unless they are very long."""
        clips = []
        for piece in np.array_split(np.asarray(samples, np.float32), max(1, len(samples) // (4 * FRAME))):
            self.heard = np.concatenate([self.heard, piece])[-2 * CLIP :]
            self.deaf = max(0, self.deaf - len(piece))
            newest = self.heard[-CLIP:]
            at = middle(newest, floor=float(np.quantile(loudness(self.heard), 0.1)))
            if not self.deaf and at is not None and 0.25 * CLIP < at <= 0.5 * CLIP:
                start = CLIP + round(at) - CLIP // 2  # in what was heard, two seconds
                clips.append(self.heard[start : start + CLIP].copy())
                self.deaf = CLIP // 2
        return clips


def varied(clip, pick):
    """The clip, and copies of it that are shifted a little, quieter or louder, and noisier."""
    yield clip
    for shift in (-1200, 1200):
        noise = pick.standard_normal(CLIP) * pick.uniform(0.0005, 0.004)
        yield (pick.uniform(0.5, 1.2) * np.roll(clip, shift + pick.integers(-400, 400)) + noise).astype(np.float32)


# ---- features


class Embeddings:
    """Features of a network that was trained on the speech of many people; a second gives three times 96 of them."""

    name = "speech_embedding"

    @classmethod
    async def load(cls, progress=None):
        self = cls()
        self.model = await hub.speech_embedding_async(progress)
        return self

    async def of(self, clip):
        return (await self.model.embed(clip).data()).reshape(-1) / 20

    def on_device(self, clip):
        """`of` of a tensor."""
        return ops.reshape(self.model.embed(clip), (-1,)) / 20.0

    def network(self, shape, words):
        return Sequential([Input(shape), layers.Dropout(0.4), layers.Dense(words, activation="softmax")])


class OwnSpectra:
    """Mel spectra as they are: the network learns from nothing, needs no download, and wants more examples."""

    name = "spectra"

    @classmethod
    async def load(cls, progress=None):
        return cls()

    async def of(self, clip):
        spectra = Spectra().of(clip)
        loudest = spectra.max()
        return np.clip((spectra - loudest) / 30 + 1, -1, 1)[..., None]

    def on_device(self, clip):
        """`of` of a tensor: the Fourier transform as a product of matrices."""
        clip = ops.pad(clip, [(WINDOW - FRAME, 0)])
        starts = np.arange(0, clip.shape[0] - WINDOW + 1, FRAME, dtype=np.int32)
        angle = 2 * np.pi * np.outer(np.arange(WINDOW), np.arange(WINDOW // 2 + 1)) / WINDOW
        waves = (Spectra.hann[:, None] * np.concatenate([np.cos(angle), np.sin(angle)], 1)).astype(np.float32)
        real, imaginary = ops.split(ops.matmul(ops.take(clip, starts[:, None] + np.arange(WINDOW, dtype=np.int32)), waves), 2, axis=1)
        power = (real * real + imaginary * imaginary) / WINDOW
        spectra = 10.0 * ops.log10(ops.matmul(power, Spectra.weights) + 1e-9)
        return ops.clip((spectra - ops.max(spectra)) / 30.0 + 1.0, -1.0, 1.0)[..., None]

    def network(self, shape, words):
        return Sequential(
            [
                Input(shape),
                layers.Conv2D(12, (5, 5), strides=2, activation="relu"),
                layers.MaxPooling2D(2),
                layers.Conv2D(24, (5, 3), activation="relu"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dropout(0.4),
                layers.Dense(words, activation="softmax"),
            ]
        )


FEATURES = {kind.name: kind for kind in (Embeddings, OwnSpectra)}


# ---- words


class Words:
    """Learns words from a few clips of each.

    Args:
        features: What the network gets to see of a clip: Embeddings or OwnSpectra, loaded.
    """

    def __init__(self, features):
        self.features = features
        self.clips = {}  # word -> clips
        self.seen = {}  # word -> for each clip the features of its copies
        self.model, self.names = None, []
        self.tested = [], []  # places in `names`, and what they were taken for, of clips that were never learned
        self.pick = np.random.default_rng(3)

    async def add(self, word, samples):
        """Adds an example; returns its clip.

        Raises:
            ValueError: Nothing was said.
        """
        return await self.put(word, cut(samples))

    async def put(self, word, clip):
        """Adds an example that is cut already; returns it."""
        seen = [await self.features.of(copy) for copy in varied(clip, self.pick)]
        self.clips.setdefault(word, []).append(clip)
        self.seen.setdefault(word, []).append(seen)
        return clip

    def forget(self, word):
        self.clips.pop(word, None)
        self.seen.pop(word, None)

    def split(self):
        """`(x, y), (x_test, y_test)`, the test being every fourth clip; its copies are not learned either."""
        few = [word for word, some in self.clips.items() if len(some) < FEWEST]
        if len(self.clips) < 2 or few:
            raise ValueError(
                f"“{few[0]}” has too few examples: every word needs {FEWEST} or more." if few else "Record two words or more first."
            )
        learned, tested = [], []
        for i, word in enumerate(self.clips):
            for j, copies in enumerate(self.seen[word]):
                if j % 4 == 3:
                    tested.append((copies[0], i))
                else:
                    learned += [(copy, i) for copy in copies]
        return as_arrays(learned), as_arrays(tested)

    async def train(self, epochs=EPOCHS, callbacks=None, rate=LEARNING_RATE):
        """Trains a new network; returns its accuracy on clips that it never heard, None where there are none.

        Raises:
            ValueError: There are too few words or examples; the network of before stays as it was.
        """
        (x, y), (x_test, y_test) = self.split()
        utils.set_random_seed(1)
        model = self.features.network(x.shape[1:], len(self.clips))
        model.compile(optimizer=optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        test = (x_test, y_test) if len(x_test) else None
        await model.fit_async(x, y, batch_size=16, epochs=epochs, verbose=0, validation_data=test, callbacks=callbacks)
        guesses = (await model.predict_async(x_test, verbose=0)).argmax(axis=1) if test else y_test
        self.model, self.names, self.tested = model, list(self.clips), (y_test, guesses)
        return float((guesses == y_test).mean()) if test else None

    async def recognise(self, clip):
        """The share of each word of `names`."""
        if self.model is None:
            raise ValueError("Train the network first.")
        shares = await self.model.predict_async((await self.features.of(clip))[None], verbose=0)
        return [float(share) for share in shares[0]]

    async def export_page(self, files):
        """A zip file with a page of `files`, texts by their names, and the words, which it hears with no Python; as bytes."""
        if self.model is None:
            raise ValueError("Train the network before you export it.")
        features, model = self.features, self.model

        def words(clip):
            return model(features.on_device(clip)[None], training=False)[0]

        speech = getattr(features, "model", None)  # the network that was there before
        facts = {"names": self.names, "sure": SURE, "source": getattr(speech, "source", None), "licence": getattr(speech, "licence", None)}
        pages = {**files, "words.json": json.dumps(facts)}
        return await export_zip_async(words, "words", pages, inside="model", inputs=[np.zeros(CLIP, np.float32)])


def as_arrays(pairs):
    if not pairs:
        return np.zeros(0, np.float32), np.zeros(0, np.int32)
    return np.stack([x for x, _ in pairs]).astype(np.float32), np.array([y for _, y in pairs], np.int32)


def read_wav(path):
    """The samples of a WAV file, by its path or open, of 16-bit numbers and 16,000 samples a second."""
    import wave

    with wave.open(path if hasattr(path, "read") else str(path)) as file:
        if (file.getsampwidth(), file.getframerate()) != (2, RATE):
            raise ValueError(f"{path}: expected 16-bit samples, {RATE} a second.")
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return values.mean(axis=1).astype(np.float32) / 32768


def wav_bytes(samples):
    """Samples as the bytes of a WAV file of 16-bit numbers."""
    import io
    import wave

    packed = io.BytesIO()
    with wave.open(packed, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2").tobytes())
    return packed.getvalue()


async def main(arguments=None):
    import argparse
    from pathlib import Path

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds a folder of WAV files for each word")
    parser.add_argument("--features", choices=FEATURES, default=Embeddings.name)
    parser.add_argument("--test", default=" ", help="files with this in their name are not learned but recognised afterwards")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    words = Words(await FEATURES[options.features].load())
    held_out = []
    for path in sorted(options.folder.glob("*/*.wav")):
        if any(part in path.name for part in options.test.split(",")):
            held_out.append(path)
        else:
            await words.add(path.parent.name, read_wav(path))
    accuracy = await words.train(options.epochs)
    print(f"{sum(map(len, words.clips.values()))} clips of {len(words.clips)} words; accuracy on a quarter of them: {accuracy}")
    right = 0
    for path in held_out:
        shares = await words.recognise(cut(read_wav(path)))
        right += words.names[int(np.argmax(shares))] == path.parent.name
    if held_out:
        print(f"held-out files: {right} of {len(held_out)} right ({right / len(held_out):.1%})")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
