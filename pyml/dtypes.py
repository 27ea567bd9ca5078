"""The dtypes: float32, int32, uint32 and bool on every device; 64-bit host data becomes 32-bit, in this file alone.

int8, int16, uint8, uint16, float16 and bfloat16 are kept and computed in 32 bits, and wrapped or rounded where a result is
stored: `core/narrow.py`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from . import settings
from .errors import DtypeError, ShapeError

NUMPY = {"float32": np.dtype(np.float32), "int32": np.dtype(np.int32), "uint32": np.dtype(np.uint32), "bool": np.dtype(np.bool_)}
WGSL = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "u32"}  # in memory; bool is 0 or 1
_NARROWED = {
    "float64": "float32", "float16": "float32", "bfloat16": "float32", "int64": "int32", "uint64": "uint32",
    "int8": "int32", "int16": "int32", "uint8": "int32", "uint16": "int32",
}  # fmt: skip
_RANK = {"bool": 0, "uint32": 1, "int32": 2, "float32": 3}
NARROW = frozenset({"int8", "int16", "uint8", "uint16", "float16", "bfloat16"})
FLOATS = ("bfloat16", "float16", "float32", "float64")
LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38}
INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
_NAMES = frozenset({*FLOATS, *INTEGERS, "bool", "string", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2"})
FEWER_BITS = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}  # the one rule for 64 bits
_OF_PYTHON: dict[type, str] = {bool: "bool", int: "int32", float: "float32", str: "string", complex: "complex64"}
LIMITS = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}
LIMITS |= {"int8": (-128, 127), "int16": (-(2**15), 2**15 - 1), "uint8": (0, 255), "uint16": (0, 2**16 - 1)}


_AS_IS = frozenset(NUMPY.values())


def standardize(dtype: Any) -> str:
    """The name pyml uses for `dtype`: a string, a numpy dtype or a Python type; 64-bit names become 32-bit."""
    if isinstance(dtype, str):
        name = {"float": "float32", "int": "int32"}.get(dtype, dtype)
    elif dtype is float:
        name = "float32"
    elif dtype is int:
        name = "int32"
    elif dtype is bool:
        name = "bool"
    else:
        try:
            name = _name(np.dtype(dtype))
        except TypeError:
            name = repr(dtype)
    name = _NARROWED.get(name, name)
    if name not in NUMPY:
        raise DtypeError(f"dtype {dtype!r} is not supported; use one of {', '.join((*NUMPY, *sorted(NARROW)))}.")
    return name


def narrow(dtype: Any) -> str | None:
    """The name of a dtype of 8 or 16 bits; None of any other."""
    if isinstance(dtype, np.dtype):
        dtype = _name(dtype)
    elif not isinstance(dtype, str):
        dtype = getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
    return dtype if dtype in NARROW else None


@functools.lru_cache(256)
def _name(dtype: np.dtype) -> str:
    """numpy puts the name of a dtype together each time that it is asked."""
    return dtype.name


def is_float(dtype: str) -> bool:
    return dtype == "float32"


def promote(*dtypes: str) -> str:
    """The common dtype of several: bool < uint32 < int32 < float32."""
    return max(dtypes, key=_RANK.__getitem__)


def of_scalar(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "bool"
    if isinstance(value, (int, np.integer)):
        return "int32"
    if isinstance(value, (float, np.floating)):
        return "float32"
    raise DtypeError(f"expected a number, received {type(value).__name__}: {value!r}")


def is_sparse(value: Any) -> bool:
    """Whether it is a matrix of scipy that keeps only what is not zero."""
    return hasattr(value, "toarray") and hasattr(value, "nnz")


def host_array(value: Any, dtype: str | None = None) -> np.ndarray:
    """`value` as a C-contiguous numpy array of a supported dtype; what holds no numbers, or such as do not fit, raises DtypeError."""
    if dtype is None and type(value) is np.ndarray and value.dtype in _AS_IS and value.flags.c_contiguous:
        return value
    if isinstance(value, np.ndarray) and np.any(getattr(value, "mask", False)):  # of a masked array
        raise DtypeError(
            f"a masked array of which {int(np.sum(value.mask))} elements are masked has no values there; "  # type: ignore[attr-defined]
            "fill them first, for example with array.filled(0)."
        )
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):  # another library's array
        value = np.from_dlpack(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        if not isinstance(value, (list, tuple)):
            raise
        raise ShapeError(
            "cannot make a tensor from a nested list whose rows differ in length or shape; pad them to one shape, "
            "for example with utils.pad_sequences."
        ) from error
    if array.dtype == object or array.dtype.kind in "SUcMm":
        if is_sparse(value):
            raise DtypeError(f"cannot make a tensor from a sparse {type(value).__name__}; pass its .toarray(), which has the zeros.")
        kind = "None" if value is None else "text" if array.dtype.kind in "SU" else f"{array.dtype} data"
        raise DtypeError(f"cannot make a tensor from {kind}; expected numbers or booleans of the same shape.")
    target = standardize(dtype) if dtype is not None else standardize(array.dtype)
    held = narrow(dtype)
    if held in LIMITS and array.size and array.dtype.kind in "iuf" and not (
            array.min() >= LIMITS[held][0] and array.max() <= LIMITS[held][1]):  # fmt: skip
        low, high = LIMITS[held]
        raise DtypeError(f"values from {array.min()} to {array.max()} do not fit {held} ({low} to {high}); scale them or use float32.")
    if target in LIMITS and array.size and array.dtype.kind in "iuf" and array.dtype != NUMPY[target]:
        low, high = LIMITS[target]
        least, most = array.min(), array.max()
        if not (least >= low and most <= high):
            raise DtypeError(f"values from {least} to {most} do not fit {target} ({low} to {high}); scale them or use float32.")
    # np.ascontiguousarray would turn a 0-d array into a 1-d one
    return np.asarray(array, dtype=NUMPY[target], order="C")


# ---- Keras' names and rules
def keras_name(dtype: Any) -> str:
    """Keras' name of `dtype`, 64-bit ones as they are: a string, a numpy or PyTorch dtype, a Python type; None is floatx.

    Raises:
        ValueError: There is no such dtype.

    Example:
        >>> pyml.utils.standardize_dtype(np.float16), pyml.utils.standardize_dtype(None)
        ('float16', 'float32')
    """
    if dtype is None:
        return settings.default_float()
    name = _OF_PYTHON.get(dtype) if isinstance(dtype, type) else None
    if name is None:
        name = {"int": "int32", "float": "float32"}.get(dtype, dtype) if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is None:
        text = str(dtype)
        name = text.partition(".")[2] if text.startswith(("torch.", "jax.")) else getattr(dtype, "__name__", text)
    name = {"str": "string"}.get(name, name)
    if name not in _NAMES:
        raise ValueError(f"Invalid dtype: {dtype!r}; expected one of {', '.join(sorted(_NAMES))}.")
    return name


# dtype -> those directly above it; "int" and "float" are Python's numbers, which take the dtype of what they meet
_ABOVE = {
    "bool": ("int",), "int": ("uint8", "int8", "complex64"), "float": ("bfloat16", "float16"),
    "uint8": ("int16", "uint16"), "uint16": ("int32", "uint32"), "uint32": ("int64", "uint64"), "uint64": ("float",),
    "int8": ("int16",), "int16": ("int32",), "int32": ("int64",), "int64": ("float",),
    "bfloat16": ("float32",), "float16": ("float32",), "float32": ("float64", "complex64"), "float64": ("complex128",),
    "complex64": ("complex128",), "complex128": (),
}  # fmt: skip


@functools.cache
def _reach(name: str) -> frozenset[str]:
    """A dtype and all above it."""
    return frozenset({name}).union(*(_reach(above) for above in _ABOVE[name]))


def result_type(*dtypes: Any) -> str:
    """The dtype of a computation with all of these, by Keras' table; `int` and `float` are Python's numbers, None is floatx.

    Raises:
        ValueError: Two of them have no common dtype.

    Source: `keras.backend.result_type`, `jax.numpy.result_type`.
    """
    return _result_type(settings.default_float(), dtypes)


@functools.cache
def _result_type(default: str, dtypes: tuple[Any, ...]) -> str:
    """`result_type` where floats of Python are `default`, as is None."""
    weak = [d is int or d is float for d in dtypes]
    names = [default if d is None else keras_name(d) for d in dtypes] or [default]
    if any(n.startswith("float8") for n in names):
        raise ValueError(f"There is no implicit conversion from float8 dtypes to others; cast first. Received: {names}")
    if len(set(names)) > 1 or (weak and all(weak)):
        names = [n if not w else "float" if n == "float32" else "int" for n, w in zip(names, weak, strict=True)]
    if any(n not in _ABOVE for n in names):
        if len(set(names)) == 1:
            return names[0]
        raise ValueError(f"The dtypes {', '.join(names)} have no common dtype; cast them first.")
    common = frozenset.intersection(*map(_reach, names))
    if not common:
        raise ValueError(f"The dtypes {', '.join(names)} have no common dtype; cast them first.")
    (least,) = [n for n in common if common <= _reach(n)]
    least = {"int": "int32", "float": default}.get(least, least)
    return FEWER_BITS.get(least, least)
