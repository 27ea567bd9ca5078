"""MaxNumBoundingBoxes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import map_structure
from pyml.dtypes import FLOATS
from pyml.layers.augmentation.base import ImageLayer
from pyml.layers.dense import positive_int
from pyml.objects.samples import Sample, draw, sample

__all__ = ["MaxNumBoundingBoxes"]


class MaxNumBoundingBoxes(ImageLayer):
    """Gives every image the same number of bounding boxes: leaves out what is too much, fills up what is missing.

    Args:
        max_number: How many, a positive integer.
        fill_value: Value of boxes and labels that are filled in, a whole number.

    Input shape: a dict with `"images"` and `"bounding_boxes"`, a dict of `"boxes"` `(batch, boxes, 4)` and `"labels"`
    `(batch, boxes)`. Output shape: the same with `max_number` boxes; images as they are.

    Example:
        >>> layer = pyml.layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
        >>> boxes = {"boxes": np.array([[[0, 0, 4, 5]]]), "labels": np.array([[3]])}
        >>> layer({"images": np.ones((1, 8, 8, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"].numpy()
        array([[ 3, -1]], dtype=int32)
    """

    _reads_numbers = True

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = positive_int(int(max_number), "max_number", "MaxNumBoundingBoxes")
        self.fill_value = int(fill_value)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return images

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        return labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any = None, training: bool = True) -> Any:
        return segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        found = dict(bounding_boxes)
        for key in ("boxes", "labels"):
            value = found[key][:, : self.max_number]
            missing = self.max_number - value.shape[1]
            margins = ((0, 0), (0, missing), *((0, 0),) * (len(value.shape) - 2))
            found[key] = ops.pad(value, margins, constant_values=self.fill_value) if missing else value
        return found

    def compute_output_shape(self, input_shape: Any) -> Any:
        if not isinstance(input_shape, Mapping) or "bounding_boxes" not in input_shape:
            return input_shape
        boxes = dict(input_shape["bounding_boxes"])
        if set(boxes) - {"boxes", "labels"}:
            raise KeyError(f"MaxNumBoundingBoxes: only boxes and labels are known of bounding boxes. Received: {sorted(boxes)}")
        more = {key: (shape[0], self.max_number, *shape[2:]) for key, shape in boxes.items()}
        return {**input_shape, "bounding_boxes": more}

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs["data"]
        found = map_structure(lambda x: KerasTensor(x.shape, dtype=self.compute_dtype if x.dtype in FLOATS else x.dtype), data)
        if isinstance(data, Mapping) and "bounding_boxes" in data:
            found["bounding_boxes"] = {key: KerasTensor((x.shape[0], self.max_number, *x.shape[2:]), dtype=x.dtype)
                                       for key, x in data["bounding_boxes"].items()}
        return found

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False)
