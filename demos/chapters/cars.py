"""How far does a car go on a gallon?

Regression on 392 real cars, 1970 to 1982: why inputs are normalized, what overfitting
looks like beside underfitting, and what regularization does about it.

The question of this chapter has a number for an answer. From six facts about a car
(cylinders, displacement, horsepower, weight, acceleration, year) a network is to say
how many miles it goes on a gallon of fuel. Press **Run**; then change something and run
it again.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, regularizers, vis

CHAPTER = {"order": 1, "data": ["cars.csv"], "merit": ("test_error", "<", 2.6, "miles per gallon")}
pyml.utils.set_random_seed(1)

# %% [markdown]
# ## The data
# A file of cars, one in each line. Some facts are missing in it; those cars are left
# out. A fifth of the cars is put aside as a **test**: the network never learns from
# them, so they show how well it does with cars that it has not seen.

# %%
FACTS = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Year"]
rows = np.genfromtxt(chapter.file("cars.csv"), delimiter=",", names=True)  # words and gaps become NaN
x = np.stack([rows[name] for name in FACTS], axis=1).astype("float32")
y = rows["Miles_per_Gallon"].astype("float32")[:, None]
whole = ~(np.isnan(x).any(axis=1) | np.isnan(y[:, 0]))
order = np.random.default_rng(0).permutation(np.flatnonzero(whole))
x, y = x[order], y[order]
test, train = slice(0, len(x) // 5), slice(len(x) // 5, None)
print(f"{len(x)} cars without gaps: {len(x[train])} to learn from, {len(x[test])} to test")
vis.scatter_plot(np.stack([x[:, 3], y[:, 0]], axis=1), title="Heavier cars need more", x_label="weight in pounds",
                 y_label="miles per gallon").show()  # fmt: skip
guess = float(np.abs(y[test] - y[train].mean()).mean())
print(f"Saying {y[train].mean():.1f} for every car is wrong by {guess:.2f} miles per gallon")

# %% [markdown]
# ## Normalization
# Weights are in the thousands, cylinders below ten. To a network that starts with small
# random numbers the weight is all there is, and its steps are far too large.
# **Normalization** gives each fact a mean of 0 and a spread of 1, measured on the
# training cars only: the test must not leak into what is learned. The same network
# learns with and without it:


# %%
def network(units, penalty=0.0, dropout=0.0):
    hidden = {"activation": "leaky_relu", "kernel_regularizer": regularizers.L2(penalty)}
    model = pyml.Sequential([pyml.Input((len(FACTS),)), layers.Dense(units, **hidden), layers.Dropout(dropout),
                             layers.Dense(units, **hidden), layers.Dropout(dropout), layers.Dense(1)])  # fmt: skip
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def learn(name, model, x_train, x_test, count=None, epochs=40):
    """Trains, draws both errors after each epoch, and returns the test error at the end."""
    live = vis.fit_callbacks(name, metrics=["mae", "val_mae"], callbacks=["on_epoch_end"], warn=False,
                             title=name, y_label="miles per gallon", y_axis_domain=[0, 20], height=180)  # fmt: skip
    model.fit(x_train[:count], y[train][:count], epochs=epochs, batch_size=32, validation_data=(x_test, y[test]),
              verbose=0, callbacks=[live])  # fmt: skip
    learned, unseen = live.epochs[-1]["mae"], live.epochs[-1]["val_mae"]
    print(f"{name}: wrong by {learned:.2f} on the cars it learned from, by {unseen:.2f} on others")
    return unseen


mean, spread = x[train].mean(axis=0), x[train].std(axis=0)
scaled = (x - mean) / spread
learn("As they are", network(16), x[train], x[test], epochs=10)
learn("Normalized", network(16), scaled[train], scaled[test], epochs=10)

# %% [markdown]
# ## Too small, too large
# One unit can only bend a line: it **underfits**, wrong on both kinds of cars alike.
# Give 128 units only 30 cars to learn from and they know those by heart: the error on
# them goes on falling while the error on other cars does not. That gap is
# **overfitting**. Compare:

# %%
learn("Underfitting: 1 unit", network(1), scaled[train], scaled[test], epochs=120)
learn("Overfitting: 128 units, 30 cars", network(128), scaled[train], scaled[test], count=30, epochs=200)

# %% [markdown]
# ## Regularization
# Two ways to keep a large network from learning by heart: a **penalty** on large
# weights (L2), and **dropout**, which switches off units at random while it learns.
# Both make the gap smaller. The best medicine is more data: with all the training cars
# the same network is good.

# %%
learn("30 cars, with penalty and dropout", network(128, penalty=0.1, dropout=0.1), scaled[train], scaled[test], count=30, epochs=200)
model = network(64, penalty=0.005)
test_error = learn("All cars, with a penalty", model, scaled[train], scaled[test])

# %% [markdown]
# ## A car of your own
# What does the network say when a car grows heavier and everything else stays as it is
# on average? Move the weight:


# %%
def say(pounds):
    car = mean.copy()
    car[FACTS.index("Weight_in_lbs")] = pounds
    miles = float(model.predict(((car - mean) / spread)[None], verbose=0)[0, 0])
    return f"{pounds:,.0f} pounds: about {miles:.1f} miles per gallon"


chapter.slider("Weight in pounds", 1600, 5200, 3000, say, step=50)
said = model.predict(scaled[test], verbose=0)
vis.scatter_plot({"cars": np.concatenate([y[test], said], axis=1)}, title="Test cars: true and said", x_label="true miles per gallon",
                 y_label="said").show()  # fmt: skip

# %% [markdown]
# ## Things to try
# - Leave out the weight or the year in `FACTS`: which of them is missed most?
# - Give the overfitting network 20 cars, or 200.
# - Raise `penalty` to 1: now the large network underfits.
