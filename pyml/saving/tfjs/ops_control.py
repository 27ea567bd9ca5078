"""Branches, loops, and the lists of tensors that loops fill; all of it runs on the host, around Programs."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...core.tensor import Tensor
from .. import files
from .rules import DEAD, RULES, check_count, ints, number, rule

_MOST_TURNS = 1_000_000


@rule("Switch", static=(1,))
def _switch(node, xp, data, condition):
    return [DEAD, data] if bool(number(condition)) else [data, DEAD]


@rule("Merge", dead=True)
def _merge(node, xp, *xs):
    alive = [i for i, x in enumerate(xs) if x is not DEAD]
    return [xs[alive[0]], np.array(alive[0], np.int32)] if alive else [DEAD, DEAD]


@rule("NoOp", "Assert", dead=True)
def _nothing(node, xp, *xs):
    return DEAD


@rule("_Loop", host=True, keep="all")
def _loop(node, xp, *values):
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


def _call(node, attribute, values):
    name = node.attr(attribute)
    function = node.value.get(name)
    if function is None:
        raise files.ModelFileError(f"node {node.name!r} calls the function {name!r}, which the model does not have")
    if len(function.arguments) != len(values):
        raise files.ModelFileError(f"the function {name!r} takes {len(function.arguments)} values; node {node.name!r} gives {len(values)}")
    return function, function.results, function.arguments, list(values)


@rule("While", "StatelessWhile", host=True, keep="all")
def _while(node, xp, *given):
    values = list(given)
    for _ in range(_MOST_TURNS):
        going = (yield _call(node, "cond", values))[0]
        going = (yield going) if isinstance(going, Tensor) else going
        if not bool(number(going)):
            return values
        values = yield _call(node, "body", values)
    raise files.ModelFileError(f"the loop {node.name!r} did not end after {_MOST_TURNS:,} turns")


@rule("If", "StatelessIf", host=True, keep="all")
def _if(node, xp, condition, *values):
    condition = (yield condition) if isinstance(condition, Tensor) else condition
    return (yield _call(node, "then_branch" if bool(number(condition)) else "else_branch", values))


@rule("PartitionedCall", "StatefulPartitionedCall", host=True, keep="all")
def _partitioned(node, xp, *values):
    return (yield _call(node, "f", values))


FUNCTION_ATTRIBUTES = ("cond", "body", "then_branch", "else_branch", "f")


# ---- lists of tensors
class TensorList:
    """Tensors by position; TensorArrays are changed in place, TensorLists are copied (`with_items`)."""

    def __init__(self, items, shape=None, dtype="float32"):
        self.items, self.shape, self.dtype = list(items), shape, dtype

    def with_items(self, items) -> TensorList:
        return TensorList(items, self.shape, self.dtype)

    def put(self, index: int, value) -> None:
        if not 0 <= index < 1 << 24:
            raise ValueError(f"position {index} of a list of tensors")
        self.items += [None] * (index + 1 - len(self.items))
        self.items[index] = value

    def get(self, index: int):
        if not 0 <= index < len(self.items) or self.items[index] is None:
            known = self.shape if self.shape and all(n is not None for n in self.shape) else None
            if 0 <= index < len(self.items) and known is not None:
                return np.zeros(known, self.dtype)
            raise ValueError(f"position {index} of a list of {len(self.items)} tensors was never written")
        return self.items[index]

    def stack(self, indices=None):
        values = [self.get(i) for i in (range(len(self.items)) if indices is None else indices)]
        if not values:
            return np.zeros((0, *(n or 0 for n in self.shape or ())), self.dtype)
        return _join(values, "stack")

    def concat(self):
        return _join([self.get(i) for i in range(len(self.items))], "concatenate")


def _join(values, how):
    if any(isinstance(v, Tensor) for v in values):
        return getattr(ops, how)(values, axis=0)
    return getattr(np, how)(values, axis=0)


def _flow():
    return np.zeros((), np.float32)


def _new(items, node, shape=None):
    dtype = node.attr("element_dtype", node.attr("dtype", "float32"))
    if shape is not None:
        shape = tuple(None if n < 0 else n for n in ints(shape)) if np.asarray(shape).ndim else None
    return TensorList(items, shape if shape is not None else node.attr("element_shape"), dtype)


@rule("TensorArrayV3", host=True)
def _array(node, xp, size):
    return [_new([None] * check_count([number(size)], "TensorArrayV3")[0], node), _flow()]


@rule("TensorArrayWriteV3", host=True, keep=(0, 2, 3))
def _array_write(node, xp, array, index, value, flow):
    array.put(int(number(index)), value)
    return _flow()


@rule("TensorArrayReadV3", host=True, keep=(0, 2))
def _array_read(node, xp, array, index, flow):
    return array.get(int(number(index)))


@rule("TensorArrayGatherV3", host=True, keep=(0, 2))
def _array_gather(node, xp, array, indices, flow):
    return array.stack(ints(indices))


@rule("TensorArrayScatterV3", host=True, keep=(0, 3))
def _array_scatter(node, xp, array, indices, values, flow):
    for i, value in zip(ints(indices), values, strict=True):
        array.put(i, value)
    return _flow()


@rule("TensorArrayConcatV3", host=True, keep="all")
def _array_concat(node, xp, array, flow):
    return array.concat()


@rule("TensorArraySplitV3", host=True, keep=(0, 3))
def _array_split(node, xp, array, values, lengths, flow):
    ends = np.cumsum(ints(lengths)).tolist()
    for i, (end, length) in enumerate(zip(ends, ints(lengths), strict=True)):
        array.put(i, values[end - length : end])
    return _flow()


@rule("TensorArraySizeV3", host=True, keep="all")
def _array_size(node, xp, array, flow):
    return np.array(len(array.items), np.int32)


@rule("TensorArrayCloseV3", host=True, keep="all")
def _array_close(node, xp, array):
    return _flow()


@rule("TensorListReserve", "EmptyTensorList", host=True)
def _list_reserve(node, xp, shape, count):
    size = check_count([max(0, number(count))], node.op)[0] if node.op == "TensorListReserve" else 0
    return _new([None] * size, node, shape)


@rule("TensorListFromTensor", host=True, keep=(0,))
def _list_from(node, xp, x, shape):
    return _new([x[i] for i in range(x.shape[0])], node, shape)


@rule("TensorListScatter", "TensorListScatterV2", host=True)
def _list_scatter(node, xp, x, indices, shape, count=-1):
    size = max([int(number(count)), *(i + 1 for i in ints(indices))])
    made = _new([None] * check_count([size], node.op)[0], node, shape)
    for i, value in zip(ints(indices), x, strict=True):
        made.put(i, value)
    return made


@rule("TensorListGather", host=True, keep=(0,))
def _list_gather(node, xp, items, indices, shape):
    return items.stack(ints(indices))


@rule("TensorListGetItem", host=True, keep=(0,))
def _list_get(node, xp, items, index, shape):
    return items.get(int(number(index)))


@rule("TensorListSetItem", host=True, keep=(0, 2))
def _list_set(node, xp, items, index, value):
    changed = items.with_items(items.items)
    changed.put(int(number(index)), value)
    return changed


@rule("TensorListStack", host=True, keep=(0,))
def _list_stack(node, xp, items, shape):
    return items.stack()


@rule("TensorListSplit", host=True)
def _list_split(node, xp, x, shape, lengths):
    ends = np.cumsum(ints(lengths)).tolist()
    return _new([x[e - n : e] for e, n in zip(ends, ints(lengths), strict=True)], node, shape)


@rule("TensorListConcat", "TensorListConcatV2", host=True, keep="all")
def _list_concat(node, xp, items, *others):
    return items.concat()


@rule("TensorListPushBack", host=True, keep="all")
def _list_push(node, xp, items, value):
    return items.with_items([*items.items, value])


@rule("TensorListPopBack", host=True, keep=(0,))
def _list_pop(node, xp, items, shape):
    if not items.items:
        raise ValueError("the list of tensors is empty")
    return [items.with_items(items.items[:-1]), items.items[-1]]


@rule("TensorListLength", host=True, keep="all")
def _list_length(node, xp, items):
    return np.array(len(items.items), np.int32)


@rule("TensorListResize", host=True, keep=(0,))
def _list_resize(node, xp, items, size):
    (size,) = check_count([number(size)], "TensorListResize")
    return items.with_items([*items.items[:size], *[None] * (size - len(items.items))])


__all__ = ["FUNCTION_ATTRIBUTES", "RULES", "TensorList"]
