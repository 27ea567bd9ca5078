"""The files of a layers-model in a folder: new shards beside the old ones, then `model.json`, then the old shards go."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from ..files import MOST_JSON, ModelFileError, parse_json, path_of
from ..shards import write_shards
from .layers_save import model_artifacts

if TYPE_CHECKING:
    from ...models.model import Model


def save_layers_model(
    model: Model, filepath: Any, overwrite: bool = True, quantize: str | None = None, arrays: dict[int, Any] | None = None
) -> None:
    """Writes a model as a TensorFlow.js layers-model; see `pyml.saving.save_model`."""
    path = path_of(filepath, "save")
    if not path.endswith(".json"):
        path = os.path.join(_folder(path), "model.json")
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save: {path} exists; pass overwrite=True to replace it.")
    description, shards = model_artifacts(model, quantize, arrays=arrays)
    write_files(os.path.realpath(path), description, shards)  # of a link, the shards lie beside what it leads to


def _folder(path: str) -> str:
    """The path of a folder; refuses what looks like a file of a form that is not written, unless there is such a folder."""
    ending = os.path.splitext(path)[1]
    if re.search("[A-Za-z]", ending) and not os.path.isdir(path):
        raise ValueError(
            f"save: {ending} is no form of file that models have. End the path in .keras, .h5 or .json; in a slash for a folder of "
            f"TensorFlow.js. Received: {path}"
        )
    return path


def write_files(path: str, description: dict[str, Any], shards: list[bytes]) -> None:
    """Writes a description and its shards, whose names it is given here; whoever opens `path` meanwhile finds the old model or the new one.

    Raises:
        OSError: A file cannot be written; the old model is as it was, and nothing of the new one is left.
    """
    folder, file_name = os.path.split(path)
    names = _shard_names(file_name, shards)
    description["weightsManifest"][0]["paths"] = names
    os.makedirs(folder, exist_ok=True)
    pattern = rf"{re.escape(_stem(file_name))}-[0-9a-f]{{16}}-shard\d+of\d+\.bin"
    write_shards(path, json.dumps(description).encode(), dict(zip(names, shards, strict=True)), pattern, ".json", _named_by)


def _stem(file_name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", file_name.removesuffix(".json"))[-80:]


def _shard_names(file_name: str, shards: list[bytes]) -> list[str]:
    """Names that only this content under this name has: an old model, or another one in the folder, never shares a shard."""
    content = hashlib.sha256(file_name.encode())
    for data in shards:
        content.update(data)
    return [f"{_stem(file_name)}-{content.hexdigest()[:16]}-shard{i + 1}of{len(shards)}.bin" for i in range(len(shards))]


def _named_by(path: str) -> set[str]:
    """The shards that a description names; none if it is none, or is not there. Nothing but `.bin` beside it counts."""
    try:
        with open(path, "rb") as file:
            groups = parse_json(file.read(MOST_JSON), path).get("weightsManifest") or []
        names = [name for group in groups for name in group["paths"]]
        return {name for name in names if os.path.basename(name) == name and name.endswith(".bin")}
    except (OSError, ModelFileError, TypeError, KeyError, AttributeError):
        return set()
