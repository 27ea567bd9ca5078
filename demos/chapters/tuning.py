"""Who chooses the number of units?

Units, layers, learning rate, dropout: what no network learns by itself somebody has to
choose. Optuna tries it out by plan, and gives up early what is going nowhere; drawn as it
goes.

A network learns its weights. How many layers it has, how many units, how large its steps
are, it does not learn: these are **hyper-parameters**. One can try them by hand, or let a
search do it. Press **Run**.
"""

import chapter
import numpy as np

import pyml
from pyml import layers, optimizers, regularizers, vis

CHAPTER = {"order": 15, "data": ["cars.csv", "optuna.zip"], "merit": ("test_error", "<", 2.5, "miles per gallon")}
optuna = chapter.package("optuna", spare=["sqlite3"])  # as `import optuna`; the page brings it along
optuna.logging.set_verbosity(optuna.logging.WARNING)

# %% [markdown]
# ## Three parts
# The cars of the first chapter. Who chooses by looking at a result spoils it: the best of
# thirty is also the luckiest. So there are three parts. The networks learn from the first,
# the search chooses by the second (**validation**), and the third (**test**) is looked at
# once, at the end.

# %%
FACTS = ["Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Year"]
rows = np.genfromtxt(chapter.file("cars.csv"), delimiter=",", names=True)
table = np.stack([rows[name] for name in [*FACTS, "Miles_per_Gallon"]], axis=1).astype("float32")
table = np.random.default_rng(15).permutation(table[~np.isnan(table).any(axis=1)])
test, validation, lessons = table[:80], table[80:160], table[160:]
mean, spread = lessons.mean(axis=0), lessons.std(axis=0)
mean[-1], spread[-1] = 0, 1  # miles per gallon stay what they are
(x, y), (x_val, y_val), (x_test, y_test) = [(((part - mean) / spread)[:, :-1], part[:, -1:]) for part in (lessons, validation, test)]
print(f"{len(x)} cars to learn from, {len(x_val)} to choose by, {len(x_test)} for the test")

# %% [markdown]
# ## What is to be chosen
# Optuna asks for nothing but a function that gets a **trial**, asks it for its choices, and
# returns an error. The learning rate is drawn from a *logarithmic* scale: the step from
# 0.001 to 0.01 is as large as that from 0.01 to 0.1.


# %%
def network(trial):
    width, depth = trial.suggest_categorical("units", [4, 16, 64]), trial.suggest_int("layers", 1, 3)
    dropout, penalty = trial.suggest_float("dropout", 0, 0.4, step=0.1), trial.suggest_float("penalty", 1e-5, 0.1, log=True)
    model = pyml.Sequential([pyml.Input((len(FACTS),))])
    for _ in range(depth):
        model.add(layers.Dense(width, "relu", kernel_regularizer=regularizers.L2(penalty)))
        model.add(layers.Dropout(dropout))
    model.add(layers.Dense(1))
    model.compile(optimizers.Adam(trial.suggest_float("learning rate", 1e-4, 0.3, log=True)), "mse", metrics=["mae"])
    return model


# %% [markdown]
# ## Giving up early
# Most choices show soon that they lead nowhere. After each round a trial reports its error;
# one that is worse than half of the earlier trials were at that time is given up
# (**pruning**). Each line below is a trial; those that end early were given up.


# %%
EPOCHS, TRIALS = 24, 30


class Reports(pyml.callbacks.Callback):
    """Tells Optuna the error after each round, draws it, and ends what Optuna gives up."""

    def __init__(self, trial):
        super().__init__()
        self.trial, self.errors = trial, []

    def on_epoch_end(self, epoch, logs=None):
        self.errors.append(float(logs["val_mae"]))
        self.trial.report(self.errors[-1], epoch)
        if self.trial.should_prune():
            self.model.stop_training = True


lines, results = [], []


def try_out(trial):
    pyml.utils.set_random_seed(15)
    reports = Reports(trial)
    network(trial).fit(x, y, epochs=EPOCHS, batch_size=32, validation_data=(x_val, y_val), verbose=0, callbacks=[reports])
    lines.append(reports.errors)
    results.append((reports.errors[-1], trial.params, len(reports.errors) < EPOCHS))
    draw()
    if results[-1][2]:
        raise optuna.TrialPruned
    return reports.errors[-1]


