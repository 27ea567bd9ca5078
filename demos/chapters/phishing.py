"""Is this site after your password?

Names of 5,000 real sites, honest ones and frauds: a network that counts, one that reads
letters, their ROC curves, and what a threshold costs.

A fraud gives its site a name that looks like one you trust, and waits for your password:
this is called **phishing**. Can a network tell by the name alone? Press **Run**.
"""

import csv
import zlib

import chapter
import numpy as np

import pyml
from pyml import layers, vis

CHAPTER = {"order": 2.5, "data": ["names.csv"], "merit": ("area", ">", 0.92, "under the ROC curve")}
pyml.utils.set_random_seed(1)

# %% [markdown]
# ## The data
# The frauds are from a list that a maker of wallets for digital money keeps, so most of
# them pretend to be a bank of such money. Two thirds of the honest names are there
# because a simple rule took them for frauds; the rest are the 500 sites that most others
# link to. It is not an easy test. Dots are printed as `[.]`, so that nobody follows a link.

# %%
with open(chapter.file("names.csv"), newline="") as file:
    rows = list(csv.DictReader(file))
rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
names = [row["name"] for row in rows]
fraud = np.array([row["fraud"] == "1" for row in rows])


def harmless(name):
    return name.replace(".", "[.]")


for kind, what in ((False, "honest:"), (True, "frauds:")):
    print(what, ", ".join(harmless(names[i]) for i in np.flatnonzero(fraud == kind)[:7]))

# %% [markdown]
# Names of one owner, such as `a.site.com` and `b.site.com`, must not be split: a network
# that has learned the one would know the other by heart, and the test would be worth
# nothing. So a number is made of the last two parts, and says who goes to the test.

# %%
owners = [".".join(name.split(".")[-2:]) for name in names]
test = np.array([zlib.crc32(owner.encode()) % 4 == 0 for owner in owners])
train = ~test
print(f"{len(names):,} names, {fraud.mean():.0%} of them frauds: {train.sum():,} to learn from, {test.sum():,} to test")

# %% [markdown]
# ## Counting
# First what a person would count. A network cannot read names, but it can weigh numbers.
# They are **normalized**: of each, zero is the mean and one the usual distance from it.

# %%
MEASURES = {
    "letters": len,
    "parts": lambda name: name.count(".") + 1,
    "longest part": lambda name: max(len(part) for part in name.split(".")),
    "hyphens": lambda name: name.count("-"),
    "digits": lambda name: sum(letter.isdigit() for letter in name),
    "share of vowels": lambda name: sum(letter in "aeiou" for letter in name) / len(name),
    "letters of the ending": lambda name: len(name.rsplit(".", 1)[1]),
    "ends in .com": lambda name: name.endswith(".com"),
}
counted = np.array([[float(measure(name)) for measure in MEASURES.values()] for name in names], "float32")
means = {kind: counted[train & (fraud == kind)].mean(axis=0) for kind in (False, True)}
middle, spread = counted[train].mean(axis=0), counted[train].std(axis=0)
apart = {name: float(far) for name, far in zip(MEASURES, (means[True] - means[False]) / spread)}
vis.bar_chart(apart, title="How much more frauds have of it, in usual distances", horizontal=True, x_label="frauds minus honest").show()

# %% [markdown]
# There are two frauds for each honest name, so "fraud" would be a good guess for anything.
# **Class weights** make a mistake about an honest name count twice as much.

# %%
numbers = (counted - middle) / spread
weights = {0: float(fraud[train].sum() / (~fraud[train]).sum()), 1: 1.0}
asked = fraud.astype("float32")[:, None]


def learn(title, model, x, epochs):
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    live = vis.fit_callbacks(title, metrics=["loss", "val_loss"], callbacks=["on_epoch_end"], warn=False, title="Loss")
    model.fit(x[train], asked[train], epochs=epochs, batch_size=64, validation_data=(x[test], asked[test]),
              class_weight=weights, verbose=0, callbacks=[live])  # fmt: skip
    return model.predict(x[test], verbose=0)[:, 0]


