"""The standard's data types, and what they are here.

pyml computes in 32 bits (`pyml.dtypes`), so every name of the standard that pyml's rule narrows is another name of what it
becomes: `float64` is `float32`, `int64`, `int8`, `int16`, `uint8` and `uint16` are `int32`, `uint64` is `uint32`. Code that asks
for the widest type gets the widest there is. Complex arrays are `ComplexTensor`s of `complex64`.
`__array_namespace_info__().dtypes()` lists what tensors really hold.
"""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.complex_tensor import asks_complex
from ..core.operators import Operators
from ..core.tensor import Tensor
from ..dtypes import NUMPY, of_scalar, promote, standardize
from ..errors import DtypeError

__all__ = [
    "bool", "can_cast", "complex128", "complex64", "e", "finfo", "float32", "float64", "iinfo", "inf", "int16", "int32", "int64", "int8",
    "isdtype", "nan", "newaxis", "pi", "result_type", "uint16", "uint32", "uint64", "uint8",
]  # fmt: skip

e, inf, nan, newaxis, pi = math.e, math.inf, math.nan, None, math.pi

bool = "bool"
float32, float64 = "float32", standardize("float64")
int8, int16, int32, int64 = (standardize(f"int{bits}") for bits in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (standardize(f"uint{bits}") for bits in (8, 16, 32, 64))
complex64 = complex128 = "complex64"


def dtype_name(dtype: Any) -> str:
    """The name of what arrays of a dtype hold here.

    Raises:
        DtypeError: There is no such dtype.
    """
    return complex64 if asks_complex(dtype) else standardize(dtype)


def kind_of(dtype: Any) -> str:
    """The standard's word for a dtype.

    Raises:
        DtypeError: There is no such dtype.
    """
    name = dtype_name(dtype)
    if name == complex64:
        return "complex floating"
    return {"b": "bool", "u": "unsigned integer", "i": "signed integer", "f": "real floating"}[NUMPY[name].kind]


_KINDS = {
    "bool": ("bool",), "signed integer": ("signed integer",), "unsigned integer": ("unsigned integer",),
    "integral": ("signed integer", "unsigned integer"), "real floating": ("real floating",), "complex floating": ("complex floating",),
    "numeric": ("signed integer", "unsigned integer", "real floating", "complex floating"),
}  # fmt: skip


def dtype_of(value: Any) -> Any:
    """The dtype of an array, or the dtype itself."""
    return getattr(value, "dtype", value) if isinstance(value, (Operators, np.ndarray)) else value


def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether `dtype` is of a kind: `"bool"`, `"signed integer"`, `"unsigned integer"`, `"integral"`, `"real floating"`,
    `"complex floating"`, `"numeric"`, another dtype, or one of several in a tuple.

    Raises:
        DtypeError: There is no such dtype or kind.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.int32, ("bool", xp.uint32))
        (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str) and kind in _KINDS:
        return kind_of(dtype) in _KINDS[kind]
    if isinstance(kind, str) and kind not in NUMPY and not asks_complex(kind):
        raise DtypeError(f"isdtype: kind must be a dtype or one of {', '.join(map(repr, _KINDS))}. Received: kind={kind!r}")
    return dtype_name(dtype) == dtype_name(kind)


def result_type(*arrays_and_dtypes: Any) -> str:
    """The dtype that arrays, dtypes and Python numbers have together, a number counting by its kind: bool < uint32 < int32 < float32 <
    complex64.

    Raises:
        ValueError: There is neither an array nor a dtype.
        DtypeError: There is no such dtype.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.result_type(xp.int32, xp.asarray([1.5])), xp.result_type(xp.uint32, 1)
        ('float32', 'uint32')
    """
    number = (builtins.bool, int, float, complex)
    found = [dtype_name(dtype_of(a)) for a in arrays_and_dtypes if not isinstance(a, number)]
    if not found:
        raise ValueError(f"result_type: one array or dtype is needed at least. Received: {arrays_and_dtypes}")
    if complex64 in found or any(isinstance(a, complex) for a in arrays_and_dtypes):
        return complex64
    out = promote(*found)
    for a in arrays_and_dtypes:
        if isinstance(a, float):
            out = promote(out, "float32")
        elif isinstance(a, int) and not isinstance(a, builtins.bool) and out == "bool":
            out = of_scalar(a)
    return out


def can_cast(from_: Any, to: Any, /) -> builtins.bool:
    """Whether arrays of `from_` and `to` have `to` together.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.can_cast(xp.int32, xp.float32), xp.can_cast(xp.float32, xp.int32)
        (True, False)
    """
    return result_type(dtype_of(from_), dtype_of(to)) == dtype_name(dtype_of(to))


@dataclass(frozen=True)
class FInfo:
    """Limits of a floating-point dtype."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: str


@dataclass(frozen=True)
class IInfo:
    """Limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: str


def finfo(type: Any, /) -> FInfo:
    """Limits of a floating-point dtype, or of an array's.

    Raises:
        DtypeError: It is none.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.finfo(xp.float32).bits
        32
    """
    name = dtype_of(type)
    if kind_of(name) not in ("real floating", "complex floating"):
        raise DtypeError(f"finfo: expected a floating-point dtype. Received: {name!r}")
    name = "float32" if kind_of(name) == "complex floating" else standardize(name)
    it: Any = np.finfo(name)
    return FInfo(it.bits, float(it.eps), float(it.max), float(it.min), float(it.smallest_normal), name)


def iinfo(type: Any, /) -> IInfo:
    """Limits of an integer dtype, or of an array's.

    Raises:
        DtypeError: It is none.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.iinfo(xp.int32).max
        2147483647
    """
    name = dtype_of(type)
    if not isdtype(name, "integral"):
        raise DtypeError(f"iinfo: expected an integer dtype. Received: {name!r}")
    it: Any = np.iinfo(standardize(name))
    return IInfo(it.bits, int(it.max), int(it.min), standardize(name))


def floating(x: Any, what: str) -> Tensor:
    """`x`, which holds floats.

    Raises:
        DtypeError: It does not.
    """
    if not isdtype(x.dtype, "real floating"):
        raise DtypeError(f"{what}: expected an array of floats. Received: {x.dtype}; cast it with astype first.")
    return x
