"""ResNet of the second version: built in `resnet.py`."""

from __future__ import annotations

from pyml.applications.building import Published, network, preprocessing
from pyml.applications.imagenet_utils import decode_predictions
from pyml.applications.resnet import build

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)


def _public(title: str) -> Published:
    return network(title, title.lower(), lambda net: build(net, title.lower()), __name__, "https://arxiv.org/abs/1603.05027")


ResNet50V2, ResNet101V2, ResNet152V2 = _public("ResNet50V2"), _public("ResNet101V2"), _public("ResNet152V2")
