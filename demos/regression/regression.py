"""Regression from a csv file with gaps and texts: read, clean, encode, fit. The page and the terminal run this file.

In a terminal: `python demos/regression/regression.py [FILE.csv --target COLUMN --features COLUMN ...]`.
"""

from collections import Counter

import numpy as np
from table import MISSING, ROWS, Table

from pyml import Input, Sequential, data, layers, optimizers

TEST_SHARE = 0.25
SEED = 7
FEWEST = 8  # rows for a fit
CURVE_POINTS = 80
KINDS = 16  # of the texts in a column, this many of the commonest get an input each


async def describe(source, texts=()):
    """The columns of a csv file: name, whether they hold numbers, how many values are missing; and some of its rows.

    Args:
        source: What `pyml.data.csv` takes.
        texts: Names of columns that hold texts; the others decide by their first rows.
    """
    table = data.csv(source, na_value=MISSING, column_configs={name: {"dtype": "string"} for name in texts})
    rows = await table.take(ROWS).to_array_async()
    if not rows:
        raise ValueError("The file has a header line and no rows.")
    columns = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        numbers = not isinstance(values[0], str)
        missing = sum(is_missing(value) for value in values)
        different = len({value for value in values if not is_missing(value)})
        columns.append({"name": name, "numbers": numbers, "missing": missing, "different": different})
    gaps = [i for i, row in enumerate(rows) if any(map(is_missing, row.values()))]
    some = sorted({*range(min(3, len(rows))), *gaps[:3]})
    cells = [[None if is_missing(value) else shown(value) for value in rows[i].values()] for i in some]
    return {"rows": len(rows), "incomplete": len(gaps), "columns": columns, "some": [[i + 1, *row] for i, row in zip(some, cells)]}


def is_missing(value):
    return not value.strip() if isinstance(value, str) else not np.isfinite(value)


def shown(value):
    return value if isinstance(value, str) else f"{value:g}"


async def read_rows(source, features, target, fill=False, texts=()):
    """The rows with a value in all columns asked for, in a random order that is the same every time.

    Args:
        source: What `pyml.data.csv` takes.
        features: Names of the columns to predict from, numbers or texts.
        target: Name of the column to predict, numbers.
        fill: Keep rows in which features are missing; those values stay NaN.
        texts: Names of columns that hold texts; the others decide by their first rows.

    Returns:
        A dict with a float32 array `(rows, features)` as `"x"`, in which places in the lists of `"texts"` stand for
        texts (None for a column of numbers); `(rows, 1)` as `"y"`; and how many rows were left out as `"left_out"`.

    Raises:
        ValueError: A choice makes no sense, or too few rows are left.
    """
    if not features:
        raise ValueError("Choose at least one column to predict from.")
    if target in features:
        raise ValueError(f"{target} is what is to be predicted; take it out of the columns to predict from.")
    configs: dict = {name: {"dtype": "string"} if name in texts else {} for name in features}
    configs[target] = {"dtype": "float32", "is_label": True}
    table = data.csv(source, column_configs=configs, configured_columns_only=True, na_value=MISSING)
    total = 0

    def complete(x, y):
        nonlocal total
        total += 1
        return not is_missing(y[target]) and (fill or not any(map(is_missing, x.values())))

    rows = await table.take(ROWS).filter(complete).shuffle(ROWS, seed=SEED).to_array_async()
    if len(rows) < FEWEST:
        hold = "1 row holds" if len(rows) == 1 else f"{len(rows)} rows hold"
        raise ValueError(f"{hold} a value in every chosen column; at least {FEWEST} are needed.")
    y = np.array([[y[target]] for _, y in rows], "float32")
    if not np.ptp(y) > 0:
        raise ValueError(f"{target} is {y[0, 0]:g} in every row; there is nothing to predict.")
    columns, texts = zip(*(as_numbers([x[name] for x, _ in rows]) for name in features))
    return {"x": np.stack(columns, 1), "texts": list(texts), "y": y, "left_out": total - len(rows)}


def as_numbers(values):
    """A column as float32, missing values as NaN; and the texts whose places in a list it holds, or None for numbers."""
    if not isinstance(values[0], str):
        return np.array([np.nan if is_missing(value) else value for value in values], "float32"), None
    values = [value.strip() for value in values]
    texts = [text for text, _ in Counter(filter(None, values)).most_common()]
    places = {text: place for place, text in enumerate(texts)}
    return np.array([places.get(value, np.nan) for value in values], "float32"), texts


def test_rows(count):
    """Which of so many rows, whose order is random, are kept for the test."""
    return np.arange(count) < max(1, int(TEST_SHARE * count))


def build_model(features, hidden, rate):
    """A line (`hidden=0`), or a curve: two layers of `hidden` units."""
    model = Sequential([Input((features,))])
    for _ in range(2 if hidden else 0):
        model.add(layers.Dense(hidden, activation="tanh"))
    model.add(layers.Dense(1))
    model.compile(optimizer=optimizers.Adam(rate), loss="mean_squared_error")
    return model


