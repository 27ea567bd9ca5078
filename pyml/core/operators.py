"""What Tensor, Variable and KerasTensor have in common: operators and methods, all of them calls of ops.

The methods are written out, so that type checkers and readers see them; what they do is declared with each op
(`@op(operator="add")`, `@op(method="sum")`) and put into `INSTALLED` when `pyml.ops` is imported.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import ShapeError
from .installed import INSTALLED
from .numpy_functions import NumpyFunctions

if TYPE_CHECKING:
    from ..graph.node import Node
    from .types import Axis, TensorLike

Result = TypeVar("Result")


class Operators(NumpyFunctions, Generic[Result]):
    """Arithmetic, comparison, indexing and a few methods; `Result` is what they return."""

    __slots__ = ()

    @abstractmethod
    def _value_node(self) -> Node:
        """The node that holds the value now."""

    # ---- arithmetic
    def __add__(self, other: TensorLike) -> Result:
        return INSTALLED["add"](self, other)

    def __radd__(self, other: TensorLike) -> Result:
        return INSTALLED["add"](other, self)

    def __sub__(self, other: TensorLike) -> Result:
        return INSTALLED["sub"](self, other)

    def __rsub__(self, other: TensorLike) -> Result:
        return INSTALLED["sub"](other, self)

    def __mul__(self, other: TensorLike) -> Result:
        return INSTALLED["mul"](self, other)

    def __rmul__(self, other: TensorLike) -> Result:
        return INSTALLED["mul"](other, self)

    def __truediv__(self, other: TensorLike) -> Result:
        return INSTALLED["truediv"](self, other)

    def __rtruediv__(self, other: TensorLike) -> Result:
        return INSTALLED["truediv"](other, self)

    def __floordiv__(self, other: TensorLike) -> Result:
        return INSTALLED["floordiv"](self, other)

    def __rfloordiv__(self, other: TensorLike) -> Result:
        return INSTALLED["floordiv"](other, self)

    def __mod__(self, other: TensorLike) -> Result:
        return INSTALLED["mod"](self, other)

    def __rmod__(self, other: TensorLike) -> Result:
        return INSTALLED["mod"](other, self)

    def __pow__(self, other: TensorLike) -> Result:
        return INSTALLED["pow"](self, other)

    def __rpow__(self, other: TensorLike) -> Result:
        return INSTALLED["pow"](other, self)

    def __matmul__(self, other: TensorLike) -> Result:
        return INSTALLED["matmul"](self, other)

    def __rmatmul__(self, other: TensorLike) -> Result:
        return INSTALLED["matmul"](other, self)

    def __neg__(self) -> Result:
        return INSTALLED["neg"](self)

    def __pos__(self) -> Result:
        return INSTALLED["astype"](self, getattr(self, "dtype"))  # noqa: B009

    def __abs__(self) -> Result:
        return INSTALLED["abs"](self)

    def __round__(self, ndigits: int | None = None) -> Result:
        return INSTALLED["round"](self, ndigits or 0)

    # ---- logic
    def __and__(self, other: TensorLike) -> Result:
        return INSTALLED["and"](self, other)

    def __rand__(self, other: TensorLike) -> Result:
        return INSTALLED["and"](other, self)

    def __or__(self, other: TensorLike) -> Result:
        return INSTALLED["or"](self, other)

    def __ror__(self, other: TensorLike) -> Result:
        return INSTALLED["or"](other, self)

    def __xor__(self, other: TensorLike) -> Result:
        return INSTALLED["xor"](self, other)

    def __rxor__(self, other: TensorLike) -> Result:
        return INSTALLED["xor"](other, self)

    def __invert__(self) -> Result:
        return INSTALLED["invert"](self)

    def __lshift__(self, other: TensorLike) -> Result:
        return INSTALLED["lshift"](self, other)

    def __rlshift__(self, other: TensorLike) -> Result:
        return INSTALLED["lshift"](other, self)

    def __rshift__(self, other: TensorLike) -> Result:
        return INSTALLED["rshift"](self, other)

    def __rrshift__(self, other: TensorLike) -> Result:
        return INSTALLED["rshift"](other, self)

    # ---- comparison
    def __eq__(self, other: TensorLike) -> Result:  # type: ignore[override]  # element by element, as in numpy
        return NotImplemented if other is None else INSTALLED["eq"](self, other)  # `mask == None` is False in Keras' frameworks

    def __ne__(self, other: TensorLike) -> Result:  # type: ignore[override]
        return NotImplemented if other is None else INSTALLED["ne"](self, other)

    def __lt__(self, other: TensorLike) -> Result:
        return INSTALLED["lt"](self, other)

    def __le__(self, other: TensorLike) -> Result:
        return INSTALLED["le"](self, other)

    def __gt__(self, other: TensorLike) -> Result:
        return INSTALLED["gt"](self, other)

    def __ge__(self, other: TensorLike) -> Result:
        return INSTALLED["ge"](self, other)

    def __hash__(self) -> int:
        return id(self)

    # ---- shape
    def __getitem__(self, key: Any) -> Result:
        return INSTALLED["getitem"](self, key)

    @property
    def T(self) -> Result:
        """The axes in reverse order."""
        return INSTALLED["transpose"](self)

    @property
    def mT(self) -> Result:
        """The last two axes changed for each other."""
        shape = getattr(self, "shape")  # noqa: B009 - each kind of tensor has it in its own way
        if len(shape) < 2:
            raise ShapeError(f"mT: a matrix has two axes or more. Received: shape {shape}")
        return INSTALLED["transpose"](self, (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2))

    def reshape(self, *newshape: Any) -> Result:
        """`ops.reshape`; sizes may be given one by one."""
        return INSTALLED["reshape"](self, newshape[0] if len(newshape) == 1 else newshape)

    def squeeze(self, axis: Axis = None) -> Result:
        """`ops.squeeze`: without axes of size 1."""
        return INSTALLED["squeeze"](self, axis)

    def astype(self, dtype: Any) -> Result:
        """`ops.cast`: the values as another dtype."""
        return INSTALLED["astype"](self, dtype)

    # ---- reductions
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """`ops.sum`."""
        return INSTALLED["sum"](self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """`ops.mean`."""
        return INSTALLED["mean"](self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """`ops.max`."""
        return INSTALLED["max"](self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Result:
        """`ops.min`."""
        return INSTALLED["min"](self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Result:
        """`ops.argmax`."""
        return INSTALLED["argmax"](self, axis=axis, keepdims=keepdims)


class TruthOperators(Operators[Result]):
    """Of Variables and symbolic tensors `&`, `|` and `^` ask what is not 0, as in Keras; of tensors they go by bits."""

    __slots__ = ()

    def __and__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_and"](self, other)

    def __rand__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_and"](other, self)

    def __or__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_or"](self, other)

    def __ror__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_or"](other, self)

    def __xor__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_xor"](self, other)

    def __rxor__(self, other: TensorLike) -> Result:
        return INSTALLED["logical_xor"](other, self)
