"""Layers that load when first touched: `import pyml.layers` in a tab takes only the time of those that most models use.

`pyml.layers` finds a name of this table by loading the one module that has it. Users see no difference: attributes,
`from pyml.layers import *`, `dir` and configs find all of them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from pyml.lazily import no_such

# Module of `pyml/layers` -> its layers, and other names of them in files.
LATER: dict[str, tuple[str, ...]] = {
    "legacy": ("ThresholdedReLU",),
    "pipeline": ("Pipeline",),
    "recurrent.convolution": ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"),
    "augmentation.affine": ("RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"),
    "augmentation.blur": ("RandomGaussianBlur", "RandomSharpness"),
    "augmentation.boxes": ("MaxNumBoundingBoxes",),
    "augmentation.color": ("RandomColorDegeneration", "RandomColorJitter", "RandomGrayscale", "RandomHue", "RandomSaturation"),
    "augmentation.crop": ("RandomCrop",),
    "augmentation.flip": ("RandomFlip",),
    "augmentation.histograms": ("ContrastLimitedAdaptiveHistogramEqualization", "Equalization"),
    "augmentation.light": (
        "AutoContrast", "RandomBrightness", "RandomContrast", "RandomInvert", "RandomPosterization", "Solarization",
    ),
    "augmentation.mixing": ("CutMix", "MixUp", "RandomErasing"),
    "augmentation.perspective": ("RandomElasticTransform", "RandomPerspective"),
    "augmentation.policies": ("AugMix", "RandAugment"),
    "preprocessing.category_encoding": ("CategoryEncoding",),
    "preprocessing.center_crop": ("CenterCrop",),
    "preprocessing.discretization": ("Discretization",),
    "preprocessing.hashing": ("HashedCrossing", "Hashing"),
    "preprocessing.lookups": ("IntegerLookup", "StringLookup"),
    "preprocessing.resizing": ("Resizing",),
    "preprocessing.scaling": ("Normalization",),
    "preprocessing.spectrograms": ("MelSpectrogram", "STFTSpectrogram"),
    "preprocessing.text_vectorization": ("TextVectorization",),
}
_MODULES = {name: module for module, names in LATER.items() for name in names}
_OF_KERAS_2 = {  # names of older books, which Keras 3 left out
    "experimental": "its preprocessing layers are in pyml.layers itself",
    "CuDNNLSTM": "pyml.layers.LSTM is as fast by itself",
    "CuDNNGRU": "pyml.layers.GRU is as fast by itself",
}


def find(name: str) -> Any:
    """The layer of that name, whose module is loaded; an AttributeError says that there is none."""
    home = sys.modules[__package__]
    if name == "__all__":  # `from pyml.layers import *`
        load_later()
        return [name for name in vars(home) if not name.startswith("_")]
    if name not in _MODULES:
        raise no_such(str(__package__), name, dir(home), _OF_KERAS_2)
    value = getattr(import_module(f"{__package__}.{_MODULES[name]}"), name)
    setattr(home, name, value)
    return value


def names() -> list[str]:
    """Every name of `pyml.layers`, loaded or not."""
    return sorted({*vars(sys.modules[__package__]), *_MODULES})


def load_later() -> None:
    """Loads all layers that wait."""
    for name in _MODULES:
        find(name)
