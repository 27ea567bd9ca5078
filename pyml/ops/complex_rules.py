"""What ops do with complex tensors, made of ops on the two parts.

An op that is called with something complex comes here (`declare.py`). Its declaration says if it takes the parts one after the
other, because it is linear and real, or crosswise, as products do; what the others do is written out here, under their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.complex_tensor import COMPLEX, ComplexTensor, as_complex, holds_complex, is_complex
from ..errors import DtypeError
from .arithmetic import subtract
from .circular import arctan2
from .elementary import cos, exp, log, sin, sqrt
from .joining import stack
from .logic import equal, isfinite, isinf, isnan, logical_and, logical_or, where
from .reduce import all as _all


def call(name: str, fn: Callable[..., Any], parts: str | None, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What the op `name`, whose function is `fn`, gives for arguments some of which are complex; `parts` as in its declaration."""
    if parts in ("each", "of all"):
        return _partwise(fn, args, kwargs, parts == "of all")
    if parts == "inside":
        return fn.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]
    if parts == "crosswise":
        return _bilinear(fn, args, kwargs)
    if name in RULES:
        return RULES[name](*args, **kwargs)
    raise DtypeError(f"{name}: complex tensors are not supported; take their parts by ops.real and ops.imag, or their size by ops.abs.")


def _replaced(value: Any, part: Callable[[ComplexTensor], Any], all_complex: bool) -> Any:
    if isinstance(value, (list, tuple)) and not _is_data(value):
        return type(value)(_replaced(v, part, all_complex) for v in value)
    return part(as_complex(value)) if is_complex(value) or _is_data(value) or (all_complex and hasattr(value, "shape")) else value


def _is_data(value: Any) -> bool:
    """A list of complex numbers, which stands for an array."""
    if not isinstance(value, (list, tuple)) or not holds_complex(value):
        return False
    return not any(hasattr(v, "shape") or isinstance(v, (list, tuple)) for v in value)


def _joined(real: Any, imag: Any) -> Any:
    if isinstance(real, (list, tuple)):
        return type(real)(_joined(r, i) for r, i in zip(real, imag, strict=True))
    return ComplexTensor(real, imag)


def _partwise(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], all_complex: bool) -> Any:
    def of(part: Callable[[ComplexTensor], Any]) -> Any:
        return fn(*(_replaced(a, part, all_complex) for a in args), **{k: _replaced(v, part, all_complex) for k, v in kwargs.items()})

    return _joined(of(lambda z: z.real), of(lambda z: z.imag))


