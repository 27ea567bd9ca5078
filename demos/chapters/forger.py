"""Can a network forge handwriting?

Two networks against each other: a forger draws digits, a judge tells them from real ones
and reads them, and both get better. An ACGAN, with its drawings while it learns.

Nobody can write down what makes a drawing look real. But a network can learn to tell real
ones from drawn ones; and a second one can learn to deceive it. That is a **generative
adversarial network**. Press **Run** and watch the forger practise.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, losses, ops, optimizers, vis

CHAPTER = {"order": 12, "data": ["mnist.npz"], "merit": ("well_forged", ">", 0.9, "of the forgeries read as the digit that was ordered")}
pyml.utils.set_random_seed(12)
luck = np.random.default_rng(12)

# %% [markdown]
# ## The data, and somebody to ask
# Real handwritten digits, halved to 14 by 14 pixels. How good is a forgery? There is no
# error to measure, so a third network is asked that has nothing to do with the two: a
# reader, which learns from the real digits only.

# %%
COUNT, SIZE = 6000, 14
with np.load(chapter.file("mnist.npz")) as file:
    both = [np.concatenate([file[f"{what}_train"], file[f"{what}_test"]])[: COUNT + 1000] for what in "xy"]
pictures = (both[0].reshape(-1, SIZE, 2, SIZE, 2).mean(axis=(2, 4)) / 255).astype("float32")[..., None]
digits = both[1].astype("int32")
reader = pyml.Sequential([pyml.Input((SIZE, SIZE, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(),
                          layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax")])  # fmt: skip
reader.compile(optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
reader.fit(pictures[:COUNT], digits[:COUNT], epochs=4, batch_size=100, verbose=0)
print(f"The reader reads {reader.evaluate(pictures[COUNT:], digits[COUNT:], verbose=0)[1]:.1%} of digits that it has not seen")
vis.image_grid(pictures[:20], columns=10, title="Real ones").show()

# %% [markdown]
# ## Forger and judge
# The **forger** gets an order, one of the ten digits, and a handful of random numbers, so
# that no two forgeries are alike; out of these it draws a picture. The **judge** gets a
# picture and says two things: whether it is real, and which digit it is. This second
# answer makes it an *ACGAN* (Odena and others, 2016): the forger is praised where its
# picture passes as real *and* is read as what was ordered.

# %%
NOISE = 24


def make_forger():
    noise, order = pyml.Input((NOISE,)), pyml.Input((), dtype="int32")
    x = layers.Multiply()([noise, layers.Embedding(10, NOISE, embeddings_initializer="glorot_normal")(order)])
    x = layers.Reshape((4, 4, 32))(layers.Dense(4 * 4 * 32, "relu")(x))
    x = layers.Conv2DTranspose(32, 4, activation="relu")(x)  # 7 by 7
    x = layers.BatchNormalization()(x)
    return pyml.Model([noise, order], layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="sigmoid")(x))


def make_judge():
    seen = pyml.Input((SIZE, SIZE, 1))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(16, 4, strides=2, padding="same")(seen))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(32, 3, strides=2, padding="same")(layers.Dropout(0.3)(x)))
    x = layers.Flatten()(layers.Dropout(0.3)(x))
    return pyml.Model(seen, layers.Dense(11)(x))  # is it real, and ten digits


# %% [markdown]
# ## Turn and turn about
# In each step the judge learns from real pictures (right answer: real) and from forgeries
# (right answer: forged), each with its digit. Then the forger learns, and its loss is what
# the judge thinks of its picture. Either answer has a cross-entropy. Real pictures count
# as real to 90 % only, so that the judge does not become too sure of itself.

# %%
passes, reads = losses.BinaryCrossentropy(from_logits=True), losses.SparseCategoricalCrossentropy(from_logits=True)


def judged(right, said):
    """The loss of both answers; `right` holds how real it is, and the digit."""
    return passes(right[:, :1], said[:, :1]) + reads(ops.cast(right[:, 1], "int32"), said[:, 1:])


forger, judge = make_forger(), make_judge()
judge.compile(optimizers.Adam(0.002, beta_1=0.5), judged)
forger.compile(optimizers.Adam(0.002, beta_1=0.5), lambda wanted, drawn: judged(wanted, judge(drawn)))
print(f"The forger has {forger.count_params():,} numbers to learn, the judge {judge.count_params():,}")


def orders(digits):
    """What the forger gets: random numbers, and which digits it is to draw."""
    return [luck.normal(size=(len(digits), NOISE)).astype("float32"), np.asarray(digits, "int32")]


def answers(real, digits):
    return np.stack([np.full(len(digits), real), digits], axis=1).astype("float32")


def turn():
    """One lesson for each of the two."""
    i = luck.integers(COUNT, size=BATCH)
    wanted = luck.integers(10, size=BATCH)
    forged = forger.predict_on_batch(orders(wanted))
    mixed, right = np.concatenate([pictures[i], forged]), np.concatenate([answers(0.9, digits[i]), answers(0, wanted)])
    of_judge = judge.train_on_batch(mixed, right)
    wanted = luck.integers(10, size=2 * BATCH)
    return of_judge, forger.train_on_batch(orders(wanted), answers(1, wanted))


# %% [markdown]
# ## They learn
# Each column is the order of one digit. Neither loss has to fall: when the judge gets
# better it becomes harder for the forger, and the other way round. What counts is what the
# reader makes of the forgeries.

# %%
STEPS, BATCH, EVERY = 1000, 32, 50
same = orders(np.tile(np.arange(10), 4))  # always the same orders, to see how they become better
asked = np.tile(np.arange(10), 30)
curves, both_losses = [], []
for step in range(1, STEPS + 1):
    both_losses.append(turn())
    if step % EVERY == 0:
        vis.image_grid(forger.predict_on_batch(same), columns=10, title=f"Forgeries after {step} steps").show("Forgeries")
        read = reader.predict_on_batch(forger.predict_on_batch(orders(asked))).argmax(axis=1)
        curves.append([step, float((read == asked).mean())])
        vis.line_chart({"read": curves}, title="Read as the digit that was ordered", x_label="step", y_label="share",
                       y_axis_domain=[0, 1]).show()  # fmt: skip
        recent = np.array(both_losses, "float32").reshape(-1, EVERY, 2).mean(axis=1)
        vis.line_chart({"judge": recent[:, 0], "forger": recent[:, 1]}, title="Losses", x_label=f"{EVERY} steps",
                       y_label="cross-entropy").show()  # fmt: skip
        chapter.pause()
well_forged = float(np.mean([share for _, share in curves[-3:]]))
print(f"{well_forged:.0%} of the last forgeries are read as the digit that was ordered")

# %% [markdown]
# ## Is it more than copying?
# A forger that had learned real pictures by heart would be no artist. Above, forgeries;
# below each, the real picture that is nearest to it.

# %%
drawn = forger.predict_on_batch(orders(np.arange(10)))
distance = ((pictures[:COUNT].reshape(COUNT, -1)[None] - drawn.reshape(10, 1, -1)) ** 2).mean(axis=2)
vis.image_grid(np.concatenate([drawn, pictures[distance.argmin(axis=1)]]), columns=10, title="Forged, and the nearest real one").show()

# %% [markdown]
# ## Order one
# Choose a digit; the slider leads from one set of random numbers to another, the hand of
# one writer to that of the next.

# %%
wanted, hands = {"digit": 3, "hand": 0.0}, luck.normal(size=(2, NOISE)).astype("float32")


def draw(what, value):
    wanted[what] = value
    noise = (1 - wanted["hand"]) * hands[:1] + wanted["hand"] * hands[1:]
    drawn = forger.predict_on_batch([noise, np.array([wanted["digit"]], "int32")])
    vis.image_grid(drawn, columns=1, title="Made to order", width=200).show()
    return f"The reader reads a {reader.predict_on_batch(drawn).argmax()}."


chapter.choice("Digit", list(range(10)), lambda value: draw("digit", value))
chapter.slider("Hand", 0, 1, 0, lambda value: draw("hand", value), step=0.05)

# %% [markdown]
# ## Things to try
# - 10,000 steps: the strokes become finer.
# - A judge ten times as quick (`Adam(0.01)`), or a forger: what happens to the losses?
# - `NOISE = 1`: are the forgeries of one digit still unlike each other?
