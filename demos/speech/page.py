"""What Python does for the page: listens, keeps the examples of each word, trains speech.py on them, and recognises."""

import json
import time

import numpy as np
from pyml_page import post, stopping
from speech import BANDS, FEATURES, SURE, Ear, Spectra, Words

from pyml import callbacks

LOW, HIGH = -60.0, 20.0  # dB of the values 0 and 255 of a picture

state = {"words": None, "ear": Ear(), "spectra": Spectra()}


async def choose(name):
    """Takes other features; the examples stay."""
    before = state["words"]

    def progress(received, total):
        post("download", json.dumps({"received": received, "total": total}))

    words = Words(await FEATURES[name].load(progress))
    for word, clips in (before.clips if before else {}).items():
        for clip in clips:
            await words.put(word, clip)
    state["words"] = words


def image(spectra):
    return np.clip((spectra - LOW) * (255 / (HIGH - LOW)), 0, 255).astype(np.uint8).tobytes()


def picture(clip):
    spectra = Spectra().of(clip)
    return {"columns": len(spectra), "bins": BANDS, "image": image(spectra)}


async def add(word, samples):
    """An example of a word; returns how many it has, its second of sound for the page to keep, and a picture of it."""
    return await told(word, await state["words"].add(word, np.asarray(samples, np.float32)))


async def restore(word, clip):
    """An example of an earlier visit."""
    return await told(word, await state["words"].put(word, np.asarray(clip, np.float32)))


async def told(word, clip):
    return {"count": len(state["words"].clips[word]), "clip": clip, **picture(clip)}


def forget(word):
    state["words"].forget(word)


def listen_anew():
    state.update(ear=Ear(), spectra=Spectra())


async def listen(samples, recording):
    """What comes in: its spectra, and the words in it, which are examples of the word `recording` or are recognised."""
    words, samples = state["words"], np.asarray(samples, np.float32)
    spectra = state["spectra"].of(samples)
    answer = {"columns": len(spectra), "image": image(spectra), "added": [], "heard": []}
    for clip in state["ear"].hear(samples):
        if recording is not None:
            answer["added"].append(await add(recording, clip))
        elif words.model is not None:
            began = time.perf_counter()
            shares = await words.recognise(clip)
            best = int(np.argmax(shares))
            word = words.names[best] if shares[best] >= SURE else None
            answer["heard"].append({"word": word, "names": words.names, "shares": shares, "ms": 1000 * (time.perf_counter() - began)})
    return answer


class Report(callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        post("epoch", json.dumps({"epoch": epoch + 1, "of": self.epochs, "loss": logs["loss"], "accuracy": logs["accuracy"]}))
        if stopping():
            self.model.stop_training = True


async def train(epochs):
    words = state["words"]
    accuracy = await words.train(epochs, [Report(epochs)])
    return {"accuracy": accuracy, "tested": len(words.split()[1][1]), "parameters": words.model.count_params()}


async def export(files):
    """The page's twin: its `files`, pairs of a path and a text, and the words that were learned, as the bytes of a .zip file."""
    return await state["words"].export_page(dict(files))
