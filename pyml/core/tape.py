"""`GradientTape`: gradients of what was computed while the tape ran, as TensorFlow's books teach them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from ..dtypes import LARGEST, standardize
from ..errors import ShapeError
from ..graph.grad import READ, WATCHED, pullback
from ..graph.node import Node, toposort
from ..graph.prims import add, broadcast_to, cast, full, permute, reshape
from ..graph.recording import Recording
from ..tracebacks import warn
from . import trace
from .derivatives import jacobian_rows, units
from .gaps import named
from .narrow import labelled
from .nest import aligned, flatten, pack
from .siblings import siblings
from .step import differentiated
from .tensor import Tensor, as_node
from .variable import Variable
from .vectorizing import all_at_once

_USED_UP = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians); "
    "write GradientTape(persistent=True) for more."
)


class GradientTape:
    """Records what is computed inside `with`, for gradients afterwards.

    Trainable Variables that are read are watched by themselves, tensors after `watch`. Tapes may be nested, for derivatives of
    derivatives; they work inside programs too, and a step that is made into one (`@pyml.program`) runs as one replay. What is
    computed outside of the `with` has no part in gradients. An assigned Variable is a new beginning: gradients do not go
    through the assignment.

    Args:
        persistent: Whether `gradient` and the Jacobians may be asked for more than once.
        watch_accessed_variables: Whether trainable Variables are watched when they are read.

    Source: `tf.GradientTape`.

    Example:
        >>> x = pyml.Variable(3.0)
        >>> with pyml.GradientTape() as tape:
        ...     y = x * x
        >>> tape.gradient(y, x).item()
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._entered = self._recording = self._used = False
        self._trace: trace.Trace | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._record = Recording()
        self._variables: dict[int, tuple[Variable, dict[int, Node]]] = {}  # what was read of each that is watched
        self._tensors: dict[int, tuple[Tensor, Node]] = {}
        self._reads: dict[int, tuple[Node, Node]] = {}  # id of a value -> itself, and the node that stands for having read it

    # ---- recording
    def __enter__(self) -> GradientTape:
        if self._recording:
            raise ValueError("GradientTape: this tape is already recording; use another tape inside it.")
        self._entered = True
        self._trace = trace.current()
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._recording:
            self._stop()

    def _start(self) -> None:
        self._record.begin()
        self._recording = True
        trace.run_tape(self)

    def _stop(self) -> None:
        self._record.end()
        self._recording = False
        trace.stop_tape(self)

    def reading(self, variable: Variable, node: Node, given: bool) -> Node:
        """The node that somebody who reads `variable` now gets, instead of its value's; called by Variables.

        Gradients end there, but not where the value was `given` by a StatelessScope: they belong to what it was made of, too.
        """
        if trace.current() is not self._trace or standardize(variable.dtype) != "float32":
            return node
        known = self._variables.get(id(variable))
        if known is None:
            if not (self.watch_accessed_variables and variable.trainable):
                return node
            known = self._variables[id(variable)] = variable, {}
        if node.op is not READ:  # a tape around this one made it already
            if id(node) not in self._reads:
                self._reads[id(node)] = node, (WATCHED if given else READ)(node)
            node = self._reads[id(node)][1]
        known[1][id(node)] = node
        return node

    def watch(self, tensor: Any) -> None:
        """Watches tensors, or Variables that it would not watch by itself, from now on.

        Args:
            tensor: A tensor or Variable, or some in lists, tuples and dicts.

        Raises:
            ValueError: There is something else among them, an array or a number.

        Example:
            >>> x = pyml.ops.convert_to_tensor(3.0)
            >>> with pyml.GradientTape() as tape:
            ...     tape.watch(x)
            ...     y = x * x
            >>> tape.gradient(y, x).item()
            6.0
        """
        for x in flatten(tensor):
            if isinstance(x, Variable):
                self._variables.setdefault(id(x), (x, {}))
            elif isinstance(x, Tensor):
                if x._node.dtype != "float32":
                    warn(f"GradientTape.watch: {x.dtype} tensors have no gradients; watch float32 ones.")
                else:
                    x._node = WATCHED(x._node)  # what was made of it before has no part in this
                    self._tensors[id(x)] = x, x._node
            else:
                raise ValueError(f"GradientTape.watch: expected tensors or Variables; convert others with ops.convert_to_tensor. "
                                 f"Received: {type(x).__name__}")  # fmt: skip

    def watched_variables(self) -> tuple[Variable, ...]:
        """The Variables that were read or watched, in the order in which that happened."""
        return tuple(v for v, _ in self._variables.values())

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside `with tape.stop_recording():`, nothing is recorded.

        Example:
            >>> x = pyml.Variable(3.0)
            >>> with pyml.GradientTape() as tape:
            ...     y = x * x
            ...     with tape.stop_recording():
            ...         z = y * y
            >>> print(tape.gradient(z, x))
            None
        """
        if not self._recording:
            raise ValueError("GradientTape.stop_recording: this tape is not recording.")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forgets everything that was recorded; inside `with`, recording goes on."""
        running = self._recording
        if running:
            self._stop()
        self._begin_anew()
        self._used = False
        if running:
            self._start()

    # ---- derivatives
    def gradient(self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none") -> Any:
        """The gradient of `target`, or of the sum of its elements, with respect to `sources`.

        Args:
            target: A tensor, or tensors in lists, tuples and dicts, which are added up.
            sources: Variables and tensors in lists, tuples and dicts.
            output_gradients: What the elements of the targets weigh, in the structure of `target`; None for 1.
            unconnected_gradients: `"none"` or `"zero"`: what sources get on which the target does not depend.

        Returns:
            Gradients in the structure of `sources`, of their shapes; None where there is none.

        Raises:
            RuntimeError: The tape was used before and is not persistent, or never recorded anything.
            ValueError: `unconnected_gradients` is something else, or a source is not a tensor or Variable.
            ShapeError: `output_gradients` do not have the shapes of the targets.
            NotDifferentiable: An operation on the way has no gradient.
        """
        zero = self._ask(unconnected_gradients, "gradient")
        leaves, targets = flatten(sources), flatten(target)
        if output_gradients is None:
            weights: list[Any] = [None] * len(targets)
        else:
            weights = flatten(aligned(output_gradients, target, "GradientTape.gradient: output_gradients"))
        if len(weights) != len(targets):
            raise ValueError(f"GradientTape.gradient: output_gradients must have one tensor, or None, for each of {len(targets)} targets. "
                             f"Received: {len(weights)}")  # fmt: skip
        seeds = []
        for y, weight in zip(targets, weights, strict=True):
            node = self._target(y)
            if node is None:
                continue
            seed = full(node.shape, 1.0, "float32") if weight is None else cast(as_node(weight), dtype="float32")
            if seed.shape != node.shape:
                raise ShapeError(f"GradientTape.gradient: output_gradients must have the shape of the target, {node.shape}. "
                                 f"Received: {seed.shape}")  # fmt: skip
            seeds.append((node, seed))
            differentiated(node)
        places = [self._nodes_of(s, "gradient") for s in leaves]
        with trace.differentiating(), named("GradientTape.gradient"):
            found = iter(pullback(seeds, [n for nodes in places for n in nodes], self._leaf))
            grads = [_total([next(found) for _ in nodes]) for nodes in places]
        self._done()
        answers = [_answer(g, s, s.shape, zero) for g, s in zip(grads, leaves, strict=True)]
        siblings(answers, targets)
        return pack(sources, answers)

    def jacobian(self, target: Any, sources: Any, unconnected_gradients: Any = "none", parallel_iterations: int | None = None,
                 experimental_use_pfor: bool = True) -> Any:  # fmt: skip
        """Every derivative of every element of `target` with respect to `sources`: `(*target.shape, *source.shape)`.

        Args:
            target: A tensor.
            sources: Variables and tensors in lists, tuples and dicts.
            unconnected_gradients: `"none"` or `"zero"`: what sources get on which the target does not depend.
            parallel_iterations, experimental_use_pfor: Without effect: rows are computed at once, or in a loop on the device.

        Raises:
            RuntimeError, ValueError, NotDifferentiable: As `gradient`.

        Example:
            >>> x = pyml.Variable([1.0, 2.0])
            >>> with pyml.GradientTape() as tape:
            ...     y = x * x
            >>> tape.jacobian(y, x).tolist()
            [[2.0, 0.0], [0.0, 4.0]]
        """
        zero = self._ask(unconnected_gradients, "jacobian")
        leaves = flatten(sources)
        out = self._target(target)
        places = [self._nodes_of(s, "jacobian") for s in leaves]
        with trace.differentiating(), named("GradientTape.jacobian"):
            nodes = [n for nodes in places for n in nodes]
            found = iter([None] * len(nodes) if out is None else jacobian_rows(out, nodes, self._leaf))
            rows = [_total([next(found) for _ in nodes]) for nodes in places]
        self._done()
        answers = [_answer(g, s, (*target.shape, *s.shape), zero) for g, s in zip(rows, leaves, strict=True)]
        siblings(answers, [target])
        return pack(sources, answers)

    def batch_jacobian(self, target: Any, source: Any, unconnected_gradients: Any = "none", parallel_iterations: int | None = None,
                       experimental_use_pfor: bool = True) -> Any:  # fmt: skip
        """The Jacobians of samples that do not depend on each other: `(batch, *target.shape[1:], *source.shape[1:])`.

        Args:
            target: A tensor `(batch, ...)`, each row of which depends on that row of `source` only.
            source: A tensor or Variable `(batch, ...)`.
            unconnected_gradients: `"none"` or `"zero"`: the answer where the target does not depend on the source.
            parallel_iterations, experimental_use_pfor: Without effect, as in `jacobian`.

        Raises:
            ValueError: The batches are not of the same size.
            RuntimeError, NotDifferentiable: As `gradient`.

        Example:
            >>> x = pyml.Variable([[1.0, 2.0], [3.0, 4.0]])
            >>> with pyml.GradientTape() as tape:
            ...     y = x * x
            >>> tape.batch_jacobian(y, x).tolist()
            [[[2.0, 0.0], [0.0, 4.0]], [[6.0, 0.0], [0.0, 8.0]]]
        """
        zero = self._ask(unconnected_gradients, "batch_jacobian")
        out = self._target(target)
        nodes = self._nodes_of(source, "batch_jacobian")
        if not target.shape or not source.shape or target.shape[0] != source.shape[0]:
            raise ValueError("GradientTape.batch_jacobian: target and source must have the same size along their first axis. "
                             f"Received: shapes {tuple(target.shape)} and {tuple(source.shape)}")  # fmt: skip
        shape = (*target.shape, *source.shape[1:])
        with trace.differentiating(), named("GradientTape.batch_jacobian"):
            rows = None if out is None else self._rows_of_batch(out, nodes)
        self._done()
        return _answer(None if rows is None else reshape(rows, shape), source, shape, zero)

    def _rows_of_batch(self, out: Node, nodes: Sequence[Node]) -> Node | None:
        """For each element of a sample the gradient of all samples: `(batch, elements, ...)`."""
        if _total(pullback([(out, full(out.shape, 1.0, "float32"))], nodes, self._leaf)) is None:
            return None

        def row(unit: Tensor) -> Tensor:
            seed = broadcast_to(reshape(unit._node, (1, *out.shape[1:])), out.shape)
            total = _total(pullback([(out, seed)], nodes, self._leaf))
            assert total is not None
            return Tensor(total)

        stack = as_node(all_at_once(row, units(out.shape[1:])))
        return permute(stack, (1, 0, *range(2, stack.ndim)))

    # ---- what is asked for
    def _ask(self, unconnected: Any, what: str) -> bool:
        """Whether sources without a gradient get zeros."""
        kind = getattr(unconnected, "value", unconnected)
        if kind not in ("none", "zero"):
            raise ValueError(f'GradientTape.{what}: unconnected_gradients must be "none" or "zero". Received: {unconnected!r}')
        if self._used:
            raise RuntimeError(_USED_UP)
        if not self._entered:
            raise RuntimeError(f"GradientTape.{what}: nothing was recorded; compute inside `with GradientTape() as tape:`.")
        if self._recording and not self.persistent:
            self._stop()
        return bool(kind == "zero")

    def _done(self) -> None:
        if not self.persistent:
            self._used = True
            self._begin_anew()

    def _leaf(self, node: Node) -> bool:
        return node not in self._record

    def _target(self, y: Any) -> Node | None:
        if isinstance(y, Variable):  # the value that was read last; else it is read now
            if id(y) not in self._variables and self.watch_accessed_variables and y.trainable:
                self._variables[id(y)] = y, {}
            reads = self._variables.get(id(y), (y, {}))[1]
            if not reads and id(y) in self._variables:
                node = READ(y._value_node())
                reads[id(node)] = node
            return list(reads.values())[-1] if reads else None
        node = as_node(y)
        if node.dtype != "float32":
            warn(f"GradientTape: the target is {node.dtype}, and only float32 has gradients.")
            return None
        return node

    def _nodes_of(self, source: Any, what: str) -> list[Node]:
        """The nodes at which gradients of a source arrive; none where nothing was recorded of it."""
        if isinstance(source, Variable):
            return list(self._variables.get(id(source), (source, {}))[1].values())
        if not isinstance(source, Tensor):
            raise ValueError(f"GradientTape.{what}: sources must be tensors or Variables. Received: {type(source).__name__}")
        if id(source) in self._tensors:
            return [self._tensors[id(source)][1]]
        if id(source._node) in self._reads:  # `variable.value`, asked for again
            return [self._reads[id(source._node)][1]]
        if self.watch_accessed_variables and self._trace is not None and any(n is source._node for n in self._trace.trainable):
            return [source._node]
        return [source._node] if self._depends(source._node) else []

    def _depends(self, node: Node) -> bool:
        """Whether a node was made of something watched, while the tape recorded."""
        watched = {id(n) for _, n in self._tensors.values()} | {i for _, reads in self._variables.values() for i in reads}
        return any(id(n) in watched for n in toposort([node], stop=lambda n: id(n) in watched or self._leaf(n)))


def _total(parts: Sequence[Node | None]) -> Node | None:
    total = None
    for g in parts:
        total = g if total is None else total if g is None else add(total, g)
    return total


def _answer(gradient: Node | None, source: Any, shape: Sequence[int], zero: bool) -> Tensor | None:
    """A gradient as a tensor, of 16 bits where what it belongs to is."""
    if gradient is None and not zero:
        return None
    found = Tensor(full(tuple(shape), 0.0, "float32") if gradient is None else gradient)
    return labelled(found, source.dtype) if source.dtype in LARGEST else found


__all__ = ["GradientTape"]
