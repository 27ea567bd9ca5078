"""CenterCrop: the middle of images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.layers.preprocessing.sized import SizedImageLayer
from pyml.objects.samples import Sample, draw, sample
from pyml.utils.bounding_boxes import clip_to_image_size
from pyml.utils.images import smart_resize

__all__ = ["CenterCrop"]


class CenterCrop(SizedImageLayer):
    """The middle of images; one that is smaller is enlarged first, so that what is cut off is as little as possible.

    Args:
        height, width: The size of the middle.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        bounding_box_format: Format of the bounding boxes in inputs that are dicts.

    Input shape: `(batch, height, width, channels)`, or one image, or a dict of them with their labels, bounding boxes and
    masks. Output shape: the same with the new size, as float32.

    Raises:
        ValueError: A size is not a positive integer.

    Example:
        >>> pyml.layers.CenterCrop(1, 2)(np.arange(12.).reshape(3, 4, 1)).numpy()[:, :, 0]
        array([[5., 6.]], dtype=float32)
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        axis = self._axis(len(images.shape))
        images = self.as_floats(images)
        first = [(n - size) // 2 for n, size in zip(images.shape[axis : axis + 2], (self.height, self.width), strict=True)]
        if min(first) < 0:
            return smart_resize(images, (self.height, self.width), data_format=self.data_format)
        middle = (slice(None),) * axis
        return images[(*middle, *(slice(n, n + size) for n, size in zip(first, (self.height, self.width), strict=True)))]

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        height, width = transformation["height"], transformation["width"]
        crop = (self.height, self.width)
        if height < self.height or width < self.width:  # the part of the image that has the proportions of the middle
            crop = (max(min(height, width * self.height // self.width), 1), max(min(width, height * self.width // self.height), 1))
        top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
        boxes = self._boxes(bounding_boxes, str(self.bounding_box_format), "xyxy", height, width)
        corners = ops.cast(boxes["boxes"], "float32") - ops.convert_to_tensor([left, top, left, top], dtype="float32")
        corners = corners * ops.convert_to_tensor([self.width / crop[1], self.height / crop[0]] * 2, dtype="float32")
        inside = clip_to_image_size({**boxes, "boxes": corners}, height=self.height, width=self.width)
        return self._boxes(inside, "xyxy", str(self.bounding_box_format), self.height, self.width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 2), draw(2, 6, 5, 2), like=lambda x: x[:, 1:4, 1:3])
        yield sample(cls(2, 3, "channels_first"), draw(2, 2, 4, 5), like=lambda x: x[:, :, 1:3, 1:4])
        yield sample(cls(4, 2), draw(2, 2, 5, 3))
