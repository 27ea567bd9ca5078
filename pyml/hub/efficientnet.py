"""EfficientNet-Lite0 as a Model of layers, named as in Keras."""

from __future__ import annotations

from pyml import layers
from pyml.core.symbolic import KerasTensor
from pyml.initializers import Initializer
from pyml.models import Model

# (blocks, kernel, strides of the first, factor of the expansion, filters) of each stage.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip


def build_efficientnet_lite0(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    initializer: str | Initializer = "glorot_uniform",
    dropout: float = 0.2,
    folded: bool = False,
    name: str = "efficientnet_lite0",
) -> Model:
    """EfficientNet-Lite0 for images of values from 0 to 255.

    The layers are called as in Keras' EfficientNet: `stem_conv`, `block1a_dwconv` … `block7a_project_bn`, `top_conv`,
    `top_activation`, `avg_pool`, `top_dropout`, `predictions`; `rescaling` makes `(x - 127) / 128` of the values first.

    Args:
        input_shape: `(height, width, 3)`.
        classes: Length of the output.
        initializer: Of kernels.
        dropout: Share of the embedding that training leaves out.
        folded: Leaves out normalization, for weights that it was folded into: quicker, but not for training.

    Returns:
        A Model from `(batch, height, width, 3)` to probabilities `(batch, classes)`.

    Source: Tan and Le 2019, "EfficientNet"; the Lite variants of 2020 leave out squeezing and take ReLU6 for swish.
    """
    conv = lambda filters, size, strides, label: layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=folded, kernel_initializer=initializer, name=label
    )

    def normalized(x: KerasTensor, label: str, active: bool = True) -> KerasTensor:
        if not folded:
            x = layers.BatchNormalization(epsilon=1e-3, name=f"{label}_bn")(x)
        return layers.ReLU(6.0, name=f"{label}_activation")(x) if active else x

    inputs = layers.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(inputs)
    x = normalized(conv(32, 3, 2, "stem_conv")(x), "stem")
    channels = 32
    for stage, (blocks, kernel, first, expand, filters) in enumerate(STAGES, 1):
        for i in range(blocks):
            label, strides, before = f"block{stage}{'abcd'[i]}_", first if i == 0 else 1, x
            if expand != 1:
                x = normalized(conv(channels * expand, 1, 1, label + "expand_conv")(x), label + "expand")
            x = layers.DepthwiseConv2D(
                kernel, strides=strides, padding="same", use_bias=folded, depthwise_initializer=initializer, name=label + "dwconv"
            )(x)
            x = normalized(x, label[:-1])
            x = normalized(conv(filters, 1, 1, label + "project_conv")(x), label + "project", active=False)
            if strides == 1 and channels == filters:
                x = layers.Add(name=label + "add")([x, before])
            channels = filters
    x = normalized(conv(1280, 1, 1, "top_conv")(x), "top")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout, name="top_dropout")(x)
    x = layers.Dense(classes, activation="softmax", kernel_initializer=initializer, name="predictions")(x)
    return Model(inputs, x, name=name)

