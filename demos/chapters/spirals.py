"""Can a network find its way through two spirals?

A playground: points of two colours that no straight line separates, a network of your
own shape, and the border between the colours as it bends while the network learns.

All that this network sees is two numbers, the place of a point. So its whole
opinion fits into one picture: the colour that it would give to each place. Press
**Run** and watch.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 3, "data": [], "merit": ("accuracy", ">", 0.95, "of the points are on their side")}
pyml.utils.set_random_seed(3)

# %% [markdown]
# ## Two spirals
# Half of the points belong to each; a little noise shakes them.

# %%
POINTS, TURNS, NOISE = 150, 1.25, 0.03
random = np.random.default_rng(0)
along = np.sqrt(random.uniform(0.02, 1, size=(2, POINTS)))
angle = 2 * np.pi * TURNS * along + np.array([[0.0], [np.pi]])
x = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=-1).reshape(-1, 2)
x = (x + random.normal(scale=NOISE, size=x.shape)).astype("float32")
y = np.repeat([0, 1], POINTS)
vis.scatter_plot({"0": x[y == 0], "1": x[y == 1]}, title="The points", width=330, height=330).show()

# %% [markdown]
# ## No hidden layer: a straight line
# A single unit can only draw a straight border. Many points stay on the wrong side of
# it, however long it learns.


# %%
class Border(pyml.callbacks.Callback):
    """Draws the border again and again while a network learns."""

    def __init__(self, name, every):
        super().__init__()
        self.name, self.every = name, every

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            vis.decision_boundary(self.model, x, y, resolution=40, height=300).show(self.name)


def learn(name, hidden, epochs, activation="relu"):
    model = pyml.Sequential([pyml.Input((2,)), *[layers.Dense(units, activation) for units in hidden], layers.Dense(1, "sigmoid")])
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    live = vis.fit_callbacks(f"{name}, loss", metrics=["loss"], callbacks=["on_epoch_end"], warn=False, title=f"{name}, loss")
    history = model.fit(x, y[:, None].astype("float32"), epochs=epochs, batch_size=50, verbose=0, callbacks=[Border(name, 10), live])
    right = history.history["accuracy"][-1]
    print(f"{name}: {model.count_params()} numbers learned, {right:.0%} of the points on their side")
    return right


learn("A straight line", [], 20)

# %% [markdown]
# ## Hidden layers bend it
# Each unit of a first hidden layer draws a line of its own; the next layer puts them
# together. Watch the border curl up.

# %%
accuracy = learn("Two hidden layers", [24, 16], 220)

# %% [markdown]
# ## A playground
# A network of your own, drawn as what it is: each little picture is one unit and shows
# where on the plane it answers high (orange) and low (blue); the lines are the weights.
# Add and take away units and layers, and choose other points: it learns anew after each
# press, and you see what its units find.

# %%
ROUNDS = 60
distance, turn = random.uniform(size=2 * POINTS), random.uniform(0, 2 * np.pi, 2 * POINTS)
far = np.where(y == 1, 0.65, 0.0) + 0.35 * distance
square = random.uniform(-1, 1, size=(2 * POINTS, 2))
PLANES = {
    "two spirals": (x, y),
    "a disc in a ring": (np.stack([far * np.cos(turn), far * np.sin(turn)], -1).astype("float32"), y),
    "a chessboard of four": (square.astype("float32"), (square[:, 0] * square[:, 1] > 0).astype(int)),
}
own = {"points": "two spirals", "layers": 2, "units": 6, "activation": "tanh"}


class Drawn(pyml.callbacks.Callback):
    """Draws the units and the border now and then."""

    def on_epoch_end(self, epoch, logs=None):
        if chapter.pause():
            self.model.stop_training = True
        elif (epoch + 1) % 20 == 0:
            shape = f"{own['layers']} x {own['units']} {own['activation']} units" if own["layers"] else "No hidden layer"
            vis.neurons(self.model, points, title=f"Your network: {shape}").show("Your network")
            right = f"{logs['accuracy']:.0%} of the points on their side"
            vis.decision_boundary(self.model, points, kinds, resolution=40, height=300, title=right).show("Your network's border")


def play(change=None):
    """Changes the network or its points, and lets it learn."""
    global points, kinds
    what, value = change or ("layers", 0)
    if what in ("layers", "units"):
        own[what] = int(np.clip(own[what] + value, 0 if what == "layers" else 1, 4 if what == "layers" else 8))
    else:
        own[what] = value
    if chapter.pause():  # something else was pressed: that learns
        return
    points, kinds = PLANES[own["points"]]
    hidden = [layers.Dense(own["units"], own["activation"]) for _ in range(own["layers"])]
    model = pyml.Sequential([pyml.Input((2,)), *hidden, layers.Dense(1, "sigmoid")])
    model.compile(optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    model.fit(points, kinds[:, None].astype("float32"), epochs=ROUNDS, batch_size=50, verbose=0, callbacks=[Drawn()])


chapter.choice("Points", list(PLANES), lambda name: play(("points", name)))
chapter.buttons("Network", {"a layer more": ("layers", 1), "a layer less": ("layers", -1), "a unit more in each": ("units", 1),
                            "a unit less in each": ("units", -1)}, play)  # fmt: skip
chapter.buttons("Activation", {name: ("activation", name) for name in ("tanh", "relu", "sigmoid")}, play)

# %% [markdown]
# ## Things to try
# - More `TURNS`: 2 turns need more units, or more epochs.
# - More `NOISE`: at 0.1 the border begins to learn single points by heart.
# - `activation="tanh"` makes a round border, and needs luck: try other seeds above.
