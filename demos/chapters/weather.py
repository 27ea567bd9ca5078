"""How warm will it be tomorrow?

Forecasting on four years of Seattle's real weather: a baseline to beat, a dense network
and two recurrent ones, and which of them has learned more than the calendar.

A **time series** is a list of measurements in the order in which they were made. What
comes next? From the weather of two weeks a network says the highest temperature of the
next day. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, vis

CHAPTER = {"order": 4, "data": ["weather.csv"], "merit": ("best", "<", 2.2, "°C mean error")}
pyml.utils.set_random_seed(4)

# %% [markdown]
# ## The data
# One line a day, 2012 to 2015: rain, highest and lowest temperature, wind. The place in
# the year is given as a point on a circle, so that the 31st of December lies beside the
# 1st of January. The first three years are to learn from, the last is the test:
# shuffling would let the network look into the future.

# %%
DAYS = 14
names = ["precipitation", "temp_max", "temp_min", "wind"]
rows = np.genfromtxt(chapter.file("weather.csv"), delimiter=",", names=True)  # dates and words become NaN
facts = np.stack([rows[name] for name in names], axis=1)
dates = np.datetime64("2012-01-01") + np.arange(len(facts))
angle = 2 * np.pi * np.arange(len(facts)) / 365.25
facts = np.concatenate([facts, np.sin(angle)[:, None], np.cos(angle)[:, None]], axis=1).astype("float32")
split = 1096
warm, wide = facts[:split, 1].mean(), facts[:split, 1].std()
scaled = (facts - facts[:split].mean(axis=0)) / facts[:split].std(axis=0)
vis.line_chart(list(zip(dates[:731], facts[:731, 1])), title="Highest temperature of each day", y_label="°C").show()

windows = np.stack([scaled[i : i + DAYS] for i in range(len(scaled) - DAYS)])
next_day = facts[DAYS:, 1]
train, test = slice(0, split - DAYS), slice(split - DAYS, None)
print(f"{len(windows[train]):,} windows of {DAYS} days to learn from, {len(windows[test])} to test; a day has {windows.shape[2]} numbers")

# %% [markdown]
# ## A baseline
# Before any network: how good is a rule that needs none? **Tomorrow is like today** is
# a strong one, and a network that does not beat it has learned nothing. The average of
# that time of the year is another.

# %%
errors = {"like today": float(np.abs(facts[split - 1 : -1, 1] - next_day[test]).mean())}
season = np.linalg.lstsq(np.c_[np.ones(split), facts[:split, 4:]], facts[:split, 1], rcond=None)[0]
errors["like the season"] = float(np.abs(np.c_[np.ones(len(facts) - split), facts[split:, 4:]] @ season - next_day[test]).mean())
for name, error in errors.items():
    print(f"{name}: wrong by {error:.2f} °C on average")

# %% [markdown]
# ## Three networks
# The **dense** network gets the two weeks as one long row of numbers and does not know
# that they have an order. A **recurrent** one reads them day by day and carries a memory
# along: the **SimpleRNN** writes it anew each day, the **GRU** has gates that decide what
# to keep of it. All are asked for the *change* from today, so that they begin where the
# baseline stands.


# %%
today = facts[DAYS - 1 : -1, 1]
change = ((next_day - today) / wide)[:, None]


def learn(name, model, epochs):
    model.compile(optimizers.Adam(0.003), "mae")
    live = vis.fit_callbacks(name, callbacks=["on_epoch_end"], warn=False, title=name)
    model.fit(windows[train], change[train], epochs=epochs, batch_size=64, validation_data=(windows[test], change[test]), verbose=0,
              callbacks=[live])  # fmt: skip
    said = today[test] + wide * model.predict(windows[test], verbose=0)[:, 0]
    errors[name] = float(np.abs(said - next_day[test]).mean())
    print(f"{name}: {model.count_params():,} numbers learned, wrong by {errors[name]:.2f} °C on average")
    return said


dense = pyml.Sequential([pyml.Input((DAYS, 6)), layers.Flatten(), layers.Dense(24, activation="relu"),
                         layers.Dropout(0.3), layers.Dense(1)])  # fmt: skip
simple = pyml.Sequential([pyml.Input((DAYS, 6)), layers.SimpleRNN(16), layers.Dense(1)])
gru = pyml.Sequential([pyml.Input((DAYS, 6)), layers.GRU(16), layers.Dropout(0.2), layers.Dense(1)])
forecast = {"dense": learn("dense", dense, 15), "SimpleRNN": learn("SimpleRNN", simple, 15), "GRU": learn("GRU", gru, 15)}

# %% [markdown]
# ## Who was nearest?
# The bars are the mean errors. Below them are thirty days of the last year: move along
# it and see how each forecast follows what was measured a day too late.

# %%
best = min(errors[name] for name in forecast)
vis.bar_chart(errors, title="Mean error in the year of the test", y_label="°C").show()

# %%
def month(first):
    part = slice(int(first), int(first) + 30)
    curves = {"measured": next_day[test], "like today": today[test], **forecast}
    lines = {name: list(zip(dates[split:][part], values[part])) for name, values in curves.items()}
    vis.line_chart(lines, y_label="°C").show("Thirty days, measured and said the day before")


chapter.slider("First day", 0, 330, 150, month, step=5)

# %% [markdown]
# ## Things to try
# - Give the networks 3 days, or 60: change `DAYS`.
# - Forecast the wind: which column would `next_day` take, and can the baseline be
#   beaten at all?
# - Put `layers.LSTM(16)` in the GRU's place, or take its dropout away.
