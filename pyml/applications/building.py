"""What the builders of networks share: their arguments, input, head and weights, and the layers written most often."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

from pyml import activations, layers, settings
from pyml.applications import imagenet_utils
from pyml.backend import is_keras_tensor
from pyml.errors import DtypeError
from pyml.models.model import Model
from pyml.models.plotting import get_source_inputs
from pyml.tracebacks import warn
from pyml.utils.files import get_file

Published: TypeAlias = Callable[..., Model]

STORE = "https://storage.googleapis.com/tensorflow/keras-applications/"
NO_CHANNELS_FIRST = "{} does not support the `channels_first` image data format: call pyml.config.set_image_data_format('channels_last')."


def channel_axis() -> int:
    """The axis of channels in the data format of `pyml.config`."""
    return 1 if settings.image_data_format() == "channels_first" else -1


def divisible(filters: float) -> int:
    """The multiple of 8 nearest to `filters`, at most a tenth below it."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * filters else rounded


def norm(x: Any, name: str | None = None, **kwargs: Any) -> Any:
    """Batch normalization over the channels."""
    return layers.BatchNormalization(axis=channel_axis(), name=name, **kwargs)(x)


def act(x: Any, activation: Any, name: str | None = None) -> Any:
    """An Activation layer."""
    return layers.Activation(activation, name=name)(x)


def conv(x: Any, filters: int, size: Any, name: str | None = None, strides: Any = 1, padding: str = "same", use_bias: bool = False,
         **kwargs: Any) -> Any:  # fmt: skip
    """A convolution, without a bias unless asked for."""
    return layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=use_bias, name=name, **kwargs)(x)


def check_numbers(title: str, **given: Any) -> None:
    """Whether arguments of a builder that are computed with are numbers.

    Raises:
        DtypeError: One is not, which is a TypeError and a ValueError: Keras has either.
    """
    for name, value in given.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise DtypeError(f"{title}: {name} must be a number. Received: {name}={value!r}")


