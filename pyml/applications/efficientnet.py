"""EfficientNet: blocks as MobileNetV2's with weights for each channel, scaled in width, depth and size together."""

from __future__ import annotations

import math
from typing import Any

from pyml import layers
from pyml.applications.building import (
    Network,
    Published,
    act,
    channel_axis,
    conv,
    divisible,
    network,
    norm,
    padded,
    padding_for,
    preprocessing,
)
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5", "EfficientNetB6",
           "EfficientNetB7", "decode_predictions", "preprocess_input"]  # fmt: skip
preprocess_input = preprocessing(None, __name__)
# kernel, blocks, filters in and out, factor of widening, stride of the first block
_STAGES = ((3, 1, 32, 16, 1, 1), (3, 2, 16, 24, 6, 2), (5, 2, 24, 40, 6, 2), (3, 3, 40, 80, 6, 2), (5, 3, 80, 112, 6, 1),
           (5, 4, 112, 192, 6, 2), (3, 1, 192, 320, 6, 1))  # fmt: skip
# name -> width, depth, size of images, dropout, hashes of the weights with and without a head
_NETWORKS = {
    "efficientnetb0": (1.0, 1.0, 224, 0.2, "902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d"),
    "efficientnetb1": (1.0, 1.1, 240, 0.2, "1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432"),
    "efficientnetb2": (1.1, 1.2, 260, 0.3, "b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39"),
    "efficientnetb3": (1.2, 1.4, 300, 0.3, "ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226"),
    "efficientnetb4": (1.4, 1.8, 380, 0.4, "18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba"),
    "efficientnetb5": (1.6, 2.2, 456, 0.4, "ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f"),
    "efficientnetb6": (1.8, 2.6, 528, 0.5, "165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743"),
    "efficientnetb7": (2.0, 3.1, 600, 0.5, "8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a"),
}
KERNELS = {"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"}}
HEAD = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}}
_DROPPED = 0.2  # how often the last block would be skipped in training


def top(net: Network, x: Any, dropout: float) -> Any:
    """The head of both versions."""
    if not net.include_top:
        return net.pooled(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return net.classes_of(layers.Dropout(dropout, name="top_dropout")(x), kernel_initializer=HEAD)


def excited(x: Any, filters: int, name: str) -> Any:
    """Every channel times a factor that a small network finds from the means of all channels."""
    count = x.shape[channel_axis()]
    factors = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    factors = layers.Reshape((count, 1, 1) if channel_axis() == 1 else (1, 1, count), name=f"{name}se_reshape")(factors)
    for size, activation, part in ((filters, "swish", "reduce"), (count, "sigmoid", "expand")):
        factors = conv(factors, size, 1, f"{name}se_{part}", use_bias=True, activation=activation, kernel_initializer=KERNELS)
    return layers.Multiply(name=f"{name}se_excite")([x, factors])


def skipping(x: Any, inputs: Any, rate: float, name: str) -> Any:
    """The sum of a block and its input; in training the block is left out at that rate."""
    if rate > 0:
        x = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def _build(net: Network, key: str) -> Any:
    width, depth, size, dropout, with_head, without = _NETWORKS[key]
    image = net.begin(size)
    x = layers.Normalization(axis=3 if channel_axis() == -1 else 1)(layers.Rescaling(1.0 / 255.0)(image))
    if net.weights == "imagenet":  # these were trained on pixels divided by the variance
        x = layers.Rescaling([1.0 / math.sqrt(deviation) for deviation in (0.229, 0.224, 0.225)])(x)
    x = padded(x, padding_for(x, 3), "stem_conv_pad")
    x = conv(x, divisible(32 * width), 3, "stem_conv", 2, "valid", kernel_initializer=KERNELS)
    x = act(norm(x, "stem_bn"), "swish", "stem_activation")
    total = sum(math.ceil(depth * stage[1]) for stage in _STAGES)
    done = 0
    for number, (kernel, repeats, filters_in, filters_out, factor, stride) in enumerate(_STAGES, 1):
        for i in range(math.ceil(depth * repeats)):
            channels = divisible((filters_out if i else filters_in) * width)
            x = _block(x, channels, divisible(filters_out * width), kernel, 1 if i else stride, factor, _DROPPED * done / total,
                       f"block{number}{chr(97 + i)}_")  # fmt: skip
            done += 1
    x = act(norm(conv(x, divisible(1280 * width), 1, "top_conv", kernel_initializer=KERNELS), "top_bn"), "swish", "top_activation")
    file = f"https://storage.googleapis.com/keras-applications/{key}"
    return net.model(image, top(net, x, dropout),
                     lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))  # fmt: skip


def _block(inputs: Any, channels: int, filters: int, kernel: int, stride: int, factor: int, rate: float, name: str) -> Any:
    x = inputs
    if factor != 1:
        x = conv(x, channels * factor, 1, f"{name}expand_conv", kernel_initializer=KERNELS)
        x = act(norm(x, f"{name}expand_bn"), "swish", f"{name}expand_activation")
    if stride == 2:
        x = padded(x, padding_for(x, kernel), f"{name}dwconv_pad")
    x = layers.DepthwiseConv2D(kernel, strides=stride, padding="valid" if stride == 2 else "same", use_bias=False,
                               depthwise_initializer=KERNELS, name=f"{name}dwconv")(x)  # fmt: skip
    x = act(norm(x, f"{name}bn"), "swish", f"{name}activation")
    x = excited(x, max(1, channels // 4), name)
    x = norm(conv(x, filters, 1, f"{name}project_conv", kernel_initializer=KERNELS), f"{name}project_bn")
    return skipping(x, inputs, rate, name) if stride == 1 and channels == filters else x


def _public(number: int) -> Published:
    key = f"efficientnetb{number}"
    return network(f"EfficientNetB{number}", key, lambda net: _build(net, key), __name__, "https://arxiv.org/abs/1905.11946")


EfficientNetB0, EfficientNetB1, EfficientNetB2, EfficientNetB3, EfficientNetB4, EfficientNetB5, EfficientNetB6, EfficientNetB7 = map(
    _public, range(8))  # fmt: skip
