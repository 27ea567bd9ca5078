"""The standard's functions that make arrays."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import ops, settings
from ..core.array_protocol import check_device
from ..core.complex_tensor import COMPLEX, ComplexTensor, as_complex, holds_complex
from ..core.narrow import in_32_bits
from ..core.operators import Operators
from ..core.tensor import Tensor, broadcast_shapes, convert_to_tensor
from ..core.types import Shape
from ..errors import DtypeError
from .data_types import dtype_name

__all__ = [
    "arange", "asarray", "astype", "broadcast_arrays", "broadcast_to", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip

Function = TypeVar("Function", bound=Callable[..., Any])


def _float32_by_default(fn: Function) -> Function:
    """The standard has one default dtype of floats, which `default_dtypes` names, whatever floatx is."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        return in_32_bits(fn, args, kwargs) if settings.halved else fn(*args, **kwargs)

    return call  # type: ignore[return-value]


@_float32_by_default
def asarray(obj: Any, /, *, dtype: Any = None, device: str | None = None, copy: builtins.bool | None = None) -> Tensor:
    """An array of numbers, nested lists, numpy arrays, or anything with `__array__` or `__dlpack__`. 64 bits become 32. Complex numbers
    become a `ComplexTensor`.

    Args:
        obj: What it is made of.
        dtype: By default that of `obj`.
        device: Only the one in use.
        copy: True makes another array of one; False raises ValueError where `obj` is not a tensor of that dtype.

    Raises:
        DtypeError: Integers do not fit into 32 bits, or `obj` holds no numbers.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.asarray([[1, 2]], dtype=xp.float32).numpy()
        array([[1., 2.]], dtype=float32)
    """
    check_device(device, "asarray")
    if holds_complex(obj) or dtype in COMPLEX:
        if dtype is not None and dtype not in COMPLEX:
            raise DtypeError(f"asarray: complex numbers have no {dtype} values; take real or imag of them.")
        pair: Any = as_complex(obj)
        if copy is False and pair is not obj:
            raise ValueError("asarray: copy=False, but this array must be copied to the device; leave copy out.")
        another: Any = ComplexTensor(pair.real, pair.imag)
        return another if copy else pair
    found = convert_to_tensor(obj, dtype)
    if copy is False and found is not obj:
        raise ValueError("asarray: copy=False, but this array must be copied to the device; leave copy out.")
    return Tensor(found._node) if copy and found is obj else found


def from_dlpack(x: Any, /, *, device: str | None = None, copy: builtins.bool | None = None) -> Tensor:
    """The array of another library, copied to the device.

    Raises:
        BufferError: `copy=False`, or the array is not in host memory.
        AttributeError: `x` has no `__dlpack__`.

    Example:
        >>> from pyml import array_api as xp
        >>> xp.from_dlpack(np.ones(2, np.float32)).numpy()
        array([1., 1.], dtype=float32)
    """
    check_device(device, "from_dlpack")
    if isinstance(x, (Tensor, ComplexTensor)):
        return asarray(x, copy=copy)
    if copy is False:
        raise BufferError("from_dlpack: what is not on the device is copied there. Received: copy=False")
    return asarray(np.from_dlpack(x))


@_float32_by_default
def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: str | None = None
) -> Tensor:
    """Numbers from `start` to before `stop`; int32 where all are integers, else float32.

    Raises:
        ValueError: `step` is 0.
    """
    check_device(device, "arange")
    return ops.arange(start, stop, step, dtype=dtype)


@_float32_by_default
def linspace(
    start: float, stop: float, /, num: int, *, dtype: Any = None, device: str | None = None, endpoint: builtins.bool = True
) -> Tensor:
    """`num` numbers evenly spaced from `start` to `stop`."""
    check_device(device, "linspace")
    return ops.linspace(start, stop, num, endpoint=endpoint, dtype=dtype)


@_float32_by_default
def full(shape: Shape, fill_value: float, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """One number in an array of `shape`; by default its dtype is that of a Python number of its kind."""
    check_device(device, "full")
    if dtype is None:
        dtype = "bool" if isinstance(fill_value, builtins.bool) else "int32" if isinstance(fill_value, int) else None
    return ops.full(shape, fill_value, dtype=dtype)


@_float32_by_default
def zeros(shape: Shape, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Zeros, float32 by default."""
    check_device(device, "zeros")
    return ops.zeros(shape, dtype=dtype)


@_float32_by_default
def ones(shape: Shape, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Ones, float32 by default."""
    check_device(device, "ones")
    return ops.ones(shape, dtype=dtype)


@_float32_by_default
def empty(shape: Shape, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Zeros: memory nobody wrote to has no place in a graph."""
    return zeros(shape, dtype=dtype, device=device)


def full_like(x: Tensor, /, fill_value: float, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """One number in the shape of `x`, and in its dtype by default."""
    return full(x.shape, fill_value, dtype=dtype or x.dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Zeros in the shape of `x`, and in its dtype by default."""
    return zeros(x.shape, dtype=dtype or x.dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Ones in the shape of `x`, and in its dtype by default."""
    return ones(x.shape, dtype=dtype or x.dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: str | None = None) -> Tensor:
    """Zeros in the shape of `x`, and in its dtype by default."""
    return zeros_like(x, dtype=dtype, device=device)


@_float32_by_default
def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: str | None = None) -> Tensor:
    """Ones on the `k`-th diagonal of a matrix of zeros."""
    check_device(device, "eye")
    return ops.eye(n_rows, n_cols, k=k, dtype=dtype)


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Vectors as coordinates of a grid, `"xy"` or `"ij"`.

    Raises:
        ValueError: `indexing` is another.
    """
    return list(ops.meshgrid(*arrays, indexing=indexing)) if arrays else []


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices with zeros above the `k`-th diagonal."""
    return ops.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """Matrices with zeros below the `k`-th diagonal."""
    return ops.triu(x, k)


def astype(x: Tensor, dtype: Any, /, *, copy: builtins.bool = True, device: str | None = None) -> Tensor:
    """The values as another dtype; another array, unless `copy` is False and nothing changes.

    Raises:
        DtypeError: There is no such dtype.
    """
    check_device(device, "astype")
    return x if not copy and isinstance(x, Operators) and dtype_name(dtype) == x.dtype else ops.cast(x, dtype)


def broadcast_to(x: Tensor, /, shape: Shape) -> Tensor:
    """`x` repeated along axes of size 1 and new leading ones, to `shape`.

    Raises:
        ShapeError: It does not broadcast to that.
    """
    return ops.broadcast_to(x, shape)


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """The arrays, broadcast to their common shape.

    Raises:
        ShapeError: They have none.
    """
    shape = broadcast_shapes(*(a.shape for a in arrays), what="broadcast_arrays")
    return [ops.broadcast_to(a, shape) for a in arrays]
