"""Images of other hues and saturations, gray, or all of that: layers of red, green and blue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.errors import ShapeError
from pyml.layers.augmentation.base import ImageLayer, anew, limits, per_image, ranged, value_range_of
from pyml.layers.augmentation.light import RandomBrightness, RandomContrast
from pyml.objects.samples import Sample, draw, sample
from pyml.ops.colors import recolored

__all__ = ["RandomColorDegeneration", "RandomColorJitter", "RandomGrayscale", "RandomHue", "RandomSaturation"]
_EPSILON = 1e-7


class RandomHue(ImageLayer):
    """Turns the colors of images around the color wheel while training.

    Args:
        factor: By how much at most, in `[0, 1]`, where 1 is half a turn either way; of two numbers between them.
        value_range: Smallest and largest value of pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Example:
        >>> gray = np.full((1, 2, 3), 100.)
        >>> bool(np.allclose(pyml.layers.RandomHue(0.5, seed=1)(gray).numpy(), gray))
        True
    """

    _bounds = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", type(self).__name__, self._bounds)
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        count, *_ = self._sizes(data)
        seed = self._drawn_by(seed)
        side = ops.where(self._uniform((count,), (0.0, 1.0), seed) > 0.5, -1.0, 1.0)
        return {"factor": side * self._uniform((count,), self.factor, seed) * 0.5}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        return self._recolored(self.as_floats(images), transformation, lambda plane, i: plane)

    def _recolored(self, images: Any, transformation: Any, light: Any) -> Any:
        """Images after `transformation`, and after `light` before it."""
        scaled = lambda plane, i: ranged(light(plane, i), self.value_range, (0, 1))
        rgb = recolored(images, self._change(transformation), self.data_format, "RandomHue", scaled)
        return ranged(ops.clip(rgb, 0, 1), (0, 1), self.value_range)

    def _change(self, transformation: Any) -> Any:
        """What is done to hue, saturation and value."""
        return lambda hue, saturation, value: (hue + per_image(transformation["factor"]), saturation, value)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)


class RandomSaturation(ImageLayer):
    """Makes the colors of images stronger or weaker while training.

    Args:
        factor: In `[0, 1]`: 0 makes gray, 0.5 changes nothing, 1 gives the strongest colors; one number stands for
            `(-factor, factor)`, of which what is below 0 makes gray.
        value_range: Smallest and largest value of pixels.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Example:
        >>> red = np.array([[[1., 0., 0.]]])
        >>> pyml.layers.RandomSaturation((0., 0.), value_range=(0, 1))(red).numpy().ravel()
        array([1., 1., 1.], dtype=float32)
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", type(self).__name__, self._bounds)
        self.value_range = value_range_of(value_range, "RandomSaturation")
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        draws = self._uniform((self._sizes(data)[0],), self.factor, seed)
        return {"factor": draws / (1.0 - draws + _EPSILON)}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        return self._recolored(self.as_floats(images), transformation, lambda plane, i: plane)

    def _recolored(self, images: Any, transformation: Any, light: Any) -> Any:
        """Images after `transformation`, and after `light` before it."""
        return recolored(images, self._change(transformation), self.data_format, "RandomSaturation", light)

    def _change(self, transformation: Any) -> Any:
        """What is done to hue, saturation and value."""
        stronger = lambda saturation: ops.clip(saturation * per_image(transformation["factor"]), *self.value_range)
        return lambda hue, saturation, value: (hue, stronger(saturation), value)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.7), seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)


