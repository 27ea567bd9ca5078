"""The speech demo learns words of some synthetic voices and understands others, in accents that it never heard."""

import asyncio
import importlib.util
import itertools
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from pyml.hub import store

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
VOICES = ("m1", "m3", "m7", "f1", "f2", "f4")
LEARNED = list(itertools.product(("en-us", "en-us-nyc", "en-029", "en-gb-x-gbclan"), VOICES))
HELD_OUT = list(itertools.product(("en-gb-scotland", "en-gb-x-rp"), VOICES))

pytestmark = pytest.mark.slow


def speech_demo():
    path = Path(__file__).resolve().parents[2] / "demos" / "speech" / "speech.py"
    spec = importlib.util.spec_from_file_location("speech_demo", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def say(word, accent, voice, path):
    """A word by espeak-ng, 16,000 samples a second."""
    subprocess.run(["espeak-ng", "-v", f"{accent}+{voice}", "-s", "150", "-w", str(path), word], check=True, capture_output=True)
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    wanted = round(len(samples) * 16000 / rate)
    return (np.fft.irfft(np.fft.rfft(samples), wanted) * wanted / len(samples)).astype(np.float32)


def test_nine_words_of_ten_are_understood_in_accents_never_heard(tmp_path):
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    if store.folder_of("speech_embedding") is None:
        pytest.skip("the speech embedding was not fetched; `make models` does it")
    speech = speech_demo()
    voices = [(word, *voice) for word in WORDS for voice in LEARNED + HELD_OUT]
    clips = {key: say(*key, tmp_path / "word.wav") for key in voices}

    async def understood():
        words = speech.Words(await speech.Embeddings.load())
        for word, voice in itertools.product(WORDS, LEARNED):
            await words.add(word, clips[word, *voice])
        await words.train()
        right = []
        for word, voice in itertools.product(WORDS, HELD_OUT):
            shares = await words.recognise(speech.cut(clips[word, *voice]))
            right.append(words.names[int(np.argmax(shares))] == word)
        return np.mean(right)

    assert asyncio.run(understood()) >= 0.9
