"""Text files line by line, in constant memory."""

from __future__ import annotations

import codecs
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from pyml.data.dataset import Dataset
from pyml.data.sources import DataSource, as_source

LONGEST = 16 * 1024 * 1024                             # characters in a line: more is not a text file


class TextLineDataset(Dataset):
    """The lines of UTF-8 text files, without their ends (`\\n` or `\\r\\n`); read in chunks while it is iterated.

    Args:
        source: A path, an address, bytes, a file object or a DataSource; in the browser also a File or Blob; or a list
            of these, whose lines come one file after the other.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: While iterating: the text is not UTF-8, or a line is longer than 16 million characters.

    Source: TensorFlow.js `tf.data.TextLineDataset`.

    Example:
        >>> list(pyml.data.TextLineDataset(b"one\\ntwo\\n"))
        ['one', 'two']
    """

    def __init__(self, source: Any):
        given = source if isinstance(source, (list, tuple)) else [source]
        self.sources = [as_source(one) for one in given]
        super().__init__(partial(_all, self.sources))


async def _all(sources: list[DataSource]) -> AsyncGenerator[str, None]:
    for source in sources:
        async with aclosing(lines(source)) as stream:
            async for line in stream:
                yield line


async def lines(source: DataSource) -> AsyncGenerator[str, None]:
    """The lines of a source."""
    async with aclosing(blocks_of_lines(source)) as blocks:
        async for block in blocks:
            for line in block:
                yield line


async def blocks_of_lines(source: DataSource) -> AsyncGenerator[list[str], None]:
    """The lines of a source, in lists of those that arrive together."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    begun: list[str] = []                              # the pieces of a line that has not ended yet
    length = number = 0
    async with aclosing(source.chunks()) as chunks:
        async for chunk in chunks:
            text = _decoded(decoder, chunk, source, number)
            *whole, first = text.split("\n")
            if whole:
                whole[0] = "".join([*begun, whole[0]])
                number += len(whole)
                ends = "\r" in text or whole[0].endswith("\r")
                yield [line[:-1] if line.endswith("\r") else line for line in whole] if ends else whole
                begun, length = [], 0
            if first:
                begun.append(first)
                length += len(first)
                if length > LONGEST:
                    raise ValueError(f"{source.name}: line {number + 1} is longer than {LONGEST} characters; is this a text file?")
    begun.append(_decoded(decoder, b"", source, number, final=True))
    line = "".join(begun)
    if line:
        yield [line[:-1] if line.endswith("\r") else line]


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, source: DataSource, number: int, final: bool = False) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        raise ValueError(f"{source.name}: the text after line {number} is not UTF-8 ({error.reason}).") from None
