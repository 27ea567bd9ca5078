"""The loss around a model's weights: slices along random directions that have the size of the weights themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.core import Variable, convert_to_tensor, program
from pyml.core.tree import map_structure
from pyml.vis.charts import line_chart
from pyml.vis.figure import Figure
from pyml.vis.grids import heatmap
from pyml.vis.values import chosen_rows, rows_of


def loss_slice(model: Any, x: Any, y: Any, dimensions: int = 1, span: float = 1.0, resolution: int | None = None, samples: int = 512,
               seed: int = 0, **opts: Any) -> Figure:  # fmt: skip
    """The loss on a line or a plane through the weights of a model, which keeps its weights.

    The directions are random; each filter of a direction (the weights of one output) is as long as that filter of the model, so that slices
    of different models compare. Biases and other vectors stay as they are.

    Args:
        model: A compiled model.
        x, y: Arrays to measure the loss on; lists or dicts of them where the model has several inputs or outputs.
        dimensions: 1 for a line, 2 for a plane.
        span: How far to go to both sides; 1 is as far as the weights are from 0.
        resolution: Places along each axis, odd so that the weights themselves are one of them; by default 51 of a line, 21 of a plane.
        samples: Rows of `x` that count, drawn at random where there are more.
        seed: Of the directions and the draw.
        opts: As for `line_chart` or `heatmap`.

    Returns:
        A Figure; `.values` is `(resolution,)` or `(resolution, resolution)`: the losses, rows from low to high along the second direction.

    Raises:
        ValueError: A number is out of range, x and y differ in length, or the model was not compiled or has no kernels.

    Source: Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 4: filter-wise normalised directions.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> pyml.vis.loss_slice(model, np.ones((4, 2)), np.zeros((4, 1)), resolution=5).values.shape
        (5,)
    """
    if dimensions not in (1, 2):
        raise ValueError(f"loss_slice: dimensions must be 1, a line, or 2, a plane. Received: dimensions={dimensions!r}")
    count = resolution or (51 if dimensions == 1 else 21)
    if count < 3 or count % 2 == 0 or not span > 0 or samples < 1:
        raise ValueError(
            "loss_slice: resolution must be odd and at least 3, span and samples positive. "
            f"Received: resolution={count}, span={span}, samples={samples}"
        )
    if not getattr(model, "compiled", False):
        raise ValueError("loss_slice: the model has no loss yet; call model.compile(...) first.")
    x, y, rows = rows_of("loss_slice", model, x, y)
    draw = np.random.default_rng(seed)
    if rows > samples:
        chosen = np.sort(draw.choice(rows, samples, replace=False))
        x, y = chosen_rows(x, chosen), chosen_rows(y, chosen)
    x, y = map_structure(convert_to_tensor, x), map_structure(convert_to_tensor, y)
    if not model.built:
        model(chosen_rows(x, slice(1)))
    kernels = [variable for variable in model.trainable_variables if len(variable.shape) > 1]
    if not kernels:
        raise ValueError("loss_slice: the model has no trainable kernels to go along.")
    before = [variable.numpy() for variable in kernels]
    ways = [[convert_to_tensor(along(weights, draw)) for weights in before] for _ in range(dimensions)]
    places = np.linspace(-span, span, count)
    losses = _measured(model, kernels, before, ways, places, x, y)
    if dimensions == 1:
        look = {"title": "Loss along a random direction", "x_label": "distance from the weights, 1 being their size", "y_label": "loss"}
        figure = line_chart([np.stack([places, losses], 1)], **{**look, **opts})
    else:
        names = [f"{place:.2g}" for place in places]
        finite = losses[np.isfinite(losses)]
        domain = [float(finite.min()), float(np.quantile(finite, 0.9))] if finite.size and finite.min() < np.quantile(finite, 0.9) else None
        look = {"title": "Loss on a plane through the weights", "x_label": "first direction", "y_label": "second direction"}
        figure = heatmap(losses[::-1], names, names[::-1], domain=domain, **{"height": 320, **look, **opts})
        figure.spec["encoding"]["color"]["scale"]["clamp"] = True  # far out it rises so much that nothing else would be seen
    figure.values = losses
    return figure


def along(weights: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """A random direction of which each filter, the weights that lead to one output, is as long as that of the weights."""
    way = draw.normal(size=weights.shape)
    axes = tuple(range(weights.ndim - 1))
    length = lambda values: np.sqrt((values**2).sum(axes, keepdims=True))
    return (way * length(weights.astype(np.float64)) / np.maximum(length(way), 1e-10)).astype(np.float32)


def _measured(model: Any, kernels: list[Any], before: list[np.ndarray], ways: list[list[Any]], places: np.ndarray,
              x: Any, y: Any) -> np.ndarray:  # fmt: skip
    """The loss at every place of the grid; the kernels are put back, whatever happens."""
    here, steps = [convert_to_tensor(weights) for weights in before], Variable(np.zeros(len(ways), np.float32))

    @program
    def measure() -> Any:
        for i, kernel in enumerate(kernels):
            moved = here[i]
            for k, way in enumerate(ways):
                moved = moved + steps[k] * way[i]
            kernel.assign(moved)
        return model.compute_loss(x=x, y=y, y_pred=model(x, training=False), training=False)

    found = []
    try:
        for place in np.stack(np.meshgrid(*[places] * len(ways)), -1).reshape(-1, len(ways)):
            steps.assign(place.astype(np.float32))
            found.append(measure())
        losses = np.array([float(np.ravel(loss.numpy())[0]) for loss in found])
    finally:
        for kernel, weights in zip(kernels, before):
            kernel.assign(weights)
    return losses.reshape((len(places),) * len(ways))
