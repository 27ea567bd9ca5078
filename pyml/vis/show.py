"""tfjs-vis' `show`: figures of models and of training on a surface of the visor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyml.vis import classified, networks, training
from pyml.vis.figure import Figure
from pyml.vis.render import on, spelled

__all__ = ["fit_callbacks", "history", "layer", "model_summary", "per_class_accuracy", "values_distribution"]


def history(container: Any, history: Any, metrics: Sequence[str] | None = None, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.history` on a surface."""
    return on(container, training.history(history, metrics, **spelled(opts)))


def fit_callbacks(container: Any, metrics: Sequence[str] | None = None, opts: Mapping[str, Any] | None = None) -> training.FitCallbacks:
    """`pyml.vis.fit_callbacks` on a surface."""
    return training.fit_callbacks(container, metrics, **spelled(opts))


def per_class_accuracy(container: Any, class_accuracy: Any, class_labels: Sequence[Any] | None = None) -> Figure:
    """`pyml.vis.per_class_accuracy` of what `metrics.per_class_accuracy` returned, on a surface."""
    return on(container, classified.per_class_accuracy(class_accuracy, class_names=class_labels))


def values_distribution(container: Any, tensor: Any) -> Figure:
    """`pyml.vis.values_distribution` on a surface."""
    return on(container, networks.values_distribution(tensor))


def layer(container: Any, layer: Any) -> Figure:
    """`pyml.vis.layer` on a surface."""
    return on(container, networks.layer(layer))


def model_summary(container: Any, model: Any) -> Figure:
    """`pyml.vis.model_summary` on a surface."""
    return on(container, networks.model_summary(model))
