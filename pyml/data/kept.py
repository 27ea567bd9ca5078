"""Streams that keep what they give, in memory or in files."""

from __future__ import annotations

import json
import os
import re
import struct
import time
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pyml import atomic
from pyml.data.crc import masked
from pyml.data.kinds import Element, Function, Opens, Stream
from pyml.data.stored import packed, unpacked
from pyml.data.streams import result

if TYPE_CHECKING:
    from pyml.data.stage import Stage

COMPLETE = "elements.json"
_SHARD = re.compile(r"(\.[0-9a-f]{8}\.)?shard-.\d{4,}(-[0-9a-f]{8})?\.elements(\.part)?")
_FORSAKEN = 24 * 3600  # seconds


class Memory:
    """The elements of the first whole pass."""

    def __init__(self) -> None:
        self.elements: list[Element] | None = None

    async def stream(self, source: Opens, first: int = 0) -> Stream:
        """The kept elements, or those of the source, which are kept if the pass comes to its end."""
        if self.elements is not None:
            for element in self.elements[first:]:
                yield element
            return
        held = []
        async with aclosing(source()) as stream:
            async for element in stream:
                held.append(element)
                if len(held) > first:
                    yield element
        self.elements = held


async def read(path: str | os.PathLike[str]) -> Stream:
    """The elements of a file."""
    with open(path, "rb") as file:
        number = 0
        while head := file.read(13):
            data = b""
            if len(head) == 13:
                length, crc, is_packed = struct.unpack("<QIB", head)
                data = file.read(length)
            if len(head) < 13 or len(data) < length or masked(data) != crc:
                raise ValueError(f"{path}: element {number} is broken; remove what was kept, it is made again then.")
            yield unpacked(zlib.decompress(data) if is_packed else data)
            number += 1


async def line(element: Element, compression: str | None) -> bytes:
    """An element as it lies in a file."""
    data = await packed(element)
    if compression:
        data = zlib.compress(data)
    return struct.pack("<QIB", len(data), masked(data), bool(compression)) + data


async def through_file(source: Opens, path: str) -> Stream:
    """Elements of the file, or those of the source, written beside and given their name at the end of the pass."""
    if os.path.exists(path):
        async with aclosing(read(path)) as stream:
            async for element in stream:
                yield element
        return
    with atomic.replacing(path) as part, open(part, "wb") as file:
        async with aclosing(source()) as stream:
            async for element in stream:
                file.write(await line(element, None))
                yield element


async def through_folder(source: Opens, made_from: str, made: type[Stage], path: str, compression: str | None,
                         reader: Callable[[Any], Any] | None, shard: Function | None) -> Stream:  # fmt: skip
    """Elements of a folder that was written to its end from this source, or those of the source, which are written there."""
    complete = Path(path) / COMPLETE
    if not complete.is_file() or json.loads(complete.read_text()).get("made from", made_from) != made_from:
        async with aclosing(writing(source, path, compression, shard, made_from)) as stream:
            async for element in stream:
                yield element
        return
    async with aclosing(read_folder(made, path, reader)) as stream:
        async for element in stream:
            yield element


async def writing(source: Opens, path: str, compression: str | None, shard: Function | None, made_from: str | None = None) -> Stream:
    """The elements of the source, while they are written into a folder."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    mark = os.urandom(4).hex()  # names of their own: until the list is written, it names the old ones
    names: dict[int, str] = {}
    files: dict[int, BinaryIO] = {}
    number = 0
    with ExitStack() as stack:

        def of(key: int) -> BinaryIO:
            if key not in files:
                names[key] = f"shard-{key:05d}-{mark}.elements"
                part = stack.enter_context(atomic.replacing(folder / names[key]))
                files[key] = stack.enter_context(open(part, "wb"))
            return files[key]

        of(0)
        async with aclosing(source()) as stream:
            async for element in stream:
                key = 0 if shard is None else int(await result("snapshot", shard, number, element))
                of(key).write(await line(element, compression))
                number += 1
                yield element
    facts = {"elements": number, "files": [names[key] for key in sorted(names)], **({"made from": made_from} if made_from else {})}
    complete, old = folder / COMPLETE, set()
    with suppress(OSError, ValueError, KeyError):
        old = set(json.loads(complete.read_text())["files"])
    atomic.write(complete, json.dumps(facts).encode())
    _remove_shards(folder, old, set(names.values()))


def _remove_shards(folder: Path, old: set[str], new: set[str]) -> None:
    """Shards of the list before this one, and those that no list names since long ago: their process ended before it wrote one."""
    for entry in os.scandir(folder):
        with suppress(OSError):
            forsaken = entry.name in old or time.time() - entry.stat().st_mtime > _FORSAKEN
            if forsaken and entry.name not in new and _SHARD.fullmatch(entry.name):
                os.unlink(entry)


async def written(source: Opens, path: str, compression: str | None, shard: Function | None) -> None:
    """Writes all elements into a folder."""
    async with aclosing(writing(source, path, compression, shard)) as stream:
        async for _ in stream:
            pass


async def read_folder(made: type[Stage], path: str, reader: Callable[[Any], Any] | None) -> Stream:
    """The elements of a folder, file by file or as `reader` wants them."""
    names = json.loads((Path(path) / COMPLETE).read_text())["files"]
    if reader is None:
        for name in names:
            async with aclosing(read(Path(path) / name)) as stream:
                async for element in stream:
                    yield element
        return

    async def datasets() -> AsyncGenerator[Stage, None]:
        for name in names:
            yield made(partial(read, Path(path) / name))

    dataset = reader(made(datasets, len(names)))
    async with aclosing(dataset._open()) as stream:
        async for element in stream:
            yield element
