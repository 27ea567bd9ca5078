"""`Variable`: the only mutable thing; named device memory and perhaps a pending value."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .. import config, settings
from ..compile.program import to_host
from ..device.lock import LOCK
from ..dtypes import LARGEST, host_array, narrow, standardize
from ..errors import ShapeError, did_you_mean
from ..graph.node import Node, toposort
from ..graph.prims import BUFFER, broadcast_to, cast
from ..graph.sizes import shape_of
from . import memory, trace
from .above import above
from .array_protocol import as_array
from .naming import auto_name, scoped
from .operators import TruthOperators
from .tensor import NarrowTensor, Tensor, as_node, assigned, compute_readable, narrow_host, of_python, tensor_of, wrapped

if TYPE_CHECKING:
    from .types import TensorLike

_CHAIN = 4  # an optimizer's step assigns a weight up to four times: decay, update, constraint, average


class Variable(TruthOperators[Tensor]):
    """A tensor that can be assigned; layers keep weights in it, optimizers their state.

    Args:
        initializer: The first value: an array, number or Tensor, or a callable `(shape, dtype) -> value` or its name.
        shape: Needed when `initializer` is callable.
        dtype: Default: that of the value; `pyml.config.floatx()` for callables and floats of Python.
        trainable: Whether training changes it.
        autocast: Whether layers of a policy of 16 bits may round the value.
        aggregation, synchronization, layout: For Keras' signature; there is one device.
        name: Default `variable_N`.

    Raises:
        TypeError: An argument is unknown.
        ValueError: `name` holds a `/`, or a function that makes the value has no `shape` to make it in.
        ShapeError: The value has another shape than `shape`.

    Example:
        >>> v = pyml.Variable([1., 2.])
        >>> v.assign_add([1., 1.]).numpy()
        array([2., 3.], dtype=float32)
    """

    _regularizer: Any = None
    _constraint: Any = None
    _dtype: str
    _stored: str  # the dtype on the device, of 32 bits
    _narrow: str | None  # that of 8 or 16 bits that every value is rounded or wrapped to
    _overwritten = False
    _chained = 0  # values it was assigned one after the other, none of which was computed
    _remembers = False  # whether it keeps the number that the host assigned last, which is read without the device then
    _remembered: float | None = None

    def __init__(
        self, initializer: Any, shape: Sequence[int] | None = None, dtype: Any = None, trainable: bool = True, autocast: bool = True,
        aggregation: str = "none", synchronization: str = "auto", name: str | None = None, layout: Any = None, **kwargs: Any
    ) -> None:  # fmt: skip
        if kwargs:
            known = ("initializer", "shape", "dtype", "trainable", "autocast", "aggregation", "synchronization", "name", "layout")
            raise TypeError(f"Variable: arguments not recognized: {', '.join(map(repr, kwargs))}.{did_you_mean(next(iter(kwargs)), known)}")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"Variable: name must be a string without '/'. Received: name={name!r}")
        if aggregation not in (None, "none", "mean", "sum", "only_first_replica"):
            raise ValueError("Variable: aggregation must be None, 'none', 'mean', 'sum' or 'only_first_replica'. "
                             f"Received: aggregation={aggregation!r}")  # fmt: skip
        if synchronization not in (None, "none", "on_read", "on_write", "auto"):
            raise ValueError("Variable: synchronization must be None, 'none', 'on_read', 'on_write' or 'auto'. "
                             f"Received: synchronization={synchronization!r}")  # fmt: skip
        if isinstance(initializer, str):
            initializer = above("initializers").get(initializer)
        memory.changed()
        self.name = name or auto_name("variable")
        self.path = scoped(self.name)
        self.trainable = trainable
        self.autocast, self.aggregation, self.synchronization = autocast, aggregation, synchronization
        self._lent: weakref.ref | None = None
        if shape is not None:
            shape = shape_of(shape, f"Variable {self.name!r}")
            memory.check_room(shape, f"Variable {self.name!r}")
        with trace.tracing(None):
            if callable(initializer) and not isinstance(initializer, (Tensor, Variable)):
                if shape is None:
                    raise ValueError(f"Variable {self.name!r}: a callable initializer needs shape=.")
                dtype = dtype or settings.floatx()
                node = as_node(initializer(tuple(shape), dtype=standardize(dtype)))
            else:
                held = initializer
                if not isinstance(initializer, (Tensor, Variable, Node)):
                    held = host_array(initializer, dtype)
                node = as_node(held)
                if isinstance(held, np.ndarray) and node.buffer is None:
                    node = as_node(node)
            if dtype is not None:
                node = cast(node, dtype=standardize(dtype))
            if shape is not None and tuple(shape) != node.shape:
                raise ShapeError(f"Variable {self.name!r}: the initial value has shape {node.shape}, expected {tuple(shape)}.")
        self.shape = node.shape
        self._stored = node.dtype
        label = narrow(dtype) if dtype is not None else narrow(getattr(initializer, "dtype", None))
        if dtype is None and settings.halved:
            label = label or of_python(initializer)
        self._dtype, self._narrow = label or node.dtype, label
        if label is not None:
            self.__class__ = NarrowVariable
        self._pending: Node | None = self._storable(node)
        self._buffer: Any = None

    @property
    def dtype(self) -> str:
        """The name of the dtype, such as `"float32"`."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether an optimizer makes the gradient the value, as scales of quantized training want it; it may be set."""
        return self._overwritten

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise TypeError(f"Variable {self.name!r}: overwrite_with_gradient must be True or False. Received: {value!r}")
        self._overwritten = value

    @property
    def held(self) -> Variable:
        """The Variable whose memory has the value; another one where numbers are packed."""
        return self

    def from_held(self, array: np.ndarray) -> np.ndarray:
        """The value, from that of `held`."""
        return array

    # ---- reading
    def _value_node(self) -> Node:
        node = self._node_now()
        if tapes := trace.tapes():
            scope = trace.stateless_here()
            given = scope is not None and scope.get_current_value(self) is not None
            for tape in tapes:
                node = tape.reading(self, node, given)
        return node

    def _node_now(self) -> Node:
        """The node of the value: in a scope or trace what that says, otherwise a pending value or the Variable's own memory."""
        scope = trace.stateless_here()
        if scope is not None and (value := scope.get_current_value(self)) is not None:
            return value._node
        tracing = trace.current()
        if tracing is not None:
            return tracing.read(self)
        with LOCK:
            if self._pending is not None:
                return self._pending
            node = self._lent() if self._lent is not None else None
            if node is None:
                node = Node(BUFFER, (), {"shape": self.shape, "dtype": self._stored}, self.shape, self._stored)
                node.buffer = self._buffer
                self._lent = weakref.ref(node)
                memory.lent.add(node)
            return node

    @property
    def value(self) -> Tensor:
        """The value now; it stays the same when the Variable is assigned later."""
        node = self._value_node()
        return Tensor(node) if self._narrow is None else NarrowTensor(node, self._narrow)

    def numpy(self) -> np.ndarray:
        """The value as a numpy array, bfloat16 as float32; waits for the device."""
        trace.refuse_in_trace("numpy()")
        if trace.stateless() is not None:
            return self.value.numpy()
        if trace.notes_reads():
            trace.note_reads(self._value_node())
        if self._remembered is not None and self._narrow != "bfloat16":  # which numpy cannot round to
            return self._on_host(np.full(self.shape, self._remembered, self._stored))
        return self._on_host(self._read())

    def remember(self, value: float) -> Variable:
        """Has the Variable, of one number that is `value`, keep what the host assigns, as long as no program assigns it."""
        self._remembers, self._remembered = True, value
        return self

    def _read(self) -> np.ndarray:
        """The value as it is on the device."""
        with LOCK:
            node, buffer = self._pending, None
            if node is not None and not config.waits():
                compute_readable(node)
                buffer = node.buffer
            buffer = self.settle() if buffer is None else buffer
            raw = buffer.device.sync_wait(buffer.device.read(buffer, self.size * 4))
        return to_host(raw, self._as_leaf())

    def _on_host(self, array: np.ndarray) -> np.ndarray:
        return array if self._narrow is None else narrow_host(array, self._narrow)

    async def data(self) -> np.ndarray:
        """The value as a numpy array; works in every browser."""
        trace.refuse_in_trace("data()")
        if trace.stateless() is not None:
            return await self.value.data()
        with LOCK:
            buffer = self.settle()
            reading = buffer.device.read(buffer, self.size * 4)
        return self._on_host(to_host(await reading, self._as_leaf()))

    def _as_leaf(self) -> Node:
        return Node(BUFFER, (), {}, self.shape, self._stored)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return as_array(self.numpy(), dtype, copy)

    # ---- writing
    @property
    def regularizer(self) -> Any:
        """Of a layer's weight: the penalty that the loss gets, a function, or None."""
        return self._regularizer

    @regularizer.setter
    def regularizer(self, function: Any) -> None:
        self._regularizer = self._function_or_none("regularizer", function)

    @property
    def constraint(self) -> Any:
        """The function that follows each update of a layer's weight, or None."""
        return self._constraint

    @constraint.setter
    def constraint(self, function: Any) -> None:
        self._constraint = self._function_or_none("constraint", function)

    def _function_or_none(self, what: str, function: Any) -> Any:
        if function is not None and not callable(function):
            raise ValueError(f"Variable {self.name!r}: {what} must be a function, such as one of pyml.{what}s, or None. "
                             f"Received: {what}={function!r}")  # fmt: skip
        return function

    def assign(self, value: TensorLike) -> Variable:
        """Sets the value; shapes must be equal, the dtype is converted. Returns the Variable.

        Args:
            value: A tensor, an array or a number; a number fills all of it.

        Raises:
            ShapeError: The shapes differ.

        Example:
            >>> v = pyml.Variable([1.0, 2.0])
            >>> v.assign(v * 3).numpy()
            array([3., 6.], dtype=float32)
        """
        if isinstance(value, (Tensor, Variable, Node)) or np.isscalar(value):
            node = as_node(value)
        elif hasattr(value, "_keras_history") and (looking := trace.stateless_here()) is not None and looking.only_looks:
            return self                                # a symbolic value, which the scope would forget
        else:
            node = as_node(host_array(value, None))
        if node.shape != self.shape:
            if node.shape != ():
                raise ShapeError(f"Variable {self.name!r}: assigned shape {node.shape}, expected {self.shape}.")
            node = broadcast_to(node, self.shape)
        node = self._storable(cast(node, dtype=self._stored))
        tracing = trace.current()
        scope = trace.stateless_here()
        if scope is not None:
            scope.add_update((self, tensor_of(node, self._narrow or self._stored)))
        elif tracing is not None:
            self._remembers, self._remembered = False, None
            tracing.write(self, node)
        else:
            if self._remembers:
                self._remembered = None if isinstance(value, (Tensor, Variable, Node)) else float(np.reshape(value, ()))
            with LOCK:
                old, self._pending = self._pending, node
                assigned(old, node)
                self._chained = self._chained + 1 if old is not None and old.src and old.buffer is None else 0
                if self._chained >= _CHAIN and not trace.gradient_depth():
                    self.settle()
                memory.changed()
        return self

    def _storable(self, node: Node) -> Node:
        """A value of the dtype on the device as it is kept."""
        return node if self._narrow is None else wrapped(node, self._narrow)

    def assign_add(self, value: TensorLike) -> Variable:
        """Adds `value`, of this shape or one that broadcasts to it; returns the Variable."""
        with LOCK:
            return self.assign(self.value + value)

    def assign_sub(self, value: TensorLike) -> Variable:
        """Takes `value` away, of this shape or one that broadcasts to it; returns the Variable."""
        with LOCK:
            return self.assign(self.value - value)

    # ---- copies
    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        """Another Variable of the value now; nothing is read."""
        made = memo[id(self)] = object.__new__(type(self))
        own = {"_pending": self._value_node(), "_buffer": None, "_lent": None, "_chained": 0} if "_buffer" in self.__dict__ else {}
        made.__dict__.update({name: deepcopy(value, memo) for name, value in self.__dict__.items() if name not in own}, **own)
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Pickled with the value as an array: memory is that of a device. (A packed Variable has none of its own.)"""
        own = {"_pending": self._read(), "_buffer": None, "_lent": None} if "_buffer" in self.__dict__ else {}
        return self.__dict__ | own

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(self._pending, np.ndarray):
            self._pending = as_node(self._pending)

    # ---- memory
    def settle(self) -> Any:
        """The Variable's own buffer, computed and not shared."""
        with LOCK:
            if self._pending is not None:
                memory.settle([self])
            return self._buffer

    def _gone(self) -> bool:
        """Whether what the value is, or is still to be computed from, lay on a device that was lost."""
        with LOCK:
            held = [self._buffer] if self._pending is None else [node.buffer for node in toposort([self._pending])]
        return any(getattr(buffer.device, "lost", False) for buffer in held if buffer is not None)

    def __repr__(self) -> str:
        told = f"path={self.path}, shape={self.shape}, dtype={self.dtype}"
        if trace.current() is None and self.size <= 1000:
            with suppress(Exception), trace.noting_reads(None):  # a page may have to wait for the value
                told += f", value={self.numpy()}"
        return f"<Variable {told}>"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Variable without axes.")
        return self.shape[0]

    def __bool__(self) -> NoReturn:  # as in Keras: one that has been made would be taken for one that is not zero
        raise TypeError(f"{self!r} cannot decide a Python branch; ask `is not None`, or read it with bool(variable.numpy()).")

    def __float__(self) -> float:
        return float(self._scalar() if self._remembered is None else self.numpy().item())

    def __int__(self) -> int:
        return int(self._scalar())

    def _scalar(self) -> Tensor:
        """The value, where it is one number.

        Raises:
            TypeError: It is not, as Keras says it.
        """
        if self.value.size != 1:
            raise TypeError(f"{self!r} is not one number; only a Variable of one element becomes a Python number.")
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


class NarrowVariable(Variable):
    """A Variable of 8- or 16-bit numbers, kept in 32 bits; `Variable(..., dtype="float16")` makes one. Ops tell it by its type."""


def gathering(initializer: Any, dtype: str, **options: Any) -> Variable:
    """A Variable of `dtype` for sums over many steps: of floats of 16 bits, which could not count them, by name alone.

    It keeps 32 bits, ops take it as float32, and `numpy()` gives that too.
    """
    if narrow(dtype) not in LARGEST:
        return Variable(initializer, dtype=dtype, **options)
    made = Variable(initializer, dtype="float32", **options)
    made._dtype = dtype
    return made


__all__ = ["Variable", "gathering"]
