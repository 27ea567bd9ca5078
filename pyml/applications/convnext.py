"""ConvNeXt: convolutions of 7x7 channel by channel, each before a wide Dense layer and a narrow one, with a sum around all three."""

from __future__ import annotations

from typing import Any

from pyml import initializers, layers, settings
from pyml.applications.building import NO_CHANNELS_FIRST, STORE, Network, Published, act, documented, preprocessing
from pyml.applications.imagenet_utils import decode_predictions
from pyml.models.sequential import Sequential

__all__ = ["ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "decode_predictions", "preprocess_input"]
preprocess_input = preprocessing(None, __name__)
# variant -> blocks of each stage, filters of the first stage (each later one has twice as many), hashes with and without a head
_NETWORKS = {
    "tiny": ((3, 3, 9, 3), 96, "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
             "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"),
    "small": ((3, 3, 27, 3), 96, "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
              "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"),
    "base": ((3, 3, 27, 3), 128, "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
             "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"),
    "large": ((3, 3, 27, 3), 192, "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
              "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd"),
    "xlarge": ((3, 3, 27, 3), 256, "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
               "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05"),
}  # fmt: skip


class LayerScale(layers.Layer):
    """Every channel times a learned factor: `x * gamma`, with `gamma` of `projection_dim` values, `init_values` at first."""

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(shape=(self.projection_dim,), initializer=initializers.Constant(self.init_values))

    def call(self, x: Any) -> Any:
        return x * self.gamma


def _normalized(name: str | None = None) -> Any:
    return layers.LayerNormalization(epsilon=1e-6, name=name)


def _block(inputs: Any, filters: int, name: str) -> Any:
    x = layers.Conv2D(filters, 7, padding="same", groups=filters, name=f"{name}_depthwise_conv")(inputs)
    x = layers.Dense(4 * filters, name=f"{name}_pointwise_conv_1")(_normalized(f"{name}_layernorm")(x))
    x = layers.Dense(filters, name=f"{name}_pointwise_conv_2")(act(x, "gelu", f"{name}_gelu"))
    x = LayerScale(1e-6, filters, name=f"{name}_layer_scale")(x)
    return inputs + act(x, "linear", f"{name}_identity")


def _build(net: Network, variant: str, preprocessing: bool) -> Any:
    depths, width, with_head, without = _NETWORKS[variant]
    if settings.image_data_format() == "channels_first":
        raise ValueError(NO_CHANNELS_FIRST.format("ConvNeXt"))
    if net.weights == "imagenet" and f"convnext_{variant}" not in str(net.name):
        raise ValueError(f'Model name "{net.name}" does not match weights variant "convnext_{variant}". When using imagenet weights, '
                         f'model name must contain the weights variant (e.g., "convnext_{variant}").')  # fmt: skip
    name, key = net.name, f"convnext_{variant}"
    image = x = net.begin(224)
    if preprocessing and net.input_shape[-1] == 3:
        x = layers.Normalization(mean=[0.485 * 255, 0.456 * 255, 0.406 * 255],
                                 variance=[(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2],
                                 name=f"{name}_prestem_normalization")(x)  # fmt: skip
    first = [layers.Conv2D(width, 4, strides=4, name=f"{name}_stem_conv"), _normalized(f"{name}_stem_layernorm")]
    smaller = [Sequential(first, name=f"{name}_stem")]
    for i in range(3):
        later = [_normalized(f"{name}_downsampling_layernorm_{i}"),
                 layers.Conv2D(width * 2 ** (i + 1), 2, strides=2, name=f"{name}_downsampling_conv_{i}")]  # fmt: skip
        smaller.append(Sequential(later, name=f"{name}_downsampling_block_{i}"))
    for stage, blocks in enumerate(depths):
        x = smaller[stage](x)
        for i in range(blocks):
            x = _block(x, width * 2**stage, f"{name}_stage_{stage}_block_{i}")
    if net.include_top:
        net.check_activation()
        x = _normalized(f"{name}_head_layernorm")(layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x))
        x = layers.Dense(net.classes, activation=net.classifier_activation, name=f"{name}_head_dense")(x)
    else:
        x = _normalized()(net.pooled(x, names=False))
    file = f"{STORE}convnext/{key}"
    return net.model(image, x, lambda: (f"{file}.h5", with_head) if net.include_top else (f"{file}_notop.h5", without))


def _public(variant: str) -> Published:
    def builder(include_top: bool = True, include_preprocessing: bool = True, weights: Any = "imagenet", input_tensor: Any = None,
                input_shape: Any = None, pooling: str | None = None, classes: int = 1000, classifier_activation: Any = "softmax",
                name: str | None = f"convnext_{variant}") -> Any:  # fmt: skip
        net = Network(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, name)
        return _build(net, variant, include_preprocessing)

    title = "XLarge" if variant == "xlarge" else variant.title()
    return documented(builder, f"ConvNeXt{title}", __name__, "https://arxiv.org/abs/2201.03545", """
        include_preprocessing: With the layer that scales pixels of 0 to 255.""")  # fmt: skip


ConvNeXtTiny, ConvNeXtSmall, ConvNeXtBase, ConvNeXtLarge, ConvNeXtXLarge = map(_public, _NETWORKS)
