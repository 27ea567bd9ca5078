"""Every layer with each of its options off the default, and with steps masked: `option_cases.json` holds what is asked and what Keras says.

    python tests/goldens/option_cases.py                            asks, with pyml: from the samples of the layers
    KERAS_BACKEND=torch python tests/goldens/make_with_keras.py option_cases    answers, with Keras

A layer is made from its config, gets weights and inputs from a seed, and says its outputs, their shapes before and after, the
gradients of inputs and weights, and with masked steps the mask that it hands on. An array is told by two weighted sums and its norm.
"""

import copy
import json
import sys
from pathlib import Path

import numpy as np
from golden_cases import uniform
from keras_cases import rng

PATH = Path(__file__).with_suffix(".json")


def asked():
    return json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}


def mapped(fn, value):
    return [mapped(fn, item) for item in value] if isinstance(value, list | tuple) else fn(value)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list | tuple) else [value]


def told(array):
    """Two weighted sums and the norm of an array."""
    a = np.asarray(array, "float64")
    return [float((a * uniform(800 + i, a.shape)).sum()) for i in (0, 1)] + [float(np.sqrt((a * a).sum()))]


def array_of(leaf, seed):
    generator = rng(seed)
    if leaf["dtype"].startswith("float"):
        return generator.uniform(leaf["low"], leaf["high"], leaf["shape"]).astype(leaf["dtype"])
    return generator.randint(int(leaf["low"]), int(leaf["high"]), leaf["shape"]).astype(leaf["dtype"])


def arrays_of(args):
    """The inputs of a case; each leaf of `args` is a dict that describes one."""
    seeds = iter(range(60, 90))
    return mapped(lambda leaf: array_of(leaf, next(seeds)), args)


def set_weights(layer):
    """Weights from a seed; variances and other counts that must not be negative are positive."""
    generator = rng(91)
    for variable in layer.weights:
        if "seed" in variable.path or "int" in str(variable.dtype):
            continue
        value = generator.standard_normal(tuple(variable.shape)) * (0.5 / max((1, *variable.shape[:1])) ** 0.5)
        variable.assign(np.float32(np.abs(value) + 0.5 if "variance" in variable.name else value))


def values_of(K, x):
    return np.asarray(K.ops.convert_to_numpy(x))


def weighted(K, outputs):
    return sum(K.ops.sum(K.ops.multiply(K.ops.cast(y, "float32"), uniform(900 + i, tuple(y.shape)))) for i, y in enumerate(outputs))


def gradients(K, layer, args, kwargs):
    """Gradients of a weighted sum of the outputs with respect to float inputs and trainable weights."""
    floats = [leaf for leaf in leaves(args) if leaf.dtype.kind == "f"]

    def scalar(*moving):
        rest = iter(moving)
        given = mapped(lambda leaf: next(rest) if leaf.dtype.kind == "f" else K.ops.convert_to_tensor(leaf), args)
        return weighted(K, leaves(layer(*given, **kwargs)))

    if K.__name__ == "pyml":
        with K.GradientTape() as tape:
            moving = [K.ops.convert_to_tensor(a) for a in floats]
            for tensor in moving:
                tape.watch(tensor)
            total = scalar(*moving)
        sources = [*moving, *layer.trainable_weights]
        found = tape.gradient(total, sources)
    else:
        import torch

        moving = [torch.tensor(a, requires_grad=True) for a in floats]
        sources = [*moving, *(v.value for v in layer.trainable_weights)]
        found = torch.autograd.grad(scalar(*moving), sources, allow_unused=True)
    return [np.zeros(tuple(s.shape)) if g is None else values_of(K, g) for g, s in zip(found, sources, strict=True)]


def answer(K, case):
    """What a layer of a case says."""
    layer = getattr(K.layers, case["layer"]).from_config(copy.deepcopy(case["config"]))
    args, kwargs = arrays_of(case["args"]), case.get("call", {})
    tensors = mapped(K.ops.convert_to_tensor, args)
    symbols = mapped(lambda leaf: K.Input(leaf.shape[1:], dtype=leaf.dtype.name), args)
    symbolic = leaves(layer(*symbols, **kwargs))
    set_weights(layer)
    outputs = leaves(layer(*tensors, **kwargs))
    said = {"out": [told(values_of(K, y)) for y in outputs], "shape": [list(y.shape) for y in outputs],
            "symbolic": [list(y.shape) for y in symbolic], "dtype": [str(K.backend.standardize_dtype(y.dtype)) for y in symbolic],
            "weights": [f"{w.name} {list(w.shape)}" for w in layer.weights]}  # fmt: skip
    if case["gradient"]:
        said["grad"] = [told(g) for g in gradients(K, layer, args, kwargs)]
    if case.get("trained"):
        said["trained"] = [told(values_of(K, y)) for y in leaves(layer(*tensors, training=True))]
        said["after"] = [told(values_of(K, w)) for w in layer.weights if "seed" not in w.path]
    if case.get("masked"):
        said |= masked(K, layer, args[0])
    return said


