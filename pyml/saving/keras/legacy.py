"""`.h5` files of Keras 2, which Keras 3 still writes: the model in attributes, the weights by layer in order."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...atomic import write
from ...core.variable import Variable
from ...errors import PymlError
from ...layers import deserialize
from ...layers.allowance import at_most
from ...objects import later_arguments, registry
from ...objects.registry import LOSSES, METRICS, OPTIMIZERS, custom_object_scope
from ...objects.serialization import deserialize_keras_object, serialize_keras_object
from ...optimizers import schedules
from ...tracebacks import warn
from ..files import ModelConfigError, ModelFileError, parse_json
from ..tfjs.layers_config import read_layer
from . import archive, hdf5, hdf5_read, keras2, ops
from .hdf5 import MOST_ATTRIBUTE, Group
from .state import Reader

_GONE = {"decay", "jit_compile", "is_legacy_optimizer"}  # of optimizers of Keras 2
_NOT_OURS = {"sample_weight_mode", "jit_compile"}  # of `compile`
# Where optimizers keep their state. Keras 3 cannot train on with what it finds under its own name, not even in its own files (3.15), so
# what is meant for any Keras has another: there, training begins with a new state.
_STATE = ("optimizer_state", "optimizer_weights")
_FITTING = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}  # they depend on the labels
_BUILDING = (PymlError, ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError)


# ---- writing
def save(model: Any, target: Any, overwrite: bool = True, include_optimizer: bool = True, read: Reader | None = None,
         keras_version: int | None = None) -> None:  # fmt: skip
    """Writes a model with its weights and the state of its optimizer into a path, or into a file open for writing.

    With `keras_version=2` all is as Keras 2.15 has it. By default the structure is, where Keras 3 reads it too, and the state of the
    optimizer lies where only we look for it.

    Raises:
        ValueError: Something in the model has no form in a config, or, with `keras_version=2`, not in Keras 2.15. Nothing was written.
        FileExistsError: The file exists and `overwrite` is False.
    """
    is_path = not hasattr(target, "write")
    if is_path and not overwrite and os.path.exists(target):
        raise FileExistsError(f"save: {target} exists; pass overwrite=True to replace it.")
    read = read or (lambda variable: variable.numpy())
    config, training, version = _described(model, include_optimizer, keras_version)
    root = Group(attrs={"keras_version": version, "backend": "tensorflow" if keras_version == 2 else "pyml",
                        "model_config": json.dumps(config)})  # fmt: skip
    root.items["model_weights"] = weights_group(model, read)
    if training is not None:
        root.attrs["training_config"] = json.dumps(training)
        variables = keras2.variables_of(model.optimizer) if keras_version == 2 else model.optimizer.variables
        _put(root.group(_STATE[0] if keras_version is None else _STATE[1]), variables, read)
    if is_path:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        write(target, hdf5.write(root))
    else:
        target.writelines(hdf5.write(root))


def _described(model: Any, include_optimizer: bool, keras_version: int | None) -> tuple[Any, Any, str]:
    """The config of a model, how it was compiled, and the version of Keras that has this form."""
    with later_arguments.left_out(only_3=keras_version == 3):
        made = serialize_keras_object(model)
    training = None
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and include_optimizer and model.compiled:
        training = dict(model.get_compile_config())
        training["loss"] = keras2.long_names(training.get("loss"))
        training["optimizer_config"] = {"class_name": registry.get_registered_name(type(optimizer)),
                                        "config": serialize_keras_object(optimizer.get_config())}  # fmt: skip
        training.pop("optimizer", None)
    has_layers = model._symbolic_graph is not None or hasattr(model, "add")
    if not has_layers and keras_version == 2:
        raise ValueError(f"save: {model.name} is a model with a call of its own, of which Keras 2 opens no .h5 file. Nothing was written; "
                         "save it as .keras, or its weights with save_weights.")  # fmt: skip
    if not has_layers:
        return made, training, archive.KERAS_VERSION   # with the shapes it was built for, without which it would have no weights
    if keras_version != 3:
        both = keras_version is None
        try:
            return keras2.described(made, both, in_h5=True), training and keras2.compilation(training, both), keras2.VERSION
        except keras2.Unfit as e:
            if keras_version == 2:
                raise ValueError(f"save: {e}. Nothing was written; without keras_version=2 Keras 3 can open the file.") from None
    return {"class_name": made["class_name"], "config": ops.without_ellipsis(made["config"])}, training, archive.KERAS_VERSION


def weights_group(model: Any, read: Reader) -> Group:
    """The weights of a model by layer."""
    layers: dict[str, Any] = {}
    for layer in _layers(model):
        name = layer.name
        while name in layers:                          # of a model with a call of its own: they are read in order
            name += "_"
        layers[name] = layer
    group = Group(attrs={"backend": "pyml", "keras_version": archive.KERAS_VERSION})
    _set_names(group, "layer_names", list(layers))
    for name, layer in layers.items():
        _put(group.group(name), _weights(layer), read)
    _put(group.group("top_level_model_weights"), model._kept_variables(), read)
    return group


def _put(group: Group, variables: list[Any], read: Reader) -> None:
    names: list[str] = []
    for variable in variables:
        name = "unused" if isinstance(variable, np.ndarray) else variable.path or variable.name
        while name in names:                           # of shared weights and cells: names only need to differ
            name += "_"
        names.append(name)
        folder, _, last = name.rpartition("/")
        group.group(folder).items[last] = np.asarray(variable if isinstance(variable, np.ndarray) else read(variable))
    _set_names(group, "weight_names", names)


def _set_names(group: Group, key: str, names: list[str]) -> None:
    """A list of names; longer ones in several attributes, as Keras cuts them."""
    longest = max((len(name.encode()) for name in names), default=0)
    if longest * len(names) <= MOST_ATTRIBUTE:
        group.attrs[key] = names if names else np.zeros(0)
        return
    size = max(1, MOST_ATTRIBUTE // longest)
    for i, start in enumerate(range(0, len(names), size)):
        group.attrs[f"{key}{i}"] = names[start : start + size]


def _names(group: Group, key: str, where: object) -> list[str]:
    found = group.attrs.get(key)
    if found is None:
        found, i = [], 0
        while f"{key}{i}" in group.attrs:
            found += list(group.attrs[f"{key}{i}"])
            i += 1
    names = list(np.asarray(found).ravel().tolist()) if not isinstance(found, list) else found
    if not all(isinstance(name, str) for name in names):
        raise ModelFileError(f"{where}: the file is damaged: {key} holds no names.")
    return names


def _layers(model: Any) -> list[Any]:
    graph = model._symbolic_graph
    if graph is None or hasattr(model, "add"):
        return list(model.layers)
    return [operation for operation in graph.operations if hasattr(operation, "weights")]


def _weights(layer: Any) -> list[Variable]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


# ---- reading
def load(data: Any, where: object, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True) -> Any:
    """The model in the bytes of an `.h5` file.

    Raises:
        ModelFileError: The file is damaged, or holds what is not known here.
    """
    root = hdf5_read.read(data, where)
    text = root.attrs.get("model_config")
    if not isinstance(text, str):
        raise ModelFileError(f"{where}: there is no model_config in it, only weights; make the model and call load_weights.")
    config = parse_json(text.encode(), f"{where}: model_config")
    group = root.find("model_weights") or root
    version = str(root.attrs.get("keras_version") or group.attrs.get("keras_version") or "1")
    model = _model(config, where, custom_objects, safe_mode, version.startswith("3"), len(data))
    load_weights(model, group, where)
    if compile and isinstance(root.attrs.get("training_config"), str):
        _compile(model, parse_json(root.attrs["training_config"].encode(), f"{where}: training_config"), root, where, custom_objects)
    return model


def _model(config: dict[str, Any], where: object, custom_objects: Mapping[str, Any] | None, safe_mode: bool, new: bool, nbytes: int) -> Any:
    archive.check_depth(config, where)
    if new:
        config = ops.with_modules(config, custom_objects)
        return archive.made({"module": "keras", "registered_name": None, **config}, where, custom_objects, False, safe_mode, nbytes)
    try:
        with at_most(nbytes):
            return deserialize(read_layer(_without_modules(config), where), custom_objects)
    except ModelFileError:
        raise
    except _BUILDING as e:
        raise ModelConfigError(f"{where}: the model cannot be made from its config: {str(e)[:1000]}") from e


def from_members(config: dict[str, Any], where: object, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool,
                 nbytes: int) -> Any:
    """The model of the `config.json` in a `.keras` file of Keras 2.12 to 2.15, with new weights."""
    model = _model(archive.without_compilation(config), where, custom_objects, safe_mode, False, nbytes)
    chosen = config.get("compile_config")
    if compile and isinstance(chosen, dict):
        chosen = dict(chosen)
        chosen["optimizer_config"] = chosen.pop("optimizer", None)
        _compile(model, chosen, Group(), where, custom_objects)
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
    return model


def _metric(value: Any) -> Any:
    """Metrics of `compile` by their names, where Keras 2 wrote what it had made of these."""
    if isinstance(value, dict) and value.get("class_name") == "MeanMetricWrapper":
        function, name = value["config"].get("fn"), value["config"].get("name")
        function = function.get("config") if isinstance(function, dict) else function
        return _compiled_name(name, function)
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _metric(item) for key, item in value.items()}
    return [_metric(item) for item in value] if isinstance(value, list) else value


def _compiled_name(name: str | None, function: Any) -> Any:
    """What `compile` was given of a metric, which older Keras calls `output_mae` or `weighted_mse`; else its function, if that is known."""
    found = _function(function)
    if not name or name in _FITTING or registry.built_in(name, (METRICS,)) is not None or not isinstance(function, str):
        return name or function
    parts = name.split("_")
    for at in range(1, len(parts)):
        short = "_".join(parts[at:])
        if (short in _FITTING and function.endswith(_FITTING[short])) or (found is not None and _function(short) is found):
            return short
    return name if found is None else function


def _function(name: Any) -> Any:
    return registry.built_in(name, (METRICS, LOSSES), function=True) if isinstance(name, str) else None


def _loss(value: Any) -> Any:
    """Losses of `compile` without the name of their function, which Keras 2 writes, and with the reduction that it calls "auto"."""
    if isinstance(value, dict) and value.get("class_name") in LOSSES.classes and isinstance(value.get("config"), dict):
        config = {key: item for key, item in value["config"].items() if key != "fn"}
        return {**value, "config": config | ({"reduction": "sum_over_batch_size"} if config.get("reduction") == "auto" else {})}
    if isinstance(value, dict):
        return {key: _loss(item) for key, item in value.items()}
    return [_loss(item) for item in value] if isinstance(value, list) else value


def _without_modules(config: Any) -> Any:
    """Keras 2.13 to 2.15 name modules, as Keras 3 does, in configs that are of Keras 2 all the same."""
    if isinstance(config, dict):
        return {key: _without_modules(value) for key, value in config.items() if key not in ("module", "build_config")}
    return [_without_modules(value) for value in config] if isinstance(config, list) else config


def from_json(config: dict[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """The model that `to_json` of Keras 2 describes, with new weights."""
    return _model(config, "the text", custom_objects, True, False, 1 << 62)


def load_weights(model: Any, group: Group, where: object, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Sets the weights of a model from those of its layers in order, or of the layers of the same names.

    Raises:
        ModelFileError: The layers or weights differ, or are damaged. Nothing is changed.
    """
    names = _names(group, "layer_names", where)
    stored = {name: group.find(name) for name in names}
    if any(found is None for found in stored.values()):
        raise ModelFileError(f"{where}: the file is damaged: a layer of its list has no weights.")
    full = [name for name in names if _names(stored[name], "weight_names", where)]  # type: ignore[arg-type]
    mine = [layer for layer in _layers(model) if _weights(layer)]
    if by_name:
        pairs = [(layer, layer.name) for layer in mine if layer.name in full]
    elif len(full) != len(mine):
        raise ModelFileError(f"{where}: the model has {len(mine)} layers with weights, the file {len(full)}: {full[:8]}.")
    else:
        pairs = list(zip(mine, full, strict=True))
    top = group.find("top_level_model_weights")
    found: list[tuple[Variable, np.ndarray]] = []
    for layer, variables, place in [(layer, _weights(layer), stored[name]) for layer, name in pairs] + (
            [] if top is None or by_name else [(model, model._kept_variables(), top)]):
        assert place is not None
        arrays = _arrays(place, where)
        fits = len(arrays) == len(variables) and all(a.shape == tuple(v.shape) for a, v in zip(arrays, variables, strict=True))
        if fits:
            found += zip(variables, arrays, strict=True)
        elif skip_mismatch:
            warn(f"{where}: layer {layer.name!r} is left as it is; its weights have other shapes in the file.")
        else:
            raise ModelFileError(f"{where}: layer {layer.name!r} has weights of shapes {[tuple(v.shape) for v in variables]}; in the file "
                                 f"they have {[a.shape for a in arrays]}.")
    for variable, array in found:
        variable.assign(array)


