"""What networks trained on ImageNet share: their scaling of pixels and the names of the thousand classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pyml import ops, settings
from pyml.utils.files import get_file

__all__ = ["decode_predictions", "preprocess_input"]
_CLASSES = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
# mode -> (factor, mean of each channel, deviation of each channel); the channels of "caffe" are blue, green, red
_MODES: dict[str, tuple[float, list[float], list[float]]] = {
    "caffe": (1.0, [103.939, 116.779, 123.68], [1.0, 1.0, 1.0]),
    "tf": (127.5, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]),
    "torch": (255.0, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}
_names: dict[str, list[str]] = {}


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pixels of 0 to 255 as a network wants them.

    Args:
        x: Images `(..., height, width, 3)`, or channels first; an array gives an array, a tensor a tensor.
        data_format: `"channels_last"` or `"channels_first"`; by default the one of `pyml.config`.
        mode: `"caffe"`: blue, green, red with their means subtracted; `"tf"`: from -1 to 1; `"torch"`: from 0 to 1, then
            normalized by the means and deviations of ImageNet.

    The given array stays as it is.

    Raises:
        ValueError: An unknown `mode` or `data_format`.

    Example:
        >>> import numpy as np
        >>> pyml.applications.imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), 255.0), mode="tf")
        array([[[[1., 1., 1.]]]])
    """
    if mode not in _MODES:
        raise ValueError(f"Expected mode to be one of `caffe`, `tf` or `torch`. Received: mode={mode}")
    data_format = data_format or settings.image_data_format()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Expected data_format to be one of `channels_first` or `channels_last`. Received: data_format={data_format}")
    axis = -1 if data_format == "channels_last" else -3
    factor, mean, deviation = _MODES[mode]
    is_array = isinstance(x, np.ndarray)
    if is_array and not np.issubdtype(x.dtype, np.floating):
        x = x.astype(settings.host_floatx())
    shape = [1, 1, 1]
    shape[axis] = 3
    if mode == "caffe":
        x = np.flip(x, axis) if is_array else ops.flip(x, axis)
    if mode == "tf":  # of any number of channels
        return x / factor - 1.0
    if mode == "torch":
        x = x / factor
    make = (lambda v: np.array(v, x.dtype).reshape(shape)) if is_array else (lambda v: ops.reshape(ops.array(v, x.dtype), shape))
    x = x - make(mean)
    return x / make(deviation) if mode == "torch" else x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """The likeliest classes of each image, with their names; the list of names is fetched when it is first needed.

    Args:
        preds: Probabilities `(images, 1000)`.
        top: How many classes of each.

    Returns:
        For each image `(identifier, name, probability)` of its likeliest classes, best first.

    Raises:
        ValueError: `preds` has another shape.
        OSError: The list of names is not on this machine and cannot be fetched.

    Example:
        >>> pyml.applications.imagenet_utils.decode_predictions(model.predict(images), top=3)    # doctest: +SKIP
    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError("`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). "
                         f"Received array with shape: {tuple(preds.shape)}")  # fmt: skip
    if not _names:
        path = get_file("imagenet_class_index.json", _CLASSES, cache_subdir="models", file_hash="c2c37ea517e94d9795004a39431a14cb")
        _names.update(json.loads(Path(path).read_text(encoding="utf-8")))
    found = []
    for row in np.asarray(preds):
        best = row.argsort()[-top:][::-1]
        found.append([(*_names[str(i)], row[i]) for i in best])
    return found  # two names and a number
