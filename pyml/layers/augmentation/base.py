"""What all layers of images share: images alone or in a dict with their labels, boxes and masks; one image or a batch.

A layer draws what it does to a batch in `get_random_transformation`: a dict of small tensors. The `transform_*` methods do
that to images and to what belongs to them. They are ordinary ops, so the device runs a layer as one pass over the images.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from pyml import ops, random
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import map_structure
from pyml.dtypes import INTEGERS
from pyml.errors import ShapeError, Undefined
from pyml.graph import prims
from pyml.layers.data_layer import DataLayer
from pyml.layers.layer import Layer
from pyml.settings import standardize_data_format
from pyml.utils.bounding_boxes import convert_format

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")
_NEXT_TO_IMAGES = ("labels", "bounding_boxes", "segmentation_masks")


class ImageLayer(DataLayer, Layer, abstract=True):
    """Base of the layers of this package.

    Args:
        factor: How strong, where a layer has no arguments of its own for that.
        bounding_box_format: Format of bounding boxes in inputs, see `pyml.utils.bounding_boxes.convert_format`.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
    """

    _takes_factor: ClassVar[bool] = True
    _bounds: ClassVar[tuple[float, float]] = (-1, 1)
    _keeps_integers: ClassVar[bool] = False  # whether a symbolic image of integers stays one

    def __init__(self, factor: Any = None, bounding_box_format: str | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.bounding_box_format = bounding_box_format
        self.data_format = standardize_data_format(data_format, owner)
        if self._takes_factor:
            self.factor: Any = limits(factor or 0.0, "factor", owner, self._bounds)
        elif factor is not None:
            raise ValueError(f"{owner} takes no factor. Received: factor={factor}")
        self._build_at_init()

    # ---- what layers write
    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What is to be done to the images of `data`, drawn at random; None while not training."""
        return None

    def transform_images(self, images: Any, transformation: Any, training: bool = True) -> Any:
        """A batch of images after `transformation`, which `get_random_transformation` gave; as they are where not `training`."""
        images = self.as_floats(images)
        return self._transform_images(images, transformation, getattr(self, "interpolation", None)) if training else images

    def _transform_images(self, images: Any, transformation: Any, interpolation: Any) -> Any:
        raise Undefined(f"{type(self).__name__} must define transform_images(images, transformation, training).")

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The `labels` of images after `transformation`, when `training`: as they are."""
        return labels

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The `bounding_boxes` of images after `transformation`, when `training`: as they are."""
        return bounding_boxes

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The `segmentation_masks` of images after `transformation`, when `training`: as they are."""
        return segmentation_masks

    # ---- one image
    def transform_single_image(self, image: Any, transformation: Any, training: bool = True) -> Any:
        """One image; see `transform_images`."""
        return _of_one(self.transform_images, image, transformation, training)

    def transform_single_label(self, label: Any, transformation: Any, training: bool = True) -> Any:
        """The `label` of one image; see `transform_labels`."""
        return _of_one(self.transform_labels, label, transformation, training)

    def transform_single_bounding_box(self, bounding_box: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes of one image, `bounding_box`; see `transform_bounding_boxes`."""
        return _of_one(self.transform_bounding_boxes, bounding_box, transformation, training)

    def transform_single_segmentation_mask(self, segmentation_mask: Any, transformation: Any, training: bool = True) -> Any:
        """The mask of one image, `segmentation_mask`; see `transform_segmentation_masks`."""
        return _of_one(self.transform_segmentation_masks, segmentation_mask, transformation, training)

    # ---- calling
    def call(self, data: Any, training: bool = True) -> Any:
        images = self._images_of(data)
        single = len(images.shape) == 3
        transformation = self.get_random_transformation(data, training=training)
        one = self.transform_single_image if single else self.transform_images
        if not isinstance(data, Mapping):
            return one(ops.convert_to_tensor(images), transformation, training=training)
        found = {**data, "images": one(ops.convert_to_tensor(images), transformation, training=training)}
        for key in _NEXT_TO_IMAGES:
            if key in data:
                found[key] = self._next_to(key, data[key], single, transformation, training)
        return found

    def _next_to(self, key: str, value: Any, single: bool, transformation: Any, training: bool) -> Any:
        if key == "bounding_boxes":
            if not self.bounding_box_format:
                raise ValueError(
                    f"{type(self).__name__}: the inputs have bounding boxes; give the layer their bounding_box_format, "
                    "for example 'xyxy'."
                )
            change = self.transform_single_bounding_box if single else self.transform_bounding_boxes
            return change(dense_boxes(value, type(self).__name__), transformation, training=training)
        value = ops.convert_to_tensor(value)
        if key == "labels":
            return (self.transform_single_label if single else self.transform_labels)(value, transformation, training=training)
        mask = self.transform_single_segmentation_mask if single else self.transform_segmentation_masks
        return mask(value, transformation, training=training)

    def _images_of(self, data: Any) -> Any:
        """The images of `data`, which must be one image or a batch."""
        if isinstance(data, Mapping) and "images" not in data:
            raise ValueError(f"{type(self).__name__}: a dict of inputs needs 'images'. Received: {sorted(map(str, data))}")
        images = data["images"] if isinstance(data, Mapping) else data
        images = images if hasattr(images, "shape") else ops.convert_to_tensor(images)
        if len(images.shape) not in (3, 4):
            raise ShapeError(
                f'{type(self).__name__}: expected an image (3 axes) or a batch of images (4 axes). Received: shape={tuple(images.shape)}'
            )
        return images

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs["data"]
        images = self._images_of(data)
        dtype = images.dtype if self._keeps_integers and images.dtype in INTEGERS else self.compute_dtype
        found = KerasTensor(self.compute_output_shape(tuple(images.shape)), dtype=dtype)
        if not isinstance(data, Mapping):
            return found
        return {**map_structure(lambda x: KerasTensor(x.shape, dtype=x.dtype), dict(data)), "images": found}

    # ---- for layers
    def as_floats(self, images: Any) -> Any:
        """`images` as floats, as nearly all layers compute."""
        return ops.cast(images, "float32")

    def _sizes(self, data: Any) -> tuple[int, int, int]:
        """Number of images, height and width."""
        shape = tuple(self._images_of(data).shape)
        shape = shape if len(shape) == 4 else (1, *shape)
        return (shape[0], shape[2], shape[3]) if self.data_format == "channels_first" else (shape[0], shape[1], shape[2])

    @property
    def _plane(self) -> tuple[int, int]:
        """The axes of height and width."""
        return (-2, -1) if self.data_format == "channels_first" else (-3, -2)

    def _uniform(self, shape: Any, limits: Any, seed: Any) -> Tensor:
        """Numbers of `[limits[0], limits[1])`, drawn with `seed` or the layer's own generator."""
        low, high = limits
        return random.uniform(shape, low, high, seed=self._drawn_by(seed))

    def _drawn_by(self, seed: Any) -> Any:
        return self.generator if seed is None else seed

    def _decided(self, count: int, seed: Any) -> Tensor:
        """For each image whether anything is done to it: a share between the two numbers of `factor` of all."""
        seed = self._drawn_by(seed)
        likely = self._uniform((count,), self.factor, seed)
        return ops.less(self._uniform((count,), (0.0, 1.0), seed), likely)

    def _keep_seed(self, seed: Any) -> None:
        """Makes the layer draw with `seed`: an integer, or None for one of the global state."""
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def _boxes(self, bounding_boxes: Any, source: str, target: str, height: Any, width: Any) -> Any:
        return convert_format(bounding_boxes, source, target, height=height, width=width)

    def _base_config(self) -> dict[str, Any]:
        own = {"data_format": self.data_format}
        if self.bounding_box_format is not None:
            own["bounding_box_format"] = self.bounding_box_format
        return {**super()._base_config(), **own}