def padding_for(x: Any, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros around `x` before a convolution of stride 2, so that even sizes align as in TensorFlow's "same"."""
    first = 2 if settings.image_data_format() == "channels_first" else 1
    rows, columns = x.shape[first : first + 2]
    half = size // 2
    odd = (1, 1) if rows is None else (1 - rows % 2, 1 - columns % 2)
    return (half - odd[0], half), (half - odd[1], half)


def padded(x: Any, padding: Any, name: str | None = None) -> Any:
    """Zeros around images; a number is for all four sides."""
    return layers.ZeroPadding2D(padding, name=name)(x)


def input_shape(shape: Any, default_size: int, min_size: int, include_top: bool, weights: Any) -> tuple[int | None, ...]:
    """The shape of one image from the argument `input_shape`.

    Raises:
        ValueError: It has not three axes, is too small, open where a head needs sizes, or not the one of the weights.
    """
    first = settings.image_data_format() == "channels_first"

    def sized(size: int | None, channels: Any) -> tuple[Any, ...]:
        return (channels, size, size) if first else (size, size, channels)

    channel = 0 if first else -1
    default = sized(default_size, 3)
    if weights != "imagenet" and shape and len(shape) == 3:
        if shape[channel] not in (1, 3):
            warn("This model usually expects 1 or 3 input channels. However, it was passed an input_shape "
                          f"with {shape[channel]} input channels.")  # fmt: skip
        default = sized(default_size, shape[channel])
    if weights == "imagenet" and include_top:
        if shape is not None and tuple(shape) != default:
            raise ValueError("When setting `include_top=True` and loading `imagenet` weights, "
                             f"`input_shape` should be {default}.  Received: input_shape={shape}")  # fmt: skip
        return default
    if not shape:
        return default if include_top else sized(None, 3)
    if len(shape) != 3:
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: input_shape={shape}")
    if shape[channel] != 3 and weights == "imagenet":
        raise ValueError(f"The input must have 3 channels; Received `input_shape={shape}`")
    if any(size is not None and size < min_size for size in (shape[1:] if first else shape[:2])):
        raise ValueError(f"Input size must be at least {min_size}x{min_size}; Received: input_shape={shape}")
    if include_top and None in shape:
        raise ValueError(f"If `include_top` is True, you should specify a static `input_shape`. Received: input_shape={shape}")
    return tuple(shape)


@dataclass
class Network:
    """The arguments that all networks have, and the steps that all builders take."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any
    name: str | None

    def __post_init__(self) -> None:
        if self.input_shape is not None and not (isinstance(self.input_shape, (tuple, list)) and len(self.input_shape) in (0, 3)):
            raise ValueError(f"`input_shape` must be a tuple of three integers. Received: input_shape={self.input_shape!r}")
        if not (self.weights in ("imagenet", None) or _is_address(self.weights) or os.path.exists(self.weights)):
            raise ValueError("The `weights` argument should be either `None` (random initialization), 'imagenet' (pre-training on "
                             f"ImageNet), or the path to the weights file to be loaded.  Received: weights={self.weights}")  # fmt: skip
        if self.weights == "imagenet" and self.include_top and self.classes != 1000:
            raise ValueError("If using `weights='imagenet'` with `include_top=True`, `classes` should be 1000.  "
                             f"Received classes={self.classes}")  # fmt: skip

    @property
    def rows(self) -> Any:
        """The height of the images."""
        return self.input_shape[1 if settings.image_data_format() == "channels_first" else 0]

    @property
    def columns(self) -> Any:
        """The width of the images."""
        return self.input_shape[2 if settings.image_data_format() == "channels_first" else 1]

    def begin(self, default_size: int = 224, min_size: int = 32) -> Any:
        """The symbolic images; `input_shape` is then known."""
        self.input_shape = input_shape(self.input_shape, default_size, min_size, self.include_top, self.weights)
        return self.image()

    def image(self) -> Any:
        """The symbolic images of `input_shape`, or `input_tensor`."""
        if self.input_tensor is None:
            return layers.Input(shape=self.input_shape)
        if not is_keras_tensor(self.input_tensor):
            raise ValueError("`input_tensor` must be a symbolic tensor, such as `pyml.Input(shape)` returns; "
                             f"received {type(self.input_tensor).__name__}")  # fmt: skip
        return self.input_tensor

    def pooled(self, x: Any, names: bool = True) -> Any:
        """Without a head: pooled as the argument `pooling` says."""
        if self.pooling == "avg":
            return layers.GlobalAveragePooling2D(name="avg_pool" if names else None)(x)
        if self.pooling == "max":
            return layers.GlobalMaxPooling2D(name="max_pool" if names else None)(x)
        return x

    def check_activation(self) -> None:
        """Weights that are loaded fit probabilities or logits only."""
        if self.weights is not None:
            wanted = activations.get(self.classifier_activation)
            if wanted not in (activations.get("softmax"), activations.get(None)):
                raise ValueError("Only `None` and `softmax` activations are allowed for the `classifier_activation` argument when using "
                                 "pretrained weights, with `include_top=True`; "
                                 f"Received: classifier_activation={self.classifier_activation}")  # fmt: skip

    def classes_of(self, x: Any, **kwargs: Any) -> Any:
        """The last layer of a head."""
        self.check_activation()
        return layers.Dense(self.classes, activation=self.classifier_activation, name="predictions", **kwargs)(x)

    def head(self, x: Any, top_name: str | None = "avg_pool", names: bool = True) -> Any:
        """The head that most networks have: the mean of all places and a Dense layer; or no head."""
        if not self.include_top:
            return self.pooled(x, names)
        return self.classes_of(layers.GlobalAveragePooling2D(name=top_name)(x))

    def model(self, image: Any, x: Any, origin: Callable[[], tuple[str, str | None] | tuple[str, str | None, str]]) -> Any:
        """The model with its weights loaded; `origin` says where those of ImageNet are, their hash, and their name if kept by another."""
        inputs = image if self.input_tensor is None else get_source_inputs(self.input_tensor)
        model = Model(inputs, x, name=self.name)
        if self.weights == "imagenet":
            address, file_hash, *names = origin()
            model.load_weights(_fetched(names[0] if names else address.rpartition("/")[2], address, file_hash))
        elif _is_address(self.weights):
            model.load_weights(_fetched(None, self.weights, None))
        elif self.weights is not None:
            model.load_weights(self.weights)
        return model


def _is_address(weights: Any) -> bool:
    return isinstance(weights, str) and weights.startswith(("http://", "https://"))


def _fetched(name: str | None, address: str, file_hash: str | None) -> str:
    """The path of weights of the web on this machine."""
    try:
        return get_file(name, address, cache_subdir="models", file_hash=file_hash)
    except OSError as error:
        raise OSError(f"{error} The weights are not on this machine and cannot be fetched: fetch {address} elsewhere and pass the path "
                      "of that file as `weights`, or pass `weights=None` for random ones.") from None  # fmt: skip


ARGUMENTS = """
    Args:
        include_top: With the layers that classify.
        weights: `None` for random ones, `"imagenet"` for those of the public store, or the path or address of a file of weights.
        input_tensor: A symbolic tensor to build upon.
        input_shape: Shape of one image; needs `include_top=False` where `weights="imagenet"`.
        pooling: Without a head: `None` for feature maps, `"avg"` or `"max"` for one vector of each image.
        classes: How many classes the head tells apart.
        classifier_activation: Activation of the head; None gives logits.
        name: Name of the model.

    Returns:
        A model over images `(batch, height, width, 3)`.

    Raises:
        ValueError: An argument that does not fit the others, or a shape that is too small.
        OSError: The weights cannot be fetched.
"""


def network(title: str, default_name: str, build: Callable[[Network], Any], module: str, source: str) -> Published:
    """A public builder with the arguments that most networks have."""

    def builder(include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None, input_shape: Any = None,
                pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
                name: str | None = default_name) -> Model:  # fmt: skip
        return build(Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name))

    return documented(builder, title, module, source)


def documented(builder: Callable[..., Any], title: str, module: str, source: str, more: str = "") -> Callable[..., Any]:
    """The builder under its public name; `more` describes arguments that only its family has."""
    builder.__name__ = builder.__qualname__ = title
    builder.__module__ = module
    arguments = ARGUMENTS.replace("\n\n    Returns", f"{more}\n\n    Returns")
    builder.__doc__ = (f"Builds {title}.\n\n    Source: {source}\n{arguments}\n    Example:\n"
                       f"        >>> model = pyml.applications.{title}(weights=None)    # doctest: +SKIP\n    ")  # fmt: skip
    return builder


def preprocessing(mode: str | None, module: str) -> Callable[..., Any]:
    """`preprocess_input` of one family; `mode` None leaves images as they are: the network has a layer for it."""

    def preprocess_input(x: Any, data_format: str | None = None) -> Any:
        return x if mode is None else imagenet_utils.preprocess_input(x, data_format, mode)

    what = "unchanged: the network itself scales them" if mode is None else f'scaled as `imagenet_utils.preprocess_input(mode="{mode}")`'
    name = module.rpartition(".")[2]
    preprocess_input.__doc__ = f"""Images of 0 to 255, {what}.

    Args:
        x: A tensor or an array of images, or of one.
        data_format: `"channels_last"` or `"channels_first"`; None means that of `pyml.config`.

    Example:
        >>> pyml.applications.{name}.preprocess_input(np.full((1, 4, 4, 3), 255.0)).shape
        (1, 4, 4, 3)
    """
    preprocess_input.__module__ = module
    return preprocess_input
