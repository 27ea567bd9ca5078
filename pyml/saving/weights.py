"""Weights on disk: `.weights.h5` as Keras 3 has them, whole or in shards, `.h5` of Keras 2, or numpy's `.npz`."""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.atomic import write
from pyml.errors import ShapeError
from pyml.saving.files import MOST_JSON, ModelFileError, existing_file, parse_json, path_of
from pyml.saving.npz import read_npz, write_npz

if TYPE_CHECKING:
    from pyml.layers.layer import Layer
    from pyml.saving.keras.hdf5 import Group


def save_weights(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes all weights of `model`; an old file of that name stays until the new one is whole.

    Args:
        model: A built model.
        filepath: Path that ends in `.weights.h5`, which Keras reads too; in `.weights.json` for shards; or in `.npz`.
        overwrite: False refuses to replace an existing file.
        max_shard_size: Cuts the weights into files of at most so many GB, which a `.weights.json` lists.
        kwargs: `objects_to_skip`, layers that are left out of a `.weights.h5`.

    Raises:
        ValueError: The path ends otherwise, the model has no weights yet, or a weight is larger than a shard.
        FileExistsError: The file exists and `overwrite` is False.
        OSError: The file cannot be written; the old one is as it was.

    Source: keras.saving.save_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> pyml.saving.save_weights(model, "model.weights.h5")
    """
    path = _checked(filepath, "save_weights")
    skip = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"save_weights: arguments not recognized: {', '.join(sorted(kwargs))}.")
    if max_shard_size is not None and not path.endswith(("weights.h5", "weights.json")):
        raise ValueError(f"save_weights: shards are listed in a file whose name ends in .weights.json. Received: {path}")
    if max_shard_size is None and path.endswith(".json"):
        raise ValueError(f"save_weights: give max_shard_size, in GB, for a file that lists shards. Received: {path}")
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} exists; pass overwrite=True to replace it.")
    if not model.built:
        raise ValueError(f"save_weights: model '{model.name}' has no weights yet; build it or call it first.")
    if path.endswith(".npz"):
        write_npz(path, {f"{i}:{v.path}": v.numpy() for i, v in enumerate(model.weights)})
        return
    if not path.endswith(".weights.h5" if max_shard_size is None else ("weights.h5", "weights.json")):
        raise ValueError(f"save_weights: the name of the file must end in .weights.h5 (or in .npz). Received: {path}")
    from pyml.saving.keras import hdf5, state

    kept = state.save_state(model, skip=skip)
    if max_shard_size is None:
        write(path, hdf5.write(kept))
    else:
        _write_shards(path, kept, max_shard_size * 1024**3)


def load_weights(model: Layer, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads weights into a model of the same structure; nothing changes unless all fit.

    Args:
        model: A built model.
        filepath: Path of a `.weights.h5` or `.weights.json`, of an `.h5` with weights of Keras 2, of a `.keras` or of an `.npz`, which
            `save_weights` or Keras wrote.
        skip_mismatch: Leave weights alone that do not fit, with a warning, instead of raising.
        kwargs: `by_name=True` takes the layers of an `.h5` of Keras 2 by their names; `objects_to_skip` leaves layers as they are.

    Raises:
        ValueError: The path ends otherwise, or the model has no weights yet.
        ModelFileError: There is no such file (then it is a FileNotFoundError too), it is damaged, or it does not fit the model.
        ShapeError: An `.npz` holds another number of weights, or other shapes.

    Source: keras.saving.load_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> model.save_weights("model.weights.h5")
        >>> pyml.saving.load_weights(model, "model.weights.h5")
    """
    path = _checked(filepath, "load_weights")
    by_name, skip = bool(kwargs.pop("by_name", False)), kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"load_weights: arguments not recognized: {', '.join(sorted(kwargs))}.")
    path = existing_file(path, "load_weights")
    if not path.endswith(".npz"):
        if not model.built:
            raise ValueError(f"load_weights: model '{model.name}' has no weights yet; build it or call it first.")
        _load_keras(model, path, skip_mismatch, by_name, skip)
        return
    own = model.weights
    arrays = _in_order(read_npz(path, "load_weights"), path)
    if len(arrays) != len(own) and not skip_mismatch:
        raise ShapeError(
            f"load_weights: {path} holds {len(arrays)} weights, model '{model.name}' has {len(own)}; "
            "build the model first and use the structure the file was written with."
        )
    pairs = list(zip(own, arrays, strict=False))
    for variable, array in pairs:
        if tuple(variable.shape) != array.shape and not skip_mismatch:
            raise ShapeError(
                f"load_weights: weight {variable.path} has shape {tuple(variable.shape)}, "
                f"in {path} it has {array.shape}."
            )
    for variable, array in pairs:
        if tuple(variable.shape) == array.shape:
            variable.assign(array)


