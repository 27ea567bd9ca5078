"""Dates and times along an axis."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np

DAY = 86_400_000.0                                     # milliseconds


def dated(values: Any) -> bool:
    """Whether these are dates or times, of numpy, pandas or Python, or lists of them."""
    while isinstance(values, (list, tuple)) and values:
        values = values[0]
    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    if kind == "O" and isinstance(values, np.ndarray) and values.size:
        values = values.item(0)
    return kind in "mM" or isinstance(values, (date, timedelta, np.datetime64, np.timedelta64))


def moments(what: str, values: Any) -> np.ndarray:
    """Dates and times as milliseconds since 1970, as charts take them; a missing one is NaN.

    Raises:
        TypeError: Not all are dates.
    """
    array = np.asarray(values)
    try:
        if any(one is not None and not isinstance(one, date) for one in (array.ravel() if array.dtype == object else ())):
            raise TypeError
        found = array.astype("datetime64[ms]")
    except (TypeError, ValueError):
        raise TypeError(f"{what}: expected a date or time for every x. Received: {values!r:.80}") from None
    return np.where(np.isnat(found), math.nan, found.astype(np.int64))


def spoken(moment: float) -> str:
    """Milliseconds since 1970 as a date, with the time of day where there is one."""
    return str(np.datetime64(int(moment), "ms")).removesuffix(".000").removesuffix("T00:00:00").replace("T", " ")