def _of_one(change: Any, value: Any, transformation: Any, training: bool) -> Any:
    """What `change` makes of a batch of one."""
    batch = map_structure(lambda leaf: ops.expand_dims(leaf, 0), value)
    return map_structure(lambda leaf: ops.squeeze(leaf, 0), change(batch, transformation, training=training))


def per_image(values: Any) -> Any:
    """`(images,)` as `(images, 1, 1, 1)`, to broadcast over pixels."""
    return ops.reshape(values, (-1, 1, 1, 1))


def from_memory(values: Tensor) -> Tensor:
    """The same few numbers, which the pass over the pictures reads: else it computes them from a state, which is then written after it."""
    return Tensor(prims.kept(values._node))


def anew(images: Tensor) -> Tensor:
    """The same images: what is made of them is computed again in the kernel that needs it, not stored for several."""
    return Tensor(prims.copy(images._node))


# ---- arguments
def limits(factor: Any, name: str, owner: str, bounds: tuple[float, float], least: float | None = None) -> tuple[float, float]:
    """The two limits of what is drawn: of two numbers, or around 0 of one, within `bounds`.

    Raises:
        ValueError: It is something else, or out of bounds.
    """
    low, high = bounds
    number = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
    if isinstance(factor, (tuple, list)) and len(factor) == 2 and all(map(number, factor)) and factor[0] <= high and factor[1] >= low:
        first, last = sorted(factor)
        return first, last
    if number(factor) and low <= factor <= high:
        size = abs(factor)
        return (max(-size, low) if least is None else least), size
    raise ValueError(f"{owner}: {name} must be a number, or two, in [{low}, {high}]. Received: {name}={factor}")


