"""The browser's half of `stores`: calls into web/stores.js, on the page's own thread and in a worker."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

from ..scripts import body_of
from .files import ModelFileError, parse_json
from .waiting import ModelStoreError

_REASONS = {
    "missing": "there is no such model; list_models() says which there are.",
    "exists": "there is such a model already; pass overwrite=True to replace it.",
    "damaged": "the entry is damaged ({message}); remove it with remove_model and save the model again.",
    "quota": "the browser has no room for it, nothing was written; remove models with remove_model, {advice}.",
    "blocked": "this browser does not let the page keep anything ({message}); allow it in the site settings.",
    "foreign": "the database 'tensorflowjs' of this site has another form than that of TensorFlow.js ({message}).",
    "page": "a worker reaches it through its page, which does not answer; load Python with web/pyml.js, or use indexeddb://.",
    "other": "the browser could not do it ({message}).",
}
_KINDS = {"missing": ModelFileError, "damaged": ModelFileError, "exists": FileExistsError}
_ADVICE = {"localstorage": "or use indexeddb://, which holds far more than the 5 MB of localStorage"}


@cache
def _stores() -> Any:
    from pyodide.code import run_js

    return run_js(f"(() => {{ {body_of('stores.js')}\n return open(); }})()")


async def _call(method: str, scheme: str, *args: Any) -> Any:
    """What a function of web/stores.js resolves to; its failures are raised as sentences."""
    answer = await getattr(_stores(), method)(scheme, *args)
    failed = getattr(answer, "failed", None)
    if failed is None:
        return answer.value
    reason = _REASONS.get(failed, _REASONS["other"])
    advice = _ADVICE.get(scheme, "or free space on this machine")
    where = f"{scheme}://{args[0]}" if args else f"{scheme}://"
    raise _KINDS.get(failed, ModelStoreError)(f"{where}: {reason.format(message=answer.message, advice=advice)}")


async def load(scheme: str, name: str) -> tuple[bytes, Any]:
    """A kept model as the bytes of a `model.json` whose weights are in `weights.bin`, and the ArrayBuffer of these."""
    found = await _call("load", scheme, name)
    text = found.text.encode("utf-8", "surrogatepass")
    description = parse_json(text, f"{scheme}://{name}")
    specs = description.pop("weightSpecs", None)
    description["weightsManifest"] = [{"paths": ["weights.bin"], "weights": [] if specs is None else specs}]
    return json.dumps(description).encode(), found.data


async def save(scheme: str, name: str, description: dict, shards: list[bytes], overwrite: bool) -> dict:
    """Keeps a model: the content of its `model.json` and its weights; what TensorFlow.js notes about it."""
    from pyodide.ffi import to_js

    artifacts = {key: value for key, value in description.items() if key != "weightsManifest"}
    artifacts["weightSpecs"] = [spec for group in description["weightsManifest"] for spec in group["weights"]]
    data = to_js(memoryview(b"".join(shards)))
    return _info(json.loads(await _call("save", scheme, name, json.dumps(artifacts), data, overwrite)))


async def copy(source: tuple[str, str], target: tuple[str, str]) -> dict:
    """Copies a model from store to store without a look into it."""
    found = await _call("load", *source)
    return _info(json.loads(await _call("save", *target, found.text, found.data, True)))


async def listed(scheme: str) -> dict[str, dict]:
    """The models of one store; none of localStorage where a worker cannot reach it."""
    from pyodide.code import run_js

    if scheme == "localstorage" and run_js("typeof document === 'undefined'") and not _has_page():
        return {}
    return {name: _info(info) for name, info in json.loads(await _call("list", scheme)).items()}


def _has_page() -> bool:
    try:
        import pyml_page  # noqa: F401
    except ImportError:
        return False
    return True


async def remove(scheme: str, name: str) -> dict:
    """Removes a model; what was noted about it."""
    return _info(json.loads(await _call("remove", scheme, name)))


def _info(info: Any) -> dict:
    info = dict(info) if isinstance(info, dict) else {}
    try:
        info["dateSaved"] = datetime.fromisoformat(str(info.get("dateSaved")).replace("Z", "+00:00"))
    except ValueError:
        info["dateSaved"] = None
    return info
