"""Calls of ops with something complex among the arguments, as the declaration of each op says (`declare.py`): with the parts one
after the other, crosswise as for products, or by a formula of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from ..core.complex_tensor import ComplexTensor, as_complex, holds_complex, is_complex
from ..errors import DtypeError
from .arithmetic import subtract

Parts = str | Callable[..., Any] | None


def call(name: str, fn: Callable[..., Any], parts: Parts, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What the op `name`, whose function is `fn`, gives for arguments some of which are complex; `parts` as in its declaration."""
    args, kwargs = _by_position(fn, args, kwargs)
    if parts in ("each", "of all"):
        return _partwise(fn, args, kwargs, parts == "of all")
    if parts == "inside":
        return fn.__wrapped__(*args, **kwargs)  # type: ignore[attr-defined]
    if parts == "crosswise":
        return _bilinear(fn, args, kwargs)
    if callable(parts):
        known = lambda value: as_complex(value) if holds_complex(value) else value
        return parts(import_module(__package__), *map(known, args), **{key: known(value) for key, value in kwargs.items()})
    raise DtypeError(f"{name}: complex tensors are not supported; take their parts by ops.real and ops.imag, or their size by ops.abs.")


def _by_position(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Sequence[Any], Mapping[str, Any]]:
    """The arguments with complex keywords, and what comes before them, by position: formulas have names of their own."""
    last = [key for key in inspect.signature(fn).parameters if holds_complex(kwargs.get(key))][-1:]
    if not last:
        return args, kwargs
    bound = inspect.signature(fn).bind(*args, **kwargs)
    bound.apply_defaults()
    names = list(bound.arguments)
    first = names[: names.index(last[0]) + 1]
    return [bound.arguments[name] for name in first], {key: value for key, value in kwargs.items() if key not in first}


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
    """A function that is linear in each of two operands, of complex ones: by their parts."""
    places = [i for i, a in enumerate(args) if holds_complex(a)]
    operands = [i for i, a in enumerate(args) if not isinstance(a, str)][:2]
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
