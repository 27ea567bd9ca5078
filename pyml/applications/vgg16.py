"""VGG16: thirteen convolutions of 3x3 and three Dense layers."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, conv, network, preprocessing
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("caffe", __name__)
SOURCE = "https://arxiv.org/abs/1409.1556"


def build(net: Network, key: str, repeats: tuple[int, ...], with_head: str, without: str) -> Any:
    """A network of five blocks with that many convolutions each; the hashes are those of its weights."""
    image = x = net.begin()
    for block, (filters, count) in enumerate(zip((64, 128, 256, 512, 512), repeats, strict=True), 1):
        for i in range(1, count + 1):
            x = conv(x, filters, 3, f"block{block}_conv{i}", use_bias=True, activation="relu")
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if net.include_top:
        x = layers.Flatten(name="flatten")(x)
        for name in ("fc1", "fc2"):
            x = layers.Dense(4096, activation="relu", name=name)(x)
        x = net.classes_of(x)
    else:
        x = net.pooled(x, names=False)
    file = f"{STORE}{key}/{key}_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, x, lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))


VGG16 = network("VGG16", "vgg16", lambda net: build(net, "vgg16", (2, 2, 3, 3, 3), "64373286793e3c8b2b4e3219cbf3544b",
                                                    "6d6bbae143d832006294945121d1f1fc"), __name__, SOURCE)  # fmt: skip
