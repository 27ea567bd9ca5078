"""What Python does for the page: loads a network of pose.py and finds poses in the pictures that come."""

import json

from pose import Finder, shown
from pyml_page import post

finder = Finder()


async def load(name):
    def progress(received, total):
        post("loading", json.dumps({"received": received, "total": total}))

    network = await finder.network(name, progress)
    finder.before = None
    return {"licence": network.licence, "source": network.source}


async def find(picture, name, live):
    return shown(await finder.find(picture, name, live), picture.width, picture.height)


async def export(files, name):
    """The page's twin: its `files`, pairs of a path and a text, and the network, as the bytes of a .zip file."""
    return await finder.export_page(dict(files), name)
