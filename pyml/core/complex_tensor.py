"""`ComplexTensor`: complex64 numbers as a pair of real tensors.

The devices know real numbers only (WGSL has no other), so a complex tensor is two float32 tensors of the same shape, and every op of
it is made of ops on these. It is no `Tensor`: an op that takes complex numbers says so in its declaration (`complex_parts`), and
any other refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from ..dtypes import NUMPY
from ..errors import DtypeError, ShapeError
from ..graph.prims import full
from .array_protocol import ArrayProtocol
from .nest import Parts
from .operators import Operators
from .tensor import Tensor, convert_to_tensor

COMPLEX = ("complex64", "complex128")


class ComplexTensor(Operators["ComplexTensor"], ArrayProtocol, Parts):
    """An array of complex64 numbers: two float32 tensors of the same shape.

    Programs, gradients, `scan` and lists of tensors take it as they take a pair. The gradient of a real value with respect to it
    is complex: the derivative by the real part, plus i times that by the imaginary part, as PyTorch has it.

    Args:
        real, imag: The parts, float32 tensors of the same shape.

    Raises:
        ShapeError: The shapes of the parts differ.

    Example:
        >>> z = pyml.ops.view_as_complex([[3., 4.], [0., 1.]])
        >>> abs(z).numpy(), (z * z).numpy()
        (array([5., 1.], dtype=float32), array([-7.+24.j, -1. +0.j], dtype=complex64))
    """

    __slots__ = ("imag", "real")
    __array_priority__ = 3000

    def __init__(self, real: Any, imag: Any) -> None:
        if tuple(real.shape) != tuple(imag.shape):
            raise ShapeError(f"a complex tensor needs parts of the same shape. Received: {tuple(real.shape)} and {tuple(imag.shape)}")
        self.real, self.imag = real, imag

    # ---- as a pair
    def parts(self) -> tuple[Any, ...]:
        return self.real, self.imag

    def of_parts(self, parts: Sequence[Any]) -> ComplexTensor:
        other = ComplexTensor.__new__(ComplexTensor)  # unchecked: a structure is filled with anything
        other.real, other.imag = parts
        return other

    # ---- what it is
    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.real.shape)

    @property
    def dtype(self) -> str:
        return "complex64"

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return self.real.size

    def _value_node(self) -> NoReturn:
        raise DtypeError("a complex tensor was given where only real ones are taken; use ops.real and ops.imag, or ops.view_as_real.")

    # ---- values
    def numpy(self) -> np.ndarray:
        """The value as a complex64 array; waits for the device."""
        return joined(self.real.numpy(), self.imag.numpy())

    async def data(self) -> np.ndarray:
        """The value as a complex64 array; works in every browser."""
        return joined(await self.real.data(), await self.imag.data())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def tolist(self) -> Any:
        return self.numpy().tolist()

    def item(self) -> complex:
        if self.size != 1:
            raise ShapeError(f"item(): expected one element, the tensor has shape {self.shape}.")
        return complex(self.numpy().reshape(()).item())

    def __complex__(self) -> complex:
        return self.item()

    def __bool__(self) -> bool:
        return self.item() != 0

    def __setitem__(self, key: Any, value: Any) -> None:
        """Both parts get new values, which differ at `key`; what was computed from the old ones keeps them."""
        new = as_complex(value)
        changed = self.real[...], self.imag[...]
        changed[0][key], changed[1][key] = new.real, new.imag
        self.real, self.imag = changed

    def __len__(self) -> int:
        return len(self.real)

    def __iter__(self) -> Iterator[ComplexTensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<ComplexTensor shape={self.shape}, real={self.real!r}, imag={self.imag!r}>"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and not self.shape else super().__format__(spec)


def joined(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    out = np.empty(real.shape, np.complex64)
    out.real, out.imag = real, imag
    return out


def asks_complex(dtype: Any) -> bool:
    """Whether a dtype that a call names is a complex one."""
    return dtype is complex or (dtype is not None and getattr(dtype, "name", getattr(dtype, "__name__", dtype)) in COMPLEX)


def is_complex(value: Any) -> bool:
    """Whether a value is a complex tensor, array or number."""
    kind = type(value)
    if kind is ComplexTensor or kind is complex or isinstance(value, np.complexfloating):
        return True
    return isinstance(value, np.ndarray) and value.dtype.kind == "c"


def holds_complex(value: Any) -> bool:
    """Whether a value is complex, or a list or tuple with something complex in it."""
    if isinstance(value, (list, tuple)):
        return any(holds_complex(v) for v in value)
    return is_complex(value)


def as_complex(value: Any) -> ComplexTensor:
    """Any number, array or tensor as a complex tensor; of lists each element counts."""
    if isinstance(value, ComplexTensor):
        return value
    if is_complex(value) or (isinstance(value, (list, tuple)) and _all_of_host(value)):
        array = np.asarray(value).astype(np.complex64)
        part = lambda of: convert_to_tensor(np.array(of, NUMPY["float32"]))
        return ComplexTensor(part(array.real), part(array.imag))
    real: Any = value if isinstance(value, Operators) else convert_to_tensor(value)
    real = real if real.dtype == "float32" else real.astype("float32")
    return ComplexTensor(real, real * 0.0 if not isinstance(real, Tensor) else _zeros(real))


def _zeros(x: Tensor) -> Tensor:
    return Tensor(full(x.shape, 0.0, "float32"))


def _all_of_host(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_all_of_host(v) for v in value)
    return not isinstance(value, Operators)
