"""Where Keras' files keep the variables of a model: a path for every layer and optimizer, `layers/dense/vars/0` for the first kernel.

A path is made of the names of attributes, sorted, and in lists of classes in order, as Keras 3 walks through a model; names of layers
do not count, since a model that is made again has others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import dtype_policies
from ...core.naming import to_snake_case
from ...core.variable import Variable
from ...layers.layer import Layer
from ...layers.quantizable import Quantizable
from ...objects.registry import LAYERS
from ...optimizers.base import Optimizer
from ...tracebacks import is_ours, warn
from ..files import ModelFileError
from . import keras2
from .hdf5 import Group

# Attributes of ours that hold layers which Keras reaches on another way: of every layer, and of models with a graph.
_OURS = frozenset({"_constructor", "_inbound_nodes", "_tracked_children", "_tracked_since"})
_OF_MODELS = frozenset({"_symbolic_graph", "_graph_calls", "_graph_layers", "_graph_source", "_stack"})
_LAYERS_OF_2_13 = "_layer_checkpoint_dependencies"
# Built-in layers whose attributes have other names in Keras.
_POLICY = "dtype_policy"  # an attribute of the variables of a quantized layer
_PARTS = ("query_dense", "key_dense", "value_dense", "output_dense", "dropout_layer")
_NAMES = {
    "GroupQueryAttention": {name: f"_{name}" for name in (*_PARTS, "gate_dense")}, "MultiHeadAttention": {"gate_dense": "_gate_dense"},
}  # fmt: skip
_CLASSES = {"GroupQueryAttention": "grouped_query_attention"}  # classes of another name there than the one they are exported under

Reader = Callable[[Variable], np.ndarray]


def _is_saved(obj: Any) -> bool:
    return isinstance(obj, (Layer, Optimizer))


def _children(obj: Any) -> Iterator[tuple[str, Any]]:
    """What Keras walks into from an object, in its order, under its names."""
    is_model = hasattr(obj, "layers") and isinstance(obj, LAYERS.classes["Model"])
    ours = _OURS
    if is_model and (obj._symbolic_graph is not None or isinstance(obj, LAYERS.classes["Sequential"])):
        ours |= _OF_MODELS
        yield "layers", _all_layers(obj)
    renamed = next((_NAMES[base.__name__] for base in type(obj).__mro__ if base.__name__ in _NAMES and is_ours(base)), {})
    found = {renamed.get(name, name): value for name, value in vars(obj).items() if name not in ours}
    for cls in type(obj).__mro__:
        if not is_ours(cls) and cls is not object:
            for name, value in vars(cls).items():
                if isinstance(value, property) and name not in found:
                    try:
                        found[name] = getattr(obj, name)
                    except Exception:                  # as Keras does: a property that cannot be read holds nothing
                        continue
    if is_model:
        found.setdefault("layers", _all_layers(obj))
    for name in sorted(found, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if not name.startswith("__") and (_is_saved(found[name]) or isinstance(found[name], (list, tuple, dict))):
            yield name, found[name]


def _all_layers(model: Any) -> list[Any]:
    """The layers of a model with its inputs, where Keras counts those."""
    graph = model._symbolic_graph
    if graph is not None and not isinstance(model, LAYERS.classes["Sequential"]):
        return [operation for operation in graph.operations if isinstance(operation, Layer)]
    return list(model.layers)


def walk(obj: Any, again: bool = False) -> Iterator[tuple[str, Any]]:
    """Every layer and optimizer of a model with its path, each once; `again` gives the further paths to the same object as well."""
    seen: dict[int, Any] = {}                          # held, so that no list made later has the id of one that is gone

    def visit(path: str, item: Any) -> Iterator[tuple[str, Any]]:
        """What is saved at `path` and below, depth first."""
        if _is_saved(item):
            if id(item) in seen:
                if again and path:
                    yield path, item
                return
            seen[id(item)] = item
            yield path, item
            for name, child in _children(item):
                yield from visit(f"{path}/{name}" if path else name, child)
        elif isinstance(item, (list, tuple, dict)) and id(item) not in seen:
            seen[id(item)] = item
            used: dict[str, int] = {}
            for child in item.values() if isinstance(item, dict) else item:
                if isinstance(child, (list, tuple, dict)) or _is_saved(child):
                    name = type(child).__name__
                    kind = _CLASSES.get(name, to_snake_case(name)) if _is_saved(child) else "container"
                    used[kind] = used.get(kind, -1) + 1
                    yield from visit(f"{path}/{kind}_{used[kind]}" if used[kind] else f"{path}/{kind}", child)

    yield from visit("", obj)


class _Store(dict):
    """Variables by number, as `save_own_variables` fills it; lists of arrays count too."""

    def __init__(self, read: Reader) -> None:
        super().__init__()
        self.read = read

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(str(key), self.read(value) if isinstance(value, Variable) else np.asarray(value))


def save_state(model: Any, read: Reader | None = None, skip: Any = (), old: bool = False) -> Group:
    """The variables of a model, and of its optimizer, as the groups of a file.

    Args:
        model: A built model.
        read: Gives the values of a Variable; they are read here by default.
        skip: Objects to leave out.
        old: Under the names that Keras 2.15 has, and without learning rates.
    """
    root = Group()
    read = read or (lambda variable: variable.numpy())
    left_out = {id(obj) for obj in skip}
    for path, obj in walk(model):
        if id(obj) in left_out:
            continue
        store = _Store(read)
        if type(obj).save_own_variables in (Layer.save_own_variables, Optimizer.save_own_variables):
            own = keras2.variables_of(obj) if old and isinstance(obj, Optimizer) else _own(obj)
            for i, variable in enumerate(own):
                store[str(i)] = variable
        else:
            obj.save_own_variables(store)
        folder, _, last = path.rpartition("/")
        group = root.group(f"{folder}/_{last}/vars" if old and last in _PARTS else f"{path}/vars")
        group.attrs["name"] = obj.name
        if getattr(obj, "quantization_mode", None) is not None and not old:
            group.attrs[_POLICY] = obj._policy_at_path.name
        group.items.update(store)
    return root


def _own(obj: Any) -> list[Variable]:
    return obj.variables if isinstance(obj, Optimizer) else obj._kept_variables()


def load_state(model: Any, root: Group, where: object, skip_mismatch: bool = False, by_name: bool = False, skip: Any = ()) -> None:
    """Sets the variables of a model from a file; if something does not fit, none is changed.

    Args:
        model: A built model.
        root: The groups of the file.
        where: The file, for messages.
        skip_mismatch: Leave what does not fit as it is, with a warning.
        by_name: Layers in lists go by their names where the file has those: the model was made from the file's own config.
        skip: Objects to leave out.

    Raises:
        ModelFileError: Variables are missing, have other shapes, or are damaged.
    """
    before = [] if skip_mismatch else [(variable, variable.value) for variable in _variables(model)]
    failed: list[tuple[Any, Exception]] = []
    left_out = {id(obj) for obj in skip}
    all_saved = list(walk(model))
    beside: dict[str, set[str]] = {}
    for path, obj in all_saved if by_name else ():
        beside.setdefault(os.path.dirname(path), set()).add(obj.name)
    try:
        for path, obj in all_saved:
            group = _group(root, path, obj, beside.get(os.path.dirname(path)))
            if id(obj) in left_out:
                continue
            try:
                stored = {} if group is None else group.items
                if by_name and group is not None:
                    _quantize_as_stored(obj, group)
                obj.load_own_variables({name: np.asarray(item) for name, item in stored.items() if not isinstance(item, Group)})
            except (ValueError, KeyError, TypeError, IndexError) as e:
                failed.append((obj, e))
        if failed:
            failed = _found_elsewhere(model, root, failed)
        if failed and not skip_mismatch:
            raise ModelFileError(f"{where}: {_told(failed)}")
    except BaseException:
        for variable, value in before:
            variable.assign(value)
        raise
    if failed:
        warn(f"{where}: {_told(failed)}")


def _found_elsewhere(model: Any, root: Group, failed: list[tuple[Any, Exception]]) -> list[tuple[Any, Exception]]:
    """The objects that are stored under none of their paths either: the first path may be another than when the file was written."""
    paths: dict[int, list[str]] = {}
    for path, obj in walk(model, again=True):
        paths.setdefault(id(obj), []).append(path)
    still = []
    for obj, error in failed:
        for path in paths.get(id(obj), [])[1:]:
            group = _group(root, path, obj, None)
            if group is None:
                continue
            try:
                obj.load_own_variables({name: np.asarray(item) for name, item in group.items.items() if not isinstance(item, Group)})
                break
            except (ValueError, KeyError, TypeError, IndexError):
                continue
        else:
            still.append((obj, error))
    return still


def _quantize_as_stored(obj: Any, group: Group) -> None:
    """Quantizes a layer whose stored weights are: layers inside others, such as those of attention, do not stand in the config."""
    if not isinstance(obj, Quantizable) or obj.quantization_mode is not None or not obj.built:
        return
    said = group.attrs.get(_POLICY)
    if isinstance(said, bytes):
        said = said.decode()
    if said is None:  # Keras says nothing of it, so the integers do
        if any(np.asarray(item).dtype == np.int8 for item in group.items.values() if not isinstance(item, Group)):
            obj.quantize("int8")
        return
    from ...quantizers import Int4QuantizationConfig

    policy = dtype_policies.get(said)
    config = Int4QuantizationConfig(block_size=policy.block_size) if isinstance(policy, dtype_policies.Int4DTypePolicy) else None
    obj.quantize(policy.quantization_mode, config=config)


def _variables(model: Any) -> list[Variable]:
    return [variable for _, obj in walk(model) for variable in _own(obj)]


def _told(failed: list[tuple[Any, Exception]]) -> str:
    names = ", ".join(repr(obj.name) for obj, _ in failed[:8])
    first, error = failed[0]
    said = f"there is no {error} in the file" if isinstance(error, KeyError) else str(error)
    return f"{len(failed)} object(s) could not be loaded ({names}). Of {first.name!r} ({type(first).__name__}): {said}"


def _in_keras_2_13(root: Group, path: str) -> str:
    """A path as Keras 2.12 and 2.13 wrote it: their models keep `layers` under another name, and count those with weights twice as they
    number them, as `dense`, `dense_2`, `dense_4`."""
    here, parts = root, list[str]()
    for part in path.split("/"):
        if parts and parts[-1] == _LAYERS_OF_2_13:
            name, _, number = part.rpartition("_") if re.search(r"_\d+$", part) else (part, "", "0")
            alike = (re.fullmatch(re.escape(name) + r"(?:_(\d+))?", item) for item in here.items)
            numbered = sorted((int(match[1] or 0), match[0]) for match in alike if match)
            part = numbered[int(number)][1] if int(number) < len(numbered) else part
        elif part == "layers" and part not in here.items and _LAYERS_OF_2_13 in here.items:
            part = _LAYERS_OF_2_13
        parts.append(part)
        here = here.find(part) or Group()
    return "/".join(parts)


def _group(root: Group, path: str, obj: Any, beside: set[str] | None) -> Group | None:
    """The variables of an object in a file: at its place, or under its name where the file holds just the names `beside` it in another
    order. Layers that a layer makes for itself are numbered as the program goes: a name of the file may be another one's now."""
    found = root.find(f"{path}/vars")
    if found is None:
        path = _in_keras_2_13(root, path)
        found = root.find(f"{path}/vars")
    if found is None and "/" in path:                  # parts of layers of Keras 2, and of pyml's first files
        folder, last = path.rsplit("/", 1)
        found = root.find(f"{folder}/{last[1:] if last.startswith('_') else f'_{last}'}/vars")
    if beside and found is not None and found.attrs.get("name", obj.name) != obj.name:
        siblings = root.find(os.path.dirname(path))
        inside = [sibling.find("vars") for sibling in siblings.items.values() if isinstance(sibling, Group)] if siblings is not None else []
        named = {str(group.attrs["name"]): group for group in inside if group is not None and "name" in group.attrs}
        if named.keys() <= beside:
            return named.get(obj.name, found)
    return found
