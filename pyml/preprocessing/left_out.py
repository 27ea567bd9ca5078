"""Names of Keras 2 that Keras 3 left out, and what takes their places: an older book has its reader type them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pyml.lazily import no_such

_NOW = {
    "ImageDataGenerator": "pyml.utils.image_dataset_from_directory reads the pictures, and layers such as pyml.layers.RandomFlip and "
                          "RandomRotation change them while a model is trained",
    "TimeseriesGenerator": "pyml.utils.timeseries_dataset_from_array cuts the windows",
    "text": "pyml.layers.TextVectorization splits texts and numbers their words, as Tokenizer did",
}  # fmt: skip


def told_by(module: str, known: Iterable[str]) -> Callable[[str], Any]:
    """The `__getattr__` of a module that raises for all that it has not, and says where the names of Keras 2 went."""

    def __getattr__(name: str) -> Any:
        if name in _NOW:
            raise AttributeError(f"module {module!r} has no {name}, which Keras 3 left out: {_NOW[name]}.")
        raise no_such(module, name, known)

    return __getattr__
