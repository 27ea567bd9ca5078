"""What day is 3rd Apr 07?

Dates in a dozen spellings, and one that everybody understands: an encoder reads, a
decoder writes, and attention shows at each letter where it looked. Type a date of your
own.

People write the same day as `04/03/2007`, `3.4.2007`, `apr 3, 2007` and in many other
ways. A machine wants `2007-04-03`. A program for it would be a long list of rules; here
nobody writes rules, a network sees pairs of spelled and right dates. Press **Run**.
"""

import datetime

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 8, "data": [], "merit": ("share_right", ">", 0.95, "of the days that it has not seen")}
pyml.utils.set_random_seed(8)

# %% [markdown]
# ## The spellings
# All days from 1970 to 2029, in one of these ways, drawn by lot. Slashes are American, the
# month first; points are European, the day first: the network has to find out which it is
# from the letter in between. A tenth of the days is put aside as a test; the network never
# sees them in any spelling.

# %%
SPELLINGS = {
    "04/03/2007": lambda d: f"{d:%m/%d/%Y}",
    "4/3/2007": lambda d: f"{d.month}/{d.day}/{d.year}",
    "4/3/07": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "03.04.2007": lambda d: f"{d:%d.%m.%Y}",
    "3.4.2007": lambda d: f"{d.day}.{d.month}.{d.year}",
    "3.4.07": lambda d: f"{d.day}.{d.month}.{d:%y}",
    "apr 3, 2007": lambda d: f"{month(d)} {d.day}, {d.year}",
    "3 apr 2007": lambda d: f"{d.day} {month(d)} {d.year}",
    "3rd apr 07": lambda d: f"{d.day}{ending(d.day)} {month(d)} {d:%y}",
    "03apr2007": lambda d: f"{d:%d}{month(d)}{d.year}",
    "20070403": lambda d: f"{d:%Y%m%d}",
    "2007/4/3": lambda d: f"{d.year}/{d.month}/{d.day}",
}
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
month = lambda d: MONTHS[d.month - 1]  # strftime would ask which language the computer speaks
ending = lambda day: "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")

