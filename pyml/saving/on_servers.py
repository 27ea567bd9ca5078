"""Models on servers: fetched from an http address, and sent to one as a form."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

from .artifacts import artifacts_of
from .files import ModelFileError, Place, fetched, fetched_bytes, parse_json
from .tfjs.weights import read_manifest
from .waiting import wait
from .weight_bytes import concatenate_array_buffers


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
        data = await fetched_bytes(self.locate(name), **{**self.init, "method": "GET"})
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
        await fetched(self.path, **{"method": "POST", **self.init, "headers": headers, "body": to_js(body)})
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
