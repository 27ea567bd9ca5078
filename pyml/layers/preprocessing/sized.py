"""`SizedImageLayer`: the base of layers whose output images have a given size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml.errors import ShapeError
from pyml.layers.augmentation.base import ImageLayer
from pyml.layers.dense import positive_int


class SizedImageLayer(ImageLayer, abstract=True):
    """Base of the layers whose output images are `height` x `width`.

    Args:
        height, width: The size, two positive integers.
        kwargs: As for `ImageLayer`.

    Raises:
        ValueError: A size is not a positive integer.
    """

    _takes_factor = False

    def __init__(self, height: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.height = positive_int(height, "height", type(self).__name__)
        self.width = positive_int(width, "width", type(self).__name__)

    def _axis(self, rank: int) -> int:
        """The axis of the height; that of the width follows."""
        if rank not in (3, 4):
            raise ShapeError(
                f'Layer "{self.name}" expects an image (height, width, channels) or a batch of images. Received: inputs with {rank} axes'
            )
        return rank - (2 if self.data_format == "channels_first" else 3)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """The size of the images; nothing is random."""
        shape = tuple((data["images"] if isinstance(data, Mapping) else data).shape)
        axis = self._axis(len(shape))
        return {"height": shape[axis], "width": shape[axis + 1]}

    def compute_output_shape(self, input_shape: Any) -> Any:
        axis = self._axis(len(input_shape))
        return (*input_shape[:axis], self.height, self.width, *input_shape[axis + 2 :])
