"""`Tensor`: what users hold; a thin handle on a node of the graph."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Awaitable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import config, settings
from ..compile.program import check_size, from_host, realize, to_host
from ..device.lock import LOCK
from ..dtypes import host_array, narrow, promote, result_type, standardize
from ..errors import DtypeError, ShapeError
from ..graph import prims
from ..graph.node import Node, piled, toposort
from . import siblings, trace
from .array_protocol import ArrayProtocol, as_array
from .nest import flatten
from .operators import Operators

if TYPE_CHECKING:
    from .types import TensorLike

_FLUSH_AT = 512  # thousands of pending Python objects freed at once overflow the wasm stack
_PASSED, _DEEP = 4, 256  # a sum that a loop carries along is computed at every fourth step, and what is so many levels deep


class _Pending(threading.local):
    """What this thread has asked for since it computed something: how many values, and those that wait for the next run."""

    def __init__(self) -> None:
        self.count = 0
        self.full = False  # whether the last run was for the number of values alone: what it left out is in no hurry to be read
        self.waiting: dict[int, weakref.ref[Node]] = {}  # in their order: the next step asks for the same graph


_pending = _Pending()


def assigned(old: Node | None, new: Node) -> None:
    """Notes the value that a Variable gets, which is computed with whatever is computed next.

    A loop that reads its loss but not its Variables would otherwise drag every step so far along, a new graph each time.
    """
    if old is not None:
        _pending.waiting.pop(id(old), None)
    if new.src and new.buffer is None:
        _pending.waiting[id(new)] = weakref.ref(new)


def take_waiting() -> list[Node]:
    """Values that Variables wait for, and sums that loops carry along, to be computed with others now; none while a gradient is
    under way."""
    if trace.gradient_depth() or not _pending.waiting:
        return []
    nodes = [r() for r in _pending.waiting.values()]
    _pending.waiting.clear()
    return [n for n in nodes if n is not None and n.buffer is None]


def nothing_pending() -> None:
    """What was asked for has been computed."""
    _pending.count, _pending.full = 0, False


class Logits(NamedTuple):
    """What probabilities were made of: the input of a softmax over `axis`, or of a sigmoid (`axis` is None)."""

    node: Node
    axis: int | None


class Tensor(Operators["Tensor"], ArrayProtocol):
    """An array of float32, int32, uint32 or bool on the device. Operations on it run when a value is read.

    Args:
        node: What it is computed from; `pyml.convert_to_tensor` makes tensors of arrays and numbers.

    Example:
        >>> t = pyml.convert_to_tensor([[1., 2.], [3., 4.]])
        >>> (t @ t).numpy()
        array([[ 7., 10.],
               [15., 22.]], dtype=float32)
    """

    # the mask is set by layers only: which steps count; the logits by softmax and sigmoid, for cross-entropies
    __slots__ = ("__weakref__", "_keras_logits", "_keras_mask", "_node")
    __array_priority__ = 1000
    _keras_mask: Any
    _weak = False  # True of a `WeakTensor`

    def __init__(self, node: Node):
        self._node = node
        self._keras_logits: Logits | None = None
        if node.buffer is None and node.src and trace.current() is None:
            outside = trace.gradient_depth() == 0
            passed, levels = piled(node)
            # `total = total + loss` step after step, which nobody reads
            if passed >= _PASSED or (outside and (levels >= _DEEP or (passed and _pending.full))):
                node.piled &= ~0xFFFF_FFFF  # what is made of it from now on waits for little
                _pending.waiting[id(node)] = weakref.ref(node)
            if outside:
                _pending.count += 1
                if _pending.count >= _FLUSH_AT:
                    self._realize()
                    _pending.full = True

    # ---- what it is
    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis."""
        return self._node.shape

    @property
    def dtype(self) -> str:
        """The name of the dtype, such as `"float32"`."""
        return self._node.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._node.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self._node.shape)

    # ---- values
    def _value_node(self) -> Node:
        return self._node

    def _realize(self) -> None:
        nothing_pending()
        nodes = [self._node]
        if self._keras_logits is not None:  # kept as a value too: their graph would outlive everybody who needs it
            nodes.append(self._keras_logits.node)
        also = [*siblings.living(self._node), *take_waiting()]
        realize(nodes, config.device(), keep_graph=trace.gradient_depth() > 0, also=also)

    def numpy(self) -> np.ndarray:
        """The value as a numpy array; waits for the device.

        Raises:
            SyncReadError: this browser cannot wait here; write `await t.data()`.
            TraceError: called while a program is traced.

        Example:
            >>> (pyml.convert_to_tensor([1.0, 2.0]) * 2).numpy()
            array([2., 4.], dtype=float32)
        """
        trace.refuse_in_trace("numpy()", self._node)
        trace.note_reads(self._node)
        if self.size == 0:
            return np.zeros(self.shape, self.dtype)
        with LOCK, trace.tracing(None):
            if self._node.buffer is None and not config.waits():
                compute_readable(self._node)
            reading = self._reading()
            raw = self._node.buffer.device.sync_wait(reading)
        return to_host(raw, self._node)

    async def data(self) -> np.ndarray:
        """The value as a numpy array; works in every browser: `values = await t.data()`.

        Raises:
            TraceError: called while a program is traced.
        """
        trace.refuse_in_trace("data()")
        if self.size == 0:
            return np.zeros(self.shape, self.dtype)
        return to_host(await self._reading(), self._node)

    def _reading(self) -> Awaitable[bytes]:
        """The value on its way from where it lies; it is the value of now, whatever runs before it arrives."""
        with LOCK:
            if self._node.buffer is None:
                self._realize()
            return self._node.buffer.device.read(self._node.buffer, self.size * 4)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return as_array(self.numpy(), dtype, copy)

    def __reduce__(self) -> Any:
        """Pickled as its value: nodes hold functions, and memory is that of a device."""
        return convert_to_tensor, (self.numpy(), self.dtype)

    def __copy__(self) -> Tensor:
        return tensor_of(self._node, self.dtype)

    def __deepcopy__(self, memo: Any) -> Tensor:  # a value never changes
        return tensor_of(self._node, self.dtype)

    def tolist(self) -> Any:
        """The values as Python numbers in nested lists, or one number; waits, as `numpy` does."""
        return self.numpy().tolist()

    def item(self) -> Any:
        """The only element as a Python number; waits, as `numpy` does.

        Raises:
            ShapeError: There are more elements, or none.
        """
        if self.size != 1:
            raise ShapeError(f"item(): expected one element, the tensor has shape {self.shape}.")
        return self.numpy().reshape(()).item()

    def __float__(self) -> float:
        trace.refuse_in_trace("float()", self._node)
        return float(self.item())

    def __int__(self) -> int:
        trace.refuse_in_trace("int()", self._node)
        return int(self.item())

    def __index__(self) -> int:
        if "int" not in self.dtype:
            raise DtypeError(f"a {self.dtype} tensor cannot be an index; cast it to int32.")
        return int(self)

    def __bool__(self) -> bool:
        trace.refuse_in_trace("bool()", self._node)
        if trace.marks_gaps():  # by an op, which may compute something else then; what a branch of Python's gives has its gradient
            return bool(self.item())
        with trace.noting_reads(None):
            return bool(self.item())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a scalar tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        head = f"shape={self.shape}, dtype={self.dtype}"
        if trace.current() is None and self.size <= 1000:
            try:
                with trace.noting_reads(None):
                    return f"<Tensor {head}, value={np.array2string(self.numpy(), separator=', ')}>"
            except Exception:
                pass
        return f"<Tensor {head}>"

    def __format__(self, spec: str) -> str:
        return formatted(self, spec)


