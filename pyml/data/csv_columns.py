"""Columns of a csv file: what their configurations ask for, and how their text becomes values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

DTYPES = ("float32", "int32", "bool", "string")
_ALLOWED = ("required", "dtype", "default", "is_label")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class Column:
    """One column.

    Args:
        name, place: Its name, and its number in the row.
        config: Dict of `required`, `dtype`, `default`, `is_label`.
        missing: The texts that stand for no value.
        decimal: What stands before the fraction of numbers, "." or ",".

    Raises:
        ValueError: The configuration is wrong.
    """

    def __init__(self, name: str, place: int, config: dict[str, Any], missing: frozenset[str], decimal: str = "."):
        unknown = [key for key in config if key not in _ALLOWED]
        if unknown:
            raise ValueError(f"csv: column_configs[{name!r}] may hold {', '.join(_ALLOWED)}. Received: {', '.join(map(str, unknown))}")
        dtype = config.get("dtype")
        if dtype is not None:
            dtype = {"float": "float32", float: "float32", "int": "int32", int: "int32", bool: "bool", str: "string",
                     "str": "string"}.get(dtype, dtype)
            if dtype not in DTYPES:
                raise ValueError(f"csv: the dtype of column {name!r} must be one of {', '.join(DTYPES)}. Received: {dtype!r}")
        self.name, self.place, self.dtype = name, place, dtype
        self.chosen = dtype is not None                # by the user
        self.required = bool(config.get("required", False))
        self.is_label = bool(config.get("is_label", False))
        self.missing, self.decimal = missing, decimal
        self.numbers_missing = any(is_number(text) for text in missing)   # as -999 may stand for no value
        self.given_default = config.get("default")
        self.default: Any = None
        if self.required and self.given_default is not None:
            raise ValueError(f"csv: column {name!r} is required, so its default would never be used; give one of the two.")
        if dtype is not None:
            self._settle(dtype)

    def decide(self, texts: list[str]) -> None:
        """Chooses the dtype from some values, unless it was given or chosen before."""
        if self.dtype is None:
            texts = [text for text in texts if text not in self.missing]
            default = self.given_default
            if isinstance(default, bool):
                self._settle("bool")
            else:
                numbers = isinstance(default, (int, float, type(None))) and all(is_number(text, self.decimal) for text in texts)
                self._settle("float32" if numbers else "string")

    def _settle(self, dtype: str) -> None:
        self.dtype = dtype
        if self.given_default is not None:
            try:
                self.default = _CONVERT[dtype](str(self.given_default))
            except (ValueError, OverflowError):
                raise ValueError(
                    f"csv: the default of column {self.name!r} must be of dtype {dtype}. Received: {self.given_default!r}"
                ) from None
        elif dtype in ("float32", "string"):
            self.default = np.float32("nan") if dtype == "float32" else ""

    def _converted(self, text: str) -> Any:
        dtype = self.dtype or "string"
        return _CONVERT[dtype](with_point(text, self.decimal) if dtype in ("float32", "int32") else text)

    def value(self, text: str, where: Callable[[], str]) -> Any:
        """The value of a cell; `where()` names its line for errors."""
        if text in self.missing:
            if self.required:
                raise ValueError(f"{where()}: the value of the required column {self.name!r} is missing.")
            if self.default is None:
                raise ValueError(
                    f"{where()}: the value of column {self.name!r} is missing, and {self.dtype} cannot express that; "
                    f"give column_configs={{{self.name!r}: {{'default': ...}}}}, or dtype 'float32', which gives NaN."
                )
            return self.default
        try:
            return self._converted(text)
        except (ValueError, OverflowError):
            shown = text if len(text) <= 40 else f"{text[:40]}..."
            why = "is" if self.chosen else "was taken for"
            raise ValueError(
                f"{where()}: column {self.name!r} {why} {self.dtype}, and {shown!r} is no such value; give another dtype in "
                "column_configs, or na_value where it stands for a missing value."
            ) from None


def values_of(column: Column, texts: Sequence[str]) -> Sequence[Any] | None:
    """The values of many cells of a column at once; None where one of them needs a closer look."""
    dtype, missing, default = column.dtype, column.missing, column.default
    if dtype not in ("float32", "string") or (dtype == "float32" and (column.decimal != "." or "_" in "".join(texts))):
        return None
    if dtype == "float32" and not column.numbers_missing:      # then the texts that are numbers are values
        try:
            return list(np.fromiter(map(float, texts), np.float32, len(texts)))
        except ValueError:
            pass
    if column.required and not missing.isdisjoint(texts):
        return None
    try:
        if dtype == "string":
            return texts if missing.isdisjoint(texts) else [default if text in missing else text for text in texts]
        return list(np.array([default if text in missing else float(text) for text in texts], np.float32))
    except (ValueError, OverflowError):
        return None


def columns_of(
    names: list[str], configs: dict[str, dict[str, Any]], only: bool, missing: frozenset[str], source: str, decimal: str = "."
) -> list[Column]:
    """The columns to read.

    Raises:
        ValueError: A name comes twice, a configured column does not exist, or a configuration is wrong.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{source}: column names must be unique. These occur twice: {', '.join(map(repr, twice))}; give column_names.")
    lost = [name for name in configs if name not in names]
    if lost:
        raise ValueError(f"{source}: there is no column {lost[0]!r}. The columns are {', '.join(names)}.")
    return [Column(name, place, configs.get(name, {}), missing, decimal) for place, name in enumerate(names)
            if name in configs or not only]


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a text is a number; `decimal` stands before its fraction."""
    try:
        _float(with_point(text, decimal))
    except ValueError:
        return False
    return True


def with_point(text: str, decimal: str) -> str:
    """A number with a point before its fraction.

    Raises:
        ValueError: It has a point already, which would mean something else.
    """
    if decimal == ".":
        return text
    if "." in text:
        raise ValueError(text)
    return text.replace(decimal, ".")


def _float(text: str) -> np.float32:
    if "_" in text:                                    # 1_000 is a number in Python only
        raise ValueError(text)
    return np.float32(float(text))


def _int(text: str) -> np.int32:
    if "_" in text:
        raise ValueError(text)
    try:
        return np.int32(int(text))
    except ValueError:
        number = float(text)                           # 3.0 is an integer too
        if not number.is_integer():
            raise
        return np.int32(number)


def _bool(text: str) -> np.bool_:
    value = _BOOLEANS.get(text.strip().lower())
    if value is None:
        raise ValueError(text)
    return np.bool_(value)


_CONVERT: dict[str, Callable[[str], Any]] = {"float32": _float, "int32": _int, "bool": _bool, "string": str}
