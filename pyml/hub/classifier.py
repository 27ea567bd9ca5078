"""Naming what a picture shows, and the features behind the names."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.hub import weights
from pyml.hub.efficientnet import build_efficientnet_lite0
from pyml.hub.mobilenet import build_mobilenet_v1
from pyml.hub.pictures import PerShape, Stream, cropped, pixels, resized
from pyml.hub.registry import Entry
from pyml.models import Model

# The builder of each network, and the layer whose output is the embedding.
BUILDERS: dict[str, tuple[Callable[..., Model], str]] = {
    "mobilenet_v1": (build_mobilenet_v1, "global_average_pooling2d"),
    "efficientnet_lite0": (build_efficientnet_lite0, "avg_pool"),
}


class ImageClassifier:
    """A trained network that names what a picture shows; `pyml.hub.mobilenet_v1` and its kind return one.

    Attributes:
        keras: The network as a `pyml.Model` from `(batch, 224, 224, 3)`, values from 0 to 255, to 1000 probabilities;
            made when it is first asked for.
        labels: The 1000 names, in the order of the probabilities.
        features: Length of the embedding.
        name, licence, source: What it is, who made it, and on which terms.

    Pictures may be all that `pyml.browser.from_pixels` takes, a path (on a desktop with Pillow), or tensors and arrays of
    values from 0 to 255. The largest square in the middle is taken and resized to 224 x 224.

    Args:
        entry, files: What the network is, and its files; `pyml.hub.mobilenet_v1` and its kind load them.
    """

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        self._builder, self._layer = BUILDERS[entry.name]
        self.name, self.licence, self.source = entry.name, entry.licence, entry.source
        self.labels: list[str] = json.loads(files["labels.json"])
        self._file = files["weights.safetensors"]
        self._prepared = PerShape(self._square)
        # Until somebody asks for the Model, which may be trained, a copy without normalization answers: it is quicker.
        arrays = weights.unpack(self._file, entry.name)
        network = self._builder(initializer="zeros", folded=True)
        weights.assign(network, weights.folded(arrays), entry.name)
        self._use(network)

    def _use(self, network: Model) -> None:
        """Makes the programs of a network."""
        embedding = network.get_layer(self._layer).output
        base = Model(network.inputs, embedding)
        self.size: int = network.input_shape[1]
        self.features: int = embedding.shape[-1]
        self._classify = Stream(self._prepared, lambda x: network(x, training=False))
        self._embed = Stream(self._prepared, lambda x: ops.reshape(base(x, training=False), (x.shape[0], self.features)))

    @cached_property
    def keras(self) -> Model:
        """The network as a Model; from now on it is what `classify` and `embed` run, so that what it learns counts."""
        network = self._builder(initializer="zeros")
        weights.assign(network, weights.unpack(self._file, self.name), self.name)
        self._use(network)
        return network

    def _exported(self) -> tuple[Model, None]:
        """What `pyml.export` writes."""
        return self.keras, None

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.labels)} classes, {self.features} features; {self.licence}>"

    def classify(self, image: Any, top: int = 3, crop: bool = True) -> list[tuple[str, float]]:
        """What a picture shows.

        Args:
            image: One picture.
            top: How many names.
            crop: False squeezes the whole picture into a square instead of cutting one out of the middle.

        Returns:
            Names with their probabilities, likeliest first.

        Raises:
            ShapeError: The picture has another shape, or no pixels.
            ValueError: `top` is not 1 to 1000.
            SyncReadError: This browser cannot wait; write `await model.classify_async(image)`.

        Example:
            pyml.hub.mobilenet_v1().classify("cat.jpg")     # [('Egyptian cat', 0.53), ('tabby, tabby cat', 0.29), …]
        """
        top = self._top(top)
        return self._named(self._run(self._classify, image, crop, f"{self.name}.classify").numpy(), top)

    async def classify_async(self, image: Any, top: int = 3, crop: bool = True) -> list[tuple[str, float]]:
        """`classify` that works in every browser and lets the page go on."""
        top = self._top(top)
        return self._named(await self._run(self._classify, image, crop, f"{self.name}.classify").data(), top)

    def probabilities(self, image: Any, crop: bool = True) -> Tensor:
        """The probabilities of all classes, on the device: `(1000,)`, or `(batch, 1000)` for several; arguments as of `classify`."""
        return self._run(self._classify, image, crop, f"{self.name}.probabilities")

    def embed(self, image: Any, crop: bool = True) -> Tensor:
        """The features of a picture, from which new classes can be learned.

        Args:
            image: A picture, or several as `(batch, height, width, 3)`.
            crop: As in `classify`.

        Returns:
            float32 `(features,)`, or `(batch, features)`; on the device.

        Example:
            features = np.stack([model.embed(photo).numpy() for photo in photos])
        """
        return self._run(self._embed, image, crop, f"{self.name}.embed")

    def prepare(self, image: Any, crop: bool = True) -> Tensor:
        """Pictures as the network takes them: float32 `(batch, 224, 224, 3)`, from 0 to 255; arguments as of `classify`."""
        return self._prepared(pixels(image, f"{self.name}.prepare"), bool(crop))

    def _square(self, image: Tensor, crop: bool) -> Tensor:
        image = resized(cropped(image) if crop else image, (self.size, self.size))
        return image if image.ndim == 4 else image[None]

    def _run(self, stream: Stream, image: Any, crop: bool, what: str) -> Tensor:
        """What is made of pictures, one row each; of a single picture, its row."""
        return stream(pixels(image, what), bool(crop))

    def _top(self, top: int) -> int:
        if isinstance(top, bool) or not isinstance(top, (int, np.integer)) or not 1 <= top <= len(self.labels):
            raise ValueError(f"{self.name}.classify: top must be 1 to {len(self.labels)}. Received: top={top!r}")
        return int(top)

    def _named(self, found: np.ndarray, top: int) -> list[tuple[str, float]]:
        found = np.atleast_2d(found)
        if len(found) != 1:
            raise ShapeError(f"{self.name}.classify: expected one picture; for several use `probabilities`. Received: {len(found)}")
        best = np.argsort(-found[0], kind="stable")[:top]
        return [(self.labels[i], float(found[0, i])) for i in best]
