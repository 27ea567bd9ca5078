"""What Python does for the page: keeps the examples, trains controller.py on them, and plays the maze."""

import json
import time

import exports
import numpy as np
import project
from controller import COMMANDS, WAYS, Controller, Game, Maze
from learning import Report, show_mistakes
from pyml_page import post

import pyml
from pyml.callbacks.event_file import png

PAGE = "controller"
READ_ME = """model.json and its .bin files are a TensorFlow.js layers-model; labels.json names its outputs.

It takes {takes}: the middle square of a picture.

    import * as tf from "@tensorflow/tfjs";
    const model = await tf.loadLayersModel("model.json");
    const labels = await (await fetch("labels.json")).json();
    const square = tf.image.resizeBilinear(tf.browser.fromPixels(image), model.inputs[0].shape.slice(1, 3));   // values from 0 to 255
    const shares = await model.predict(square.expandDims()).data();
    console.log(labels[shares.indexOf(Math.max(...shares))]);

In Python: model = pyml.saving.load_model("model.json")
"""

state = {"controller": Controller(), "game": None, "mazes": 0, "opened": None}


async def pixels(picture):
    """The page's ImageData as uint8 `(height, width, 3)`."""
    return (await pyml.browser.from_pixels(picture).data()).astype(np.uint8)


async def choose(way):
    """Takes another way to learn; returns how many epochs it likes."""
    await state["controller"].choose(way, progress)
    return WAYS[way].epochs


def progress(received, total):
    post("loading", json.dumps({"received": received, "total": total}))


async def add(command, picture):
    return await state["controller"].add(command, await pixels(picture))


async def restore(command, picture):
    """An example of an earlier visit."""
    return state["controller"].put(command, await pixels(picture))


def forget(command):
    state["controller"].forget(command)


async def train(epochs, rate):
    accuracy, tested = await state["controller"].train(epochs, [Report()], rate)
    show_mistakes(*state["controller"].tested, COMMANDS)
    return {"accuracy": accuracy, "tested": tested}


def new_maze():
    state["mazes"] += 1
    state["game"] = Game(Maze(seed=state["mazes"]))
    return {"size": state["game"].maze.size, "ways": state["game"].maze.walls(), **position()}


def position():
    maze = state["game"].maze
    return {"player": list(maze.player), "exit": list(maze.exit), "moves": maze.moves, "solved": maze.solved}


async def look(picture, playing):
    """What the controller takes a picture for; with `playing` it moves the player."""
    shares = await state["controller"].predict(await pixels(picture))
    moved = state["game"].play(shares, time.monotonic()) if playing else None
    return {"shares": shares, "moved": moved, **position()}


def step(command):
    """A step by the keyboard."""
    state["game"].maze.move(command)
    return position()


# ---- taking it away


async def export(files):
    """The page's twin: its `files`, pairs of a path and a text, and what was learned, as the bytes of a .zip file."""
    return await state["controller"].export_page(dict(files))


def whole():
    if state["controller"].learned is None:
        raise ValueError("Train the controller before you export it.")
    return state["controller"].way.whole(state["controller"].learned)


async def export_keras():
    return await exports.keras_bytes(whole())


async def export_tfjs():
    return await exports.tfjs_zip(whole(), COMMANDS, READ_ME.format(takes=state["controller"].way.takes))


# ---- projects


async def trained_model():
    """What was learned, for this browser to keep; neighbours are learned anew from the pictures."""
    controller = state["controller"]
    saved = None if controller.way.name == "neighbours" else await exports.keras_bytes(controller.learned)
    return {"way": controller.way.name, "bytes": saved}


async def restore_model(data):
    """Takes what was learned on an earlier visit, by the way that is chosen."""
    await take(state["controller"], data)


async def take(controller, data):
    if controller.way.name == "neighbours":
        await controller.train()
        return
    model = await project.model_of(data)
    if tuple(model.output_shape) != (None, len(COMMANDS)):
        raise project.ProjectError("The model in it is not one of this page; choose another copy of it.")
    controller.learned = model


async def save_project(settings):
    """The bytes of a project: the pictures, and what was learned."""
    controller = state["controller"]
    files, listed = {}, []
    for command, some in controller.pictures.items():
        for i, picture in enumerate(some):
            path = f"pictures/{command}/{i:03}.png"
            files[path] = png(picture)
            listed.append([command, path])
    facts = {"way": controller.way.name, "examples": listed, "learned": controller.learned is not None, "settings": settings}
    if facts["learned"] and controller.way.name != "neighbours":
        files[project.MODEL] = await exports.keras_bytes(controller.learned)
    return project.pack(PAGE, facts, files)


async def open_project(data):
    """Reads a project; `open_example` adds its pictures, and `accept_project` puts it into the place of what is here."""
    facts, files = project.unpack(data, PAGE)
    with project.reading():
        if facts["way"] not in WAYS:
            raise project.ProjectError(f"It was learned by {facts['way']}, which this page does not have.")
        examples = [[command, project.part(files, path)] for command, path in facts["examples"] if command in COMMANDS]
        neighbours = facts["way"] == "neighbours"
        model = project.part(files, project.MODEL) if facts["learned"] and not neighbours else None
    opened = Controller()
    opened.loaded = dict(state["controller"].loaded)
    await opened.choose(facts["way"], progress)
    if model is not None:
        await take(opened, model)
    state["opened"] = opened, bool(facts["learned"])
    return {"way": facts["way"], "examples": examples, "learned": bool(facts["learned"]), "settings": facts.get("settings", {})}


async def open_example(command, picture):
    return state["opened"][0].put(command, await pixels(picture))


async def accept_project():
    opened, learned = state["opened"]
    if learned and opened.learned is None:
        await take(opened, None)
    state.update(controller=opened, opened=None)
