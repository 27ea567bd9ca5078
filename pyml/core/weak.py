"""`WeakTensor`: what stands for a number of Python in a function that is traced, as the counter of a loop does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tensor import Tensor, convert_to_tensor, tensor_of


def _kept(name: str) -> Callable[..., Any]:
    """The operator of tensors, whose result is weak where all that went into it is."""
    of_tensors = getattr(Tensor, name)

    def operator(self: WeakTensor, *others: Any) -> Any:
        found = of_tensors(self, *others)
        weak = all(isinstance(x, (bool, int, float, WeakTensor)) for x in others)
        return WeakTensor(found._node) if weak and type(found) is Tensor else found

    return operator


def _both(name: str) -> tuple[Any, Any]:
    """The operator between a weak tensor and something, and the other way round."""
    return _kept(f"__{name}__"), _kept(f"__r{name}__")


class WeakTensor(Tensor):
    """A scalar that takes the dtype of what it meets, as a number of Python does; operators with another number give such a one again."""

    __slots__ = ()
    _weak = True
    __add__, __radd__ = _both("add")
    __sub__, __rsub__ = _both("sub")
    __mul__, __rmul__ = _both("mul")
    __truediv__, __rtruediv__ = _both("truediv")
    __floordiv__, __rfloordiv__ = _both("floordiv")
    __mod__, __rmod__ = _both("mod")
    __pow__, __rpow__ = _both("pow")
    __and__, __rand__ = _both("and")
    __or__, __ror__ = _both("or")
    __xor__, __rxor__ = _both("xor")
    __lshift__, __rlshift__ = _both("lshift")
    __rshift__, __rrshift__ = _both("rshift")
    __neg__, __pos__, __abs__ = map(_kept, ("__neg__", "__pos__", "__abs__"))


def taken(x: Any) -> Tensor:
    """`x` as a tensor; a weak one stays weak."""
    return x if isinstance(x, WeakTensor) else convert_to_tensor(x)


def like(node: Any, x: Tensor) -> Tensor:
    """A tensor of another node, of the dtype of `x`, and weak if that is."""
    return WeakTensor(node) if isinstance(x, WeakTensor) else tensor_of(node, x.dtype)


def kind(x: Tensor) -> tuple[str, bool]:
    """What a step must give back for a carry: the dtype, and whether it is weak."""
    return x.dtype, isinstance(x, WeakTensor)


__all__ = ["WeakTensor", "kind", "like", "taken"]
