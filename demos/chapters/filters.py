"""What can nine numbers do to a picture?

Blur, edges, relief: filters for a photo or your own camera, made of nine numbers each.
Choose them by hand, or let a layer find out which ones somebody has used.

The first layer of a network for pictures is a handful of small filters. This chapter
takes one out of it and looks at what it does, to a cat, and to you. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, ops, optimizers, vis

CHAPTER = {"order": 16, "data": ["cat.npz", "faces.npz"], "merit": ("largest_error", "<", 0.05, "(in any of the nine numbers)")}
pyml.utils.set_random_seed(16)

# %% [markdown]
# ## Nine numbers
# A **filter** looks at each pixel and its eight neighbours, multiplies each of the nine by
# a number of its own, and adds up; that is the new pixel. The same nine numbers everywhere:
# this is a **convolution**. What becomes of the picture depends on the numbers alone.

# %%
FILTERS = {
    "as it is": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "blurred": [[1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9], [1 / 9, 1 / 9, 1 / 9]],
    "sharper": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "all edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "upright edges": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "lying edges": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "relief": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}
with np.load(chapter.file("cat.npz")) as file:
    cat = file["picture"]
now = {"picture": cat, "numbers": FILTERS["all edges"]}


def filtered(picture, numbers):
    """A picture `(height, width, 3)` after a filter, each colour by itself; values from 0 to 1."""
    pixels = np.moveaxis(picture.astype("float32") / 255, 2, 0)[..., None]  # the colours are three pictures
    kernel = np.array(numbers, "float32")[:, :, None, None]
    found = np.asarray(ops.conv(np.pad(pixels, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge"), kernel))
    return np.clip(np.moveaxis(found[..., 0], 0, 2), 0, 1)


vis.image_grid([filtered(cat, numbers) for numbers in FILTERS.values()], list(FILTERS), columns=4, title="A cat, filtered").show()

# %% [markdown]
# Where the nine numbers add up to 1 the picture keeps its brightness; where they add up to
# 0 all that is even becomes black, and what changes remains. Here are nine numbers of which
# you move the one in the middle and, all alike, its eight neighbours:


# %%
own = {"middle": 8.0, "around": -1.0}


def choose(which, value):
    own[which] = value
    numbers = np.full((3, 3), own["around"])
    numbers[1, 1] = own["middle"]
    vis.image_grid([cat, filtered(cat, numbers)], ["before", "after"], columns=2, title="Your filter").show()
    return f"The nine numbers add up to {numbers.sum():.1f}."


chapter.slider("In the middle", -9, 9, 8, lambda value: choose("middle", value), step=0.5)
chapter.slider("Around it", -1, 1, -1, lambda value: choose("around", value), step=0.1)

# %% [markdown]
# ## Which numbers were it?
# Somebody has filtered two hundred pictures and does not say how. A layer `Conv2D` with one
# filter *is* such a convolution; so a network of this one layer can find the numbers, from
# the pictures before and after. A network for photos does nothing else, but for many
# filters, in many layers, and with no picture "after" to look at: only with the name of
# what there is to see.

# %%
ROUNDS, SECRET = 160, "relief"
with np.load(chapter.file("faces.npz")) as file:
    before = (file["pictures"] / 255).astype("float32")[..., None]
secret = np.array(FILTERS[SECRET], "float32")
after = np.asarray(ops.conv(before, secret[:, :, None, None]))
layer = layers.Conv2D(1, 3, use_bias=False)
model = pyml.Sequential([pyml.Input((25, 25, 1)), layer])
model.compile(optimizers.Adam(0.1), "mse")
live = vis.fit_callbacks("Loss", callbacks=["on_epoch_end"], warn=False, title="Loss", height=200)


class Shows(pyml.callbacks.Callback):
    """Draws the nine numbers as they are found."""

    def on_epoch_end(self, epoch, logs=None):
        vis.heatmap(layer.kernel.numpy()[:, :, 0, 0], color_map="blues", domain=[-2, 2], width=220, height=180).show("The numbers found")


model.fit(before, after, epochs=ROUNDS, batch_size=20, verbose=0, callbacks=[live, Shows()])
numbers = layer.kernel.numpy()[:, :, 0, 0].round(3) + 0.0
vis.heatmap(secret, color_map="blues", domain=[-2, 2], width=220, height=180).show("The secret numbers")
largest_error = float(np.abs(numbers - secret).max())
print(f"Found, row by row: {', '.join(f'{n:.2f}' for n in numbers.ravel())}. None is wrong by more than {largest_error:.3f}")

# %% [markdown]
# ## You
# Look through a filter yourself: with the camera, or with a picture or a video of yours.
# Nothing leaves this page.


# %%
def look(picture=None):
    if picture is not None:
        now["picture"] = picture
    vis.image_grid([now["picture"], filtered(now["picture"], now["numbers"])], columns=2, title="Before and after").show()


def through(name):
    now["numbers"] = FILTERS[name]
    look()


chapter.choice("Filter", list(reversed(FILTERS)), through)
chapter.camera("Look", look)

# %% [markdown]
# ## Things to try
# - A filter of your own in `FILTERS`.
# - Twice the same filter: `filtered` of what `filtered` gives (times 255). What becomes of
#   ten times blurred?
# - Let the network find "all edges": put it into `SECRET`. And with ten pictures only?
