"""A look into a csv file before it is used: what it holds, and in words what in it may not be what it seems."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pyml.data.csv_columns import is_number
from pyml.data.csv_records import Splitter, records
from pyml.data.sources import DataSource, as_source
from pyml.data.text import lines
from pyml.data.waiting import run_now

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
DELIMITERS = ",;\t|"
_FIRST = 20                                            # lines that decide about the delimiter
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*")
_SIGN = re.compile(r"\s*[^\s\w.,+-]{1,3}\s*[+-]?[\d.,]*\d\s*|\s*[+-]?[\d.,]*\d\s*(?:[^\s\w.,+-]{1,3}|[A-Z]{3})\s*")


@dataclass
class CsvFindings:
    """What `inspect_csv` found.

    Attributes:
        options: Arguments for `pyml.data.csv` with which it reads the file so.
        names: The columns, in order.
        kinds: For each column `"float32"` or `"string"`.
        missing: For each column how many values are missing.
        rows: How many rows were looked at.
        more: Whether the file has more rows than these.
        notes: Sentences for the user about what may be another thing than it seems; empty for a plain file.

    Example:
        >>> findings = pyml.data.inspect_csv(b"a,b\\n1,x\\n2,y\\n")
        >>> findings.names, findings.kinds
        (['a', 'b'], {'a': 'float32', 'b': 'string'})
    """

    options: dict[str, Any]
    names: list[str]
    kinds: dict[str, str] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    more: bool = False
    notes: list[str] = field(default_factory=list)


def inspect_csv(source: Any, most_rows: int = 20_000, na_value: tuple[str, ...] = MISSING) -> CsvFindings:
    """Looks into a csv file: what stands between its values, whether the first line has the names, which columns hold numbers.

    Nothing is left out in silence: `notes` says in words when there are more rows than `most_rows`, no header, one row only, decimal
    commas, currency signs, or a few values that are not numbers in a column of numbers, with the line and column of the first.

    Args:
        source: A path, an address, bytes, a file object that can seek or a DataSource; in the browser also a File or Blob.
        most_rows: How many rows to look at.
        na_value: Strings that mean a missing value.

    Returns:
        `CsvFindings`; `pyml.data.csv(source, **findings.options)` reads the file accordingly.

    Raises:
        ValueError: The file is empty, has a header and no rows, or a row has another number of values than the first; the message
            names the line.
        FileNotFoundError: There is no such file.

    Example:
        >>> found = pyml.data.inspect_csv(b"rooms;price\\n3;$200\\n2,5;$310\\n")
        >>> found.options["delimiter"], found.options["decimal"]
        (';', ',')
        >>> print(*found.notes, sep="\\n")
        Column 'rooms' has decimal commas, such as '2,5' in line 3; they are read as numbers.
        Column 'price' is read as text: '$200' in line 2 has a sign beside the number. Take the sign out of the file to use it as a number.
    """
    return run_now(inspect_csv_async(source, most_rows, na_value))


async def inspect_csv_async(source: Any, most_rows: int = 20_000, na_value: tuple[str, ...] = MISSING) -> CsvFindings:
    """`inspect_csv` that works in every browser.

    Raises:
        ValueError: As `inspect_csv`.
        FileNotFoundError: There is no such file.

    Example:
        >>> import asyncio
        >>> asyncio.run(pyml.data.inspect_csv_async(b"a,b\\n1,2\\n3,4\\n")).names
        ['a', 'b']
    """
    if most_rows < 1:
        raise ValueError(f"inspect_csv: most_rows must be at least 1. Received: most_rows={most_rows}")
    given = as_source(source)
    delimiter = await _delimiter(given)
    rows: list[tuple[int, list[str]]] = []
    async with aclosing(records(given, Splitter(delimiter))) as stream:
        async for record in stream:
            rows.append(record)
            if len(rows) > most_rows + 1:
                break
    if not rows:
        raise ValueError(f"{given.name}: the file is empty; expected a header line with the column names, and rows.")
    missing = frozenset(na_value) | {""}
    has_header = not _is_values(rows[0][1], missing)
    names = [name.strip() for name in rows[0][1]] if has_header else [f"column {i + 1}" for i in range(len(rows[0][1]))]
    rows = rows[1:] if has_header else rows
    if not rows:
        raise ValueError(f"{given.name}: the file has a header line ({', '.join(names[:6])}) and no rows.")
    found = CsvFindings({"delimiter": delimiter, "decimal": ".", "has_header": has_header, "na_value": tuple(na_value)}, names)
    if not has_header:
        found.options["column_names"] = names
        shown, called = ", ".join(rows[0][1][:4]), ", ".join(names[:2]) + (" and so on" if len(names) > 2 else "")
        found.notes.append(f"The first line holds values ({shown}), no names; it is read as a row, and the columns are called {called}.")
    found.more, rows = len(rows) > most_rows, rows[:most_rows]
    found.rows = len(rows)
    if found.more:
        found.notes.append(f"The file has more than {most_rows:,} rows; the first {most_rows:,} are used.")
    if len(rows) == 1:
        found.notes.append("The file has one row only; that is too little to learn from.")
    _check_lengths(rows, names, delimiter, given)
    columns = {name: [(number, fields[place]) for number, fields in rows] for place, name in enumerate(names)}
    if any(_decimal_commas([text for _, text in column if text not in missing]) for column in columns.values()):
        found.options["decimal"] = ","
    for name, column in columns.items():
        values = [(number, text) for number, text in column if text not in missing]
        found.missing[name] = len(column) - len(values)
        found.kinds[name], note = _kind(name, values, found.options["decimal"])
        found.notes += [note] if note else []
    return found


async def _delimiter(source: DataSource) -> str:
    """The one that gives all of the first lines the same number of values, and of several the one that gives most."""
    first: list[str] = []
    async with aclosing(lines(source)) as stream:
        async for line in stream:
            first += [line] if line.strip() else []
            if len(first) == _FIRST:
                break

    def worth(delimiter: str) -> tuple[bool, int]:
        try:
            counts = [len(Splitter(delimiter).split(line)) for line in first]
        except ValueError:                             # a quoted value with line ends in it
            counts = [line.count(delimiter) + 1 for line in first[:1]]
        return len(set(counts)) == 1 and counts[0] > 1, counts[0] if counts else 0

    return max(DELIMITERS, key=worth)


def _is_values(fields: list[str], missing: frozenset[str]) -> bool:
    """Whether a first line has numbers and no more names than numbers."""
    numbers = sum(text not in missing and (is_number(text) or bool(_DECIMAL_COMMA.fullmatch(text))) for text in fields)
    return numbers > 0 and 2 * numbers >= len(fields)


def _check_lengths(rows: list[tuple[int, list[str]]], names: list[str], delimiter: str, source: DataSource) -> None:
    for number, fields in rows:
        if len(fields) != len(names):
            why = ""
            if delimiter == "," and len(fields) > len(names):
                why = " Decimal commas cannot be told from the commas between values: separate the values by semicolons, or quote them."
            raise ValueError(
                f"{source.name}, line {number}: expected {len(names)} values, one for each of the columns {', '.join(names[:6])}"
                f"{', ...' if len(names) > 6 else ''}. Received {len(fields)}: {', '.join(fields[:6])[:60]}.{why}"
            )


def _decimal_commas(texts: list[str]) -> bool:
    """Numbers with commas, not all of which may be separators of thousands."""
    commas = [text for text in texts if "," in text]
    plain = all(is_number(text) for text in texts if "," not in text)
    return bool(commas) and plain and all(map(_DECIMAL_COMMA.fullmatch, commas)) and not all(map(_THOUSANDS.fullmatch, commas))


def _kind(name: str, values: list[tuple[int, str]], decimal: str) -> tuple[str, str | None]:
    """The dtype of a column, and what is to be said about it."""
    what = f"Column {name!r}"
    odd = [(number, text) for number, text in values if not is_number(text, decimal)]
    if not odd:
        comma = next(((number, text) for number, text in values if "," in text), None)
        if comma is None:
            return "float32", None
        return "float32", f"{what} has decimal commas, such as {comma[1]!r} in line {comma[0]}; they are read as numbers."
    number, text = odd[0]
    where = f"{text[:30]!r} in line {number}"
    if all(_THOUSANDS.fullmatch(t) or is_number(t, decimal) for _, t in values):
        return "string", f"{what} is read as text: {where} may have a separator of thousands or a decimal comma. Write it without."
    if sum(bool(_SIGN.fullmatch(t)) for _, t in values) * 2 > len(values):
        advice = "Take the sign out of the file to use it as a number."
        return "string", f"{what} is read as text: {where} has a sign beside the number. {advice}"
    if len(odd) < len(values):
        kinds = ", ".join(repr(t[:20]) for t in islice(Counter(t for _, t in odd), 3))
        numbers = len(values) - len(odd)
        share = f"{len(odd):,} of its {len(values):,} values are not numbers ({kinds}), the first in line {number}"
        if numbers >= len(odd):
            return "string", f"{what} is read as text: {share}. Take them out, or name them in na_value, to use it as numbers."
    return "string", None
