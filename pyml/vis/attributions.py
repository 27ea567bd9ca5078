"""Which parts of an input an output depends on, by gradients: saliency, integrated gradients, Grad-CAM."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import ops
from pyml.core import convert_to_tensor, grad
from pyml.vis.figure import Figure
from pyml.vis.grids import heatmap, image_grid
from pyml.vis.parts import Sample, answering, chosen_class, last_map, named_layer, output_for, plainly


def saliency(model: Any, image: Any, class_index: int | None = None, **opts: Any) -> Figure:
    """How strongly each pixel changes an output: the largest absolute gradient of its channels.

    Args:
        model: Sequential or functional classifier.
        image: One input `(height, width, channels)`; vectors and sequences are explained as well. Where the model has several inputs, a
            list of one each or a dict by name: the first picture among them is explained, else the first.
        class_index: The output to explain; by default the largest.
        opts: As for `image_grid`, or `heatmap` for inputs that are not pictures.

    Returns:
        A Figure; `.values` is `(height, width)`, not scaled.

    Source: Simonyan, Vedaldi and Zisserman 2013, "Deep Inside Convolutional Networks".

    Example:
        >>> model = pyml.Sequential([pyml.Input((4, 4, 1)), pyml.layers.Flatten(), pyml.layers.Dense(2)])
        >>> pyml.vis.saliency(model, np.ones((4, 4, 1))).values.shape
        (4, 4)
    """
    sample = Sample("saliency", model, image)
    index, x = chosen_class("saliency", model, sample, class_index), sample.explained
    found = grad(lambda v: _score(model, sample.with_(v), index))(x).numpy()[0]
    return shown("Saliency", _flat(np.abs(found), "max"), x, opts)


def integrated_gradients(model: Any, image: Any, class_index: int | None = None, baseline: Any = None, steps: int = 32,
                         **opts: Any) -> Figure:  # fmt: skip
    """What each pixel adds to an output, on the way from a baseline to the input; the sum is the difference of the two outputs.

    Args:
        model, image, class_index, opts: As for `saliency`.
        baseline: An input that shows nothing; zeros by default.
        steps: Points on the way, at whose middles gradients are taken.

    Returns:
        A Figure; `.values` has the shape of the input.

    Raises:
        ValueError: `steps` is not a positive integer.

    Source: Sundararajan, Taly and Yan 2017, "Axiomatic Attribution for Deep Networks".

    Example:
        >>> model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1, kernel_initializer="ones")])
        >>> pyml.vis.integrated_gradients(model, [1.0, 2.0, 3.0]).values.round(3).tolist()
        [1.0, 2.0, 3.0]
    """
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"integrated_gradients: steps must be a positive integer. Received: steps={steps!r}")
    sample = Sample("integrated_gradients", model, image)
    index, x = chosen_class("integrated_gradients", model, sample, class_index), sample.explained
    end = x.numpy()
    start = np.zeros_like(end) if baseline is None else np.broadcast_to(np.asarray(baseline, np.float32), end.shape)
    total = np.zeros_like(end)
    gradient = grad(lambda v: ops.sum(model(sample.with_(v), training=False)[:, index]))
    for first in range(0, steps, 16):
        shares = (np.arange(first, min(first + 16, steps), dtype=np.float32) + 0.5) / steps
        points = start + shares.reshape(-1, *(1,) * (end.ndim - 1)) * (end - start)
        total += gradient(convert_to_tensor(points)).numpy().sum(0, keepdims=True)
    values = ((end - start) * total / steps)[0]
    return shown("Integrated gradients", _flat(np.abs(values), "sum"), x, opts, values)


def grad_cam(model: Any, image: Any, class_index: int | None = None, layer: Any = None, **opts: Any) -> Figure:
    """Where a convolutional network looks: the feature maps of a layer, weighted by what they mean for an output.

    Args:
        model: Sequential or functional classifier with a layer of feature maps.
        image: One input `(height, width, channels)`; where the model has several, a list of one each or a dict by name.
        class_index: The output to explain; by default the largest.
        layer: Layer, name or number; by default the last one with weights whose output is a map. It may lie in a model within the model, as
            in transfer learning.
        opts: As for `image_grid`.

    Returns:
        A Figure; `.values` is `(height, width)` of the input, from 0 to 1.

    Raises:
        ValueError: The layer gives no feature maps.

    Source: Selvaraju et al. 2017, "Grad-CAM".

    Example:
        >>> model = pyml.Sequential([pyml.Input((8, 8, 1)), pyml.layers.Conv2D(2, 3), pyml.layers.GlobalAveragePooling2D(),
        ...                          pyml.layers.Dense(3)])
        >>> pyml.vis.grad_cam(model, np.ones((8, 8, 1))).values.shape
        (8, 8)
    """
    sample = Sample("grad_cam", model, image)
    index, x = chosen_class("grad_cam", model, sample, class_index), sample.explained
    place = last_map("grad_cam", model) if layer is None else named_layer("grad_cam", model, layer)
    maps = output_for("grad_cam", model, place, sample.with_(x))
    if len(maps.shape) != 4:
        raise ValueError(f"grad_cam: layer {place.name!r} gives {tuple(maps.shape)}; choose one that gives feature maps.")
    whole = plainly(model)

    def score(change: Any) -> Any:
        """The output, with a change added to the maps."""
        changes = [change]                             # of the first call, where a layer has several
        with answering(place, lambda output: output + changes.pop() if changes else output):
            return _score(whole, sample.with_(x), index)

    gradient = grad(score)(ops.zeros_like(maps))
    weights = gradient.numpy().mean((1, 2))
    heat = np.maximum((maps.numpy()[0] * weights[0]).sum(-1), 0)
    heat = heat / heat.max() if heat.max() > 0 else heat
    size = tuple(x.shape[1:3])
    large = ops.image.resize(heat[..., None].astype(np.float32), size, data_format="channels_last").numpy()[..., 0]
    return shown("Grad-CAM", large, x, opts)


def _score(model: Any, x: Any, index: int) -> Any:
    return ops.reshape(model(x, training=False), (-1,))[index]


def _flat(values: np.ndarray, how: str) -> np.ndarray:
    return getattr(values, how)(-1) if values.ndim == 3 else values


def shown(title: str, heat: np.ndarray, x: Any, opts: dict[str, Any], values: Any = None) -> Figure:
    """A picture beside its heat, and both in one; for inputs that are not pictures, a heat map."""
    own = heat if values is None else values
    image = x.numpy()[0]
    if image.ndim != 3 or image.shape[-1] not in (1, 3, 4):
        figure = heatmap(np.atleast_2d(heat), **{"title": title, "height": 120, **opts})
    else:
        top = float(heat.max())
        share = heat / top if top > 0 else heat
        low, high = image.min(), image.max()
        scaled = (image[..., :3] - low) / (high - low if high > low else 1)
        scaled = np.broadcast_to(scaled, (*scaled.shape[:2], 3))
        colours = np.stack([np.clip(share * 2, 0, 1), np.clip(share * 2 - 1, 0, 1), np.clip(0.45 - share, 0, 1)], -1)
        figure = image_grid([scaled, colours, scaled * 0.45 + colours * 0.55], ["input", "heat", "both"], 3, **{"title": title, **opts})
    figure.values = own
    return figure
