"""Symbolic tensors: what `Input` returns, what layers and ops make of them, and how their shapes are found."""

from typing import NamedTuple

from pyml.core import Tensor
from pyml.core.naming import auto_name
from pyml.core.trace import Trace, tracing
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.dtypes import standardize

# An unknown size is traced twice with these; sizes of the result that differ are unknown too.
PROBES = (83, 89)


class KerasHistory(NamedTuple):
    """Where a symbolic tensor comes from: which call of which operation, and which of its outputs."""

    operation: object
    node_index: int
    tensor_index: int


class KerasTensor:
    """A tensor without values: shape (unknown sizes are None), dtype, and the call it comes from.

    Layers, models and ops accept it and return another; a `Model` of two of them runs on data.

    Args:
        shape: Tuple of sizes, None where unknown.
        dtype: Name of the dtype.
        name: Name of the tensor.
        sparse, ragged: Only False is supported.

    Example:
        >>> x = pyml.Input((3,))
        >>> pyml.layers.Dense(2)(x).shape
        (None, 2)
    """

    __array_priority__ = 2000
    _is_symbolic = True

    def __init__(self, shape, dtype="float32", sparse=False, ragged=False, record_history=True, name=None, **kwargs):
        if sparse or ragged:
            raise ValueError("KerasTensor: sparse and ragged tensors are not supported.")
        self._shape = tuple(shape)
        self._dtype = standardize(dtype)
        self.name = name or auto_name("keras_tensor")
        self.record_history = record_history
        self._keras_history = None

    @property
    def shape(self):
        """Sizes, None where unknown."""
        return self._shape

    @property
    def dtype(self):
        """Name of the dtype."""
        return self._dtype

    @property
    def ndim(self):
        """Number of axes."""
        return len(self._shape)

    def reshape(self, newshape):
        """`ops.reshape(self, newshape)`."""
        return _op("reshape")(self, newshape)

    def squeeze(self, axis=None):
        """`ops.squeeze(self, axis)`."""
        return _op("squeeze")(self, axis)

    def __getitem__(self, key):
        return call_function(lambda x: x[key], (self,), {}, name="get_item")

    def __array__(self, *args, **kwargs):
        raise ValueError(
            f"{self!r} has no values: it is symbolic. Build a Model from the Input to this tensor and call it with data."
        )

    def __bool__(self):
        raise TypeError(f"{self!r} has no values and cannot decide a Python branch; use ops.where or ops.cond.")

    def __len__(self):
        raise TypeError(f"{self!r} has no length.")

    def __iter__(self):
        raise TypeError(f"{self!r} cannot be iterated over.")

    def __hash__(self):
        return id(self)

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, sparse=False, ragged=False, name={self.name}>"


def _op(name):
    from pyml import ops

    return getattr(ops, name)                          # ops record calls on symbolic tensors themselves


def _operator(name, reflected=False):
    if reflected:
        return lambda self, other: _op(name)(other, self)
    return lambda self, *others: _op(name)(self, *others)


for _symbol, _name in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "mod", "pow": "power", "matmul": "matmul", "and": "logical_and", "or": "logical_or",
}.items():
    setattr(KerasTensor, f"__{_symbol}__", _operator(_name))
    setattr(KerasTensor, f"__r{_symbol}__", _operator(_name, reflected=True))
for _symbol, _name in {
    "neg": "negative", "abs": "abs", "invert": "logical_not", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal", "ne": "not_equal",
}.items():
    setattr(KerasTensor, f"__{_symbol}__", _operator(_name))


def any_symbolic(*structures):
    """True where one of the leaves is a KerasTensor."""
    return any(isinstance(leaf, KerasTensor) for structure in structures for leaf in flatten(structure))


class CallNode:
    """One call of an operation in a symbolic graph."""

    def __init__(self, operation, args, kwargs, outputs):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.input_tensors = [leaf for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
        self.output_tensors = flatten(outputs)
        index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for i, tensor in enumerate(self.output_tensors):
            tensor._keras_history = KerasHistory(operation, index, i)

    @property
    def parents(self):
        """The calls that make this call's inputs."""
        histories = [t._keras_history for t in self.input_tensors if t._keras_history is not None]
        return [h.operation._inbound_nodes[h.node_index] for h in histories]


class Operation:
    """Base of everything that can stand in a symbolic graph: layers and ops."""

    def __init__(self, name=None):
        self.name = name or auto_name(type(self).__name__)
        self._inbound_nodes = []

    def symbolic_call(self, *args, **kwargs):
        """Puts a call into the graph and returns its symbolic outputs."""
        outputs = self.compute_output_spec(*args, **kwargs)
        CallNode(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args, **kwargs):
        """The KerasTensors a call returns; by default found by tracing `call`."""
        return infer_output_spec(self.call, args, kwargs)

    @property
    def input(self):
        """The symbolic input of the only call.

        Raises:
            ValueError: The operation was not called symbolically, or more than once.
        """
        return self._only_node("input").input_tensors_packed

    @property
    def output(self):
        """The symbolic output of the only call."""
        return self._only_node("output").outputs

    def _only_node(self, what):
        if len(self._inbound_nodes) != 1:
            raise ValueError(
                f"{self.name} has {len(self._inbound_nodes)} symbolic calls, so its {what} is not defined; "
                "call it once on an Input."
            )
        return self._inbound_nodes[0]


def _packed_inputs(self):
    tensors = self.input_tensors
    return tensors[0] if len(tensors) == 1 else tensors


CallNode.input_tensors_packed = property(_packed_inputs)  # type: ignore[attr-defined]


class FunctionOp(Operation):
    """A plain function in a symbolic graph, for example `ops.relu`."""

    def __init__(self, fn, name=None):
        super().__init__(name=auto_name(name or getattr(fn, "__name__", "function")))
        self.call = fn

    def __call__(self, *args, **kwargs):
        return self.call(*args, **kwargs)


def call_function(fn, args, kwargs, name=None):
    """`fn(*args, **kwargs)` as a call in the symbolic graph."""
    return FunctionOp(fn, name).symbolic_call(*args, **kwargs)


def record_function(op, fn, args, kwargs):
    """What `pyml.ops` calls for symbolic arguments: puts the call of `fn` into the graph."""
    return call_function(fn, args, kwargs, name=fn.__name__)


def infer_output_spec(fn, args, kwargs):
    """Shapes and dtypes that `fn` returns for symbolic arguments, found without running anything.

    `fn` is traced with each unknown size replaced by 83, then by 89; sizes of the result that moved are unknown.

    Returns:
        The structure that `fn` returns, with KerasTensors for tensors.
    """
    symbolic = [leaf for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)]
    unknown = any(size is None for tensor in symbolic for size in tensor.shape)
    results = [_traced(fn, args, kwargs, size) for size in (PROBES if unknown else PROBES[:1])]
    first, last = flatten(results[0]), flatten(results[-1])
    specs = [_spec(a, b) for a, b in zip(first, last, strict=True)]
    return pack_sequence_as(results[0], specs)


def _traced(fn, args, kwargs, size):
    trace = Trace()

    def probe(leaf):
        if not isinstance(leaf, KerasTensor):
            return leaf
        shape = tuple(size if n is None else n for n in leaf.shape)
        return Tensor(trace.input(shape, leaf.dtype))

    with tracing(trace):
        return fn(*map_structure(probe, tuple(args)), **map_structure(probe, kwargs))


def _spec(a, b):
    if not hasattr(a, "shape"):
        return a
    shape = tuple(m if m == n else None for m, n in zip(a.shape, b.shape, strict=True))
    return KerasTensor(shape, dtype=a.dtype)
