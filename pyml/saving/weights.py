"""Weights on disk: `.weights.h5` as Keras 3 has them, whole or in shards, `.h5` of Keras 2, or numpy's `.npz`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from pyml.atomic import write
from pyml.errors import ShapeError
from pyml.saving import whole_files
from pyml.saving.asking import Asking, answered, answered_async, read, read_async, whole
from pyml.saving.files import MOST_JSON, MOST_WEIGHTS, ModelFileError, Place, existing_file, path_of
from pyml.saving.npz import parse_npz, write_npz
from pyml.saving.on_servers import is_http_scheme
from pyml.saving.stores import ChosenFiles, StoredModel, parse, place_of, target_of
from pyml.saving.waiting import wait
from pyml.saving.writing import reader, values_of
from pyml.tracebacks import shown

if TYPE_CHECKING:
    from pyml.layers.layer import Layer
    from pyml.saving.keras.hdf5 import Group


@shown
def save_weights(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """Writes all weights of `model`; an old file of that name stays until the new one is whole.

    Args:
        model: A built model.
        filepath: Path that ends in `.weights.h5`, which Keras reads too; in `.weights.json` for shards; or in `.npz`. In a browser also
            `"indexeddb://NAME.weights.h5"`, or `"downloads://NAME.weights.h5"` for the user to keep.
        overwrite: False refuses to replace an existing file.
        max_shard_size: Cuts the weights into files of at most so many GB, which a `.weights.json` lists.
        kwargs: `objects_to_skip`, layers that are left out of a `.weights.h5`; `keras_version=2` for names of weights inside layers as
            Keras 2.15 has them.

    Raises:
        ValueError: The path ends otherwise, the model has no weights yet, or a weight is larger than a shard.
        FileExistsError: The file exists and `overwrite` is False.
        OSError: The file cannot be written; the old one is as it was.
        ModelStoreError: The browser has no room, or this is not a browser.
        SyncReadError: This browser cannot wait; write `await model.save_weights_async(filepath)`.

    Source: keras.saving.save_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> pyml.saving.save_weights(model, "model.weights.h5")
    """
    given = dict(kwargs)
    path, how = _checked_for_writing(model, filepath, overwrite, max_shard_size, kwargs)
    if target_of(path) is not None:
        again = save_weights_async(model, path, overwrite, max_shard_size, **given)
        wait(again, f"await model.save_weights_async({path!r})")
        return
    _write(path, _pieces(model, path, how, max_shard_size, None))


async def save_weights_async(
    model: Layer, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None, **kwargs: Any
) -> None:
    """`save_weights` that works in every browser.

    Raises:
        ValueError, FileExistsError, OSError, ModelStoreError: As `save_weights`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> asyncio.run(pyml.saving.save_weights_async(model, "model.weights.h5"))
    """
    path, how = _checked_for_writing(model, filepath, overwrite, max_shard_size, kwargs)
    store = target_of(path)
    pieces = _pieces(model, path, how, max_shard_size, reader(await values_of(model)))
    if store is None:
        _write(path, pieces)
    else:
        await whole_files.keep(store, pieces, overwrite)


def _checked_for_writing(model: Any, filepath: Any, overwrite: bool, max_shard_size: float | None,
                         more: dict[str, Any]) -> tuple[str, dict[str, Any]]:  # fmt: skip
    """The path, and what is left out and how names are."""
    path = _checked(filepath, "save_weights")
    how = {"skip": more.pop("objects_to_skip", None) or (), "old": more.pop("keras_version", None) == 2}
    if more:
        raise ValueError(f"save_weights: arguments not recognized: {', '.join(sorted(more))}.")
    if max_shard_size is not None and not path.endswith(("weights.h5", "weights.json")):
        raise ValueError(f"save_weights: shards are listed in a file whose name ends in .weights.json. Received: {path}")
    if max_shard_size is None and path.endswith(".json"):
        raise ValueError(f"save_weights: give max_shard_size, in GB, for a file that lists shards. Received: {path}")
    kept = target_of(path) is not None
    if kept and (max_shard_size is not None or not path.endswith(".weights.h5")):
        raise ValueError(f"save_weights: a browser keeps weights as one file whose name ends in .weights.h5. Received: {path}")
    if not kept and not overwrite and os.path.exists(path):
        raise FileExistsError(f"save_weights: {path} exists; pass overwrite=True to replace it.")
    if not model.built:
        raise ValueError(f"save_weights: model '{model.name}' has no weights yet; build it or call it first.")
    if not path.endswith((".weights.h5", ".npz") if max_shard_size is None else ("weights.h5", "weights.json")):
        raise ValueError(f"save_weights: the name of the file must end in .weights.h5 (or in .npz). Received: {path}")
    return path, how


def _pieces(model: Any, path: str, how: dict[str, Any], max_shard_size: float | None, read: Callable[[Any], Any] | None) -> Any:
    """What is written: runs of bytes, arrays of an `.npz`, or None where the shards are written by now."""
    if path.endswith(".npz"):
        return {f"{i}:{v.path}": v.numpy() if read is None else read(v) for i, v in enumerate(model.weights)}
    from pyml.saving.keras import hdf5, state, weight_shards

    kept = state.save_state(model, read, **how)
    if max_shard_size is None:
        return hdf5.write(kept)
    weight_shards.write(path, kept, max_shard_size * 1024**3)
    return None


def _write(path: str, pieces: Any) -> None:
    if isinstance(pieces, dict):
        write_npz(path, pieces)
    elif pieces is not None:
        write(path, pieces)


@shown
def load_weights(model: Layer, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Reads weights into a model of the same structure; nothing changes unless all fit.

    Args:
        model: A built model.
        filepath: Path or address of a `.weights.h5` or `.weights.json`, of an `.h5` with weights of Keras 2, of a `.keras` or of an
            `.npz`, which `save_weights` or Keras wrote. In a browser also the `"indexeddb://NAME.weights.h5"` of `save_weights`; or
            files that a user chose, see `browser_files`.
        skip_mismatch: Leave weights alone that do not fit, with a warning, instead of raising.
        kwargs: `by_name=True` takes the layers of an `.h5` of Keras 2 by their names; `objects_to_skip` leaves layers as they are.

    Raises:
        ValueError: The path ends otherwise, or the model has no weights yet.
        ModelFileError: There is no such file (then it is a FileNotFoundError too), it is damaged, or it does not fit the model.
        ShapeError: An `.npz` holds another number of weights, or other shapes.
        SyncReadError: This browser cannot wait; write `await model.load_weights_async(filepath)`.

    Source: keras.saving.load_weights.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> model.save_weights("model.weights.h5")
        >>> pyml.saving.load_weights(model, "model.weights.h5")
    """
    answered(_load(model, filepath, skip_mismatch, kwargs), read)


