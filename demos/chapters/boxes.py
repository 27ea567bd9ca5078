"""Where is the triangle?

Object detection: a network says what there is in a picture and where, as a box; its loss
has a part for either. On drawn scenes, of which there are as many as one wants.

A classifier says *what* is in a picture. To say *where* takes four numbers more: the
edges of a box around it. This chapter asks one network for both at once. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, losses, ops, optimizers, vis

CHAPTER = {"order": 11, "data": [], "merit": ("mean_overlap", ">", 0.7, "intersection over union")}
pyml.utils.set_random_seed(11)
luck = np.random.default_rng(11)

# %% [markdown]
# ## The scenes
# A triangle or a rectangle of any size and grey, among circles and lines that are not
# asked for. A scene is drawn in a moment, and the right answer is known for each: that is
# the charm of **synthetic** data. Whether a network that learned from them is any good on
# photos is another question.

# %%
SIZE = 32
down, right = np.mgrid[:SIZE, :SIZE] + 0.5
KINDS = ["rectangle", "triangle"]


def clutter(picture):
    """Draws two circles and four lines."""
    for _ in range(2):
        y, x = luck.uniform(0, SIZE, 2)
        picture[np.abs(np.hypot(down - y, right - x) - luck.uniform(2, 6)) < 0.6] = luck.uniform(0.2, 0.8)
    for _ in range(4):
        y, x, angle = *luck.uniform(0, SIZE, 2), luck.uniform(0, np.pi)
        away = (down - y) * np.cos(angle) - (right - x) * np.sin(angle)
        along = (down - y) * np.sin(angle) + (right - x) * np.cos(angle)
        picture[(np.abs(away) < 0.6) & (np.abs(along) < luck.uniform(3, 10))] = luck.uniform(0.2, 0.8)


def scene():
    """A picture `(SIZE, SIZE)`, which kind is in it, and its box: left, top, right, bottom, from 0 to 1."""
    picture = np.full((SIZE, SIZE), luck.uniform(0, 0.2), "float32")
    clutter(picture)
    kind = int(luck.integers(2))
    while True:
        if kind == 0:
            corners = np.sort(luck.uniform(1, SIZE - 1, (2, 2)), axis=0)
            inside = (right > corners[0, 0]) & (right < corners[1, 0]) & (down > corners[0, 1]) & (down < corners[1, 1])
        else:
            corners = luck.uniform(1, SIZE - 1, (3, 2))
            sides = [(b[0] - a[0]) * (down - a[1]) - (b[1] - a[1]) * (right - a[0]) for a, b in zip(corners, np.roll(corners, -1, axis=0))]
            inside = np.all(np.array(sides) > 0, axis=0) | np.all(np.array(sides) < 0, axis=0)
        box = np.r_[corners.min(axis=0), corners.max(axis=0)]
        if (box[2:] - box[:2]).min() >= 7 and inside.sum() >= 45:  # neither a crumb nor a needle
            picture[inside] = luck.uniform(0.5, 1)
            return picture, kind, box / SIZE


def scenes(count):
    pictures, kinds, boxes = zip(*[scene() for _ in range(count)])
    return np.stack(pictures)[..., None], np.c_[kinds, boxes].astype("float32")


def framed(pictures, *sets_of_boxes):
    """The pictures four times as large and in colour, with boxes drawn: green, then orange."""
    large = pictures.repeat(4, axis=1).repeat(4, axis=2).repeat(3, axis=3)
    for boxes, colour in zip(sets_of_boxes, [(0.1, 0.8, 0.5), (1, 0.55, 0.2)]):
        for picture, box in zip(large, np.clip(boxes * SIZE * 4, 0, SIZE * 4 - 1).round().astype(int)):
            x0, y0, x1, y1 = box
            picture[[y0, y1], min(x0, x1) : max(x0, x1) + 1] = colour
            picture[min(y0, y1) : max(y0, y1) + 1, [x0, x1]] = colour
    return large


x_test, y_test = scenes(400)
vis.image_grid(framed(x_test[:8], y_test[:8, 1:]), [KINDS[int(k)] for k in y_test[:8, 0]], columns=4, title="Scenes and right boxes").show()

# %% [markdown]
# ## One network, two answers, one loss
# Convolutions look for edges and corners; what they find goes into one dense layer, and
# that gives five numbers: one for the kind, four for the box. The loss is a sum. For the
# kind it is the **cross-entropy** of a classifier, for the box the **mean error** of a
# regression. They have other sizes, so the box is weighed: with too little weight the
# network names well and points badly, with too much the other way round.

# %%
WEIGHT = 10.0
crossentropy = losses.BinaryCrossentropy(from_logits=True)


def kind_and_box(right, said):
    return crossentropy(right[:, :1], said[:, :1]) + WEIGHT * ops.mean(abs(right[:, 1:] - said[:, 1:]))


eyes = {"strides": 2, "padding": "same", "activation": "relu"}
model = pyml.Sequential([pyml.Input((SIZE, SIZE, 1)), layers.Conv2D(16, 5, **eyes), layers.Conv2D(32, 3, **eyes),
                         layers.Conv2D(48, 3, **eyes), layers.Flatten(), layers.Dense(96, activation="relu"), layers.Dense(5)])  # fmt: skip
model.compile(optimizers.Adam(0.002), kind_and_box)
print(f"{model.count_params():,} numbers to learn")

# %% [markdown]
# ## How good is a box?
# The measure of boxes is **intersection over union**: the area that both boxes share, in
# parts of the area that either covers. 1 is a perfect box, 0 one that misses. A box that
# always lies in the middle is the baseline.


# %%
def overlap(a, b):
    """Intersection over union of boxes, row by row."""
    shared = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None).prod(axis=1)
    area = lambda boxes: np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return shared / (area(a) + area(b) - shared)


middle = np.broadcast_to(y_test[:, 1:].mean(axis=0), (len(y_test), 4))
baseline = float(overlap(middle, y_test[:, 1:]).mean())
print(f"A box in the middle overlaps the right one by {baseline:.2f} on average")

# %% [markdown]
# ## It learns
# Four thousand scenes; before each round they are mirrored by lot, and their boxes with
# them, so that the network sees four times as many. Green is the right box, orange the
# network's.

# %%
ROUNDS, COUNT = 14, 4000
x, y = scenes(COUNT)
curve = []


def mirrored(x, y):
    """The scenes left-right, upside down, both, or as they are, with their boxes."""
    x, y = x[:], y.copy()
    if luck.random() < 0.5:
        x, y[:, [1, 3]] = x[:, :, ::-1], 1 - y[:, [3, 1]]
    if luck.random() < 0.5:
        x, y[:, [2, 4]] = x[:, ::-1], 1 - y[:, [4, 2]]
    return np.ascontiguousarray(x), y


for number in range(1, ROUNDS + 1):
    if number == ROUNDS * 2 // 3:
        model.optimizer.learning_rate = 0.0005  # smaller steps towards the end
    model.fit(*mirrored(x, y), batch_size=50, verbose=0)
    said = model.predict(x_test, batch_size=100, verbose=0)
    overlaps = overlap(said[:, 1:], y_test[:, 1:])
    named = (said[:, 0] > 0) == (y_test[:, 0] == 1)
    curve.append([float(overlaps.mean()), float(named.mean())])
    vis.line_chart(dict(zip(["overlap", "correctly named"], np.array(curve).T)), title="On scenes that it has not seen", x_label="round",
                   y_label="share", y_axis_domain=[0, 1]).show()  # fmt: skip
    labels = [f"{KINDS[int(s > 0)]}, {o:.2f}" for s, o in zip(said[:12, 0], overlaps)]
    vis.image_grid(framed(x_test[:12], y_test[:12, 1:], said[:12, 1:]), labels, columns=3, title="Right (green) and said (orange)").show()
    chapter.pause()
mean_overlap, names_right = curve[-1]
print(f"Boxes overlap by {mean_overlap:.2f} on average, {names_right:.0%} are correctly named")

# %% [markdown]
# ## Where it fails
# The scenes with the worst boxes. Are they small, narrow, or crossed by lines?

# %%
worst = np.argsort(overlaps)[:9]
labels = [f"{KINDS[int(said[i, 0] > 0)]}, {overlaps[i]:.2f}" for i in worst]
vis.image_grid(framed(x_test[worst], y_test[worst, 1:], said[worst, 1:]), labels, columns=3, title="The worst boxes").show()
vis.histogram(overlaps, title="Overlaps of all test scenes", x_label="intersection over union", height=220).show()

# %% [markdown]
# ## Further scenes
# Any of a hundred new ones:

# %%
x_more, y_more = scenes(100)
said_more = model.predict(x_more, batch_size=100, verbose=0)
shares = overlap(said_more[:, 1:], y_more[:, 1:])


def show_scene(i):
    i = int(i)
    here = slice(i, i + 1)
    vis.image_grid(framed(x_more[here], y_more[here, 1:], said_more[here, 1:]), columns=1, title="Scene", width=200).show()
    kind, share = KINDS[int(said_more[i, 0] > 0)], shares[i]
    return f"It says: a {kind}. Its box overlaps the right one by {share:.2f}."


chapter.slider("Scene", 0, 99, 0, show_scene, step=1)

# %% [markdown]
# ## Things to try
# - `WEIGHT = 1`, or 1,000.
# - Darker shapes: `luck.uniform(0.2, 0.5)` in the place of 0.5 to 1.
# - Ten times the clutter: `range(20)` and `range(40)`. From where on is it lost?
