"""`Capture`: one traced and compiled call of a program, and its replay."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import config
from ..compile.plan import Plan, graph_key, make_plan
from ..compile.program import Bound, check_size, from_host, plan_for
from ..device.base import Buffer, Copy, brought
from ..dtypes import standardize
from ..graph.node import Node
from ..graph.op import Profile
from ..graph.prims import BUFFER, CONST
from ..graph.prims.leaf import ended_trace
from . import memory, trace
from .nest import flatten, pack
from .tensor import Logits, Tensor, tensor_of
from .variable import Variable

Source = Node | Variable | int  # whose buffer a leaf of the plan has: a tensor of the closure, a Variable, an argument


class Form:
    """What a call gives back: the result as it was traced, and which of its values are the device's."""

    def __init__(self, result: Any, t: trace.Trace) -> None:
        values = flatten(result)
        self.tensors = [i for i, v in enumerate(values) if isinstance(v, (Tensor, Variable))]
        self.labels = [values[i].dtype for i in self.tensors]
        roots = [t.read(v) if isinstance(v, Variable) else v._node for v in (values[i] for i in self.tensors)]
        self.values: list[Any] = [None if isinstance(v, (Tensor, Variable)) else v for v in values]
        made_of = logits_among(values)  # results too, behind the others
        self.made_of = [(i, logits.axis) for i, logits in made_of]
        self.roots: list[Node] = roots + [logits.node for _, logits in made_of]
        self.types = [(r.shape, r.dtype) for r in self.roots]
        self.result = pack(result, self.values)  # its structure alone: the tensors of a trace would keep all of its graph

    def filled(self, nodes: list[Node]) -> Any:
        """The result with these nodes in the places of the roots."""
        out: list[Any] = list(self.values)
        for i, node, label in zip(self.tensors, nodes, self.labels, strict=False):
            out[i] = tensor_of(node, label)
        for (i, axis), node in zip(self.made_of, nodes[len(self.tensors) :], strict=True):
            out[i]._keras_logits = Logits(node, axis)
        return pack(self.result, out)


class Traced:
    """A call as a graph: its roots are the results and what is written to Variables; each leaf has a source."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> None:
        t = trace.Trace()
        self.form = Form(_traced(fn, args, kwargs, leaves, t), t)
        written = [(v, node) for v, node in t.writes.values() if node is not t.states[id(v)][1]]
        self.written: list[Variable] = [v for v, _ in written]
        self.roots = self.form.roots + [node for _, node in written]
        self.key, found, _ = graph_key(self.roots, lift=False)
        self.sources = _sources(found, t)
        number = {id(source): i for i, source in enumerate(self.sources) if isinstance(source, Variable)}
        self.nodes = list(found)  # the leaves of the plan
        for v in self.written:
            if id(v) not in number:  # written but never read
                number[id(v)] = len(self.nodes)
                self.nodes.append(t.states[id(v)][1])
                self.sources.append(v)
        self.writes = {len(self.form.roots) + j: number[id(v)] for j, v in enumerate(self.written)}
        self.inputs = [(node.shape, node.dtype) for node in t.inputs]

    def plan(self, profile: Profile) -> Plan:
        """The graph's plan for an adapter."""
        return make_plan(self.roots, profile, self.nodes, self.writes)


