"""Symbolic tensors: what `Input` returns, what layers and ops make of them, and how their shapes are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from ..dtypes import narrow, standardize
from ..errors import SymbolicValue, Undefined
from .installed import INSTALLED
from .naming import auto_name
from .operators import TruthOperators
from .probes import probed
from .tensor import Tensor, tensor_of
from .trace import Trace, tracing
from .tree import flatten, map_structure, pack_sequence_as
from .variable import Variable

if TYPE_CHECKING:
    from ..graph.node import Node


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from: which call of which operation, and which of its outputs."""

    operation: Any
    node_index: int
    tensor_index: int


def _checked(shape: Any) -> tuple[int | None, ...]:
    if isinstance(shape, str) or not hasattr(shape, "__iter__"):
        raise ValueError(f"KerasTensor: shape must be a tuple of sizes, None where one is unknown. Received: shape={shape!r}")
    sizes = tuple(shape)
    for size in sizes:
        if size is not None and (not hasattr(size, "__index__") or size < 0):
            raise ValueError(f"KerasTensor: shape must hold sizes of at least 0, or None. Received: shape={shape!r}")
    return tuple(None if size is None else int(size) for size in sizes)


class KerasTensor(TruthOperators["KerasTensor"]):
    """A tensor without values: shape (unknown sizes are None), dtype, and the call it comes from.

    Layers, models and ops accept it and return another; a `Model` of two of them runs on data.

    Args:
        shape: Tuple of sizes, None where unknown.
        dtype: Name of the dtype.
        name: Name of the tensor.
        sparse, ragged: Only False is supported.
        record_history: An attribute of that name, as in Keras; it has no effect.

    Raises:
        ValueError: `sparse` or `ragged` is True, or `shape` holds something else than sizes of at least 0 and None.

    Example:
        >>> x = pyml.Input((3,))
        >>> pyml.layers.Dense(2)(x).shape
        (None, 2)
    """

    __array_priority__ = 2000
    sparse = ragged = False    # for Keras' names: there are dense tensors only
    ragged_rank = row_splits_dtype = None
    _same: bool | None = None  # of the result of `==`: whether it was one tensor with itself

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if sparse or ragged:
            raise ValueError("KerasTensor: sparse and ragged tensors are not supported.")
        self._shape = _checked(shape)
        self._dtype = "string" if dtype == "string" else narrow(dtype) or standardize(dtype)
        self.name = name or auto_name("keras_tensor")
        self.record_history = record_history
        self._keras_history: KerasHistory | None = None
        self._keras_mask: KerasTensor | None = None  # only what it looks like: models compute masks anew

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Sizes, None where unknown."""
        return self._shape

    @property
    def dtype(self) -> str:
        """Name of the dtype."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    def _value_node(self) -> Node:
        raise SymbolicValue("a symbolic KerasTensor was passed where a value is needed; build a Model of it and call that with data.")

    def _refuse(self, what: str) -> NoReturn:
        raise SymbolicValue(
            f"{what} of {self!r}: it is symbolic and has no values. Build a Model from the Input to this tensor and call it with data, "
            "or compute with pyml.ops."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse("a numpy array")

    def __invert__(self) -> KerasTensor:
        return INSTALLED["logical_not"](self)

    def __float__(self) -> NoReturn:
        self._refuse("float()")

    def __int__(self) -> NoReturn:
        self._refuse("int()")

    def __complex__(self) -> NoReturn:
        self._refuse("complex()")

    def __bool__(self) -> bool:
        if self._same is not None:
            return self._same
        raise SymbolicValue(f"{self!r} has no values and cannot decide a Python branch; use ops.where or ops.cond.")

    def __len__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no length; its sizes are its .shape.")

    def __iter__(self) -> Iterator[KerasTensor]:
        raise Undefined(f"{self!r} cannot be iterated over; use ops.unstack or ops.split.")

    def __eq__(self, other: Any) -> KerasTensor:  # type: ignore[override]
        if other is None:
            return NotImplemented
        equal = super().__eq__(other)
        equal._same = self is other if isinstance(other, KerasTensor) else None  # `x in tensors` asks, as in Keras
        return equal

    __hash__ = TruthOperators.__hash__

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, name={self.name}>"


# What is never symbolic and holds nothing symbolic; asked for every argument of every op.
VALUES = frozenset({Tensor, Variable, int, float, bool, str, type(None), np.float32, np.int32})


def holds_symbolic(value: Any) -> bool:
    """Whether `value` is a KerasTensor or a list, tuple or dict with one somewhere in it."""
    if isinstance(value, KerasTensor):
        return True
    if isinstance(value, (list, tuple)):
        return any(type(v) not in VALUES and holds_symbolic(v) for v in value)
    if isinstance(value, dict):
        return any(type(v) not in VALUES and holds_symbolic(v) for v in value.values())
    return False


def any_symbolic(*structures: Any) -> bool:
    """True where one of the leaves is a KerasTensor."""
    return holds_symbolic(structures)


class CallNode:
    """One call of an operation in a symbolic graph."""

    def __init__(self, operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.input_tensors: list[KerasTensor] = [leaf for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
        self.output_tensors: list[KerasTensor] = flatten(outputs)
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, tensor in enumerate(self.output_tensors):
            tensor._keras_history = KerasHistory(operation, index, i)

    @property
    def parents(self) -> list[CallNode]:
        """The calls that make this call's inputs."""
        histories = [t._keras_history for t in self.input_tensors if t._keras_history is not None]
        return [h.operation._inbound_nodes[h.node_index] for h in histories]

    @property
    def input_tensors_packed(self) -> Any:
        """The only symbolic input, or a list of them."""
        return self.input_tensors[0] if len(self.input_tensors) == 1 else self.input_tensors


class Operation:
    """Base of everything that can stand in a symbolic graph: layers and ops. `pyml.Operation` has a config besides."""

    name: str

    def __init__(self, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"{type(self).__name__}: name must be a string without '/'. Received: name={name!r}")
        self.name = name or auto_name(type(self).__name__)
        self._inbound_nodes: list[CallNode] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`call` of tensors; of symbolic ones it is put into their graph."""
        return self.symbolic_call(*args, **kwargs) if any_symbolic(args, kwargs) else self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; every subclass writes its own."""
        raise Undefined(f'Operation "{self.name}" ({type(self).__name__}) must define call(inputs).')

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Puts a call into the graph and returns its symbolic outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        if others := [leaf for leaf in flatten(outputs) if not isinstance(leaf, KerasTensor)]:
            hint = "; end it with `return`" if outputs is None else ""
            raise TypeError(f'"{self.name}" ({type(self).__name__}): call() must return tensors{hint}. It returned {others[0]!r}.')
        CallNode(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The KerasTensors a call returns; by default found by tracing `call`."""
        return infer_output_spec(self.call, args, kwargs)

    @property
    def _type_in_summary(self) -> str:
        """What tables and plots of models call it: the name of its class, of an op as Keras has it."""
        return type(self).__name__

    @property
    def input(self) -> Any:
        """The symbolic input of the first call.

        Raises:
            AttributeError: The operation was not called symbolically.
        """
        return self._first_node("input").input_tensors_packed

    @property
    def output(self) -> Any:
        """The symbolic output of the first call, or a list of them whatever they lie in."""
        tensors = flatten(self._first_node("output").outputs)
        return tensors[0] if len(tensors) == 1 else tensors

    def _first_node(self, what: str) -> CallNode:
        if not self._inbound_nodes:
            raise AttributeError(f"{self.name} was not called symbolically, so its {what} is not defined; call it on an Input.")
        return self._inbound_nodes[0]


class FunctionOp(Operation):
    """A plain function in a symbolic graph, for example `ops.relu`."""

    def __init__(self, fn: Callable[..., Any], name: str | None = None, spec: Callable[..., Any] | None = None) -> None:
        super().__init__(name=auto_name(name or str(getattr(fn, "__name__", "function"))))
        self.call = fn  # type: ignore[method-assign]
        if spec is not None:
            self.compute_output_spec = spec  # type: ignore[method-assign]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    @property
    def _type_in_summary(self) -> str:
        name = str(getattr(self.call, "__name__", ""))
        return "".join(part.capitalize() for part in name.split("_")) if name.isidentifier() else super()._type_in_summary


def call_function(
    fn: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    name: str | None = None,
    spec: Callable[..., Any] | None = None,
) -> Any:
    """`fn(*args, **kwargs)` as a call in the symbolic graph; `spec` says what it returns where tracing cannot."""
    return FunctionOp(fn, name, spec).symbolic_call(*args, **kwargs)


def infer_output_spec(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Shapes and dtypes that `fn` returns for symbolic arguments, found without running anything.

    `fn` is traced for two values of the unknown sizes; sizes of the result that moved are unknown. So are those in the
    message of an error, which says None for them.

    Returns:
        The structure that `fn` returns, with KerasTensors for tensors.
    """
    if any(size is None for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor) for size in leaf.shape):
        return specs_of(*probed(lambda size: traced(fn, args, kwargs, size)))
    return specs_of([traced(fn, args, kwargs, 0)])


def traced(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], size: int) -> Any:
    """What `fn` returns in a trace, with tensors of `size` for unknown sizes in the place of symbolic ones."""
    trace = Trace()

    def probe(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        if leaf.dtype == "string":                     # text stays on the host; as many words as unknown sizes, which those become
            return np.full([size if n is None else n for n in leaf.shape], "a " * size, object)
        tensor = tensor_of(trace.input(tuple(size if n is None else n for n in leaf.shape), standardize(leaf.dtype)), leaf.dtype)
        if leaf._keras_mask is not None:
            tensor._keras_mask = probe(leaf._keras_mask)
        return tensor

    with tracing(trace):
        return fn(*map_structure(probe, tuple(args)), **map_structure(probe, dict(kwargs)))


def specs_of(results: Sequence[Any], hidden: int | None = None) -> Any:
    """The structure of what traces returned, with symbolic tensors; sizes that differ, and those that are `hidden`, are unknown."""
    specs = [_spec(a, b, hidden) for a, b in zip(flatten(results[0]), flatten(results[-1]), strict=True)]
    return pack_sequence_as(results[0], specs)


def _spec(a: Any, b: Any, hidden: int | None = None) -> Any:
    if not hasattr(a, "shape"):
        return a
    shape = tuple(m if m == n and m != hidden else None for m, n in zip(a.shape, b.shape, strict=True))
    spec = KerasTensor(shape, dtype=a.dtype)
    mask, other = (getattr(t, "_keras_mask", None) for t in (a, b))
    if isinstance(mask, Tensor) and isinstance(other, Tensor):
        spec._keras_mask = _spec(mask, other, hidden)
    return spec
