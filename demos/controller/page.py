"""What Python does for the page: keeps the examples, trains controller.py on them, and plays the maze."""

import json
import time

import numpy as np
from controller import Controller, Game, Maze
from pyml_page import post, stopping

import pyml
from pyml import callbacks

state = {"controller": Controller(), "game": None, "mazes": 0}


async def pixels(picture):
    """The page's ImageData as uint8 `(height, width, 3)`."""
    return (await pyml.browser.from_pixels(picture).data()).astype(np.uint8)


async def choose(way):
    """Takes another way to learn."""

    def progress(received, total):
        post("loading", json.dumps({"received": received, "total": total}))

    await state["controller"].choose(way, progress)


async def add(command, picture):
    return await state["controller"].add(command, await pixels(picture))


def forget(command):
    state["controller"].forget(command)


class Report(callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_train_begin(self, logs=None):
        self.epochs = self.params.get("epochs", self.epochs)

    def on_epoch_end(self, epoch, logs=None):
        post("epoch", json.dumps({"epoch": epoch + 1, "of": self.epochs, "loss": logs["loss"], "accuracy": logs["accuracy"]}))
        if stopping():
            self.model.stop_training = True


async def train(epochs):
    accuracy, tested = await state["controller"].train(epochs, [Report(epochs)])
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
