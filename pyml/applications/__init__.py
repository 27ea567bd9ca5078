"""Networks for images with Keras' names, arguments and layers, so that weights of Keras fit.

Each family is a module with its `preprocess_input` and `decode_predictions`; it is loaded when it is first asked for.

Example:
    >>> model = pyml.applications.MobileNetV2(weights=None, classes=3, input_shape=(32, 32, 3), alpha=0.35)
    >>> pyml.applications.mobilenet_v2.preprocess_input(np.full((1, 2, 2, 3), 255.0)).max()    # doctest: +SKIP
    1.0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyml.lazily import parts as _parts

if TYPE_CHECKING:
    from pyml.applications import convnext as convnext
    from pyml.applications import densenet as densenet
    from pyml.applications import efficientnet as efficientnet
    from pyml.applications import efficientnet_v2 as efficientnet_v2
    from pyml.applications import imagenet_utils as imagenet_utils
    from pyml.applications import inception_resnet_v2 as inception_resnet_v2
    from pyml.applications import inception_v3 as inception_v3
    from pyml.applications import mobilenet as mobilenet
    from pyml.applications import mobilenet_v2 as mobilenet_v2
    from pyml.applications import mobilenet_v3 as mobilenet_v3
    from pyml.applications import nasnet as nasnet
    from pyml.applications import resnet as resnet
    from pyml.applications import resnet50 as resnet50
    from pyml.applications import resnet_v2 as resnet_v2
    from pyml.applications import vgg16 as vgg16
    from pyml.applications import vgg19 as vgg19
    from pyml.applications import xception as xception
    from pyml.applications.convnext import ConvNeXtBase as ConvNeXtBase
    from pyml.applications.convnext import ConvNeXtLarge as ConvNeXtLarge
    from pyml.applications.convnext import ConvNeXtSmall as ConvNeXtSmall
    from pyml.applications.convnext import ConvNeXtTiny as ConvNeXtTiny
    from pyml.applications.convnext import ConvNeXtXLarge as ConvNeXtXLarge
    from pyml.applications.densenet import DenseNet121 as DenseNet121
    from pyml.applications.densenet import DenseNet169 as DenseNet169
    from pyml.applications.densenet import DenseNet201 as DenseNet201
    from pyml.applications.efficientnet import EfficientNetB0 as EfficientNetB0
    from pyml.applications.efficientnet import EfficientNetB1 as EfficientNetB1
    from pyml.applications.efficientnet import EfficientNetB2 as EfficientNetB2
    from pyml.applications.efficientnet import EfficientNetB3 as EfficientNetB3
    from pyml.applications.efficientnet import EfficientNetB4 as EfficientNetB4
    from pyml.applications.efficientnet import EfficientNetB5 as EfficientNetB5
    from pyml.applications.efficientnet import EfficientNetB6 as EfficientNetB6
    from pyml.applications.efficientnet import EfficientNetB7 as EfficientNetB7
    from pyml.applications.efficientnet_v2 import EfficientNetV2B0 as EfficientNetV2B0
    from pyml.applications.efficientnet_v2 import EfficientNetV2B1 as EfficientNetV2B1
    from pyml.applications.efficientnet_v2 import EfficientNetV2B2 as EfficientNetV2B2
    from pyml.applications.efficientnet_v2 import EfficientNetV2B3 as EfficientNetV2B3
    from pyml.applications.efficientnet_v2 import EfficientNetV2L as EfficientNetV2L
    from pyml.applications.efficientnet_v2 import EfficientNetV2M as EfficientNetV2M
    from pyml.applications.efficientnet_v2 import EfficientNetV2S as EfficientNetV2S
    from pyml.applications.inception_resnet_v2 import InceptionResNetV2 as InceptionResNetV2
    from pyml.applications.inception_v3 import InceptionV3 as InceptionV3
    from pyml.applications.mobilenet import MobileNet as MobileNet
    from pyml.applications.mobilenet_v2 import MobileNetV2 as MobileNetV2
    from pyml.applications.mobilenet_v3 import MobileNetV3Large as MobileNetV3Large
    from pyml.applications.mobilenet_v3 import MobileNetV3Small as MobileNetV3Small
    from pyml.applications.nasnet import NASNetLarge as NASNetLarge
    from pyml.applications.nasnet import NASNetMobile as NASNetMobile
    from pyml.applications.resnet import ResNet50 as ResNet50
    from pyml.applications.resnet import ResNet101 as ResNet101
    from pyml.applications.resnet import ResNet152 as ResNet152
    from pyml.applications.resnet_v2 import ResNet50V2 as ResNet50V2
    from pyml.applications.resnet_v2 import ResNet101V2 as ResNet101V2
    from pyml.applications.resnet_v2 import ResNet152V2 as ResNet152V2
    from pyml.applications.vgg16 import VGG16 as VGG16
    from pyml.applications.vgg19 import VGG19 as VGG19
    from pyml.applications.xception import Xception as Xception

FAMILIES: dict[str, tuple[str, ...]] = {
    "convnext": ("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}
_HOMES = {name: family for family, names in FAMILIES.items() for name in names}
_MODULES = {*FAMILIES, "imagenet_utils", "resnet50"}

if not TYPE_CHECKING:
    __getattr__, _ = _parts(__name__, _HOMES, _MODULES)


def __dir__() -> list[str]:
    return sorted({*_HOMES, *_MODULES})
