"""Can a network write like Melville?

Two networks learn to write, letter by letter, from chapters of Moby-Dick: an LSTM and a
small GPT. Watch how letters become words, and turn the temperature.

A **language model** does one thing: of a piece of text it says which letter comes next.
To write, draw a letter by these chances, put it behind the text, and ask again. Press
**Run** and read what it writes while it learns.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, losses, optimizers, vis

CHAPTER = {"order": 10, "data": ["moby-dick.txt"], "merit": ("best", "<", 3.0, "bits for a letter")}
pyml.utils.set_random_seed(10)
luck = np.random.default_rng(10)

# %% [markdown]
# ## The text
# The first chapters of Moby-Dick by Herman Melville (1851), in small letters. The last
# tenth is put aside as a test.

# %%
with open(chapter.file("moby-dick.txt"), encoding="utf-8") as file:
    text = " ".join(file.read().lower().split())
LETTERS = sorted(set(text))
NUMBER = {letter: n for n, letter in enumerate(LETTERS)}
numbers = np.array([NUMBER[letter] for letter in text], "int32")
split = len(numbers) * 9 // 10
learned, unseen = numbers[:split], numbers[split:]
print(f"{len(text):,} letters, {len(LETTERS)} different ones: {''.join(LETTERS)}")
print(f"It begins: {text[:120]}…")

# %% [markdown]
# ## A baseline
# How good is a table that says how often each letter follows each other? The measure is
# **bits for a letter**: how many questions with yes or no it takes on average to know the
# next one. Guessing without a look at the text takes five to six, a table of pairs less.

# %%
pairs = np.ones((len(LETTERS), len(LETTERS)))
np.add.at(pairs, (learned[:-1], learned[1:]), 1)
chances = pairs / pairs.sum(axis=1, keepdims=True)
table = float(-np.log2(chances[unseen[:-1], unseen[1:]]).mean())
print(f"Guessing: {np.log2(len(LETTERS)):.2f} bits. The table of pairs: {table:.2f} bits. It writes: ", end="")
now = NUMBER["t"]
for _ in range(60):
    print(LETTERS[now], end="")
    now = luck.choice(len(LETTERS), p=chances[now])
print("…")
common = [NUMBER[letter] for letter in " aeioulnrstdhwmkgcbfpvyjqxz" if letter in NUMBER]
names = ["␣" if LETTERS[n] == " " else LETTERS[n] for n in common]
vis.heatmap(chances[np.ix_(common, common)], names, names, title="Which letter follows which", x_label="next letter", y_label="letter",
            color_map="blues", height=380).show()  # fmt: skip

# %% [markdown]
# ## Two networks
# The **LSTM** reads letter by letter and carries a memory along. The **GPT** sees all the
# letters at once: its *attention* lets each letter look back at those before it (never
# forward: that is the causal mask) and gather what it needs. As it sees no order by
# itself, each place gets a learned vector. Two such blocks, each with a small dense
# network behind the attention, are what a large GPT has a hundred of.

# %%
LENGTH, UNITS, WIDE, BLOCKS = 40, 96, 56, 2


class Places(layers.Layer):
    """Adds a learned vector to each place of the text."""

    def build(self, shape):
        self.vectors = self.add_weight(shape=tuple(shape[1:]), initializer="random_normal", name="vectors")

    def call(self, x):
        return x + self.vectors


def block(x):
    seen = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(4, WIDE // 4)(seen, seen, use_causal_mask=True)])
    thought = layers.Dense(4 * WIDE, "gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(WIDE)(thought)])


def gpt():
    seen = pyml.Input((LENGTH,), dtype="int32")
    x = Places()(layers.Embedding(len(LETTERS), WIDE)(seen))
    for _ in range(BLOCKS):
        x = block(x)
    return pyml.Model(seen, layers.Dense(len(LETTERS))(layers.LayerNormalization()(x)))


def lstm():
    return pyml.Sequential([pyml.Input((LENGTH,), dtype="int32"), layers.Embedding(len(LETTERS), 32),
                            layers.LSTM(UNITS, return_sequences=True), layers.Dense(len(LETTERS))])  # fmt: skip


# %% [markdown]
# ## How it writes
# The **temperature** changes the chances before a letter is drawn: near 0 it always takes
# the most probable one, and soon repeats itself; at 1 it takes the chances as they are;
# above that it grows reckless.


# %%
def next_letters(model, known, temperature):
    """The chances of each letter behind some, as numbers."""
    window = known[-LENGTH:]
    x = np.array([window + [0] * (LENGTH - len(window))], "int32")  # what is behind the text it does not see
    score = model.predict_on_batch(x)[0, len(window) - 1] / max(temperature, 0.01)
    chance = np.exp(score - score.max())
    return chance / chance.sum()


def as_numbers(text):
    return [NUMBER[letter] for letter in text.lower() if letter in NUMBER] or [NUMBER[" "]]


def write(model, beginning, count, temperature):
    """Goes on with a text for `count` letters, and returns those."""
    known = as_numbers(beginning)
    told = len(known)
    for _ in range(count):
        known.append(int(luck.choice(len(LETTERS), p=next_letters(model, known, temperature))))
    return "".join(LETTERS[n] for n in known[told:])


# %% [markdown]
# ## They learn
# After each round each of them goes on with "the whale ". First it learns spaces and
# frequent letters, then syllables, then words, and at last some that Melville might have
# written. What they mean nobody has told it.

# %%
ROUNDS, ROUND, BATCH, SAMPLE = 10, 1600, 32, 60
curves, best = {"table of pairs": [[1, table], [ROUNDS, table]]}, table


def some(source, count):
    """Pieces of a text, and the same moved by a letter: what comes next at each place."""
    starts = luck.integers(len(source) - LENGTH - 1, size=count)
    pieces = np.stack([source[i : i + LENGTH + 1] for i in starts])
    return pieces[:, :-1], pieces[:, 1:]


def learn(name, model, rate):
    model.compile(optimizers.Adam(rate), losses.SparseCategoricalCrossentropy(from_logits=True))
    print(f"{name}: {model.count_params():,} numbers to learn")
    x_test, y_test = some(unseen, 200)
    curves[name] = []
    for number in range(1, ROUNDS + 1):
        model.fit(*some(learned, ROUND), batch_size=BATCH, verbose=0)
        bits = float(model.evaluate(x_test, y_test, batch_size=100, verbose=0)) / np.log(2)
        curves[name].append([number, bits])
        vis.line_chart(curves, title="Bits for a letter of the test", x_label="round", y_label="bits", zoom_to_fit=True).show()
        print(f"{number:2}  {bits:.2f} bits: the whale {write(model, 'the whale ', SAMPLE, 0.7)}")
        chapter.pause()
    return bits


# %%
writer = lstm()
best = min(best, learn("LSTM", writer, 0.01))

# %%
transformer = gpt()
best = min(best, learn("GPT", transformer, 0.005))

# %% [markdown]
# ## Let them write
# Begin a sentence, and turn the temperature. The bars are what the GPT thinks that comes
# first behind your beginning.

# %%
wanted = {"beginning": "call me ", "temperature": 0.7}


def go_on(what, value):
    wanted[what] = value
    start, temperature = wanted["beginning"].lower(), wanted["temperature"]
    chance = next_letters(transformer, as_numbers(start), temperature)
    most = chance.argsort()[::-1][:10]
    bars = {LETTERS[n].replace(" ", "␣"): float(chance[n]) for n in most}
    vis.bar_chart(bars, title="What comes next", y_label="chance", height=200).show()
    texts = {name: start + write(model, start, SAMPLE, temperature) for name, model in {"LSTM": writer, "GPT": transformer}.items()}
    return "  ·  ".join(f"{name}: {text}…" for name, text in texts.items())


chapter.text("Beginning", wanted["beginning"], lambda value: go_on("beginning", value))
chapter.slider("Temperature", 0, 1.5, 0.7, lambda value: go_on("temperature", value), step=0.1)

# %% [markdown]
# ## Things to try
# - 40 rounds: the words become real ones; the sense does not.
# - `BLOCKS = 1`, or 3; `LENGTH = 16`: how far back must it look?
# - Let it learn from a text of your own: put it between quotes in the place of the file.