class Fit:
    """Encoded rows, split into training and test, and the model that is fitted to them.

    A column of numbers becomes one input of mean 0 and standard deviation 1. A column of texts becomes an input for
    each of its commonest texts, 1 where the row has that text and 0 elsewhere; a text that the training rows lack, a
    rare one and a missing one are 0 in all of them.

    Args:
        x, texts, y: What `read_rows` gives.
    """

    def __init__(self, x, texts, y, hidden=16, rate=0.01, batch_size=32):
        self.is_test = test_rows(len(x))
        self.x, self.texts, self.y = x, texts, y
        learned = x[~self.is_test]  # what encodes must not have seen the test rows
        self.encoders = [Numbers(some) if names is None else Texts(some) for some, names in zip(learned.T, texts)]
        self.y_mean, self.y_std = mean_and_spread(y[~self.is_test])
        inputs, targets = self.inputs(x), (y - self.y_mean) / self.y_std
        self.model = build_model(inputs.shape[1], hidden, rate)
        pairs = data.Dataset.from_tensor_slices((inputs[~self.is_test], targets[~self.is_test]))
        self.training = pairs.shuffle(ROWS, seed=SEED).batch(batch_size)
        self.test = inputs[self.is_test], targets[self.is_test]
        self.epoch = 0

    def inputs(self, x):
        """What the model takes for features as they are in the table, `(rows, inputs)`."""
        return np.concatenate([encoder.inputs(values) for encoder, values in zip(self.encoders, x.T)], axis=1).astype("float32")

    def kinds(self, feature):
        """The texts of a column that have an input each, and how many others there are."""
        names = [self.texts[feature][int(place)] for place in self.encoders[feature].places]
        return names, len(self.texts[feature]) - len(names)

    async def train(self, epochs):
        """Trains some more epochs; returns the loss of the last one on training and test rows, in units of variance."""
        history = await self.model.fit_async(
            self.training, validation_data=self.test, initial_epoch=self.epoch, epochs=self.epoch + epochs, verbose=0
        )
        self.epoch += epochs
        return history.history["loss"][-1], history.history["val_loss"][-1]

    async def predict(self, x):
        """The prediction for features as they are in the table, `(rows,)`."""
        out = await self.model.predict_async(self.inputs(x), batch_size=512, verbose=0)
        return out[:, 0].astype("float64") * self.y_std + self.y_mean

    async def curve(self, feature):
        """Prediction along a column of numbers, the others at their mean or commonest text: `(points, 2)`."""
        values = self.x[:, feature]
        along = np.linspace(np.nanmin(values), np.nanmax(values), CURVE_POINTS)
        x = np.tile([encoder.usual for encoder in self.encoders], (CURVE_POINTS, 1))
        x[:, feature] = along
        return np.stack([along, await self.predict(x)], 1)

    async def errors(self):
        """Mean absolute error on the test rows, of the model and of always guessing the mean."""
        y = self.y[self.is_test, 0].astype("float64")
        return float(np.abs(await self.predict(self.x[self.is_test]) - y).mean()), float(np.abs(y - self.y_mean).mean())


def mean_and_spread(values):
    """In float64: the squares of large numbers are not float32."""
    values = values.astype("float64")
    return values.mean(), values.std() or 1.0


class Numbers:
    """Makes an input of a column of numbers; a missing one becomes the mean."""

    def __init__(self, learned):
        known = learned[np.isfinite(learned)]
        self.usual, self.spread = mean_and_spread(known) if len(known) else (0.0, 1.0)

    def inputs(self, values):
        return np.nan_to_num((values - self.usual) / self.spread)[:, None]


class Texts:
    """Makes an input of each of the commonest texts of a column."""

    def __init__(self, learned):
        common = Counter(learned[np.isfinite(learned)].tolist()).most_common(KINDS)
        self.places = np.array([place for place, _ in common])
        self.usual = self.places[0] if len(common) else np.nan

    def inputs(self, values):
        return values[:, None] == self.places


async def main(arguments=None):
    import argparse
    from pathlib import Path

    from pyml import paths

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=str(paths.assets_dir() / "data" / "cars.csv"))
    parser.add_argument("--target", default="Miles_per_Gallon")
    parser.add_argument("--features", nargs="+", default=["Horsepower"])
    parser.add_argument("--hidden", type=int, default=16, help="units of the two hidden layers; 0 fits a line")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args(arguments)
    table = Table(Path(options.file).read_text(encoding="utf-8", errors="replace"))
    print(*table.notes, sep="\n", end="\n" if table.notes else "")
    rows = await read_rows(table.source, options.features, options.target, texts=table.texts)
    left_out = rows.pop("left_out")
    print(f"{len(rows['x'])} rows, {left_out} left out because a value is missing")
    fit = Fit(**rows, hidden=options.hidden)
    for i, name in enumerate(options.features):
        if fit.texts[i] is not None:
            names, others = fit.kinds(i)
            print(f"{name} is an input each for {', '.join(names)}" + (f"; {others} others have none" if others else ""))
    for _ in range(5):
        loss, test_loss = await fit.train(max(1, options.epochs // 5))
        print(f"epoch {fit.epoch}: loss {loss:.4f}, test loss {test_loss:.4f}")
    error, naive = await fit.errors()
    print(f"On {len(fit.test[0])} test rows it is off by {error:.2f} on average (always the mean: {naive:.2f}).")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
