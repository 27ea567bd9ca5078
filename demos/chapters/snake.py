"""Can a network learn to play snake?

Deep Q-learning: a network that only hears when the snake has eaten and when it has died
learns to play, from what it remembers of its games. Play against it while it learns.

A snake creeps over a board, eats, and grows; it dies at the wall and when it bites
itself. Unlike the pole on its cart the reward is rare, and most of what one does has its
price only much later. Press **Run**.
"""

import time

import chapter
import numpy as np

import pyml
from pyml import layers, ops, optimizers, vis

CHAPTER = {"order": 9, "data": [], "merit": ("eaten", ">", 8, "apples in a game")}
pyml.utils.set_random_seed(9)
luck = np.random.default_rng(9)

# %% [markdown]
# ## The game
# The board has 8 by 8 squares. Before each step the snake may turn left or right, or go
# straight on. It starves when it finds nothing for a hundred steps, so that it cannot run
# in circles for ever.

# %%
SIZE, PATIENCE, VIEW = 8, 100, 17
WAYS = [(-1, 0), (0, 1), (1, 0), (0, -1)]  # up, right, down, left
LEFT, STRAIGHT, RIGHT = -1, 0, 1


class Snake:
    """A game: where the snake lies, head first, where it goes, and the apple."""

    def __init__(self):
        middle = SIZE // 2
        self.body, self.way, self.eaten, self.hunger = [(middle, middle), (middle, middle - 1)], 1, 0, 0
        self.sow()

    def sow(self):
        free = [(row, column) for row in range(SIZE) for column in range(SIZE) if (row, column) not in self.body]
        self.apple = free[luck.integers(len(free))] if free else None

    def step(self, turn):
        """Creeps on by a square. Returns the reward, and whether the game is over."""
        self.way = (self.way + turn) % 4
        row, column = self.body[0][0] + WAYS[self.way][0], self.body[0][1] + WAYS[self.way][1]
        self.hunger += 1
        if not (0 <= row < SIZE and 0 <= column < SIZE) or (row, column) in self.body[:-1]:
            return -1.0, True
        self.body.insert(0, (row, column))
        if (row, column) != self.apple:
            self.body.pop()
            return -0.01, self.hunger > PATIENCE
        self.eaten, self.hunger = self.eaten + 1, 0
        self.sow()
        return 1.0, self.apple is None

    def board(self):
        """What the snake sees, `(VIEW, VIEW, 2)`: what is in its way, and the apple. It lies in the middle and creeps upwards."""
        seen = np.zeros((VIEW, VIEW, 2), "float32")
        seen[:, :, 0] = 1
        up, left = SIZE - self.body[0][0], SIZE - self.body[0][1]
        seen[up : up + SIZE, left : left + SIZE, 0] = 0
        for i, (row, column) in enumerate(self.body[:-1]):
            seen[up + row, left + column, 0] = 1 - i / len(self.body)  # the nearer to its end, the sooner it will be gone
        if self.apple is not None:
            seen[up + self.apple[0], left + self.apple[1], 1] = 1
        return np.rot90(seen, self.way)


def picture(game, title, name):
    colours = np.full((SIZE + 2, SIZE + 2, 3), 0.45)
    colours[1:-1, 1:-1] = 0.93
    for i, (row, column) in enumerate(game.body):
        colours[row + 1, column + 1] = (0, 0.45, 0.7) if i else (0, 0.25, 0.45)
    if game.apple is not None:
        colours[game.apple[0] + 1, game.apple[1] + 1] = (0.84, 0.37, 0)
    vis.image_grid([colours], columns=1, width=170, title=title).show(name)


# %% [markdown]
# ## Your turn
# Each press turns your snake and lets it creep on. With a button in focus the arrow keys
# do it too. You can play on while the network learns below.

# %%
mine = {"game": Snake(), "best": 0}


def play(turn):
    game = mine["game"]
    _, over = game.step(turn)
    mine["best"] = max(mine["best"], game.eaten)
    if over:
        mine["game"] = Snake()
    picture(mine["game"], f"{mine['game'].eaten} eaten", "Your snake")
    return f"It is over with {game.eaten} eaten; your best is {mine['best']}." if over else f"{game.eaten} eaten"


picture(mine["game"], "press a button", "Your snake")
chapter.buttons("Creep", {"← left": LEFT, "↑ straight on": STRAIGHT, "right →": RIGHT}, play)


# %% [markdown]
# ## What a move is worth
# The network gets what the snake sees and gives three numbers: what it is **worth** to turn
# left, to go on, to turn right. The worth of a move is its reward, and 0.95 times the worth
# of the best move after it (the Bellman equation), so an apple that is three moves away
# counts a little less than one right here.
#
# The network learns from its own estimates, and could talk itself into anything. Two tricks
# of the paper that began deep Q-learning (Mnih and others, 2015) keep it calm. A **memory**
# of the last 20,000 moves: it learns from some drawn by lot, not from those that just came
# one after the other. And a **target network**, an older copy of itself which judges what
# comes after a move.

# %%
GAMES, BATCH, KEPT, FORESIGHT = 8, 64, 20_000, 0.95


