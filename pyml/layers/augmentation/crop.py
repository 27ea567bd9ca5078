"""RandomCrop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.errors import ShapeError
from pyml.layers.augmentation.base import ImageLayer
from pyml.layers.dense import positive_int
from pyml.objects.samples import Sample, draw, sample

__all__ = ["RandomCrop"]


class RandomCrop(ImageLayer):
    """Cuts the same part out of all images of a batch, at a random place, while training.

    Images that are not larger than the part in both directions are cut in their middle and resized. Otherwise, while not
    training, images stay as they are, as in Keras.

    Args:
        height, width: Size of the part, positive integers.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: with the new height and width,
    float; while not training as the input.

    Example:
        >>> pyml.layers.RandomCrop(5, 4, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 5, 4, 3)
    """

    def __init__(self, height: int, width: int, seed: int | None = None, data_format: str | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(name=name, data_format=data_format, **kwargs)
        self.height = positive_int(height, "height", "RandomCrop")
        self.width = positive_int(width, "width", "RandomCrop")
        self._keep_seed(seed)
        self.autocast = False                          # while not training, images go out as they came in

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        _, height, width = self._sizes(data)
        if height is None or width is None:
            raise ShapeError(f"RandomCrop: height and width of the images must be known. Received: {height} and {width}")
        if training and height > self.height and width > self.width:
            seed = self._drawn_by(seed)
            return tuple(ops.cast(self._uniform((), (0.0, float(size - part + 1)), seed), "int32")
                         for size, part in ((height, self.height), (width, self.width)))
        inner = max(min(height, int(float(width * self.height) / self.width)), 1)
        across = max(min(width, int(float(height * self.width) / self.height)), 1)
        return int(float(height - inner) / 2), int(float(width - across) / 2)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        return ops.cast(self._cut(self.as_floats(images), transformation, "bilinear"), self.compute_dtype) if training else images

    def _cut(self, images: Any, transformation: Any, interpolation: str) -> Any:
        shape, places = tuple(images.shape), []
        for axis, start, part in zip(self._plane, transformation, (self.height, self.width), strict=True):
            # Where the place is a number, images may be smaller than the part.
            count = part if not isinstance(start, int) else min(part, shape[axis] - start)
            places.append(ops.arange(count) + start)
        rows, columns = places
        before, after = shape[: self._plane[0]], shape[self._plane[1] :][1:]
        pixels = ops.reshape(ops.expand_dims(rows, 1) * shape[self._plane[1]] + columns, (-1,))
        images = ops.take(ops.reshape(images, (*before, -1, *after)), pixels, axis=len(before))
        images = ops.reshape(images, (*before, rows.shape[0], columns.shape[0], *after))
        if tuple(images.shape[axis] for axis in self._plane) != (self.height, self.width):
            images = ops.image.resize(images, (self.height, self.width), interpolation=interpolation, data_format=self.data_format)
        return images

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self._cut(segmentation_masks, transformation, "nearest") if training else segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        top, left = (ops.cast(place, "float32") for place in transformation)
        name = str(self.bounding_box_format)
        found = self._boxes(bounding_boxes, name, "xyxy", self.height, self.width)
        moved = ops.maximum(found["boxes"] - ops.stack([left, top, left, top]), 0.0)
        return self._boxes({"boxes": moved, "labels": bounding_boxes["labels"]}, "xyxy", name, self.height, self.width)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = list(input_shape)
        for axis, size in zip(self._plane, (self.height, self.width), strict=True):
            sizes[axis] = size
        return tuple(sizes)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, 4, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
