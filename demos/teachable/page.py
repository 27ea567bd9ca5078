"""What Python does for the page: keeps the examples of teachable.py, learns them, and looks at new pictures."""

import json
import time

import exports
import numpy as np
import project
from learning import Report, show_mistakes
from pyml_page import post
from teachable import BASE, READ_ME, Teachable

from pyml import hub

PAGE = "teachable"

state = {"taught": None, "opened": None}


async def load():
    """Loads the base and tells the page how far it is; returns what to say about it."""

    def progress(received, total):
        post("loading", json.dumps({"received": received, "total": total}))

    base = await getattr(hub, f"{BASE}_async")(progress)
    state["taught"] = Teachable(base)
    return {"features": base.features, "source": base.source, "licence": base.licence}


async def add(number, picture):
    """Adds an example; returns its number, and its features for the page to keep."""
    example = await state["taught"].add(number, picture)
    return {"example": example, "features": state["taught"].examples[example][1]}


def restore(number, features):
    """An example of an earlier visit; returns its number."""
    return state["taught"].put(number, np.asarray(features, np.float32))


def remove(examples):
    for example in examples:
        state["taught"].remove(example)


async def train(classes, epochs, rate):
    """Learns `[[number, name], ...]`; returns the share of examples that are named right, and how many were kept for the test."""
    taught, names = state["taught"], dict(classes)
    right = await taught.train(names, Report(), epochs, rate)
    show_mistakes(*taught.tested, list(names.values()))
    return {"right": right, "tested": len(taught.tested[0])}


async def look(picture, by):
    """Pairs of a class' number and its share, and the milliseconds that took."""
    began = time.perf_counter()
    found = await state["taught"].shares(picture, by)
    return {"shares": [[number, share] for number, share in found.items()], "ms": 1000 * (time.perf_counter() - began)}


# ---- taking it away


async def export(files, classes):
    """The page's twin: its `files`, pairs of a path and a text, and what was learned, as the bytes of a .zip file."""
    return await state["taught"].export_page(dict(files), dict(classes))


async def export_keras():
    return await exports.keras_bytes(state["taught"].model())


async def export_tfjs(classes):
    names = dict(classes)
    return await exports.tfjs_zip(state["taught"].model(), [names[number] for number in state["taught"].classes], READ_ME, "float16")


# ---- projects


async def trained_model():
    """What was learned, for this browser to keep: the head as a .keras file, and the numbers of its classes."""
    return {"bytes": await exports.keras_bytes(state["taught"].head), "classes": state["taught"].classes}


async def restore_model(kept):
    state["taught"].take(*await checked(kept["bytes"], kept["classes"], state["taught"].base.features))


async def checked(data, classes, features):
    """A head of the bytes of a .keras file, and its classes; refused where they do not fit."""
    head = await project.model_of(data)
    if tuple(head.input_shape) != (None, features) or tuple(head.output_shape) != (None, len(classes)):
        raise project.ProjectError("The model in it does not fit its classes; choose another copy of it.")
    return head, classes


async def save_project(classes, learned, pictures, settings):
    """The bytes of a project.

    Args:
        classes: `[[number, name], ...]`.
        learned: The same as they were trained.
        pictures: `[[example, PNG file], ...]`.
        settings: What the page wants back.
    """
    taught = state["taught"]
    files, listed, rows = {}, [], []
    for example, picture in pictures:
        number, features = taught.examples[example]
        path = f"examples/class {number + 1}/{len(listed):04}.png"
        files[path] = picture
        listed.append([number, path])
        rows.append(features)
    files["features.npy"] = project.array_bytes(np.array(rows, np.float32).reshape(len(rows), taught.base.features))
    facts = {"base": BASE, "classes": classes, "examples": listed, "settings": settings}
    if taught.head is not None:
        files[project.MODEL] = await exports.keras_bytes(taught.head)
        facts["learned"] = [each for number in taught.classes for each in learned if each[0] == number]
    return project.pack(PAGE, facts, files)


async def open_project(data):
    """Reads a project, which `accept_project` then puts into the place of what is here."""
    facts, files = project.unpack(data, PAGE)
    with project.reading():
        if facts["base"] != BASE:
            raise project.ProjectError(f"It was taught on top of {facts['base']}; this page has {BASE}.")
        base = state["taught"].base
        opened, features = Teachable(base), project.array_of(project.part(files, "features.npy"))
        if features.shape != (len(facts["examples"]), base.features):
            raise project.ProjectError("It is damaged: its examples and their features differ in number.")
        examples = []
        for (number, path), row in zip(facts["examples"], features.astype(np.float32), strict=True):
            examples.append([opened.put(int(number), row), int(number), project.part(files, path), row])
        learned = [[int(number), str(name)] for number, name in facts.get("learned", [])]
        classes = [[int(number), str(name)] for number, name in facts["classes"]]
        if learned:
            opened.take(*await checked(project.part(files, project.MODEL), [number for number, _ in learned], base.features))
    state["opened"] = opened
    return {"classes": classes, "examples": examples, "learned": learned, "settings": facts.get("settings", {})}


def accept_project():
    state.update(taught=state["opened"], opened=None)
