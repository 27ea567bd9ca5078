"""Can a network add that has never seen a number?

Sums as texts, letter by letter: one recurrent network reads 47+8, another writes 55. Choose
which kind of cell remembers, see on a map of all sums which it gets wrong, and type your own.

To this network `4` is a letter like any other: nobody tells it what comes after 4, or what +
means. From nine tenths of all sums it is to find out how to write the others. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 7.5, "data": [], "merit": ("share_right", ">", 0.85, "of the sums that it has not seen")}
pyml.utils.set_random_seed(5)
luck = np.random.default_rng(5)

# %% [markdown]
# ## All sums
# Two numbers from 0 to 99, as a text of five letters, and the sum as one of three. Each
# letter becomes a list with a single 1 (**one-hot**). A tenth of the ten thousand sums is
# put aside as a test: what the network writes for those it cannot know by heart.

# %%
LETTERS, MOST = "0123456789+ ", 100
READ, WRITE = len(f"{MOST - 1}+{MOST - 1}"), len(f"{2 * (MOST - 1)}")


def letters(texts, length):
    """Texts as one-hot letters, `(texts, length, letters)`; what is shorter ends with spaces."""
    numbers = np.array([[LETTERS.index(letter) for letter in text.ljust(length)] for text in texts])
    return np.eye(len(LETTERS), dtype="float32")[numbers]


pairs = luck.permutation([(a, b) for a in range(MOST) for b in range(MOST)])
x = letters([f"{a}+{b}" for a, b in pairs], READ)
y = letters([str(a + b) for a, b in pairs], WRITE)
tests = len(pairs) // 10
print(f"{len(pairs) - tests:,} sums to learn from, {tests:,} to test")
vis.heatmap(x[0].T, list(f"{pairs[0][0]}+{pairs[0][1]}".ljust(READ)), list(LETTERS), color_map="blues",
            title=f"{pairs[0][0]}+{pairs[0][1]} as the network reads it", height=280).show()  # fmt: skip

# %% [markdown]
# ## Reading and writing
# The **encoder** reads letter by letter; all that it remembers at the end is a list of
# numbers. `RepeatVector` hands it to the **decoder** three times, once for each letter to
# write. A plain recurrent cell (`SimpleRNN`) forgets fast; `GRU` and `LSTM` have gates
# that decide what to keep.

# %%
CELL, UNITS, ROUNDS = layers.GRU, 64, 20
model = pyml.Sequential([
    pyml.Input((READ, len(LETTERS))), CELL(UNITS), layers.RepeatVector(WRITE), CELL(UNITS, return_sequences=True),
    layers.Dense(len(LETTERS), "softmax"),
])  # fmt: skip
model.compile(optimizers.Adam(optimizers.schedules.CosineDecay(0.012, ROUNDS * 71)), "categorical_crossentropy")
print(f"{CELL.__name__}: {model.count_params():,} numbers to learn")


def written(x):
    """What the network writes, as texts."""
    return ["".join(LETTERS[n] for n in row).strip() for row in model.predict(x, batch_size=1000, verbose=0).argmax(-1)]


def right(x, pairs):
    return np.array([text == str(a + b) for text, (a, b) in zip(written(x), pairs)])


# %% [markdown]
# ## It learns
# A sum counts as right only where every letter is. First it learns how many letters an
# answer has, then the first of them, at last the units. Both curves rise together: it
# finds out how adding goes. Learning by heart would lift the upper one alone.

# %%
curves = {"learned from": [], "not seen": []}
for number in range(ROUNDS):
    model.fit(x[tests:], y[tests:], batch_size=128, epochs=1, verbose=0)
    curves["learned from"].append(100 * right(x[tests : 2 * tests], pairs[tests : 2 * tests]).mean())
    curves["not seen"].append(100 * right(x[:tests], pairs[:tests]).mean())
    vis.line_chart(curves, title="Sums that are right", x_label="round", y_label="of 100", y_axis_domain=[0, 100]).show()
    if number % 5 == 4 or number + 1 == ROUNDS:
        a, b = pairs[0]
        print(f"Round {number + 1}: {a}+{b}={written(x[:1])[0]} ({a + b})")
    chapter.pause()
share_right = curves["not seen"][-1] / 100

# %% [markdown]
# ## Which does it get wrong?
# Every sum is a dot on this map, the first number to the right, the second upwards. Are
# the mistakes anywhere, or together? Small numbers are rare among the examples: only one
# sum in a hundred has a number of one letter on both sides.

# %%
wrong = ~right(x, pairs)
seen = np.arange(len(pairs)) >= tests
dots = {"learned from": pairs[wrong & seen], "not seen": pairs[wrong & ~seen]}
vis.scatter_plot({name: part for name, part in dots.items() if len(part)} or [], title=f"The {wrong.sum():,} that are wrong",
                 x_label="first number", y_label="second number", x_axis_domain=[-1, MOST], y_axis_domain=[-1, MOST],
                 height=320).show()  # fmt: skip
for place in np.flatnonzero(wrong)[:5]:
    a, b = pairs[place]
    print(f"{a}+{b} is {a + b}; it writes {written(x[place : place + 1])[0]}")

# %% [markdown]
# ## A sum of your own
# What does it make of three numbers, or of 100+1, which no text it has seen resembles?


# %%
def say(text):
    text = text.replace(" ", "")
    if not text or len(text) > READ or any(letter not in LETTERS for letter in text):
        return f"At most {READ} of the letters {LETTERS.strip()}, such as 47+8."
    return f"{text}={written(letters([text], READ))[0]}"


chapter.text("Sum", "47+8", say)

# %% [markdown]
# ## Things to try
# - `CELL = layers.SimpleRNN`, or `layers.LSTM`: which needs how many rounds?
# - Learn from half of the sums only: `tests = len(pairs) // 2`. Does it still find out how
#   adding goes?
# - Write the sum from behind (`str(a + b)[::-1]`, in `right` too), as one adds by hand. Is
#   that easier?