def masked(K, layer, x):
    """The layer behind one that masks steps, a bool for each sample and step: its outputs and the mask that comes after it."""

    class Shown(K.layers.Layer):
        """The mask as numbers, -1 where there is none."""

        supports_masking = True

        def call(self, inputs, mask=None):
            flat = K.ops.reshape(K.ops.cast(inputs, "float32"), (len(x), -1))
            return flat[:, :1] * 0 - 1 if mask is None else K.ops.cast(mask, "float32")

        def compute_output_spec(self, inputs, mask=None):
            return K.KerasTensor((None, None), dtype="float32")

    class Marked(K.layers.Layer):
        """Masks steps that are all zeros."""

        def call(self, inputs):
            return inputs

        def compute_mask(self, inputs, previous_mask=None):
            return K.ops.any(K.ops.not_equal(inputs, 0.0), axis=tuple(range(2, len(inputs.shape))))

    x = np.array(x)
    x[0, -1] = x[1, 1:] = 0.0
    inputs = K.Input(x.shape[1:])
    outputs = layer(Marked()(inputs))
    shown = leaves([outputs, [Shown()(y) for y in leaves(outputs)]])
    found = [values_of(K, y) for y in leaves(K.Model(inputs, shown)(K.ops.convert_to_tensor(x)))]
    half = len(found) // 2
    return {"masked": [told(y) for y in found[:half]], "mask": [y.tolist() for y in found[half:]]}


def attempt(K, case):
    """What a layer says; None where it refuses, which is no case for numbers."""
    try:
        return answer(K, case)
    except Exception:
        return None


def family(name):
    def answered(K):
        found = [{**{k: v for k, v in case.items() if k != "said"}, "said": attempt(K, case)} for case in asked()[name]]
        return [case for case in found if case["said"]]

    return answered


CASES = {name: family(name) for name in asked() if name != "_made_by"}


# ---- asking, with pyml
SAME = {"name", "dtype", "trainable", "autocast", "seed", "quantization_config", "flash_attention", "use_cudnn", "lora_alpha", "lora_rank",
        "weights", "activity_regularizer", "sharded_table"}  # what changes no output, or is not for numbers  # fmt: skip
OTHERS = ("HashedCrossing", "Hashing", "IntegerLookup",  # which in Keras are made of TensorFlow
          "ContrastLimitedAdaptiveHistogramEqualization")  # pictures: augmentation_cases.py  # fmt: skip
RANDOM = (*OTHERS, "Lambda", "Pipeline", "ThresholdedReLU", "AugMix", "RandAugment", "MixUp", "CutMix")  # and layers that Keras has not


def slim(config):
    """A config without names, weights' beginnings and what is None or the dtype of all."""
    if isinstance(config, list):
        return [slim(item) for item in config]
    if not isinstance(config, dict):
        return config
    return {key: slim(value) for key, value in config.items()
            if not ((key in SAME and value in (None, "float32", True)) or key == "name" or (value is None and key != "cells")
                    or key.endswith(("_initializer", "_regularizer", "_constraint")))}  # fmt: skip


def variants(cls, made, options):
    """(What is off its default, the layer's config): the sample's own, then each option with another value, each word with all."""
    yield "", slim(made.get_config())
    args, kwargs = made._constructor
    mine = options.parameters(cls)
    given = dict(zip(options.inspect.signature(cls).parameters, args, strict=False)) | kwargs
    for name in sorted(mine):
        if name in SAME or name.endswith(("_initializer", "_regularizer", "_constraint")):
            continue
        now, found = given.get(name, mine[name].default), []
        for value in [not now] if isinstance(now, bool) else options.others(name, now):
            if repr(value) == repr(now) or len(found) == (2 if isinstance(value, str) else 1):
                continue
            try:
                config = cls(**given | {name: value}).get_config()
                json.dumps(config)
            except Exception:  # refused, in whatever way
                continue
            if config.get(name) != made.get_config().get(name) and slim(config) not in found:
                found.append(slim(config))
        yield from ((name, config) for config in found)


def ask():
    """Writes the cases that pyml can run."""
    sys.path.insert(0, str(PATH.parent.parent))
    import test_every_argument as options
    import test_samples as samples

    import pyml
    from pyml.objects import registry

    cases = {}
    for cls in samples.classes(registry.LAYERS):
        if cls.__name__.startswith("Random") or cls.__name__ in RANDOM:
            continue
        found = []
        for sample in cls._samples():
            if sample.kwargs or not all(hasattr(leaf, "low") for leaf in leaves(list(sample.args))):
                continue
            args = mapped(lambda d: {"shape": list(d.shape), "dtype": d.dtype, "low": d.low, "high": d.high}, list(sample.args))
            leaf = args[0]
            steps = len(args) == 1 and isinstance(leaf, dict) and leaf["dtype"] == "float32" and len(leaf["shape"]) >= 3
            for option, config in variants(cls, sample.made, options):
                case = {"layer": cls.__name__, "option": option, "config": config, "args": args, "gradient": sample.gradient,
                        "masked": bool(steps and leaf["shape"][0] > 1 and leaf["shape"][1] > 1),
                        "trained": "Normalization" in cls.__name__ and sample.gradient}  # fmt: skip
                same = any(case["config"] == other["config"] and case["args"] == other["args"] for other in found)
                if "AveragePooling" in cls.__name__ and config.get("padding") == "same":
                    continue  # Keras on PyTorch repeats the border, on TensorFlow and JAX it counts what is inside
                tried = option in {other["option"] for other in found} and not isinstance(config.get(option), str)
                if not same and (not option or not tried) and attempt(pyml, case):
                    found.append(case)
        if found:
            cases[cls.__name__] = found
    PATH.write_text(json.dumps(cases, sort_keys=True) + "\n", encoding="utf-8")
    print(pyml.__name__, sum(map(len, cases.values())), "cases of", len(cases), "layers")


if __name__ == "__main__":
    ask()
