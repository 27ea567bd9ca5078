"""Where the files of a model are: a folder or a URL. Names inside a model never lead out of its folder."""

from __future__ import annotations

import http.client
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import Any, Protocol

from ..errors import PymlError

MOST_JSON = 256 << 20  # bytes; the largest topologies known are under 10 MB
MOST_WEIGHTS = 4 << 30


class ModelFileError(PymlError, ValueError):
    """A model file is damaged, inconsistent, unsupported or not what its name says."""


class ModelConfigError(ModelFileError, TypeError):
    """The config in a model file does not make a model; a TypeError too, as in Keras."""


class NotAPath(ModelFileError, TypeError):
    """What is given for a file is no path: a ValueError and a TypeError, for Keras has either, by what it is."""


class ModelFileNotFound(ModelFileError, FileNotFoundError):
    """There is no such file."""


def path_of(path: str | os.PathLike[str], what: str) -> str:
    """A path to write to or to read from, as text.

    Raises:
        NotAPath: It is not a path, which is a TypeError and a ValueError.
        ValueError: It is empty, or no system has such paths.
    """
    if not isinstance(path, (str, os.PathLike)):
        article = "an" if type(path).__name__[0] in "aeiou" else "a"
        raise NotAPath(f"{what}: expected a path. Received {article} {type(path).__name__}: {str(path)[:60]}")
    text = os.fspath(path)
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ValueError(f"{what}: expected the path of a file. Received: {text!r}")
    return text


def existing_file(path: str | os.PathLike[str], what: str) -> str:
    """The path of a file that is there, as text.

    Raises:
        ModelFileError: There is none (then the error is a FileNotFoundError too), or it is a folder.
    """
    text = path_of(path, what)
    if os.path.isdir(text):
        raise ModelFileError(f"{what}: {text} is a folder; give the path of a file in it.")
    if not os.path.isfile(text):
        raise ModelFileNotFound(f"{what}: there is no file {text} (the working folder is {os.getcwd()}).")
    return text


def check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Raises ModelFileError where a zip of `size` bytes says that it holds more: Python would take memory for that before it reads.

    Compressed members may unpack to more; that is for the caller to bound.
    """
    for member in archive.infolist():
        if member.compress_size > size or (member.compress_type == zipfile.ZIP_STORED and member.file_size > size):
            raise ModelFileError(f"its table of contents gives {member.filename[:80]!r} more bytes than the file has; it is damaged.")


class Readable(Protocol):
    """Where the files of a model are: a `Place`, or what stands for one. `str` of it names it in errors; `name` is its description."""

    name: str

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file of at most `most` bytes."""
        ...

    async def read_async(self, name: str, most: int) -> bytes:
        """As `read`, in every browser."""
        ...


