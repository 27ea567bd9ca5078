"""What lies between a shoe and a dress?

A variational autoencoder for pictures of clothes: it says each in eight numbers, draws
what lies on the way from one piece to another, invents pieces that nobody has made, and
finds the oddest in the wardrobe.

In the chapter about handwriting two numbers are enough for a digit, and make a map that one
can walk over. A piece of clothing has more to say: its cut, its sleeves, how dark it is. Here
it gets eight numbers, and there is no map any more, but there are still ways through. Press
**Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, ops, optimizers, random, vis

CHAPTER = {"order": 6.5, "data": ["clothes.npz"], "merit": ("pixels_wrong", "<", 0.024, "mean squared error of a pixel")}
pyml.utils.set_random_seed(6)

# %% [markdown]
# ## The data
# Photos of clothes from a shop, 28 by 28 grey pixels each (*Fashion-MNIST*; Xiao, Rasul and
# Vollgraf, 2017). The network gets the pictures; what they show it is never told.

# %%
COUNT, SIZE = 5000, 28
KINDS = ["T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
with np.load(chapter.file("clothes.npz")) as file:
    pictures, kinds = (file["pictures"] / 255).astype("float32"), file["kinds"]
flat = pictures.reshape(len(pictures), -1)
unseen, kinds_unseen = flat[COUNT:], kinds[COUNT:]
vis.image_grid(pictures[:14], [KINDS[kind] for kind in kinds[:14]], columns=7, title="Some of them").show()

# %% [markdown]
# ## Encoder and decoder
# The **encoder** makes of a picture a mean and an uncertainty for each of the eight numbers;
# the **decoder** draws a picture from eight numbers. While it learns, the numbers are moved at
# random, as far as the encoder was unsure, so that neighbours must be drawn alike.

# %%
NUMBERS, EPOCHS = 8, 20
encoder = pyml.Sequential([pyml.Input((SIZE * SIZE,)), layers.Dense(256, "relu"), layers.Dense(64, "relu"), layers.Dense(2 * NUMBERS)])
decoder = pyml.Sequential([pyml.Input((NUMBERS,)), layers.Dense(64, "relu"), layers.Dense(256, "relu"),
                           layers.Dense(SIZE * SIZE, "sigmoid")])  # fmt: skip


class Shaken(layers.Layer):
    """The numbers of a picture, moved at random while learning; adds the Kullback-Leibler divergence to the loss."""

    def __init__(self, strength=0.0005, **kwargs):
        super().__init__(**kwargs)
        self.strength, self.seeds = strength, random.SeedGenerator(1)

    def call(self, described, training=False):
        mean, unsure = described[:, :NUMBERS], described[:, NUMBERS:]
        self.add_loss(self.strength * -0.5 * ops.mean(ops.sum(1 + unsure - mean**2 - ops.exp(unsure), axis=1)))
        if not training:
            return mean
        return mean + ops.exp(0.5 * unsure) * random.normal(ops.shape(mean), seed=self.seeds)


seen = pyml.Input((SIZE * SIZE,))
model = pyml.Model(seen, decoder(Shaken()(encoder(seen))))
model.compile(optimizers.Adam(0.002), "mse")
live = vis.fit_callbacks("Loss", callbacks=["on_epoch_end"], warn=False, title="Loss")
model.fit(flat[:COUNT], flat[:COUNT], validation_data=(unseen, unseen), epochs=EPOCHS, batch_size=64, verbose=0, callbacks=[live])

# %% [markdown]
# ## Pictures and their drawings
# Above, pieces that it has not seen; below, what it draws from the eight numbers that it made
# of each. Sleeves and outlines are there, patterns and writing are not: eight numbers are few.

# %%
numbers = encoder.predict(unseen, verbose=0)[:, :NUMBERS]
drawn = decoder.predict(numbers, verbose=0)
wrong = ((drawn - unseen) ** 2).mean(axis=1)
pixels_wrong = float(wrong.mean())
print(f"Mean squared error of a pixel: {pixels_wrong:.4f}; an even grey would have {unseen.var():.4f}")
both = np.concatenate([unseen[:10], drawn[:10]]).reshape(-1, SIZE, SIZE)
vis.image_grid(both, columns=10, title="Above: seen, below: drawn").show()

# %% [markdown]
# ## A wardrobe in order
# Eight numbers cannot be drawn on a page. **t-SNE** lays pieces whose numbers are alike beside
# each other. The colours are the kinds, which the network was never told: shoes found shoes.

# %%
POINTS = 300
vis.projector(numbers[:POINTS], labels=[KINDS[kind] for kind in kinds_unseen[:POINTS]], images=unseen[:POINTS].reshape(-1, SIZE, SIZE),
              method="tsne", iterations=300, title=f"{POINTS} pieces by their eight numbers").show()  # fmt: skip

# %% [markdown]
# ## The way from one piece to another
# Choose two kinds, and how far to go. All eight numbers change evenly from those of the one to
# those of the other, and each step on the way is drawn.

# %%
way = {"from": KINDS.index("sneaker"), "to": KINDS.index("dress"), "far": 0.5}
example = {kind: numbers[(kinds_unseen == kind).argmax()] for kind in range(len(KINDS)) if (kinds_unseen == kind).any()}


def walk(what, value):
    way[what] = value
    start, end = example[way["from"]], example[way["to"]]
    share = np.append(np.linspace(0, 1, 9), way["far"]).astype("float32")[:, None]
    steps = decoder.predict((1 - share) * start + share * end, verbose=0).reshape(-1, SIZE, SIZE)
    title = f"From {KINDS[way['from']]} to {KINDS[way['to']]}, line by line"
    vis.image_grid(steps[:9], columns=3, width=290, title=title).show("The way")
    vis.image_grid(steps[9:], columns=1, width=200, title=f"{way['far']:.0%} of the way").show("One step")


chapter.choice("From", [KINDS[kind] for kind in (7, 0, 1, 8, 9)], lambda kind: walk("from", KINDS.index(kind)))
chapter.choice("To", [KINDS[kind] for kind in (3, 2, 1, 8, 9)], lambda kind: walk("to", KINDS.index(kind)))
chapter.slider("How far", 0, 1, 0.5, lambda far: walk("far", far), step=0.05)

# %% [markdown]
# ## Pieces that nobody has made
# Eight random numbers, drawn. The divergence in the loss has kept the numbers of real pieces in
# the shape of a bell around zero, so that most places there are some piece.

# %%
luck = np.random.default_rng(6)
invented = decoder.predict(luck.normal(size=(30, NUMBERS)).astype("float32"), verbose=0)
vis.image_grid(invented.reshape(-1, SIZE, SIZE), columns=10, title="Invented").show()

# %% [markdown]
# ## The odd ones
# What it draws badly is unlike all that it has learned. That is how autoencoders find broken
# parts in factories and odd payments in banks: nobody has to show them what is wrong.

# %%
oddest = wrong.argsort()[::-1][:7]
odd = unseen[oddest].reshape(-1, SIZE, SIZE)
vis.image_grid(odd, [KINDS[kind] for kind in kinds_unseen[oddest]], columns=7, title="Drawn worst").show()

# %% [markdown]
# ## Things to try
# - `NUMBERS = 2`, then 32: which pieces gain by more numbers?
# - With `strength=0` the drawings become better and the inventions worse. Why?
# - Photos instead: which of your clothes would it find odd?
