"""Which penguin is it, and how sure should one be?

Classification of 342 real penguins of three species: probabilities, a confusion matrix,
and what a threshold costs, with a ROC curve whose threshold you move.

The answer of a **classifier** is not a number on a scale but one of a few names. A
network gives each of them a probability; what to do with the probability is for you to
decide. Press **Run**.
"""

import csv

import chapter
import numpy as np

import pyml
from pyml import layers, vis

CHAPTER = {"order": 2, "data": ["penguins.csv"], "merit": ("area", ">", 0.93, "under the ROC curve")}
pyml.utils.set_random_seed(2)

# %% [markdown]
# ## The data
# Scientists at Palmer Station in Antarctica measured the beaks, flippers and weights of
# penguins. Two measures already tell the species apart rather well:

# %%
MEASURES = ["Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)"]
with open(chapter.file("penguins.csv"), newline="") as file:
    rows = [row for row in csv.DictReader(file) if all(row[name] for name in MEASURES)]
rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
x = np.array([[float(row[name]) for name in MEASURES] for row in rows], "float32")
SPECIES = sorted({row["Species"] for row in rows})
species = np.array([SPECIES.index(row["Species"]) for row in rows])
test, train = slice(0, 100), slice(100, None)
x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
print(f"{len(rows)} penguins: {len(rows) - 100} to learn from, 100 to test")
vis.scatter_plot({name: x[species == i][:, [0, 2]] for i, name in enumerate(SPECIES)}, title="Beaks and flippers, normalized",
                 x_label="beak length", y_label="flipper length").show()  # fmt: skip

# %% [markdown]
# ## Three names, three probabilities
# The last layer has one unit for each species; **softmax** makes probabilities of their
# numbers, which add up to 1. The loss, **cross-entropy**, is small where the true
# species was given a high probability.

# %%
model = pyml.Sequential([pyml.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
live = vis.fit_callbacks("Species", callbacks=["on_epoch_end"], warn=False)
model.fit(x[train], species[train], epochs=40, batch_size=16, validation_data=(x[test], species[test]), verbose=0, callbacks=[live])
chances = model.predict(x[test], verbose=0)
read = chances.argmax(axis=1)
print(f"{(read == species[test]).sum()} of 100 penguins that it has not seen are named correctly")
print(f"The first: {', '.join(f'{name} {chance:.0%}' for name, chance in zip(SPECIES, chances[0]))}; it is {SPECIES[species[0]]}")
vis.confusion_matrix(species[test], read, SPECIES, title="What it takes for what").show()

# %% [markdown]
# ## Yes or no: a threshold
# Is a penguin a male? Males are a little larger, but not all of them are. One unit with
# a **sigmoid** gives the probability of a yes. From which probability on is it called a
# yes? A low **threshold** finds nearly all males and calls many females males; a high
# one makes few false alarms and misses males. The **ROC curve** shows all thresholds at
# once: the area below it is 1 for a perfect classifier and 0.5 for guessing.

# %%
known = np.array([row["Sex"] != "" for row in rows])
male = np.array([row["Sex"] == "MALE" for row in rows])
learn, unseen = known & (np.arange(len(rows)) >= 100), known & (np.arange(len(rows)) < 100)
sex = pyml.Sequential([pyml.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid")])
sex.compile("adam", "binary_crossentropy")
sex.fit(x[learn], male[learn].astype("float32")[:, None], epochs=60, batch_size=16, verbose=0)
truth, score = male[unseen], sex.predict(x[unseen], verbose=0)[:, 0]
curve = vis.roc_curve(truth, score)
alarm_rates, hit_rates, _ = vis.metrics.roc_curve(truth, score)
area = vis.metrics.auc(alarm_rates, hit_rates)
print(f"Area under the curve: {area:.3f}")


def judge(threshold):
    said = score >= threshold
    found, missed = int((said & truth).sum()), int((~said & truth).sum())
    alarms, right = int((said & ~truth).sum()), int((~said & ~truth).sum())
    here = {"x": alarms / (alarms + right), "y": found / (found + missed)}
    places = {name: {"field": name, "type": "quantitative"} for name in "xy"}
    point = {"data": {"values": [here]}, "mark": {"type": "point", "filled": True, "size": 180, "color": "#D55E00"}, "encoding": places}
    vis.Figure({**curve.spec, "layer": [*curve.spec["layer"], point]}).show("All thresholds, and this one")
    vis.confusion_matrix(truth.astype(int), said.astype(int), ["female", "male"], title="At this threshold").show()
    return f"{found} of {found + missed} males found, {alarms} of {alarms + right} females taken for males"


chapter.slider("Threshold", 0.02, 0.98, 0.5, judge, step=0.02)

# %% [markdown]
# ## Things to try
# - Move the threshold until no female is taken for a male. How many males are missed
#   then?
# - Let the first network see the beak only: `x[:, :2]`, and `Input((2,))`. Which
#   species does it confuse?
# - What does 400 instead of 40 epochs do to the validation loss?