class Place:
    """A folder or an http(s) address that holds the files of one model.

    Args:
        path: A file (`model.json`), a folder that holds one, or a URL of either.
        default: The name of the file when `path` is a folder.
        what: Who asks, for messages.

    Raises:
        ModelFileError: There is no such file, or this is no path.
    """

    def __init__(self, path: str | os.PathLike[str], default: str = "model.json", what: str = "load_model"):
        text = path_of(path, what)
        self.remote = text.startswith(("http://", "https://"))
        if self.remote:
            address = urllib.parse.urlsplit(text)
            if not address.path.rpartition("/")[2].count("."):
                address = address._replace(path=address.path.rstrip("/") + "/" + default)
            self.query = address.query
            self.base, _, self.name = urllib.parse.urlunsplit(address._replace(query="", fragment="")).rpartition("/")
            return
        text = path_of(text.removeprefix("file://"), "load_model")
        if os.path.isdir(text):
            text = os.path.join(text, default)
        if not os.path.isfile(text):
            raise ModelFileNotFound(
                f"load_model: there is no file {text}. Give the path of a .keras or .h5 file, of a model.json, or of its folder."
            )
        self.base, self.name = os.path.split(os.path.realpath(text))  # the weights lie beside what a link leads to

    def __str__(self) -> str:
        return f"{self.base}/{self.name}"

    def locate(self, name: str) -> str:
        """The path or address of the file `name` of this model.

        Raises:
            ModelFileError: The name leads out of the model's folder.
        """
        if not isinstance(name, str) or not name or "\0" in name:
            raise ModelFileError(f"{self}: {name!r} is not a file name.")
        if name == self.name and not self.remote:
            return os.path.join(self.base, name)
        parts = urllib.parse.unquote(name).replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise ModelFileError(f"{self}: the file name {name!r} leads out of the model's folder; it was refused.")
        if self.remote:
            return f"{self.base}/{urllib.parse.quote(name)}" + (f"?{self.query}" if self.query else "")
        path = os.path.join(self.base, *parts)
        if os.path.commonpath([os.path.realpath(path), os.path.realpath(self.base)]) != os.path.realpath(self.base):
            raise ModelFileError(f"{self}: the file name {name!r} leads out of the model's folder; it was refused.")
        return path

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file of at most `most` bytes.

        Raises:
            ModelFileError: The file is missing or larger.
        """
        where = self.locate(name)
        data = _fetch(where, most) if self.remote else _read_file(where, most)
        return _checked_size(data, most, where)

    async def read_async(self, name: str, most: int) -> bytes:
        """As `read`; in a browser it needs no synchronous waiting."""
        where = self.locate(name)
        if not (self.remote and sys.platform == "emscripten"):
            return self.read(name, most)
        return _checked_size(await fetched_bytes(where), most, where)


def _checked_size(data: bytes, most: int, where: str) -> bytes:
    if len(data) > most:
        raise ModelFileError(f"{where}: the file is larger than the {most:,} bytes expected of it.")
    return data


def _read_file(path: str, most: int) -> bytes:
    try:
        size = os.path.getsize(path)
        if size > most:
            raise ModelFileError(f"{path}: the file has {size:,} bytes; at most {most:,} were expected.")
        with open(path, "rb") as file:
            return file.read(size)  # read(n) would take n bytes of memory first
    except OSError as e:
        kind = ModelFileNotFound if isinstance(e, FileNotFoundError) else ModelFileError
        raise kind(f"{path}: cannot be read ({e.strerror}); the model is not complete.") from None


def _fetch(url: str, most: int) -> bytes:
    if sys.platform == "emscripten":
        return _fetch_in_browser(url)
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            parts, total = [], 0
            while (part := answer.read(1 << 20)) and total <= most:
                parts.append(part)
                total += len(part)
            return b"".join(parts)
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as e:
        raise ModelFileError(f"{url}: cannot be fetched ({e}).") from None


async def fetched(url: str, **options: Any) -> Any:
    """The answer to a request by the page's `fetch`.

    Raises:
        ModelFileError: The server is not reached, or refuses.
    """
    from pyodide.ffi import JsException
    from pyodide.http import pyfetch

    try:
        answer = await pyfetch(url, **options)
    except (JsException, OSError) as error:
        raise ModelFileError(f"{url}: cannot be reached ({error}).") from None
    if not answer.ok:
        raise ModelFileError(f"{url}: the server answered {answer.status}.")
    return answer


async def fetched_bytes(url: str, **options: Any) -> bytes:
    """What the page's `fetch` brings.

    Raises:
        ModelFileError: The server is not reached, refuses, or ends early.
    """
    from pyodide.ffi import JsException

    answer = await fetched(url, **options)
    try:
        return bytes((await answer.js_response.arrayBuffer()).to_bytes())  # Pyodide's own way breaks down where the answer does
    except JsException as error:
        raise ModelFileError(f"{url}: the file ended early ({error}).") from None


def _fetch_in_browser(url: str) -> bytes:
    """A synchronous request; binary data passes as text of one byte a character, which also works on a main thread."""
    import js

    request = js.XMLHttpRequest.new()
    request.open("GET", url, False)
    request.overrideMimeType("text/plain; charset=x-user-defined")
    try:
        request.send(None)
    except Exception as e:
        raise ModelFileError(f"{url}: cannot be fetched ({e}).") from None
    if not 200 <= request.status < 300:
        raise ModelFileError(f"{url}: the server answered {request.status}.")
    return str(request.response).encode("utf-16-le")[::2]  # byte b >= 128 arrives as U+F700 + b


def parse_json(data: bytes, where: object) -> dict[str, Any]:
    """The JSON object in `data`.

    Raises:
        ModelFileError: It is not JSON, or not an object, or nested beyond reason.
    """
    try:
        value = json.loads(bytes(data).decode("utf-8"))
    except (ValueError, RecursionError) as e:
        raise ModelFileError(f"{where}: not a JSON file ({type(e).__name__}: {str(e)[:120]}).") from None
    if not isinstance(value, dict):
        raise ModelFileError(f"{where}: expected a JSON object, found {type(value).__name__}.")
    return value
