"""Parts of images erased, or taken from other images of the batch: RandomErasing, CutMix, MixUp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops, random
from pyml.errors import ShapeError
from pyml.layers.augmentation.base import ImageLayer, limits, per_image
from pyml.objects.samples import Sample, draw, sample
from pyml.random.bits import order_beside

__all__ = ["CutMix", "MixUp", "RandomErasing"]


class _Rectangles(ImageLayer):
    """Base of layers that change a rectangle of each image."""

    _takes_factor, _bounds = False, (0, 1)

    def _interval(self, count: int, length: int, part: Any, seed: Any) -> tuple[Any, Any]:
        """Begin and end of that part of `length`, at a random place: each `(images, 1, 1, 1)`."""
        size = part * length
        start = self._uniform((count,), (0.0, 1.0), seed) * (length - size)
        return per_image(start), per_image(start + size)

    def _inside(self, height: int, width: int, columns: tuple[Any, Any], rows: tuple[Any, Any]) -> Any:
        """Whether a pixel is in the rectangle of its image: bool `(images, height, width, 1)`, or as channels come first."""
        tall, wide = ((1, 1, -1, 1), (1, 1, 1, -1)) if self.data_format == "channels_first" else ((1, -1, 1, 1), (1, 1, -1, 1))
        y = ops.reshape(ops.arange(height, dtype="float32"), tall)
        x = ops.reshape(ops.arange(width, dtype="float32"), wide)
        within = lambda place, ends: ops.logical_and(place >= ends[0], place < ends[1])
        return ops.logical_and(within(x, columns), within(y, rows))


class RandomErasing(_Rectangles):
    """Erases a rectangle of images while training.

    Args:
        factor: Share of images in which something is erased, in `[0, 1]`; of two numbers a share between them is drawn for
            each image.
        scale: Size of the rectangle, in `[0, 1]`: the square of its width and of its height, as parts of the image's; of one
            number up to that, or two limits.
        fill_value: What takes its place: a number, one for each of three channels, or None for normally distributed noise.
        value_range: Smallest and largest value of pixels.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, channels)` or `(batch, height, width, channels)`, alone or in a dict with `"labels"`,
    `"bounding_boxes"` and `"segmentation_masks"`. Output shape: the same, float.

    Raises:
        ValueError: `fill_value` is neither a number nor three.

    Source: Zhong et al. 2017, "Random Erasing Data Augmentation".

    Example:
        >>> pyml.layers.RandomErasing((1., 1.), scale=(1., 1.), fill_value=7)(np.zeros((1, 2, 3))).numpy().ravel()
        array([7., 7., 7., 7., 7., 7.], dtype=float32)
    """

    def __init__(self, factor: Any = 1.0, scale: Any = (0.02, 0.33), fill_value: Any = None, value_range: Any = (0, 255),
                 seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "RandomErasing", self._bounds)
        self.scale = limits(scale, "scale", "RandomErasing", self._bounds)
        if isinstance(fill_value, (tuple, list)) and len(fill_value) != 3:
            raise ValueError(f"RandomErasing: fill_value must be a number, or three. Received: fill_value={fill_value}")
        self.fill_value = fill_value
        self.value_range = value_range
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        count, height, width = self._sizes(data)
        seed = self._drawn_by(seed)
        parts = ops.sqrt(self._uniform((count, 2), self.scale, seed))
        columns = self._interval(count, width, parts[:, 0], seed)
        rows = self._interval(count, height, parts[:, 1], seed)
        decided = self._decided(count, seed)
        return {"apply_erasing": decided, "batch_masks": self._inside(height, width, columns, rows),
                "fill_value": self._filling(tuple(self._images_of(data).shape), seed)}

    def _filling(self, shape: Any, seed: Any) -> Any:
        shape = shape if len(shape) == 4 else (1, *shape)
        if self.fill_value is None:
            filling = random.normal(shape, seed=seed) * self.value_range[1]
        else:
            filling = ops.convert_to_tensor(self.fill_value, "float32")
            if self.data_format == "channels_first" and filling.ndim:
                filling = ops.reshape(filling, (-1, 1, 1))
        return ops.clip(filling, *self.value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training:
            return images
        erased = ops.logical_and(transformation["batch_masks"], per_image(transformation["apply_erasing"]))
        return ops.where(erased, transformation["fill_value"], images)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


def _mixed(labels: Any, transformation: Any, owner: str) -> Any:
    """One-hot labels of mixed images."""
    if len(labels.shape) < 2:
        raise ShapeError(
            f"{owner}: labels of mixed images are mixed too, and so must be one-hot, (batch, classes). Received: {labels.shape}"
        )
    weight = ops.reshape(transformation["mix_weight"], (-1, *(1,) * (len(labels.shape) - 1)))
    others = ops.take(labels, transformation["permutation_order"], axis=0)
    return weight * labels + (1.0 - weight) * others


class CutMix(_Rectangles):
    """Puts a rectangle of another image of the batch into each image while training, and mixes their labels.

    Args:
        factor: Of the beta distribution that says how large the part is that stays: up to this number, or between two.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(batch, height, width, channels)`, alone or in a dict with one-hot `"labels"` `(batch, classes)` and
    `"segmentation_masks"`; a single image stays as it is. Output shape: the same, float.

    Raises:
        NotImplementedError: There are bounding boxes.

    Source: Yun et al. 2019, "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features".

    Example:
        >>> batch = {"images": np.ones((2, 8, 8, 3)), "labels": np.eye(2)}
        >>> pyml.layers.CutMix(seed=1)(batch)["labels"].numpy().sum(axis=1)
        array([1., 1.], dtype=float32)
    """

    def __init__(self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits(factor, "factor", "CutMix", self._bounds)
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training or len(self._images_of(data).shape) == 3:
            return None
        count, height, width = self._sizes(data)
        seed = self._drawn_by(seed)
        alpha = self._uniform((), self.factor, seed) + 1e-6
        part = ops.sqrt(1.0 - random.beta((count,), alpha, alpha, seed=seed))
        columns, rows = self._interval(count, width, part, seed), self._interval(count, height, part, seed)
        weight = 1.0 - (columns[1] - columns[0]) * (rows[1] - rows[0]) / (width * height)
        return {"permutation_order": order_beside(count, seed), "batch_masks": self._inside(height, width, columns, rows),
                "mix_weight": weight}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        return self._pasted(self.as_floats(images), transformation) if training else self.as_floats(images)

    def _pasted(self, images: Any, transformation: Any) -> Any:
        if transformation is None:
            return images
        return ops.where(transformation["batch_masks"], ops.take(images, transformation["permutation_order"], axis=0), images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        return labels if not training or transformation is None else _mixed(labels, transformation, "CutMix")

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        raise NotImplementedError("CutMix has no bounding boxes of mixed images; leave them out of the inputs.")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self._pasted(segmentation_masks, transformation) if training else segmentation_masks

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls((0.2, 0.5), seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)


class MixUp(ImageLayer):
    """Mixes each image with another one of the batch while training, and their labels in the same shares.

    Args:
        alpha: Of the beta distribution of the shares: the smaller, the less images are mixed.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        seed: An integer.

    Input shape: `(batch, height, width, channels)`, alone or in a dict with one-hot `"labels"` `(batch, classes)`,
    `"bounding_boxes"` (those of both images) and `"segmentation_masks"`. Output shape: the same, float; integers while not training.

    Source: Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization".

    Example:
        >>> batch = {"images": np.ones((2, 8, 8, 3)), "labels": np.eye(2)}
        >>> pyml.layers.MixUp(seed=1)(batch)["labels"].numpy().sum(axis=1)
        array([1., 1.], dtype=float32)
    """

    def __init__(self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.alpha = alpha
        self._keep_seed(seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        count, *_ = self._sizes(data)
        seed = self._drawn_by(seed)
        order = order_beside(count, seed)
        return {"mix_weight": random.beta((count,), self.alpha, self.alpha, seed=seed), "permutation_order": order}

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        if not training:
            return images
        images = self.as_floats(images)
        weight = per_image(transformation["mix_weight"])
        return weight * images + (1.0 - weight) * ops.take(images, transformation["permutation_order"], axis=0)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        return _mixed(labels, transformation, "MixUp") if training else labels

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        order = transformation["permutation_order"]
        return {key: ops.concatenate([bounding_boxes[key], ops.take(bounding_boxes[key], order, axis=0)], axis=1)
                for key in ("boxes", "labels")}

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self.transform_images(segmentation_masks, transformation) if training else segmentation_masks

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.3, seed=3), draw(2, 3, 4, 1), like=lambda x: x, gradient=False, training=False)
