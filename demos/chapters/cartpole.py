"""Can a network learn to balance a pole by trying?

Reinforcement learning: nobody shows this network what to do, it only hears how long the
pole stood. Policy gradients on the cart-pole, which you can play yourself while it
learns.

A cart carries a pole. Push it to the left or to the right, fifty times a second, so that
the pole does not fall and the cart does not leave its track. There are no examples to
learn from, only a **reward**: one point for each step that the pole stands. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 7, "data": [], "merit": ("steps_held", ">", 120, "steps of at most 200")}
pyml.utils.set_random_seed(7)
luck = np.random.default_rng(7)

# %% [markdown]
# ## The cart
# Four numbers say all about it: where it is, how fast it goes, how far the pole leans and
# how fast it turns. The equations are those of Barto, Sutton and Anderson (1983), for
# many carts at once.

# %%
LONGEST, CARTS = 200, 16


def start(count):
    return luck.uniform(-0.05, 0.05, size=(count, 4)).astype("float32")


def push(carts, right):
    """The carts a fiftieth of a second after a push, and whether each still stands."""
    _, speed, lean, turn = carts.T
    force = np.where(right, 10.0, -10.0)
    pull = (force + 0.05 * turn**2 * np.sin(lean)) / 1.1
    tip = (9.8 * np.sin(lean) - np.cos(lean) * pull) / (0.5 * (4 / 3 - 0.1 * np.cos(lean) ** 2 / 1.1))
    drive = pull - 0.05 * tip * np.cos(lean) / 1.1
    after = carts + 0.02 * np.stack([speed, drive, turn, tip], axis=1)
    return after.astype("float32"), (np.abs(after[:, 0]) < 2.4) & (np.abs(after[:, 2]) < 0.21)


def picture(cart, title, name):
    place, _, lean, _ = (float(value) for value in cart)
    x = {"field": "x", "type": "quantitative", "title": "metres", "scale": {"domain": [-2.6, 2.6]}}
    y = {"field": "y", "type": "quantitative", "title": None, "axis": None, "scale": {"domain": [-0.2, 1.3]}}
    tip = {"x": place, "y": 0, "x2": place + np.sin(lean), "y2": float(np.cos(lean))}
    body = {"x": place - 0.25, "x2": place + 0.25, "y": -0.12, "y2": 0.06}
    ends = {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    vis.Figure({
        "title": {"text": name, "subtitle": title}, "width": 300, "height": 150, "autosize": {"type": "fit", "contains": "padding"},
        "layer": [{"data": {"values": [body]}, "mark": {"type": "rect", "color": "#0072B2"}, "encoding": ends},
                  {"data": {"values": [tip]}, "mark": {"type": "rule", "strokeWidth": 6, "color": "#D55E00"}, "encoding": ends}],
    }).show(name)  # fmt: skip


# %% [markdown]
# ## Your turn
# Each press pushes the cart for a tenth of a second. You can play on while the network
# learns below.

# %%
mine = {"cart": start(1), "steps": 0, "best": 0}


def play(right):
    for _ in range(5):
        mine["cart"], stands = push(mine["cart"], np.array([right]))
        if not stands[0]:
            mine["best"] = max(mine["best"], mine["steps"])
            held, mine["steps"], mine["cart"] = mine["steps"], 0, start(1)
            picture(mine["cart"][0], "a new pole", "Your cart")
            return f"It fell after {held} steps; your best is {mine['best']}."
        mine["steps"] += 1
    picture(mine["cart"][0], f"{mine['steps']} steps", "Your cart")
    return f"{mine['steps']} steps"


picture(mine["cart"][0], "press a button", "Your cart")
chapter.buttons("Push", {"← left": False, "right →": True}, play)

# %% [markdown]
# ## The network's turn
# The network says with which probability to push to the right; which push is made is
# drawn by lot, so that it tries things out. After each round, pushes after which the
# pole stood for longer than usual are made more probable, the others less: that is a
# **policy gradient**. It is the loss of a classifier whose labels are the pushes that
# were made, each weighted by how well it went. Ten times in two hundred steps it waits
# (`chapter.pause(0.05)`), so that you see it play and have time for your own cart: without,
# all would be over in a few seconds.

# %%
policy = pyml.Sequential([pyml.Input((4,)), layers.Dense(32, activation="tanh"), layers.Dense(1, activation="sigmoid")])
policy.compile(optimizers.Adam(0.02), "binary_crossentropy")


def round_of_play():
    """Plays with all carts until each has fallen: what they saw, what was done, and who still stood, `(steps, carts)`."""
    carts, alive = start(CARTS), np.ones(CARTS, bool)
    seen, done, stood = [], [], []
    while alive.any() and len(seen) < LONGEST:
        right = luck.random(CARTS) < policy.predict_on_batch(carts)[:, 0]
        seen.append(carts)
        done.append(right)
        stood.append(alive)
        carts, stands = push(carts, right)
        alive = alive & stands
        if len(seen) % 20 == 0 and alive.any():
            picture(carts[alive.argmax()], f"step {len(seen)}", "The network's cart")
            chapter.pause(0.05)
    return np.stack(seen), np.stack(done), np.stack(stood)


def learn_from(seen, done, stood):
    to_come = np.zeros(CARTS)
    worth = np.zeros(stood.shape)
    for i in range(len(stood) - 1, -1, -1):  # the steps to come, the near ones counting most
        to_come = stood[i] * (1 + 0.98 * to_come)
        worth[i] = to_come
    worth = np.where(stood, (worth - worth[stood].mean()) / (worth[stood].std() + 1e-6), 0)
    # always the same number of rows, so that the step is compiled once; those beyond weigh nothing
    rows = LONGEST * CARTS
    x, y, weight = np.zeros((rows, 4), "float32"), np.zeros((rows, 1), "float32"), np.zeros(rows, "float32")
    x[: stood.size], y[: stood.size, 0], weight[: stood.size] = seen.reshape(-1, 4), done.reshape(-1), worth.reshape(-1)
    policy.train_on_batch(x, y, sample_weight=weight * rows / stood.sum())


held = []
for _ in range(36):
    trial = round_of_play()
    held.append(float(trial[2].sum(axis=0).mean()))
    vis.line_chart(held, title="How long the poles stood", x_label="round", y_label="steps", y_axis_domain=[0, LONGEST]).show()
    learn_from(*trial)
    chapter.pause()
steps_held = float(np.mean(held[-3:]))
print(f"In the first round the poles stood for {held[0]:.0f} steps, in the last three for {steps_held:.0f}")

# %% [markdown]
# ## See it again
# One cart of the last round, from its start to its end:

# %%
longest = trial[2].sum(axis=0).argmax()
length = int(trial[2][:, longest].sum())


def moment(step):
    picture(trial[0][int(step), longest], f"{step / 50:.1f} seconds after the start", "Again")


chapter.slider("Step", 0, length - 1, 0, moment, step=1)

# %% [markdown]
# ## Things to try
# - More rounds: from which on do all poles stand for 200 steps?
# - A far-sighted network: 0.999 instead of 0.98. A short-sighted one: 0.5.
# - Take the lot away (`0.5 < policy...`): why does it learn nothing then?
