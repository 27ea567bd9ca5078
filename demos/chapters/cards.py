"""How good are these three cards?

Data that never end: a generator deals card games for as long as a network learns. It sees one
hand and who won, nothing else, and finds the odds. Deal a hand of your own.

Two players get three cards each, from 1 to 13. Nobody tells the network the rules, and it
never sees the other hand: of one game it can learn nothing. Of ten thousand it learns how
often such a hand wins. Press **Run**.
"""

import itertools

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 3.5, "data": [], "merit": ("odds_wrong", "<", 0.02, "mean error of the odds of a hand")}
pyml.utils.set_random_seed(3)
luck = np.random.default_rng(3)

# %% [markdown]
# ## The rules
# Three of a kind beat a pair, a pair beats three different cards. Of two alike the higher
# triple or pair wins, and at last the highest card, then the next.

# %%
CARDS, HAND = 13, 3


def strength(hands):
    """How strong some hands are, `(games, 3)`: the stronger of two has the larger number."""
    low, middle, high = np.sort(hands, axis=1).T
    triple, pair = low == high, (low == middle) | (middle == high)
    other = np.where(low == middle, high, low)  # beside a pair, whose card is always the middle one
    alone = (high * 14 + middle) * 14 + low
    return np.where(triple, 200_000 + middle, np.where(pair, 100_000 + middle * 14 + other, alone))


def deal(games):
    return luck.integers(1, CARDS + 1, size=(games, HAND))


for hand, other in ([2, 2, 2], [13, 13, 12]), ([4, 4, 1], [13, 12, 10]), ([11, 7, 5], [11, 7, 4]):
    first, second = strength(np.array([hand, other]))
    print(f"{hand} {'beats' if first > second else 'loses to'} {other}")

# %% [markdown]
# ## A generator
# A **generator** is a function that hands out one thing after the other (`yield`), each
# made when it is asked for. `Dataset.from_generator` makes a dataset of it: mixed, cut
# into batches and learned from like one of a file, only that it has no end. There are
# nearly five million ways to deal, and most of those seen here come once: there is little
# to learn by heart, and no test to put aside.
#
# A hand is given as thirteen numbers: how often it has each card. The order in which they
# were dealt says nothing, and so the network need not learn that.


# %%
def counted(hands):
    return (hands[:, :, None] == np.arange(1, CARDS + 1)).sum(axis=1).astype("float32")


def games():
    while True:
        mine, yours = deal(256), deal(256)
        won = strength(mine) > strength(yours)
        yield counted(mine), won.astype("float32")[:, None]


endless = pyml.data.Dataset.from_generator(games).prefetch(2)
x, y = next(iter(endless))
won = np.asarray(y)[:, 0] > 0
eight = np.concatenate([np.flatnonzero(won)[:4], np.flatnonzero(~won)[:4]])
vis.heatmap(np.asarray(x)[eight], list(range(1, x.shape[1] + 1)), ["won" if one else "lost" for one in won[eight]],
            title="Eight games, as the network sees them", x_label="card", color_map="blues", height=240).show()  # fmt: skip

# %% [markdown]
# ## It learns
# The last layer gives a number from 0 to 1. Right answers there are none: the same hand
# wins once and loses once. With the **cross-entropy** it pays to say how often it wins.
# The accuracy ends far below 100%, because the other hand is luck; no network could do
# better. So the accuracy is no measure here of how much is left to learn.

# %%
STEPS, ROUNDS = 60, 50
model = pyml.Sequential([pyml.Input((CARDS,)), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid")])
model.compile(optimizers.Adam(optimizers.schedules.CosineDecay(0.005, STEPS * ROUNDS)), "binary_crossentropy", metrics=["accuracy"])
live = vis.fit_callbacks("While it learns", metrics=["accuracy"], callbacks=["on_epoch_end"], x_label="round", y_axis_domain=[0.5, 1])
model.fit(endless, steps_per_epoch=STEPS, epochs=ROUNDS, verbose=0, callbacks=[live])
print(f"{STEPS * ROUNDS * 256:,} games, each dealt anew")

# %% [markdown]
# ## What are the true odds?
# There are only 455 hands, so that one can count: for each, how many of the 2,197 ways to
# deal the other hand it wins against. The network has never counted. Where it is right,
# both numbers are the same: the points lie on the diagonal.

# %%
ways = np.array(list(itertools.product(range(1, CARDS + 1), repeat=HAND)))
hands = np.array(list(itertools.combinations_with_replacement(range(1, CARDS + 1), HAND)))
strong = np.sort(strength(ways))
true = np.searchsorted(strong, strength(hands), side="left") / len(ways)
said = model.predict(counted(hands), verbose=0)[:, 0]
odds_wrong = float(np.abs(said - true).mean())
kinds = np.array([len(set(hand)) for hand in hands])
names = {"three different": 3, "a pair": 2, "three of a kind": 1}
vis.scatter_plot({name: np.stack([true, said], axis=1)[kinds == n] for name, n in names.items()}, title="Odds of all 455 hands",
                 x_label="counted", y_label="said by the network", x_axis_domain=[0, 1], y_axis_domain=[0, 1],
                 height=300).show()  # fmt: skip
worst = np.abs(said - true).argmax()
print(f"On average wrong by {100 * odds_wrong:.1f} of a hundred games; at most by {100 * abs(said - true)[worst]:.0f}, for {hands[worst]}")

# %% [markdown]
# ## A hand of your own
# Type three cards from 1 to 13.


# %%
def odds(text):
    words = text.replace(",", " ").split()
    if len(words) != HAND or not all(word.isdigit() and 1 <= int(word) <= CARDS for word in words):
        return f"Three numbers from 1 to {CARDS}, such as 9 9 2."
    hand = np.array([[int(word) for word in words]])
    wins = (strength(hand) > strong).mean()
    thought = model.predict(counted(hand), verbose=0)[0, 0]
    return f"The network gives it {100 * thought:.0f} of 100 games; counted it wins {100 * wins:.0f}."


chapter.text("Your hand", "9 9 2", odds)

# %% [markdown]
# ## Things to try
# - Let `counted` return `hands / 13`, and the network begin with `pyml.Input((HAND,))`. Why
#   are pairs so hard to see now?
# - Change the rules in `strength`: the lowest hand wins. Nothing else needs to change.
# - Five cards: `HAND = 5`. Which lines of `strength` hold no longer?
