"""What Python does for the page: listens, keeps the examples of each word, trains speech.py on them, and recognises."""

import io
import json
import time

import exports
import numpy as np
import project
from learning import Report, show_mistakes
from pyml_page import post
from speech import BANDS, CLIP, FEATURES, SURE, Ear, Spectra, Words, read_wav, wav_bytes

PAGE = "speech"
READ_ME = """model.json and its .bin files are a TensorFlow.js layers-model; labels.json names its outputs, the words.

It is the part that was learned. What it takes is {inputs}, not sound; the page without Python, in the same menu, has all of it.

    import * as tf from "@tensorflow/tfjs";
    const model = await tf.loadLayersModel("model.json");
    const shares = await model.predict(features).data();

In Python: model = pyml.saving.load_model("model.json")
"""
INPUTS = {
    "speech_embedding": "288 features of a second of sound, of Google's speech embedding, divided by 20",
    "spectra": "mel spectra of a second of sound, as OwnSpectra of speech.py gives them",
}

LOW, HIGH = -60.0, 20.0  # dB of the values 0 and 255 of a picture

state = {"words": None, "ear": Ear(), "spectra": Spectra(), "opened": None}


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


async def train(epochs, rate):
    words = state["words"]
    accuracy = await words.train(epochs, [Report()], rate)
    show_mistakes(*words.tested, words.names)
    return {"accuracy": accuracy, "tested": len(words.tested[0]), "parameters": words.model.count_params(), "names": words.names}


# ---- taking it away


async def export(files):
    """The page's twin: its `files`, pairs of a path and a text, and the words that were learned, as the bytes of a .zip file."""
    return await state["words"].export_page(dict(files))


async def export_keras():
    return await exports.keras_bytes(state["words"].model)


async def export_tfjs():
    words = state["words"]
    return await exports.tfjs_zip(words.model, words.names, READ_ME.format(inputs=INPUTS[words.features.name]))


# ---- projects


async def trained_model():
    """What was learned, for this browser to keep."""
    words = state["words"]
    return {"bytes": await exports.keras_bytes(words.model), "names": words.names, "features": words.features.name}


async def restore_model(kept):
    """Takes what was learned on an earlier visit; False where it was learned from other features."""
    words = state["words"]
    if kept["features"] != words.features.name:
        return False
    words.model, words.names = await checked(kept["bytes"], kept["names"])
    return True


async def checked(data, names):
    """A network of the bytes of a .keras file, and its words; refused where they do not fit."""
    model = await project.model_of(data)
    if model.output_shape[-1] != len(names):
        raise project.ProjectError("The model in it does not fit its words; choose another copy of it.")
    return model, list(names)


async def save_project(every, settings):
    """The bytes of a project: the words that the page shows, their clips, and what was learned."""
    words = state["words"]
    files, listed = {}, []
    for place, word in enumerate(every):
        for i, clip in enumerate(words.clips.get(word, ())):
            path = f"sounds/word {place + 1}/{i:03}.wav"
            files[path] = wav_bytes(clip)
            listed.append([word, path])
    facts = {"features": words.features.name, "words": every, "examples": listed, "settings": settings}
    if words.model is not None:
        files[project.MODEL] = await exports.keras_bytes(words.model)
        facts["learned"] = words.names
    return project.pack(PAGE, facts, files)


async def open_project(data):
    """Reads a project, which `accept_project` then puts into the place of what is here."""
    facts, files = project.unpack(data, PAGE)
    with project.reading():
        if facts["features"] not in FEATURES:
            raise project.ProjectError(f"It learned from {facts['features']}, which this page does not have.")
        names, learned = [str(word) for word in facts["words"]], facts.get("learned")
        clips = [(word, read_wav(io.BytesIO(project.part(files, path)))) for word, path in facts["examples"]]
        if any(len(clip) != CLIP or word not in names for word, clip in clips) or len(set(names)) != len(names):
            raise project.ProjectError("It is damaged: its sounds are not those of its words.")
        model = await checked(project.part(files, project.MODEL), learned) if learned else (None, [])
    features = state["words"].features
    opened = Words(features if facts["features"] == features.name else await FEATURES[facts["features"]].load())
    examples = []
    for word, clip in clips:
        await opened.put(word, clip)
        examples.append({"word": word, "count": len(opened.clips[word]), "clip": clip, **picture(clip)})
    opened.model, opened.names = model
    state["opened"] = opened
    told = {"features": facts["features"], "settings": facts.get("settings", {})}
    return {"words": names, "examples": examples, "learned": opened.names, **told}


def accept_project():
    state.update(words=state["opened"], opened=None)
