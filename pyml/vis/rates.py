"""The learning rate at which a model learns fastest, found by trying."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyml.vis.charts import line_chart
from pyml.vis.figure import Figure
from pyml.vis.values import chosen_rows, rows_of


def find_learning_rate(model: Any, x: Any, y: Any, start: float = 1e-6, stop: float = 1.0, steps: int = 100, batch_size: int = 32,
                       seed: int = 0, **opts: Any) -> Figure:  # fmt: skip
    """The loss while the learning rate rises from batch to batch; the model and its optimizer are put back afterwards.

    Args:
        model: A compiled model.
        x, y: Arrays to learn from; lists or dicts of them where the model has several inputs or outputs.
        start, stop: First and last learning rate.
        steps: Batches; it ends early where the loss is four times its best.
        batch_size: Samples in a batch, drawn at random.
        seed: Of the draws.
        opts: As for `line_chart`.

    Returns:
        A Figure; `.values` is the suggested rate: where the smoothed loss falls most steeply. The title says it too.

    Raises:
        ValueError: The rates or numbers are out of range, x and y differ in length, the model was not compiled, or its first loss is
            not finite.

    Source: Smith 2015, "Cyclical Learning Rates for Training Neural Networks", section 3.3.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> type(pyml.vis.find_learning_rate(model, np.ones((16, 2)), np.ones((16, 1)), steps=5, batch_size=4)).__name__
        'Figure'
    """
    if not 0 < start < stop or steps < 5:
        raise ValueError(f"find_learning_rate: expected 0 < start < stop and at least 5 steps. Received: {start}, {stop}, {steps}")
    if not getattr(model, "compiled", False):
        raise ValueError("find_learning_rate: the model has no optimizer and no loss yet; call model.compile(...) first.")
    x, y, count = rows_of("find_learning_rate", model, x, y)
    draw = np.random.default_rng(seed)
    first = draw.integers(0, count, min(batch_size, count))
    if not model.built:
        model(chosen_rows(x, first))
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    state = [(variable, variable.numpy()) for variable in {id(v): v for v in [*model.variables, *optimizer.variables]}.values()]
    rates, losses = [], []
    best = mean = 0.0
    try:
        for i in range(steps):
            rate = start * (stop / start) ** (i / (steps - 1))
            optimizer.learning_rate = rate
            chosen = draw.integers(0, count, min(batch_size, count))
            loss = float(np.ravel(model.train_on_batch(chosen_rows(x, chosen), chosen_rows(y, chosen)))[0])
            rates.append(rate)
            mean = 0.9 * mean + 0.1 * loss
            losses.append(mean / (1 - 0.9 ** (i + 1)))     # an average of what came so far, from the first on
            if not math.isfinite(loss):
                losses[-1] = math.nan
                break
            best = loss if i == 0 else min(best, losses[-1])
            if i > 10 and losses[-1] > 4 * best:
                break
    finally:
        for variable, value in state:
            variable.assign(value)
    values = np.array(losses)
    if not np.isfinite(values).any():
        raise ValueError(
            f"find_learning_rate: the loss of the first batch is not finite, at a learning rate of {start:g}; "
            "look for NaN and infinity in x, in y and in the model's weights."
        )
    suggestion = float(rates[steepest(values)])
    figure = line_chart(
        [np.stack([rates, values], 1)], **{"title": f"Steepest at a learning rate of {suggestion:.2g}", "x_label": "learning rate",
                                         "y_label": "loss, smoothed", "zoom_to_fit": True, **opts}
    )  # fmt: skip
    figure.spec["encoding"]["x"] |= {"scale": {"type": "log"}, "axis": {"format": ".0e", "tickCount": 6}}
    figure.values = suggestion
    return figure


def steepest(losses: np.ndarray) -> int:
    """Where losses fall most steeply, before their lowest place, as lines through a tenth of them see it."""
    finite = losses[np.isfinite(losses)]
    half = max(2, len(finite) // 10)
    lowest = max(int(finite.argmin()), 3 * half + 1) if len(finite) > 4 * half else 0
    steps = np.arange(-half, half + 1)
    slopes = {i: float((steps * finite[i - half : i + half + 1]).sum()) for i in range(2 * half, min(lowest, len(finite) - half))}
    return min(slopes, key=slopes.__getitem__) if slopes else len(finite) // 2
