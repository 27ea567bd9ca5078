"""Images turned, shifted, zoomed and sheared at random: each layer one affine map of the plane for each image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.layers.augmentation.base import FILL_MODES, INTERPOLATIONS, ImageLayer, known, within
from pyml.objects.samples import Sample, draw, sample
from pyml.utils.bounding_boxes import affine_transform, clip_to_image_size

__all__ = ["RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"]


class _Affine(ImageLayer):
    _takes_factor = False

    def __init__(self, fill_mode: str, interpolation: str, fill_value: float, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keep_seed(seed)
        owner = type(self).__name__
        self.fill_mode = known(fill_mode, "fill_mode", owner, FILL_MODES)
        self.interpolation = known(interpolation, "interpolation", owner, INTERPOLATIONS)
        self.fill_value = fill_value

    def _transform_images(self, images: Any, transformation: Any, interpolation: str) -> Any:
        if transformation is None:
            return images
        height, width = (images.shape[axis] for axis in self._plane)
        return ops.image.affine_transform(
            images, self._map(transformation, height, width), interpolation=interpolation, fill_mode=self.fill_mode,
            fill_value=self.fill_value, data_format=self.data_format,
        )

    def _map(self, transformation: Any, height: int, width: int) -> Any:
        """Eight numbers for each image, as `ops.image.affine_transform` takes them."""
        raise NotImplementedError

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self._transform_images(segmentation_masks, transformation, "nearest") if training else segmentation_masks

    def _corners(self, bounding_boxes: Any, transformation: Any, form: str = "xyxy") -> tuple[Any, int, int]:
        """Boxes in the format `form`, and the size of the images."""
        height, width = (transformation["input_shape"][axis] for axis in self._plane)
        return self._boxes(bounding_boxes, str(self.bounding_box_format), form, height, width), height, width

    def _clipped(self, found: Any, form: str, height: int, width: int) -> Any:
        """Boxes of the format `form` within the images, in the layer's format."""
        found = clip_to_image_size(found, height=height, width=width, bounding_box_format=form)
        return self._boxes(found, form, str(self.bounding_box_format), height, width)


def _rows(*columns: Any) -> Tensor:
    """`(images, 8)` of six columns `(images,)` or numbers; the last two are 0."""
    count = next(c.shape[0] for c in columns if not isinstance(c, float))
    numbers = [ops.full((count,), c) if isinstance(c, float) else ops.cast(c, "float32") for c in (*columns, 0.0, 0.0)]
    return ops.stack(numbers, axis=1)


