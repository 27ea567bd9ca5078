"""Resizing: images in another size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.dtypes import INTEGERS
from pyml.layers.preprocessing.sized import SizedImageLayer
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.resizing import check_aspect, check_interpolation, resize
from pyml.utils.bounding_boxes import clip_to_image_size

__all__ = ["Resizing"]


class Resizing(SizedImageLayer):
    """Images in another size, in their own dtype: integers are rounded.

    Args:
        height, width: The new size.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"` or `"area"`, as for `ops.image.resize`.
        crop_to_aspect_ratio: Take only the middle of the images, so that nothing is distorted.
        pad_to_aspect_ratio: Add borders of `fill_value` instead.
        fill_mode, fill_value: Only `"constant"`; the value of the borders.
        antialias: Widen the filter where images become smaller.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        bounding_box_format: Format of the bounding boxes in inputs that are dicts.

    Input shape: `(batch, height, width, channels)`, or one image, or a dict of them with their labels, bounding boxes and
    masks, whose values are never mixed. Output shape: the same with the new size.

    Raises:
        ValueError: An argument is not supported.

    Example:
        >>> pyml.layers.Resizing(2, 6)(np.ones((1, 4, 4, 3))).shape
        (1, 2, 6, 3)
    """

    def __init__(self, height: int, width: int, interpolation: str = "bilinear", crop_to_aspect_ratio: bool = False,
                 pad_to_aspect_ratio: bool = False, fill_mode: str = "constant", fill_value: float = 0.0, antialias: bool = False,
                 data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(height, width, data_format=data_format, **kwargs)
        self.interpolation = check_interpolation(interpolation, "Resizing")
        check_aspect(crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, "Resizing")
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = antialias
        self.autocast = False                          # bytes come in as bytes, and go out as such

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._resized(images, self.interpolation)

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        return labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._resized(segmentation_masks, "nearest")

    def _resized(self, images: Any, interpolation: str) -> Any:
        found = resize(ops.cast(images, "float32"), (self.height, self.width), interpolation, self.antialias,
                       self.crop_to_aspect_ratio, self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, self.data_format)
        if images.dtype not in INTEGERS:
            return found if self.compute_dtype == "float32" else ops.cast(found, self.compute_dtype)
        return ops.saturate_cast(ops.round(found), images.dtype)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        height, width = transformation["height"], transformation["width"]
        boxes = self._boxes(bounding_boxes, str(self.bounding_box_format), "xyxy", height, width)
        corners = ops.cast(boxes["boxes"], "float32")
        none = ops.logical_or(ops.all(ops.equal(corners, -1.0), -1, keepdims=True), ops.all(ops.equal(corners, 0.0), -1, keepdims=True))
        (x, y), (left, top) = self._moved(height, width)
        moved = corners * ops.convert_to_tensor([x, y, x, y], dtype="float32") + ops.convert_to_tensor([left, top] * 2, dtype="float32")
        inside = clip_to_image_size({**boxes, "boxes": moved}, height=self.height, width=self.width)
        inside["boxes"] = ops.where(none, 0.0, inside["boxes"])
        return self._boxes(inside, "xyxy", str(self.bounding_box_format), self.height, self.width)

    def _moved(self, height: int, width: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Scale and shift of points of an image, both of x and of y."""
        x, y = self.width / width, self.height / height
        if not (self.pad_to_aspect_ratio or self.crop_to_aspect_ratio):
            return (x, y), (0.0, 0.0)
        if self.pad_to_aspect_ratio:
            scale = min(x, y)
            return (scale, scale), ((self.width - width * scale) // 2, (self.height - height * scale) // 2)
        scale = max(x, y)
        return (scale, scale), (-((width * scale - self.width) // 2), -((height * scale - self.height) // 2))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs["data"]
        images = data["images"] if isinstance(data, Mapping) else data
        shape = self.compute_output_shape(tuple(images.shape))
        found = KerasTensor(shape, dtype=images.dtype if images.dtype in INTEGERS else self.compute_dtype)
        return {**data, "images": found} if isinstance(data, Mapping) else found

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(5, 7), draw(2, 3, 4, 2))
        yield sample(cls(2, 3, "bicubic", antialias=True, data_format="channels_first"), draw(2, 3, 5, 4))
        yield sample(cls(2, 2, interpolation="nearest"), draw(2, 4, 4, 3), like=lambda x: x[:, 1::2, 1::2])
