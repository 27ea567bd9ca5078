"""How small may a network be?

A network that reads digits is made thirty times smaller: by rounding what it learned to few
bits, and by a small pupil that learns from the large one. With a slider for the bits.

Whoever opens a page with a network in it has to wait until its numbers have arrived. Each
is kept in 32 bits, exact to seven digits. Does it need to be? Press **Run**.
"""

import os
import tempfile

import chapter
import numpy as np

import pyml
from pyml import layers, vis

CHAPTER = {"order": 18, "data": ["mnist.npz"], "merit": ("small_and_right", ">", 0.91, "of unseen digits, with a thirtieth of the bytes")}
pyml.utils.set_random_seed(18)

# %% [markdown]
# ## A network that reads digits
# Two hidden layers, more than 200,000 weights.

# %%
COUNT, EPOCHS, UNITS = 4000, 8, 256
with np.load(chapter.file("mnist.npz")) as file:
    pictures = file["x_train"].reshape(-1, 784).astype("float32") / 255
    x, y = pictures[:COUNT], file["y_train"][:COUNT]  # somebody has read these; the others are for later
    x_test, y_test = file["x_test"].reshape(-1, 784).astype("float32") / 255, file["y_test"]


def network(units):
    """A network with one softmax at its end."""
    return pyml.Sequential([pyml.Input((784,)), layers.Dense(units, "relu"), layers.Dense(units // 2, "relu"), layers.Dense(10, "softmax")])


def right(model):
    """The share of unseen digits that a network reads correctly."""
    return float((model.predict(x_test, batch_size=250, verbose=0).argmax(-1) == y_test).mean())


def size_of(model):
    """The bytes of a file with its weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.npz")
        model.save_weights(path)
        return os.path.getsize(path)


model = network(UNITS)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
live = vis.fit_callbacks("Learning", metrics=["accuracy"], callbacks=["on_epoch_end"], warn=False, height=180, title="Learning")
model.fit(x, y, batch_size=50, epochs=EPOCHS, verbose=0, callbacks=[live])
accuracy, size = {"32 bits": right(model)}, {"32 bits": size_of(model)}
print(f"{accuracy['32 bits']:.1%} of {len(x_test):,} digits that it has not seen; {size['32 bits'] / 1000:,.0f} kB")
vis.values_distribution(model.layers[0].kernel, title="The weights of the first layer").show()

# %% [markdown]
# ## Fewer bits, by hand
# With 8 bits a weight can have one of 256 values, with 3 bits one of eight. Each weight of a
# layer is put to the nearest: that is **quantization**. One number for each layer is kept
# besides, how far the values lie apart. How few will do?


# %%
def rounded(weights, bits):
    """Weights put to the nearest of 2 ** bits values; with one bit, two values."""
    levels = 2 ** (bits - 1)
    step = np.abs(weights).max() / levels
    return (np.clip(np.floor(weights / step), -levels, levels - 1) + 0.5) * step


whole = model.get_weights()
trial = network(UNITS)
shares = []
for bits in range(1, 9):
    trial.set_weights([rounded(weight, bits) if weight.ndim == 2 else weight for weight in whole])
    shares.append({"x": bits, "y": right(trial)})
vis.line_chart(shares, title="Read correctly by the number of bits", x_label="bits of a weight", y_label="share read correctly", height=240,
               y_axis_domain=[0.5, 1]).show()  # fmt: skip


def show(bits):
    kernel = rounded(whole[0], int(bits))
    shown = 0.5 + kernel[:, :12].T.reshape(12, 28, 28) / np.abs(whole[0]).max() / 2
    vis.image_grid(shown, columns=6, title="What twelve units look at, in so few bits").show("Units")
    return f"{2 ** int(bits)} values; {shares[int(bits) - 1]['y']:.1%} of the digits read correctly"


chapter.slider("Bits", 1, 8, 3, show, step=1)

# %% [markdown]
# The largest weight decides how far the values lie apart, and one large weight spoils it for
# all others of its layer. So one keeps a step for each output, or for each block of inputs.
#
# ## Fewer bits, as pyml does it
# `quantize("int8")` keeps one step for each output and rounds what comes in as well, so that a
# product is one of whole numbers. `quantize("int4")` keeps one step for each 128 inputs of an
# output. The bytes shrink in the file and on the device: kernels take the words of 32 bits
# apart when they load them.

# %%
for mode, name in (("int8", "8 bits"), ("int4", "4 bits")):
    small = network(UNITS)
    small.set_weights(whole)
    small.quantize(mode)
    accuracy[name], size[name] = right(small), size_of(small)
    print(f"{name}: {accuracy[name]:.1%}, {size[name] / 1000:,.0f} kB, {size['32 bits'] / size[name]:.1f} times smaller")

# %% [markdown]
# ## A pupil
# Another way is a smaller network, a pupil. It may learn from the digits and their labels, as
# the large one did; or from the large one's answers. These can be had for pictures that nobody
# has labelled, and say not only "a three" but "a three that could be an eight". That is
# **distillation** (Hinton and others, 2015). Both pupils are alike and take as many steps.

# %%
PUPIL = 32
with_labels, with_teacher = network(PUPIL), network(PUPIL)
with_teacher.set_weights(with_labels.get_weights())
answers = model.predict(pictures, batch_size=250, verbose=0)
rounds = round(2 * EPOCHS * len(pictures) / COUNT)
with_labels.compile("adam", "sparse_categorical_crossentropy")
with_labels.fit(x, y, batch_size=50, epochs=rounds, verbose=0)
with_teacher.compile("adam", "categorical_crossentropy")
with_teacher.fit(pictures, answers, batch_size=50, epochs=2 * EPOCHS, verbose=0)
for pupil, name in ((with_labels, "pupil of labels"), (with_teacher, "pupil of the network")):
    accuracy[name], size[name] = right(pupil), size_of(pupil)
    print(f"{name}: {accuracy[name]:.1%}, {size[name] / 1000:,.0f} kB")
with_teacher.quantize("int8")
accuracy["that in 8 bits"], size["that in 8 bits"] = right(with_teacher), size_of(with_teacher)

# %% [markdown]
# ## All of them
# For these digits neither fewer bits nor fewer units cost anything that a test of 1,500
# pictures could tell from chance. For harder questions they do: measure, as here.

# %%
rows = [[name, f"{size[name] / 1000:,.0f} kB", f"{size['32 bits'] / size[name]:.1f}", f"{accuracy[name]:.1%}"] for name in accuracy]
vis.table(rows, headers=["network", "file", "smaller", "right"], title="How small, and how right").show()
vis.scatter_plot({name: [{"x": size[name] / 1000, "y": accuracy[name]}] for name in accuracy}, x_label="kB", y_label="share read correctly",
                 title="Size and sense", height=260, y_axis_domain=[0.85, 1]).show()  # fmt: skip
small_and_right = max(accuracy[name] for name in accuracy if size["32 bits"] / size[name] >= 30)

# %% [markdown]
# ## Things to try
# - `UNITS = 64` and 1024: which of them stands few bits better?
# - `small.quantize("int4")` with `config=pyml.quantizers.Int4QuantizationConfig(block_size=32)`: more steps, more bytes, and the share?
# - `COUNT = 500`: whose pupil is better when few digits have labels? `PUPIL = 8`?
# - `pyml.export(model, "small", weights="int8")` writes a page's model in 8 bits, without Python.
