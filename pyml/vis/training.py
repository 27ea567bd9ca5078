"""Training as it goes: curves of a history, and curves that grow while `fit` runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyml.callbacks.callback import Callback
from pyml.tracebacks import warn
from pyml.vis import notebook
from pyml.vis.charts import line_chart
from pyml.vis.figure import Figure
from pyml.vis.parts import received
from pyml.vis.values import columns_of, whole_ticks

__all__ = ["FitCallbacks", "fit_callbacks", "history"]
SHARE = 0.008                                          # of the time that drawing and looking may take together
READING = 0.005                                        # of the time that reading logs may take, where nobody says how often
OFTEN = 10                                             # batches from one reading to the next, at least


def history(logs: Any, metrics: Sequence[str] | None = None, zoom_to_fit_accuracy: bool = False, **opts: Any) -> Figure:
    """The curves of a training, one chart for each metric with its validation.

    Args:
        logs: What `fit` returned, its `history` dict, or a list of dicts, one for each epoch.
        metrics: Names to draw; all by default. `"val_"` names join their metric. One with a number for each class has a curve for each.
        zoom_to_fit_accuracy: The axis of an accuracy need not begin at 0.
        opts: As for `line_chart`.

    Raises:
        ValueError: There is no metric of that name.

    Example:
        >>> pyml.vis.history({"loss": [3, 2], "val_loss": [3, 2.5], "accuracy": [0.1, 0.4]}).spec["vconcat"][0]["title"]["text"]
        'loss'
    """
    return _curves(logs, metrics, zoom_to_fit_accuracy, opts)


def _curves(logs: Any, metrics: Sequence[str] | None, zoom_to_fit_accuracy: bool, opts: dict[str, Any],
            at: Sequence[int] | None = None) -> Figure:  # fmt: skip
    """As `history`; `at` says which batches the rows are of."""
    found: Any = columns_of(logs) or getattr(logs, "history", logs)
    several = found.values() if isinstance(found, Mapping) else found if isinstance(found, (list, tuple)) else ()
    if any(hasattr(one, "history") for one in several):
        raise TypeError("history: expected one training. Draw several one by one, or line_chart({'first': first.history['loss'], ...}).")
    if isinstance(found, (list, tuple)):
        if wrong := [row for row in found if not isinstance(row, Mapping)]:
            raise TypeError(f"history: expected a dict for each epoch, of its metrics. Received a {type(wrong[0]).__name__}.")
        names = list(dict.fromkeys(name for row in found for name in row))
        found = {name: [row.get(name, math.nan) for row in found] for name in names}
    if not isinstance(found, Mapping):
        raise TypeError(f"history: expected what fit returned, or its history. Received {received(logs)}.")
    wanted = list(metrics or found)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"history: there is no metric {', '.join(map(repr, missing))}; there are {', '.join(map(repr, found))}.")
    charts = []
    for metric in dict.fromkeys(name.removeprefix("val_") for name in wanted):
        series = {}
        for name, text in ((metric, "training"), (f"val_{metric}", "validation")):
            if name in found and (name in wanted or metrics is None):
                columns = _columns(name, found[name])
                numbers = np.arange(1, len(columns) + 1) if at is None else at
                for i, column in enumerate(columns.T):
                    series[text if columns.shape[1] == 1 else f"{text} {i}"] = np.stack([numbers, column], 1)
        zoom = opts.get("zoom_to_fit", True) if "acc" not in metric else zoom_to_fit_accuracy
        look = {"title": metric, "x_label": "epoch", "y_label": metric, "width": 300, "height": 160, **opts, "zoom_to_fit": zoom}
        figure = line_chart(series, **look)
        if "encoding" in figure.spec and "x" in figure.spec["encoding"]:
            figure.spec["encoding"]["x"]["axis"] = {"format": "d", **whole_ticks([row["x"] for row in figure.rows()], "x")}
        charts.append(figure)
    if not charts:
        return line_chart([], title="History")
    return charts[0] if len(charts) == 1 else stacked(charts)


def _columns(name: str, values: Sequence[Any]) -> np.ndarray:
    """The numbers of a metric, a row each time: one, or one for each class as `F1Score` gives them; None is a NaN."""
    try:
        rows = [np.asarray(math.nan if value is None else value, float).reshape(-1) for value in values]
    except (TypeError, ValueError):
        raise TypeError(f"history: expected a number for each epoch in {name!r}. Received: {values!r:.80}") from None
    width = max(map(len, rows), default=1)
    return np.array([row if len(row) == width else np.full(width, math.nan) for row in rows]).reshape(len(rows), width)


def stacked(figures: Sequence[Figure]) -> Figure:
    """Figures one below the other."""
    parts = [{key: value for key, value in figure.spec.items() if key not in ("$schema", "autosize")} for figure in figures]
    return Figure({"vconcat": parts, "spacing": 16, "resolve": {"scale": dict.fromkeys(("color", "strokeDash", "shape"), "independent")}})


def fit_callbacks(container: Any = None, metrics: Sequence[str] | None = None, callbacks: Sequence[str] = ("on_batch_end", "on_epoch_end"),
                  zoom_to_fit_accuracy: bool = False, warn: bool = True, every: int | None = None,
                  **opts: Any) -> FitCallbacks:  # fmt: skip
    """A callback for `fit` that draws its curves while it runs.

    Args:
        container: The surface of the visor: its name, or a dict of `name` and `tab`. None draws in the visor of a page; a notebook draws
            below the cell, twice a second at most; elsewhere the figures are only kept.
        metrics: Names to draw; all by default.
        callbacks: What is drawn: `"on_batch_end"`, `"on_epoch_end"` or both.
        zoom_to_fit_accuracy: The axis of an accuracy need not begin at 0.
        warn: Also look, once an epoch, for losses that are NaN or grow without bounds, weights that are not finite, and units of
            `relu` layers that are dead: whose biases and incoming weights can give nothing but 0 any more. Each is said once.
        every: Batches from one drawn point to the next; by default 10, and more where steps are so short that reading would take more than
            half a hundredth of the time.
        opts: As for `line_chart`.

    Returns:
        A `FitCallbacks`; `.figures()` are the charts so far, `.warnings` what was found.

    Logs are read from the device only at the points that are drawn. Drawing and looking take about a hundredth of the time together:
    what took a millisecond is not done again within the next 125, or 375 where three things are done, but once more at the end.

    Example:
        >>> live = pyml.vis.fit_callbacks(every=1)
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.ones((8, 4)), np.ones((8, 3)), batch_size=4, epochs=2, verbose=0, callbacks=[live])
        >>> sorted(live.figures()), len(live.batches)
        (['on_batch_end', 'on_epoch_end'], 4)
    """
    return FitCallbacks(container, metrics, callbacks, zoom_to_fit_accuracy, warn, every, opts)


class FitCallbacks(Callback):
    """What `fit_callbacks` makes."""

    def __init__(self, container: Any = None, metrics: Sequence[str] | None = None, callbacks: Sequence[str] = ("on_epoch_end",),
                 zoom_to_fit_accuracy: bool = False, warn: bool = True, every: int | None = None, opts: Any = None,
                 clock: Callable[[], float] = time.perf_counter) -> None:  # fmt: skip
        super().__init__()
        named = {"onBatchEnd": "on_batch_end", "onEpochEnd": "on_epoch_end"}
        self.shown = [named.get(name, name) for name in callbacks]
        unknown = [name for name in self.shown if name not in named.values()]
        if unknown:
            raise ValueError(f"fit_callbacks: callbacks may hold 'on_batch_end' and 'on_epoch_end'. Received: {', '.join(unknown)}")
        if every is not None and (not isinstance(every, int) or every < 1):
            raise ValueError(f"fit_callbacks: every must be a positive integer. Received: every={every!r}")
        self.container, self.metrics, self.zoom, self.warn, self.every = container, metrics, zoom_to_fit_accuracy, warn, every
        self.opts = dict(opts or {})
        self.batches: list[dict[str, Any]] = []
        self.epochs: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._seen = self._asked = 0
        self._at: list[int] = []                       # the numbers of the batches that were read
        self._looks, self._after = True, 0.0           # whether the batch asked for is read; when one may be read again
        self._first: float | None = None
        self._paced = Paced()
        self._below = notebook.Changing() if notebook.in_notebook() else None

    def on_train_begin(self, logs: Any = None) -> None:
        self.batches, self.epochs, self.warnings = [], [], []
        self._begin()

    def on_train_end(self, logs: Any = None) -> None:
        self._paced.finish()
        if self._below is not None:
            for name, figure in self.figures().items():
                self._below.draw(name, figure)

    def looks_at_logs(self) -> bool:
        """Whether the next batch is drawn: logs of others need not be computed."""
        if self._asked == self._seen:                  # decided once a batch: it is asked for before its logs are there, and after
            self._asked += 1
            self._looks = self._seen % (self.every or OFTEN) == 0 and (self.every is not None or self._clock() >= self._after)
        return "on_batch_end" in self.shown and self._looks

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.looks_at_logs():
            began = self._clock()
            self.batches.append(self._chosen(logs))
            self._at.append(self._seen + 1)
            if len(self._at) > 1:                      # the first is compiled
                now = self._clock()
                self._after = now + (now - began) / READING
            self._draw("on_batch_end", self.batches)
        self._seen += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(self._chosen(logs))
        if self.warn:
            self._look(epoch, logs or {})
        if "on_epoch_end" in self.shown:
            self._draw("on_epoch_end", self.epochs)

    def figures(self) -> dict[str, Figure]:
        """The charts so far, by what they show."""
        rows = {"on_batch_end": self.batches, "on_epoch_end": self.epochs}
        return {name: self._figure(name, rows[name]) for name in self.shown if rows[name]}

    def _chosen(self, logs: Any) -> dict[str, Any]:
        names = self.metrics or list(logs)
        return {name: np.asarray(logs[name], float).tolist() for name in names if name in logs}

    def _figure(self, name: str, rows: list[dict[str, Any]]) -> Figure:
        if name == "on_batch_end":
            return _curves(rows, None, self.zoom, {"x_label": "batch", **self.opts}, self._at)
        return history(rows, None, self.zoom, **self.opts)

    def _draw(self, name: str, rows: list[dict[str, Any]]) -> None:
        from pyml.vis.panel import has_place, visor

        if not has_place():
            if self._below is not None and self._below.due(name):
                self._below.draw(name, self._figure(name, rows))
            return
        given = self.container if isinstance(self.container, Mapping) else {"name": self.container or "Training"}
        title = given["name"] if len(self.shown) == 1 else f"{given['name']}: {'batches' if name == 'on_batch_end' else 'epochs'}"
        self._paced.do(name, lambda: visor().surface(title, given.get("tab", "Training")).draw(self._figure(name, rows)))

    # ---- what goes wrong
    def _look(self, epoch: int, logs: Mapping[str, Any]) -> None:
        loss = float(logs.get("loss", 0.0))
        if self._first is None and math.isfinite(loss):
            self._first = abs(loss)
        if not math.isfinite(loss):
            self._say(f"epoch {epoch + 1}: the loss is {loss}; try a lower learning rate, clipnorm, or look for NaN in the data")
        elif self._first is not None and abs(loss) > 1000 * max(self._first, 1e-3):  # a loss near 0 may rise
            self._say(f"epoch {epoch + 1}: the loss has grown from {self._first:.3g} to {loss:.3g}; gradients explode, try clipnorm=1.0")
        self._paced.do("look", self._look_at_weights)

    def _look_at_weights(self) -> None:
        for layer in self.model.layers:
            for problem in problems(layer):
                self._say(problem)

    def _say(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            warn(f"fit_callbacks: {text}.")


class Paced:
    """Does things so seldom that together they take a small share of the time; each the first time it is asked for, and, where the last
    time was left out, at the end.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.after: dict[str, float] = {}              # when each may be done again
        self.waiting: dict[str, Callable[[], None]] = {}

    def do(self, name: str, work: Callable[[], None]) -> None:
        """Does the work now or lets it wait."""
        began = self.clock()
        if began < self.after.get(name, began):
            self.waiting[name] = work
            return
        self.waiting.pop(name, None)
        work()
        now = self.clock()
        self.after[name] = now + (now - began) * len({*self.after, name}) / SHARE

    def finish(self) -> None:
        """Does what waited."""
        for work in self.waiting.values():
            work()
        self.waiting = {}


def problems(layer: Any) -> list[str]:
    """What the weights of a layer show to be wrong."""
    found = []
    for weight in layer.weights:
        if weight.dtype.startswith(("float", "bfloat")) and not np.isfinite(weight.numpy().astype("float32")).all():
            found.append(f"{weight.path} holds values that are not finite")
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    kernel, bias = getattr(layer, "kernel", None), getattr(layer, "bias", None)
    if name == "relu" and kernel is not None and bias is not None and not found:
        into = kernel.numpy().reshape(-1, bias.shape[-1])
        dead = int(((into <= 0).all(0) & (bias.numpy() <= 0)).sum())
        if dead:
            found.append(
                f"{dead} of the {bias.shape[-1]} units of layer {layer.name!r} are dead for inputs that are not negative: no weight or "
                "bias of theirs is above 0"
            )
    return found
