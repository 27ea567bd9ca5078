"""Many dimensions on a plane: principal components, and t-SNE with all distances, on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Variable, convert_to_tensor, program
from pyml.vis.charts import scatter_plot
from pyml.vis.figure import Figure
from pyml.vis.values import numbers

LARGEST = 5000                                         # points whose distances, all pairs, t-SNE computes


def pca(data: Any, labels: Any = None, components: int = 2, class_names: Sequence[str] | None = None, **opts: Any) -> Figure:
    """Points along the directions in which they differ most.

    Args:
        data: Array `(points, features)`; more axes are flattened.
        labels: Class of each point, for the colours.
        components: Directions that are computed; the first two are drawn.
        class_names: Names of the classes, in the order of sorted labels.
        opts: As for `scatter_plot`.

    Returns:
        A Figure; `.values` is `(points, components)`, with the signs of scikit-learn.

    Raises:
        ValueError: There are fewer points or features than components, or values that are not finite.

    Example:
        >>> pyml.vis.pca([[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [2.0, 2.0, 1.0]], components=1).values[2].round(3).item()
        1.414
    """
    x = _points("pca", data)
    if not 1 <= components <= min(x.shape):
        raise ValueError(f"pca: components must be from 1 to {min(x.shape)}, the fewer of points and features. Received: {components}")
    x = x - x.mean(0)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    signs = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(1)])
    found = (u * s * np.where(signs == 0, 1, signs))[:, :components]
    share = s**2 / max((s**2).sum(), 1e-300)
    plane = found if components > 1 else np.stack([found[:, 0], np.zeros(len(found))], 1)
    name = lambda i: f"component {i + 1} ({share[i]:.0%} of the variance)" if i < components else ""
    look = {"title": "Principal components", "x_label": name(0), "y_label": name(1), **opts}
    return drawn("pca", plane[:, :2], labels, class_names, found, look)


def tsne(data: Any, labels: Any = None, perplexity: float = 30.0, iterations: int = 500, seed: int = 0,
         class_names: Sequence[str] | None = None, learning_rate: float | str = "auto", **opts: Any) -> Figure:  # fmt: skip
    """Points on a plane so that neighbours stay neighbours; all pairs are computed, on the device.

    Args:
        data: Array `(points, features)`, at most 5,000 points.
        labels, class_names, opts: As for `pca`.
        perplexity: About how many neighbours count; below a third of the number of points.
        iterations: Steps; in the first half, at most 250, neighbours attract each other twelvefold.
        seed: Of the noise where the principal components do not tell points apart.
        learning_rate: `"auto"` is the number of points / 48, at least 50.

    Returns:
        A Figure; `.values` is `(points, 2)`.

    Raises:
        ValueError: There are too many points for all pairs, too few for the perplexity, or values that are not finite.

    Source: van der Maaten and Hinton 2008; the start and rate of Kobak and Berens 2019.
    """
    x = _points("tsne", data)
    n = len(x)
    if n > LARGEST:
        raise ValueError(f"tsne: {n:,} points are more than the {LARGEST:,} whose pairs fit the device; take a sample, or use pca.")
    if not 1 <= perplexity < max(n / 3, 1.0001):
        raise ValueError(f"tsne: perplexity must be at least 1 and below a third of the {n} points. Received: perplexity={perplexity}")
    centred = x - x.mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    start = np.random.default_rng(seed).normal(size=(n, 2)) * 1e-6
    first = (u * s)[:, :2]
    start[:, : first.shape[1]] += first / max(first[:, 0].std(), 1e-12) * 1e-4
    rate = max(n / 48, 50.0) if learning_rate == "auto" else float(learning_rate)
    found = _descended(neighbours(x, perplexity), start.astype(np.float32), iterations, rate)
    return drawn("tsne", found, labels, class_names, found, {"title": "t-SNE", "x_label": " ", "y_label": " ", **opts})


def neighbours(x: np.ndarray, perplexity: float) -> np.ndarray:
    """Symmetric probabilities that two points are neighbours, float32 `(n, n)`; each row has the perplexity asked for."""
    n = len(x)
    squares = (x**2).sum(1)
    result = np.zeros((n, n), np.float32)
    target = np.log(perplexity)
    for begin in range(0, n, 512):
        rows = slice(begin, min(begin + 512, n))
        distance = np.maximum(squares[rows, None] + squares - 2 * x[rows] @ x.T, 0)
        own = np.arange(rows.start, rows.stop)
        distance[own - begin, own] = np.inf
        distance -= distance.min(1, keepdims=True)     # the nearest has weight 1, so no row is all zeros
        low, high = np.zeros(len(own)), np.full(len(own), np.inf)
        finite = np.where(np.isfinite(distance), distance, 0)
        beta = 1 / np.maximum(finite.mean(1), 1e-12)
        for _ in range(60):
            weight = np.exp(-distance * beta[:, None])
            total = weight.sum(1)
            entropy = np.log(total) + beta * np.einsum("ij,ij->i", finite, weight) / total
            if np.abs(entropy - target).max() < 1e-4:
                break
            wide = entropy > target
            low, high = np.where(wide, beta, low), np.where(wide, high, beta)
            beta = np.where(np.isinf(high), beta * 2, (low + np.minimum(high, 1e300)) / 2)
        result[rows] = weight / total[:, None]
    return (result + result.T) / (2 * n)


def _descended(near: np.ndarray, start: np.ndarray, iterations: int, rate: float) -> np.ndarray:
    n = len(start)
    p = convert_to_tensor(near)
    y, speed, gains = Variable(start), Variable(np.zeros_like(start)), Variable(np.ones_like(start))
    pull, keep = Variable(np.float32(12.0)), Variable(np.float32(0.5))

    @program
    def step() -> Any:
        squares = ops.sum(y * y, axis=1)
        close = 1.0 / (1.0 + ops.maximum(ops.reshape(squares, (n, 1)) + squares - 2.0 * ops.matmul(y, ops.transpose(y)), 0.0))
        total = ops.sum(close) - float(n)              # without each point itself, whose closeness is 1
        force = (pull * p - close / total) * close
        gradient = 4.0 * (ops.sum(force, axis=1, keepdims=True) * y - ops.matmul(force, y))
        gain = ops.where(gradient * speed > 0, ops.maximum(gains * 0.8, 0.01), gains + 0.2)
        moved = keep * speed - rate * gain * gradient
        gains.assign(gain)
        speed.assign(moved)
        y.assign(y + moved - ops.mean(y + moved, axis=0, keepdims=True))
        return total

    early = min(iterations // 2, 250)
    for i in range(iterations):
        if i == early:
            pull.assign(np.float32(1.0))
            keep.assign(np.float32(0.8))
        step()
    return y.numpy()


def _points(what: str, data: Any) -> np.ndarray:
    x = numbers(what, data)
    if x.ndim < 2 or len(x) < 2:
        raise ValueError(f"{what}: expected an array (points, features) of two points or more. Received shape {x.shape}.")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{what}: the data hold values that are not finite; fill or leave them out first.")
    return x


def drawn(what: str, plane: np.ndarray, labels: Any, names: Sequence[str] | None, values: np.ndarray, opts: dict[str, Any]) -> Figure:
    """Points on a plane, a series for each class."""
    series: Any = [plane]
    if labels is not None:
        kinds = np.asarray(labels.numpy() if hasattr(labels, "numpy") else labels).reshape(-1)
        if len(kinds) != len(plane):
            raise ValueError(f"{what}: expected {len(plane)} labels, one for each point. Received {len(kinds)}.")
        found = np.unique(kinds)
        texts = [str(kind) for kind in found] if names is None else [str(name) for name in names]
        if len(texts) != len(found):
            raise ValueError(f"{what}: class_names must name {len(found)} classes. Received: {len(texts)}")
        series = {text: plane[kinds == kind] for text, kind in zip(texts, found)}
    figure = scatter_plot(series, **{"height": 320, **opts})
    figure.values = values
    return figure
