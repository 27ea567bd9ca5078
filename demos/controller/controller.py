"""A controller made of your own poses: examples of four commands, a network that learns them, and a maze to play.

The page collects its examples from a camera. In a terminal `python demos/controller/controller.py` does the same with
drawn pictures, which need none; `--way head` learns from the features of MobileNet.
"""

import json
import random

import numpy as np

from pyml import Input, Model, Sequential, hub, layers, ops, optimizers, utils
from pyml.export import export_zip_async
from pyml.models import KNNClassifier

COMMANDS = ("up", "down", "left", "right")
STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
SIZE = 128  # pixels of a picture, across and down
MOST = 150  # examples of a command; further ones take the place of the oldest
FEWEST = 5  # of each command, before anything can be learned
LEARNING_RATE = 0.001
SURE = 0.55  # least share of the best command that moves the player


# ---- three ways to learn: each gives features of a picture, learns from some, and shares for others


class SmallNetwork:
    """A convolutional network that learns from nothing; it sees the pictures at half their size and needs no download."""

    name, side, epochs = "small", SIZE // 2, 10

    async def load(self, progress=None):
        pass

    async def features(self, picture):
        side = self.side
        return picture.reshape(side, 2, side, 2, 3).mean(axis=(1, 3), dtype=np.float32)

    async def learn(self, x, y, epochs, callbacks, rate, test):
        utils.set_random_seed(1)
        model = Sequential(
            [
                Input((self.side, self.side, 3)),
                layers.Rescaling(1 / 127.5, offset=-1.0),
                layers.Conv2D(12, 5, strides=2, activation="relu"),
                layers.Conv2D(16, 3, strides=2, activation="relu"),
                layers.Conv2D(24, 3, strides=2, activation="relu"),
                layers.Flatten(),
                layers.Dropout(0.25),
                layers.Dense(48, activation="relu"),
                layers.Dense(len(COMMANDS), activation="softmax"),
            ]
        )
        return await fitted(model, *varied(x, y), epochs, callbacks, rate, test)

    async def shares(self, model, x):
        return await model.predict_async(x, batch_size=min(64, len(x)), verbose=0)

    def whole(self, model):
        """One model for other libraries."""
        return model

    def on_device(self, model, pictures):
        """The shares of a tensor of pictures."""
        rows = ops.reshape(pictures, (-1, self.side, 2, self.side, 2, 3))
        return model(ops.mean(rows, axis=(2, 4)), training=False)

    takes = f"pictures of {SIZE // 2} × {SIZE // 2} × 3 values from 0 to 255"


class MobileNetHead:
    """MobileNet, trained on 1.2 million photos, turns a picture into 1024 features; a single dense layer learns from them."""

    name, epochs = "head", 20
    takes = "pictures of 224 × 224 × 3 values from 0 to 255"

    async def load(self, progress=None):
        self.base = await hub.mobilenet_v1_async(progress)

    async def features(self, picture):
        return await self.base.embed(picture).data()

    async def learn(self, x, y, epochs, callbacks, rate, test):
        utils.set_random_seed(1)
        model = Sequential([Input(x.shape[1:]), layers.Dropout(0.3), layers.Dense(len(COMMANDS), activation="softmax")])
        return await fitted(model, x, y, epochs, callbacks, rate, test)

    async def shares(self, model, x):
        return await model.predict_async(x, batch_size=min(64, len(x)), verbose=0)

    def whole(self, model):
        x = layers.Reshape((self.base.features,), name="features")(self.base.keras.get_layer("global_average_pooling2d").output)
        for layer in model.layers:
            x = layer(x)
        return Model(self.base.keras.input, x, name="controller")

    def on_device(self, model, pictures):
        return model(self.base.embed(pictures), training=False)


class MobileNetNeighbours(MobileNetHead):
    """The same features; a picture means what most of the nearest examples mean. Nothing is trained."""

    name = "neighbours"

    async def learn(self, x, y, epochs, callbacks, rate, test):
        knn = KNNClassifier()
        for features, number in zip(x, y, strict=True):
            knn.add_example(features, int(number))
        return knn

    async def shares(self, knn, x):
        found = [(await knn.predict_class_async(features, k=5)).confidences for features in x]
        return np.array([[float(confidences.get(i, 0)) for i in range(len(COMMANDS))] for confidences in found], np.float32)

    def whole(self, knn):
        raise ValueError("Nearest neighbours are not a network that could be exported: learn with one of the other two, then export that.")

    def on_device(self, knn, pictures):
        return self.whole(knn)


