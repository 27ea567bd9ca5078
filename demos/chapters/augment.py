"""What can be done with data that are bad, or few?

Gaps, typing mistakes and too few examples: a pipeline that mends a broken table of cars,
and augmentation, which makes many pictures out of a few, with a gallery to play with.

Data of textbooks are whole and plenty. Real ones have gaps, somebody put a point in the
wrong place, and there are never enough of them. This chapter breaks a table in order to
mend it, and then learns to read from two hundred digits. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import data, layers, optimizers, vis

CHAPTER = {"order": 13, "data": ["cars.csv", "mnist.npz"], "merit": ("augmented", ">", 0.88, "of the digits that it has not seen")}
pyml.utils.set_random_seed(13)
luck = np.random.default_rng(13)

# %% [markdown]
# ## A table, broken
# The cars of the first chapter. To know what a remedy is worth one has to know the truth,
# so the mistakes are made here: of the cars to learn from one value in eight is lost, and
# one in forty was typed without its decimal point, ten times too large. The test stays as
# it is.

# %%
FACTS = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Year"]
rows = np.genfromtxt(chapter.file("cars.csv"), delimiter=",", names=True)
table = np.stack([rows[name] for name in [*FACTS, "Miles_per_Gallon"]], axis=1).astype("float32")
table = luck.permutation(table[~np.isnan(table).any(axis=1)])
test, whole = table[:80], table[80:]
broken = whole.copy()
inputs = broken[:, :-1]  # the answers are left alone
inputs[luck.random(inputs.shape) < 1 / 40] *= 10
inputs[luck.random(inputs.shape) < 1 / 8] = np.nan
print(f"{len(broken)} cars to learn from; {np.isnan(broken).any(axis=1).sum()} of them have a gap, {len(test)} whole ones are the test")

# %% [markdown]
# ## Look first
# **Outliers** show in a histogram: nearly all cars stand in one heap at the left, and a
# few far off at the right. The limit moves with the slider; it is measured in spreads of
# the middle half of the values (the *interquartile range*), because mean and standard
# deviation are themselves pulled by the outliers.


# %%
def limits(columns, reach):
    """What lies further than `reach` interquartile ranges from the middle half counts as a mistake: lowest, highest of each column."""
    low, high = np.nanpercentile(columns, [25, 75], axis=0)
    return low - reach * (high - low), high + reach * (high - low)


weight = broken[:, FACTS.index("Weight_in_lbs")]
vis.histogram(weight[np.isfinite(weight)], title="Weights as they stand in the table", x_label="pounds", height=220).show()


def look(reach):
    low, high = limits(weight[:, None], reach)
    kept = weight[(weight >= low) & (weight <= high)]
    true = whole[:, FACTS.index("Weight_in_lbs")]
    wrong = np.isfinite(weight) & (weight != true)
    out = np.isfinite(weight) & ~((weight >= low) & (weight <= high))
    vis.histogram(kept, title="Weights within the limits", x_label="pounds", height=220).show()
    return f"{out.sum()} taken out, {(out & wrong).sum()} of the {wrong.sum()} mistakes among them and {(out & ~wrong).sum()} right ones"


chapter.slider("Interquartile ranges", 0.1, 4, 1.5, look, step=0.1)

# %% [markdown]
# ## A pipeline
# A **pipeline** does the same to each car, now and later: outliers become gaps, gaps are
# filled with the *median* of their column, and a flag for each says that it was filled, so
# that the network need not believe it. Then all is normalized. Everything that it has to
# know is measured on the cars to learn from, once; `data.Dataset` then takes car by car
# through it.


# %%
def pipeline(columns, reach, flags):
    """Makes the function that mends one row, of what these columns look like."""
    low, high = limits(columns, reach) if reach else (-np.inf, np.inf)
    clean = np.where((columns >= low) & (columns <= high), columns, np.nan)
    middle, mean, spread = np.nanmedian(clean, axis=0), np.nanmean(clean, axis=0), np.nanstd(clean, axis=0)

    def mend(row):
        gap = ~((row >= low) & (row <= high))  # also where it is NaN
        scaled = (np.where(gap, middle, row) - mean) / spread
        return np.concatenate([scaled, gap]).astype("float32") if flags else scaled.astype("float32")

    return mend


def learn(name, cars, reach=None, flags=False):
    mend = pipeline(cars[:, :-1], reach, flags)
    network = pyml.Sequential([pyml.Input((len(FACTS) * (1 + flags),)), layers.Dense(32, "relu"), layers.Dense(32, "relu"),
                               layers.Dense(1)])  # fmt: skip
    network.compile(optimizers.Adam(0.01), "mae")
    lessons = data.Dataset.from_tensor_slices(cars).map(lambda car: (mend(car[:-1]), car[-1:])).cache().shuffle(len(cars), seed=1).batch(32)
    network.fit(lessons, epochs=EPOCHS, verbose=0)
    errors[name] = float(np.abs(network.predict(np.stack([mend(car[:-1]) for car in test]), verbose=0)[:, 0] - test[:, -1]).mean())
    vis.bar_chart(errors, title="Mean error in the test", x_label="miles per gallon", horizontal=True).show()
    print(f"{name}: {len(cars)} cars, wrong by {errors[name]:.2f} miles per gallon")


EPOCHS, errors = 40, {}
learn("gaps left out", broken[~np.isnan(broken).any(axis=1)])
learn("gaps filled", broken)
learn("without outliers too", broken, reach=1.5)
learn("and with flags", broken, reach=1.5, flags=True)
learn("as if nothing had happened", whole)

# %% [markdown]
# ## Too few
# Two hundred handwritten digits, twenty of each. More cannot be had; but a digit that is
# turned a little, moved or made larger is still the same digit. **Augmentation** changes
# the pictures anew each time the network sees them, so that it never sees the same one
# twice. Play with it: how far can it go until a human cannot read them any more?

# %%
EACH = 20
with np.load(chapter.file("mnist.npz")) as file:
    order = [np.flatnonzero(file["y_train"] == digit)[:EACH] for digit in range(10)]
    few, names = file["x_train"][np.concatenate(order)], np.repeat(np.arange(10), EACH)
    unseen, truth = file["x_test"][:1000], file["y_test"][:1000]
few, unseen = ((x / 255).astype("float32").reshape(-1, 28, 28, 1) for x in (few, unseen))
strength = {"turn": 10, "move": 0.1, "size": 0.1}


def changes(turn, move, size):
    """Layers that change pictures at random: degrees, and shares of the picture."""
    dark = {"fill_mode": "constant"}  # what comes in at the edge
    return [layers.RandomRotation(turn / 360, seed=1, **dark), layers.RandomTranslation(move, move, seed=2, **dark),
            layers.RandomZoom(size, seed=3, **dark)]  # fmt: skip


def gallery(what, value):
    strength[what] = value
    pictures = few[::EACH]
    shown, some_changes = [pictures], changes(**strength)
    for _ in range(3):
        pictures = few[::EACH]
        for change in some_changes:
            pictures = change(pictures, training=True)
        shown.append(np.asarray(pictures))
    vis.image_grid(np.clip(np.concatenate(shown), 0, 1), columns=10, title="Above: as they are; below: changed").show()


chapter.slider("Turned by up to (degrees)", 0, 180, 10, lambda value: gallery("turn", value), step=5)
chapter.slider("Moved by up to (share)", 0, 0.5, 0.1, lambda value: gallery("move", value), step=0.05)
chapter.slider("Made larger or smaller by up to (share)", 0, 0.8, 0.1, lambda value: gallery("size", value), step=0.05)

# %% [markdown]
# ## With and without
# The same network learns from the same two hundred digits, once as they are and once
# changed anew each time. Without, it soon knows them by heart: the loss falls to nothing,
# and what it learned is about those two hundred.


# %%
def read(name, augmentation, rounds):
    network = pyml.Sequential([pyml.Input((28, 28, 1)), *augmentation, layers.Conv2D(16, 5, strides=2, activation="relu"),
                               layers.Conv2D(32, 3, strides=2, activation="relu"), layers.Flatten(), layers.Dense(64, "relu"),
                               layers.Dense(10, "softmax")])  # fmt: skip
    network.compile(optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
    live = vis.fit_callbacks(name, metrics=["accuracy", "val_accuracy"], callbacks=["on_epoch_end"], warn=False, height=180, title=name,
                             y_axis_domain=[0, 1])  # fmt: skip
    network.fit(few, names, epochs=rounds, batch_size=50, validation_data=(unseen, truth), validation_freq=1, verbose=0, callbacks=[live])
    right = float(np.mean([epoch["val_accuracy"] for epoch in live.epochs[-5:]]))
    print(f"{name}: {right:.1%} of a thousand digits that it has not seen are read correctly")
    return right


ROUNDS = 60
plain = read("As they are", [], ROUNDS)
augmented = read("Changed each time", changes(10, 0.1, 0.1), ROUNDS)
print(f"Of ten mistakes there are {10 * (1 - augmented) / (1 - plain):.0f} left")

# %% [markdown]
# ## Things to try
# - Turn them by up to 180 degrees in `changes`: what happens to sixes and nines?
# - `EACH = 5`, and 100: when does augmentation help most?
# - Which is worse for the cars, more gaps or more outliers?
