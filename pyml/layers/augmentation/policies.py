"""Several augmentations at a time, chosen at random: RandAugment, AugMix."""

from __future__ import annotations

import random as python_random
from collections.abc import Iterator
from typing import Any, ClassVar

from pyml import ops, random
from pyml.layers.augmentation.affine import RandomRotation, RandomShear, RandomTranslation
from pyml.layers.augmentation.base import INTERPOLATIONS, ImageLayer, known, limits
from pyml.layers.augmentation.blur import RandomSharpness
from pyml.layers.augmentation.color import RandomColorDegeneration
from pyml.layers.augmentation.histograms import Equalization
from pyml.layers.augmentation.light import AutoContrast, RandomBrightness, RandomContrast, RandomPosterization, Solarization
from pyml.layers.dense import positive_int
from pyml.objects.samples import Sample, draw, sample

__all__ = ["AugMix", "RandAugment"]


class _Policy(ImageLayer):
    """Base: makes the layers of `_names`, all of strength `factor`."""

    _takes_factor, _bounds = False, (0, 1)
    _names: ClassVar[tuple[str, ...]] = (
        "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration", "random_contrast",
        "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
    )

    def _keep(self, value_range: Any, factor: Any, interpolation: str, seed: int | None) -> None:
        owner = type(self).__name__
        self.value_range = value_range
        self.factor = limits(factor, "factor", owner, self._bounds)
        self.interpolation = known(interpolation, "interpolation", owner, INTERPOLATIONS)
        self._keep_seed(seed)

    def _make_layers(self) -> None:
        """Makes the layers that the policy draws from, as attributes."""
        shared = {"data_format": self.data_format, "bounding_box_format": self.bounding_box_format, "dtype": self.dtype_policy}
        moved = {"interpolation": self.interpolation, "seed": self.seed, **shared}
        light = {"value_range": self.value_range, "seed": self.seed, **shared}
        still = {"value_range": self.value_range, **shared}
        bits = max(1, int(8 * self.factor[1]))
        made = {
            "random_shear": lambda: RandomShear(x_factor=self.factor, y_factor=self.factor, **moved),
            "random_translation": lambda: RandomTranslation(height_factor=self.factor, width_factor=self.factor, **moved),
            "random_rotation": lambda: RandomRotation(factor=self.factor, **moved),
            "random_brightness": lambda: RandomBrightness(factor=self.factor, **light),
            "random_color_degeneration": lambda: RandomColorDegeneration(factor=self.factor, **light),
            "random_contrast": lambda: RandomContrast(factor=self.factor, **light),
            "random_sharpness": lambda: RandomSharpness(factor=self.factor, **light),
            "random_posterization": lambda: RandomPosterization(factor=bits, **light),
            "solarization": lambda: Solarization(addition_factor=self.factor, threshold_factor=self.factor, **light),
            "auto_contrast": lambda: AutoContrast(**still),
            "equalization": lambda: Equalization(**still),
        }
        for name in self._names:
            setattr(self, name, made[name]())


