"""Csv files as datasets: one dict of values per row, streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from itertools import repeat
from typing import Any

from pyml.data.csv_columns import Column, columns_of, values_of
from pyml.data.csv_records import Lines, Record, Splitter, blocks_of_records, records
from pyml.data.dataset import Dataset
from pyml.data.kinds import Element, Stream
from pyml.data.sources import as_source
from pyml.data.waiting import run_now

SAMPLED = 100                                          # rows that decide about the dtypes that nobody gave


class CsvDataset(Dataset):
    """Rows of a csv file; see `pyml.data.csv`.

    Example:
        >>> [float(row["b"]) for row in pyml.data.CsvDataset(b"a,b\\n1,2\\n3,4\\n")]
        [2.0, 4.0]
    """

    def __init__(self, source: Any, has_header: bool = True, column_names: list[str] | None = None,
                 column_configs: dict[str, dict] | None = None, configured_columns_only: bool = False,
                 delimiter: str = ",", delim_whitespace: bool = False, na_value: str | tuple[str, ...] = "", decimal: str = "."):
        self.source = as_source(source)
        self.has_header = has_header
        self._splitter = Splitter(delimiter, delim_whitespace)
        self._names = None if column_names is None else [str(name) for name in column_names]
        self._configs = dict(column_configs or {})
        self._only = configured_columns_only
        if decimal not in (".", ",") or (decimal == delimiter and not delim_whitespace):
            raise ValueError(f"csv: decimal must be '.' or ',' and differ from the delimiter. Received: decimal={decimal!r}")
        self._decimal = decimal
        self._missing = frozenset([na_value] if isinstance(na_value, str) else na_value) | {""}
        if not has_header and self._names is None:
            raise ValueError("csv: give column_names where the file has no header line (has_header=False).")
        if configured_columns_only and not self._configs:
            raise ValueError("csv: configured_columns_only=True needs column_configs, which name the columns to read.")
        if self._names is not None:
            self._columns()                            # what can be checked before the file is opened
        self._decided: list[Column] | None = None      # by the last pass
        super().__init__(partial(_rows, self))
        self._blocks = partial(_blocks, self)

    async def column_names_async(self) -> list[str]:
        """The names of all columns in the file, in order; reads the beginning of the file."""
        if self._names is None:
            async with aclosing(records(self.source, self._splitter)) as stream:
                async for _, fields in stream:
                    self._take_header(fields)
                    break
                else:
                    raise ValueError(f"{self.source.name}: the file is empty; expected a header line with the column names.")
        return list(self._names or [])

    def column_names(self) -> list[str]:
        """The names of all columns in the file, in order; waits for the beginning of the file."""
        return run_now(self.column_names_async())

    def make_data_element(self, line: str) -> Any:
        """The element that a line of the file would give.

        Raises:
            ValueError: The line does not fit the columns, or the header was not read yet.
        """
        fields = self._splitter.split(line)
        if self._names is None:
            raise ValueError("make_data_element: call column_names() first, which reads the header of the file.")
        self._fitting(0, fields)
        columns = self._decided or self._columns()
        for column in columns:
            column.decide([fields[column.place]])
        return self._element(columns, fields, 0)

    # ---- for the stream
    def _take_header(self, fields: list[str]) -> None:
        self._names = [name.strip() for name in fields]

    def _columns(self) -> list[Column]:
        return columns_of(self._names or [], self._configs, self._only, self._missing, self.source.name, self._decimal)

    def _fitting(self, number: int, fields: list[str]) -> None:
        expected = len(self._names or [])
        if len(fields) != expected:
            raise ValueError(
                f"{self._place(number)}: expected {expected} values, one for each of the columns "
                f"{', '.join(self._names or [])}. Received {len(fields)}."
            )

    def _place(self, number: int) -> str:
        return f"{self.source.name}, line {number}" if number else "make_data_element"

    def _element(self, columns: list[Column], fields: list[str], number: int) -> Element:
        features: dict[str, Any] = {}
        labels: dict[str, Any] = {}
        for column in columns:
            value = column.value(fields[column.place], partial(self._place, number))
            (labels if column.is_label else features)[column.name] = value
        return (features, labels) if labels else features


async def _rows(dataset: CsvDataset) -> Stream:
    """The rows as dicts, or pairs of dicts where columns are labels."""
    async with aclosing(_blocks(dataset)) as blocks:
        async for block in blocks:
            for element in block:
                yield element


async def _blocks(dataset: CsvDataset) -> AsyncGenerator[list[Element], None]:
    """The same in lists of those that arrive together."""
    async with aclosing(blocks_of_records(dataset.source, dataset._splitter)) as stream:
        header = dataset.has_header
        columns = [] if header else dataset._columns()
        sample: list[Record] | None = []
        async for block in stream:
            if sample is not None:
                if isinstance(block, Lines):
                    block = block.records(dataset._splitter)
                if header:
                    header = False
                    number, fields = block[0]
                    if dataset._names is None:
                        dataset._take_header(fields)
                    columns = dataset._columns()
                    dataset._fitting(number, fields)
                    block = block[1:]
                for number, fields in block[: SAMPLED - len(sample)]:
                    dataset._fitting(number, fields)
                block, sample = block[max(SAMPLED - len(sample), 0) :], sample + block[: SAMPLED - len(sample)]
                if len(sample) < SAMPLED:
                    continue
                for found in _whole(_first(dataset, columns, sample)):
                    yield found
                sample = None
            together = _together(dataset, columns, block)
            if together is not None:
                yield together
                continue
            single = block.records(dataset._splitter) if isinstance(block, Lines) else block
            for found in _whole(_one_by_one(dataset, columns, single)):
                yield found
        if header:
            raise ValueError(f"{dataset.source.name}: the file is empty; expected a header line with the column names.")
        for found in _whole(_first(dataset, columns, sample or [])):
            yield found


def _whole(elements: Iterator[Any]) -> Iterator[list[Any]]:
    """Elements as a list; what stands before a mistake comes before it."""
    found = []
    try:
        for element in elements:
            found.append(element)
    except ValueError:
        yield found
        raise
    yield found


def _one_by_one(dataset: CsvDataset, columns: list[Column], block: list[Record]) -> Iterator[Element]:
    for number, fields in block:
        dataset._fitting(number, fields)
        yield dataset._element(columns, fields, number)


def _together(dataset: CsvDataset, columns: list[Column], block: Lines | list[Record]) -> list[Element] | None:
    """The elements of some records, made column by column; None where something is not as it should be."""
    width = len(dataset._names or [])
    if isinstance(block, Lines):
        cells = dataset._splitter.cells(block.texts, width)
    else:
        rows = [fields for _, fields in block]
        cells = list(zip(*rows, strict=True)) if set(map(len, rows)) == {width} else None
    if cells is None:
        return None
    features: dict[str, Sequence[Any]] = {}
    labels: dict[str, Sequence[Any]] = {}
    for column in columns:
        values = values_of(column, cells[column.place])
        if values is None:
            return None
        (labels if column.is_label else features)[column.name] = values
    count = len(cells[0])
    return list(zip(_dicts(features, count), _dicts(labels, count), strict=True)) if labels else _dicts(features, count)


def _dicts(columns: dict[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    if len(columns) == 1:                              # as labels mostly are
        ((only, values),) = columns.items()
        return [{only: value} for value in values]
    return list(map(dict, map(zip, repeat(tuple(columns)), zip(*columns.values())))) if columns else [{} for _ in range(count)]


def _first(dataset: CsvDataset, columns: list[Column], sample: list[Record]) -> Iterator[Element]:
    """The rows read so far, once the dtypes have been chosen from them."""
    if sample:
        for column in columns:
            column.decide([fields[column.place] for _, fields in sample])
        dataset._decided = columns
    for number, fields in sample:
        yield dataset._element(columns, fields, number)


def csv(source: Any, has_header: bool = True, column_names: list[str] | None = None,
        column_configs: dict[str, dict] | None = None, configured_columns_only: bool = False,
        delimiter: str = ",", delim_whitespace: bool = False, na_value: str | tuple[str, ...] = "", decimal: str = ".") -> CsvDataset:
    """A csv file as a Dataset of rows, read while it is iterated.

    Args:
        source: A path, an address, bytes, a file object or a DataSource; in the browser also a File or Blob.
        has_header: The first line holds the column names.
        column_names: Names of all columns, instead of those in the header.
        column_configs: For columns by name, a dict with any of: `dtype` (`"float32"`, `"int32"`, `"bool"` or
            `"string"`), `default` (the value where it is missing), `required` (True: a missing value is an error),
            `is_label` (True: the column belongs to the targets).
        configured_columns_only: Leave out columns without an entry in `column_configs`.
        delimiter: The character between values.
        delim_whitespace: Values are separated by any white space instead.
        na_value: A string, or several, that means a missing value, besides nothing at all.
        decimal: What stands before the fraction of numbers, `"."` or `","`. `inspect_csv` finds out what a file has.

    Returns:
        A CsvDataset. Elements are dicts of values by column name; where columns are labels, pairs
        `(features, labels)` of such dicts.

    Dtypes that are not given are chosen from the first 100 rows: float32 where all values are numbers, string
    otherwise. Missing values without a default are NaN in float32 columns and `""` in string columns. Values may be
    quoted as in RFC 4180: a quoted value may hold delimiters, line ends and doubled quotes. Empty lines are left out.

    Raises:
        ValueError: Arguments contradict each other or, while iterating, a row has another number of values, a value
            does not fit its dtype or is missing though required; the message names the line.

    Source: TensorFlow.js `tf.data.csv`.

    Example:
        >>> homes = pyml.data.csv(b"rooms,price\\n3,200\\n4,\\n", column_configs={"price": {"is_label": True, "default": 0.0}})
        >>> list(homes)[1]
        ({'rooms': np.float32(4.0)}, {'price': np.float32(0.0)})
        >>> model.fit(homes.map(lambda x, y: ([x["rooms"]], [y["price"]])).batch(32))     # doctest: +SKIP
    """
    return CsvDataset(source, has_header, column_names, column_configs, configured_columns_only, delimiter,
                      delim_whitespace, na_value, decimal)
