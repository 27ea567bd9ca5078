"""Images seen from elsewhere, or printed on rubber: RandomPerspective, RandomElasticTransform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops, random
from pyml.layers.augmentation.base import INTERPOLATIONS, ImageLayer, from_memory, known, limits, per_image
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.warping import distorted, homography
from pyml.utils.bounding_boxes import clip_to_image_size

__all__ = ["RandomElasticTransform", "RandomPerspective"]


class RandomPerspective(ImageLayer):
    """Moves the corners of images while training, as if they were seen from elsewhere.

    Args:
        factor: Share of images that are moved, in `[0, 1]`; of two numbers a share between them is drawn for each image.
        scale: How far corners move, in `[0, 1]`: a corner at `(x, y)` by up to half of that.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        fill_value: What is outside.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Raises:
        ValueError: `scale` is not in `[0, 1]`.

    Example:
        >>> pyml.layers.RandomPerspective(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    _takes_factor, _bounds = False, (0, 1)

    def __init__(self, factor: Any = 1.0, scale: float = 1.0, interpolation: str = "bilinear", fill_value: float = 0.0,
                 seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomPerspective", self._bounds)
        if not 0.0 <= scale <= 1.0:
            raise ValueError(f"RandomPerspective: scale must be a number in [0, 1]. Received: scale={scale}")
        self.scale = scale
        self.interpolation = known(interpolation, "interpolation", "RandomPerspective", INTERPOLATIONS)
        self.fill_value = fill_value
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, height, width = self._sizes(data)
        seed = self._drawn_by(seed)
        moved = self._decided(count, seed)
        shares = self._uniform((count, 4, 2), (-0.5 * self.scale, 0.5 * self.scale), seed)
        right, low = width - 1.0, height - 1.0
        start = ops.broadcast_to(ops.convert_to_tensor([[[0.0, 0.0], [right, 0.0], [0.0, low], [right, low]]]), (count, 4, 2))
        return {"apply_perspective": moved, "start_points": start, "end_points": start + start * shares,
                "input_shape": tuple(self._images_of(data).shape)}

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        seen = ops.image.perspective_transform(
            images, transformation["start_points"], transformation["end_points"], interpolation=interpolation,
            fill_value=self.fill_value, data_format=self.data_format,
        )
        return ops.where(per_image(transformation["apply_perspective"]), seen, images)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self._transform_images(segmentation_masks, transformation, "nearest") if training else segmentation_masks

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training or transformation is None:
            return bounding_boxes
        height, width = (transformation["input_shape"][axis] for axis in self._plane)
        found = self._boxes(bounding_boxes, str(self.bounding_box_format), "xyxy", height, width)
        x1, y1, x2, y2 = ops.split(found["boxes"], 4, axis=-1)
        points = [ops.cast(transformation[name], "float32") for name in ("end_points", "start_points")]
        m = ops.expand_dims(homography(*points), 1)                                # (images, 1, 3, 3)
        x, y = ops.concatenate([x1, x2, x1, x2], -1), ops.concatenate([y1, y2, y2, y1], -1)
        u, v, depth = (m[..., i, :1] * x + m[..., i, 1:2] * y + m[..., i, 2:] for i in range(3))
        x, y = u / depth, v / depth
        around = [ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1)]
        moved = ops.reshape(ops.cast(transformation["apply_perspective"], "bool"), (-1, 1, 1))
        found = {**found, "boxes": ops.where(moved, ops.stack(around, axis=-1), found["boxes"])}
        found = clip_to_image_size(found, height=height, width=width, bounding_box_format="xyxy")
        return self._boxes(found, "xyxy", str(self.bounding_box_format), height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.4), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomElasticTransform(ImageLayer):
    """Distorts images smoothly while training, as if they were printed on rubber.

    Args:
        factor: Share of images that are distorted, in `[0, 1]`; of two numbers a share between them is drawn for each image.
        scale: How strongly, in `[0, 1]`: of one number up to that, or two limits.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        fill_mode: What is outside: `"constant"`, `"nearest"`, `"wrap"`, `"mirror"` or `"reflect"`.
        fill_value: The constant.
        value_range: Smallest and largest value of pixels.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"` and
    `"segmentation_masks"`. Output shape: the same, float.

    Source: Simard et al. 2003, "Best practices for convolutional neural networks".

    Example:
        >>> pyml.layers.RandomElasticTransform(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    _takes_factor, _bounds = False, (0, 1)

    def __init__(self, factor: Any = 1.0, scale: Any = 1.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
                 fill_value: float = 0.0, value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        owner = "RandomElasticTransform"
        self.factor = limits(factor, "factor", owner, self._bounds)
        self.scale = limits(scale, "scale", owner, self._bounds)
        self.interpolation = known(interpolation, "interpolation", owner, INTERPOLATIONS)
        self.fill_mode = known(fill_mode, "fill_mode", owner, ("constant", "nearest", "wrap", "mirror", "reflect"))
        self.fill_value = fill_value
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training or self.scale[1] == 0 or self.factor[1] == 0:
            return None
        seed = self._drawn_by(seed)
        decided = self._decided(self._sizes(data)[0], seed)
        strength = self._uniform((), self.scale, seed)
        own = from_memory(random.draw_seed(seed))  # one for images and masks
        return {"apply_transform": decided, "distortion_factor": strength, "seed": own}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training or transformation is None:
            return images
        return ops.clip(self._transform_images(images, transformation, self.interpolation), *self.value_range)

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        height, width = (images.shape[axis] for axis in self._plane)
        strength = transformation["distortion_factor"]
        widest = 0.05 * min(height, width) * self.scale[1]
        moved = distorted(
            images, strength * (0.1 * max(height, width)), ops.maximum(strength * (0.05 * min(height, width)), 1e-3),
            int(6 * widest) | 1, interpolation, self.fill_mode, self.fill_value, transformation["seed"], self.data_format,
        )
        return ops.where(per_image(transformation["apply_transform"]), moved, images)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        raise NotImplementedError("RandomElasticTransform has no bounding boxes of distorted images; leave them out of the inputs.")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._transform_images(segmentation_masks, transformation, "nearest")

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.4), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
