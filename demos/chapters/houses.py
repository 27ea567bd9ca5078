"""What is a house worth, and which facts tell?

Regression on 506 parts of Boston, 1978: from guessing the mean to a straight line to
networks with hidden layers, side by side; and which facts a linear model leans on.

How much is gained by each step: by learning at all, by a hidden layer, by a second one?
Eleven facts about a part of town are to tell the price of a house there. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, regularizers, vis

CHAPTER = {"order": 1.2, "data": ["houses.csv"], "merit": ("deep_error", "<", 2.9, "thousand dollars")}
pyml.utils.set_random_seed(2)

# %% [markdown]
# ## The data
# Each line is a part of Boston: crime, rooms in a house, the way to work, taxes, pupils
# for each teacher, and the price of the house in the middle, in thousands of dollars of
# 1978. The first study of these prices also counted people by the colour of their skin
# and by their "status". Those two columns were left out here: what a model is given is
# a choice, and somebody answers for it.

# %%
FACTS = {"crim": "crime", "zn": "large plots", "indus": "industry", "chas": "at the river", "nox": "bad air", "rm": "rooms",
         "age": "old houses", "dis": "way to work", "rad": "motorways", "tax": "tax", "ptratio": "pupils a teacher"}  # fmt: skip
rows = np.genfromtxt(chapter.file("houses.csv"), delimiter=",", names=True)
rows = rows[np.random.default_rng(0).permutation(len(rows))]
x = np.stack([rows[name] for name in FACTS], axis=1).astype("float32")
y = rows["medv"].astype("float32")[:, None]
test, train = slice(0, 150), slice(150, None)
mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
x = (x - mean) / spread
print(f"{len(x)} parts of town: {len(x[train])} to learn from, 150 to test")
vis.scatter_plot(np.stack([rows["rm"], rows["medv"]], axis=1), title="More rooms, higher prices", x_label="rooms in a house",
                 y_label="price in thousands of dollars").show()  # fmt: skip

# %% [markdown]
# ## A baseline
# Before any learning: how wrong is it to say the same price for every house? A model
# that is no better than this **baseline** has learned nothing.

# %%
errors = {"the mean for all": float(np.abs(y[test] - y[train].mean()).mean())}
print(f"Saying {y[train].mean():.1f} for every house is wrong by {errors['the mean for all']:.2f} thousand dollars")

# %% [markdown]
# ## A line, one hidden layer, two
# A **linear** model multiplies each fact by a number and adds up: one `Dense(1)`. A
# hidden layer of units with a bent activation can say "many rooms count for more where
# the air is good". A second one combines such sentences. The line climbs to the prices
# with a single number, its bias, so it takes larger steps:


# %%
def network(*units, rate=0.03):
    hidden = [layers.Dense(n, "relu", kernel_regularizer=regularizers.L2(0.005)) for n in units]
    model = pyml.Sequential([pyml.Input((len(FACTS),)), *hidden, layers.Dense(1)])
    model.compile(optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


def learn(name, model):
    live = vis.fit_callbacks(name, metrics=["mae", "val_mae"], callbacks=["on_epoch_end"], warn=False,
                             title=name, y_label="thousand dollars", y_axis_domain=[0, 12], height=180)  # fmt: skip
    model.fit(x[train], y[train], epochs=EPOCHS, batch_size=40, validation_data=(x[test], y[test]), verbose=0, callbacks=[live])
    errors[name] = model.evaluate(x[test], y[test], verbose=0)[1]
    print(f"{name}: wrong by {errors[name]:.2f} thousand dollars on parts of town that it has not seen")
    return model


EPOCHS = 120
linear = learn("linear", network(rate=0.2))
learn("one hidden layer", network(40))
deep = learn("two hidden layers", network(40, 40))
deep_error = errors["two hidden layers"]
vis.bar_chart(errors, title="How wrong on unseen houses", y_label="thousand dollars").show()

# %% [markdown]
# ## Which facts does the line lean on?
# The facts were **normalized**: each has a mean of 0 and a spread of 1. So the weights
# of the linear model can be compared: a long bar says that a usual change of this fact
# moves the price by so many thousand dollars, up or down. The deep network has no such
# list; that is a price of its better answers. And a weight is no cause: "tax" and
# "motorways" go together, and the line may share their effect between them as it likes.

# %%
weights = dict(sorted(zip(FACTS.values(), linear.get_weights()[0][:, 0].tolist()), key=lambda pair: pair[1]))
vis.bar_chart(weights, title="Weights of the linear model", x_label="thousand dollars", y_label="", horizontal=True).show()

# %% [markdown]
# ## A house of your own
# What do both say for a part of town where everything but the rooms is as in the middle
# one of all? Below five rooms and above eight there are few examples: there the two
# disagree most.

# %%
usual, rm = np.median(x, axis=0, keepdims=True), list(FACTS).index("rm")


def say(rooms):
    place = usual.copy()
    place[0, rm] = (rooms - mean[rm]) / spread[rm]
    line, bent = (float(model.predict(place, verbose=0)[0, 0]) for model in (linear, deep))
    return f"{rooms:.1f} rooms: {line:.1f} thousand dollars by the line, {bent:.1f} by the network"


chapter.slider("Rooms", 4, 9, 6, say, step=0.1)
said = deep.predict(x[test], verbose=0)
vis.scatter_plot({"houses": np.concatenate([y[test], said], axis=1)}, title="Unseen houses: true and said",
                 x_label="true price in thousands", y_label="said").show()  # fmt: skip

# %% [markdown]
# ## Things to try
# - Leave out `rm` or `crim` in `FACTS`. How much worse is the line, how much worse the
#   network?
# - Take the penalty away (`L2(0)`) and learn for 400 epochs: the error on the houses that
#   it learned from goes on falling. What does the other one do?
# - Many prices are exactly 50: the study wrote 50 for all that were above. What does that
#   do to a model?
