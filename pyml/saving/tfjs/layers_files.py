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
    model: Model, filepath: Any, overwrite: bool, quantize: str | None, arrays: dict[int, Any] | None
) -> None:
    """Writes a model as a TensorFlow.js layers-model; see `pyml.saving.save_model`."""
    path = listing_of(filepath)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"save: {path} exists; pass overwrite=True to replace it.")
    description, shards = model_artifacts(model, quantize, arrays=arrays)
    write_files(path, description, shards)


def listing_of(filepath: Any) -> str:
    """The `model.json` that a path names, or that is in the folder that it names."""
    path = path_of(filepath, "save")
    return path if path.endswith(".json") else os.path.join(_folder(path), "model.json")


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
    path = os.path.realpath(path)  # of a link, the shards lie beside what it leads to
    folder, file_name = os.path.split(path)
    names = _shard_names(file_name, shards, os.path.splitext(description.get("file", ""))[1])
    description["weightsManifest"][0]["paths"] = names
    os.makedirs(folder, exist_ok=True)
    pattern = rf"{re.escape(_stem(file_name))}-[0-9a-f]{{16}}(-shard\d+of\d+\.bin|\.keras)"
    write_shards(path, json.dumps(description).encode(), dict(zip(names, shards, strict=True)), pattern, ".json", _named_by)


def _stem(file_name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", file_name.removesuffix(".json"))[-80:]


def _shard_names(file_name: str, shards: list[bytes], ending: str) -> list[str]:
    """Names that only this content under this name has: an old model, or another one in the folder, never shares a shard.

    A whole file has its own ending, so that Keras opens it too.
    """
    content = hashlib.sha256(file_name.encode())
    for data in shards:
        content.update(data)
    stem = f"{_stem(file_name)}-{content.hexdigest()[:16]}"
    return [stem + (ending or f"-shard{i + 1}of{len(shards)}.bin") for i in range(len(shards))]


def _named_by(path: str) -> set[str]:
    """The shards that a description names; none if it is none, or is not there. Nothing but `.bin` and `.keras` beside it counts."""
    try:
        with open(path, "rb") as file:
            groups = parse_json(file.read(MOST_JSON), path).get("weightsManifest") or []
        names = [name for group in groups for name in group["paths"]]
        return {name for name in names if os.path.basename(name) == name and name.endswith((".bin", ".keras"))}
    except (OSError, ModelFileError, TypeError, KeyError, AttributeError):
        return set()
