"""Xception: separable convolutions with shortcuts around them."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, act, conv, network, norm, preprocessing
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["Xception", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)


def _separable(x: Any, filters: int, name: str) -> Any:
    return norm(layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x), f"{name}_bn")


def _shrinking(x: Any, block: int, filters: tuple[int, int], first_relu: bool = True) -> Any:
    """Two separable convolutions and a pooling, beside a convolution of stride 2."""
    shortcut = norm(conv(x, filters[1], 1, strides=2))
    if first_relu:
        x = act(x, "relu", f"block{block}_sepconv1_act")
    x = act(_separable(x, filters[0], f"block{block}_sepconv1"), "relu", f"block{block}_sepconv2_act")
    x = _separable(x, filters[1], f"block{block}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return layers.Add()([x, shortcut])


def _build(net: Network) -> Any:
    image = x = net.begin(299, 71)
    for i, (filters, stride) in enumerate(((32, 2), (64, 1)), 1):
        x = act(norm(conv(x, filters, 3, f"block1_conv{i}", stride, "valid"), f"block1_conv{i}_bn"), "relu", f"block1_conv{i}_act")
    for block, count in ((2, 128), (3, 256), (4, 728)):
        x = _shrinking(x, block, (count, count), block > 2)
    for block in range(5, 13):
        shortcut = x
        for i in (1, 2, 3):
            x = _separable(act(x, "relu", f"block{block}_sepconv{i}_act"), 728, f"block{block}_sepconv{i}")
        x = layers.Add()([x, shortcut])
    x = _shrinking(x, 13, (728, 1024))
    for i, filters in enumerate((1536, 2048), 1):
        x = act(_separable(x, filters, f"block14_sepconv{i}"), "relu", f"block14_sepconv{i}_act")
    x = net.head(x, names=False)
    file = f"{STORE}xception/xception_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, x, lambda: (f"{file}.h5", "0a58e3b7378bc2990ea3b43d5981f1f6") if net.include_top else
                     (f"{file}_notop.h5", "b0042744bf5b25fce3cb969f33bebb97"))  # fmt: skip


Xception = network("Xception", "xception", _build, __name__, "https://arxiv.org/abs/1610.02357")
