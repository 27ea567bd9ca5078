"""`WeakTensor`: what stands for a number of Python in a function that is traced, as the counter of a loop does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tensor import Tensor, convert_to_tensor, tensor_of


class WeakTensor(Tensor):
    """A scalar that takes the dtype of what it meets, as a number of Python does; operators with another number give such a one again."""

    __slots__ = ()
    _weak = True


def _kept(name: str) -> Callable[..., Any]:
    """The operator of tensors, whose result is weak where all that went into it is."""
    of_tensors = getattr(Tensor, name)

    def operator(self: WeakTensor, *others: Any) -> Any:
        found = of_tensors(self, *others)
        weak = all(isinstance(x, (bool, int, float, WeakTensor)) for x in others)
        return WeakTensor(found._node) if weak and type(found) is Tensor else found

    return operator


_PAIRS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
for _name in (*_PAIRS, *(f"r{name}" for name in _PAIRS), "neg", "pos", "abs"):
    setattr(WeakTensor, f"__{_name}__", _kept(f"__{_name}__"))


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