class Capture:
    """One traced and compiled call: the plan, the Variables it reads and writes, the form of its result."""

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> None:
        self.device = config.device()
        found = Traced(fn, args, kwargs, leaves)
        self.form, self.sources, self.written = found.form, found.sources, found.written
        plan_key = (found.key, tuple(sorted(found.writes.items())), len(found.nodes))
        self.plan = plan_for(plan_key, self.device.profile, found.plan)
        self.form.roots = []  # a capture keeps no graph
        self.states = [source for source in self.sources if isinstance(source, Variable)]
        self.state_buffers: list[Buffer] = []
        self.owned: dict[int, Any] = {}  # argument number -> buffer of the program's own
        self.direct: dict[int, Any] = {}  # argument number -> buffer of a Tensor that is bound as it is
        self.bound: Bound | None = None
        self.version = -1
        self.results: list[weakref.ref[Node]] = []

    # ---- one call
    def run(self, arrays: list[Any]) -> Any:
        """One call: takes the arguments, binds again where buffers have changed, replays, and returns the results."""
        changed = memory.version != self.version
        if changed:
            memory.settle(self.states)
        if memory.lent:
            memory.protect(self.written)
        if self.results:
            self._keep_results()
        rebind = self.bound is None
        for i, value in enumerate(arrays):
            rebind |= self._take(i, value)
        if changed:
            fresh = [v._buffer for v in self.states]
            if self.bound is None or any(a is not b for a, b in zip(fresh, self.state_buffers, strict=True)):
                rebind = True
            self.version = memory.version
        bound = self._bind() if rebind or self.bound is None else self.bound
        bound.run()
        return self._give(bound)

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
        if node.buffer.device is not device:
            node.buffer = brought(node.buffer, device)
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

    def _bind(self) -> Bound:
        self.state_buffers = [v._buffer for v in self.states]
        self.bound = None  # lets the old buffers go before new ones are taken
        self.bound = Bound(self.plan, self.device, [self._buffer_of(source) for source in self.sources])
        return self.bound

    def _buffer_of(self, source: Source) -> Buffer:
        if isinstance(source, Node):
            source.buffer = brought(source.buffer, self.device)
            return source.buffer
        if isinstance(source, Variable):
            return source._buffer
        return self.owned[source] if source in self.owned else self.direct[source]

    def _keep_results(self) -> None:
        """Results of the last call that somebody still holds are copied before they are overwritten."""
        for ref in self.results:
            node = ref()
            if node is not None and node.buffer is not None and node.size and node.buffer.device is self.device:
                own = self.device.alloc(node.size * 4)
                self.device.replay(self.device.record([Copy(node.buffer, own, node.size * 4)]))
                node.buffer = own
        self.results = []

    def _give(self, bound: Bound) -> Any:
        """The results of a run in the structure that the function returned."""
        form = self.form
        if not form.tensors:
            return form.result if not form.values else pack(form.result, form.values)
        given: dict[tuple[str, int], Node] = {}
        nodes = []
        for ref, (shape, dtype) in zip(self.plan.out_refs, form.types, strict=False):
            node = given.get(ref)
            if node is None or node.shape != shape:
                node = Node(BUFFER, (), {"shape": shape, "dtype": dtype}, shape, dtype)
                node.buffer = bound.at(ref) if ref[0] != "none" else self.device.alloc(0)
                given[ref] = node
            nodes.append(node)
        self.results = [weakref.ref(n) for n in given.values()]
        return form.filled(nodes)


def _traced(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any], t: trace.Trace) -> Any:
    """What `fn` returns when the arrays among its arguments are inputs of the trace."""
    tensors: list[Any] = []
    for leaf in leaves:
        if isinstance(leaf, Variable) or (isinstance(leaf, Tensor) and leaf._node.op is not CONST):
            tensors.append(tensor_of(t.input(leaf.shape, standardize(leaf.dtype)), leaf.dtype))
            if isinstance(leaf, Variable) and leaf.trainable:
                t.trainable.append(t.inputs[-1])
        elif isinstance(leaf, np.ndarray):
            tensors.append(Tensor(t.input(leaf.shape, leaf.dtype.name)))
        else:
            tensors.append(leaf)
    for i, logits in logits_among(leaves):  # they are arguments of their own, behind the others
        tensors[i]._keras_logits = Logits(t.input(logits.node.shape, logits.node.dtype), logits.axis)
    call_args, call_kwargs = pack((args, kwargs), tensors)
    with trace.tracing(t):
        return fn(*call_args, **call_kwargs)


def _sources(leaves: list[Node], t: trace.Trace) -> list[Source]:
    """Where the buffer of each leaf comes from."""
    inputs, states = set(map(id, t.inputs)), {id(node): v for v, node in t.states.values()}
    found: list[Source] = []
    for node in leaves:
        if node.buffer is not None:
            found.append(node)
        elif id(node) in states:
            found.append(states[id(node)])
        elif id(node) in inputs:
            found.append(node.attrs["index"])
        else:
            raise ended_trace()
    return found


def logits_among(values: list[Any]) -> list[tuple[int, Logits]]:
    """The tensors among `values` that know what they were made of: their places, and that."""
    return [(i, v._keras_logits) for i, v in enumerate(values) if isinstance(v, Tensor) and v._keras_logits is not None]


__all__ = ["Capture", "Traced", "logits_among"]
