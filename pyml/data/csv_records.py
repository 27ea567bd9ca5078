"""Records of a csv file: lines put together where a quoted value goes on, and split into values."""

from __future__ import annotations

import csv
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import repeat
from typing import NamedTuple, TypeAlias

from pyml.data.sources import DataSource
from pyml.data.text import LONGEST, blocks_of_lines

Record: TypeAlias = tuple[int, list[str]]  # the number of its line, and its values
BLOCK = 256                                            # records that are worked on together


class Lines(NamedTuple):
    """Records that are a line each, with no quotes in them, not split yet."""

    first: int                                         # the number of the first line
    texts: list[str]

    def records(self, splitter: Splitter) -> list[Record]:
        """The same, split."""
        return list(zip(range(self.first, self.first + len(self.texts)), map(splitter.split, self.texts), strict=True))


class OpenQuote(ValueError):
    """A quoted value has not ended yet."""


class Splitter:
    """Splits a record into values.

    Args:
        delimiter: One character.
        whitespace: Any white space separates values instead.

    Raises:
        ValueError: `delimiter` is not a single character, or is a quote or line end.
    """

    def __init__(self, delimiter: str = ",", whitespace: bool = False):
        if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
            raise ValueError(f"csv: delimiter must be one character other than a quote or line end. Received: {delimiter!r}")
        if whitespace and delimiter != ",":
            raise ValueError("csv: give either delimiter or delim_whitespace, not both.")
        self.delimiter, self.whitespace = delimiter, whitespace

    def split(self, text: str) -> list[str]:
        """The values of a record.

        Raises:
            OpenQuote: The last value is quoted and the quote is not closed.
            ValueError: Something follows a closing quote.
        """
        if self.whitespace:
            text = " ".join(text.split())
        delimiter = " " if self.whitespace else self.delimiter
        if '"' not in text:
            return text.split(delimiter)
        reader = csv.reader([text], delimiter=delimiter, strict=True)
        limit = csv.field_size_limit(LONGEST)
        try:
            return next(reader)
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise OpenQuote(text) from None
            if "expected after" in str(error):
                raise ValueError(f"a quoted value must be followed by {delimiter!r} or the end of the line") from None
            raise ValueError(str(error)) from None
        finally:
            csv.field_size_limit(limit)

    def cells(self, lines: list[str], width: int) -> list[Sequence[str]] | None:
        """The columns of many lines without quotes; None where a line has another number of values."""
        if self.whitespace:
            rows = list(map(str.split, lines))
            return list(zip(*rows, strict=True)) if set(map(len, rows)) == {width} else None
        if set(map(str.count, lines, repeat(self.delimiter))) != {width - 1}:
            return None
        cells = self.delimiter.join(lines).split(self.delimiter)   # no list for each line, which Python's collector would look at
        return [cells[place::width] for place in range(width)]


async def records(source: DataSource, splitter: Splitter) -> AsyncGenerator[Record, None]:
    """Pairs `(line number, values)`; lines that are empty are left out.

    Raises:
        ValueError: A quote is never closed, or something follows a closing quote; the message names the line.
    """
    async with aclosing(blocks_of_records(source, splitter)) as blocks:
        async for block in blocks:
            for record in block.records(splitter) if isinstance(block, Lines) else block:
                yield record


async def blocks_of_records(source: DataSource, splitter: Splitter) -> AsyncGenerator[Lines | list[Record], None]:
    """As `records`, in blocks of those that arrive together, of `BLOCK` at most."""
    number = begun = length = 0
    parts: list[str] = []                              # of a record that goes on
    found: list[tuple[int, list[str]]] = []
    async with aclosing(blocks_of_lines(source)) as stream:
        async for block in stream:
            while block and not parts and _plain(texts := block[:BLOCK]):
                yield Lines(number + 1, texts)
                number += len(texts)
                block = block[BLOCK:]
            for line in block:
                number += 1
                if parts:
                    parts.append(line)
                    length += len(line) + 1
                    if length > LONGEST:
                        break
                    if '"' not in line:
                        continue
                elif not line or line.isspace():
                    continue
                else:
                    begun, parts, length = number, [line], len(line)
                try:
                    fields = splitter.split("\n".join(parts) if len(parts) > 1 else line)
                except OpenQuote:
                    continue
                except ValueError as error:
                    if found:                          # what stands before the mistake comes first
                        yield found
                    raise ValueError(f"{source.name}, line {number}: {error}.") from None
                parts = []
                found.append((begun, fields))
                if len(found) == BLOCK:
                    yield found
                    found = []
            if found:
                yield found
                found = []
            if length > LONGEST:
                break
    if parts:
        raise ValueError(f"{source.name}, line {begun}: a quoted value is opened here and never closed.")


def _plain(lines: list[str]) -> bool:
    """Whether no line is empty and none has a quote."""
    return all(lines) and not any(map(str.isspace, lines)) and '"' not in "\n".join(lines)