def formatted(tensor: Any, spec: str) -> str:
    """What `f"{tensor:spec}"` prints: a scalar as its number, anything else as it is printed."""
    if tensor.shape:
        if spec:
            raise TypeError(f"the format {spec!r} is for a number, this tensor has shape {tensor.shape}; format each of tensor.tolist().")
        return str(tensor)
    if not spec and trace.current() is not None:
        return str(tensor)  # it has no number there
    trace.refuse_in_trace("format()", tensor._node)
    with trace.noting_reads(None):
        return format(tensor.numpy()[()], spec)


class NarrowTensor(Tensor):
    """A tensor of 8- or 16-bit numbers, over a node of 32 bits; see `narrow.py`."""

    __slots__ = ("_narrow",)

    def __init__(self, node: Node, dtype: str) -> None:
        super().__init__(node)
        self._narrow = dtype

    @property
    def dtype(self) -> str:
        return self._narrow

    def numpy(self) -> np.ndarray:
        """The value as a numpy array of its dtype; bfloat16, which numpy has not, as float32."""
        return narrow_host(super().numpy() if self.size else np.zeros(self.shape, np.int32), self._narrow)

    async def data(self) -> np.ndarray:
        return narrow_host(await super().data() if self.size else np.zeros(self.shape, np.int32), self._narrow)


