"""ResNet: bottlenecks with shortcuts around them. The second version normalizes before its convolutions."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, Published, act, conv, network, norm, padded, preprocessing
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("caffe", __name__)
_EPSILON = 1.001e-5
# name -> how many blocks its four stages have, and the hashes of its weights with and without a head
_NETWORKS = {
    "resnet50": ((3, 4, 6, 3), "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ((3, 4, 23, 3), "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ((3, 8, 36, 3), "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ((3, 4, 6, 3), "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ((3, 4, 23, 3), "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ((3, 8, 36, 3), "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def build(net: Network, key: str) -> Any:
    """One of the table's networks."""
    second = key.endswith("v2")
    blocks, with_head, without = _NETWORKS[key]
    image = net.begin()
    x = conv(padded(image, 3, "conv1_pad"), 64, 7, "conv1_conv", 2, "valid", use_bias=True)
    if not second:
        x = _normalized(x, "conv1")
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(padded(x, 1, "pool1_pad"))
    for stage, repeats in enumerate(blocks):
        for i in range(1, repeats + 1):
            name, filters = f"conv{stage + 2}_block{i}", 64 << stage
            if second:
                x = _block_v2(x, filters, 2 if i == repeats and stage < 3 else 1, i == 1, name)
            else:
                x = _block(x, filters, 2 if i == 1 and stage > 0 else 1, i == 1, name)
    if second:
        x = _normalized(x, "post")
    x = net.head(x)
    file = f"{STORE}resnet/{key}_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, x, lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))


def _normalized(x: Any, name: str) -> Any:
    return act(norm(x, f"{name}_bn", epsilon=_EPSILON), "relu", f"{name}_relu")


def _block(x: Any, filters: int, stride: int, convolved: bool, name: str) -> Any:
    shortcut = x
    if convolved:
        shortcut = norm(conv(x, 4 * filters, 1, f"{name}_0_conv", stride, "valid", True), f"{name}_0_bn", epsilon=_EPSILON)
    x = _normalized(conv(x, filters, 1, f"{name}_1_conv", stride, "valid", True), f"{name}_1")
    x = _normalized(conv(x, filters, 3, f"{name}_2_conv", use_bias=True), f"{name}_2")
    x = norm(conv(x, 4 * filters, 1, f"{name}_3_conv", 1, "valid", True), f"{name}_3_bn", epsilon=_EPSILON)
    return act(layers.Add(name=f"{name}_add")([shortcut, x]), "relu", f"{name}_out")


def _block_v2(x: Any, filters: int, stride: int, convolved: bool, name: str) -> Any:
    ready = _normalized(x, f"{name}_preact")
    if convolved:
        shortcut = conv(ready, 4 * filters, 1, f"{name}_0_conv", stride, "valid", True)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = _normalized(conv(ready, filters, 1, f"{name}_1_conv", 1, "valid"), f"{name}_1")
    x = conv(padded(x, 1, f"{name}_2_pad"), filters, 3, f"{name}_2_conv", stride, "valid")
    x = conv(_normalized(x, f"{name}_2"), 4 * filters, 1, f"{name}_3_conv", 1, "valid", True)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _public(title: str) -> Published:
    return network(title, title.lower(), lambda net: build(net, title.lower()), __name__, "https://arxiv.org/abs/1512.03385")


ResNet50, ResNet101, ResNet152 = _public("ResNet50"), _public("ResNet101"), _public("ResNet152")