def _arrays(group: Group, where: object) -> list[np.ndarray]:
    arrays = []
    for name in _names(group, "weight_names", where):
        folder, _, last = name.rpartition("/")
        place = group.find(folder)
        item = None if place is None else place.items.get(last)
        if item is None or isinstance(item, Group):
            raise ModelFileError(f"{where}: the file is damaged: weight {name[:80]!r} is missing.")
        arrays.append(np.asarray(item))
    return arrays


def _compile(model: Any, config: dict[str, Any], root: Group, where: object, custom_objects: Mapping[str, Any] | None) -> None:
    """Compiles the model as the file says, and sets the optimizer's state; a warning where that is not possible."""
    chosen = config.pop("optimizer_config", None) or {}
    if isinstance(chosen, str):  # `compile` was given the name alone
        chosen = {"class_name": chosen}
    inner = {key: value for key, value in (chosen.get("config") or {}).items() if key not in _GONE}
    if "lr" in inner:
        inner["learning_rate"] = inner.pop("lr")
    name = str(chosen.get("class_name")).rpartition(">")[2]
    decay = (chosen.get("config") or {}).get("decay")
    if decay and isinstance(inner.get("learning_rate"), float) and name != "Nadam":  # where it is one of momentum
        inner["learning_rate"] = serialize_keras_object(schedules.InverseTimeDecay(inner["learning_rate"], 1, decay))
    try:
        with custom_object_scope(custom_objects or {}):
            optimizer = deserialize_keras_object({"class_name": name, "config": inner}, kind=OPTIMIZERS)
            of_metrics: dict[str, Any] = {key: _metric(config[key]) for key in ("metrics", "weighted_metrics") if key in config}
            of_metrics |= {"loss": _loss(config["loss"])} if "loss" in config else {}
            model.compile_from_config({key: value for key, value in config.items() if key not in _NOT_OURS} | of_metrics | {
                "optimizer": serialize_keras_object(optimizer)})
    except _BUILDING as e:
        warn(f"{where}: the model is not compiled: {str(e)[:300]}")
        return
    group = next((found for name in _STATE if (found := root.find(name)) is not None), None)
    if group is not None:
        arrays = _arrays(group, where)
        if arrays and str(_names(group, "weight_names", where)[0]).endswith("/iter:0"):
            arrays = _by_variable(name, arrays, bool(inner.get("amsgrad")))
        model.optimizer.load_own_variables({str(i): array for i, array in enumerate(arrays)})


def _by_variable(name: str, arrays: list[np.ndarray], amsgrad: bool) -> list[np.ndarray]:
    """The state of an optimizer of before Keras 2.11, which has one kind of state after the other, variable by variable as later ones."""
    slots = arrays[2 if name == "Nadam" else 1 :]      # Nadam's product of all steps comes before them
    kinds = 3 if amsgrad else 2
    if name not in ("Adam", "Adamax", "Adadelta", "Nadam") or len(slots) % kinds:
        return arrays
    each = len(slots) // kinds
    pairs = zip(slots[:each], slots[each : 2 * each], strict=True)
    return [arrays[0], *[array for pair in pairs for array in pair], *slots[2 * each :]]
