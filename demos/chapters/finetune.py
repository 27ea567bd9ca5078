"""Can forty pictures be enough?

Faces, and what is none: a network from scratch, a network for photos cut in half with a
new head on it, and the same with its last layers unfrozen. Transfer learning, step by
step.

Who wants to learn from forty pictures needs somebody who has seen more. **Transfer
learning** takes a network that learned to name a thousand kinds of things on more than a
million photos, and makes it answer another question. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 14, "data": ["faces.npz"], "networks": ["mobilenet_v1"],
           "merit": ("tuned", ">", 0.93, "of the pictures that it has not seen")}  # fmt: skip
pyml.utils.set_random_seed(14)

# %% [markdown]
# ## The pictures
# A hundred faces out of photos of newspapers (of the collection *Labeled Faces in the
# Wild*), and a hundred pieces of photos without a face; 25 by 25 pixels each. Twenty of
# either kind are to learn from. The others are the test.

# %%
EACH, ROUNDS = 20, 12
with np.load(chapter.file("faces.npz")) as file:
    pictures, face = file["pictures"], file["face"].astype("float32")
order = np.random.default_rng(14).permutation(len(pictures))
lessons = np.concatenate([[i for i in order if face[i] == kind][:EACH] for kind in (0, 1)])
test = np.setdiff1d(order, lessons)
print(f"{len(lessons)} pictures to learn from, {len(test)} to test")
half = lessons[::2]
vis.image_grid(pictures[half], ["face" if face[i] else "none" for i in half], columns=10, title="Half of those to learn from").show()

# %% [markdown]
# ## From scratch
# A small network that knows nothing. It can learn forty pictures by heart; whether they
# tell it what a face is shows in the test.

# %%
right = {}


def learn(name, model, x, epochs, rate):
    """Trains on the forty pictures, and tests on the others after each round."""
    model.compile(optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    live = vis.fit_callbacks(name, metrics=["accuracy", "val_accuracy"], callbacks=["on_epoch_end"], warn=False, height=180, title=name,
                             y_axis_domain=[0.4, 1])  # fmt: skip
    model.fit(x[lessons], face[lessons][:, None], epochs=epochs, batch_size=10, validation_data=(x[test], face[test][:, None]), verbose=0,
              callbacks=[live])  # fmt: skip
    said = model.predict(x[test], verbose=0)[:, 0]
    right[name] = float(((said > 0.5) == face[test]).mean())
    count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    print(f"{name}: {count:,} numbers learned, {right[name]:.1%} of the test named correctly")
    return said


small = pyml.Sequential([pyml.Input((25, 25, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(),
                         layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(32, "relu"),
                         layers.Dense(1, "sigmoid")])  # fmt: skip
learn("From scratch", small, (pictures / 255).astype("float32")[..., None], 2 * ROUNDS, 0.002)

# %% [markdown]
# ## A network for photos, cut
# **MobileNet** (Howard and others, 2017) knows a thousand kinds of things; a face is not
# among them. Its first layers found edges and textures, the last ones parts of dogs and
# cars. Cut behind the eleventh of its thirteen pairs of layers it is the **truncated**
# network: it turns a picture into 512 small maps. These never change, so they are computed
# once.

# %%
SIZE = 64
hub = pyml.hub.mobilenet_v1()
base = pyml.hub.build_mobilenet_v1((SIZE, SIZE, 3))  # for smaller pictures
base.set_weights(hub.keras.get_weights())
middle, end = base.get_layer("conv_pw_11_relu").output, base.get_layer("conv_pw_13_relu").output
truncated = pyml.Model(base.input, middle)
large = np.asarray(pyml.ops.image.resize(pictures[..., None].astype("float32"), (SIZE, SIZE), interpolation="bilinear")).repeat(3, axis=3)
maps = truncated.predict(large, batch_size=20, verbose=0)
print(f"Of each picture {' x '.join(map(str, maps.shape[1:]))} numbers, out of {truncated.count_params():,} that MobileNet had learned")
strongest = maps[lessons].std(axis=(0, 1, 2)).argsort()[::-1][:10]
some = [*lessons[:1], *lessons[-2:]]
shown = np.concatenate([maps[i][..., strongest].transpose(2, 0, 1) / maps[i][..., strongest].max() for i in some])
vis.image_grid(shown, columns=10, title="Ten maps of a picture without a face, and of two with one").show()

# %% [markdown]
# ## A new head
# The last two pairs of layers stay as they are (**frozen**), and behind them comes a new
# head, one single unit: is it a face? Only its weights learn.


# %%
tail = pyml.Model(middle, end)
tail.trainable = False
seen = pyml.Input(maps.shape[1:])
answer = layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling2D()(tail(seen, training=False)))  # normalization keeps what it measured
model = pyml.Model(seen, answer)
learn("New head", model, maps, ROUNDS, 0.003)

# %% [markdown]
# ## Unfreezing
# Now the last two pairs may learn too, by steps a hundred times smaller: what a million
# photos taught is not to be lost at the first mistake. That is **fine-tuning**. It comes
# *after* the head has learned; with a head that still guesses, the first steps would
# destroy more than they teach. With faces the head alone is so good already that little
# is left to gain; where the new pictures are less like photos there is more.

# %%
tail.trainable = True
said = learn("Fine-tuned", model, maps, ROUNDS, 0.00003)
tuned = right["Fine-tuned"]
vis.bar_chart(right, title="Correctly named of those it has not seen", y_label="share", height=240).show()

# %% [markdown]
# ## What it takes for a face
# The pictures of the test of which the fine-tuned network is least sure. Move on through
# all of them, from certainly none to certainly a face.

# %%
ranked = test[np.argsort(said)]
sure = dict(zip(test, said))


def around(first):
    some = ranked[int(first) : int(first) + 10]
    vis.image_grid(pictures[some], [f"{sure[i]:.0%}" for i in some], columns=5, title="How sure it is that this is a face").show()


unsure = int(np.clip((said < 0.5).sum() - 5, 0, max(len(test) - 10, 1)))
chapter.slider("From none to face", 0, max(len(test) - 10, 1), unsure, around, step=1)

# %% [markdown]
# ## Things to try
# - `EACH = 5`, and 60: from how many pictures on is the network from scratch as good?
# - Unfreeze first, without the new head's lesson; or fine-tune by steps of 0.003.
# - Cut earlier: `conv_pw_5_relu`. The tail is longer then, and fine-tuning takes its time.
