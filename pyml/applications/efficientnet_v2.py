"""EfficientNetV2: blocks as EfficientNet's, the first ones with one convolution for widening and filtering."""

from __future__ import annotations

import math
from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, Published, act, channel_axis, conv, documented, norm, preprocessing
from pyml.applications.efficientnet import KERNELS, excited, skipping, top
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L", "EfficientNetV2M",
           "EfficientNetV2S", "decode_predictions", "preprocess_input"]  # fmt: skip
preprocess_input = preprocessing(None, __name__)
_BASE = ((1, 32, 16, 1, 1), (2, 16, 32, 4, 2), (2, 32, 48, 4, 2), (3, 48, 96, 4, 2), (5, 96, 112, 6, 1), (8, 112, 192, 6, 2))
# blocks, filters in and out, factor of widening, stride of the first block; the first three stages have fused blocks
_STAGES = {
    "s": ((2, 24, 24, 1, 1), (4, 24, 48, 4, 2), (4, 48, 64, 4, 2), (6, 64, 128, 4, 2), (9, 128, 160, 6, 1), (15, 160, 256, 6, 2)),
    "m": ((3, 24, 24, 1, 1), (5, 24, 48, 4, 2), (5, 48, 80, 4, 2), (7, 80, 160, 4, 2), (14, 160, 176, 6, 1), (18, 176, 304, 6, 2),
          (5, 304, 512, 6, 1)),
    "l": ((4, 32, 32, 1, 1), (7, 32, 64, 4, 2), (7, 64, 96, 4, 2), (10, 96, 192, 4, 2), (19, 192, 224, 6, 1), (25, 224, 384, 6, 2),
          (7, 384, 640, 6, 1)),
}  # fmt: skip
# variant -> width, depth, size of images, hashes of the weights with and without a head
_NETWORKS = {
    "b0": (1.0, 1.0, 224, "21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff"),
    "b1": (1.0, 1.1, 240, "069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37"),
    "b2": (1.1, 1.2, 260, "424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb"),
    "b3": (1.2, 1.4, 300, "1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856"),
    "s": (1.0, 1.0, 384, "e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070"),
    "m": (1.0, 1.0, 480, "a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342"),
    "l": (1.0, 1.0, 480, "27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615"),
}
_DROPPED = 0.2  # how often the last block would be skipped in training


def _rounded(filters: float) -> int:
    """The multiple of 8 nearest to `filters`; unlike `divisible`, however far below it."""
    return max(8, int(filters + 4) // 8 * 8)


def _normalized(x: Any, name: str) -> Any:
    return norm(x, name, momentum=0.9)


def _scaled(image: Any, variant: str) -> Any:
    """Pixels of 0 to 255 as the variant was trained on."""
    if variant.startswith("b") and image.shape[channel_axis()] == 3:
        x = layers.Rescaling(scale=1.0 / 255)(image)
        return layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229**2, 0.224**2, 0.225**2],
                                    axis=1 if channel_axis() == 1 else 3)(x)  # fmt: skip
    return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(image)


def _build(net: Network, variant: str, preprocessing: bool) -> Any:
    width, depth, size, with_head, without = _NETWORKS[variant]
    stages = _STAGES.get(variant, _BASE)
    image = net.begin(size)
    x = _scaled(image, variant) if preprocessing else image
    x = conv(x, _rounded(stages[0][1] * width), 3, "stem_conv", 2, kernel_initializer=KERNELS)
    x = act(_normalized(x, "stem_bn"), "swish", "stem_activation")
    total, done = float(sum(stage[0] for stage in stages)), 0  # as Keras counts: before the factor on the depth
    for number, (repeats, filters_in, filters_out, factor, stride) in enumerate(stages, 1):
        block = _fused_block if number <= 3 else _block
        for i in range(math.ceil(depth * repeats)):
            channels = _rounded((filters_out if i else filters_in) * width)
            x = block(x, channels, _rounded(filters_out * width), factor, 1 if i else stride, _DROPPED * done / total,
                      f"block{number}{chr(97 + i)}_")  # fmt: skip
            done += 1
    x = conv(x, _rounded(1280 * width), 1, "top_conv", kernel_initializer=KERNELS)
    x = act(_normalized(x, "top_bn"), "swish", "top_activation")
    file = f"{STORE}efficientnet_v2/efficientnetv2-{variant}"
    return net.model(image, top(net, x, 0.2),
                     lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))  # fmt: skip


def _block(inputs: Any, channels: int, filters: int, factor: int, stride: int, rate: float, name: str) -> Any:
    """Widened, filtered channel by channel, weighed, and narrowed again."""
    x = conv(inputs, channels * factor, 1, f"{name}expand_conv", kernel_initializer=KERNELS)
    x = act(_normalized(x, f"{name}expand_bn"), "swish", f"{name}expand_activation")
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, depthwise_initializer=KERNELS,
                               name=f"{name}dwconv2")(x)  # fmt: skip
    x = act(_normalized(x, f"{name}bn"), "swish", f"{name}activation")
    x = excited(x, max(1, channels // 4), name)
    x = _normalized(conv(x, filters, 1, f"{name}project_conv", kernel_initializer=KERNELS), f"{name}project_bn")
    return skipping(x, inputs, rate, name) if stride == 1 and channels == filters else x


def _fused_block(inputs: Any, channels: int, filters: int, factor: int, stride: int, rate: float, name: str) -> Any:
    """Widened and filtered by one convolution, and narrowed again; with a factor of 1, one convolution in all."""
    x = inputs
    if factor != 1:
        x = conv(x, channels * factor, 3, f"{name}expand_conv", stride, kernel_initializer=KERNELS)
        x = act(_normalized(x, f"{name}expand_bn"), "swish", f"{name}expand_activation")
    kernel, strides = (3, stride) if factor == 1 else (1, 1)
    x = _normalized(conv(x, filters, kernel, f"{name}project_conv", strides, kernel_initializer=KERNELS), f"{name}project_bn")
    if factor == 1:
        x = act(x, "swish", f"{name}project_activation")
    return skipping(x, inputs, rate, name) if stride == 1 and channels == filters else x


def _public(variant: str) -> Published:
    def builder(include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None, input_shape: Any = None,
                pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
                include_preprocessing: bool = True, name: str | None = f"efficientnetv2-{variant}") -> Any:  # fmt: skip
        net = Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
        return _build(net, variant, include_preprocessing)

    return documented(builder, f"EfficientNetV2{variant.upper()}", __name__, "https://arxiv.org/abs/2104.00298", """
        include_preprocessing: With the layers that scale pixels of 0 to 255.""")  # fmt: skip


EfficientNetV2B0, EfficientNetV2B1, EfficientNetV2B2, EfficientNetV2B3 = map(_public, ("b0", "b1", "b2", "b3"))
EfficientNetV2S, EfficientNetV2M, EfficientNetV2L = map(_public, ("s", "m", "l"))
