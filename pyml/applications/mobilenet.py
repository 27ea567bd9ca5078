"""MobileNet: convolutions of depth and of points, one after the other."""

from __future__ import annotations

from typing import Any

from pyml import layers
from pyml.applications.building import STORE, Network, check_numbers, conv, norm, padded, preprocessing
from pyml.applications.imagenet_utils import decode_predictions
from pyml.models.model import Model
from pyml.tracebacks import warn

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing("tf", __name__)
_SIZES = (128, 160, 192, 224)
_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))  # filters, stride


def MobileNet(input_shape: Any = None, alpha: float = 1.0, depth_multiplier: int = 1, dropout: float = 1e-3, include_top: bool = True,
              weights: Any = "imagenet", input_tensor: Any = None, pooling: str | None = None, classes: int = 1000,
              classifier_activation: Any = "softmax", name: str | None = None) -> Model:  # fmt: skip
    """Builds MobileNet.

    Source: https://arxiv.org/abs/1704.04861

    Args:
        input_shape: Shape of one image, at least 32x32.
        alpha: Factor on the filters of every layer.
        depth_multiplier: Filters of depth for each channel.
        dropout: Rate before the last layer.
        include_top: With the layers that classify.
        weights: `None` for random ones, `"imagenet"` for those of the public store, or the path of a file of weights.
        input_tensor: A symbolic tensor to build upon.
        pooling: Without a head: `None` for feature maps, `"avg"` or `"max"` for one vector of each image.
        classes: How many classes the head tells apart.
        classifier_activation: Activation of the head; None gives logits.
        name: Name of the model.

    Returns:
        A model over images `(batch, height, width, 3)`.

    Raises:
        ValueError: An argument that does not fit the others, or a shape that is too small.
        OSError: The weights cannot be fetched.

    Example:
        >>> pyml.applications.MobileNet(weights=None, classes=3, alpha=0.25, input_shape=(32, 32, 3)).output_shape
        (None, 3)
    """
    check_numbers("MobileNet", alpha=alpha)
    net = Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
    size = net.rows if input_shape is not None and net.rows == net.columns and net.rows in _SIZES else 224
    image = net.begin(size)
    rows = net.rows
    if weights == "imagenet":
        if depth_multiplier != 1:
            raise ValueError(f"If imagenet weights are being loaded, depth multiplier must be 1.  Received {depth_multiplier=}")
        if alpha not in (0.25, 0.5, 0.75, 1.0):
            raise ValueError(f"If imagenet weights are being loaded, alpha can be one of `0.25`, `0.50`, `0.75` or `1.0` only.  "
                             f"Received {alpha=}")  # fmt: skip
        if rows != net.columns or rows not in _SIZES:
            rows = 224
            warn("`input_shape` is undefined or non-square, or `rows` is not in [128, 160, 192, 224]. "
                          "Weights for input shape (224, 224) will be loaded as the default.")  # fmt: skip
    x = _rectified(conv(image, int(32 * alpha), 3, "conv1", 2), "conv1")
    for block, (filters, stride) in enumerate(_BLOCKS, 1):
        if stride == 2:
            x = padded(x, ((0, 1), (0, 1)), f"conv_pad_{block}")
        x = layers.DepthwiseConv2D(3, padding="same" if stride == 1 else "valid", depth_multiplier=depth_multiplier, strides=stride,
                                   use_bias=False, name=f"conv_dw_{block}")(x)  # fmt: skip
        x = _rectified(x, f"conv_dw_{block}")
        x = _rectified(conv(x, int(filters * alpha), 1, f"conv_pw_{block}"), f"conv_pw_{block}")
    if include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = conv(x, classes, 1, "conv_preds", use_bias=True)
        x = layers.Reshape((classes,), name="reshape_2")(x)
        net.check_activation()
        x = layers.Activation(classifier_activation, name="predictions")(x)
    else:
        x = net.pooled(x, names=False)
    net.name = name or f"mobilenet_{alpha:0.2f}_{rows}"
    width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0"}.get(alpha, "2_5")
    return net.model(image, x, lambda: (f"{STORE}mobilenet/mobilenet_{width}_{rows}_tf{'' if include_top else '_no_top'}.h5", None))


def _rectified(x: Any, name: str) -> Any:
    return layers.ReLU(6.0, name=f"{name}_relu")(norm(x, f"{name}_bn"))
