"""DenseNet: every block gets the outputs of all blocks before it."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import (
    NO_CHANNELS_FIRST,
    STORE,
    Network,
    Published,
    act,
    channel_axis,
    conv,
    network,
    norm,
    padded,
    preprocessing,
)
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("torch", __name__)
# name -> how many blocks its four stages have, and the hashes of its weights with and without a head
_NETWORKS = {
    "densenet121": ((6, 12, 24, 16), "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ((6, 12, 32, 32), "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ((6, 12, 48, 32), "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _normalized(x: Any, name: str = "") -> Any:
    return act(norm(x, f"{name}bn", epsilon=1.001e-5), "relu", f"{name}relu")


def _build(net: Network, key: str) -> Any:
    if channel_axis() == 1:
        raise ValueError(NO_CHANNELS_FIRST.format("DenseNet"))
    blocks, with_head, without = _NETWORKS[key]
    image = net.begin()
    x = _normalized(conv(padded(image, 3), 64, 7, "conv1_conv", 2, "valid"), "conv1_")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(padded(x, 1))
    for stage, count in enumerate(blocks, 2):
        if stage > 2:
            x = _normalized(x, f"pool{stage - 1}_")
            x = conv(x, x.shape[-1] // 2, 1, f"pool{stage - 1}_conv", 1, "valid")
            x = layers.AveragePooling2D(2, strides=2, name=f"pool{stage - 1}_pool")(x)
        for i in range(1, count + 1):
            name = f"conv{stage}_block{i}"
            grown = conv(_normalized(x, f"{name}_0_"), 128, 1, f"{name}_1_conv", 1, "valid")
            grown = conv(_normalized(grown, f"{name}_1_"), 32, 3, f"{name}_2_conv")
            x = layers.Concatenate(name=f"{name}_concat")([x, grown])
    x = net.head(_normalized(x))
    file = f"{STORE}densenet/{key}_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, x, lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))


def _public(title: str) -> Published:
    return network(title, title.lower(), lambda net: _build(net, title.lower()), __name__, "https://arxiv.org/abs/1608.06993")


DenseNet121, DenseNet169, DenseNet201 = _public("DenseNet121"), _public("DenseNet169"), _public("DenseNet201")
