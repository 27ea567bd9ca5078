"""RandomFlip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.layers.augmentation.base import ImageLayer
from pyml.objects.samples import Sample, draw, sample
from pyml.utils.bounding_boxes import clip_to_image_size

__all__ = ["RandomFlip"]


class RandomFlip(ImageLayer):
    """Flips half of the images while training.

    Args:
        mode: `"horizontal"` (left and right change places), `"vertical"`, or `"horizontal_and_vertical"` (both or neither).
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Raises:
        ValueError: `mode` is none of these words.

    Example:
        >>> image = np.array([[[1.], [2.], [3.]]])
        >>> layer = pyml.layers.RandomFlip("horizontal", seed=1)
        >>> sorted({tuple(layer(image).numpy().ravel().tolist()) for _ in range(20)})
        [(1.0, 2.0, 3.0), (3.0, 2.0, 1.0)]
    """

    _takes_factor = False

    def __init__(self, mode: str = "horizontal_and_vertical", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep_seed(seed)
        if mode not in ("horizontal", "vertical", "horizontal_and_vertical"):
            raise ValueError(f"RandomFlip: mode must be 'horizontal', 'vertical' or 'horizontal_and_vertical'. Received: mode={mode!r}")
        self.mode = mode

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = tuple(self._images_of(data).shape)
        draws = self._uniform((*shape[:-3], 1, 1, 1), (0.0, 1.0), seed)
        return {"flips": ops.less_equal(draws, 0.5), "input_shape": shape}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training or transformation is None:
            return images
        flips = transformation["flips"]
        for axis, mode in zip(self._plane, ("vertical", "horizontal"), strict=True):
            if mode in self.mode:
                images = ops.where(flips, ops.flip(images, axis), images)
        return images

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        height, width = (transformation["input_shape"][axis] for axis in self._plane)
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        found = self._boxes(bounding_boxes, str(self.bounding_box_format), "rel_xyxy", height, width)
        x1, y1, x2, y2 = ops.split(found["boxes"], 4, axis=-1)
        if "horizontal" in self.mode:
            x1, x2 = ops.where(flips, 1.0 - x2, x1), ops.where(flips, 1.0 - x1, x2)
        if "vertical" in self.mode:
            y1, y2 = ops.where(flips, 1.0 - y2, y1), ops.where(flips, 1.0 - y1, y2)
        found["boxes"] = ops.concatenate([x1, y1, x2, y2], axis=-1)
        found = clip_to_image_size(found, bounding_box_format="rel_xyxy")
        return self._boxes(found, "rel_xyxy", str(self.bounding_box_format), height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
        yield sample(cls("vertical", seed=1, data_format="channels_first"), draw(1, 2, 3), like=lambda x: x, gradient=False, training=False)
