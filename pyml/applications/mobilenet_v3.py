"""MobileNetV3, small and large: blocks as MobileNetV2's, some with weights for each channel, with cheaper activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyml import layers, settings
from pyml.applications.building import (
    STORE,
    Network,
    Published,
    channel_axis,
    check_numbers,
    conv,
    divisible,
    documented,
    norm,
    padded,
    padding_for,
    preprocessing,
)
from pyml.applications.imagenet_utils import decode_predictions
from pyml.backend import is_keras_tensor
from pyml.tracebacks import warn

__all__ = ["decode_predictions", "preprocess_input"]  # Keras has the networks in `applications` alone
preprocess_input = preprocessing(None, __name__)
# factor of widening, filters, kernel 5, stride, weights for each channel, hard swish
_BLOCKS = {
    "small": ((1, 16, 0, 2, 1, 0), (72 / 16, 24, 0, 2, 0, 0), (88 / 24, 24, 0, 1, 0, 0), (4, 40, 1, 2, 1, 1), (6, 40, 1, 1, 1, 1),
              (6, 40, 1, 1, 1, 1), (3, 48, 1, 1, 1, 1), (3, 48, 1, 1, 1, 1), (6, 96, 1, 2, 1, 1), (6, 96, 1, 1, 1, 1), (6, 96, 1, 1, 1, 1)),
    "large": ((1, 16, 0, 1, 0, 0), (4, 24, 0, 2, 0, 0), (3, 24, 0, 1, 0, 0), (3, 40, 1, 2, 1, 0), (3, 40, 1, 1, 1, 0), (3, 40, 1, 1, 1, 0),
              (6, 80, 0, 2, 0, 1), (2.5, 80, 0, 1, 0, 1), (2.3, 80, 0, 1, 0, 1), (2.3, 80, 0, 1, 0, 1), (6, 112, 0, 1, 1, 1),
              (6, 112, 0, 1, 1, 1), (6, 160, 1, 2, 1, 1), (6, 160, 1, 1, 1, 1), (6, 160, 1, 1, 1, 1)),
}  # fmt: skip
_HASHES = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


def _normalized(x: Any, name: str) -> Any:
    return norm(x, f"{name}bn", momentum=0.999)


def _relu(x: Any) -> Any:
    return layers.ReLU()(x)


def _hard_swish(x: Any) -> Any:
    return layers.Activation("hard_swish")(x)


def _shape_of(net: Network) -> None:
    """`input_shape` from the given shape and tensor; MobileNetV3 takes any size, with a head too."""
    given = net.input_tensor
    if given is not None and is_keras_tensor(given):
        shape = tuple(given.shape[1:])
        if net.input_shape is not None and shape != tuple(net.input_shape):
            raise ValueError(f"`input_tensor` and `input_shape` must have the same shape. Received: input_tensor.shape={given.shape}, "
                             f"input_shape={net.input_shape}")  # fmt: skip
        net.input_shape = shape
    if net.input_shape is None:
        net.input_shape = (3, None, None) if settings.image_data_format() == "channels_first" else (None, None, 3)
    if net.rows and net.columns and min(net.rows, net.columns) < 32:
        raise ValueError(f"Input size must be at least 32x32; Received `input_shape={net.input_shape}`")


def _build(net: Network, kind: str, last: int, alpha: float, minimalistic: bool, dropout: float, preprocessing: bool) -> Any:
    _shape_of(net)
    if net.weights == "imagenet":
        if alpha not in ((1.0,) if minimalistic else (0.75, 1.0)):
            raise ValueError("If imagenet weights are being loaded, alpha can be one of `0.75`, `1.0` for non minimalistic or `1.0` for "
                             f"minimalistic only. Received: {alpha=}")  # fmt: skip
        if not net.rows == net.columns == 224:
            warn("`input_shape` is undefined or non-square, or `rows` is not 224. "
                          "Weights for input shape (224, 224) will be loaded as the default.")  # fmt: skip
    active = _relu if minimalistic else _hard_swish
    image = net.image()
    x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(image) if preprocessing else image
    x = active(_normalized(conv(x, 16, 3, "conv", 2), "conv_"))
    for number, (factor, filters, wide, stride, excited, swish) in enumerate(_BLOCKS[kind]):
        kernel = 5 if wide and not minimalistic else 3
        prefix = f"expanded_conv_{number}_" if number else "expanded_conv_"
        x = _block(x, factor, divisible(filters * alpha), kernel, stride, excited and not minimalistic, active if swish else _relu, prefix)
    x = active(_normalized(conv(x, divisible(x.shape[channel_axis()] * 6), 1, "conv_1"), "conv_1_"))
    if net.include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = active(conv(x, divisible(last * alpha) if alpha > 1.0 else last, 1, "conv_2", use_bias=True))
        if dropout > 0:
            x = layers.Dropout(dropout)(x)
        x = layers.Flatten()(conv(x, net.classes, 1, "logits", use_bias=True))
        net.check_activation()
        x = layers.Activation(net.classifier_activation, name="predictions")(x)
    else:
        x = net.pooled(x)

    def origin() -> tuple[str, str]:
        key = f"{kind}{'_minimalistic' if minimalistic else ''}_224_{alpha}_float"
        file = f"{STORE}mobilenet_v3/weights_mobilenet_v3_{key}"
        return (f"{file}.h5", _HASHES[key][0]) if net.include_top else (f"{file}_no_top_v2.h5", _HASHES[key][1])

    return net.model(image, x, origin)


def _block(inputs: Any, factor: float, filters: int, kernel: int, stride: int, excited: Any, active: Callable[[Any], Any],
           prefix: str) -> Any:  # fmt: skip
    x, channels = inputs, inputs.shape[channel_axis()]
    if prefix != "expanded_conv_":
        x = active(_normalized(conv(x, divisible(channels * factor), 1, f"{prefix}expand"), f"{prefix}expand_"))
    if stride == 2:
        x = padded(x, padding_for(x, kernel), f"{prefix}depthwise_pad")
    x = layers.DepthwiseConv2D(kernel, strides=stride, padding="same" if stride == 1 else "valid", use_bias=False,
                               name=f"{prefix}depthwise")(x)  # fmt: skip
    x = active(_normalized(x, f"{prefix}depthwise_"))
    if excited:
        x = _excited(x, divisible(channels * factor), f"{prefix}squeeze_excite_")
    x = _normalized(conv(x, filters, 1, f"{prefix}project"), f"{prefix}project_")
    return layers.Add(name=f"{prefix}add")([inputs, x]) if stride == 1 and channels == filters else x


def _excited(x: Any, filters: int, prefix: str) -> Any:
    factors = layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}avg_pool")(x)
    factors = layers.ReLU(name=f"{prefix}relu")(conv(factors, divisible(filters * 0.25), 1, f"{prefix}conv", use_bias=True))
    factors = conv(factors, filters, 1, f"{prefix}conv_1", use_bias=True)
    factors = layers.ReLU(6.0)(factors + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{prefix}mul")([x, factors])


def _public(kind: str, last: int) -> Published:
    title = f"MobileNetV3{kind.title()}"

    def builder(input_shape: Any = None, alpha: float = 1.0, minimalistic: bool = False, include_top: bool = True,
                weights: Any = "imagenet", input_tensor: Any = None, classes: int = 1000, pooling: str | None = None,
                dropout_rate: float = 0.2, classifier_activation: Any = "softmax", include_preprocessing: bool = True,
                name: str | None = title) -> Any:  # fmt: skip
        check_numbers(title, alpha=alpha, dropout_rate=dropout_rate)
        net = Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
        return _build(net, kind, last, alpha, minimalistic, dropout_rate, include_preprocessing)

    return documented(builder, title, __name__, "https://arxiv.org/abs/1905.02244", """
        alpha: Factor on the filters of every layer.
        minimalistic: Without kernels of 5x5, weights for each channel, and hard swish.
        dropout_rate: Rate before the last layer.
        include_preprocessing: With the layer that scales pixels of 0 to 255.""")  # fmt: skip


MobileNetV3Small, MobileNetV3Large = _public("small", 1024), _public("large", 1280)