def network():
    return pyml.Sequential([pyml.Input((VIEW, VIEW, 2)), layers.Flatten(), layers.Dense(96, "relu"), layers.Dense(48, "relu"),
                            layers.Dense(3)])  # fmt: skip


def of_the_move_made(made_and_worth, said):
    """The error of the one number that is known better now: that of the move that was made."""
    made, worth = made_and_worth[:, :3], made_and_worth[:, 3]
    return ops.mean((ops.sum(made * said, axis=1) - worth) ** 2)


thinker, target = network(), network()
thinker.compile(optimizers.Adam(0.001), of_the_move_made)


class Memory:
    """The last moves: what was seen, the move, its reward, what was seen then, and whether the game was over."""

    def __init__(self, size):
        self.size, self.count = size, 0
        self.seen, self.then = (np.zeros((size, VIEW, VIEW, 2), "float16") for _ in range(2))
        self.move, self.reward, self.over = np.zeros(size, int), np.zeros(size, "float32"), np.zeros(size, "float32")

    def keep(self, seen, move, reward, then, over):
        i = self.count % self.size
        self.seen[i], self.move[i], self.reward[i], self.then[i], self.over[i] = seen, move, reward, then, over
        self.count += 1

    def some(self, number):
        i = luck.integers(min(self.count, self.size), size=number)
        return self.seen[i].astype("float32"), self.move[i], self.reward[i], self.then[i].astype("float32"), self.over[i]


def learn_from(memory):
    seen, move, reward, then, over = memory.some(BATCH)
    worth = reward + FORESIGHT * (1 - over) * target.predict_on_batch(then).max(axis=1)
    thinker.train_on_batch(seen, np.c_[np.eye(3, dtype="float32")[move], worth])


# %% [markdown]
# ## It learns
# Eight games at a time. At first all moves are drawn by lot, and less and less of them later:
# who never tries anything finds nothing out. Then the snake lives by what it has learned.

# %%
STEPS, CURIOUS = 3000, 1500
games, memory = [Snake() for _ in range(GAMES)], Memory(KEPT)
seen = np.stack([game.board() for game in games])
finished, curve, began = [], [], time.perf_counter()
for step in range(STEPS):
    if step % 150 == 0:
        target.set_weights(thinker.get_weights())
    moves = thinker.predict_on_batch(seen).argmax(axis=1)
    tried = luck.random(GAMES) < max(0.02, 1 - step / CURIOUS)
    moves = np.where(tried, luck.integers(3, size=GAMES), moves)
    for i, game in enumerate(games):
        reward, over = game.step(moves[i] - 1)
        then = game.board()
        memory.keep(seen[i], moves[i], reward, then, over)
        if over:
            finished.append(game.eaten)
            games[i], then = Snake(), None
        seen[i] = games[i].board() if then is None else then
    learn_from(memory)
    if step % 10 == 0:
        picture(games[0], f"step {step}, {games[0].eaten} eaten", "The network's snake")
        chapter.pause()
    if (step + 1) % 100 == 0 and finished:
        curve.append([step + 1, float(np.mean(finished[-60:]))])
        vis.line_chart({"apples": curve}, title="Apples in a game", x_label="step of learning", y_label="mean of 60 games").show()
seconds = time.perf_counter() - began
print(f"{STEPS} steps, {STEPS / seconds:.0f} in a second; {len(finished)} games, the longest with {max(finished)} eaten")

# %% [markdown]
# ## A test
# Forty games in which nothing is left to the lot but where the apples lie. Those with
# none are snakes that turn in circles until they starve: there is no chance move any more
# that would lead them out.

# %%
TESTS = 40


def game_of(count):
    """Plays games to their ends, all at once; returns how much was eaten in each, and the moments of the best."""
    games, films, alive = [Snake() for _ in range(count)], [[] for _ in range(count)], list(range(count))
    while alive:
        worth = thinker.predict_on_batch(np.stack([game.board() for game in games]))
        for i in list(alive):
            films[i].append((list(games[i].body), games[i].apple, worth[i]))
            if games[i].step(int(worth[i].argmax()) - 1)[1] or len(films[i]) > 2000:
                alive.remove(i)
    counts = [game.eaten for game in games]
    return counts, films[int(np.argmax(counts))]


counts, film = game_of(TESTS)
eaten = float(np.mean(counts))
print(f"{eaten:.1f} eaten in a game on average, {max(counts)} in the best")
vis.histogram(counts, title="What it ate in forty games", x_label="apples", height=200).show()

# %% [markdown]
# The best of them once more, and what the network thought that each move is worth:

# %%
NAMES = ["left", "straight on", "right"]


def moment(step):
    game = Snake()
    game.body, game.apple, worth = film[int(step)]
    picture(game, f"move {int(step)}", "The best game")
    vis.bar_chart(dict(zip(NAMES, worth)), title="What each move is worth", y_label="worth", height=190).show()


chapter.slider("Move", 0, len(film) - 1, 0, moment, step=1)

# %% [markdown]
# ## Things to try
# - Forget the memory: `KEPT = 64`. Or the target: copy the weights at every step.
# - A short-sighted snake: `FORESIGHT = 0.5`.
# - A reward of -0.01 for each step hurries it along. What does it do with -0.2, or with 0?
# - 10,000 steps; a larger board.
