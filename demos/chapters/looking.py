"""What does a network look at?

Look into a network: what each layer makes of a digit, what its units look for, and which
parts of a photo decided that it shows an espresso. Your own picture too.

A network that names pictures correctly has not said why. There are ways to ask it. Here are
six of them: on a small network that learns digits in front of you, and on MobileNet, which
learned a thousand kinds of things from more than a million photos. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, vis

CHAPTER = {"order": 17, "data": ["mnist.npz", "coffee.npz"], "networks": ["mobilenet_v1"],
           "merit": ("explained", ">", 0.5, "of its certainty is lost when the marked fifth is covered")}  # fmt: skip
pyml.utils.set_random_seed(17)

# %% [markdown]
# ## A network for digits
# Two layers of convolutions, small enough to be seen whole. It learns for a moment.

# %%
COUNT, EPOCHS = 3000, 4
with np.load(chapter.file("mnist.npz")) as file:
    x, y = file["x_train"][:COUNT, ..., None].astype("float32") / 255, file["y_train"][:COUNT]
    x_test, y_test = file["x_test"][..., None].astype("float32") / 255, file["y_test"]
digits = pyml.Sequential([
    pyml.Input((28, 28, 1)),
    layers.Conv2D(8, 5, activation="relu", name="strokes"),
    layers.MaxPooling2D(2),
    layers.Conv2D(16, 5, activation="relu", name="shapes"),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(10, activation="softmax", name="answer"),
])  # fmt: skip
digits.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
digits.fit(x, y, batch_size=50, epochs=EPOCHS, verbose=0)
right = digits.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
print(f"{right:.1%} of {len(x_test):,} digits that it has not seen are read correctly")

# %% [markdown]
# ## First way: look at what the layers say
# Each channel of the first layer answers to a kind of stroke, in each place by itself: where
# its map is bright it found one. The maps of the second layer are coarser, and harder to
# put into words. At the end ten numbers are left.


# %%
def look(number):
    """The maps of one digit of the test."""
    digit = x_test[int(number)]
    vis.image_grid([digit], [f"a {y_test[int(number)]}"], height=120, title="The digit").show("The digit")
    vis.activations(digits, digit, "strokes", title="What the first layer makes of it").show("First layer")
    vis.activations(digits, digit, "shapes", title="What the second layer makes of it").show("Second layer")
    vis.activations(digits, digit, "answer", title="Its answer: how sure it is of 0 to 9", height=110).show("Answer")


chapter.slider("Digit of the test", 0, 200, 7, look, step=1)

# %% [markdown]
# ## Second way: ask a channel what it likes best
# A channel of the first layer is 25 weights, a picture already: bright pixels speak for it,
# dark ones against. Of a deeper layer the weights say little. There one begins with grey
# noise and changes its pixels, a little at a time, so that a channel answers more and more:
# **gradient ascent**. What comes out is what the channel looks for: bars that stand, lie and
# bend, so many times in one picture as there are places to look at.

# %%
kernels = np.moveaxis(digits.get_layer("strokes").kernel.numpy()[:, :, 0], -1, 0)
largest = np.abs(kernels).max()
vis.image_grid(0.5 + kernels / largest / 2, [str(i) for i in range(len(kernels))], title="Weights of the first layer").show()
vis.filters(digits, "shapes", title="What the channels of the second layer look for").show()

# %% [markdown]
# ## Third way: many pictures at once
# Before its answer the network has turned each digit into 256 numbers. **t-SNE** (van der Maaten
# and Hinton, 2008) puts digits whose numbers are alike beside each other on a plane. Ten islands
# say that the work was done; look for the digits that lie in the wrong one.

# %%
POINTS = 300
flat = digits.layers[-2].output  # what the last layer gets
described = pyml.Model(digits.inputs, flat).predict(x_test[:POINTS], verbose=0)
vis.projector(described, labels=y_test[:POINTS], images=x_test[:POINTS], method="tsne", iterations=300,
              title="300 digits of the test, as the network sees them").show()  # fmt: skip

# %% [markdown]
# ## A network for photos
# **MobileNet** has eighty layers. Nobody can look at all its maps; one asks it about one
# picture and one answer instead: what in this photo speaks for an espresso?

# %%
SIZE = 160
hub = pyml.hub.mobilenet_v1()
mobilenet = pyml.hub.build_mobilenet_v1((SIZE, SIZE, 3))  # for smaller pictures
mobilenet.set_weights(hub.keras.get_weights())
with np.load(chapter.file("coffee.npz")) as file:
    photo = file["picture"]


def prepared(picture):
    """A picture as MobileNet takes it: float32 `(SIZE, SIZE, 3)`, 0 to 255."""
    return np.asarray(pyml.ops.image.resize(picture.astype("float32"), (SIZE, SIZE), interpolation="bilinear"))


def shares(picture):
    """How sure MobileNet is of each of its thousand names."""
    return mobilenet.predict(picture[None], verbose=0)[0]


cup = prepared(photo)
found = shares(cup)
best = found.argsort()[::-1][:5]
vis.bar_chart({hub.labels[i]: float(found[i]) for i in best}, horizontal=True, title="What MobileNet sees", x_label="how sure").show()

# %% [markdown]
# ## Fourth way: cover a part
# A grey square wanders over the photo. Where the network becomes unsure, the square hides
# something that it needs: **occlusion**. That is easily understood, and slow: each place of
# the square is a prediction of its own.

# %%
PATCH = 40
answer = int(best[0])
occluded = vis.occlusion(mobilenet, cup, answer, patch=PATCH, stride=PATCH // 2, value=127.5, batch_size=8, title="Where covering hurts")
occluded.show()

# %% [markdown]
# ## Fifth way: ask for the gradient
# How does the answer change when a pixel changes a little? One run backwards tells it for
# all pixels at once. **Integrated gradients** ask along the whole way from a black picture to
# the photo, and add up: fewer specks, and the sum is the answer itself.

# %%
vis.saliency(mobilenet, cup, answer, title="By the gradient").show()
vis.integrated_gradients(mobilenet, cup, answer, steps=16, title="By integrated gradients").show()

# %% [markdown]
# ## Sixth way: Grad-CAM
# The last maps of the network are coarse, but they know what is a coffee. **Grad-CAM** adds them
# up, each by how much the answer depends on it: where the network looks, in one run forwards
# and one backwards.

# %%
heat = vis.grad_cam(mobilenet, cup, answer, title="Where it looks")
heat.show()

# %% [markdown]
# ## Is it true?
# A picture of heat is soon believed. Here is a test: cover the fifth of the photo that
# Grad-CAM marks most, and the fifth that it marks least. If it tells the truth, the first must
# cost much of the network's certainty, and the second little.


# %%
def covered(picture, warm, share=0.2):
    """The picture with the warmest share of its pixels covered by grey."""
    warm = warm + 1e-6 * np.linspace(0, 1, len(warm))[:, None]  # where all is equally cold, the lower rows
    return np.where((warm > np.quantile(warm, 1 - share))[..., None], np.float32(127.5), picture)


without = {"whole": cup, "most marked": covered(cup, heat.values), "least marked": covered(cup, -heat.values)}
sure = {name: float(shares(picture)[answer]) for name, picture in without.items()}
explained = 1 - sure["most marked"] / sure["whole"]
vis.image_grid([picture / 255 for picture in without.values()], [f"{name}: {sure[name]:.0%}" for name in without], columns=3,
               title=f"A fifth covered: how sure it is of “{hub.labels[answer]}”").show()  # fmt: skip

# %% [markdown]
# ## Your own picture
# Show it something, by camera or from a file: what does it see, and where?


# %%
def own(picture):
    shown = prepared(picture)
    name = int(shares(shown).argmax())
    vis.grad_cam(mobilenet, shown, name, title=f"Your picture: where it sees “{hub.labels[name]}”").show("Your picture")


chapter.camera("Your picture", own, size=SIZE)

# %% [markdown]
# ## Things to try
# - Another answer for the same photo: `answer = int(best[1])`. Does it look elsewhere?
# - Grad-CAM of an earlier layer: `vis.grad_cam(mobilenet, cup, answer, layer="conv_pw_5_relu")`.
# - The same test for occlusion: `covered(cup, occluded.values)`. Which of them tells more?
# - A network that has learned nothing: `EPOCHS = 0`. What do its channels look for?
