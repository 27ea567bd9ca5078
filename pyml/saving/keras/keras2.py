"""Configs as Keras 2.15 reads them, made of those of Keras 3: the form of `.h5`, which Keras 3 reads too as far as it goes.

Layers and other objects are described alike. What differs is how layers were called (lists of references, not arguments), how
calls of models in models are numbered, the names of an argument or two, and what Keras 2 has not, which is `Unfit`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...objects.registry import INITIALIZERS, LAYERS, LOSSES, METRICS, OPTIMIZERS, find_defined, get_registered_object
from ...tracebacks import is_ours
from ..tfjs.calls import RECURRENT

VERSION = "2.15.0"
_LATER = {  # arguments that came after 2.15: of any class, or of those whose names end so
    "": "lora_rank lora_alpha quantization_config gptq_unpacked_column_size optional loss_scale_factor gradient_accumulation_steps "
        "autocast input_axes output_axes bounding_box_format use_cudnn flash_attention sliding_window use_gate oov_method salt rms_scaling "
        "from_sorted_ids",
    "1D": "data_format", "CenterCrop": "data_format", "Resizing": "antialias data_format fill_mode fill_value pad_to_aspect_ratio",
    "AdditiveAttention": "score_mode",
}  # fmt: skip
_ONE_AXIS = ("Cropping1D", "ZeroPadding1D")  # of those that end in 1D
_NEW = {  # classes that came after it
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D", "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D", "AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization",
    "GroupQueryAttention", "MaxNumBoundingBoxes", "MelSpectrogram", "MixUp", "Pipeline", "RMSNormalization", "RandAugment",
    "RandomColorDegeneration", "RandomColorJitter", "RandomElasticTransform", "RandomErasing", "RandomGaussianBlur", "RandomGrayscale",
    "RandomHue", "RandomInvert", "RandomPerspective", "RandomPosterization", "RandomSaturation", "RandomSharpness", "RandomShear",
    "ReversibleEmbedding", "STFTSpectrogram", "Solarization", "STFT", "STFTInitializer", "CTC", "CategoricalGeneralizedCrossEntropy",
    "Circle", "Dice", "Tversky", "ConcordanceCorrelation", "PearsonCorrelation", "Lamb", "LossScaleOptimizer", "MultiOptimizer", "Muon",
    "ScheduleFreeAdamW", "SpectralNormalization",      # which 2.15 has, and finds in none of its own files
}  # fmt: skip
_RENAMED = {"InputLayer": {"batch_shape": "batch_input_shape"}, "LeakyReLU": {"negative_slope": "alpha"}}
_SEEDED = ("GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell", "LSTM1D", "LSTM2D", "LSTM3D", "MultiHeadAttention")
_FORMULAS = ("hard_sigmoid",)  # names that mean another formula there
_NEW_ACTIVATIONS = {"celu", "glu", "hard_shrink", "hard_silu", "hard_tanh", "log_sigmoid", "soft_shrink", "sparse_plus", "sparse_sigmoid",
                    "sparsemax", "squareplus", "tanh_shrink", "threshold"}  # fmt: skip


class Unfit(ValueError):
    """The model holds something that Keras 2.15 has not."""


def described(config: Mapping[str, Any], both: bool = False, in_h5: bool = False) -> dict[str, Any]:
    """The class name and config of a model.

    Args:
        config: What `serialize_keras_object` made of the model.
        both: Only what Keras 3 reads in this form too.
        in_h5: With the names that what is one's own has in an `.h5`.

    Raises:
        Unfit: Something in it has no form there.
    """
    return _Writer(both, in_h5).layer(config)


def compilation(config: Mapping[str, Any], both: bool) -> dict[str, Any]:
    """How a model was compiled, with its optimizer under `optimizer_config`, without its module, or under `optimizer`.

    An optimizer that both read is one of those that Keras 2 calls legacy, with what it knows of arguments; its state is not read there.

    Raises:
        Unfit: Keras 2.15 has no such optimizer, loss or metric.
    """
    chosen = dict(config)
    key = "optimizer" if "optimizer" in chosen else "optimizer_config"
    optimizer = chosen.pop(key, None)
    if isinstance(optimizer, Mapping):
        name = str(optimizer["class_name"])
        known = {"module": "keras.optimizers", "registered_name": None} if ">" not in name else {"module": None, "registered_name": name}
        made = _Writer(both).object({**known, **optimizer}, name)
        if both:
            made["config"] = {name: value for name, value in made["config"].items() if not _is_default(made["class_name"], name, value)
                              or name in ("name", "learning_rate")}  # fmt: skip
        else:
            made["config"] |= {"is_legacy_optimizer": False, "jit_compile": False}
            if key == "optimizer_config":              # some of them Keras 2.15 finds by no other name
                made["class_name"] = made["registered_name"] or f"Custom>{made['class_name']}"
        optimizer = {name: made[name] for name in ("class_name", "config")} if key == "optimizer_config" else made
    in_h5 = key == "optimizer_config"
    if in_h5 and not both:                             # functions by their names
        chosen = {name: _by_name(value) for name, value in chosen.items()}
    return {**_Writer(both, in_h5).value(chosen), key: optimizer}


def _by_name(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_by_name(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class_name") == "function":
        return value["config"]
    return value if "class_name" in value else {name: _by_name(item) for name, item in value.items()}


_SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
          "msle": "mean_squared_logarithmic_error", "kld": "kl_divergence", "bce": "binary_crossentropy"}  # fmt: skip


def long_names(losses: Any) -> Any:
    """Losses by the names under which Keras 3 finds them again; of short ones it writes it knows nothing when it opens an `.h5`."""
    if isinstance(losses, str):
        return _SHORT.get(losses.lower(), losses)
    if isinstance(losses, Mapping) and "class_name" not in losses:
        return {name: long_names(loss) for name, loss in losses.items()}
    return [long_names(loss) for loss in losses] if isinstance(losses, (list, tuple)) else losses


def variables_of(optimizer: Any) -> list[Any]:
    """The variables of an optimizer but the learning rate, which is no state there, and what only Keras 3 keeps; with the zeros of
    momentums that it keeps unused."""
    own = [variable for variable in optimizer.variables if variable is not optimizer._learning_rate]
    kinds = {cls.__name__ for cls in type(optimizer).__mro__ if is_ours(cls)}
    if "Nadam" in kinds:
        own = [variable for variable in own if variable is not optimizer._u_product]
    if "Adafactor" in kinds:
        own = [variable for variable in own if variable is optimizer._iterations or variable.shape or variable.dtype != "int32"]
    if "SGD" in kinds and not optimizer.momentum:
        own += [np.zeros(tuple(variable.shape), np.float32) for variable in optimizer._trainable_variables]
    return own


class _Writer:
    def __init__(self, both: bool, in_h5: bool = False) -> None:
        self.both, self.in_h5 = both, in_h5

    def layer(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """One layer or model."""
        name, config = entry["class_name"], entry["config"]
        what = f"{name} {config.get('name')!r}" if isinstance(config, Mapping) else name
        if name in ("Functional", "Sequential") and _is_kerases(entry):
            return {"class_name": name, "config": self.functional(config) if name == "Functional" else self.sequential(config)}
        for key in ("activation", "recurrent_activation"):
            if config.get(key) in _FORMULAS:
                raise Unfit(f"{what}: {config[key]} is another formula in Keras 2")
            if isinstance(config.get(key), str) and config[key] in _NEW_ACTIVATIONS:
                raise Unfit(f"{what}: Keras 2.15 has no activation {config[key]}")
        made = self.object(entry, what)
        if name in ("IntegerLookup", "StringLookup") and config.get("output_mode") == "int" and not self.both:
            made["config"]["dtype"] = "int64"          # what comes out; there no float is taken for it
        if name == "MultiHeadAttention":               # as `build` gets them, there memorized
            shapes = (entry.get("build_config") or {}).get("shapes_dict") or {}
            value_shape = shapes.get("value_shape")
            made["config"] |= {"query_shape": self.value(shapes.get("query_shape")), "value_shape": self.value(value_shape),
                               "key_shape": self.value(shapes.get("key_shape") or value_shape)}  # fmt: skip
        return {key: made[key] for key in ("module", "class_name", "config", "registered_name")}

    def object(self, entry: Mapping[str, Any], what: str) -> dict[str, Any]:
        """A class name with its arguments."""
        own = None if _is_kerases(entry) or self.both else _of_ones_own(entry)
        if own is None:
            _check_known(entry, what)
        if not isinstance(entry["config"], Mapping):   # a function
            if own is not None and self.in_h5:
                raise Unfit(f"{entry['config']} is a function of one's own, which Keras 2.15 finds in no layer of an .h5")
            return dict(entry)
        if own is not None and self.in_h5:             # where older code reads what has no module
            entry = {**entry, "class_name": entry.get("registered_name") or entry["class_name"]}
        taken, name = ((), entry["class_name"]) if own is None else _not_taken_over(own)
        config = dict(entry["config"])
        for key in _later({**entry, "class_name": name}):
            if key in config and key not in taken and not _is_default(name, key, config.pop(key)):
                raise Unfit(f"{what}: Keras 2.15 has no argument {key}")
        if name == "Discretization" and config.get("bin_boundaries") is not None:
            config["num_bins"] = None                  # of what was adapted; there only one of the two is given
        for key, older in _RENAMED.get(name, {}).items():
            if key in config:
                config[older] = config.pop(key)
        return {**entry, "config": {key: self.value(inner) for key, inner in config.items()}}

    def value(self, config: Any) -> Any:
        """What stands in a config: numbers, texts, and objects in it."""
        if isinstance(config, (list, tuple)):
            return [self.value(item) for item in config]
        if not isinstance(config, Mapping):
            return config
        if "class_name" not in config or "config" not in config:
            return {key: self.value(item) for key, item in config.items()}
        if config["class_name"] == "DTypePolicy":
            return config["config"]["name"]
        if config["class_name"] == "DTypePolicyMap":
            raise Unfit("Keras 2.15 has no DTypePolicyMap")
        module = str(config.get("module"))
        if module in ("keras", "keras.layers") or module.startswith("keras.src.models"):
            return {"module": module, "registered_name": None, **self.layer(config)}  # Keras 3 finds models in wrappers by these alone
        return self.object(config, config["class_name"])

    def sequential(self, config: Mapping[str, Any]) -> dict[str, Any]:
        layers = [self.layer(entry) for entry in config["layers"]]
        shape = config.get("build_input_shape")
        if shape is None:
            raise Unfit(f"Sequential {config['name']!r} has no input yet")
        if layers[0]["class_name"] != "InputLayer":
            dtype = "int32" if layers[0]["class_name"] == "Embedding" else "float32"
            first = {"batch_input_shape": list(shape), "dtype": dtype, "sparse": False, "ragged": False, "name": f"{config['name']}_input"}
            layers.insert(0, {"module": "keras.layers", "class_name": "InputLayer", "config": first, "registered_name": None})
        return {"name": config["name"], "layers": layers}

    def functional(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The config of a functional model as Keras 2.15 writes it."""
        kinds = {entry["name"]: entry["class_name"] for entry in config["layers"]}
        models = {name for name, kind in kinds.items() if kind in ("Functional", "Sequential")}
        layers = []
        for entry in config["layers"]:
            calls = [self.call(call, entry, models) for call in entry["inbound_nodes"]]
            layers.append({**self.layer(entry), "name": entry["name"], "inbound_nodes": calls})

        def end(place: Any) -> Any:
            if isinstance(place, Mapping):
                return {key: end(item) for key, item in place.items()}
            if not (len(place) == 3 and isinstance(place[0], str)):
                return [end(item) for item in place]
            if kinds[place[0]] == "Sequential":        # Keras 3 counts those of functional models alone from 1
                if self.both:
                    raise Unfit("Keras 3 counts calls of models otherwise")
                return [place[0], place[1] + 1, place[2]]
            return list(place)

        return {"name": config["name"], "trainable": config.get("trainable", True), "layers": layers,
                "input_layers": end(config["input_layers"]), "output_layers": end(config["output_layers"])}  # fmt: skip

    def call(self, call: Mapping[str, Any], entry: Mapping[str, Any], models: set[str]) -> list[Any]:
        """One call of a layer: references to its inputs, each with the other arguments: there those of the last one count."""
        what = f"the call of {entry['name']!r}"
        layer: Any = LAYERS.classes.get(entry["class_name"]) if _is_kerases(entry) else _of_ones_own(entry)
        if layer is None:
            raise Unfit(f"{what}: {entry['class_name']} is no layer of Keras 2.15")
        names = [name for name in inspect.signature(layer.call).parameters if name != "self"]
        given = {**dict(zip(names, call["args"], strict=False)), **call["kwargs"]}
        first = next(iter(given), "")
        inputs = given.pop(first, None)
        if entry["class_name"] in RECURRENT and given.get("initial_state") is not None:
            state = given.pop("initial_state")
            inputs = [inputs, *(state if isinstance(state, (list, tuple)) else [state])]
            if self.both:
                raise Unfit(f"{what}: Keras 3 takes first states as an argument")
        listed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if not listed or not all(_is_tensor(item) for item in listed):
            raise Unfit(f"{what}: its inputs are not a list of tensors")
        if self.both and (any(_holds_tensors(item) for item in given.values()) or (isinstance(inputs, (list, tuple)) and len(listed) == 1)):
            raise Unfit(f"{what}: Keras 3 has no tensors in its arguments in this form")

        def written(item: Any) -> Any:
            if _is_tensor(item):
                layer, number, output = item["config"]["keras_history"]
                if layer in models and self.both:
                    raise Unfit("Keras 3 counts calls of models otherwise")
                return [layer, number + (layer in models), output]
            return [written(inner) for inner in item] if isinstance(item, (list, tuple)) else self.value(item)

        kwargs = {name: written(item) for name, item in given.items() if item is not None}
        return [[*written(item), kwargs] for item in listed]


