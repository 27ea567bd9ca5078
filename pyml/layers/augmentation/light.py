"""Images brighter, darker, of more or less contrast, inverted, solarized: one number for each image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.dtypes import FLOATS
from pyml.layers.augmentation.base import ImageLayer, limits, per_image, ranged, value_range_of
from pyml.objects.samples import Sample, draw, sample

__all__ = ["AutoContrast", "RandomBrightness", "RandomContrast", "RandomInvert", "RandomPosterization", "Solarization"]


class RandomBrightness(ImageLayer):
    """Makes images brighter or darker while training: adds one number to all pixels of an image.

    Args:
        factor: Largest change as a part of the range, in `[-1, 1]`: of one number from `-factor` to `factor`, or two limits.
        value_range: Smallest and largest value of pixels; the result is clipped to it.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same; integers stay integers.

    Example:
        >>> pyml.layers.RandomBrightness((0.2, 0.2))(np.array([[[0.], [255.]]])).numpy().ravel()
        array([ 51., 255.], dtype=float32)
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(factor=factor, **kwargs)
        self._keep_seed(seed)
        self.value_range = value_range_of(value_range, "RandomBrightness")

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        shape = (*self._images_of(data).shape[:-3], 1, 1, 1)
        if not training:
            return {"rgb_delta": ops.zeros(shape)}
        return {"rgb_delta": self._uniform(shape, self.factor, seed) * (self.value_range[1] - self.value_range[0])}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        dtype = images.dtype
        added = transformation["rgb_delta"] if dtype in FLOATS else ops.trunc(transformation["rgb_delta"])
        found = ops.clip(self.as_floats(images) + added, *self.value_range)
        return found if dtype in FLOATS else ops.saturate_cast(found, dtype)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomContrast(ImageLayer):
    """Changes the contrast of images while training: how far pixels are from the mean of their image and channel.

    Args:
        factor: By how much, in `[0, 1]`: pixels' distances are multiplied by `1 - factor[0]` to `1 + factor[1]`; one number
            stands for `(0, factor)`, as in Keras.
        value_range: Smallest and largest value of pixels; the result is clipped to it.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Example:
        >>> pyml.layers.RandomContrast((0.5, 0.5), seed=1)(np.full((1, 2, 2), 7.)).numpy().ravel()
        array([7., 7., 7., 7.], dtype=float32)
    """

    _bounds = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = limits(factor, "factor", type(self).__name__, self._bounds)
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        shape = (*self._images_of(data).shape[:-3], 1, 1, 1)
        if not training:
            return {"contrast_factor": ops.zeros(shape)}
        return {"contrast_factor": self._uniform(shape, (1.0 - self.factor[0], 1.0 + self.factor[1]), seed)}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        return self._around(images, ops.mean(images, axis=self._plane, keepdims=True), transformation)

    def _around(self, images: Any, mean: Any, transformation: Any) -> Any:
        """Images with other distances from their mean."""
        return ops.clip((images - mean) * transformation["contrast_factor"] + mean, *self.value_range)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomInvert(ImageLayer):
    """Turns images into their negatives while training.

    Args:
        factor: Share of images that are, in `[0, 1]`; of two numbers a share between them is drawn for each image.
        value_range: Smallest and largest value of pixels.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Example:
        >>> pyml.layers.RandomInvert((1, 1))(np.array([[[0.], [55.]]])).numpy().ravel()
        array([255., 200.], dtype=float32)
    """

    _takes_factor, _bounds = False, (0, 1)

    def __init__(self, factor: Any = 1.0, value_range: Any = (0, 255), seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomInvert", self._bounds)
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"apply_inversion": self._decided(self._sizes(data)[0], seed)} if training else None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        return ops.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomPosterization(ImageLayer):
    """Leaves fewer different values in images while training: the upper bits of eight.

    Args:
        factor: How many bits, from 1 to 8: of two numbers from the first up to, not including, the second, or exactly that
            many where they are equal; one number stands for `(1, factor)`.
        value_range: Smallest and largest value of pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> pyml.layers.RandomPosterization((2, 2))(np.array([[[63.], [200.]]])).numpy().ravel()
        array([  0., 192.], dtype=float32)
    """

    _takes_factor, _bounds = False, (1, 8)

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomPosterization", self._bounds)
        self.value_range = value_range_of(value_range, "RandomPosterization")
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        count, *_ = self._sizes(data)
        low, high = (int(bits) for bits in self.factor)
        bits = ops.full((count,), low, "int32") if low == high else ops.cast(
            ops.floor(self._uniform((count,), (low, high), seed)), "int32")
        return {"shift_factor": 8 - bits}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        shift = per_image(ops.cast(transformation["shift_factor"], "int32"))
        whole = ops.cast(ranged(images, self.value_range, (0, 255)), "int32")
        whole = ops.left_shift(ops.right_shift(whole, shift), shift)
        return ranged(ops.cast(whole, "float32"), (0, 255), self.value_range)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((2, 5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class Solarization(ImageLayer):
    """Inverts pixels above a threshold while training, after adding a number to all pixels.

    Args:
        addition_factor: Largest addition as a part of the range, in `[0, 1]`: of one number up to that, or two limits.
        threshold_factor: The threshold in the same way.
        value_range: Smallest and largest value of pixels.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> pyml.layers.Solarization()(np.array([[[0.], [55.]]])).numpy().ravel()
        array([255., 200.], dtype=float32)
    """

    _takes_factor = False

    def __init__(self, addition_factor: Any = 0.0, threshold_factor: Any = 0.0, value_range: Any = (0, 255), seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keep_seed(seed)
        self.addition_factor = self._limits(addition_factor, "addition_factor")
        self.threshold_factor = self._limits(threshold_factor, "threshold_factor")
        self.value_range = value_range_of(value_range, "Solarization")

    def _limits(self, factor: Any, name: str) -> tuple[float, float]:
        strict = isinstance(factor, (tuple, list)) and len(factor) == 2 and any(not 0 <= n <= 1 for n in factor)
        return limits(None if strict else factor, name, "Solarization", (0, 1))

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        shape = (*self._images_of(data).shape[:-3], 1, 1, 1)
        seed = self._drawn_by(seed)
        parts = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {name: self._uniform(shape, (low, high * 255), seed) for name, (low, high) in parts.items()}

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training or transformation is None:
            return images
        x = ops.clip(ranged(images, self.value_range, (0, 255)) + transformation["additions"], 0, 255)
        return ranged(ops.where(x < transformation["thresholds"], x, 255.0 - x), (0, 255), self.value_range)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.1, (0.2, 0.5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class AutoContrast(ImageLayer):
    """Stretches the values of each image and channel over the whole range, while training or not.

    Args:
        value_range: Smallest and largest value of pixels.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> pyml.layers.AutoContrast()(np.array([[[5.], [6.], [7.]]])).numpy().ravel()
        array([  0. , 127.5, 255. ], dtype=float32)
    """

    _takes_factor = False

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range, "AutoContrast")

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = self.as_floats(images)
        x = ranged(images, self.value_range, (0, 255))
        axes = (1, 2)                      # in Keras whatever the data format
        low, high = ops.min(x, axis=axes, keepdims=True), ops.max(x, axis=axes, keepdims=True)
        spread = high - low
        flat = spread <= 0.0
        stretched = ops.clip((x - low) * (255.0 / ops.where(flat, 1.0, spread)), 0.0, 255.0)
        return ops.where(flat, images, ranged(stretched, (0, 255), self.value_range))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any) -> Any:
            low, high = x.min((1, 2), keepdims=True), x.max((1, 2), keepdims=True)
            return (x - low) / (high - low)

        yield sample(cls((0, 1)), draw(2, 3, 4, 1), like=like, gradient=False)
