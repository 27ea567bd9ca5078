"""Telling a person from the background."""

from __future__ import annotations

from typing import Any

from pyml import image as images
from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.hub.graph import GraphNetwork
from pyml.hub.pictures import PerShape, pixels, resized
from pyml.hub.registry import Entry


class SelfieSegmentation(GraphNetwork):
    """A trained network that tells a person near the camera from the background; `pyml.hub.selfie_segmentation` returns it.

    Attributes:
        graph: The network as a `GraphModel` from `(1, 256, 256, 3)`, values from 0 to 1.
        name, licence, source: What it is, who made it, and on which terms.

    Pictures are those of `ImageClassifier`; the whole picture is squeezed into 256 x 256.

    Args:
        entry, files: What the network is, and its files; `pyml.hub.selfie_segmentation` loads them.
    """

    side = 256

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        super().__init__(entry, files)
        self._square = PerShape(lambda image: self._inputs(resized(image, (self.side, self.side))[None]))
        self._enlarged = PerShape(lambda mask, size: images.resize(mask, size)[..., 0])

    def segment(self, image: Any) -> Tensor:
        """How much each pixel belongs to a person.

        Args:
            image: One picture.

        Returns:
            float32 `(height, width)` of the picture, 0 for background to 1; on the device. `await mask.data()` reads it
            in every browser, and `pyml.browser.to_pixels` shows it.

        Raises:
            ShapeError: The picture has another shape, or no pixels.
        """
        found = self._one(image, "segment")
        return self._mask(found)

    def cut_out(self, image: Any, background: Any = 0.0) -> Tensor:
        """The person of a picture before another background.

        Args:
            image: One picture.
            background: A number, a colour of three numbers, or a picture of the same size; values from 0 to 255.

        Returns:
            float32 `(height, width, 3)`, values from 0 to 1, as `pyml.browser.to_pixels` shows them.
        """
        found = self._one(image, "cut_out")
        behind = ops.cast(ops.convert_to_tensor(background), "float32")
        if behind.ndim not in (0, 1, 3) or (behind.ndim and behind.shape not in ((3,), found.shape)):
            raise ShapeError(
                f"{self.name}.cut_out: the background must be a number, three numbers, or a picture {found.shape}. "
                f"Received: {behind.shape}"
            )
        mask = self._mask(found)[..., None]
        return ops.clip((ops.cast(found, "float32") * mask + behind * (1.0 - mask)) / 255.0, 0.0, 1.0)

    def _inputs(self, square: Tensor) -> Tensor:
        return square / 255.0

    def _one(self, image: Any, what: str) -> Tensor:
        found = pixels(image, f"{self.name}.{what}")
        if found.ndim == 4:
            raise ShapeError(f"{self.name}.{what}: expected one picture (height, width, 3). Received: {found.shape}")
        return found

    def _mask(self, found: Tensor) -> Tensor:
        return self._enlarged(self.graph.execute(self._square(found))[0], found.shape[:2])
