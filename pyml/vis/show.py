"""tfjs-vis' `show`: figures of models and of training on a surface of the visor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyml.vis import classified, networks, training
from pyml.vis.figure import Figure
from pyml.vis.render import on, spelled

__all__ = ["fit_callbacks", "history", "layer", "model_summary", "per_class_accuracy", "values_distribution"]


def history(container: Any, history: Any, metrics: Sequence[str] | None = None, opts: Mapping[str, Any] | None = None) -> Figure:
    """`pyml.vis.history` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        history: What `fit` returned.
        metrics: Names of what is drawn; None draws all.
        opts: The other arguments of `pyml.vis.history` by name, in Python's spelling or in tfjs-vis'.

    Example:
        >>> type(pyml.vis.show.history(None, {"loss": [0.5, 0.25]})).__name__
        'Figure'
    """
    return on(container, training.history(history, metrics, **spelled(opts)))


def fit_callbacks(container: Any, metrics: Sequence[str] | None = None, opts: Mapping[str, Any] | None = None) -> training.FitCallbacks:
    """`pyml.vis.fit_callbacks` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        metrics: Names of what is drawn; None draws all.
        opts: The other arguments of `pyml.vis.fit_callbacks` by name, in Python's spelling or in tfjs-vis'.

    Example:
        >>> type(pyml.vis.show.fit_callbacks({"name": "training"}, ["loss"])).__name__
        'FitCallbacks'
    """
    return training.fit_callbacks(container, metrics, **spelled(opts))


def per_class_accuracy(container: Any, class_accuracy: Any, class_labels: Sequence[Any] | None = None) -> Figure:
    """`pyml.vis.per_class_accuracy` of what `metrics.per_class_accuracy` returned, on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        class_accuracy: What `pyml.vis.metrics.per_class_accuracy` returned.
        class_labels: Names of the classes.

    Example:
        >>> found = pyml.vis.metrics.per_class_accuracy([0, 1, 1], [0, 1, 0])
        >>> type(pyml.vis.show.per_class_accuracy(None, found)).__name__
        'Figure'
    """
    return on(container, classified.per_class_accuracy(class_accuracy, class_names=class_labels))


def values_distribution(container: Any, tensor: Any) -> Figure:
    """`pyml.vis.values_distribution` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        tensor: A tensor or an array.

    Example:
        >>> type(pyml.vis.show.values_distribution(None, np.array([1.0, 2.0, 2.5]))).__name__
        'Figure'
    """
    return on(container, networks.values_distribution(tensor))


def layer(container: Any, layer: Any) -> Figure:
    """`pyml.vis.layer` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        layer: A built layer.

    Example:
        >>> layer = pyml.layers.Dense(2)
        >>> layer.build((None, 3))
        >>> type(pyml.vis.show.layer(None, layer)).__name__
        'Figure'
    """
    return on(container, networks.layer(layer))


def model_summary(container: Any, model: Any) -> Figure:
    """`pyml.vis.model_summary` on a surface.

    Args:
        container: A surface of the visor, its name, or a dict of `name` and `tab`; None only returns the figure.
        model: A built model.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> type(pyml.vis.show.model_summary(None, model)).__name__
        'Figure'
    """
    return on(container, networks.model_summary(model))
