"""Places for models that are functions or servers: `tf.io`'s handlers, and routers from addresses to them.

A handler is any object with `load()`, which gives artifacts (see `artifacts`), or `save(artifacts)`; both may be coroutines.
`load_model(handler)` and `model.save(handler)` take it.
"""

from __future__ import annotations

import inspect
import json
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from .artifacts import artifacts_of, concatenate_array_buffers, files_of
from .files import ModelFileError, Place, parse_json
from .tfjs.weights import read_manifest
from .waiting import wait

Router = Callable[[Any], Any]
_LOADERS: list[Router] = []
_SAVERS: list[Router] = []


class MemoryHandler:
    """Artifacts in memory; see `from_memory`."""

    def __init__(self, artifacts: dict[str, Any]):
        self.artifacts = artifacts

    def load(self) -> dict[str, Any]:
        return self.artifacts


class SaveHandler:
    """Hands artifacts to a function; see `with_save_handler`."""

    def __init__(self, function: Callable[[dict], Any]):
        self.function = function

    def save(self, artifacts: dict[str, Any]) -> Any:
        return self.function(artifacts)


def from_memory(model_artifacts: dict[str, Any], weight_specs: list[dict] | None = None, weight_data: Any = None) -> MemoryHandler:
    """A model in memory, for `load_model`.

    Args:
        model_artifacts: Artifacts, as `with_save_handler` gives them; or a `modelTopology` alone, with the next two.
        weight_specs: What the weights are, `{"name", "shape", "dtype"}` each.
        weight_data: Their bytes.

    Raises:
        TypeError: No dict was given.

    Source: TensorFlow.js `tf.io.fromMemory`, `fromMemorySync`.

    Example:
        >>> kept = []
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save(pyml.io.with_save_handler(kept.append))
        >>> pyml.saving.load_model(pyml.io.from_memory(kept[0])).output_shape
        (None, 2)
    """
    if not isinstance(model_artifacts, dict):
        raise TypeError(f"from_memory: expected a dict of artifacts. Received a {type(model_artifacts).__name__}.")
    if "modelTopology" not in model_artifacts:
        model_artifacts = {"modelTopology": model_artifacts}
    more = {"weightSpecs": weight_specs, "weightData": weight_data}
    return MemoryHandler({**model_artifacts, **{key: value for key, value in more.items() if value is not None}})


def with_save_handler(save_handler: Callable[[dict], Any]) -> SaveHandler:
    """A target for `model.save` that calls a function with the model's artifacts.

    Args:
        save_handler: Takes a dict with `modelTopology`, `weightSpecs`, `weightData` (bytes) and more; may be a coroutine
            function, which `await model.save_async(...)` waits for in every browser.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.withSaveHandler`, `withSaveHandlerSync`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save(pyml.io.with_save_handler(lambda artifacts: print(len(artifacts["weightData"]))))
        40
    """
    if not callable(save_handler):
        raise TypeError(f"with_save_handler: expected a function. Received: {save_handler!r}")
    return SaveHandler(save_handler)


def is_http_scheme(url: Any) -> bool:
    """Whether an address begins with http:// or https://; False for what is not a string.

    Args:
        url: An address, for example `"https://example.org/model.json"`.

    Source: TensorFlow.js `tf.io.isHTTPScheme`.

    Example:
        >>> pyml.io.is_http_scheme("https://localhost/model.json"), pyml.io.is_http_scheme("models/digits")
        (True, False)
    """
    return isinstance(url, str) and url.startswith(("http://", "https://"))


