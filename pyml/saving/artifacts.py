"""Models as they travel: a dict of what `model.json` says, with the weights as one run of bytes.

The keys are those of TensorFlow.js: `modelTopology`, `format`, `generatedBy`, `convertedBy`, `weightSpecs`, `weightData`, and
whatever else a `model.json` holds besides its `weightsManifest`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from .files import ModelFileError, Place
from .tfjs.weights import Group, decode, read_manifest
from .weight_bytes import bytes_of, concatenate_array_buffers

WEIGHTS = "weights.bin"


def get_weight_specs(weights_manifest: list[dict]) -> list[dict]:
    """The specs of all weights in a `weightsManifest`, in order.

    Args:
        weights_manifest: The `weightsManifest` of a `model.json`: a list of groups.

    Raises:
        ModelFileError: It is malformed.

    Source: TensorFlow.js `tf.io.getWeightSpecs`.

    Example:
        >>> spec = {"name": "w", "shape": [2], "dtype": "float32"}
        >>> pyml.io.get_weight_specs([{"paths": ["a.bin"], "weights": [spec]}]) == [spec]
        True
    """
    return [spec for _, specs, _ in read_manifest(weights_manifest, "get_weight_specs") for spec in specs]


async def get_model_artifacts_for_json(
    model_json: dict, load_weights: Callable[[list[dict]], Awaitable[tuple[list[dict], Any]]]
) -> dict[str, Any]:
    """Artifacts from what a `model.json` holds and a function that fetches its weights.

    Args:
        model_json: The object in the file.
        load_weights: Called with the `weightsManifest`; gives the specs and the bytes.

    Raises:
        ModelFileError: The object is not a model.json, or its weights are missing.

    Source: TensorFlow.js `tf.io.getModelArtifactsForJSON`.

    Example:
        >>> async def fetch(manifest):
        ...     return pyml.io.get_weight_specs(manifest), bytes(8)
        >>> spec = {"name": "w", "shape": [2], "dtype": "float32"}
        >>> described = {"modelTopology": {}, "weightsManifest": [{"paths": ["a.bin"], "weights": [spec]}]}
        >>> sorted(asyncio.run(pyml.io.get_model_artifacts_for_json(described, fetch)))
        ['modelTopology', 'weightData', 'weightSpecs']
    """
    manifest = _described(model_json).get("weightsManifest")
    specs, data = await load_weights(manifest) if manifest is not None else (None, None)
    return get_model_artifacts_for_json_sync(model_json, specs, data)


def get_model_artifacts_for_json_sync(model_json: dict, weight_specs: list[dict] | None = None, weight_data: Any = None) -> dict[str, Any]:
    """Artifacts from what a `model.json` holds, and its weights.

    Args:
        model_json: The content of a `model.json`.
        weight_specs: The specs of its weights, which a `weightsManifest` needs.
        weight_data: The bytes of its weights, which it needs too.

    Raises:
        ModelFileError: It has a `weightsManifest`, and the specs or the bytes are missing.

    Source: TensorFlow.js `tf.io.getModelArtifactsForJSONSync`.

    Example:
        >>> pyml.io.get_model_artifacts_for_json_sync({"modelTopology": {}, "format": "layers-model"})
        {'modelTopology': {}, 'format': 'layers-model'}
    """
    artifacts = {key: value for key, value in _described(model_json).items() if key != "weightsManifest"}
    if model_json.get("weightsManifest") is not None:
        if weight_specs is None or weight_data is None:
            raise ModelFileError("get_model_artifacts_for_json: the model has weights; their specs and their bytes are needed.")
        artifacts |= {"weightSpecs": weight_specs, "weightData": concatenate_array_buffers(weight_data)}
    return artifacts


def _described(model_json: Any) -> dict:
    if not isinstance(model_json, dict):
        raise ModelFileError(f"expected the object of a model.json. Received a {type(model_json).__name__}.")
    return model_json


def get_model_artifacts_info_for_json(artifacts: dict) -> dict[str, Any]:
    """What `list_models` says about a model: when it was looked at, and the sizes of its parts.

    Args:
        artifacts: A model's artifacts, as handlers load and save them.

    Raises:
        TypeError: `weightData` is something else than bytes.

    Source: TensorFlow.js `tf.io.getModelArtifactsInfoForJSON`.

    Example:
        >>> pyml.io.get_model_artifacts_info_for_json({"modelTopology": {"a": 1}})["modelTopologyBytes"]
        7
    """
    size = lambda key: len(json.dumps(artifacts[key], separators=(",", ":")).encode()) if artifacts.get(key) is not None else 0
    return {
        "dateSaved": datetime.now(UTC), "modelTopologyType": "JSON", "modelTopologyBytes": size("modelTopology"),
        "weightSpecsBytes": size("weightSpecs"),
        "weightDataBytes": len(concatenate_array_buffers(artifacts["weightData"])) if artifacts.get("weightData") is not None else 0,
    }  # fmt: skip


def files_of(artifacts: Any, where: Any) -> dict[str, bytes]:
    """`model.json` and `weights.bin` of artifacts.

    Raises:
        ModelFileError: They are not artifacts.
    """
    if not isinstance(artifacts, dict) or not isinstance(artifacts.get("modelTopology"), dict):
        raise ModelFileError(f"{where}: expected a dict with a modelTopology. Received: {str(artifacts)[:80]}")
    if "weightsManifest" in artifacts:
        raise ModelFileError(f"{where}: a model.json with a weightsManifest was given; give weightSpecs and weightData in its place.")
    rest = {key: value for key, value in artifacts.items() if key not in ("weightSpecs", "weightData")}
    specs = artifacts.get("weightSpecs") or []
    try:
        text = json.dumps({**rest, "weightsManifest": [{"paths": [WEIGHTS], "weights": specs}]}).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{where}: the description cannot be written as JSON ({error}).") from None
    data = artifacts.get("weightData")
    return {"model.json": text, WEIGHTS: b"" if data is None else concatenate_array_buffers(data)}


def artifacts_of(description: dict, shards: list[bytes]) -> dict[str, Any]:
    """The artifacts of a `model.json` and its shards in order."""
    specs = get_weight_specs(description.get("weightsManifest") or [])
    rest = {key: value for key, value in description.items() if key != "weightsManifest"}
    return {**rest, "weightSpecs": specs, "weightData": b"".join(shards)}


# ---- weights of a manifest
def weights_loader_factory(fetch_weights: Callable[[list[str]], Any]) -> Callable[..., Awaitable[dict[str, np.ndarray]]]:
    """A function that reads the weights of a manifest, its files brought by another function.

    Args:
        fetch_weights: Called with a list of addresses; gives their bytes in order, or something to await.

    Returns:
        `async load(manifest, file_path_prefix="", weight_names=None)`, which gives arrays by name. Groups without a
        weight that is asked for are not fetched.

    Raises:
        ModelFileError: By `load`: a weight is not in the manifest, or other bytes come than were asked for.

    Source: TensorFlow.js `tf.io.weightsLoaderFactory`.

    Example:
        >>> load = pyml.io.weights_loader_factory(lambda paths: [np.float32(7).tobytes() for _ in paths])
        >>> manifest = [{"paths": ["a.bin"], "weights": [{"name": "w", "shape": [1], "dtype": "float32"}]}]
        >>> asyncio.run(load(manifest))["w"].tolist()
        [7.0]
    """

    async def load(manifest: list[dict], file_path_prefix: str = "", weight_names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        groups, wanted = _wanted(manifest, weight_names)
        prefix = file_path_prefix if not file_path_prefix or file_path_prefix.endswith("/") else f"{file_path_prefix}/"
        paths = [f"{prefix}{path}" for names, _, _ in groups for path in names]
        found = fetch_weights(paths)
        data = list(await found if hasattr(found, "__await__") else found)
        if len(data) != len(paths):
            raise ModelFileError(f"weights_loader_factory: {len(paths)} files were asked for, {len(data)} came.")
        arrays: dict[str, np.ndarray] = {}
        for names, specs, nbytes in groups:
            shards, data = data[: len(names)], data[len(names) :]
            arrays |= decode([bytes_of(s) for s in shards] or [b""], specs, nbytes, file_path_prefix or "weights")
        return {name: arrays[name] for name in (wanted if wanted is not None else arrays)}

    return load


def _wanted(manifest: list[dict], weight_names: Iterable[str] | None) -> tuple[list[Group], list[str] | None]:
    groups = read_manifest(manifest, "load_weights")
    if weight_names is None:
        return groups, None
    wanted = list(weight_names)
    known = {spec["name"] for _, specs, _ in groups for spec in specs}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ModelFileError(f"load_weights: the manifest has no weights {', '.join(map(repr, missing))}.")
    return [group for group in groups if any(spec["name"] in wanted for spec in group[1])], wanted


async def load_weights(
    weights_manifest: list[dict], file_path_prefix: str = "", weight_names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """The weights of a manifest, as arrays by name.

    Args:
        weights_manifest: As in a `model.json`.
        file_path_prefix: The folder or address of the files.
        weight_names: Which ones; all by default.

    Raises:
        ModelFileError: A file is missing or damaged, leads out of the folder, or there is no such weight.

    Source: TensorFlow.js `tf.io.loadWeights`.

    Example:
        >>> _ = open("a.bin", "wb").write(np.float32(7).tobytes())
        >>> manifest = [{"paths": ["a.bin"], "weights": [{"name": "w", "shape": [1], "dtype": "float32"}]}]
        >>> asyncio.run(pyml.io.load_weights(manifest))["w"].tolist()
        [7.0]
    """
    groups, wanted = _wanted(weights_manifest, weight_names)
    base = file_path_prefix.rstrip("/") or "."
    arrays: dict[str, np.ndarray] = {}
    for paths, specs, nbytes in groups:
        texts = any(spec["dtype"] == "string" for spec in specs)
        most = (64 << 20) if texts else nbytes + 4096
        shards = [await Folder(base).read_async(path, most) for path in paths]
        arrays |= decode(shards or [b""], specs, nbytes, base)
    return {name: arrays[name] for name in (wanted if wanted is not None else arrays)}


class Folder(Place):
    """A folder or address as a place of weights, without a `model.json`."""

    def __init__(self, base: str):
        self.remote, self.query, self.name = base.startswith(("http://", "https://")), "", ""
        self.base = base
