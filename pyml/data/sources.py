"""Where bytes come from, piece by piece: files, memory, addresses, and in the browser blobs and typed arrays."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import AsyncGenerator, Callable
from typing import Any

from pyml.data.waiting import in_for_loop, settled
from pyml.errors import Undefined

CHUNK = 256 * 1024
_SCHEMES = ("http://", "https://", "data:", "blob:", "file://")


class DataSource:
    """Bytes that can be read from the beginning any number of times, a chunk at a time."""

    name = "source"

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """A new asynchronous generator of the bytes."""
        raise Undefined(f"{type(self).__name__} must define chunks().")


class FileDataSource(DataSource):
    """A file in chunks.

    Args:
        source: A path, `bytes`, a file object opened for reading that can seek, or in the browser a `File`, `Blob` or
            `Uint8Array`.
        offset: First byte.
        chunk_size: Bytes per chunk.

    Raises:
        FileNotFoundError: There is no such file.
        TypeError: `source` is none of these.
        ValueError: `offset` or `chunk_size` is out of range.

    Source: TensorFlow.js `tf.data.FileDataSource`.

    Example:
        >>> rows = pyml.data.csv(pyml.data.FileDataSource(b"a,b\\n1,2\\n"))
        >>> [(float(row["a"]), float(row["b"])) for row in rows]
        [(1.0, 2.0)]
    """

    def __init__(self, source: Any, offset: int = 0, chunk_size: int = CHUNK):
        if not isinstance(offset, int) or offset < 0:
            raise ValueError(f"FileDataSource: offset must be an integer of at least 0. Received: offset={offset!r}")
        if not isinstance(chunk_size, int) or chunk_size < 1:
            raise ValueError(f"FileDataSource: chunk_size must be a positive integer. Received: chunk_size={chunk_size!r}")
        if isinstance(source, str) and source.startswith("file://"):
            from urllib.request import url2pathname  # not before it is needed: it brings http and email along

            source = url2pathname(source[len("file://"):])
        self.source, self.offset, self.chunk_size = source, offset, chunk_size
        if isinstance(source, (str, os.PathLike)):
            self.name = os.fspath(source)
            if not os.path.isfile(source):
                raise FileNotFoundError(f"there is no file {self.name!r}; give a path, or an address that begins with https://.")
        elif isinstance(source, (bytes, bytearray, memoryview)):
            self.name = "bytes"
        elif hasattr(source, "read") and hasattr(source, "seek"):
            self.name = str(getattr(source, "name", "file object"))
        elif hasattr(source, "js_id"):
            self.name = str(getattr(source, "name", "blob"))
        else:
            raise TypeError(
                "FileDataSource: expected a path, bytes, a file object that can seek, or in the browser a File, Blob or "
                f"Uint8Array. Received a {type(source).__name__}."
            )

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes from `offset` on."""
        source, size = self.source, self.chunk_size
        if hasattr(source, "js_id"):
            async for chunk in self._blob():
                yield chunk
        elif isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                file.seek(self.offset)
                while chunk := file.read(size):
                    yield chunk
        elif hasattr(source, "read"):
            source.seek(self.offset)
            while chunk := source.read(size):
                yield chunk.encode("utf-8") if isinstance(chunk, str) else chunk
        else:
            view = memoryview(source)
            for start in range(self.offset, len(view), size):
                yield bytes(view[start : start + size])

    async def _blob(self) -> AsyncGenerator[bytes, None]:
        source = self.source
        if not hasattr(source, "arrayBuffer"):         # a typed array
            for start in range(self.offset, source.byteLength, self.chunk_size):
                yield source.slice(start, start + self.chunk_size).to_bytes()
            return
        for start in range(self.offset, int(source.size), self.chunk_size):
            part = source.slice(start, start + self.chunk_size)
            buffer = await settled(part.arrayBuffer())
            yield buffer.to_bytes()


class URLDataSource(DataSource):
    """What an address answers, in the chunks in which it arrives.

    Args:
        url: An address; in the browser also one relative to the page, or of a blob.
        chunk_size: The most bytes per chunk.

    Raises:
        OSError: While reading: the server is not reached, or does not answer with the file.
        TypeError: `url` is not a string.

    Source: TensorFlow.js `tf.data.URLDataSource`.
    """

    def __init__(self, url: str, chunk_size: int = CHUNK):
        if not isinstance(url, str):
            raise TypeError(f"URLDataSource: url must be a string. Received a {type(url).__name__}.")
        self.url, self.chunk_size = url, chunk_size
        self.name = url if len(url) <= 100 else f"{url[:100]}..."

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the answer."""
        return self._fetched() if sys.platform == "emscripten" else self._requested()

    async def _requested(self) -> AsyncGenerator[bytes, None]:
        """The chunks of an address, by urllib."""
        import asyncio
        import urllib.error
        import urllib.request

        async def blocking(fn: Callable[..., Any], *args: Any) -> Any:
            return fn(*args) if in_for_loop() else await asyncio.to_thread(fn, *args)

        try:
            response = await blocking(urllib.request.urlopen, self.url)
        except urllib.error.HTTPError as error:
            error.close()
            raise OSError(f"{self.name}: the server answered {error.code}.") from None
        except (urllib.error.URLError, ValueError) as error:
            raise OSError(f"{self.name}: could not be reached: {getattr(error, 'reason', error)}.") from None
        with response:
            while chunk := await blocking(response.read, self.chunk_size):
                yield chunk

    async def _fetched(self) -> AsyncGenerator[bytes, None]:
        """The chunks of an address, by the page's `fetch`; the request ends with the iteration."""
        from js import AbortController, fetch
        from pyodide.ffi import JsException

        stop = AbortController.new()
        try:
            response = await settled(fetch(self.url, signal=stop.signal))
        except JsException as error:
            raise OSError(
                f"{self.name}: could not be fetched: {error.message}. The server may be out of reach, or may not allow "
                "other sites to read it (CORS)."
            ) from None
        if not response.ok:
            raise OSError(f"{self.name}: the server answered {response.status}.")
        if response.body is None:
            return
        reader = response.body.getReader()
        try:
            while True:
                try:
                    answer = await settled(reader.read())
                except JsException as error:
                    raise OSError(f"{self.name}: the connection broke: {error.message}.") from None
                if answer.done:
                    return
                yield answer.value.to_bytes()
        finally:
            stop.abort()                               # of a finished answer this does nothing


def as_source(source: Any) -> DataSource:
    """A DataSource for whatever names one.

    Args:
        source: A DataSource; a path or an address (in the browser a string that names no file is an address relative
            to the page); bytes, a file object, a Blob or a typed array.
    """
    if isinstance(source, DataSource):
        return source
    if isinstance(source, str) and not source.startswith("file://"):
        remote = source.startswith(_SCHEMES)
        if remote or (sys.platform == "emscripten" and not os.path.isfile(source)):
            return URLDataSource(source)
    if isinstance(source, io.StringIO):
        return FileDataSource(source.getvalue().encode("utf-8"))
    return FileDataSource(source)
