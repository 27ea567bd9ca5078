"""NASNet: cells that were found by a search, each built upon the two cells before it."""

from __future__ import annotations

from typing import Any

from pyml import layers, settings
from pyml.applications.building import (
    NO_CHANNELS_FIRST,
    STORE,
    Network,
    Published,
    act,
    conv,
    documented,
    norm,
    padded,
    padding_for,
    preprocessing,
)
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)
# variant -> filters before the head, cells of each stage, filters of the first layer, whether cells look past the smaller cells,
# size of images, hashes of the weights with and without a head
_NETWORKS = {
    "mobile": (1056, 4, 32, False, 224, "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    "large": (4032, 6, 96, True, 331, "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
}


def _normalized(x: Any, name: str) -> Any:
    return norm(x, name, momentum=0.9997, epsilon=1e-3)


def _narrowed(x: Any, filters: int, name: str) -> Any:
    return conv(x, filters, 1, name, kernel_initializer="he_normal")


def _mean(x: Any, name: str) -> Any:
    return layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same", name=name)(x)


def _separable(x: Any, filters: int, kernel: int, name: str, stride: int = 1) -> Any:
    """Two separable convolutions."""
    x = act(x, "relu")
    if stride == 2:
        x = padded(x, padding_for(x, kernel), f"separable_conv_1_pad_{name}")
    x = layers.SeparableConv2D(filters, (kernel, kernel), strides=(stride, stride), padding="valid" if stride == 2 else "same",
                               use_bias=False, name=f"separable_conv_1_{name}")(x)  # fmt: skip
    x = act(_normalized(x, f"separable_conv_1_bn_{name}"), "relu")
    x = layers.SeparableConv2D(filters, (kernel, kernel), padding="same", use_bias=False, name=f"separable_conv_2_{name}")(x)
    return _normalized(x, f"separable_conv_2_bn_{name}")


def _adjusted(before: Any, x: Any, filters: int, block: str) -> Any:
    """The cell before last in the size and with the filters of this one."""
    if before is None:
        return x
    if before.shape[-2] != x.shape[-2]:
        before = act(before, "relu", f"adjust_relu_1_{block}")
        halves = []
        for i in (1, 2):  # every second place, from the first and from the second on
            half = before
            if i == 2:
                half = layers.Cropping2D(((1, 0), (1, 0)))(padded(before, ((0, 1), (0, 1))))
            half = layers.AveragePooling2D((1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{i}_{block}")(half)
            halves.append(_narrowed(half, filters // 2, f"adjust_conv_{i}_{block}"))
        return _normalized(layers.Concatenate(axis=-1)(halves), f"adjust_bn_{block}")
    if before.shape[-1] != filters:
        return _normalized(_narrowed(act(before, "relu"), filters, f"adjust_conv_projection_{block}"), f"adjust_bn_{block}")
    return before


def _normal(x: Any, before: Any, filters: int, block: str) -> tuple[Any, Any]:
    """A cell that keeps the size, and its input."""
    p = _adjusted(before, x, filters, block)
    h = _normalized(_narrowed(act(x, "relu"), filters, f"normal_conv_1_{block}"), f"normal_bn_1_{block}")

    def added(number: int, *parts: Any) -> Any:
        return layers.Add(name=f"normal_add_{number}_{block}")(list(parts))

    first = added(1, _separable(h, filters, 5, f"normal_left1_{block}"), _separable(p, filters, 3, f"normal_right1_{block}"))
    second = added(2, _separable(p, filters, 5, f"normal_left2_{block}"), _separable(p, filters, 3, f"normal_right2_{block}"))
    third = added(3, _mean(h, f"normal_left3_{block}"), p)
    fourth = added(4, _mean(p, f"normal_left4_{block}"), _mean(p, f"normal_right4_{block}"))
    fifth = added(5, _separable(h, filters, 3, f"normal_left5_{block}"), h)
    return layers.Concatenate(axis=-1, name=f"normal_concat_{block}")([p, first, second, third, fourth, fifth]), x


def _reduction(x: Any, before: Any, filters: int, block: str) -> tuple[Any, Any]:
    """A cell that halves the size, and its input."""
    p = _adjusted(before, x, filters, block)
    h = _normalized(_narrowed(act(x, "relu"), filters, f"reduction_conv_1_{block}"), f"reduction_bn_1_{block}")
    wide = padded(h, padding_for(h, 3), f"reduction_pad_1_{block}")

    def halved(part: Any, kernel: int, place: str) -> Any:
        return _separable(part, filters, kernel, f"reduction_{place}_{block}", 2)

    def pooled(pooling: type[Any], place: str) -> Any:
        return pooling((3, 3), strides=(2, 2), padding="valid", name=f"reduction_{place}_{block}")(wide)

    first = layers.Add(name=f"reduction_add_1_{block}")([halved(h, 5, "left1"), halved(p, 7, "right1")])
    second = layers.Add(name=f"reduction_add_2_{block}")([pooled(layers.MaxPooling2D, "left2"), halved(p, 7, "right2")])
    third = layers.Add(name=f"reduction_add3_{block}")([pooled(layers.AveragePooling2D, "left3"), halved(p, 5, "right3")])
    fourth = layers.Add()([second, _mean(first, f"reduction_left4_{block}")])
    last = [_separable(first, filters, 3, f"reduction_left4_{block}"), pooled(layers.MaxPooling2D, "right5")]
    fifth = layers.Add(name=f"reduction_add4_{block}")(last)
    return layers.Concatenate(axis=-1, name=f"reduction_concat_{block}")([second, third, fourth, fifth]), x


def _build(net: Network, variant: str) -> Any:
    last, cells, first, skips, size, with_head, without = _NETWORKS[variant]
    if settings.image_data_format() == "channels_first":
        raise ValueError(NO_CHANNELS_FIRST.format("NASNet"))
    if net.weights == "imagenet" and isinstance(net.input_shape, tuple) and None in net.input_shape:
        raise ValueError("When specifying the input shape of a NASNet and loading `ImageNet` weights, the input_shape argument must be "
                         f"static (no None entries). Got: `input_shape={net.input_shape}`.")  # fmt: skip
    filters = last // 24
    image = net.begin(size)
    x = conv(image, first, (3, 3), "stem_conv1", (2, 2), "valid", kernel_initializer="he_normal")
    x = _normalized(x, "stem_bn1")
    x, before = _reduction(x, None, filters // 4, "stem_1")
    x, before = _reduction(x, before, filters // 2, "stem_2")
    for stage in range(3):
        if stage:
            x, whole = _reduction(x, before, filters * 2**stage, f"reduce_{stage * cells}")
            before = before if skips else whole
        for i in range(cells):
            x, before = _normal(x, before, filters * 2**stage, str(stage * cells + i + (stage > 0)))
    x = net.head(act(x, "relu"), None, names=False)

    def origin() -> tuple[str, str, str]:
        address = f"{STORE}nasnet/NASNet-{variant}"
        if net.include_top:
            return f"{address}.h5", with_head, f"nasnet_{variant}.h5"
        return f"{address}-no-top.h5", without, f"nasnet_{variant}_no_top.h5"

    return net.model(image, x, origin)


def _public(variant: str) -> Published:
    def builder(input_shape: Any = None, include_top: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
                pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
                name: str | None = f"nasnet_{variant}") -> Any:  # fmt: skip
        if variant == "mobile" and not include_top and input_shape is None:
            input_shape = (224, 224, 3)
        return _build(Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name), variant)

    return documented(builder, f"NASNet{variant.title()}", __name__, "https://arxiv.org/abs/1707.07012")


NASNetMobile, NASNetLarge = _public("mobile"), _public("large")
