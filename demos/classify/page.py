"""What Python does for the page: loads a network of classify.py and names the pictures that the page sends."""

import json

from classify import Namer
from pyml_page import post

namer = Namer()


async def load(name):
    """Loads a network and tells the page how far it is; returns what to say about it."""

    def progress(received, total):
        post("loading", json.dumps({"received": received, "total": total}))

    model = await namer.network(name, progress)
    return {"licence": model.licence, "source": model.source, "classes": len(model.labels)}


async def classify(picture, name):
    found, milliseconds = await namer.name(picture, name)
    return {"names": [[label, share] for label, share in found], "ms": milliseconds}