async def load_weights_async(model: Layer, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """`load_weights` that works in every browser.

    Raises:
        ValueError, ModelFileError, ShapeError: As `load_weights`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)])
        >>> model.save_weights("model.weights.h5")
        >>> asyncio.run(pyml.saving.load_weights_async(model, "model.weights.h5"))
    """
    await answered_async(_load(model, filepath, skip_mismatch, kwargs), read_async)


def _load(model: Any, source: Any, skip_mismatch: bool, more: dict[str, Any]) -> Asking[None]:
    """Gives the model its weights, by work that asks for their files."""
    by_name, skip = bool(more.pop("by_name", False)), more.pop("objects_to_skip", None) or ()
    if more:
        raise ValueError(f"load_weights: arguments not recognized: {', '.join(sorted(more))}.")
    place: Any = None
    if not isinstance(source, (str, os.PathLike)):
        place = place_of(source, "load_weights")
        path = _checked(place.name, "load_weights")
    else:
        path = _checked(source, "load_weights")
        if parse(path) is None and not is_http_scheme(path):
            place = Place(existing_file(path, "load_weights"))
        else:
            place = place_of(path)
            path = path if isinstance(place, StoredModel) else f"{place}"
    if isinstance(place, (StoredModel, ChosenFiles)):
        place.asked_by = "model.load_weights_async"
    if not path.endswith(".npz") and not model.built:
        raise ValueError(f"load_weights: model '{model.name}' has no weights yet; build it or call it first.")
    if isinstance(place, StoredModel):
        yield place, place.name, MOST_JSON
        data = yield place, whole_files.BYTES, MOST_WEIGHTS
    elif path.endswith(".json"):
        yield from whole(place, place.name, MOST_JSON, lambda listing: _load_keras(
            model, listing, place, path, skip_mismatch, by_name, skip))
        return
    else:
        data = yield place, place.name, MOST_WEIGHTS
    if path.endswith(".npz"):
        _assign(model, _in_order(parse_npz(io.BytesIO(data), path, len(data)), path), path, skip_mismatch)
    else:
        yield from _load_keras(model, data, place, path, skip_mismatch, by_name, skip)


def _assign(model: Any, arrays: list[np.ndarray], path: str, skip_mismatch: bool) -> None:
    """Assigns arrays to the weights of a model in order, after all shapes were compared."""
    own = model.weights
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


def _load_keras(model: Any, data: Any, place: Any, path: str, skip_mismatch: bool, by_name: bool, skip: Any) -> Asking[None]:
    """Weights out of a file of Keras: `.keras`, `.weights.h5`, a list of shards, or an `.h5` of Keras 2."""
    from pyml.saving.keras import archive, hdf5_read, legacy, state, weight_shards

    if path.endswith(".json"):
        root: Group = yield from weight_shards.read(data, place, path)
    else:
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
    if not (urlsplit(path).path if is_http_scheme(path) else path).endswith((".npz", ".h5", ".hdf5", ".keras", "weights.json")):
        raise ValueError(f"{what}: the name of the file must end in .weights.h5 (or in .weights.json, .npz). Received: {path}")
    return path
