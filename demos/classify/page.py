"""What Python does for the page: loads a network of classify.py and names the pictures that the page sends."""

import json

import numpy as np
from classify import Namer
from pyml_page import post

import pyml

namer = Namer()


async def load(name):
    """Loads a network and tells the page how far it is; returns what to say about it."""

    def progress(received, total):
        post("loading", json.dumps({"name": name, "received": received, "total": total}))

    model = await namer.network(name, progress)
    return {"licence": model.licence, "source": model.source, "classes": len(model.labels)}


async def classify(picture, name):
    found, milliseconds = await namer.name(picture, name)
    return {"names": [[label, share] for label, share in found], "ms": milliseconds}


async def export(files, name):
    """The page's twin: its `files`, pairs of a path and a text, and the network, as the bytes of a .zip file."""
    model = await namer.network(name)

    def photos(pictures):
        return model.probabilities(pictures)

    facts = {"labels": model.labels, "source": model.source, "licence": model.licence}
    square = np.zeros((1, model.size, model.size, 3), np.float32)
    pages = {**dict(files), "network.json": json.dumps(facts)}
    return await pyml.export.export_zip_async(photos, "photos", pages, inside="model", inputs=[square], weights="float16")
