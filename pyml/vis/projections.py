"""Many dimensions on a plane: principal components, and t-SNE with all distances, on the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Variable, convert_to_tensor, program
from pyml.vis import notebook
from pyml.vis.charts import scatter_plot
from pyml.vis.figure import Figure
from pyml.vis.values import numbers

Watch = tuple[int, Callable[[np.ndarray], None]]
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
    found, share = principal("pca", data, components)
    plane = found if components > 1 else np.stack([found[:, 0], np.zeros(len(found))], 1)
    names = [*component_names(share, components), ""]
    look = {"title": "Principal components", "x_label": names[0], "y_label": names[1], **opts}
    return drawn("pca", plane[:, :2], labels, class_names, found, look)


def principal(what: str, data: Any, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Points along the directions in which they differ most, and the share of the variance of every direction.

    Raises:
        ValueError: There are fewer points or features than components, or values that are not finite.
    """
    x = _points(what, data)
    if not 1 <= components <= min(x.shape):
        raise ValueError(f"{what}: components must be from 1 to {min(x.shape)}, the fewer of points and features. Received: {components}")
    x = x - x.mean(0)
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    signs = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(1)])
    return (u * s * np.where(signs == 0, 1, signs))[:, :components], s**2 / max((s**2).sum(), 1e-300)


def component_names(share: np.ndarray, components: int) -> list[str]:
    """What the axes say."""
    return [f"component {i + 1} ({share[i]:.0%} of the variance)" for i in range(components)]


def tsne(data: Any, labels: Any = None, perplexity: float = 30.0, iterations: int = 500, seed: int = 0,
         class_names: Sequence[str] | None = None, learning_rate: float | str = "auto", every: int | None = None,
         **opts: Any) -> Figure:  # fmt: skip
    """Points on a plane so that neighbours stay neighbours; all pairs are computed, on the device.

    Args:
        data: Array `(points, features)`, at most 5,000 points.
        labels, class_names, opts: As for `pca`.
        perplexity: About how many neighbours count; below a third of the number of points.
        iterations: Steps; in the first half, at most 250, neighbours attract each other twelvefold.
        seed: Of the noise where the principal components do not tell points apart.
        learning_rate: `"auto"` is the number of points / 48, at least 50.
        every: Draws the points each time after so many steps, under the title: in the visor of a page or where `draw_with` says, in a
            notebook below the cell. They are read from the device for it.

    Returns:
        A Figure; `.values` is `(points, 2)`.

    Raises:
        ValueError: There are too many points for all pairs, too few for the perplexity, or values that are not finite.

    Source: van der Maaten and Hinton 2008; the start and rate of Kobak and Berens 2019.

    Example:
        >>> type(pyml.vis.tsne(np.eye(12), perplexity=2.0, iterations=5)).__name__
        'Figure'
    """
    if every is not None and (not isinstance(every, int) or every < 1):
        raise ValueError(f"tsne: every must be a positive integer. Received: every={every!r}")
    look = {"title": "t-SNE", "x_label": " ", "y_label": " ", **opts}
    make = lambda places: drawn("tsne", places, labels, class_names, places, look)
    watch = (every, shown_anew(look["title"], make)) if every else None
    return make(spread("tsne", data, perplexity, iterations, seed, 2, learning_rate, watch))


def shown_anew(name: str, make: Callable[[np.ndarray], Figure]) -> Callable[[np.ndarray], None]:
    """A function that draws places as a figure on one surface again and again; it does nothing where nobody would see it."""
    from pyml.vis.panel import has_place

    below = notebook.Changing() if not has_place() and notebook.in_notebook() else None

    def draw(places: np.ndarray) -> None:
        if has_place():
            make(places).show(name)
        elif below is not None and below.due(name):
            below.draw(name, make(places))

    return draw


def spread(what: str, data: Any, perplexity: float, iterations: int, seed: int, dimensions: int,
           learning_rate: float | str = "auto", watch: Watch | None = None) -> np.ndarray:  # fmt: skip
    """The places of t-SNE, float32 `(points, dimensions)`; `watch`: after how many steps a function gets them, and the function.

    Raises:
        ValueError: As `tsne`.
    """
    x = _points(what, data)
    n = len(x)
    if n > LARGEST:
        raise ValueError(f"{what}: {n:,} points are more than the {LARGEST:,} whose pairs fit the device; take a sample, or use pca.")
    if not 1 <= perplexity < max(n / 3, 1.0001):
        raise ValueError(f"{what}: perplexity must be at least 1 and below a third of the {n} points. Received: perplexity={perplexity}")
    start = np.random.default_rng(seed).normal(size=(n, dimensions)) * 1e-6
    first = leading(x - x.mean(0), min(dimensions, *x.shape))
    start[:, : first.shape[1]] += first / max(first[:, 0].std(), 1e-12) * 1e-4
    rate = max(n / 48, 50.0) if learning_rate == "auto" else float(learning_rate)
    return _descended(neighbours(x, perplexity), start.astype(np.float32), iterations, rate, watch)


def leading(x: np.ndarray, count: int) -> np.ndarray:
    """About the first principal components of centred points, without the decomposition of all of them."""
    around = np.random.default_rng(0).normal(size=(x.shape[1], min(count + 6, *x.shape)))
    for _ in range(6):
        around = np.linalg.qr(x.T @ (x @ around))[0]
    u, s, _ = np.linalg.svd(x @ around, full_matrices=False)
    return (u * s)[:, :count]