class RandomRotation(_Affine):
    """Turns images around their middle while training.

    Args:
        factor: Largest angle as a part of a whole turn, in `[-1, 1]`: of one number from `-factor` to `factor`, or two limits;
            a positive angle turns against the clock.
        fill_mode: What is outside: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        seed: An integer.
        fill_value: The constant.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Example:
        >>> image = np.array([[[1.], [2.]], [[3.], [4.]]])
        >>> pyml.layers.RandomRotation((0.25, 0.25))(image)[..., 0].numpy().round(3)
        array([[2., 4.],
               [1., 3.]], dtype=float32)
    """

    _takes_factor = True

    def __init__(self, factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear", seed: int | None = None,
                 fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any) -> None:
        kwargs.pop("value_range", None)                # Keras 3.0 to 3.5 wrote it
        super().__init__(fill_mode, interpolation, fill_value, seed, factor=factor, data_format=data_format, **kwargs)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, height, width = self._sizes(data)
        angle = self._uniform((count,), (self.factor[0] * 360.0, self.factor[1] * 360.0), seed)
        turn = angle * 0.017453292519943295
        x, y = 0.5 * (width - 1), 0.5 * (height - 1)
        cos, sin = ops.cos(turn), ops.sin(turn)
        matrix = _rows(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)
        matrix = matrix if len(self._images_of(data).shape) == 4 else matrix[0]
        return {"angle": angle, "rotation_matrix": matrix, "image_height": height, "image_width": width, "batch_size": count}

    def _map(self, transformation: Any, height: int, width: int) -> Any:
        return transformation["rotation_matrix"]

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        height, width = transformation["image_height"], transformation["image_width"]
        found = self._boxes(bounding_boxes, str(self.bounding_box_format), "xyxy", height, width)
        turned = affine_transform(found["boxes"], transformation["angle"], 0.0, 0.0, 1.0, 0.0, 0.0, height=height, width=width)
        return self._clipped({**found, "boxes": turned}, "xyxy", height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomTranslation(_Affine):
    """Shifts images while training.

    Args:
        height_factor: Largest shift down as a part of the height, in `[-1, 1]`: of one number from `-height_factor` to
            `height_factor`, or two limits.
        width_factor: The same to the right.
        fill_mode: What is outside: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        seed: An integer.
        fill_value: The constant.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Example:
        >>> image = np.array([[[1.], [2.], [3.], [4.]]])
        >>> pyml.layers.RandomTranslation(0., (0.25, 0.25), fill_mode="constant")(image).numpy().ravel()
        array([0., 1., 2., 3.], dtype=float32)
    """

    def __init__(self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", interpolation: str = "bilinear",
                 seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = within(height_factor, "height_factor", "RandomTranslation", -1.0, 1.0)
        self._width = within(width_factor, "width_factor", "RandomTranslation", -1.0, 1.0)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, height, width = self._sizes(data)
        seed = self._drawn_by(seed)
        down = self._uniform((count, 1), self._height, seed) * height
        right = self._uniform((count, 1), self._width, seed) * width
        return {"translations": ops.concatenate([right, down], axis=1), "input_shape": tuple(self._images_of(data).shape)}

    def _map(self, transformation: Any, height: int, width: int) -> Any:
        shifts = transformation["translations"]
        return _rows(1.0, 0.0, -shifts[:, 0], 0.0, 1.0, -shifts[:, 1])

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        found, height, width = self._corners(bounding_boxes, transformation)
        shifts = ops.tile(ops.expand_dims(transformation["translations"], 1), (1, 1, 2))
        return self._clipped({**found, "boxes": found["boxes"] + shifts}, "xyxy", height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, (-0.1, 0.3), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomZoom(_Affine):
    """Zooms images around their middle while training.

    Args:
        height_factor: By how much of itself an image becomes smaller, in `(-1, 1]`: of one number from `-height_factor` to
            `height_factor`, or two limits; negative numbers zoom in.
        width_factor: The same along the width; None takes what was drawn for the height.
        fill_mode: What is outside: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        seed: An integer.
        fill_value: The constant.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Example:
        >>> image = np.array([[[1.], [2.], [3.], [4.], [5.]]])
        >>> pyml.layers.RandomZoom((0., 0.), (-0.5, -0.5))(image).numpy().ravel()
        array([2. , 2.5, 3. , 3.5, 4. ], dtype=float32)
    """

    def __init__(self, height_factor: Any, width_factor: Any = None, fill_mode: str = "reflect", interpolation: str = "bilinear",
                 seed: int | None = None, fill_value: float = 0.0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format=data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = within(height_factor, "height_factor", "RandomZoom", -1.0, 1.0, open_below=True)
        self._width = None if width_factor is None else within(width_factor, "width_factor", "RandomZoom", -1.0, 1.0, open_below=True)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, *_ = self._sizes(data)
        seed = self._drawn_by(seed)
        draws = [None if limits is None else self._uniform((count, 1), (1.0 + limits[0], 1.0 + limits[1]), seed)
                 for limits in (self._height, self._width)]
        wide = draws[0] if draws[1] is None else draws[1]
        return {"height_zoom": draws[0], "width_zoom": wide, "input_shape": tuple(self._images_of(data).shape)}

    def _map(self, transformation: Any, height: int, width: int) -> Any:
        across, down = (ops.cast(transformation[f"{name}_zoom"], "float32")[:, 0] for name in ("width", "height"))
        return _rows(across, 0.0, (width - 1) / 2 * (1.0 - across), 0.0, down, (height - 1) / 2 * (1.0 - down))

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        found, height, width = self._corners(bounding_boxes, transformation)
        each = ops.expand_dims(self._map(transformation, height, width), 1)      # (images, 1, 8)
        a, x, b, y = (each[..., i : i + 1] for i in (0, 2, 4, 5))
        lows, highs = (x, y), (a * width + x, b * height + y)
        corners = ops.split(found["boxes"], 4, axis=-1)
        parts = []
        for i, corner in enumerate(corners):
            low, high = lows[i % 2], highs[i % 2]
            parts.append((ops.minimum(ops.maximum(corner, low), high) - low) / (high - low))
        found = {**found, "boxes": ops.concatenate(parts, axis=-1)}
        return self._clipped(found, "rel_xyxy", height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomShear(_Affine):
    """Shears images while training: rows move sideways, columns up and down, the more the farther they are from the corner.

    Args:
        x_factor: How much sideways, in `[0, 1]`: of one number up to that, or two limits. Half of the images lean to the
            other side.
        y_factor: The same up and down.
        interpolation: `"bilinear"` or `"nearest"`; masks are always taken from the nearest pixel.
        fill_mode: What is outside: `"reflect"`, `"wrap"`, `"constant"` or `"nearest"`.
        fill_value: The constant.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> pyml.layers.RandomShear(x_factor=0.3, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(self, x_factor: Any = 0.0, y_factor: Any = 0.0, interpolation: str = "bilinear", fill_mode: str = "reflect",
                 fill_value: float = 0.0, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format=data_format, **kwargs)
        self.x_factor = self._limits(x_factor, "x_factor")
        self.y_factor = self._limits(y_factor, "y_factor")

    def _limits(self, factor: Any, name: str) -> tuple[float, float]:
        two = isinstance(factor, (tuple, list)) and len(factor) == 2
        if two and -factor[0] == factor[1]:       # what a config has of one number
            return within(factor, name, "RandomShear", -1.0, 1.0)
        return within(factor, name, "RandomShear", 0.0, 1.0)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, *_ = self._sizes(data)
        seed = self._drawn_by(seed)
        side = ops.where(self._uniform((count, 1), (0.0, 1.0), seed) > 0.5, -1.0, 1.0)
        down = self._uniform((count, 1), self.y_factor, seed)
        across = self._uniform((count, 1), self.x_factor, seed)
        return {"shear_factor": ops.concatenate([across, down], axis=1) * side, "input_shape": tuple(self._images_of(data).shape)}

    def _map(self, transformation: Any, height: int, width: int) -> Any:
        shear = ops.cast(transformation["shear_factor"], "float32")
        return _rows(1.0, shear[:, 0], 0.0, shear[:, 1], 1.0, 0.0)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        found, height, width = self._corners(bounding_boxes, transformation, "rel_xyxy")
        shear = ops.expand_dims(ops.cast(transformation["shear_factor"], "float32"), 1)
        across, down = shear[..., :1], shear[..., 1:]
        x1, y1, x2, y2 = ops.split(found["boxes"], 4, axis=-1)
        x1, x2 = x1 - ops.where(across < 0, across * y1, across * y2), x2 - ops.where(across < 0, across * y2, across * y1)
        y1, y2 = y1 - ops.where(down > 0, down * x2, down * x1), y2 - ops.where(down > 0, down * x1, down * x2)
        return self._clipped({**found, "boxes": ops.concatenate([x1, y1, x2, y2], axis=-1)}, "rel_xyxy", height, width)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, (0.1, 0.3), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