counter = pyml.Sequential([pyml.Input((len(MEASURES),)), layers.Dense(32, activation="relu"), layers.Dense(16, activation="relu"),
                           layers.Dense(1, activation="sigmoid")])  # fmt: skip
scores = {"counting": learn("Counting", counter, numbers, 15)}

# %% [markdown]
# ## Reading
# A second network gets the letters themselves, the last 32 of each name. An **embedding**
# gives each letter a few numbers; **convolutions** look at four letters at a time, such as
# `wall` or `-log`, wherever they stand; of each the strongest answer counts.

# %%
LETTERS, LENGTH = "abcdefghijklmnopqrstuvwxyz0123456789.-", 32


def spelled(name):
    """A number for each letter, and zeros before a short name; other signs are zeros, too."""
    found = [LETTERS.find(letter) + 1 for letter in name.lower()[-LENGTH:]]
    return [0] * (LENGTH - len(found)) + found


letters = np.array([spelled(name) for name in names], "int32")
reader = pyml.Sequential([pyml.Input((LENGTH,), dtype="int32"), layers.Embedding(len(LETTERS) + 1, 16),
                          layers.Conv1D(64, 4, activation="relu"), layers.MaxPooling1D(2), layers.Conv1D(64, 4, activation="relu"),
                          layers.GlobalMaxPooling1D(), layers.Dropout(0.4), layers.Dense(32, activation="relu"),
                          layers.Dense(1, activation="sigmoid")])  # fmt: skip
scores["reading"] = learn("Reading", reader, letters, 7)

# %% [markdown]
# ## Which is better?
# A network gives a probability; somebody has to say from which one on a name is called a
# fraud. The **ROC curve** shows all these thresholds at once: how many frauds are found,
# at the price of how many honest names. An area of 0.5 below it is guessing, 1 is perfect.

# %%
truth = fraud[test]
areas = {name: vis.metrics.auc(*vis.metrics.roc_curve(truth, score)[:2]) for name, score in scores.items()}
area = areas["reading"]
print(", ".join(f"{name}: an area of {size:.3f}" for name, size in areas.items()))
curves = vis.roc_curve(truth, scores)
curves.show("Both networks, all thresholds")

# %% [markdown]
# ## What does a mistake cost?
# Who blocks an honest site annoys somebody; who lets a fraud pass may cost somebody all
# that they have. Move the threshold of the network that reads. Where would you put it if
# a fraud that passes were as bad as twenty honest sites blocked?


# %%
def judge(threshold):
    said = scores["reading"] >= threshold
    passed, blocked = int((truth & ~said).sum()), int((~truth & said).sum())
    vis.confusion_matrix(truth.astype(int), said.astype(int), ["honest", "fraud"], title="At this threshold").show()
    return f"{passed} of {truth.sum()} frauds pass, {blocked} of {(~truth).sum()} honest sites are blocked; cost {20 * passed + blocked:,}"


chapter.slider("Threshold", 0.02, 0.98, 0.5, judge, step=0.02)

# %% [markdown]
# ## A name of your own
# The bars show which letters count: each is hidden in turn, and the bar says by how much
# that lowers the probability. Below zero it is a letter that speaks for honesty.


# %%
def ask(name):
    name = name.strip().lower()
    if "." not in name.strip("."):
        return "A name of a site has a dot in it."
    hidden = np.array([spelled(name), *(spelled(name[:i] + "?" + name[i + 1:]) for i in range(len(name)))], "int32")
    said = reader.predict(hidden, verbose=0)[:, 0]
    bars = {f"{i + 1} {letter}": float(said[0] - left) for i, (letter, left) in enumerate(zip(name, said[1:]))}
    vis.bar_chart(bars, title="How much each letter speaks for a fraud", y_label="probability", x_label="letter").show("Its letters")
    return f"{harmless(name)}: a fraud with a probability of {said[0]:.0%}"


chapter.text("Name", "my-paypal-login.com", ask)

# %% [markdown]
# ## Things to try
# - The site of your school, of your bank, and the same with one letter changed.
# - It has only seen frauds of one trade. Which names does it wrongly trust?
# - Split without owners: `test = np.arange(len(names)) % 4 == 0`. The area grows. Why is
#   that no success?
