"""TFRecord files: records of bytes, each with its length and checksums."""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import aclosing
from functools import partial
from typing import Any

from pyml import atomic
from pyml.data.crc import masked
from pyml.data.dataset import Dataset
from pyml.data.sources import DataSource, as_source

LARGEST = 1 << 31                                      # bytes of a record: more is not a TFRecord file
_KINDS = {None: None, "": None, "NONE": None, "GZIP": 31, "ZLIB": 15}


def record(data: bytes) -> bytes:
    """One record as it lies in a file: length, its checksum, the data, their checksum."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", masked(length)), data, struct.pack("<I", masked(data))))


class TFRecordDataset(Dataset):
    """The records of TFRecord files, as bytes, one file after the other.

    Args:
        filenames: A path, an address, bytes, a file object, a DataSource, in the browser also a File or Blob; or a list of these.
        compression_type: None, `"GZIP"` or `"ZLIB"`.
        buffer_size, num_parallel_reads: For tf.data's signature; files are read in chunks, in order.
        check: Compare the checksums of the data too, not only those of the lengths.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: `compression_type` is unknown or, while iterating, a file is broken or no TFRecord file.

    Source: tensorflow/core/lib/io/record_writer.h.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "words.tfrecord")
        >>> with pyml.data.TFRecordWriter(path) as writer:
        ...     for word in (b"one", b"two"):
        ...         writer.write(word)
        >>> list(pyml.data.TFRecordDataset(path))
        [b'one', b'two']
    """

    def __init__(self, filenames: Any, compression_type: str | None = None, buffer_size: int | None = None,
                 num_parallel_reads: int | None = None, check: bool = True):  # fmt: skip
        sources = filenames if isinstance(filenames, (list, tuple)) else [filenames]
        self.sources = [as_source(source) for source in sources]
        super().__init__(partial(_all, self.sources, _bits("TFRecordDataset", compression_type), check))


class TFRecordWriter:
    """Writes a TFRecord file; it takes its place, whole, when `close` is called or the `with` block ends without an error.

    Args:
        path: The file.
        options: None, `"GZIP"` or `"ZLIB"`.

    Raises:
        OSError: The file cannot be written.

    Source: `tf.io.TFRecordWriter`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with pyml.data.TFRecordWriter(f"{folder}/words.tfrecord") as writer:
        ...         writer.write(b"one")
        ...     list(pyml.data.TFRecordDataset(f"{folder}/words.tfrecord"))
        [b'one']
    """

    def __init__(self, path: str | os.PathLike[str], options: str | None = None):
        bits = _bits("TFRecordWriter", options)
        self._packer = None if bits is None else zlib.compressobj(wbits=bits)
        self._replacing = atomic.replacing(path)
        self._file: Any = open(self._replacing.__enter__(), "wb")  # noqa: SIM115

    def write(self, record_bytes: bytes | str) -> None:
        """Adds a record: `record_bytes`, or an Example."""
        if isinstance(record_bytes, str):
            record_bytes = record_bytes.encode()
        if hasattr(record_bytes, "SerializeToString"):
            record_bytes = record_bytes.SerializeToString()
        if not isinstance(record_bytes, (bytes, bytearray, memoryview)):
            raise TypeError(f"TFRecordWriter.write: expected bytes. Received a {type(record_bytes).__name__}.")
        if self._file is None:
            raise ValueError("TFRecordWriter.write: the file is closed.")
        data = record(bytes(record_bytes))
        self._file.write(data if self._packer is None else self._packer.compress(data))

    def flush(self) -> None:
        """Hands what was written to the operating system; the file has its name only after `close`."""
        self._file.flush()

    def close(self) -> None:
        """Ends the file and gives it its name."""
        self.__exit__(None, None, None)

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._file is None:
            return
        if self._packer is not None and kind is None:
            self._file.write(self._packer.flush())
        self._file.close()
        self._file = None
        self._replacing.__exit__(kind, error, trace)


def _bits(what: str, compression: str | None) -> int | None:
    if compression not in _KINDS:
        raise ValueError(f'{what}: the compression must be None, "GZIP" or "ZLIB". Received: {compression!r}')
    return _KINDS[compression]


async def _all(sources: list[DataSource], bits: int | None, check: bool) -> Any:
    for source in sources:
        async with aclosing(records(source, bits, check)) as stream:
            async for data in stream:
                yield data


async def records(source: DataSource, bits: int | None = None, check: bool = True) -> Any:
    """The records of one file."""
    held, place, number = bytearray(), 0, 0
    unpack = None if bits is None else zlib.decompressobj(bits)
    wrong = lambda why: ValueError(f"{source.name}: record {number} {why}; the file is broken, or no TFRecord file of this compression.")
    async with aclosing(source.chunks()) as chunks:
        async for chunk in chunks:
            try:
                held += chunk if unpack is None else unpack.decompress(chunk)
            except zlib.error:
                raise ValueError(f"{source.name}: could not be decompressed; it is not compressed this way.") from None
            while len(held) - place >= 12:
                head = bytes(held[place : place + 12])
                length, crc = struct.unpack("<QI", head)
                if crc != masked(head[:8]) or length > LARGEST:
                    raise wrong("has a length with a wrong checksum")
                end = place + 16 + length
                if len(held) < end:
                    break
                data = bytes(held[place + 12 : end - 4])
                if check and struct.unpack_from("<I", held, end - 4)[0] != masked(data):
                    raise wrong("has a wrong checksum")
                yield data
                place, number = end, number + 1
            del held[:place]
            place = 0
    if held or (unpack is not None and not unpack.eof and number):
        raise wrong("ends too early")
