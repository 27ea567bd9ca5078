"""`xp.fft`: the standard's Fourier transforms, of any length. Complex arrays are `ComplexTensor`s, pairs of float32 tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any, TypeVar

import numpy as np

from .. import ops
from ..core.array_protocol import check_device
from ..core.complex_tensor import ComplexTensor, as_complex
from ..core.tensor import Tensor, convert_to_tensor
from ..core.types import Axis
from ..errors import DtypeError, ShapeError
from ..ops.axes import ordered_axes

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip

Array = TypeVar("Array", Tensor, ComplexTensor)


def _scale(norm: str, n: int, inverse: bool) -> float:
    """What a transform of n numbers that divides by nothing is multiplied by."""
    if norm not in ("backward", "ortho", "forward"):
        raise ValueError(f"fft: norm must be 'backward', 'ortho' or 'forward'. Received: norm={norm!r}")
    return 1 / sqrt(n) if norm == "ortho" else 1 / n if (norm == "forward") != inverse else 1.0


def _axis(axis: int, ndim: int, what: str) -> int:
    return ordered_axes(axis, ndim, what)[0]


def _length(n: int | None, found: int, what: str) -> int:
    n = found if n is None else n
    if n < 1:
        raise ShapeError(f"{what}: a transform needs one number at least. Received: n={n}")
    return n


def _last(x: Tensor, axis: int, n: int | None = None) -> Tensor:
    """The axis at the end, cut or filled with zeros to `n`."""
    x = ops.moveaxis(x, axis, -1)
    if n is None or n == x.shape[-1]:
        return x
    return x[..., :n] if n < x.shape[-1] else ops.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, n - x.shape[-1])])


def _real(x: Any, what: str) -> Tensor:
    if isinstance(x, ComplexTensor):
        raise DtypeError(f"{what}: expected an array of real numbers. Received: complex64")
    return ops.cast(x, "float32")


def _each(f: Callable[[Tensor], Tensor], z: ComplexTensor) -> ComplexTensor:
    """`f` of both parts."""
    return ComplexTensor(f(z.real), f(z.imag))


def _conj(z: ComplexTensor) -> ComplexTensor:
    return ComplexTensor(z.real, -z.imag)


def _transform(x: Any, n: int | None, axis: int, norm: str, inverse: bool, what: str) -> ComplexTensor:
    z = as_complex(x)
    a = _axis(axis, z.ndim, what)
    count = _length(n, z.shape[a], what)
    scale = _scale(norm, count, inverse)
    z = _each(lambda part: _last(part, a, count), z)
    z = _conj(z) if inverse else z
    z = ComplexTensor(*ops.fft((z.real, z.imag)))
    z = _conj(z) if inverse else z
    return _each(lambda part: ops.moveaxis(part * scale if scale != 1 else part, -1, a), z)


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> ComplexTensor:
    """The Fourier transform along an axis, cut or filled with zeros to `n`.

    Raises:
        ShapeError: The axis is out of range, or there is nothing to transform.
        ValueError: `norm` is neither `"backward"`, `"ortho"` nor `"forward"`.
    """
    return _transform(x, n, axis, norm, False, "fft")


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> ComplexTensor:
    """The inverse of `fft`."""
    return _transform(x, n, axis, norm, True, "ifft")


def rfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> ComplexTensor:
    """The first `n // 2 + 1` terms of the transform of real numbers; the others are their conjugates."""
    x = _real(x, "rfft")
    a = _axis(axis, x.ndim, "rfft")
    count = _length(n, x.shape[a], "rfft")
    scale = _scale(norm, count, False)
    found = ComplexTensor(*ops.rfft(_last(x, a, count), count))
    return _each(lambda part: ops.moveaxis(part * scale if scale != 1 else part, -1, a), found)


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The inverse of `rfft`: `n` real numbers, by default an even number of them."""
    z = as_complex(x)
    a = _axis(axis, z.ndim, "irfft")
    count = _length(n, 2 * (z.shape[a] - 1), "irfft")
    z = _each(lambda part: _last(part, a, count // 2 + 1), z)
    scale = _scale(norm, count, True) * count  # the op divides by the length
    found = ops.irfft((z.real, z.imag), count)
    return ops.moveaxis(found * scale if scale != 1 else found, -1, a)


def _otherwise(norm: str) -> str:
    return {"backward": "forward", "forward": "backward"}.get(norm, norm)


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Tensor:
    """The transform of numbers of which the first half is given, the others being their conjugates: `n` real numbers."""
    return irfft(_conj(as_complex(x)), n=n, axis=axis, norm=_otherwise(norm))


def ihfft(x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> ComplexTensor:
    """The inverse of `hfft`."""
    return _conj(rfft(x, n=n, axis=axis, norm=_otherwise(norm)))


def _axes(ndim: int, s: Sequence[int] | None, axes: Sequence[int] | None, what: str) -> list[int]:
    if axes is None:
        axes = range(ndim) if s is None else range(ndim - len(s), ndim)
    found = ordered_axes(list(axes), ndim, what)
    if s is not None and len(s) != len(found):
        raise ShapeError(f"{what}: s and axes need the same number of values. Received: {len(s)} and {len(found)}")
    return found


def _sizes(s: Sequence[int] | None, axes: Sequence[int]) -> list[int | None]:
    return [None] * len(axes) if s is None else list(s)


def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> ComplexTensor:
    """The Fourier transform along several axes, all by default, of the lengths `s`."""
    z = as_complex(x)
    found = _axes(z.ndim, s, axes, "fftn")
    for a, n in zip(found, _sizes(s, found), strict=True):
        z = fft(z, n=n, axis=a, norm=norm)
    return z


def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> ComplexTensor:
    """The inverse of `fftn`."""
    z = as_complex(x)
    found = _axes(z.ndim, s, axes, "ifftn")
    for a, n in zip(found, _sizes(s, found), strict=True):
        z = ifft(z, n=n, axis=a, norm=norm)
    return z


def rfftn(
    x: Tensor, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> ComplexTensor:
    """`rfft` along the last of several axes, then `fft` along the others."""
    x = _real(x, "rfftn")
    *others, last = _axes(x.ndim, s, axes, "rfftn")
    *sizes, n = _sizes(s, [*others, last])
    z = rfft(x, n=n, axis=last, norm=norm)
    for a, m in zip(others, sizes, strict=True):
        z = fft(z, n=m, axis=a, norm=norm)
    return z


def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Tensor:
    """The inverse of `rfftn`."""
    z = as_complex(x)
    *others, last = _axes(z.ndim, s, axes, "irfftn")
    *sizes, n = _sizes(s, [*others, last])
    for a, m in zip(others, sizes, strict=True):
        z = ifft(z, n=m, axis=a, norm=norm)
    return irfft(z, n=n, axis=last, norm=norm)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of the terms of `fft` of `n` numbers, `d` apart."""
    check_device(device, "fftfreq")
    return convert_to_tensor(np.fft.fftfreq(n, d), dtype)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: str | None = None) -> Tensor:
    """The frequencies of the terms of `rfft` of `n` numbers, `d` apart."""
    check_device(device, "rfftfreq")
    return convert_to_tensor(np.fft.rfftfreq(n, d), dtype)


def _rolled(x: Array, axes: Axis, shift: Callable[[int], int], what: str) -> Array:
    found = ordered_axes(axes, x.ndim, what)
    shifts = [shift(x.shape[a]) for a in found]
    roll = lambda part: ops.roll(part, shifts, found) if prod(part.shape) and found else part
    return _each(roll, x) if isinstance(x, ComplexTensor) else roll(x)


def fftshift(x: Array, /, *, axes: Axis = None) -> Array:
    """The term of frequency 0 in the middle."""
    return _rolled(x, axes, lambda n: n // 2, "fftshift")


def ifftshift(x: Array, /, *, axes: Axis = None) -> Array:
    """The inverse of `fftshift`."""
    return _rolled(x, axes, lambda n: -(n // 2), "ifftshift")