def _bilinear(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> ComplexTensor:
    places = [i for i, a in enumerate(args) if holds_complex(a)]
    operands = [i for i, a in enumerate(args) if not isinstance(a, str)][:2]
    keys = [k for k, v in kwargs.items() if holds_complex(v)]
    if keys:
        raise DtypeError(f"{fn.__name__}: give complex operands by position. Received: {', '.join(keys)}")
    if len([a for a in args if not isinstance(a, str)]) > 2 and fn.__name__ == "einsum":
        raise DtypeError("einsum: of complex tensors at most two operands are supported; contract them two at a time.")

    def of(parts: Mapping[int, Any]) -> Any:
        return fn(*(parts.get(i, a) for i, a in enumerate(args)), **kwargs)

    one = as_complex(args[operands[0]])
    if len(operands) == 1 or len(places) == 1:
        (place,) = places
        z = as_complex(args[place])
        return ComplexTensor(of({place: z.real}), of({place: z.imag}))
    i, j = operands
    other = as_complex(args[j])
    real = subtract(of({i: one.real, j: other.real}), of({i: one.imag, j: other.imag}))
    return ComplexTensor(real, of({i: one.real, j: other.imag}) + of({i: one.imag, j: other.real}))


# ---- arithmetic
def _add(x1: Any, x2: Any) -> ComplexTensor:
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(a.real + b.real, a.imag + b.imag)


def _subtract(x1: Any, x2: Any) -> ComplexTensor:
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(a.real - b.real, a.imag - b.imag)


def _times(a: ComplexTensor, b: ComplexTensor) -> ComplexTensor:
    return ComplexTensor(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def _divide(x1: Any, x2: Any) -> ComplexTensor:
    a = as_complex(x1)
    if not holds_complex(x2):
        return ComplexTensor(a.real / x2, a.imag / x2)
    b = as_complex(x2)
    square = b.real * b.real + b.imag * b.imag
    return ComplexTensor((a.real * b.real + a.imag * b.imag) / square, (a.imag * b.real - a.real * b.imag) / square)


def _power(x1: Any, x2: Any) -> ComplexTensor:
    z = as_complex(x1)
    if isinstance(x2, (int, np.integer)) and not isinstance(x2, bool):
        found, base, left = as_complex(z.real * 0.0 + 1.0), z, abs(int(x2))
        while left:
            found = _times(found, base) if left % 2 else found
            base, left = _times(base, base), left // 2
        return found if x2 >= 0 else _divide(1.0, found)
    return _exp(_times(as_complex(x2), _log(z)))


def _conjugate(x: Any) -> ComplexTensor:
    z = as_complex(x)
    return ComplexTensor(z.real, -z.imag)


def _vdot(x1: Any, x2: Any) -> ComplexTensor:
    a, b = _conjugate(x1), as_complex(x2)
    found = _times(ComplexTensor(a.real.reshape(-1), a.imag.reshape(-1)), ComplexTensor(b.real.reshape(-1), b.imag.reshape(-1)))
    return ComplexTensor(found.real.sum(), found.imag.sum())


# ---- size and direction
def _abs(x: Any) -> Any:
    z = as_complex(x)
    square = z.real * z.real + z.imag * z.imag
    nothing = equal(square, 0.0)  # where the root has no derivative, it counts as 0
    return where(nothing, 0.0, sqrt(where(nothing, 1.0, square)))


def _angle(x: Any) -> Any:
    z = as_complex(x)
    return arctan2(z.imag, z.real)


def _sign(x: Any) -> ComplexTensor:
    z, size = as_complex(x), _abs(x)
    return _divide(z, where(equal(size, 0.0), 1.0, size))


# ---- functions
def _exp(x: Any) -> ComplexTensor:
    z = as_complex(x)
    size = exp(z.real)
    return ComplexTensor(size * cos(z.imag), size * sin(z.imag))


def _log(x: Any) -> ComplexTensor:
    return ComplexTensor(log(_abs(x)), _angle(x))


def _sqrt(x: Any) -> ComplexTensor:
    """The root with a real part that is not negative."""
    z = as_complex(x)
    larger = sqrt((_abs(z) + abs(z.real)) * 0.5)
    nothing = equal(larger, 0.0)
    smaller = where(nothing, 0.0, abs(z.imag) * 0.5 / where(nothing, 1.0, larger))
    right = z.real >= 0.0
    size = where(right, smaller, larger)
    return ComplexTensor(where(right, larger, smaller), where(z.imag < 0.0, -size, size))


def _half_sum(x: Any, sign: float, turned: bool) -> ComplexTensor:
    """`(exp(z) + sign exp(-z)) / 2`, and for cosines and sines of `i z`."""
    z = as_complex(x)
    z = ComplexTensor(-z.imag, z.real) if turned else z
    one, other = _exp(z), _exp(ComplexTensor(-z.real, -z.imag))
    found = ComplexTensor((one.real + other.real * sign) * 0.5, (one.imag + other.imag * sign) * 0.5)
    return ComplexTensor(found.imag, -found.real) if turned and sign < 0 else found


# ---- logic
def _equal(x1: Any, x2: Any) -> Any:
    a, b = as_complex(x1), as_complex(x2)
    return logical_and(equal(a.real, b.real), equal(a.imag, b.imag))


def _isclose(x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    near = _abs(_subtract(x1, x2)) <= _abs(x2) * rtol + atol
    near = logical_or(near, _equal(x1, x2))
    return logical_or(near, logical_and(_either(isnan)(x1), _either(isnan)(x2))) if equal_nan else near


def _either(test: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def of(x: Any) -> Any:
        z = as_complex(x)
        return logical_or(test(z.real), test(z.imag))

    return of


def _isfinite(x: Any) -> Any:
    z = as_complex(x)
    return logical_and(isfinite(z.real), isfinite(z.imag))


def _where(condition: Any, x1: Any = None, x2: Any = None) -> ComplexTensor:
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(where(condition, a.real, b.real), where(condition, a.imag, b.imag))


# ---- conversions
def _cast(x: Any, dtype: Any) -> ComplexTensor:
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name not in COMPLEX:
        raise DtypeError(f"cast: complex numbers have no {name} value; take ops.real, ops.imag or ops.abs of them.")
    return as_complex(x)


def _convert(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> ComplexTensor:
    return as_complex(x) if dtype is None else _cast(x, dtype)


def _nonzero(x: Any) -> Any:
    z = as_complex(x)
    return logical_or(z.real != 0.0, z.imag != 0.0)


RULES: dict[str, Callable[..., Any]] = {
    "abs": _abs, "absolute": _abs, "add": _add, "angle": _angle, "cast": _cast, "conj": _conjugate, "conjugate": _conjugate,
    "convert_to_tensor": _convert, "cos": lambda x: _half_sum(x, 1.0, True), "cosh": lambda x: _half_sum(x, 1.0, False),
    "divide": _divide, "true_divide": _divide, "equal": _equal, "exp": _exp, "imag": lambda x: as_complex(x).imag,
    "allclose": lambda *args, **kwargs: _all(_isclose(*args, **kwargs)), "isclose": _isclose, "isfinite": _isfinite,
    "isinf": _either(isinf), "isnan": _either(isnan),
    "isreal": lambda x: equal(as_complex(x).imag, 0.0), "log": _log, "logical_not": lambda x: ~_nonzero(x),
    "not_equal": lambda x1, x2: ~_equal(x1, x2), "ones_like": lambda x, dtype=None: as_complex(as_complex(x).real * 0.0 + 1.0),
    "power": _power, "real": lambda x: as_complex(x).real, "reciprocal": lambda x: _divide(1.0, x), "sign": _sign,
    "sin": lambda x: _half_sum(x, -1.0, True), "sinh": lambda x: _half_sum(x, -1.0, False), "sqrt": _sqrt,
    "square": lambda x: _times(as_complex(x), as_complex(x)), "subtract": _subtract, "vdot": _vdot, "where": _where,
    "ndim": lambda x: as_complex(x).ndim, "size": lambda x: as_complex(x).size,
    "view_as_real": lambda x: stack([as_complex(x).real, as_complex(x).imag], axis=-1),
}  # fmt: skip
