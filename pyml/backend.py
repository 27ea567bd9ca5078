"""Keras' `backend`: dtypes, defaults, names; the device is chosen in `pyml.config`."""

from __future__ import annotations

from typing import Any

from .config import backend
from .core.naming import get_uid
from .core.symbolic import KerasTensor
from .dtypes import FLOATS, INTEGERS, keras_name
from .dtypes import result_type as _result_type
from .settings import epsilon, floatx, image_data_format, set_epsilon, set_floatx, set_image_data_format
from .utils import clear_session

__all__ = [
    "backend", "clear_session", "epsilon", "floatx", "get_uid", "image_data_format", "is_float_dtype", "is_int_dtype",
    "is_keras_tensor", "result_type", "set_epsilon", "set_floatx", "set_image_data_format", "standardize_dtype",
]  # fmt: skip


def standardize_dtype(dtype: Any) -> str:
    """Keras' name of a dtype: of a string, a numpy or PyTorch dtype, a Python type; None is float32. Nothing is narrowed.

    Raises:
        ValueError: There is no such dtype.

    Example:
        >>> pyml.backend.standardize_dtype(np.int64), pyml.backend.standardize_dtype(int)
        ('int64', 'int32')
    """
    return keras_name(dtype)


def result_type(*dtypes: Any) -> str:
    """The dtype of a computation with all of these; `int` and `float` stand for Python's numbers.

    Args:
        *dtypes: Names of dtypes, `int`, `float`, or tensors.

    Raises:
        ValueError: Two of them have no common dtype.

    Example:
        >>> pyml.backend.result_type("int32", float), pyml.backend.result_type("uint8", "int8")
        ('float32', 'int16')
    """
    return _result_type(*dtypes)


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype holds floats.

    Example:
        >>> pyml.backend.is_float_dtype("bfloat16")
        True
    """
    name = keras_name(dtype)
    return name in FLOATS or name.startswith("float8")


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype holds integers.

    Example:
        >>> pyml.backend.is_int_dtype("uint8"), pyml.backend.is_int_dtype("bool")
        (True, False)
    """
    return keras_name(dtype) in INTEGERS


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, as `Input` returns.

    Example:
        >>> pyml.backend.is_keras_tensor(pyml.Input((2,)))
        True
    """
    return isinstance(x, KerasTensor)