class HTTPHandler(Place):
    """A model on a server; see `http`."""

    def __init__(self, path: str, request_init: dict | None, weight_path_prefix: str | None, weight_url_converter: Callable | None):
        super().__init__(path)
        self.path, self.init = path, dict(request_init or {})
        self.prefix, self.converter = weight_path_prefix, weight_url_converter
        unknown = self.init.keys() - {"method", "headers", "credentials"}
        if unknown:
            raise ValueError(f"http: request_init takes method, headers and credentials. Received: {', '.join(sorted(unknown))}")

    def locate(self, name: str) -> str:
        where = super().locate(name)
        if name == self.name:
            return where
        if self.converter is not None:
            return self.converter(name)
        return where if self.prefix is None else self.prefix.rstrip("/") + where[len(self.base) :]

    def read(self, name: str, most: int) -> bytes:
        if not self.init or sys.platform == "emscripten":
            return super().read(name, most)
        return _request(self.locate(name), most, headers=self.init.get("headers"))

    async def read_async(self, name: str, most: int) -> bytes:
        if sys.platform != "emscripten":
            return self.read(name, most)
        answer = await _fetch(self.locate(name), {**self.init, "method": "GET"})
        data = await answer.bytes()
        if len(data) > most:
            raise ModelFileError(f"{self}: {name} is larger than the {most:,} bytes expected of it.")
        return data

    def load(self) -> dict[str, Any]:
        """The artifacts, fetched."""
        description = parse_json(self.read(self.name, 256 << 20), self)
        groups = read_manifest(description.get("weightsManifest") or [], self)
        return artifacts_of(description, [self.read(path, nbytes + 4096) for paths, _, nbytes in groups for path in paths])

    def save(self, artifacts: dict[str, Any]) -> dict[str, Any]:
        """Sends artifacts as a form with the files `model.json` and `model.weights.bin`."""
        if sys.platform == "emscripten":
            return wait(self.save_async(artifacts), "await model.save_async(...)")
        body, headers = _form(artifacts)
        _request(self.path, 1 << 24, body, {**(self.init.get("headers") or {}), **headers}, self.init.get("method", "POST"))
        return {"path": self.path}

    async def save_async(self, artifacts: dict[str, Any]) -> dict[str, Any]:
        """As `save`, in every browser."""
        if sys.platform != "emscripten":
            return self.save(artifacts)
        from pyodide.ffi import to_js

        body, headers = _form(artifacts)
        headers = {**(self.init.get("headers") or {}), **headers}
        await _fetch(self.path, {"method": "POST", **self.init, "headers": headers, "body": to_js(body)})
        return {"path": self.path}


def http(
    path: str,
    request_init: dict | None = None,
    weight_path_prefix: str | None = None,
    weight_url_converter: Callable[[str], str] | None = None,
) -> HTTPHandler:
    """A model on a server: `load_model` fetches it, `model.save` sends it there.

    Args:
        path: The address of a `model.json` or its folder to load; the address that takes a form to save.
        request_init: `method` (of saving, POST by default), `headers` (a dict), and in a browser `credentials`.
        weight_path_prefix: Where the weight files are, if not beside `model.json`.
        weight_url_converter: Gives the address of a weight file by its name.

    Raises:
        ValueError: `path` is not an http address, or `request_init` has something else.

    Saving sends multipart/form-data with two files, `model.json` and `model.weights.bin`, as TensorFlow.js does.

    Source: TensorFlow.js `tf.io.http`, `browserHTTPRequest`.

    Example:
        >>> place = pyml.io.http("http://localhost:5000/upload", {"method": "PUT"})
        >>> model.save(place)                                               # doctest: +SKIP
    """
    if not is_http_scheme(path):
        raise ValueError(f"http: expected an address that begins with http:// or https://. Received: {path!r}")
    return HTTPHandler(path, request_init, weight_path_prefix, weight_url_converter)


def _form(artifacts: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    rest = {key: value for key, value in artifacts.items() if key not in ("weightSpecs", "weightData")}
    manifest = [{"paths": ["./model.weights.bin"], "weights": artifacts.get("weightSpecs") or []}]
    line = f"----pyml{uuid.uuid4().hex}"
    body = b""
    for name, kind, data in (
        ("model.json", "application/json", json.dumps({**rest, "weightsManifest": manifest}).encode()),
        ("model.weights.bin", "application/octet-stream", concatenate_array_buffers(artifacts.get("weightData") or b"")),
    ):
        head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    return body + f"--{line}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={line}"}


def _request(url: str, most: int, body: bytes | None = None, headers: dict | None = None, method: str = "GET") -> bytes:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}, method=method), timeout=60) as answer:
            data = answer.read(most + 1)
    except urllib.error.HTTPError as error:
        raise ModelFileError(f"{url}: the server answered {error.code} {error.reason}.") from None
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{url}: cannot be reached ({error}).") from None
    if len(data) > most:
        raise ModelFileError(f"{url}: the answer is larger than the {most:,} bytes expected of it.")
    return data


async def _fetch(url: str, options: dict) -> Any:
    from pyodide.ffi import JsException
    from pyodide.http import pyfetch

    try:
        answer = await pyfetch(url, **options)
    except (JsException, OSError) as error:
        raise ModelFileError(f"{url}: cannot be reached ({error}).") from None
    if not answer.ok:
        raise ModelFileError(f"{url}: the server answered {answer.status}.")
    return answer


