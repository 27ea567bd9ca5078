"""A controller made of your own poses: examples of four commands, a network that learns them, and a maze to play.

The page collects its examples from a camera. In a terminal `python demos/controller/controller.py` does the same with
drawn pictures, which need none.
"""

import random

import numpy as np

from pyml import Input, Sequential, layers, utils

COMMANDS = ("up", "down", "left", "right")
STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
SIZE = 64  # pixels of a picture, across and down
MOST = 150  # examples of a command; further ones take the place of the oldest
FEWEST = 5  # of each command, before anything can be learned
SURE = 0.55  # least share of the best command that moves the player


def small_network():
    """A convolutional network for pictures of 64 x 64, small enough to learn from nothing in seconds."""
    utils.set_random_seed(1)
    model = Sequential(
        [
            Input((SIZE, SIZE, 3)),
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
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Controller:
    """Learns which picture means which command.

    Pictures are uint8 arrays `(64, 64, 3)`.
    """

    def __init__(self):
        self.examples = {command: [] for command in COMMANDS}
        self.model = None

    # ---- examples
    def add(self, command, picture):
        """Adds a picture of a command; returns how many the command has."""
        if command not in self.examples:
            raise ValueError(f"There is no command {command!r}; there are {', '.join(COMMANDS)}.")
        if picture.shape != (SIZE, SIZE, 3):
            raise ValueError(f"A picture must have the shape {(SIZE, SIZE, 3)}; this one has {picture.shape}.")
        some = self.examples[command]
        some.append(np.array(picture, np.uint8))
        del some[:-MOST]
        return len(some)

    def forget(self, command):
        """Drops the examples of a command."""
        self.examples[command].clear()

    def counts(self):
        return {command: len(some) for command, some in self.examples.items()}

    def split(self):
        """`(x, y), (x_test, y_test)`: every fifth example of a command is kept for the test."""
        few = [command for command, some in self.examples.items() if len(some) < FEWEST]
        if few:
            names = " and ".join([", ".join(few[:-1]), few[-1]] if len(few) > 1 else few)
            raise ValueError(f"Too few examples of {names}: every command needs {FEWEST} or more. Hold its button a little longer.")
        x = np.concatenate([np.stack(self.examples[command]) for command in COMMANDS])
        y = np.concatenate([np.full(len(self.examples[command]), i, np.int32) for i, command in enumerate(COMMANDS)])
        test = np.concatenate([np.arange(len(self.examples[command])) % FEWEST == 2 for command in COMMANDS])
        return (x[~test].astype(np.float32), y[~test]), (x[test].astype(np.float32), y[test])

    # ---- learning
    async def train(self, epochs=12, batch_size=16, callbacks=None):
        """Builds a new network and trains it; returns its accuracy on examples that it never saw.

        Raises:
            ValueError: A command has too few examples; the network of before stays as it was.
        """
        (x, y), (x_test, y_test) = self.split()
        x, y = varied(x, y)
        model = small_network()
        await model.fit_async(x, y, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=callbacks)
        shares = await model.predict_async(x_test, batch_size=64, verbose=0)
        self.model = model
        return float((shares.argmax(axis=1) == y_test).mean())

    async def predict(self, picture):
        """The share of each command, four numbers that add up to 1."""
        if self.model is None:
            raise ValueError("Train the controller first.")
        shares = await self.model.predict_async(np.asarray(picture, np.float32)[None], verbose=0)
        return [float(share) for share in shares[0]]


def varied(x, y, copies=2, shift=5, seed=2):
    """The pictures and, of each, copies a few pixels off and a little darker or brighter: nobody holds quite still."""
    pick = np.random.default_rng(seed)
    bordered = np.pad(x, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="edge")
    every = [x]
    for _ in range(copies):
        places = pick.integers(0, 2 * shift + 1, (len(x), 2))
        moved = np.stack([picture[i : i + SIZE, j : j + SIZE] for picture, (i, j) in zip(bordered, places, strict=True)])
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
    row, column = 32 + 16 * down + pick.uniform(-4, 4), 32 + 16 * right + pick.uniform(-4, 4)
    disc = (rows - row) ** 2 + (columns - column) ** 2 < pick.uniform(9, 13) ** 2
    picture = pick.uniform(20, 60) + 25 * pick.standard_normal((SIZE, SIZE, 3))
    picture[disc] += (150, 120, 90)
    return np.clip(picture, 0, 255).astype(np.uint8)


async def main():
    pick = np.random.default_rng(0)
    controller = Controller()
    for command in COMMANDS:
        for _ in range(30):
            controller.add(command, drawn_pose(command, pick))
    accuracy = await controller.train()
    print(f"accuracy on pictures it never saw: {accuracy:.2f}")
    game, second = Game(Maze()), 0.0
    while not game.maze.solved and second < 60:
        shares = await controller.predict(drawn_pose(game.maze.way()[0], pick))
        game.play(shares, second)
        second += 0.25
    print(f"out of the maze in {game.maze.moves} moves" if game.maze.solved else "still in the maze")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
