"""MobileNetV1 as a Model of layers, named as in Keras."""

from __future__ import annotations

from pyml import layers
from pyml.core.symbolic import KerasTensor
from pyml.initializers import Initializer
from pyml.models import Model

# (filters, strides) of the thirteen pairs of a depthwise and a pointwise convolution.
PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
         (1024, 2), (1024, 1))  # fmt: skip


def build_mobilenet_v1(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3),
    classes: int = 1000,
    initializer: str | Initializer = "glorot_uniform",
    folded: bool = False,
    name: str = "mobilenet_v1",
) -> Model:
    """MobileNetV1 1.0 for images of values from 0 to 255.

    The layers are called as in `keras.applications.MobileNet`: `conv1`, `conv_dw_1` … `conv_pw_13_relu`,
    `global_average_pooling2d`, `dropout`, `conv_preds`, `predictions`. Two things differ: the values from 0 to 255 become
    -1 to 1 inside (`rescaling`), and convolutions pad by themselves (no `conv_pad_2` and its kind).

    Args:
        input_shape: `(height, width, 3)`.
        classes: Length of the output.
        initializer: Of kernels.
        folded: Leaves out normalization, for weights that it was folded into: quicker, but not for training.

    Returns:
        A Model from `(batch, height, width, 3)` to probabilities `(batch, classes)`.

    Source: Howard et al. 2017, "MobileNets".
    """
    inputs = layers.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(inputs)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=folded, kernel_initializer=initializer, name="conv1")(x)
    x = _normalized(x, "conv1", folded)
    for number, (filters, strides) in enumerate(PAIRS, 1):
        x = layers.DepthwiseConv2D(
            3, strides=strides, padding="same", use_bias=folded, depthwise_initializer=initializer, name=f"conv_dw_{number}"
        )(x)
        x = _normalized(x, f"conv_dw_{number}", folded)
        x = layers.Conv2D(filters, 1, use_bias=folded, kernel_initializer=initializer, name=f"conv_pw_{number}")(x)
        x = _normalized(x, f"conv_pw_{number}", folded)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="global_average_pooling2d")(x)
    x = layers.Dropout(0.001, name="dropout")(x)
    x = layers.Conv2D(classes, 1, kernel_initializer=initializer, name="conv_preds")(x)
    x = layers.Reshape((classes,), name="reshape_2")(x)
    return Model(inputs, layers.Activation("softmax", name="predictions")(x), name=name)


def _normalized(x: KerasTensor, name: str, folded: bool) -> KerasTensor:
    if not folded:
        x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
