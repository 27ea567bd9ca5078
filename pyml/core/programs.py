"""`@program`: traces a function once per kind of arguments, then replays it in one submit."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from .. import config
from ..compile.plan import graph_key, make_plan
from ..compile.program import Bound, check_size, from_host, lower, plan_for, weight
from ..device.base import Copy
from ..device.lock import LOCK
from ..dtypes import host_array
from ..graph.node import Node
from ..graph.prims import BUFFER, CONST
from ..recent import Recent
from . import trace
from . import variable as variables
from .nest import flatten, pack, structure
from .tensor import Logits, Tensor, upload
from .variable import Variable

_MANY = 8  # traces of one function before a warning
MOST = 512  # kernels of all captures of a function, each capture weighing as two more: 170 shapes of the smallest function
LEAST = 16  # captures kept however many kernels they have: a training step for that many shapes of batches


class Capture:
    """One traced and compiled call: the plan, the Variables it reads and writes, the form of its result."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> None:
        self.device = config.device()
        t = trace.Trace()
        tensors = []
        for leaf in leaves:
            if isinstance(leaf, Variable) or (isinstance(leaf, Tensor) and leaf._node.op is not CONST):
                tensors.append(Tensor(t.input(leaf.shape, leaf.dtype)))
            elif isinstance(leaf, np.ndarray):
                tensors.append(Tensor(t.input(leaf.shape, leaf.dtype.name)))
            else:
                tensors.append(leaf)
        for i, logits in logits_among(leaves):  # they are arguments of their own, behind the others
            tensors[i]._keras_logits = Logits(t.input(logits.node.shape, logits.node.dtype), logits.axis)
        call_args, call_kwargs = pack((args, kwargs), tensors)
        with trace.tracing(t):
            result = fn(*call_args, **call_kwargs)
        self.result = result
        values = flatten(result)
        self.returned = [i for i, v in enumerate(values) if isinstance(v, (Tensor, Variable))]
        roots = [t.read(v) if isinstance(v, Variable) else v._node for v in (values[i] for i in self.returned)]
        self.values = [None if i in set(self.returned) else v for i, v in enumerate(values)]
        made_of = logits_among(values)  # results too, behind the others
        roots += [logits.node for _, logits in made_of]
        self.made_of = [(i, logits.axis) for i, logits in made_of]
        self.out_types = [(r.shape, r.dtype) for r in roots]
        written = [(v, n) for v, n in t.writes.values() if n is not t.states[id(v)][1]]
        n_out = len(roots)
        roots = roots + [n for _, n in written]
        key, leaf_nodes, _ = graph_key(roots, lift=False)
        self.leaves = list(leaf_nodes)
        states = {node.attrs["index"]: v for v, node in t.states.values()}
        # where each leaf's buffer comes from: an argument, a Variable, or a tensor of the closure
        self.sources: list[tuple[str, Any]] = []
        for node in self.leaves:
            if node.buffer is not None:
                self.sources.append(("closure", node))
            elif node.op.name == "input":
                self.sources.append(("input", node.attrs["index"]))
            else:
                self.sources.append(("state", states[node.attrs["index"]]))
        number = {id(src): i for i, (kind, src) in enumerate(self.sources) if kind == "state"}
        writes = {}
        extra = []
        for j, (v, _) in enumerate(written):
            if id(v) not in number:  # written but never read
                number[id(v)] = len(self.sources)
                self.sources.append(("state", v))
                extra.append(t.states[id(v)][1])
            writes[n_out + j] = number[id(v)]
        self.states = [src for kind, src in self.sources if kind == "state"]
        self.written = [v for v, _ in written]
        all_leaves = self.leaves + extra
        plan_key = (key, self.device.profile, tuple(sorted(writes.items())), len(all_leaves))
        self.plan = plan_for(plan_key, lambda: make_plan(roots, self.device.profile, list(all_leaves), writes))
        self.inputs = t.inputs
        self.owned: dict[int, Any] = {}  # argument number -> buffer of the program's own
        self.direct: dict[int, Any] = {}  # argument number -> buffer of a Tensor that is bound as it is
        self.bound: Bound | None = None
        self.version = -1
        self.results: list[weakref.ref] = []

    # ---- one call
    def run(self, arrays: list) -> Any:
        changed = variables.version != self.version
        if changed:
            variables.settle(self.states)
        if variables.lent:
            variables.protect(self.written)
        if self.results:
            self._keep_results()
        rebind = self.bound is None
        for i, value in enumerate(arrays):
            rebind |= self._take(i, value)
        if changed:
            fresh = [v._buffer for v in self.states]
            if self.bound is None or any(a is not b for a, b in zip(fresh, self.state_buffers, strict=True)):
                rebind = True
            self.version = variables.version
        if rebind:
            self._bind()
        self.bound.run()  # type: ignore[union-attr]
        return self._give()

    def _take(self, i: int, value: Any) -> bool:
        """Brings argument `i` to the device; whether buffers must be bound again."""
        device = self.device
        if isinstance(value, np.ndarray):
            rebind = i not in self.owned
            if rebind:
                check_size(value.nbytes, f"argument {i} of shape {value.shape}", device)
                self.owned[i] = device.alloc(value.size * 4)
                self.direct.pop(i, None)
            if value.size:
                device.write(self.owned[i], from_host(value))
            return rebind
        node = value._node if isinstance(value, Tensor) else value._value_node()
        if node.buffer is None:
            (value if isinstance(value, Tensor) else Tensor(node))._realize()
        if i in self.owned:
            device.replay(device.record([Copy(node.buffer, self.owned[i], node.size * 4)]))
            return False
        if i not in self.direct:
            self.direct[i] = node.buffer
            return True
        if self.direct[i] is not node.buffer:  # another tensor each call: copy from now on
            del self.direct[i]
            self.owned[i] = device.alloc(node.size * 4)
            device.replay(device.record([Copy(node.buffer, self.owned[i], node.size * 4)]))
            return True
        return False

    def _bind(self) -> None:
        buffers = []
        for kind, src in self.sources:
            if kind == "closure":
                buffers.append(src.buffer)
            elif kind == "state":
                buffers.append(src._buffer)
            else:
                buffers.append(self.owned[src] if src in self.owned else self.direct[src])
        self.state_buffers = [v._buffer for v in self.states]
        self.bound = None  # lets the old buffers go before new ones are taken
        self.bound = Bound(self.plan, self.device, buffers)

    def _keep_results(self) -> None:
        """Results of the last call that somebody still holds are copied before they are overwritten."""
        for ref in self.results:
            node = ref()
            if node is not None and node.buffer is not None and node.size:
                own = self.device.alloc(node.size * 4)
                self.device.replay(self.device.record([Copy(node.buffer, own, node.size * 4)]))
                node.buffer = own
        self.results = []

    def _give(self) -> Any:
        if not self.returned:
            return self.result if not self.values else pack(self.result, self.values)
        out: list[Any] = list(self.values)
        given: dict = {}
        nodes = []
        for ref, (shape, dtype) in zip(self.plan.out_refs, self.out_types, strict=False):
            node = given.get(ref)
            if node is None or node.shape != shape:
                node = Node(BUFFER, (), {"shape": shape, "dtype": dtype}, shape, dtype)
                node.buffer = self.bound.at(ref) if ref[0] != "none" else self.device.alloc(0)  # type: ignore[union-attr]
                given[ref] = node
            nodes.append(node)
        for i, node in zip(self.returned, nodes, strict=False):
            out[i] = Tensor(node)
        for (i, axis), node in zip(self.made_of, nodes[len(self.returned) :], strict=True):
            out[i]._keras_logits = Logits(node, axis)
        self.results = [weakref.ref(n) for n in given.values()]
        return pack(self.result, out)


