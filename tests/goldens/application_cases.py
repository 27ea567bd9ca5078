"""Networks of `applications` with weights by a rule, written once and run with Keras and with pyml."""

import hashlib
import importlib
from contextlib import nullcontext
from unittest import mock

import numpy as np

SMALL = {  # the families that build quickly: in every run of the tests
    "MobileNet": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.35},
    "ResNet50": {},
    "ResNet50V2": {"include_top": False, "pooling": "avg"},
    "VGG16": {"include_top": False, "pooling": "max"},
    "MobileNetV3Small": {},
}
LARGE = {  # the others; they take longer
    "EfficientNetB0": {},
    "DenseNet121": {"include_top": False, "pooling": "avg"},
    "Xception": {"include_top": False, "pooling": "max"},
    "MobileNetV2 wide": {"alpha": 1.3, "include_top": False},
    "ResNet101": {},
    "ResNet152V2": {},
    "VGG19": {"include_top": False},
    "EfficientNetB3": {"include_top": False},
    "MobileNetV3Large": {"alpha": 1.25},
    "MobileNetV3Large minimalistic": {"minimalistic": True, "include_preprocessing": False, "include_top": False, "pooling": "avg"},
    "DenseNet169": {},
    "DenseNet201": {"include_top": False, "pooling": "max"},
    "EfficientNetB1": {"include_top": False, "pooling": "avg"},
    "EfficientNetB2": {},
    "EfficientNetB4": {"include_top": False, "pooling": "avg"},
    "EfficientNetB5": {"include_top": False, "pooling": "avg"},
    "EfficientNetB6": {"include_top": False, "pooling": "avg"},
    "EfficientNetB7": {"include_top": False, "pooling": "avg"},
    "ResNet101V2": {"include_top": False, "pooling": "avg"},
    "ResNet152": {"include_top": False, "pooling": "avg"},
    "ConvNeXtTiny": {},
    "ConvNeXtTiny bare": {"include_preprocessing": False, "include_top": False, "pooling": "max"},
    "ConvNeXtSmall": {"include_top": False},
    "ConvNeXtBase": {"include_top": False, "pooling": "avg"},
    "ConvNeXtLarge": {"include_top": False, "pooling": "avg"},
    "ConvNeXtXLarge": {"include_top": False, "pooling": "avg"},
    "EfficientNetV2B0": {},
    "EfficientNetV2B1": {"include_top": False, "pooling": "avg"},
    "EfficientNetV2B2": {},
    "EfficientNetV2B3": {"include_top": False},
    "EfficientNetV2S": {},
    "EfficientNetV2M": {"include_top": False, "pooling": "max"},
    "EfficientNetV2L": {"include_top": False, "pooling": "avg"},
    "InceptionV3": {},
    "InceptionResNetV2": {"include_top": False, "pooling": "avg"},
    "NASNetMobile": {},
    "NASNetMobile wide": {"include_top": False, "pooling": "avg"},
    "NASNetLarge": {"include_top": False, "pooling": "max"},
}
SIZES = {"Xception": 71, "InceptionV3": 75, "InceptionResNetV2": 75, "NASNetMobile wide": 47}
# Factors of its normalizations: with 1 the 79 blocks amplify rounding (an input larger by 3e-7 moves the output by 43 %), with 0.8 not.
CALM = {"EfficientNetV2L": 0.8}
PIXELS = ("EfficientNet", "MobileNetV3", "ConvNeXt")  # these scale pixels themselves


def _on_any_backend():
    """Keras refuses to build NASNetMobile on PyTorch; it asks its own module which back end there is."""
    module = importlib.import_module("keras.src.applications.nasnet")
    return mock.patch.object(module, "backend", mock.Mock(wraps=module.backend, backend=lambda: "any"))


def build(K, case):
    """The network of a case, with the names that its layers get in a fresh session."""
    K.utils.clear_session()
    name, options = case.split()[0], {**SMALL, **LARGE}[case]
    size = SIZES.get(case, 32)
    top = {} if options.get("include_top") is False else {"classes": 3, "classifier_activation": None}
    with _on_any_backend() if K.__name__ == "keras" and name == "NASNetMobile" else nullcontext():
        return getattr(K.applications, name)(weights=None, input_shape=(size, size, 3), **top, **options)


def ruled(weights, factor=1.0):
    """Values for these weights: variances about 1, factors about `factor`, offsets about 0, kernels that keep the size of inputs."""
    random = np.random.RandomState(7)
    pool = random.uniform(-1, 1, 1 << 20).astype(np.float32)
    for i, w in enumerate(weights):
        shape, kind = tuple(w.shape), w.path.rpartition("/")[2]
        count = int(np.prod(shape))
        values = np.resize(np.roll(pool, 7919 * i), count).reshape(shape)
        if len(shape) > 1:
            inputs = np.prod(shape[:2]) if len(shape) == 4 and shape[-1] == 1 else np.prod(shape[:-1])
            yield values * np.float32((4.5 / inputs) ** 0.5)
        else:
            own = values * 0.2 + (kind in ("gamma", "moving_variance", "variance"))
            yield np.zeros(shape, w.dtype) if kind == "count" else own * np.float32(factor if kind == "gamma" else 1)


def outputs(K, case):
    """Six numbers of the output, and what names and shapes the weights have."""
    model = build(K, case)
    model.set_weights(list(ruled(model.weights, CALM.get(case, 1.0))))
    name = case.split()[0]
    size = SIZES.get(case, 32)
    x = np.random.RandomState(3).uniform(*((0, 255) if name.startswith(PIXELS) else (-1, 1)), (1, size, size, 3)).astype(np.float32)
    y = K.ops.convert_to_numpy(model(x, training=False)).ravel()
    listed = [(layer.name, [list(w.shape) for w in layer.weights]) for layer in model.layers if layer.weights]
    digest = hashlib.sha256(repr(listed).encode()).hexdigest()[:16]
    return {"output": [float(v) for v in y[:: max(1, len(y) // 6)][:6]], "weights": digest, "name": model.name,
            "count": model.count_params(), "first": str(listed[0]), "last": str(listed[-1])}  # fmt: skip


CASES = {case: lambda K, case=case: outputs(K, case) for case in (*SMALL, *LARGE)}
