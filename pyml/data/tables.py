"""Parquet and Arrow files, and tables in memory, as datasets of rows; through pyarrow or pandas, where one is installed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from pyml.data.dataset import UNKNOWN_CARDINALITY, Dataset
from pyml.errors import to_install

ROWS = 4096                                            # read at a time


def parquet(source: Any, columns: Sequence[str] | None = None, batch_size: int | None = None) -> Dataset:
    """The rows of a Parquet file as dicts; read in pieces with pyarrow, whole with pandas.

    Args:
        source: A path or a file object.
        columns: Names of the columns to read; all by default.
        batch_size: Give dicts of arrays with so many rows instead of single rows.

    Raises:
        ImportError: Neither pyarrow nor pandas is installed.
        FileNotFoundError: There is no such file.
        ValueError: The file has no such column.

    Example:
        >>> ds = pyml.data.parquet("homes.parquet", columns=["rooms", "price"])    # doctest: +SKIP
    """
    _need_file("parquet", source)
    try:
        import pyarrow.parquet as reader
    except ImportError:
        try:
            import pandas
        except ImportError:
            raise ImportError(f"parquet: reading Parquet files needs pyarrow or pandas: {to_install('pyarrow')}.") from None
        return from_table(pandas.read_parquet(source, columns=columns), columns, batch_size)
    file = reader.ParquetFile(source)
    names = _chosen("parquet", file.schema_arrow.names, columns)
    return _dataset(lambda: reader.ParquetFile(source).iter_batches(batch_size or ROWS, columns=names), file.metadata.num_rows, batch_size)


def arrow(source: Any, columns: Sequence[str] | None = None, batch_size: int | None = None) -> Dataset:
    """The rows of an Arrow file (IPC file, stream or Feather 2) as dicts; needs pyarrow.

    Args:
        source: A path or a file object.
        columns, batch_size: As for `parquet`.

    Raises:
        ImportError: pyarrow is not installed.
        FileNotFoundError: There is no such file.
        ValueError: The file has no such column, or is not an Arrow file.

    Example:
        >>> ds = pyml.data.arrow("homes.arrow", columns=["rooms", "price"])    # doctest: +SKIP
    """
    _need_file("arrow", source)
    try:
        import pyarrow
        from pyarrow import ipc
    except ImportError:
        raise ImportError(f"arrow: reading Arrow files needs pyarrow: {to_install('pyarrow')}.") from None
    try:
        table = ipc.open_file(source).read_all()
    except pyarrow.ArrowInvalid:
        try:
            if hasattr(source, "seek"):
                source.seek(0)
            table = ipc.open_stream(source).read_all()
        except pyarrow.ArrowInvalid:
            raise ValueError(f"arrow: {source!r} is not an Arrow file.") from None
    return from_table(table, columns, batch_size)


def from_table(table: Any, columns: Sequence[str] | None = None, batch_size: int | None = None) -> Dataset:
    """The rows of a table in memory as dicts.

    Args:
        table: A pyarrow Table, a pandas or polars DataFrame, or a dict of lists or arrays.
        columns, batch_size: As for `parquet`.

    Raises:
        TypeError: `table` is none of these.
        ValueError: There is no such column.

    Example:
        >>> list(pyml.data.from_table({"rooms": [3, 4], "price": [200.0, 310.0]}, batch_size=2))
        [{'rooms': array([3, 4]), 'price': array([200., 310.])}]
    """
    if hasattr(table, "column_names") and hasattr(table, "to_batches"):
        names = _chosen("from_table", table.column_names, columns)
        return _dataset(lambda: table.select(names).combine_chunks().to_batches(batch_size or ROWS), table.num_rows, batch_size)
    if isinstance(table, dict) or (hasattr(table, "columns") and hasattr(table, "__getitem__")):
        have = list(table) if isinstance(table, dict) else [str(name) for name in table.columns]
        names = _chosen("from_table", have, columns)
        arrays = {name: _array(table[name]) for name in names}
        rows = Dataset.from_tensor_slices(arrays)
        return rows if batch_size is None else rows.batch(batch_size)
    raise TypeError(f"from_table: expected a pyarrow Table, a DataFrame or a dict of columns. Received a {type(table).__name__}.")


def _need_file(what: str, source: Any) -> None:
    if isinstance(source, (str, os.PathLike)) and not os.path.isfile(source):
        raise FileNotFoundError(f"{what}: there is no file {os.fspath(source)!r}.")


def _chosen(what: str, have: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    missing = [name for name in wanted or () if name not in have]
    if missing:
        raise ValueError(f"{what}: there is no column {', '.join(map(repr, missing))}; the columns are {', '.join(map(repr, have))}.")
    return list(have if wanted is None else wanted)


def _dataset(batches: Any, count: int, batch_size: int | None) -> Dataset:
    n = count if batch_size is None else UNKNOWN_CARDINALITY
    return Dataset(partial(_rows, batches, batch_size is None), n)


async def _rows(batches: Any, single: bool) -> Any:
    for batch in batches():
        columns = {name: _array(batch.column(i)) for i, name in enumerate(batch.schema.names)}
        if not single:
            yield columns
            continue
        for i in range(batch.num_rows):
            yield {name: values[i] for name, values in columns.items()}


def _array(column: Any) -> np.ndarray:
    """A column as an array; missing numbers are NaN, nested lists become arrays of objects."""
    if hasattr(column, "to_numpy"):
        try:
            return np.asarray(column.to_numpy(zero_copy_only=False))
        except TypeError:                              # pandas and polars have no such argument
            return np.asarray(column.to_numpy())
    return np.asarray(column)
