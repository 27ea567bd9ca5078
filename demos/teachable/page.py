"""What Python does for the page: keeps the examples of teachable.py, learns them, and looks at new pictures."""

import json
import time

import numpy as np
from pyml_page import post
from teachable import BASE, EPOCHS, Teachable

from pyml import callbacks, hub

state = {"taught": None}


class Report(callbacks.Callback):
    """Tells the page about every epoch."""

    def on_epoch_end(self, epoch, logs=None):
        post("epoch", json.dumps({"epoch": epoch + 1, "of": EPOCHS, **{name: float(value) for name, value in logs.items()}}))


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


async def train(classes):
    """Learns `[[number, name], ...]`; returns the share of examples that are named right."""
    return await state["taught"].train(dict(classes), Report())


async def look(picture, by):
    """Pairs of a class' number and its share, and the milliseconds that took."""
    began = time.perf_counter()
    found = await state["taught"].shares(picture, by)
    return {"shares": [[number, share] for number, share in found.items()], "ms": 1000 * (time.perf_counter() - began)}


async def export(files, classes):
    """The page's twin: its `files`, pairs of a path and a text, and what was learned, as the bytes of a .zip file."""
    return await state["taught"].export_page(dict(files), dict(classes))


async def export_tfjs(classes):
    return await state["taught"].export(dict(classes))