def within(factor: Any, name: str, owner: str, low: float, high: float, open_below: bool = False) -> tuple[float, float]:
    """`limits`, of which none may lie outside; of one number `-factor` and `factor`."""
    values = factor if isinstance(factor, (tuple, list)) else (factor,)
    fits = len(values) == (2 if isinstance(factor, (tuple, list)) else 1) and all(
        isinstance(v, (int, float)) and not isinstance(v, bool) and (low < v if open_below else low <= v) and v <= high for v in values)
    if not fits:
        raise ValueError(
            f"{owner}: {name} must be a number, or two, in {'(' if open_below else '['}{low}, {high}]. Received: {name}={factor}"
        )
    first, last = sorted(values) if len(values) == 2 else (-abs(values[0]), abs(values[0]))
    return first, last


def value_range_of(value_range: Any, owner: str) -> list[float]:
    """The smallest and the largest value of pixels.

    Raises:
        ValueError: They are not two.
    """
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ValueError(f"{owner}: value_range must be two numbers. Received: value_range={value_range}")
    return sorted(value_range)


def known(value: Any, name: str, owner: str, words: tuple[str, ...]) -> str:
    """One of `words`.

    Raises:
        NotImplementedError: It is something else, as in Keras.
    """
    if value not in words:
        raise NotImplementedError(f"{owner}: {name} must be one of {', '.join(map(repr, words))}. Received: {name}={value!r}")
    return value


# ---- values
def ranged(images: Any, source: Any, target: Any) -> Any:
    """Pixels of the range `source` in the range `target`."""
    if source[0] == target[0] and source[1] == target[1]:
        return images
    return (images - source[0]) / (source[1] - source[0]) * (target[1] - target[0]) + target[0]


def dense_boxes(bounding_boxes: Any, owner: str) -> dict[str, Any]:
    """Bounding boxes as tensors; of lists of different lengths the shorter ones are filled up with boxes of 0 and labels of -1.

    Raises:
        ValueError: They are not a dict of boxes and labels, or these do not go together.
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(f"{owner}: bounding boxes must be a dict of 'boxes' and 'labels'. Received: {bounding_boxes!r}")
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, list):
        if not isinstance(labels, list) or len(labels) != len(boxes):
            raise ValueError(f"{owner}: labels of bounding boxes must be a list as long as that of the boxes. Received: labels={labels!r}")
        if any(isinstance(of_one, list) and of_one and isinstance(of_one[0], (list, tuple)) for of_one in boxes):
            most = max(len(of_one) for of_one in boxes)
            boxes = [[*of_one, *([[0.0] * 4] * (most - len(of_one)))] for of_one in boxes]
            labels = [[*of_one, *([-1] * (most - len(of_one)))] for of_one in labels]
        boxes, labels = np.asarray(boxes, "float32"), np.asarray(labels)
    boxes, labels = ops.cast(boxes, "float32"), ops.convert_to_tensor(labels)
    if len(boxes.shape) not in (2, 3) or len(labels.shape) not in (len(boxes.shape) - 1, len(boxes.shape)):
        raise ShapeError(
            f"{owner}: expected boxes (boxes, 4) or (batch, boxes, 4) and a label of each. Received: boxes of shape "
            f"{tuple(boxes.shape)}, labels of shape {tuple(labels.shape)}"
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}