def tensor_of(node: Node, dtype: str) -> Tensor:
    """A node of a value of `dtype` as a tensor of it."""
    return Tensor(node) if narrow(dtype) is None else NarrowTensor(node, dtype)


def narrow_host(array: np.ndarray, dtype: str) -> np.ndarray:
    """An array of 32 bits in a dtype of 8 or 16, as far as numpy has it."""
    return array.astype("float32" if dtype == "bfloat16" else dtype)


def wrapped(node: Node, dtype: str) -> Node:
    """A node of 32 bits with the nearest values, or the lowest bits, that a dtype of 8 or 16 bits has."""
    if node.dtype == "float32":
        return prims.round_float16(node) if dtype == "float16" else prims.round_bfloat16(node)
    bits = 8 if dtype.endswith("8") else 16
    if dtype.startswith("u"):
        return prims.bitwise_and(node, prims.full(node.shape, 2**bits - 1, node.dtype))
    shift = prims.full(node.shape, 32 - bits, node.dtype)
    return prims.right_shift(prims.left_shift(node, shift), shift)


def convert_to_tensor(x: TensorLike, dtype: Any = None) -> Tensor:
    """`x` (a Tensor, Variable, numpy array, number or nested list) as a Tensor.

    64-bit data becomes 32-bit; integers that do not fit raise DtypeError.

    Example:
        >>> pyml.convert_to_tensor([[1, 2]]).shape
        (1, 2)
    """
    label = narrow(dtype) if dtype is not None else narrow(x.dtype) if isinstance(x, (np.ndarray, np.generic, Operators)) else None
    if label is None and settings.halved and dtype is None:
        label = of_python(x)
    if label is not None:
        if isinstance(x, Operators) and x.dtype == label:
            if isinstance(x, Tensor):
                return x
            as_node(x)  # a KerasTensor says that it has no value
            return x.value  # type: ignore[union-attr]
        checked = host_array(x, dtype) if isinstance(x, (np.ndarray, np.generic, list, tuple, int, float)) and not _nests(x) else x
        return NarrowTensor(wrapped(as_node(checked, label), label), label)
    node = as_node(x, dtype)
    return x if isinstance(x, Tensor) and x._node is node and type(x) is Tensor else Tensor(node)


def of_python(x: Any) -> str | None:
    """The dtype of 16 bits that floats of Python get by floatx; None of anything else."""
    if isinstance(x, (list, tuple)):
        found = flatten(list(x))
        floats = all(isinstance(v, (bool, int, float, np.number, np.ndarray, Operators)) for v in found)
        return narrow(result_type(*{getattr(v, "dtype", type(v)) for v in found})) if floats else None
    return narrow(settings.default_float()) if isinstance(x, float) else None