def _is_tensor(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("class_name") == "__keras_tensor__"


def _holds_tensors(item: Any) -> bool:
    return _is_tensor(item) or (isinstance(item, (list, tuple)) and any(_holds_tensors(inner) for inner in item))


def _is_kerases(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("module")).startswith("keras") and entry.get("registered_name") in (None, entry["class_name"])


def _of_ones_own(entry: Mapping[str, Any]) -> Any:
    """The class or function of a user that an entry describes, which is opened there where the user has it too; of models none."""
    is_function = entry["class_name"] == "function"
    name = entry["config"] if is_function else entry.get("registered_name") or entry["class_name"]
    found = get_registered_object(name)
    if found is None and not is_function:
        found = find_defined(entry.get("module") or "__main__", entry["class_name"])
    return None if isinstance(found, type) and issubclass(found, LAYERS.classes["Model"]) else found


def _not_taken_over(cls: Any) -> tuple[set[str], str]:
    """The arguments that a user's class names itself, and the name of the built-in class that it is made of."""
    named: set[str] = set()
    for base in getattr(cls, "__mro__", ()):
        if is_ours(base):
            return named, base.__name__
        if "__init__" in vars(base):
            named |= set(inspect.signature(vars(base)["__init__"]).parameters)
    return named, ""


def _check_known(entry: Mapping[str, Any], what: str) -> None:
    if not _is_kerases(entry) or entry["class_name"] in _NEW or ".ops" in entry["module"]:
        raise Unfit(f"{what} is not in Keras 2.15")


def _later(entry: Mapping[str, Any]) -> Iterator[str]:
    """The arguments that Keras 2 does not know."""
    name = entry["class_name"]
    for ending, keys in _LATER.items():
        if name.endswith(ending) and (ending != "1D" or name in _ONE_AXIS):
            yield from keys.split()
    if entry["module"] == "keras.losses":
        yield "dtype"
        if name == "SparseCategoricalCrossentropy":
            yield "axis"
    if entry["module"] == "keras.layers" and name.startswith("Random"):
        yield from ("data_format", "value_range") if name == "RandomContrast" else ("data_format",)
    if not entry["config"].get("renorm"):  # what follows is said there where it counts
        yield from ("renorm_clipping", "renorm_momentum")
    if not entry["config"].get("zero_output_for_mask"):
        yield "zero_output_for_mask"
    if name.endswith(_SEEDED):
        yield "seed"


def _is_default(name: str, key: str, given: Any) -> bool:
    """Whether a value means what Keras 2 does without it. Seeds count as that: the numbers behind them differ anyhow."""
    if given is None or key == "seed" or (key == "data_format" and given == "channels_last") or (key == "dtype" and given == "float32"):
        return True
    for kind in (LAYERS, INITIALIZERS, LOSSES, METRICS, OPTIMIZERS):
        for cls in getattr(kind.classes.get(name), "__mro__", ()):
            found = inspect.signature(cls.__init__).parameters.get(key) if "__init__" in vars(cls) else None
            if found is not None and found.default is not found.empty:
                return bool(found.default == given)
    return False
