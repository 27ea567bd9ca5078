"""Which iris is it, by its petals?

Classification of 150 real flowers of three species: a map of the network's answers that
changes while it learns, its mistakes, and a flower of your own.

Nearly every book begins with these flowers. Edgar Anderson measured them, R. A. Fisher
made them famous in 1936; they are so few and so simple that one can see everything that
a network does with them. Press **Run** and watch the map.
"""

import csv

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 1.5, "data": ["irises.csv"], "merit": ("right", ">", 0.92, "of the flowers that it has not seen")}
pyml.utils.set_random_seed(4)

# %% [markdown]
# ## The data
# Four lengths in centimetres: of the sepals, the outer leaves of a flower, and of its
# petals, the inner ones. Of each species ten flowers are put aside as a test.

# %%
MEASURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
with open(chapter.file("irises.csv"), newline="") as file:
    rows = list(csv.DictReader(file))
rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
x = np.array([[float(row[name]) for name in MEASURES] for row in rows], "float32")
SPECIES = sorted({row["species"] for row in rows})
kind = np.array([SPECIES.index(row["species"]) for row in rows])
test = np.concatenate([np.flatnonzero(kind == i)[:10] for i in range(3)])
train = np.setdiff1d(np.arange(len(x)), test)
print(f"{len(x)} flowers of {', '.join(SPECIES)}: {len(train)} to learn from, {len(test)} to test")
vis.scatter_plot({name: x[kind == i][:, 2:] for i, name in enumerate(SPECIES)}, title="Petals",
                 x_label="petal length in cm", y_label="petal width in cm").show()  # fmt: skip

# %% [markdown]
# ## Names as numbers
# A species is no number: versicolor is not twice setosa. So each becomes a list with a
# single 1, which is called **one-hot**, and the network gets one output for each
# species. **Softmax** makes them probabilities; **cross-entropy** compares the two lists.

# %%
wanted = pyml.utils.to_categorical(kind, 3)
for i in (test[0], test[10], test[20]):
    print(f"{SPECIES[kind[i]]:<12}{wanted[i].astype(int).tolist()}")

# %% [markdown]
# ## A map of its answers
# First with the petals only: two numbers for each flower, so all that the network thinks
# fits into one picture. Each place has the colour of the species that the network would
# name there. At first one colour is everywhere; the borders come as it learns. What is
# between the two clouds on the right is in doubt for botanists, too.


# %%
class Map(pyml.callbacks.Callback):
    """Draws the map of the petals every few epochs."""

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % 10 == 0:
            vis.decision_boundary(self.model, x[:, 2:], kind, resolution=40, class_names=SPECIES, height=300,
                                  x_label="petal length in cm", y_label="petal width in cm").show("What it would say")  # fmt: skip


def network(inputs):
    model = pyml.Sequential([pyml.Input((inputs,)), layers.Dense(10, activation="tanh"), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(0.03), "categorical_crossentropy", metrics=["accuracy"])
    return model


petals = network(2)
live = vis.fit_callbacks("Petals only", metrics=["loss", "val_loss"], callbacks=["on_epoch_end"], warn=False, title="Loss with petals only")
petals.fit(x[train, 2:], wanted[train], epochs=80, batch_size=20, validation_data=(x[test, 2:], wanted[test]), verbose=0,
           callbacks=[live, Map()])  # fmt: skip
print(f"By the petals alone: {petals.evaluate(x[test, 2:], wanted[test], verbose=0)[1]:.0%} of the unseen flowers are named correctly")

# %% [markdown]
# ## All four measures
# Does it help to see the sepals as well? The **confusion matrix** shows which species it
# takes for which.

# %%
model = network(4)
model.fit(x[train], wanted[train], epochs=80, batch_size=20, verbose=0)
chances = model.predict(x[test], verbose=0)
right = float((chances.argmax(axis=1) == kind[test]).mean())
print(f"By all four: {right:.0%}")
vis.confusion_matrix(kind[test], chances.argmax(axis=1), SPECIES, title="What it takes for what").show()

# %% [markdown]
# ## A flower of your own
# Move the length of the petal; its width goes along as it does in the flowers above.
# Between 4.5 and 5.2 cm the network is in doubt, and its probabilities say so.

# %%
slope, start = np.polyfit(x[:, 2], x[:, 3], 1)


def ask(length):
    flower = np.array([[length, slope * length + start]], "float32")
    said = petals.predict(flower, verbose=0)[0]
    vis.bar_chart(dict(zip(SPECIES, said.tolist())), title="Your flower", y_label="probability").show()
    return f"a petal of {length:.1f} cm: {SPECIES[int(said.argmax())]}, {said.max():.0%}"


chapter.slider("Petal length in cm", 1, 7, 4.8, ask, step=0.1)

# %% [markdown]
# ## Things to try
# - Use the sepals for the map: `x[:, :2]` in all three places. Which species run together?
# - Take away the hidden layer: the borders become straight. How many mistakes more?
# - Learn from five flowers of each species: `train[kind[train] == i][:5]`.