class RandAugment(_Policy):
    """Does `num_ops` of eleven things to the images of a batch while training, chosen at random for each batch.

    They are: shear, translation, rotation, brightness, color degeneration, contrast, sharpness, posterization, solarization,
    stretched contrast, equalization. All eleven are computed and one of them taken, so the choice is made on the device and is
    another one in each step.

    Args:
        value_range: Smallest and largest value of pixels.
        num_ops: How many, an integer; 0 leaves images as they are.
        factor: How strong, in `[0, 1]`: of one number up to that, or two limits.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`, `"bounding_boxes"` and
    `"segmentation_masks"`. Output shape: the same, float.

    Source: Cubuk et al. 2019, "RandAugment: Practical automated data augmentation with a reduced search space".

    Example:
        >>> pyml.layers.RandAugment(num_ops=1, factor=0.3, seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    def __init__(self, value_range: Any = (0, 255), num_ops: int = 2, factor: Any = 0.5, interpolation: str = "bilinear",
                 seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.num_ops = 0 if num_ops == 0 else positive_int(num_ops, "num_ops", "RandAugment")
        self._keep(value_range, factor, interpolation, seed)
        self._make_layers()

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training or not self.num_ops:
            return None
        seed = self._drawn_by(seed)
        chosen = random.randint((self.num_ops,), 0, len(self._names), seed=seed)
        ways = {name: getattr(self, name).get_random_transformation(data, training=training, seed=seed) for name in self._names}
        return {"transforms": ways, "layer_idxes": chosen}

    def _chosen(self, value: Any, transformation: Any, change: Any) -> Any:
        """`value` after the chosen layers, one after another; `change(layer, value, way)` does what one layer does."""
        for i in range(self.num_ops):
            before = value
            for place, (name, way) in enumerate(transformation["transforms"].items()):
                value = ops.where(ops.equal(transformation["layer_idxes"][i], place), change(getattr(self, name), before, way), value)
        return value

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training:
            return images
        return self._chosen(images, transformation, lambda layer, x, way: layer.transform_images(x, way))

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return bounding_boxes
        for i in range(self.num_ops):
            before = dict(bounding_boxes)
            for place, (name, way) in enumerate(transformation["transforms"].items()):
                taken = ops.equal(transformation["layer_idxes"][i], place)
                after = getattr(self, name).transform_bounding_boxes(dict(before), way)
                bounding_boxes = {key: ops.where(taken, after[key], bounding_boxes[key]) for key in ("boxes", "labels")}
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return segmentation_masks
        return self._chosen(segmentation_masks, transformation, lambda layer, x, way: layer.transform_segmentation_masks(x, way))

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)


class AugMix(_Policy):
    """Mixes images with several chains of changes to them while training.

    Which changes a chain is made of is drawn for each call; a step that `fit` has compiled keeps the chains that it was
    compiled with, and draws their strengths and shares anew each time, as Keras does. In `Dataset.map` every batch has its own.

    Args:
        value_range: Smallest and largest value of pixels.
        num_chains: Number of chains, a positive integer.
        chain_depth: Most changes in a chain, a positive integer.
        factor: How strong they are, in `[0, 1]`: of one number up to that, or two limits.
        alpha: Of the Dirichlet and beta distributions that say in which shares chains are mixed.
        all_ops: False leaves out what is in data sets of disturbed images: brightness, color degeneration, contrast, sharpness.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: An integer.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.

    Input shape: `(height, width, 3)` or `(batch, height, width, 3)`, alone or in a dict with `"labels"`, `"bounding_boxes"` and
    `"segmentation_masks"`. Output shape: the same, float.

    Source: Hendrycks et al. 2019, "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty".

    Example:
        >>> pyml.layers.AugMix(seed=1)(np.ones((2, 8, 8, 3))).shape
        (2, 8, 8, 3)
    """

    _disturbing = ("random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness")

    def __init__(self, value_range: Any = (0, 255), num_chains: int = 3, chain_depth: int = 3, factor: Any = 0.3, alpha: float = 1.0,
                 all_ops: bool = True, interpolation: str = "bilinear", seed: int | None = None, data_format: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.num_chains = positive_int(num_chains, "num_chains", "AugMix")
        self.chain_depth = positive_int(chain_depth, "chain_depth", "AugMix")
        self.alpha = alpha
        self.all_ops = all_ops
        self._keep(value_range, factor, interpolation, seed)
        self._make_layers()
        self._choice = python_random.Random(seed)
        self._choices = tuple(name for name in self._names if all_ops or name not in self._disturbing)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        seed = self._drawn_by(seed)
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        share = random.beta((), self.alpha, self.alpha, seed=seed)
        chains = []
        for _ in range(self.num_chains):
            names = [self._choice.choice((*self._choices, None)) for _ in range(self.chain_depth)]
            chains.append([{"layer_name": name, "transformation": getattr(self, name).get_random_transformation(data, seed=seed)}
                           for name in names if name is not None])
        return {"chain_mixing_weights": weights / ops.sum(weights), "weight_sample": share, "chain_transforms": chains}

    def _mixed(self, value: Any, transformation: Any, method: str) -> Any:
        share, weights = transformation["weight_sample"], transformation["chain_mixing_weights"]
        mixed: Any = 0.0
        for i, chain in enumerate(transformation["chain_transforms"]):
            changed = value
            for link in chain:
                changed = getattr(getattr(self, link["layer_name"]), method)(changed, link["transformation"])
            mixed = mixed + changed * weights[i]
        return share * value + (1.0 - share) * mixed

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        images = self.as_floats(images)
        if not training:
            return images
        return ops.clip(self._mixed(images, transformation, "transform_images"), *self.value_range)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        return self._mixed(segmentation_masks, transformation, "transform_segmentation_masks") if training else segmentation_masks

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(seed=3), draw(2, 3, 4, 3), like=lambda x: x, gradient=False, training=False)