async def fitted(model, x, y, epochs, callbacks, rate, test):
    """The network, trained."""
    model.compile(optimizer=optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    await model.fit_async(x, y, batch_size=16, epochs=epochs, verbose=0, validation_data=test, callbacks=callbacks)
    return model


WAYS = {way.name: way for way in (SmallNetwork, MobileNetHead, MobileNetNeighbours)}


class Controller:
    """Learns which picture means which command.

    Pictures are uint8 arrays `(128, 128, 3)`.
    """

    def __init__(self):
        self.pictures = {command: [] for command in COMMANDS}
        self.seen = {command: [] for command in COMMANDS}  # the features of each picture, None where it has not been looked at
        self.way, self.loaded = SmallNetwork(), {}
        self.learned = None
        self.tested = [], []  # commands by number, and what they were taken for, of pictures that were never learned

    async def choose(self, name, progress=None):
        """Takes another way to learn; the pictures stay, and must be learned anew.

        Raises:
            HubError: Its network cannot be loaded; the way of before stays.
        """
        way = self.loaded.get(name) or WAYS[name]()
        if name not in self.loaded:
            await way.load(progress)
        self.loaded[name] = self.way = way
        self.learned = None
        self.seen = {command: [None] * len(some) for command, some in self.pictures.items()}

    # ---- examples
    async def add(self, command, picture):
        """Adds a picture of a command; returns how many the command has."""
        if command not in self.pictures:
            raise ValueError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")
        if picture.shape != (SIZE, SIZE, 3):
            raise ValueError(f"A picture must have the shape {(SIZE, SIZE, 3)}; this one has {picture.shape}.")
        picture = np.array(picture, np.uint8)
        return self.put(command, picture, await self.way.features(picture))

    def put(self, command, picture, features=None):
        """Adds a picture that need not be looked at before something is learned; returns how many the command has."""
        self.pictures[command].append(picture)
        self.seen[command].append(features)
        del self.pictures[command][:-MOST], self.seen[command][:-MOST]
        return len(self.pictures[command])

    def forget(self, command):
        """Drops the examples of a command; with the last ones also what was learned from them."""
        self.pictures[command].clear()
        self.seen[command].clear()
        if not any(self.pictures.values()):
            self.learned, self.tested = None, ([], [])

    async def split(self):
        """`(x, y), (x_test, y_test)`: every fifth example of a command is kept for the test."""
        few = [command for command, some in self.pictures.items() if len(some) < FEWEST]
        if few:
            names = " and ".join([", ".join(few[:-1]), few[-1]] if len(few) > 1 else few)
            raise ValueError(f"Too few examples of {names}: every command needs {FEWEST} or more. Hold its button a little longer.")
        for command in COMMANDS:
            for i, features in enumerate(self.seen[command]):
                if features is None:
                    self.seen[command][i] = await self.way.features(self.pictures[command][i])
        x = np.concatenate([np.stack(self.seen[command]) for command in COMMANDS])
        y = np.concatenate([np.full(len(self.seen[command]), i, np.int32) for i, command in enumerate(COMMANDS)])
        test = np.concatenate([np.arange(len(self.seen[command])) % FEWEST == 2 for command in COMMANDS])
        return (x[~test], y[~test]), (x[test], y[test])

    # ---- learning
    async def train(self, epochs=None, callbacks=None, rate=LEARNING_RATE):
        """Learns the examples anew; returns the accuracy on those kept for the test, and how many they are.

        Raises:
            ValueError: A command has too few examples; what was learned before stays.
        """
        (x, y), test = await self.split()
        learned = await self.way.learn(x, y, epochs or self.way.epochs, callbacks, rate, test)
        guesses = (await self.way.shares(learned, test[0])).argmax(axis=1)
        self.learned, self.tested = learned, (test[1], guesses)
        return float((guesses == test[1]).mean()), len(guesses)

    async def export_page(self, files):
        """A zip file with a page of `files`, texts by their names, the network, which plays with no Python, and mazes; as bytes."""
        if self.learned is None:
            raise ValueError("Train the controller before you export it.")
        way, model = self.way, self.learned
        way.whole(model)  # refuses what is not a network

        def controller(pictures):
            return way.on_device(model, pictures)

        mazes = [Maze(seed=seed) for seed in range(1, 21)]
        drawn = [{"size": maze.size, "ways": maze.walls(), "player": maze.player, "exit": maze.exit} for maze in mazes]
        base = getattr(way, "base", None)
        facts = {"names": COMMANDS, "sure": SURE, "mazes": drawn}
        facts.update(source=getattr(base, "source", None), licence=getattr(base, "licence", None))
        square = np.zeros((1, SIZE, SIZE, 3), np.float32)
        pages = {**files, "controller.json": json.dumps(facts)}
        return await export_zip_async(controller, "controller", pages, inside="model", inputs=[square], weights="float16")

    async def predict(self, picture):
        """The share of each command, four numbers that add up to 1."""
        if self.learned is None:
            raise ValueError("Train the controller first.")
        features = await self.way.features(np.asarray(picture, np.uint8))
        shares = await self.way.shares(self.learned, features[None])
        return [float(share) for share in shares[0]]


def varied(x, y, copies=2, shift=5, seed=2):
    """The pictures and, of each, copies a few pixels off and a little darker or brighter: nobody holds quite still."""
    pick, side = np.random.default_rng(seed), x.shape[1]
    bordered = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
    every = [x]
    for _ in range(copies):
        places = pick.integers(0, 2 * shift + 1, (len(x), 2))
        moved = np.stack([picture[i : i + side, j : j + side] for picture, (i, j) in zip(bordered, places, strict=True)])
        every.append(np.clip(moved * pick.uniform(0.8, 1.2, (len(x), 1, 1, 1)), 0, 255).astype(np.float32))
    return np.concatenate(every), np.concatenate([y] * (copies + 1))


class Maze:
    """A maze with one way between any two of its cells, the player in one corner and the exit in the other.

    Args:
        size: Cells across and down, 2 or more.
        seed: Which maze; the same number gives the same one.
    """

    def __init__(self, size=6, seed=1):
        if size < 2:
            raise ValueError(f"A maze needs 2 cells or more across. Received: size={size}")
        self.size = size
        self.doors = self._carve(random.Random(seed))
        self.player, self.exit = (0, 0), (size - 1, size - 1)
        self.moves = 0

    def _carve(self, pick):
        """Walks at random into cells never visited, and back where there are none; every step opens a door."""
        doors = set()
        seen, path = {(0, 0)}, [(0, 0)]
        while path:
            here = path[-1]
            ways = [cell for cell in self._beside(here) if cell not in seen]
            if not ways:
                path.pop()
                continue
            there = pick.choice(ways)
            doors |= {(here, there), (there, here)}
            seen.add(there)
            path.append(there)
        return doors

    def _beside(self, cell):
        around = ((cell[0] + down, cell[1] + right) for down, right in STEPS.values())
        return [(row, column) for row, column in around if 0 <= row < self.size and 0 <= column < self.size]

    def move(self, command):
        """Moves the player a cell on; False where there is a wall, or the exit has been reached."""
        down, right = STEPS[command]
        there = (self.player[0] + down, self.player[1] + right)
        if self.solved or (self.player, there) not in self.doors:
            return False
        self.player = there
        self.moves += 1
        return True

    @property
    def solved(self):
        return self.player == self.exit

    def way(self):
        """The commands that lead from the player to the exit."""
        before, edge = {self.player: None}, [self.player]
        while self.exit not in before:
            edge = [(there, here) for here in edge for there in self._beside(here) if (here, there) in self.doors and there not in before]
            before.update(edge)
            edge = [there for there, _ in edge]
        steps, cell = [], self.exit
        names = {step: command for command, step in STEPS.items()}
        while before[cell] is not None:
            last = before[cell]
            steps.append(names[cell[0] - last[0], cell[1] - last[1]])
            cell = last
        return steps[::-1]

    def walls(self):
        """For each cell by rows: the commands that lead out of it."""
        cells = [(row, column) for row in range(self.size) for column in range(self.size)]
        return [[c for c, (down, right) in STEPS.items() if (cell, (cell[0] + down, cell[1] + right)) in self.doors] for cell in cells]


class Game:
    """A maze that a stream of predictions plays: a step every `pace` seconds, if the controller is sure."""

    def __init__(self, maze, pace=0.45):
        self.maze, self.pace = maze, pace
        self.last = None

    def play(self, shares, now):
        """What the newest prediction does; `now` in seconds. Returns the command that moved the player, or None."""
        best = int(np.argmax(shares))
        if shares[best] < SURE or (self.last is not None and now - self.last < self.pace):
            return None
        if not self.maze.move(COMMANDS[best]):
            return None
        self.last = now
        return COMMANDS[best]


def drawn_pose(command, pick):
    """A picture of a light disc at one side of a dark, noisy square: a stand-in for somebody leaning that way."""
    down, right = STEPS[command]
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    row, column = SIZE * (0.5 + 0.25 * down + pick.uniform(-0.06, 0.06)), SIZE * (0.5 + 0.25 * right + pick.uniform(-0.06, 0.06))
    disc = (rows - row) ** 2 + (columns - column) ** 2 < (SIZE * pick.uniform(0.14, 0.2)) ** 2
    picture = pick.uniform(20, 60) + 25 * pick.standard_normal((SIZE, SIZE, 3))
    picture[disc] += (150, 120, 90)
    return np.clip(picture, 0, 255).astype(np.uint8)


async def main(arguments=None):
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=WAYS, default=SmallNetwork.name, help="how to learn (default: a small network)")
    parser.add_argument("--pictures", type=int, default=30, help="of each command (default 30)")
    options = parser.parse_args(arguments)
    pick, controller = np.random.default_rng(0), Controller()
    await controller.choose(options.way)
    for command in COMMANDS:
        for _ in range(options.pictures):
            await controller.add(command, drawn_pose(command, pick))
    accuracy, tested = await controller.train()
    print(f"accuracy on {tested} pictures it never saw: {accuracy:.2f}")
    game, second = Game(Maze()), 0.0
    while not game.maze.solved and second < 60:
        shares = await controller.predict(drawn_pose(game.maze.way()[0], pick))
        game.play(shares, second)
        second += 0.25
    print(f"out of the maze in {game.maze.moves} moves" if game.maze.solved else "still in the maze")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
