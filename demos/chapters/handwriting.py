"""What lies between a three and an eight?

A variational autoencoder learns to write digits by itself: it presses each picture into
two numbers and draws it again; with two sliders you walk through the plane of these
numbers.

Nobody tells this network which digit is which. It has to describe each picture by two
numbers only, and to draw the picture again from them. What it finds on the way is a map
of handwriting. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, ops, optimizers, random, vis

CHAPTER = {"order": 6, "data": ["mnist.npz"], "merit": ("pixels_wrong", "<", 0.045, "mean squared error of a pixel")}
pyml.utils.set_random_seed(6)

# %% [markdown]
# ## The data
# Real handwritten digits. To keep it quick the pictures are halved, to 14 by 14 pixels.

# %%
COUNT, SIZE = 3000, 14
with np.load(chapter.file("mnist.npz")) as file:
    pictures = np.concatenate([file["x_train"][:COUNT], file["x_test"][:500]]).reshape(-1, SIZE, 2, SIZE, 2).mean(axis=(2, 4))
    digits = np.concatenate([file["y_train"][:COUNT], file["y_test"][:500]])
pictures = (pictures / 255).astype("float32")
flat = pictures.reshape(len(pictures), -1)
vis.image_grid(pictures[:24], columns=12, title="Some of them").show()

# %% [markdown]
# ## Encoder and decoder
# The **encoder** turns a picture into a place on a plane: a mean for each of two
# numbers, and how unsure it is of it. The **decoder** draws a picture from a place. In
# between the place is moved at random, as far as the encoder was unsure; so
# neighbouring places must be drawn alike, and the plane has no holes. The loss has two
# parts: how different the drawing is, and how far the places stray from the middle (the
# Kullback-Leibler divergence).

# %%
encoder = pyml.Sequential([pyml.Input((SIZE * SIZE,)), layers.Dense(128, "relu"), layers.Dense(64, "relu"), layers.Dense(4)])
decoder = pyml.Sequential([pyml.Input((2,)), layers.Dense(64, "relu"), layers.Dense(128, "relu"), layers.Dense(SIZE * SIZE, "sigmoid")])


class Shaken(layers.Layer):
    """The place of a picture, moved at random while learning; adds the divergence to the loss."""

    def __init__(self, strength=0.003, **kwargs):
        super().__init__(**kwargs)
        self.strength, self.seeds = strength, random.SeedGenerator(1)

    def call(self, described, training=False):
        mean, unsure = described[:, :2], described[:, 2:]
        self.add_loss(self.strength * -0.5 * ops.mean(ops.sum(1 + unsure - mean**2 - ops.exp(unsure), axis=1)))
        if not training:
            return mean
        return mean + ops.exp(0.5 * unsure) * random.normal(ops.shape(mean), seed=self.seeds)


seen = pyml.Input((SIZE * SIZE,))
model = pyml.Model(seen, decoder(Shaken()(encoder(seen))))
model.compile(optimizers.Adam(0.003), "mse")
live = vis.fit_callbacks("Loss", callbacks=["on_epoch_end"], warn=False, title="Loss")
model.fit(flat[:COUNT], flat[:COUNT], epochs=20, batch_size=64, verbose=0, callbacks=[live])

# %% [markdown]
# ## Pictures and their drawings
# Above, pictures that the network has not seen; below, what it draws from the two
# numbers that it made of each.

# %%
again = model.predict(flat[COUNT:], verbose=0)
pixels_wrong = float(((again - flat[COUNT:]) ** 2).mean())
print(f"Mean squared error of a pixel: {pixels_wrong:.4f}; an even grey would have {flat.var():.4f}")
both = np.concatenate([pictures[COUNT : COUNT + 12], again[:12].reshape(-1, SIZE, SIZE)])
vis.image_grid(both, columns=12, title="Above: seen, below: drawn").show()

# %% [markdown]
# ## The map
# Each point is a picture, at its two numbers; the colours are the digits, which the
# network was never told.

# %%
places = encoder.predict(flat[COUNT:], verbose=0)[:, :2]
label = digits[COUNT:]
vis.scatter_plot({str(digit): places[label == digit] for digit in (0, 1, 3, 6, 7, 8)}, title="Where digits lie", x_label="first number",
                 y_label="second number", height=320).show()  # fmt: skip

# %% [markdown]
# ## Walk over it
# Move the two numbers and see what lies there. Between two digits there are pictures
# that are a little of both.

# %%
here = [0.0, 0.0]


def draw(which, value):
    here[which] = value
    drawn = decoder.predict(np.array([here], "float32"), verbose=0).reshape(1, SIZE, SIZE)
    vis.image_grid(drawn, columns=1, title="What lies here", width=200).show("What lies here")


chapter.slider("First number", -3, 3, 0, lambda value: draw(0, value), step=0.1)
chapter.slider("Second number", -3, 3, 0, lambda value: draw(1, value), step=0.1)
steps = np.linspace(-2, 2, 9)
whole = decoder.predict(np.array([[a, b] for b in steps[::-1] for a in steps], "float32"), verbose=0)
vis.image_grid(whole.reshape(-1, SIZE, SIZE), columns=9, width=290, title="The whole plane").show()

# %% [markdown]
# ## Things to try
# - With `strength=0` the map has no order to walk in: what lies between two digits
#   then?
# - Train for 60 epochs; the drawings become sharper.
# - Four numbers instead of two: `layers.Dense(8)`, and `[:, :4]`.