# ---- routers
def register_load_router(router: Router) -> None:
    """Makes `load_model` know addresses of your own.

    Args:
        router: Called with what was given to `load_model`; gives a handler with `load()`, or None if the address is not its own.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.registerLoadRouter`.

    Example:
        >>> shelf = {}
        >>> pyml.io.register_load_router(lambda url: pyml.io.from_memory(shelf[url]) if url in shelf else None)
    """
    _register(_LOADERS, router, "register_load_router")


def register_save_router(router: Router) -> None:
    """Makes `model.save` know addresses of your own: as `register_load_router`, with handlers that have `save(artifacts)`.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.registerSaveRouter`.

    Example:
        >>> shelf = {}
        >>> keep = lambda url: pyml.io.with_save_handler(lambda a: shelf.update({url: a})) if url.startswith("shelf:") else None
        >>> pyml.io.register_save_router(keep)
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("shelf:digits")
        >>> list(shelf)
        ['shelf:digits']
    """
    _register(_SAVERS, router, "register_save_router")


def _register(routers: list[Router], router: Router, what: str) -> None:
    if not callable(router):
        raise TypeError(f"{what}: expected a function of an address. Received: {router!r}")
    routers.append(router)


def get_load_handlers(url: Any) -> list[Any]:
    """The handlers that registered routers have for an address; none for what is not a string.

    Args:
        url: An address, for example `"https://example.org/model.json"`.

    Source: TensorFlow.js `tf.io.getLoadHandlers`.

    Example:
        >>> pyml.io.get_load_handlers("nowhere:digits")
        []
    """
    return _handlers(_LOADERS, url)


def get_save_handlers(url: Any) -> list[Any]:
    """As `get_load_handlers`, for saving.

    Args:
        url: An address, for example `"https://example.org/model.json"`.

    Source: TensorFlow.js `tf.io.getSaveHandlers`.

    Example:
        >>> pyml.io.get_save_handlers("nowhere:digits")
        []
    """
    return _handlers(_SAVERS, url)


def _handlers(routers: list[Router], url: Any) -> list[Any]:
    if not isinstance(url, str):
        return []
    return [handler for handler in (router(url) for router in routers) if handler is not None]


# ---- for load_model and save_model
class HandledModel:
    """What a handler loads, read like a folder."""

    name = "model.json"

    def __init__(self, handler: Any):
        self.handler = handler
        self.files: dict[str, bytes] | None = None

    def __str__(self) -> str:
        return f"{type(self.handler).__name__}"

    def read(self, name: str, most: int) -> bytes:
        if self.files is None:
            found = self.handler.load()
            if inspect.isawaitable(found):
                found = wait(coroutine_of(found), "await load_model_async(handler)")
            self.files = files_of(found, self)
        return self._part(name, most)

    async def read_async(self, name: str, most: int) -> bytes:
        if self.files is None:
            found = self.handler.load()
            self.files = files_of(await found if inspect.isawaitable(found) else found, self)
        return self._part(name, most)

    def _part(self, name: str, most: int) -> bytes:
        data = (self.files or {})[name]
        if len(data) > most:
            raise ModelFileError(f"{self}: {name} has {len(data):,} bytes; at most {most:,} were expected.")
        return data


def coroutine_of(work: Any) -> Coroutine[Any, Any, Any]:
    """Anything that can be awaited, as a coroutine."""

    async def awaited() -> Any:
        return await work

    return work if inspect.iscoroutine(work) else awaited()


def loader_of(source: Any) -> Any:
    """A place for `load_model` if `source` is a handler or an address that a router knows; else None."""
    if not isinstance(source, Place) and callable(getattr(source, "load", None)):
        return HandledModel(source)
    found = get_load_handlers(source)
    if len(found) > 1:
        raise ValueError(f"load_model: {len(found)} routers know {source!r}; expected one.")
    return (found[0] if isinstance(found[0], Place) else HandledModel(found[0])) if found else None


def saver_of(target: Any) -> Any:
    """The handler that `save_model` calls, or None for paths and the browser's own places."""
    if hasattr(target, "save") and callable(target.save):
        return target
    found = get_save_handlers(target)
    if len(found) > 1:
        raise ValueError(f"save: {len(found)} routers know {target!r}; expected one.")
    return found[0] if found else None
