"""What data of others holds that numpy takes for objects: tables of several kinds of columns, and words."""

from typing import Any

import numpy as np

from pyml.errors import DtypeError

_WORDS = "np.unique(y, return_inverse=True)[1], or layers.StringLookup, makes numbers of words"


def numbers_of(value: Any, array: np.ndarray, name: str, what: str) -> np.ndarray:
    """The numbers of a table whose columns are of several kinds (`array` is what numpy made of `value`), float32.

    Raises:
        DtypeError: There is something else in it; a table's column and row are named.
    """
    columns = list(getattr(value, "columns", ()))
    if array.dtype != object or array.ndim != 2 or array.shape[1] != len(columns):
        raise DtypeError(f"{what}: {name} must hold numbers. Received: {_told(value, array)}.")
    found = np.empty(array.shape, np.float32)
    for column, cells, numbers in zip(columns, array.T, found.T, strict=True):
        for row, cell in enumerate(cells):
            if not isinstance(cell, (bool, int, float, np.number, np.bool_)):
                table = f"a {type(value).__name__} whose column {column!r}"
                raise DtypeError(f"{what}: {name} must hold numbers. Received: {table} {_odd(cell, row)}.")
        numbers[:] = cells
    return found


def _odd(cell: Any, row: int) -> str:
    if isinstance(cell, str):
        return f"holds text, {cell!r} in row {row}; make numbers of it (layers.StringLookup, pandas.get_dummies) or leave it out"
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return f"has no value in row {row} ({cell!r}); fill it (fillna) or leave the row out (dropna)"
    return f"holds a {type(cell).__name__} in row {row}; make numbers of it or leave it out"


def _told(value: Any, array: np.ndarray) -> str:
    if array.ndim == 0:
        return type(value).__name__
    told = f"array of {array.dtype}"
    first = array.flat[0] if array.size else None
    if isinstance(first, str):
        return f"{told}, {str(first)!r} first; {_WORDS}"
    if isinstance(first, (list, tuple, np.ndarray)):
        rows = f"a {type(first).__name__} of {np.size(first)}"
        return f"{told}, {rows} first; np.stack joins rows of one length, utils.pad_sequences of several"
    return f"{told}, {first!r:.80} first" if array.size and array.dtype == object else told
