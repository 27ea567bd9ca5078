"""InceptionResNetV2: convolutions of several sizes beside each other, whose result is added to their input."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, act, channel_axis, conv, network, norm, preprocessing
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)
_ROW, _COLUMN = (1, 7), (7, 1)
# kind of block -> its branches, each of convolutions of (filters, size)
_BRANCHES: dict[str, tuple[tuple[tuple[int, Any], ...], ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, _ROW), (192, _COLUMN))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}


class CustomScaleLayer(layers.Layer):
    """The first input plus `scale` times the second, `(batch, height, width, channels)` both; under the name that files of Keras have."""

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale


def _filtered(x: Any, filters: int, size: Any, strides: int = 1, padding: str = "same", name: str | None = None) -> Any:
    x = norm(conv(x, filters, size, name, strides, padding), name and f"{name}_bn", scale=False)
    return act(x, "relu", name and f"{name}_ac")


def _chain(x: Any, *steps: tuple[Any, ...]) -> Any:
    for step in steps:
        x = _filtered(x, *step)
    return x


def _joined(branches: list[Any], name: str) -> Any:
    return layers.Concatenate(axis=1 if channel_axis() == 1 else 3, name=name)(branches)


def _residual(x: Any, kind: str, number: int, scale: float, active: bool = True) -> Any:
    name = f"{kind}_{number}"
    mixed = _joined([_chain(x, *steps) for steps in _BRANCHES[kind]], f"{name}_mixed")
    up = conv(mixed, x.shape[channel_axis()], 1, f"{name}_conv", use_bias=True)
    x = CustomScaleLayer(scale)([x, up])
    return act(x, "relu", f"{name}_ac") if active else x


def _build(net: Network) -> Any:
    image = net.begin(299, 75)
    last = (3, 2, "valid")  # size, stride and padding of convolutions that halve the picture
    x = _chain(image, (32, *last), (32, 3, 1, "valid"), (64, 3))
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.MaxPooling2D(3, strides=2)(_chain(x, (80, 1, 1, "valid"), (192, 3, 1, "valid")))
    branches = [_chain(x, (96, 1)), _chain(x, (48, 1), (64, 5)), _chain(x, (64, 1), (96, 3), (96, 3))]
    pooled = _filtered(layers.AveragePooling2D(3, strides=1, padding="same")(x), 64, 1)
    x = _joined([*branches, pooled], "mixed_5b")
    for i in range(1, 11):
        x = _residual(x, "block35", i, 0.17)
    branches = [_chain(x, (384, *last)), _chain(x, (256, 1), (256, 3), (384, *last))]
    x = _joined([*branches, layers.MaxPooling2D(3, strides=2)(x)], "mixed_6a")
    for i in range(1, 21):
        x = _residual(x, "block17", i, 0.1)
    branches = [_chain(x, (256, 1), (384, *last)), _chain(x, (256, 1), (288, *last)), _chain(x, (256, 1), (288, 3), (320, *last))]
    x = _joined([*branches, layers.MaxPooling2D(3, strides=2)(x)], "mixed_7a")
    for i in range(1, 10):
        x = _residual(x, "block8", i, 0.2)
    x = _residual(x, "block8", 10, 1.0, active=False)
    x = _filtered(x, 1536, 1, name="conv_7b")
    file = f"{STORE}inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, net.head(x, names=False), lambda: (f"{file}.h5", "e693bd0210a403b3192acc6073ad2e96") if net.include_top else
                     (f"{file}_notop.h5", "d19885ff4a710c122648d3b5c3b684e4"))  # fmt: skip


InceptionResNetV2 = network("InceptionResNetV2", "inception_resnet_v2", _build, __name__, "https://arxiv.org/abs/1602.07261")
