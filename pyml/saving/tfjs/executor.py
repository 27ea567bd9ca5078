"""Runs a graph: what the device can do becomes one Program a stage; what needs values on the host runs between stages.

Before anything runs, each node gets a kind and a stage. A *constant* node is computed once, on loading. A *shape* node
(sizes of device values, and arithmetic on them) is computed while a Program is traced. A *host* node reads values: the
condition of a loop, the boxes that suppression keeps. Everything else is a *device* node. A device value that a host
node reads, or that a later Program needs as a size, ends its stage. A network without such reads is one Program.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ... import ops
from ...core.programs import Program
from ...core.tensor import Tensor, convert_to_tensor
from ..files import ModelFileError
from .rules import DEAD, HOST, RULES, Dead, Rule, Turns, Value, Xp, check_count, finish
from .topology import Graph, Node, Ref, order_of

CONST, SHAPE, HOST_KIND, DEVICE = "const", "shape", "host", "device"
_MOST_DEEP = 64
T = TypeVar("T")
Reading: TypeAlias = Generator[list[Tensor], list[np.ndarray], T]  # asks for the values of tensors
Weights: TypeAlias = dict[tuple[int, Ref], Tensor]  # of graphs by their `id`
Uses: TypeAlias = dict[Ref, set[tuple[int, str]]]  # in which stages, and how


@dataclass(frozen=True)
class Frozen:
    """A host value that a Program is traced for: compared by its bytes."""

    data: bytes
    shape: tuple[int, ...]
    dtype: str

    def array(self) -> np.ndarray:
        return np.frombuffer(self.data, self.dtype).reshape(self.shape)


@dataclass
class Stage:
    """Host nodes, then one Program of device and shape nodes: what it takes, traced for (`fixed`), and gives."""

    host: list[Node] = field(default_factory=list)
    traced: list[Node] = field(default_factory=list)
    taken: list[Ref] = field(default_factory=list)
    fixed: list[Ref] = field(default_factory=list)
    given: list[Ref] = field(default_factory=list)
    program: Any = None


class Executor:
    """Runs the nodes that `outputs` need.

    Args:
        graph: The graph.
        outputs: What to compute.
        feeds: What is given.
        on_device: For each feed, whether its values are tensors on the device.
        weights: Device copies of constants, shared by all executors of a model.
        depth: How many graphs run this one.

    Raises:
        ModelFileError: The graph is cyclic, or runs itself.
    """

    def __init__(self, graph: Graph, outputs: list[Ref], feeds: list[Ref], on_device: list[bool], weights: Weights, depth: int = 0):
        if depth > _MOST_DEEP:
            raise ModelFileError(f"{graph.where}: functions call each other more than {_MOST_DEEP} deep.")
        self.depth = depth
        self.graph, self.outputs, self.feeds = graph, outputs, feeds
        self.weights = weights
        self.order = order_of(graph, outputs, set(feeds))
        self.constants: dict[str, list[Value]] = {}
        self.inner: dict[Any, Executor] = {}
        self._sort(on_device)

    # ---- which node runs when
    def _sort(self, on_device: list[bool]) -> None:
        """Puts every node on the host or the device, and into stages between which values are read."""
        kind: dict[Ref | str, str] = {}
        level: dict[Ref | str, int] = {}
        dynamic: set[Ref | str] = set()  # host values whose shapes differ from run to run
        for ref, device in zip(self.feeds, on_device, strict=True):
            kind[ref], level[ref] = (DEVICE if device else HOST_KIND), 0
        used: Uses = {}
        stages: dict[int, Stage] = {}
        for node in self.order:
            if node.op == "Const":
                kind[node.name], level[node.name] = CONST, 0
                self.constants[node.name] = [node.value]
                continue
            rule = RULES[node.op]
            refs: list[Ref | str] = [r if r in kind else r[0] for r in node.inputs]
            refs += [c for c in node.controls if c in kind]
            kinds = [kind[r] for r in refs]
            n = len(node.inputs)
            static = {i % n for i in rule.static if -n <= i < n}
            mine, is_dynamic = self._kind(rule, refs, kinds, dynamic)
            kind[node.name] = mine
            if is_dynamic:
                dynamic.add(node.name)
            if mine == CONST:
                level[node.name] = 0
                self.constants[node.name] = self._apply(node, rule, HOST, [self._constant(r) for r in node.inputs])
                continue
            mine_level = 0
            for i, (r, k) in enumerate(zip(refs, kinds, strict=True)):
                wait = (k == DEVICE and (mine == HOST_KIND or i in static)) or (k == SHAPE and mine == HOST_KIND)
                mine_level = max(mine_level, level[r] + wait)
            level[node.name] = mine_level
            stage = stages.setdefault(mine_level, Stage())
            (stage.host if mine == HOST_KIND else stage.traced).append(node)
            for i, r in enumerate([*node.inputs, *((c, 0) for c in node.controls)]):
                used.setdefault(r, set()).add((mine_level, "host" if mine == HOST_KIND else "fixed" if i in static or i >= n else "taken"))
        self.kind, self.level = kind, level
        self._connect(stages, used)

    def _kind(self, rule: Rule, refs: list[Ref | str], kinds: list[str], dynamic: set[Ref | str]) -> tuple[str, bool]:
        """Where a node is computed, and whether the shape of its result differs from run to run."""
        if rule.host:
            return (CONST, False) if rule.pure and all(k == CONST for k in kinds) else (HOST_KIND, True)
        if rule.shape_only:
            if all(k == CONST for k in kinds):
                return CONST, False
            return (HOST_KIND, False) if HOST_KIND in kinds and DEVICE not in kinds else (SHAPE, False)
        if rule.device:
            return DEVICE, False
        if all(k == CONST for k in kinds):
            return CONST, False
        moving = any(r in dynamic for r in refs)
        if DEVICE in kinds:
            return (HOST_KIND, True) if moving else (DEVICE, False)
        return (HOST_KIND, moving) if HOST_KIND in kinds else (SHAPE, False)

    def _connect(self, stages: dict[int, Stage], used: Uses) -> None:
        """What crosses from stage to stage."""
        wanted = set(self.outputs)
        for ref, uses in used.items():
            key = ref if ref in self.kind else ref[0]
            if self.kind[key] == CONST:
                continue
            mine, is_host = self.level[key], self.kind[key] == HOST_KIND
            traced_here = not is_host and ref not in self.feeds
            for at, how in uses:
                if how == "host":
                    if traced_here:
                        wanted.add(ref)
                    continue
                if traced_here and at == mine:
                    continue
                if traced_here:
                    wanted.add(ref)
                stage = stages[at]
                # sizes are part of what a Program is traced for, values are its arguments
                target = stage.fixed if how == "fixed" or self.kind[key] == SHAPE else stage.taken
                if ref not in target:
                    target.append(ref)
        for ref in wanted:
            key = ref if ref in self.kind else ref[0]
            if ref not in self.feeds and self.kind[key] in (DEVICE, SHAPE):
                stages[self.level[key]].given.append(ref)
        self.stages = [stages[i] for i in sorted(stages)]
        for number, stage in enumerate(self.stages):
            stage.given.sort()
            stage.program = Program(self._tracer(stage), name=f"stage {number}")

    # ---- values
    def _constant(self, ref: Ref) -> Value:
        return _pick(self.constants[ref[0]], ref)

    def _weight(self, ref: Ref) -> Tensor:
        """A constant as the device takes it: uploaded once; one repeated number needs no memory."""
        key = (id(self.graph), ref)
        if key not in self.weights:
            value = self._constant(ref)
            if value is DEAD or value.dtype == object:
                raise ModelFileError(f"{self.graph.where}: constant {ref[0]!r} holds text, which cannot be computed with.")
            value = finish(value)
            if 0 < value.size <= 65536 and (value == value.flat[0]).all():
                self.weights[key] = ops.full(value.shape, value.flat[0].item(), value.dtype.name)
            else:
                self.weights[key] = convert_to_tensor(value)
        return self.weights[key]

    def _apply(self, node: Node, rule: Rule, xp: Xp, inputs: list[Value]) -> list[Value]:
        if not rule.dead and any(x is DEAD for x in inputs):
            return [DEAD]
        try:
            with np.errstate(all="ignore"):
                result = rule.fn(node, xp, *inputs)
            for value in result if isinstance(result, (list, tuple)) else [result]:
                if isinstance(value, (Tensor, np.ndarray)):
                    check_count(value.shape, node.op)  # of tensors: before the device has done anything
        except Exception as e:
            raise self._error(node, inputs, e) from e
        return _listed(result)

    def _error(self, node: Node, inputs: list[Value], e: Exception) -> Exception:
        if isinstance(e, (ModelFileError, MemoryError)):
            return e
        shapes = ", ".join(str(tuple(getattr(x, "shape", ()))) for x in inputs)
        return ModelFileError(f"{self.graph.where}: node {node.name!r} ({node.op}) of inputs {shapes} cannot run: {e}.")

    def _tracer(self, stage: Stage) -> Callable[..., tuple[Value, ...]]:
        """The function of a stage's traced nodes: device values and host values in, the values that others need out."""

        def run(taken: dict[Ref, Tensor], fixed: dict[Ref, Frozen | Dead]) -> tuple[Value, ...]:
            env: dict[str, list[Value]] = {}

            def value(ref: Ref, static: bool) -> Value:
                if ref[0] in self.constants:
                    return self._constant(ref) if static else self._weight(ref)
                if static and ref in fixed:
                    return _thaw(fixed[ref])
                if ref in taken:
                    return taken[ref]
                if ref in fixed:
                    return _thaw(fixed[ref])
                return _pick(env[ref[0]], ref)

            for node in stage.traced:
                rule, n = RULES[node.op], len(node.inputs)
                static = {i % n for i in rule.static if -n <= i < n}
                on_host = self.kind[node.name] == SHAPE
                inputs = [value(r, on_host or rule.shape_only or i in static) for i, r in enumerate(node.inputs)]
                if any(value((c, 0), True) is DEAD for c in node.controls):
                    env[node.name] = [DEAD]
                    continue
                env[node.name] = self._apply(node, rule, HOST if on_host else ops, inputs)
            return tuple(_own(_pick(env[r[0]], r)) for r in stage.given)

        return run

    def run(self, values: list[Value]) -> Reading[list[Value]]:
        """Computes the outputs, as a generator: it yields lists of tensors to read, and is sent their arrays."""
        env: dict[Ref, Value] = dict(zip(self.feeds, values, strict=True))

        def known(ref: Ref) -> Value:
            return self._constant(ref) if ref[0] in self.constants and ref not in env else env[ref]

        for stage in self.stages:
            yield from self._host_nodes(stage, env, known)
            if not stage.traced:
                continue
            waiting = [r for r in stage.fixed if isinstance(env[r], Tensor)]
            if waiting:
                for r, array in zip(waiting, (yield [env[r] for r in waiting]), strict=True):
                    env[r] = array
            taken = {r: env[r] for r in stage.taken if not isinstance(env[r], type(DEAD))}
            fixed = {r: _freeze(env[r]) for r in [*stage.fixed, *(r for r in stage.taken if env[r] is DEAD)]}
            for ref, result in zip(stage.given, stage.program(taken, fixed), strict=True):
                env[ref] = result.array() if isinstance(result, Frozen) else result
        return [finish(known(r)) for r in self.outputs]

    def _host_nodes(self, stage: Stage, env: dict[Ref, Value], known: Callable[[Ref], Value]) -> Reading[None]:
        """Computes a stage's nodes on the host; yields tensors whose values must be read first."""
        for node in stage.host:
            rule = RULES[node.op]
            inputs = [known(r) for r in node.inputs]
            kept = range(len(inputs)) if rule.keep == "all" else rule.keep
            waiting = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and i not in kept]
            if waiting and not rule.shape_only:
                for i, array in zip(waiting, (yield [inputs[i] for i in waiting]), strict=True):
                    inputs[i] = array
            if any(known((c, 0)) is DEAD for c in node.controls):
                results = [DEAD]
            else:
                results = self._apply(node, rule, HOST, inputs)
                if len(results) == 1 and inspect.isgenerator(results[0]):
                    results = _listed((yield from self._drive(results[0], node, inputs)))
            for i in range(max(len(results), 1 + max((r[1] for r in self._read_from(node)), default=0))):
                env[node.name, i] = _pick(results, (node.name, i))

    def _read_from(self, node: Node) -> Sequence[Ref]:
        if not hasattr(self, "_reads"):
            self._reads: dict[str, list[Ref]] = {}
            for other in self.order:
                for ref in other.inputs:
                    self._reads.setdefault(ref[0], []).append(ref)
            for ref in self.outputs:
                self._reads.setdefault(ref[0], []).append(ref)
        return self._reads.get(node.name, ())

    def _drive(self, generator: Turns, node: Node, inputs: list[Value]) -> Reading[Value]:
        """Runs control flow: it asks for the value of a tensor, or for a graph to be run."""
        answer: Value = None
        while True:
            try:
                asked = generator.send(answer)
            except StopIteration as end:
                return end.value
            except Exception as e:
                raise self._error(node, inputs, e) from e
            if isinstance(asked, Tensor):
                (answer,) = yield [asked]
                continue
            graph, outputs, feeds, values = asked
            devices = tuple(isinstance(v, Tensor) for v in values)
            key = (id(graph), tuple(outputs), devices)
            if key not in self.inner:
                self.inner[key] = Executor(graph, outputs, feeds, list(devices), self.weights, self.depth + 1)
            answer = yield from self.inner[key].run(values)


def _listed(result: Value | Turns) -> list[Value]:
    if inspect.isgenerator(result):
        return [result]
    return [finish(v) for v in result] if isinstance(result, (list, tuple)) else [finish(result)]


def _pick(values: list[Value], ref: Ref) -> Value:
    if ref[1] < len(values):
        return values[ref[1]]
    if values == [DEAD]:
        return DEAD
    raise ModelFileError(f"output {ref[1]} of node {ref[0]!r} is read, and it has {len(values)}.")


def _freeze(value: Value) -> Frozen | Dead:
    if value is DEAD:
        return value
    array = np.asarray(value)
    return Frozen(array.tobytes(), array.shape, array.dtype.str)


def _thaw(value: Frozen | Dead) -> np.ndarray | Dead:
    return value.array() if isinstance(value, Frozen) else value


def _own(value: Value) -> Value:
    """A result of a Program: host arrays and dead branches are what it was traced for."""
    return Frozen(value.tobytes(), value.shape, value.dtype.str) if isinstance(value, np.ndarray) else value