def _load_keras(model: Any, path: str, skip_mismatch: bool, by_name: bool, skip: Any) -> None:
    from pyml.saving.keras import archive, hdf5_read, legacy, state

    if path.endswith(".json"):
        root: Group = _read_shards(path)
    else:
        with open(path, "rb") as file:
            data: Any = file.read()
        if path.endswith(".keras"):
            data = archive.read_archive(data, path).get(archive.WEIGHTS)
            if data is None:
                raise ModelFileError(f"load_weights: {path} holds no {archive.WEIGHTS}.")
        root = hdf5_read.read(data, path)
    group = root.find("model_weights") or root
    if "layer_names" in group.attrs or "layer_names0" in group.attrs:
        legacy.load_weights(model, group, path, skip_mismatch, by_name)
        return
    if by_name:
        raise ValueError(f"load_weights: by_name is for .h5 files of Keras 2; {path} keeps weights by their place in the model.")
    state.load_state(model, root, path, skip_mismatch, skip=skip)


# ---- shards
def _write_shards(path: str, whole: Group, most: float) -> None:
    """Files of at most `most` bytes of weights, and the list that says which file has what."""
    from pyml.saving.keras import hdf5

    if not path.endswith(".json"):
        warnings.warn(f"save_weights: shards are listed in a .json file, so {path} becomes {path.removesuffix('.h5')}.json.", stacklevel=3)
        path = f"{path.removesuffix('.h5')}.json"
    stem = os.path.basename(path).removesuffix(".json").replace(".weights", "")
    shards: list[Group] = [hdf5.Group()]
    places: dict[str, list[str]] = {}
    total = here = 0
    name = lambda: f"{stem}_{len(shards) - 1:05}.weights.h5"
    for group_path, group in _groups(whole):
        for key, array in sorted(group.items.items()):
            if isinstance(array, hdf5.Group):
                continue
            if array.nbytes > most:
                raise ValueError(
                    f"save_weights: {group_path}/{key} has {array.nbytes:,} bytes, more than a shard of {most:,.0f}; raise max_shard_size.")
            if here + array.nbytes > most:
                shards.append(hdf5.Group())
                here = 0
            here, total = here + array.nbytes, total + array.nbytes
            shard = shards[-1].group(group_path)
            shard.attrs.update(group.attrs)
            shard.items[key] = array
            files = places.setdefault(f"/{group_path}", [])
            if name() not in files:
                files.append(name())
    folder = os.path.dirname(path)
    for i, shard in enumerate(shards):
        write(os.path.join(folder, f"{stem}_{i:05}.weights.h5"), hdf5.write(shard))
    listed = {key: files[0] if len(files) == 1 else files for key, files in places.items()}
    write(path, json.dumps({"metadata": {"total_size": total}, "weight_map": listed}, indent=4).encode())


def _groups(root: Group) -> list[tuple[str, Group]]:
    from pyml.saving.keras.hdf5 import Group

    found, waiting = [], [("", root)]
    while waiting:
        path, group = waiting.pop(0)
        found.append((path, group))
        waiting += [(f"{path}/{key}" if path else key, item) for key, item in group.items.items() if isinstance(item, Group)]
    return found


def _read_shards(path: str) -> Group:
    from pyml.saving.keras import hdf5, hdf5_read

    with open(path, "rb") as file:
        listed = parse_json(file.read(MOST_JSON), path).get("weight_map")
    if not isinstance(listed, dict):
        raise ModelFileError(f"load_weights: {path} has no weight_map; it lists no shards.")
    names = sorted({name for files in listed.values() for name in (files if isinstance(files, list) else [files]) if isinstance(name, str)})
    whole = hdf5.Group()
    for name in names:
        if os.path.basename(name) != name or name in ("", ".", ".."):
            raise ModelFileError(f"load_weights: {path} names {name!r}, which leads out of its folder; it was refused.")
        place = existing_file(os.path.join(os.path.dirname(path), name), "load_weights")
        with open(place, "rb") as file:
            for where, group in _groups(hdf5_read.read(file.read(), place)):
                here = whole.group(where)
                here.attrs.update(group.attrs)
                here.items.update({key: item for key, item in group.items.items() if not isinstance(item, hdf5.Group)})
    return whole


def _in_order(arrays: dict[str, np.ndarray], path: str) -> list[np.ndarray]:
    """The arrays by the position that begins their names, `0:dense/kernel`."""
    found: dict[int, np.ndarray] = {}
    for name, array in arrays.items():
        position = name.partition(":")[0]
        if not (position.isascii() and position.isdigit() and len(position) < 9) or array.dtype.kind not in "biuf":
            raise ModelFileError(f"load_weights: {path} holds {name[:80]!r} ({array.dtype}), which save_weights did not write.")
        found[int(position)] = array
    if sorted(found) != list(range(len(arrays))):
        raise ModelFileError(f"load_weights: {path} does not number its {len(arrays)} weights from 0; save_weights did not write it.")
    return [found[position] for position in range(len(arrays))]


def _checked(filepath: str | os.PathLike[str], what: str) -> str:
    path = path_of(filepath, what)
    if not path.endswith((".npz", ".h5", ".hdf5", ".keras", "weights.json")):
        raise ValueError(f"{what}: the name of the file must end in .weights.h5 (or in .weights.json, .npz). Received: {path}")
    return path
