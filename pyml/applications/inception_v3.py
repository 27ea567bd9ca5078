"""InceptionV3: convolutions of several sizes beside each other, large ones written as rows after columns."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, act, channel_axis, conv, network, norm, preprocessing
from pyml.applications.imagenet_utils import decode_predictions

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)


def _filtered(x: Any, filters: int, size: Any, strides: int = 1, padding: str = "same") -> Any:
    return act(norm(conv(x, filters, size, strides=strides, padding=padding), scale=False), "relu")


def _chain(x: Any, *steps: tuple[Any, ...]) -> Any:
    for step in steps:
        x = _filtered(x, *step)
    return x


def _mean(x: Any, filters: int) -> Any:
    """The branch that takes the mean of 3x3 places before its filters."""
    return _filtered(layers.AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x), filters, 1)


def _joined(branches: list[Any], name: str | None = None) -> Any:
    return layers.Concatenate(axis=1 if channel_axis() == 1 else 3, name=name)(branches)


def _both(x: Any, name: str | None) -> Any:
    """A row of three beside a column of three."""
    return _joined([_filtered(x, 384, (1, 3)), _filtered(x, 384, (3, 1))], name)


def _halving(x: Any, name: str, *chains: tuple[tuple[Any, ...], ...]) -> Any:
    """Chains that end with stride 2, beside a pooling."""
    branches = [_chain(x, *steps) for steps in chains]
    return _joined([*branches, layers.MaxPooling2D((3, 3), strides=(2, 2))(x)], name)


def _build(net: Network) -> Any:
    image = net.begin(299, 75)
    x = _chain(image, (32, 3, 2, "valid"), (32, 3, 1, "valid"), (64, 3))
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(x)
    x = layers.MaxPooling2D((3, 3), strides=(2, 2))(_chain(x, (80, 1, 1, "valid"), (192, 3, 1, "valid")))
    for i, pooled in enumerate((32, 64, 64)):
        branches = [_chain(x, (64, 1)), _chain(x, (48, 1), (64, 5)), _chain(x, (64, 1), (96, 3), (96, 3))]
        x = _joined([*branches, _mean(x, pooled)], f"mixed{i}")
    x = _halving(x, "mixed3", ((384, 3, 2, "valid"),), ((64, 1), (96, 3), (96, 3, 2, "valid")))
    row, column = (1, 7), (7, 1)
    for i, count in enumerate((128, 160, 160, 192), 4):
        branches = [_chain(x, (192, 1)), _chain(x, (count, 1), (count, row), (192, column)),
                    _chain(x, (count, 1), (count, column), (count, row), (count, column), (192, row))]  # fmt: skip
        x = _joined([*branches, _mean(x, 192)], f"mixed{i}")
    x = _halving(x, "mixed8", ((192, 1), (320, 3, 2, "valid")), ((192, 1), (192, row), (192, column), (192, 3, 2, "valid")))
    for i in (0, 1):
        branches = [_filtered(x, 320, 1), _both(_filtered(x, 384, 1), f"mixed9_{i}"), _both(_chain(x, (448, 1), (384, 3)), None)]
        x = _joined([*branches, _mean(x, 192)], f"mixed{9 + i}")
    file = f"{STORE}inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels"
    return net.model(image, net.head(x, names=False), lambda: (f"{file}.h5", "9a0d58056eeedaa3f26cb7ebd46da564") if net.include_top else
                     (f"{file}_notop.h5", "bcbd6486424b2319ff4ef7d526e38f63"))  # fmt: skip


InceptionV3 = network("InceptionV3", "inception_v3", _build, __name__, "https://arxiv.org/abs/1512.00567")