def logits_among(values: list) -> list[tuple[int, Logits]]:
    """The tensors among `values` that know what they were made of: their places, and that."""
    return [(i, v._keras_logits) for i, v in enumerate(values) if isinstance(v, Tensor) and v._keras_logits is not None]


class Program:
    """A function that is traced once per kind of arguments and then replayed; see `program`.

    Example:
        >>> double = pyml.core.Program(lambda x: x * 2)
        >>> double(np.ones(2)).numpy()
        array([2., 2.], dtype=float32)
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.name = name or getattr(fn, "__name__", "program")
        self.captures: Recent[Capture] = Recent(MOST, lambda capture: weight(capture.plan), least=LEAST)
        self.per_instance: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self.last_plan: Any = None

    def __get__(self, instance: Any, owner: type | None = None) -> Program:
        if instance is None:
            return self
        if instance not in self.per_instance:
            ref = weakref.ref(instance)
            fn = self.fn
            self.per_instance[instance] = Program(lambda *a, **k: fn(ref(), *a, **k), self.name)
        return self.per_instance[instance]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if trace.current() is not None or not config.replaying():
            return self.fn(*args, **kwargs)  # inner programs inline
        with LOCK:
            capture, arrays = self._look_up(args, kwargs)
            self.last_plan = capture.plan
            return capture.run(arrays)

    def _look_up(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Capture, list]:
        """The capture for these arguments, traced if there is none yet, and the arrays among them."""
        if not args and not kwargs:  # a step of fit, where every microsecond counts
            alone = (0, (), id(config.device()))
            return self.captures.get(alone) or self.captures.put(alone, self._capture(args, kwargs, [])), []
        nested = bool(kwargs) or any(isinstance(a, (list, tuple, dict)) for a in args)
        leaves = flatten((args, kwargs)) if nested else list(args)
        key_parts: list = []
        arrays: list = []
        for i, leaf in enumerate(leaves):
            if isinstance(leaf, (np.ndarray, np.generic)):
                leaves[i] = leaf = host_array(leaf)
                key_parts.append((leaf.shape, leaf.dtype.char))
                arrays.append(leaf)
            elif isinstance(leaf, (Tensor, Variable)):
                if isinstance(leaf, Tensor) and leaf._node.op is CONST:
                    key_parts.append(("tensor", leaf.dtype, leaf._node.attrs["value"], leaf.shape))
                    continue
                key_parts.append(("tensor", leaf.shape, leaf.dtype))
                arrays.append(leaf)
            else:
                key_parts.append((type(leaf), leaf))
        for i, logits in logits_among(leaves):
            key_parts.append(("logits", i, logits.axis))
            arrays.append(Tensor(logits.node))
        key = (structure((args, kwargs)) if nested else len(args), tuple(key_parts), id(config.device()))
        try:
            capture = self.captures.get(key)
        except TypeError:
            bad = next(x for x in leaves if getattr(x, "__hash__", None) is None)
            raise TypeError(f"program {self.name!r}: an argument of type {type(bad).__name__} is neither a tensor nor hashable.") from None
        if capture is None:
            capture = self.captures.put(key, self._capture(args, kwargs, leaves))
        return capture, arrays

    def _capture(self, args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> Capture:
        if len(self.captures) == _MANY:
            warnings.warn(
                f"program {self.name!r} was traced {_MANY} times: Python numbers and shapes are part of what it is traced "
                "for. Pass a number that changes as a Variable or an array.",
                stacklevel=3,
            )
        return Capture(self.fn, args, kwargs, leaves)

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Traces for these arguments and compiles all kernels side by side, without running anything."""
        device = config.device()
        with LOCK:
            capture, _ = self._look_up(args, kwargs)
            kernels = lower(capture.plan, device)
        await device.prepare(kernels)

    def explain(self) -> str:
        """One line per dispatch of the last call's plan."""
        return self.last_plan.explain() if self.last_plan is not None else f"{self.name}: not called yet"


@overload
def program(fn: Callable[..., Any], *, name: str | None = None) -> Program: ...


@overload
def program(fn: None = None, *, name: str | None = None) -> Callable[[Callable[..., Any]], Program]: ...


def program(fn: Callable[..., Any] | None = None, *, name: str | None = None) -> Program | Callable[[Callable[..., Any]], Program]:
    """Makes a function of tensors into a program: traced at the first call, replayed at the next ones.

    A new trace is made for every new combination of argument structure, shapes, dtypes and Python values.
    Variables that the function assigns are written on the device; tensors it returns are the caller's to keep.
    Python side effects happen at tracing only.

    Args:
        fn: A function (or method) of tensors, arrays, nested structures of them, and hashable Python values.

    Returns:
        A `Program` with the same signature, and `explain()`.

    Source: `jax.jit`, `tf.function`.

    Example:
        >>> @pyml.program
        ... def step(x):
        ...     return (x * 2).sum()
        >>> float(step(np.ones(3)))
        6.0
    """
    if fn is None:
        return lambda f: Program(f, name)
    return Program(fn, name)


__all__ = ["Program", "program", "upload"]
