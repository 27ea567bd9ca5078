"""MobileNetV2: blocks that widen, filter each channel, and narrow again, with shortcuts between the narrow ends."""

from __future__ import annotations

from typing import Any

from pyml import layers, settings
from pyml.applications.building import (
    STORE,
    Network,
    channel_axis,
    check_numbers,
    conv,
    divisible,
    norm,
    padded,
    padding_for,
    preprocessing,
)
from pyml.applications.imagenet_utils import decode_predictions
from pyml.backend import is_keras_tensor
from pyml.models.model import Model
from pyml.tracebacks import warn

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)
_SIZES = (96, 128, 160, 192, 224)
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))  # filters, blocks, first stride


def MobileNetV2(input_shape: Any = None, alpha: float = 1.0, include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
                pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
                name: str | None = None) -> Model:  # fmt: skip
    """Builds MobileNetV2.

    Source: https://arxiv.org/abs/1801.04381

    Args:
        input_shape: Shape of one image, at least 32x32.
        alpha: Factor on the filters of every layer.
        include_top: With the layers that classify.
        weights: `None` for random ones, `"imagenet"` for those of the public store, or the path of a file of weights.
        input_tensor: A symbolic tensor to build upon.
        pooling: Without a head: `None` for feature maps, `"avg"` or `"max"` for one vector of each image.
        classes: How many classes the head tells apart.
        classifier_activation: Activation of the head; None gives logits.
        name: Name of the model.

    Returns:
        A model over images `(batch, height, width, 3)`.

    Raises:
        ValueError: An argument that does not fit the others, or a shape that is too small.
        OSError: The weights cannot be fetched.

    Example:
        >>> pyml.applications.MobileNetV2(weights=None, classes=3, alpha=0.35, input_shape=(32, 32, 3)).output_shape
        (None, 3)
    """
    check_numbers("MobileNetV2", alpha=alpha)
    net = Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    if input_tensor is not None and is_keras_tensor(input_tensor):
        sizes = input_tensor.shape[2:4] if settings.image_data_format() == "channels_first" else input_tensor.shape[1:3]
        if input_shape is not None and tuple(sizes) != (net.rows, net.columns):
            raise ValueError(f"`input_tensor` and `input_shape` must have the same image size. Received: {input_tensor.shape=}, "
                             f"{input_shape=}")  # fmt: skip
    else:
        sizes = (net.rows, net.columns) if input_shape is not None else (224, 224)
    image = net.begin(sizes[0] if sizes[0] == sizes[1] and sizes[0] in _SIZES else 224)
    rows = net.rows
    if weights == "imagenet":
        if alpha not in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4):
            raise ValueError("If imagenet weights are being loaded, alpha must be one of `0.35`, `0.50`, `0.75`, `1.0`, `1.3` or `1.4` "
                             f"only; Received `{alpha=}`")  # fmt: skip
        if rows != net.columns or rows not in _SIZES:
            rows = 224
            warn("`input_shape` is undefined or non-square, or `rows` is not in [96, 128, 160, 192, 224]. "
                          "Weights for input shape (224, 224) will be loaded as the default.")  # fmt: skip
    x = conv(image, divisible(32 * alpha), 3, "Conv1", 2)
    x = layers.ReLU(6.0, name="Conv1_relu")(norm(x, "bn_Conv1", momentum=0.999))
    block = 0
    for filters, repeats, stride in _STAGES:
        for i in range(repeats):
            x = _block(x, divisible(int(filters * alpha)), stride if i == 0 else 1, block)
            block += 1
    x = norm(conv(x, divisible(1280 * max(alpha, 1.0)), 1, "Conv_1", padding="valid"), "Conv_1_bn", momentum=0.999)
    x = net.head(layers.ReLU(6.0, name="out_relu")(x), top_name=None, names=False)
    net.name = name or f"mobilenetv2_{alpha:0.2f}_{rows}"
    file = f"{STORE}mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    return net.model(image, x, lambda: (f"{file}{'' if include_top else '_no_top'}.h5", None))


def _block(inputs: Any, filters: int, stride: int, block: int) -> Any:
    x, channels = inputs, inputs.shape[channel_axis()]
    prefix = f"block_{block}_" if block else "expanded_conv_"

    def normalized(x: Any, name: str) -> Any:
        return norm(x, f"{prefix}{name}_BN", momentum=0.999)

    if block:
        x = normalized(conv(x, 6 * channels, 1, f"{prefix}expand"), "expand")
        x = layers.ReLU(6.0, name=f"{prefix}expand_relu")(x)
    if stride == 2:
        x = padded(x, padding_for(x, 3), f"{prefix}pad")
    x = layers.DepthwiseConv2D(3, strides=stride, use_bias=False, padding="same" if stride == 1 else "valid",
                               name=f"{prefix}depthwise")(x)  # fmt: skip
    x = layers.ReLU(6.0, name=f"{prefix}depthwise_relu")(normalized(x, "depthwise"))
    x = normalized(conv(x, filters, 1, f"{prefix}project"), "project")
    return layers.Add(name=f"{prefix}add")([inputs, x]) if channels == filters and stride == 1 else x
