"""Complex arrays as Keras has them: pairs of float32 tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import ops
from ..core.tensor import Tensor, convert_to_tensor
from ..core.types import TensorLike


class Complex:
    """A complex array: its parts are the tensors `real` and `imag`; Keras' ops take `pair`.

    It has arithmetic, indexing, `abs`, `conj` and a numpy value. All else is done with the parts.

    Example:
        >>> from pyml import array_api as xp
        >>> z = xp.Complex(xp.asarray([3., 0.]), xp.asarray([4., 1.]))
        >>> (z * z.conj()).real.numpy()
        array([25.,  1.], dtype=float32)
    """

    __slots__ = ("imag", "real")
    __array_ufunc__ = None  # an operator with an array is this one's
    dtype = "complex64"

    def __init__(self, real: TensorLike, imag: TensorLike | None = None) -> None:
        self.real = ops.cast(convert_to_tensor(real), "float32")
        self.imag = ops.zeros_like(self.real) if imag is None else ops.cast(convert_to_tensor(imag), "float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes."""
        return self.real.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.real.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.real.size

    @property
    def device(self) -> str:
        """Name of the device in use."""
        return self.real.device

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """The parts, as Keras' ops take them."""
        return self.real, self.imag

    def __len__(self) -> int:
        return len(self.real)

    def conj(self) -> Complex:
        """With the other sign of `imag`."""
        return Complex(self.real, -self.imag)

    def numpy(self) -> np.ndarray:
        """The value as a numpy array of complex64; waits for the device."""
        return (self.real.numpy() + 1j * self.imag.numpy()).astype(np.complex64)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __complex__(self) -> complex:
        return complex(self.real.item(), self.imag.item())

    def __abs__(self) -> Tensor:
        return ops.hypot(self.real, self.imag)

    def __neg__(self) -> Complex:
        return Complex(-self.real, -self.imag)

    def __getitem__(self, key: Any) -> Complex:
        return self.map(lambda part: part[key])

    def map(self, f: Callable[[Tensor], Tensor]) -> Complex:
        """`f` of both parts, for what treats them alike: reshape, flip, sums."""
        return Complex(f(self.real), f(self.imag))

    def __add__(self, other: Any) -> Complex:
        o = as_complex(other)
        return Complex(self.real + o.real, self.imag + o.imag)

    def __sub__(self, other: Any) -> Complex:
        return self + -as_complex(other)

    def __rsub__(self, other: Any) -> Complex:
        return -self + other

    def __mul__(self, other: Any) -> Complex:
        o = as_complex(other)
        return Complex(self.real * o.real - self.imag * o.imag, self.real * o.imag + self.imag * o.real)

    def __truediv__(self, other: Any) -> Complex:
        o = as_complex(other)
        found, square = self * o.conj(), o.real * o.real + o.imag * o.imag
        return found.map(lambda part: part / square)

    def __rtruediv__(self, other: Any) -> Complex:
        return as_complex(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"<Complex shape={self.shape}, real={self.real!r}, imag={self.imag!r}>"


def as_complex(x: Any) -> Complex:
    """A complex array, number or pair as `Complex`; a real one with an imaginary part of zeros."""
    if isinstance(x, Complex):
        return x
    if isinstance(x, complex) or (isinstance(x, np.ndarray) and x.dtype.kind == "c"):
        return Complex(np.asarray(x.real, np.float32), np.asarray(x.imag, np.float32))
    if isinstance(x, tuple) and len(x) == 2:
        return Complex(*x)
    return Complex(x)
