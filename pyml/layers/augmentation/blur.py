"""Images sharper or smoother: RandomSharpness, RandomGaussianBlur."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.layers.augmentation.base import ImageLayer, limits, per_image, value_range_of
from pyml.objects.samples import Sample, draw, sample

__all__ = ["RandomGaussianBlur", "RandomSharpness"]
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], "float32") / 13


class RandomSharpness(ImageLayer):
    """Makes images sharper or smoother while training.

    Args:
        factor: In `[0, 1]`: 0 gives the smoothed image, 0.5 changes nothing, 1 is the sharpest; of one number up to that, or
            two limits.
        value_range: Smallest and largest value of pixels; the result is clipped to it.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Source: Cubuk et al. 2018, "AutoAugment: Learning Augmentation Policies from Data".

    Example:
        >>> image = np.array([[[0.], [200.], [0.]]])
        >>> pyml.layers.RandomSharpness((0.5, 0.5))(image).numpy().ravel()
        array([  0., 200.,   0.], dtype=float32)
    """

    _takes_factor, _bounds = False, (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), data_format: str | None = None, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomSharpness", self._bounds)
        self.value_range = value_range_of(value_range, "RandomSharpness")
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"factor": self._uniform((self._sizes(data)[0],), self.factor, seed)}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training:
            return images
        channels = images.shape[1 if self.data_format == "channels_first" else -1]
        kernel = np.tile(_SMOOTH[..., None, None], (1, 1, channels, 1))
        smooth = ops.depthwise_conv(images, kernel, strides=1, padding="same", data_format=self.data_format)
        share = 1.0 - per_image(transformation["factor"]) * 2.0
        return ops.clip(images + share * (smooth - images), *self.value_range)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.2, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class RandomGaussianBlur(ImageLayer):
    """Smooths images with a bell-shaped window while training.

    Args:
        factor: Share of images that are smoothed, in `[0, 1]`; of two numbers a share between them is drawn for each image.
        kernel_size: Width of the window, an odd number, or width and height.
        sigma: Standard deviation in pixels, in `[0, 1]`: of one number up to that, or two limits.
        value_range: Smallest and largest value of pixels; the result is clipped to it.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Raises:
        ValueError: `kernel_size` is not an odd number, or two.

    Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".

    Example:
        >>> pyml.layers.RandomGaussianBlur(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    _takes_factor, _bounds = False, (0, 1)

    def __init__(self, factor: Any = 1.0, kernel_size: Any = 3, sigma: Any = 1.0, value_range: Any = (0, 255),
                 data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomGaussianBlur", self._bounds)
        sizes = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        if len(sizes) != 2 or not all(isinstance(n, (int, float)) and n > 0 and n % 2 == 1 for n in sizes):
            raise ValueError(f"RandomGaussianBlur: kernel_size must be an odd number or two. Received: kernel_size={kernel_size}")
        self.kernel_size = tuple(int(n) for n in sizes)
        self.sigma = limits(sigma, "sigma", "RandomGaussianBlur", self._bounds)
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        seed = self._drawn_by(seed)
        decided = self._decided(self._sizes(data)[0], seed)
        return {"should_apply_blur": decided, "blur_factor": self._uniform((2,), self.sigma, seed) + 1e-6}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training or transformation is None:
            return images
        smooth = ops.image.gaussian_blur(images, self.kernel_size, transformation["blur_factor"], data_format=self.data_format)
        found = ops.where(per_image(transformation["should_apply_blur"]), smooth, images)
        return ops.clip(found, *self.value_range)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
