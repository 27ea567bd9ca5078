"""Branches, loops, and the lists of tensors that loops fill; all of it runs on the host, around Programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from ... import ops
from ...core.tensor import Tensor
from .. import files
from .rules import DEAD, RULES, Turns, Value, Xp, check_count, ints, number, rule
from .topology import Graph, Node, Ref

_MOST_TURNS = 1_000_000
Run: TypeAlias = tuple[Graph, list[Ref], list[Ref], list[Value]]  # what control flow asks for: outputs of a graph, for values of its feeds


@rule("Switch", static=(1,))
def _switch(node: Node, xp: Xp, data: Value, condition: Value) -> Value:
    return [DEAD, data] if bool(number(condition)) else [data, DEAD]


@rule("Merge", dead=True)
def _merge(node: Node, xp: Xp, *xs: Value) -> Value:
    alive = [i for i, x in enumerate(xs) if x is not DEAD]
    return [xs[alive[0]], np.array(alive[0], np.int32)] if alive else [DEAD, DEAD]


@rule("NoOp", "Assert", dead=True)
def _nothing(node: Node, xp: Xp, *xs: Value) -> Value:
    return DEAD


@rule("_Loop", host=True, keep="all")
def _loop(node: Node, xp: Xp, *values: Value) -> Turns:
    """A lifted loop of Enter and Exit: a generator, because reading the condition may have to wait."""
    loop = node.value
    variables, kept = list(values[: loop.variables]), list(values[loop.variables :])
    for _ in range(_MOST_TURNS):
        (going,) = yield loop.graph, [loop.condition], loop.condition_feeds, [*variables, *kept]
        going = (yield going) if isinstance(going, Tensor) else going
        if not bool(number(going)):
            return variables
        variables = yield loop.graph, loop.results, loop.body_feeds, [*variables, *kept]
    raise files.ModelFileError(f"the loop {node.name!r} did not end after {_MOST_TURNS:,} turns")


def _call(node: Node, attribute: str, values: Sequence[Value]) -> Run:
    name = node.attr(attribute)
    function = node.value.get(name)
    if function is None:
        raise files.ModelFileError(f"node {node.name!r} calls the function {name!r}, which the model does not have")
    if len(function.arguments) != len(values):
        raise files.ModelFileError(f"the function {name!r} takes {len(function.arguments)} values; node {node.name!r} gives {len(values)}")
    return function, function.results, function.arguments, list(values)


@rule("While", "StatelessWhile", host=True, keep="all")
def _while(node: Node, xp: Xp, *given: Value) -> Turns:
    values = list(given)
    for _ in range(_MOST_TURNS):
        going = (yield _call(node, "cond", values))[0]
        going = (yield going) if isinstance(going, Tensor) else going
        if not bool(number(going)):
            return values
        values = yield _call(node, "body", values)
    raise files.ModelFileError(f"the loop {node.name!r} did not end after {_MOST_TURNS:,} turns")


@rule("If", "StatelessIf", host=True, keep="all")
def _if(node: Node, xp: Xp, condition: Value, *values: Value) -> Turns:
    condition = (yield condition) if isinstance(condition, Tensor) else condition
    return (yield _call(node, "then_branch" if bool(number(condition)) else "else_branch", values))


@rule("PartitionedCall", "StatefulPartitionedCall", host=True, keep="all")
def _partitioned(node: Node, xp: Xp, *values: Value) -> Turns:
    return (yield _call(node, "f", values))


FUNCTION_ATTRIBUTES = ("cond", "body", "then_branch", "else_branch", "f")


# ---- lists of tensors
class TensorList:
    """Tensors by position; TensorArrays are changed in place, TensorLists are copied (`with_items`)."""

    def __init__(self, items: Iterable[Value], shape: tuple[int | None, ...] | None = None, dtype: str = "float32"):
        self.items, self.shape, self.dtype = list(items), shape, dtype

    def with_items(self, items: Iterable[Value]) -> TensorList:
        return TensorList(items, self.shape, self.dtype)

    def put(self, index: int, value: Value) -> None:
        if not 0 <= index < 1 << 24:
            raise ValueError(f"position {index} of a list of tensors")
        self.items += [None] * (index + 1 - len(self.items))
        self.items[index] = value

    def get(self, index: int) -> Value:
        if not 0 <= index < len(self.items) or self.items[index] is None:
            known = self.shape if self.shape and all(n is not None for n in self.shape) else None
            if 0 <= index < len(self.items) and known is not None:
                return np.zeros(known, self.dtype)
            raise ValueError(f"position {index} of a list of {len(self.items)} tensors was never written")
        return self.items[index]

    def stack(self, indices: list[int] | None = None) -> Value:
        values = [self.get(i) for i in (range(len(self.items)) if indices is None else indices)]
        if not values:
            return np.zeros((0, *(n or 0 for n in self.shape or ())), self.dtype)
        return _join(values, "stack")

    def concat(self) -> Value:
        return _join([self.get(i) for i in range(len(self.items))], "concatenate")


def _join(values: list[Value], how: str) -> Value:
    if any(isinstance(v, Tensor) for v in values):
        return getattr(ops, how)(values, axis=0)
    return getattr(np, how)(values, axis=0)


def _flow() -> np.ndarray:
    return np.zeros((), np.float32)


def _new(items: Iterable[Value], node: Node, shape: Value = None) -> TensorList:
    dtype = node.attr("element_dtype", node.attr("dtype", "float32"))
    if shape is not None:
        shape = tuple(None if n < 0 else n for n in ints(shape)) if np.asarray(shape).ndim else None
    return TensorList(items, shape if shape is not None else node.attr("element_shape"), dtype)


@rule("TensorArrayV3", host=True)
def _array(node: Node, xp: Xp, size: Value) -> Value:
    return [_new([None] * check_count([number(size)], "TensorArrayV3")[0], node), _flow()]


@rule("TensorArrayWriteV3", host=True, keep=(0, 2, 3))
def _array_write(node: Node, xp: Xp, array: Value, index: Value, value: Value, flow: Value) -> Value:
    array.put(int(number(index)), value)
    return _flow()


@rule("TensorArrayReadV3", host=True, keep=(0, 2))
def _array_read(node: Node, xp: Xp, array: Value, index: Value, flow: Value) -> Value:
    return array.get(int(number(index)))


@rule("TensorArrayGatherV3", host=True, keep=(0, 2))
def _array_gather(node: Node, xp: Xp, array: Value, indices: Value, flow: Value) -> Value:
    return array.stack(ints(indices))


@rule("TensorArrayScatterV3", host=True, keep=(0, 3))
def _array_scatter(node: Node, xp: Xp, array: Value, indices: Value, values: Value, flow: Value) -> Value:
    for i, value in zip(ints(indices), values, strict=True):
        array.put(i, value)
    return _flow()


@rule("TensorArrayConcatV3", host=True, keep="all")
def _array_concat(node: Node, xp: Xp, array: Value, flow: Value) -> Value:
    return array.concat()


@rule("TensorArraySplitV3", host=True, keep=(0, 3))
def _array_split(node: Node, xp: Xp, array: Value, values: Value, lengths: Value, flow: Value) -> Value:
    ends = np.cumsum(ints(lengths)).tolist()
    for i, (end, length) in enumerate(zip(ends, ints(lengths), strict=True)):
        array.put(i, values[end - length : end])
    return _flow()


@rule("TensorArraySizeV3", host=True, keep="all")
def _array_size(node: Node, xp: Xp, array: Value, flow: Value) -> Value:
    return np.array(len(array.items), np.int32)


@rule("TensorArrayCloseV3", host=True, keep="all")
def _array_close(node: Node, xp: Xp, array: Value) -> Value:
    return _flow()


@rule("TensorListReserve", "EmptyTensorList", host=True)
def _list_reserve(node: Node, xp: Xp, shape: Value, count: Value) -> Value:
    size = check_count([max(0, number(count))], node.op)[0] if node.op == "TensorListReserve" else 0
    return _new([None] * size, node, shape)


@rule("TensorListFromTensor", host=True, keep=(0,))
def _list_from(node: Node, xp: Xp, x: Value, shape: Value) -> Value:
    return _new([x[i] for i in range(x.shape[0])], node, shape)


@rule("TensorListScatter", "TensorListScatterV2", host=True)
def _list_scatter(node: Node, xp: Xp, x: Value, indices: Value, shape: Value, count: Value = -1) -> Value:
    size = max([int(number(count)), *(i + 1 for i in ints(indices))])
    made = _new([None] * check_count([size], node.op)[0], node, shape)
    for i, value in zip(ints(indices), x, strict=True):
        made.put(i, value)
    return made


@rule("TensorListGather", host=True, keep=(0,))
def _list_gather(node: Node, xp: Xp, items: Value, indices: Value, shape: Value) -> Value:
    return items.stack(ints(indices))


@rule("TensorListGetItem", host=True, keep=(0,))
def _list_get(node: Node, xp: Xp, items: Value, index: Value, shape: Value) -> Value:
    return items.get(int(number(index)))


@rule("TensorListSetItem", host=True, keep=(0, 2))
def _list_set(node: Node, xp: Xp, items: Value, index: Value, value: Value) -> Value:
    changed = items.with_items(items.items)
    changed.put(int(number(index)), value)
    return changed


@rule("TensorListStack", host=True, keep=(0,))
def _list_stack(node: Node, xp: Xp, items: Value, shape: Value) -> Value:
    return items.stack()


@rule("TensorListSplit", host=True)
def _list_split(node: Node, xp: Xp, x: Value, shape: Value, lengths: Value) -> Value:
    ends = np.cumsum(ints(lengths)).tolist()
    return _new([x[e - n : e] for e, n in zip(ends, ints(lengths), strict=True)], node, shape)


@rule("TensorListConcat", "TensorListConcatV2", host=True, keep="all")
def _list_concat(node: Node, xp: Xp, items: Value, *others: Value) -> Value:
    return items.concat()


@rule("TensorListPushBack", host=True, keep="all")
def _list_push(node: Node, xp: Xp, items: Value, value: Value) -> Value:
    return items.with_items([*items.items, value])


@rule("TensorListPopBack", host=True, keep=(0,))
def _list_pop(node: Node, xp: Xp, items: Value, shape: Value) -> Value:
    if not items.items:
        raise ValueError("the list of tensors is empty")
    return [items.with_items(items.items[:-1]), items.items[-1]]


@rule("TensorListLength", host=True, keep="all")
def _list_length(node: Node, xp: Xp, items: Value) -> Value:
    return np.array(len(items.items), np.int32)


@rule("TensorListResize", host=True, keep=(0,))
def _list_resize(node: Node, xp: Xp, items: Value, size: Value) -> Value:
    (size,) = check_count([number(size)], "TensorListResize")
    return items.with_items([*items.items[:size], *[None] * (size - len(items.items))])


__all__ = ["FUNCTION_ATTRIBUTES", "RULES", "TensorList"]