def _nests(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(isinstance(v, Operators) for v in x)


def as_node(x: Any, dtype: Any = None) -> Node:
    """The node of anything tensor-like. Numbers become constants, arrays are uploaded at once.

    Args:
        x: A tensor, a variable, an array, a number or nested lists of them.
        dtype: Name of the node's dtype; by default that of `x`.

    Example:
        >>> pyml.core.as_node(2.0).shape
        ()
    """
    dtype = standardize(dtype) if dtype is not None else None
    if isinstance(x, Tensor):
        node = x._node
    elif isinstance(x, Node):
        node = x
    elif isinstance(x, Operators):  # a Variable; a KerasTensor says that it has no value
        node = x._value_node()
    elif isinstance(x, (bool, int, float, np.generic)):
        array = host_array(x, dtype)
        return prims.const(array.item(), array.dtype.name)
    elif isinstance(x, (list, tuple)) and any(isinstance(v, Operators) for v in x):
        node = _stacked([as_node(v) for v in x])
    else:
        if isinstance(x, np.ndarray) and x.size > 1 << 26:  # before it is copied: views of little memory may be as large as they like
            check_size(x.size * 4, f"an array of shape {x.shape}", config.device())
        return upload(host_array(x, dtype))
    return node if dtype is None else prims.cast(node, dtype=dtype)


def _stacked(nodes: list[Node]) -> Node:
    """Nodes of the same shape as the rows of one."""
    if any(n.shape != nodes[0].shape for n in nodes):
        raise ShapeError(f"a list of tensors needs one shape for all. Received the shapes {', '.join(str(n.shape) for n in nodes)}.")
    dtype = promote(*(n.dtype for n in nodes))
    return prims.concat([prims.reshape(prims.cast(n, dtype=dtype), (1, *n.shape)) for n in nodes], 0)


def upload(array: np.ndarray) -> Node:
    """A leaf holding `array`."""
    if array.ndim == 0:
        return prims.const(array.item(), array.dtype.name)
    device = config.readable()  # where WebGPU cannot be waited for it gets the array with the first program that takes it
    node = allocated(array.shape, array.dtype.name, device)
    if array.size:
        with LOCK:
            device.write(node.buffer, from_host(array))
    return node


def compute_readable(node: Node) -> None:
    """Computes a value that cannot be waited for where it can, if nothing that it is made of lies on the device in use."""
    needed = toposort([node], stop=lambda n: n.buffer is not None)
    if not any(n.buffer is not None and n.buffer.device is config.device() for n in needed):
        realize([node], config.readable(), keep_graph=trace.gradient_depth() > 0)


def allocated(shape: tuple[int, ...], dtype: str, device: Any = None) -> Node:
    """A leaf with memory of its own, by default of the device in use, which the caller fills before anybody reads it."""
    check_size(prod(shape) * 4, f"an array of shape {shape}", config.device())
    device = device or config.device()
    node = Node(prims.BUFFER, (), {"shape": shape, "dtype": dtype}, shape, dtype)
    with LOCK:
        node.buffer = device.alloc(prod(shape) * 4)
    return node


def broadcast_shapes(*shapes: tuple[int, ...], what: str = "operands") -> tuple[int, ...]:
    found = shapes[0] if shapes else ()
    for shape in shapes:
        if shape == found:
            continue
        wide, thin = (found, shape) if len(found) >= len(shape) else (shape, found)
        lead = len(wide) - len(thin)
        sizes = [b if a == 1 else a for a, b in zip(wide[lead:], thin, strict=True)]
        found = (*wide[:lead], *sizes)
        if [n for n, m in zip(thin, sizes, strict=True) if n not in (1, m)]:  # those of `wide` are 1 or stayed
            raise ShapeError(f"{what}: shapes {' and '.join(map(str, shapes))} do not broadcast together.")
    return found


def elementwise_nodes(*xs: Any, dtype: str | None = None, what: str = "operands") -> list[Node]:
    """Nodes of the same shape and one dtype; Python numbers take the dtype of the tensors."""
    weak = [x._weak if isinstance(x, Tensor) else isinstance(x, (bool, int, float)) for x in xs]
    nodes = [as_node(x) for x in xs]
    if dtype is None:
        strong = [n.dtype for n, w in zip(nodes, weak, strict=True) if not w]
        dtype = promote(*(strong or [n.dtype for n in nodes]))
        for n, w in zip(nodes, weak, strict=True):
            if w and n.dtype == "float32":
                dtype = promote(dtype, "float32")
            elif w and n.dtype != "bool":
                dtype = promote(dtype, "int32") if dtype == "bool" else dtype
    shape = broadcast_shapes(*[n.shape for n in nodes], what=what)
    return [prims.broadcast_to(prims.cast(n, dtype=dtype), shape) for n in nodes]
