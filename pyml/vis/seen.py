"""What layers make of an input, what they look for, and which parts of a picture they cannot do without."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import convert_to_tensor, grad
from pyml.vis.attributions import shown
from pyml.vis.figure import Figure
from pyml.vis.grids import heatmap, image_grid
from pyml.vis.parts import Sample, chosen_class, holder, named_layer, output_for, output_of, up_to


def activations(model: Any, inputs: Any, layer: Any, **opts: Any) -> Figure:
    """The output of a layer for one input: a picture for each channel, or a heat map.

    Args:
        model: Sequential or functional model.
        inputs: One input, with or without a batch axis of 1; a list of them, or a dict by name, where the model has several.
        layer: Layer, name or number; it may lie in a model within the model.
        opts: As for `image_grid` or `heatmap`.

    Returns:
        A Figure; `.values` is the output, without the batch axis.

    Raises:
        ValueError: There is no such layer; the message lists those there are.

    Example:
        >>> model = pyml.Sequential([pyml.Input((8, 8, 1)), pyml.layers.Conv2D(4, 3, name="edges")])
        >>> pyml.vis.activations(model, np.ones((8, 8, 1)), "edges").values.shape
        (6, 6, 4)
    """
    place = named_layer("activations", model, layer)
    sample = Sample("activations", model, inputs, exact=True)
    values = output_for("activations", model, place, sample.with_(sample.explained)).numpy()[0]
    title = {"title": f"Activations of {place.name}", **opts}
    if values.ndim == 3:
        maps = np.moveaxis(values, -1, 0)[:64]
        low, high = float(maps.min()), float(maps.max())
        figure = image_grid((maps - low) / (high - low or 1.0), [str(i) for i in range(len(maps))], **title)
    else:
        rows = np.atleast_2d(values if values.ndim <= 2 else values.reshape(values.shape[0], -1))
        if rows.shape[0] == 1 and rows.shape[1] > 40:  # a long vector, in rows
            wide = math.ceil(math.sqrt(rows.shape[1]))
            rows = np.pad(rows[0], (0, -rows.shape[1] % wide), constant_values=np.nan).reshape(-1, wide)
        figure = heatmap(rows, **{"height": 160, **title})
    figure.values = values
    return figure


def filters(model: Any, layer: Any, indices: Sequence[int] | None = None, steps: int = 40, step_size: float = 1.0, seed: int = 0,
            **opts: Any) -> Figure:  # fmt: skip
    """Inputs that channels of a layer answer to most, found by gradient ascent from grey noise.

    Args:
        model: Sequential or functional model of pictures of a known size.
        layer: Layer, name or number.
        indices: Channels; the first 16 by default.
        steps, step_size: Steps along the gradient, which is scaled to an average size of 1 first; pixels begin between 0.4 and 0.6.
        seed: Of the noise.
        opts: As for `image_grid`.

    Returns:
        A Figure; `.values` is `(channels, height, width, depth)`, each picture brought to 0 to 1 as in Chollet's book.

    Raises:
        ValueError: There is no such layer or channel, or the size of the input is not known.

    Source: Erhan et al. 2009; Chollet, "Deep Learning with Python", chapter 9.

    Example:
        >>> model = pyml.Sequential([pyml.Input((8, 8, 1)), pyml.layers.Conv2D(2, 3)])
        >>> type(pyml.vis.filters(model, model.layers[0], steps=2)).__name__
        'Figure'
    """
    place = named_layer("filters", model, layer)
    own = holder(model, place)                         # of a layer in a model within the model, the pictures are what that one takes
    if len(getattr(own, "inputs", None) or ()) > 1:
        raise ValueError(f"filters: the model must have a single input, a picture. It has {len(own.inputs)}.")
    part = up_to("filters", own, place)
    size = tuple(part.inputs[0].shape)[1:]
    if None in size or len(size) != 3:
        raise ValueError(f"filters: the input of the model must be a picture of a known size. It is {size}.")
    given = tuple(output_of(own, place).shape)
    channels = given[-1]
    chosen = list(range(min(16, channels))) if indices is None else [int(i) for i in indices]
    wrong = [i for i in chosen if not 0 <= i < channels]
    if wrong:
        raise ValueError(f"filters: layer {place.name!r} has channels 0 to {channels - 1}. Received: {wrong[0]}")
    found = np.random.default_rng(seed).uniform(0.4, 0.6, (len(chosen), *size)).astype(np.float32)
    mask = np.eye(channels, dtype=np.float32)[chosen]
    cut = 2 if len(given) == 4 and min(given[1:3]) > 8 else 0  # borders see less of the picture

    def score(pictures: Any) -> Any:
        outputs = part(pictures, training=False)
        if len(outputs.shape) == 4:
            outputs = ops.mean(outputs[:, cut : outputs.shape[1] - cut, cut : outputs.shape[2] - cut, :], axis=(1, 2))
        return ops.sum(outputs * mask)

    gradient = grad(score)
    for _ in range(steps):
        step = gradient(convert_to_tensor(found)).numpy()
        norm = np.sqrt((step**2).mean((1, 2, 3), keepdims=True))
        found = found + step_size * step / np.maximum(norm, 1e-7)
    middle = found - found.mean((1, 2, 3), keepdims=True)
    pictures = np.clip(middle / np.maximum(middle.std((1, 2, 3), keepdims=True), 1e-7) * 0.15 + 0.5, 0, 1)
    shown_as = pictures if size[-1] in (1, 3, 4) else pictures.mean(-1)
    figure = image_grid(list(shown_as), [str(i) for i in chosen], **{"title": f"What {place.name} looks for", **opts})
    figure.values = pictures
    return figure


def occlusion(model: Any, image: Any, class_index: int | None = None, patch: int = 8, stride: int | None = None, value: float = 0.0,
              batch_size: int = 64, **opts: Any) -> Figure:  # fmt: skip
    """How much an output falls when a patch of the picture is covered.

    Args:
        model: Classifier of pictures.
        image: One input `(height, width, channels)`; where the model has several, a list of one each or a dict by name: the first
            picture among them is covered.
        class_index: The output to explain; by default the largest.
        patch: Side of the patch in pixels.
        stride: From one place of the patch to the next; half of `patch` by default.
        value: What covers.
        batch_size: Pictures predicted at a time.
        opts: As for `image_grid`.

    Returns:
        A Figure; `.values` is `(height, width)`: the mean fall over the patches that cover a pixel.

    Raises:
        ValueError: `image` is no picture, or `patch` or `stride` not a positive integer.

    Source: Zeiler and Fergus 2013, "Visualizing and Understanding Convolutional Networks".

    Example:
        >>> model = pyml.Sequential([pyml.Input((8, 8, 1)), pyml.layers.Flatten(), pyml.layers.Dense(2)])
        >>> type(pyml.vis.occlusion(model, np.ones((8, 8, 1)), patch=4)).__name__
        'Figure'
    """
    sample = Sample("occlusion", model, image)
    x = sample.explained
    if len(x.shape) != 4:
        raise ValueError(f"occlusion: expected a picture (height, width, channels). Received shape {tuple(x.shape)[1:]}.")
    for name, number in (("patch", patch), ("stride", stride if stride is not None else max(1, patch // 2))):
        if not isinstance(number, int) or number < 1:
            raise ValueError(f"occlusion: {name} must be a positive integer. Received: {name}={number!r}")
    stride = stride or max(1, patch // 2)
    index = chosen_class("occlusion", model, sample, class_index)
    picture = x.numpy()[0]
    height, width = picture.shape[:2]
    starts = lambda size: sorted({*range(0, max(size - patch, 0) + 1, stride), max(size - patch, 0)})
    places = [(i, j) for i in starts(height) for j in starts(width)]
    before = float(model(sample.with_(x), training=False).numpy().reshape(-1)[index])
    fall, times = np.zeros((height, width)), np.zeros((height, width))
    for first in range(0, len(places), batch_size):
        part = places[first : first + batch_size]
        covered = np.repeat(picture[None], len(part), 0)
        for one, (i, j) in zip(covered, part):
            one[i : i + patch, j : j + patch] = value
        scores = model(sample.with_(convert_to_tensor(covered)), training=False).numpy().reshape(len(part), -1)[:, index]
        for score, (i, j) in zip(scores, part):
            fall[i : i + patch, j : j + patch] += before - score
            times[i : i + patch, j : j + patch] += 1
    heat = fall / times
    figure = shown("Occlusion", np.maximum(heat, 0), x, opts)
    figure.values = heat
    return figure
