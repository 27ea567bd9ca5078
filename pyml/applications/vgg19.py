"""VGG19: VGG16 with three convolutions more."""

from __future__ import annotations

from pyml.applications.building import network, preprocessing
from pyml.applications.imagenet_utils import decode_predictions
from pyml.applications.vgg16 import SOURCE, build

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("caffe", __name__)
VGG19 = network("VGG19", "vgg19", lambda net: build(net, "vgg19", (2, 2, 4, 4, 4), "cbe5617147190e668d6c5d5026f83318",
                                                    "253f8cb515780f3b799900260a226db6"), __name__, SOURCE)  # fmt: skip