YEARS = 60
luck = np.random.default_rng(8)
first = datetime.date(1970, 1, 1)
days = luck.permutation((datetime.date(1970 + YEARS, 1, 1) - first).days)
days = [first + datetime.timedelta(days=int(n)) for n in days]
unseen, seen = days[: len(days) // 10], days[len(days) // 10 :]
print(f"{len(seen):,} days to learn from, {len(unseen):,} to test. The first of them: ", end="")
print(", ".join(spell(unseen[0]) for spell in SPELLINGS.values()))

# %% [markdown]
# ## Letters as numbers
# Each letter gets a number, 0 is the empty place behind a short date. The decoder writes
# letter by letter; while it learns it is shown the right letters before the one that it
# has to write (**teacher forcing**), so the right answer goes in too, moved by one place.

# %%
LETTERS = "\0 ,./0123456789abcdefghijlmnoprstuvy"
DIGITS = "^-0123456789"  # ^ stands before the first
READ, WRITE = 12, 10


def numbers(text):
    return [max(LETTERS.find(letter), 0) for letter in text.lower()[:READ].ljust(READ, "\0")]


def examples(days):
    """Spelled dates, what was written before each letter, and that letter: arrays of numbers."""
    ways = list(SPELLINGS.values())
    spelled = [numbers(ways[luck.integers(len(ways))](day)) for day in days]
    right = np.array([[DIGITS.index(letter) for letter in day.isoformat()] for day in days], "int32")
    return np.array(spelled, "int32"), np.pad(right, ((0, 0), (1, 0)))[:, :-1], right


# %% [markdown]
# ## Encoder, decoder, attention
# The encoder, an LSTM, reads the spelled date and leaves a note at each letter. The
# decoder, another LSTM, begins with what the encoder has in mind at the end. Before it
# writes a letter it compares its own state with all the notes (a product of vectors), and
# **softmax** makes shares of that: how much to look at which note. Their mixture says what
# to write.

# %%
UNITS, ROUNDS = 48, 6
spelled, before = pyml.Input((READ,), dtype="int32"), pyml.Input((WRITE,), dtype="int32")
notes, *mind = layers.LSTM(UNITS, return_sequences=True, return_state=True)(layers.Embedding(len(LETTERS), 24)(spelled))
state = layers.LSTM(UNITS, return_sequences=True)(layers.Embedding(len(DIGITS), 12)(before), initial_state=mind)
mixture, shares = layers.Attention()([state, notes], return_attention_scores=True)
thought = layers.Dense(UNITS, "tanh")(layers.Concatenate()([mixture, state]))
written = layers.Dense(len(DIGITS), "softmax")(thought)
model = pyml.Model([spelled, before], written)
model.compile(optimizers.Adam(0.006), "sparse_categorical_crossentropy")
looking = pyml.Model([spelled, before], [written, shares])
print(f"{model.count_params():,} numbers to learn")


def write(texts):
    """Writes dates, letter by letter: the texts, and where it looked at each letter, `(dates, WRITE, READ)`."""
    x, so_far = np.array([numbers(text) for text in texts], "int32"), np.zeros((len(texts), WRITE), "int32")
    for place in range(WRITE):
        letters, looked = looking.predict_on_batch([x, so_far])
        chosen = letters[:, place].argmax(axis=1)
        if place + 1 < WRITE:
            so_far[:, place + 1] = chosen
    answers = np.c_[so_far[:, 1:], chosen]
    return ["".join(DIGITS[n] for n in row) for row in answers], looked


def draw(text):
    """The attention for a date as a picture: a row for each letter written, a column for each letter read."""
    text = text[:READ]
    (answer,), (looked,) = write([text])
    vis.heatmap(looked[:, : len(text)], list(text.replace(" ", "␣")), list(answer), x_label="read", y_label="written", color_map="blues",
                domain=[0, 1], height=260).show("Where it looks")  # fmt: skip
    return answer


# %% [markdown]
# ## It learns
# After each round the picture shows where it looks for one of the test's dates. At first
# it looks everywhere; then year, month and day are found one after the other.

# %%
losses = []
for number in range(ROUNDS):
    x, shown, right = examples(seen)
    for i in range(0, len(seen), 1024):
        part = slice(i, i + 1024)
        said = model.fit([x[part], shown[part]], right[part], batch_size=128, verbose=0)
        losses.append(said.history["loss"][0])
        vis.line_chart(losses, title="Loss", x_label="thousand dates", y_label="cross-entropy", height=260).show()
        chapter.pause()
    example = SPELLINGS["apr 3, 2007"](unseen[0])
    print(f"Round {number + 1}: {example} is {draw(example)}")

# %% [markdown]
# ## How often is it right?
# A hundred of the test's days, each in every spelling, counted as right only where all ten
# letters are.

# %%
TESTED = 100
share = {}
for name, spell in SPELLINGS.items():
    answers, _ = write([spell(day) for day in unseen[:TESTED]])
    share[name] = float(np.mean([answer == day.isoformat() for answer, day in zip(answers, unseen)]))
share_right = float(np.mean(list(share.values())))
print(f"{share_right:.1%} of {TESTED} unseen days are right, over all spellings")
vis.bar_chart(share, title="Share of right dates in each spelling", x_label="share", horizontal=True).show()

# %% [markdown]
# ## A date of your own
# Type one and watch the picture. Years of two figures are from 1970 to 2029. What does it
# make of a spelling that it was never taught, or of a day that there is not?

# %%
chapter.text("Date", "3rd apr 07", lambda text: draw(text) if text else "")

# %% [markdown]
# ## Things to try
# - Take a spelling out of `SPELLINGS`, and type it then.
# - Without attention: `layers.Concatenate()([state, state])`. How many rounds does it need
#   now?
# - Give the encoder both directions: `layers.Bidirectional(layers.LSTM(24, ...))` needs
#   other states for the decoder; leave `initial_state` out.