def neighbours(x: np.ndarray, perplexity: float) -> np.ndarray:
    """Symmetric probabilities that two points are neighbours, float32 `(n, n)`; each row has the perplexity asked for.

    The nearest three times the perplexity and 30 more count, as in scikit-learn's Barnes-Hut t-SNE; others have no weight.
    """
    n = len(x)
    count = min(n - 1, int(3 * perplexity) + 30)
    x = x - x.mean(0)
    products = ops.matmul(convert_to_tensor(x.astype(np.float32)), convert_to_tensor(x.T.astype(np.float32))).numpy()
    squares = (x**2).sum(1)
    result = np.zeros((n, n), np.float32)
    at_once = int(np.clip(4e6 / (count * x.shape[1]), 1, 512))
    for begin in range(0, n, at_once):
        own = np.arange(begin, min(begin + at_once, n))
        distance = squares[own, None] + squares - 2 * products[own]
        distance[own - begin, own] = np.inf
        nearest = np.argpartition(distance, count - 1, axis=1)[:, :count]
        apart = x[own, None] - x[nearest]                  # of these the distances are exact
        result[own[:, None], nearest] = weighted(np.einsum("ijk,ijk->ij", apart, apart), float(np.log(perplexity)))
    return (result + result.T) / (2 * n)


def weighted(distance: np.ndarray, target: float) -> np.ndarray:
    """Weights that fall with squared distances, add up to 1 in each row, and have that entropy."""
    distance = distance - distance.min(1, keepdims=True)   # the nearest has weight 1, so no row is all zeros
    low, high = np.zeros(len(distance)), np.full(len(distance), np.inf)
    beta = 1 / np.maximum(distance.mean(1), 1e-12)
    for _ in range(60):
        weight = np.exp(-distance * beta[:, None])
        total = weight.sum(1)
        entropy = np.log(total) + beta * np.einsum("ij,ij->i", distance, weight) / total
        if np.abs(entropy - target).max() < 1e-4:
            break
        wide = entropy > target
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), beta * 2, (low + np.minimum(high, 1e300)) / 2)
    return weight / total[:, None]


def _descended(near: np.ndarray, start: np.ndarray, iterations: int, rate: float, watch: Watch | None) -> np.ndarray:
    """The places of points after gradient descent by t-SNE: `(points, dimensions)`."""
    n = len(start)
    p = convert_to_tensor(near)
    # Each direction by itself, so that its numbers lie side by side: half the time of a table `(n, dimensions)` on `wasm`.
    y = [Variable(np.ascontiguousarray(column)) for column in start.T]
    speed, gains = ([Variable(np.full(n, value, np.float32)) for _ in y] for value in (0.0, 1.0))
    pull, keep = Variable(np.float32(12.0)), Variable(np.float32(0.5))

    @program
    def step() -> Any:
        # Sums over rows of what is computed on the way, so that of all pairs only `p` and `close` are tables in memory.
        apart = [ops.reshape(column, (n, 1)) - ops.reshape(column, (1, n)) for column in y]
        close = 1.0 / (1.0 + sum(each * each for each in apart))
        near_by, far = p * close, close * close
        total = ops.sum(ops.sum(close, axis=1)) - float(n)  # without each point itself, whose closeness is 1
        for k, each in enumerate(apart):
            gradient = 4.0 * (pull * ops.sum(near_by * each, axis=1) - ops.sum(far * each, axis=1) / total)
            gain = ops.where(gradient * speed[k] > 0, ops.maximum(gains[k] * 0.8, 0.01), gains[k] + 0.2)
            moved = keep * speed[k] - rate * gain * gradient
            gains[k].assign(gain)
            speed[k].assign(moved)
            y[k].assign(y[k] + moved - ops.mean(y[k] + moved))
        return total

    early = min(iterations // 2, 250)
    for i in range(iterations):
        if i == early:
            pull.assign(np.float32(1.0))
            keep.assign(np.float32(0.8))
        step()
        if watch and (i + 1) % watch[0] == 0:
            watch[1](np.stack([column.numpy() for column in y], 1))
    return np.stack([column.numpy() for column in y], 1)


def _points(what: str, data: Any) -> np.ndarray:
    x = numbers(what, data)
    if x.ndim < 2 or len(x) < 2:
        raise ValueError(f"{what}: expected an array (points, features) of two points or more. Received shape {x.shape}.")
    x = x.reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise ValueError(f"{what}: the data hold values that are not finite; fill or leave them out first.")
    return x


def kinds_of(what: str, count: int, labels: Any, names: Sequence[Any] | None) -> tuple[np.ndarray, list[str]]:
    """The place of each point's class among the sorted classes, and the names of these; one without a name where there are no labels.

    Raises:
        ValueError: There are other numbers of labels than points, or of names than classes.
    """
    if labels is None:
        return np.zeros(count, int), [""]
    kinds = np.asarray(labels.numpy() if hasattr(labels, "numpy") else labels).reshape(-1)
    if len(kinds) != count:
        raise ValueError(f"{what}: expected {count} labels, one for each point. Received {len(kinds)}.")
    found, places = np.unique(kinds, return_inverse=True)
    texts = [str(kind) for kind in found] if names is None else [str(name) for name in names]
    if len(texts) != len(found):
        raise ValueError(f"{what}: class_names must name {len(found)} classes. Received: {len(texts)}")
    return places, texts


def drawn(what: str, plane: np.ndarray, labels: Any, names: Sequence[str] | None, values: np.ndarray, opts: dict[str, Any]) -> Figure:
    """Points on a plane, a series for each class."""
    series: Any = [plane]
    if labels is not None:
        places, texts = kinds_of(what, len(plane), labels, names)
        series = {text: plane[places == i] for i, text in enumerate(texts)}
    figure = scatter_plot(series, **{"height": 320, **opts})
    figure.values = values
    return figure