def draw():
    whole = [error if not early else np.inf for error, _, early in results]
    best = int(np.argmin(whole))
    rows = [{"round": epoch + 1, "error": error, "trial": i, "kind": "the best" if i == best else "others"}
            for i, errors in enumerate(lines) for epoch, error in enumerate(errors)]  # fmt: skip
    kind = lambda *looks: {"field": "kind", "type": "nominal", "title": None, "scale": {"domain": ["others", "the best"], "range": looks}}
    axes = {"x": {"field": "round", "type": "quantitative"}, "detail": {"field": "trial"},
            "y": {"field": "error", "type": "quantitative", "title": "miles per gallon", "scale": {"domain": [0, 12]}},
            "color": kind("#767676", "#D55E00"), "opacity": kind(0.4, 1)}  # fmt: skip
    vis.Figure({"title": "Error of each trial as it learns", "width": 330, "height": 240,
                "autosize": {"type": "fit", "contains": "padding"}, "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 2, "clip": True}, "encoding": axes}).show()  # fmt: skip
    points = {name: np.array([[i + 1, min(error, 12)] for i, (error, _, early) in enumerate(results) if early == given])
              for name, given in (("learned to the end", False), ("given up", True))}  # fmt: skip
    vis.scatter_plot({name: found for name, found in points.items() if len(found)}, title="Trial by trial", x_label="trial",
                     y_label="miles per gallon (12: or more)", y_axis_domain=[0, 13], height=240).show()  # fmt: skip


pruner = optuna.pruners.MedianPruner(n_startup_trials=6, n_warmup_steps=5)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=15), pruner=pruner)
for _ in range(TRIALS):
    study.optimize(try_out, n_trials=1)
    chapter.pause()
given_up = sum(early for _, _, early in results)
print(f"{len(results)} trials, {given_up} given up early; the best is wrong by {study.best_value:.2f} miles per gallon")
for name, value in study.best_params.items():
    print(f"    {name}: {value:.3g}")

# %% [markdown]
# ## What mattered?
# Each point is a trial at its choice of one hyper-parameter. Where the points fall and rise
# together it matters; a cloud without a shape says that it does not.

# %%
LOGARITHMIC = {"learning rate", "penalty"}


def look(name):
    value = lambda params: np.log10(params[name]) if name in LOGARITHMIC else params[name]
    points = np.array([[value(params), min(error, 12)] for error, params, _ in results])
    vis.scatter_plot(points, title="Error at each choice", x_label=name + (", as a power of ten" if name in LOGARITHMIC else ""),
                     y_label="miles per gallon (12: or more)", y_axis_domain=[0, 13], height=240).show()  # fmt: skip


chapter.choice("Hyper-parameter", ["learning rate", "units", "layers", "dropout", "penalty"], look)

# %% [markdown]
# ## The test, once
# The best choice learns once more, and so does one that somebody might have made without a
# search: one layer of 16 units, a learning rate of 0.01. The error of the test is a little
# larger than that of the validation, by which the best was chosen: that is the luck in the
# choice.


# %%
def tested(params):
    pyml.utils.set_random_seed(15)
    model = network(optuna.trial.FixedTrial(params))
    model.fit(x, y, epochs=EPOCHS, batch_size=32, verbose=0)
    return float(np.abs(model.predict(x_test, verbose=0) - y_test).mean())


guessed = tested({"units": 16, "layers": 1, "dropout": 0.0, "penalty": 1e-5, "learning rate": 0.01})
test_error = tested(study.best_params)
vis.bar_chart({"a guess": guessed, "found, validation": study.best_value, "found, test": test_error}, title="What the search was worth",
              y_label="miles per gallon", height=240).show()  # fmt: skip
print(f"A guess is wrong by {guessed:.2f} miles per gallon, what the search found by {test_error:.2f}")

# %% [markdown]
# ## Things to try
# - `optuna.samplers.RandomSampler(seed=15)`: is the plan better than the lot?
# - Without pruning (`optuna.pruners.NopPruner()`): how much longer does it take, and is it
#   any better?
# - Let it choose the activation too: `trial.suggest_categorical("activation", [...])`.