class RandomColorDegeneration(ImageLayer):
    """Mixes images with their gray versions while training.

    Args:
        factor: Share of the gray one, in `[-1, 1]`: two limits, or one number that stands for `(-factor, factor)`; below 0
            colors become stronger.
        value_range: Smallest and largest value of pixels; the result is clipped to it.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Raises:
        ShapeError: Images have other than 3 channels.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> gray = np.full((1, 2, 3), 100.)
        >>> bool(np.allclose(pyml.layers.RandomColorDegeneration(0.5, seed=1)(gray).numpy(), gray, atol=0.02))
        True
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", type(self).__name__, self._bounds)
        self.value_range = value_range_of(value_range, "RandomColorDegeneration")
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"factor": self._uniform((self._sizes(data)[0], 1, 1, 1), self.factor, seed)}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        gray = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.clip(images + transformation["factor"] * (gray - images), *self.value_range)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) not in (3, 4):
            raise ShapeError(f"RandomColorDegeneration: expected an image or a batch of them. Received: shape={tuple(input_shape)}")
        channels = input_shape[-3 if self.data_format == "channels_first" else -1]
        if channels not in (None, 3):
            raise ShapeError(f"RandomColorDegeneration: images must have 3 channels. Received: {channels} channels")
        return input_shape

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)


class RandomGrayscale(ImageLayer):
    """Makes images gray while training.

    Args:
        factor: Share of images that become gray, in `[0, 1]`.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, with three equal channels; integers stay
    integers.

    Raises:
        ValueError: `factor` is not in `[0, 1]`.

    Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".

    Example:
        >>> gray = pyml.layers.RandomGrayscale(1.0)(np.array([[[255., 0., 0.]]])).numpy().ravel()
        >>> bool(gray[0] == gray[1] == gray[2])
        True
    """

    _takes_factor, _keeps_integers = False, True

    def __init__(self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ValueError(f"RandomGrayscale: factor must be in [0, 1]. Received: factor={factor}")
        self.factor = factor
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return per_image(ops.less(self._uniform((self._sizes(data)[0],), (0.0, 1.0), seed), self.factor))

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        decided = self.get_random_transformation(images) if transformation is None else transformation
        return ops.where(decided, ops.image.rgb_to_grayscale(images, data_format=self.data_format), images)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)


class RandomColorJitter(ImageLayer):
    """Changes brightness, contrast, saturation and hue of images while training, in that order.

    Args:
        value_range: Smallest and largest value of pixels.
        brightness_factor: As of `RandomBrightness`; None leaves the brightness as it is.
        contrast_factor: As of `RandomContrast`, or None.
        saturation_factor: As of `RandomSaturation`, or None.
        hue_factor: As of `RandomHue`, or None.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".

    Example:
        >>> layer = pyml.layers.RandomColorJitter(brightness_factor=(0.2, 0.2))
        >>> layer(np.zeros((1, 1, 3))).numpy().ravel()
        array([51., 51., 51.], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), brightness_factor: Any = None, contrast_factor: Any = None,
                 saturation_factor: Any = None, hue_factor: Any = None, seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        self._keep_seed(seed)
        self.random_brightness = self._part(RandomBrightness, brightness_factor)
        self.random_contrast = self._part(RandomContrast, contrast_factor)
        self.random_saturation = self._part(RandomSaturation, saturation_factor)
        self.random_hue = self._part(RandomHue, hue_factor)

    def _part(self, kind: Any, factor: Any) -> Any:
        made = {"value_range": self.value_range, "seed": self.seed, "data_format": self.data_format}
        return None if factor is None else kind(factor=factor, **made)

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        parts = (self.random_brightness, self.random_contrast, self.random_saturation, self.random_hue)
        draws = [part and (part, part.get_random_transformation(images, seed=self.generator)) for part in parts]
        images, light = self._light(images, *draws[:2])
        colors = [drawn for drawn in draws[2:] if drawn]
        if len(colors) == 2 and self.value_range[0] == 0:  # hue and saturation stay what they are where values are in another range
            (saturated, first), (turned, second) = colors
            both = lambda *parts: turned._change(second)(*saturated._change(first)(*parts))
            return ops.clip(recolored(images, both, self.data_format, "RandomColorJitter", light), *self.value_range)
        for part, transformation in colors:
            images, light = part._recolored(images, transformation, light), lambda plane, i: plane
        return images if colors else light(images, slice(None))

    def _light(self, images: Any, brightness: Any, contrast: Any) -> tuple[Any, Any]:
        """Images, and what makes planes of them, of the number i or a slice, brighter and of another contrast.

        The mean has to be known before a pixel can be changed. The pass over the images computes the brightness again, and the
        contrast for each channel, which is less than bringing images to memory and back.
        """
        brighter = (lambda x: brightness[0].transform_images(x, brightness[1])) if brightness else lambda x: x
        if not contrast:
            return images, lambda plane, i: brighter(plane)
        mean = ops.mean(brighter(images), axis=self._plane, keepdims=True)
        behind = (slice(None),) * (2 if self.data_format == "channels_first" else 0)
        of = lambda i: mean if isinstance(i, slice) else mean[(..., slice(i, i + 1), *behind)]
        return anew(images), lambda plane, i: contrast[0]._around(brighter(plane), of(i), contrast[1])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0, 1), 0.1, 0.2, (0.4, 0.6), 0.1, seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)
