"""Regression from a csv file with gaps: read, clean, normalise, fit. The page and the terminal run this file.

In a terminal: `python demos/regression/regression.py [FILE.csv --target COLUMN --features COLUMN ...]`.
"""

import numpy as np

from pyml import Input, Sequential, data, layers, optimizers

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
ROWS = 20_000  # of a longer file, this many are read
TEST_SHARE = 0.25
SEED = 7
CURVE_POINTS = 80


def delimiter(path):
    """What stands between the values of a csv file: the commas, semicolons or tabs of its first line."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return max(",;\t", key=file.readline().count)


async def describe(path):
    """The columns of a csv file: name, whether they hold numbers, how many values are missing; and some of its rows."""
    table = data.csv(path, na_value=MISSING, delimiter=delimiter(path))
    rows = await table.take(ROWS).to_array_async()
    if not rows:
        raise ValueError("The file has a header line and no rows.")
    columns = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        numbers = not isinstance(values[0], str)
        missing = sum(is_missing(value) for value in values)
        columns.append({"name": name, "numbers": numbers, "missing": missing, "varies": len(set(values)) > 1})
    gaps = [i for i, row in enumerate(rows) if any(map(is_missing, row.values()))]
    some = sorted({*range(min(3, len(rows))), *gaps[:3]})
    cells = [[None if is_missing(value) else shown(value) for value in rows[i].values()] for i in some]
    return {"rows": len(rows), "incomplete": len(gaps), "columns": columns, "some": [[i + 1, *row] for i, row in zip(some, cells)]}


def is_missing(value):
    return value == "" if isinstance(value, str) else bool(np.isnan(value))


def shown(value):
    return value if isinstance(value, str) else f"{value:g}"


async def read_rows(path, features, target, fill=False):
    """The rows with numbers in all columns asked for, in a random order that is the same every time.

    Args:
        path: Of the csv file.
        features: Names of the columns to predict from.
        target: Name of the column to predict.
        fill: Keep rows in which features are missing; those values stay NaN.

    Returns:
        float32 arrays `(rows, features)` and `(rows, 1)`, and how many rows were left out.

    Raises:
        ValueError: A choice makes no sense, or too few rows are left.
    """
    if not features:
        raise ValueError("Choose at least one column to predict from.")
    if target in features:
        raise ValueError(f"{target} is what is to be predicted; take it out of the columns to predict from.")
    configs = {name: {"dtype": "float32"} for name in features}
    configs[target] = {"dtype": "float32", "is_label": True}
    table = data.csv(path, column_configs=configs, configured_columns_only=True, na_value=MISSING, delimiter=delimiter(path))
    pairs = table.take(ROWS).map(lambda x, y: (np.array([x[name] for name in features]), np.array([y[target]])))
    total = 0

    def complete(x, y):
        nonlocal total
        total += 1
        return bool(np.isfinite(y).all() and (fill or np.isfinite(x).all()))

    rows = await pairs.filter(complete).shuffle(ROWS, seed=SEED).to_array_async()
    if len(rows) < 8:
        raise ValueError(f"{len(rows)} rows hold a number in every chosen column; at least 8 are needed.")
    x, y = (np.stack(part) for part in zip(*rows))
    if not y.std() > 0:
        raise ValueError(f"{target} is {y[0, 0]:g} in every row; there is nothing to predict.")
    return x, y, total - len(rows)


def build_model(features, hidden, rate):
    """A line (`hidden=0`), or a curve: two layers of `hidden` units."""
    model = Sequential([Input((features,))])
    for _ in range(2 if hidden else 0):
        model.add(layers.Dense(hidden, activation="tanh"))
    model.add(layers.Dense(1))
    model.compile(optimizer=optimizers.Adam(rate), loss="mean_squared_error")
    return model


class Fit:
    """Normalised rows, split into training and test, and the model that is fitted to them."""

    def __init__(self, x, y, hidden=16, rate=0.01, batch_size=32):
        test = max(1, int(TEST_SHARE * len(x)))
        self.is_test = np.arange(len(x)) < test
        self.x, self.y = x, y
        learned = x[~self.is_test]  # what is normalised must not have seen the test rows
        self.x_mean, self.x_std = np.nanmean(learned, 0), np.nanstd(learned, 0) + 1e-6
        self.y_mean, self.y_std = y[~self.is_test].mean(), y[~self.is_test].std() + 1e-6
        self.model = build_model(x.shape[1], hidden, rate)
        inputs, targets = self.normal(x), (y - self.y_mean) / self.y_std
        pairs = data.Dataset.from_tensor_slices((inputs[~self.is_test], targets[~self.is_test]))
        self.training = pairs.shuffle(ROWS, seed=SEED).batch(batch_size)
        self.test = inputs[self.is_test], targets[self.is_test]
        self.epoch = 0

    def normal(self, x):
        """Features with mean 0 and standard deviation 1; a missing one becomes the mean."""
        return np.nan_to_num((x - self.x_mean) / self.x_std).astype("float32")

    async def train(self, epochs):
        """Trains some more epochs; returns the loss of the last one on training and test rows, in units of variance."""
        history = await self.model.fit_async(
            self.training, validation_data=self.test, initial_epoch=self.epoch, epochs=self.epoch + epochs, verbose=0
        )
        self.epoch += epochs
        return history.history["loss"][-1], history.history["val_loss"][-1]

    async def predict(self, x):
        """The prediction for features as they are in the table, `(rows,)`."""
        out = await self.model.predict_async(self.normal(x), batch_size=512, verbose=0)
        return out[:, 0] * self.y_std + self.y_mean

    async def curve(self, feature):
        """Prediction along one feature, the others at their means: `(points, 2)`."""
        values = self.x[:, feature]
        along = np.linspace(np.nanmin(values), np.nanmax(values), CURVE_POINTS)
        x = np.tile(self.x_mean, (CURVE_POINTS, 1))
        x[:, feature] = along
        return np.stack([along, await self.predict(x)], 1)

    async def errors(self):
        """Mean absolute error on the test rows, of the model and of always guessing the mean."""
        y = self.y[self.is_test, 0]
        return float(np.abs(await self.predict(self.x[self.is_test]) - y).mean()), float(np.abs(y - self.y_mean).mean())


async def main(arguments=None):
    import argparse

    from pyml.cli import paths

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=str(paths.assets_dir() / "data" / "cars.csv"))
    parser.add_argument("--target", default="Miles_per_Gallon")
    parser.add_argument("--features", nargs="+", default=["Horsepower"])
    parser.add_argument("--hidden", type=int, default=16, help="units of the two hidden layers; 0 fits a line")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args(arguments)
    x, y, left_out = await read_rows(options.file, options.features, options.target)
    print(f"{len(x)} rows, {left_out} left out because a value is missing")
    fit = Fit(x, y, options.hidden)
    for _ in range(5):
        loss, test_loss = await fit.train(max(1, options.epochs // 5))
        print(f"epoch {fit.epoch}: loss {loss:.4f}, test loss {test_loss:.4f}")
    error, naive = await fit.errors()
    print(f"On {len(fit.test[0])} test rows it is off by {error:.2f} on average (always the mean: {naive:.2f}).")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
