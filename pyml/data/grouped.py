"""Streams of elements that are put together or taken apart; what `streams` is for the other stages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.data.kinds import Element, Function, Opens, Stream
from pyml.data.streams import result, stack
from pyml.data.structure import batched, is_tensor, leaves, mapped_leaves, narrowed
from pyml.data.waiting import settled
from pyml.errors import ShapeError

if TYPE_CHECKING:
    from pyml.data.stage import Stage


async def in_groups(source: Opens, size: int, drop_remainder: bool, make: Callable[[list[Element]], Element], first: int = 0) -> Stream:
    """What `make` makes of lists of `size` elements; `first` is the number of the first element."""
    group: list[Element] = []
    async with aclosing(source()) as stream:
        async for element in stream:
            group.append(element)
            if len(group) == size:
                yield _made(make, group, first)
                first, group = first + size, []
        if group and not drop_remainder:
            yield _made(make, group, first)


def _made(make: Callable[[list[Element]], Element], group: list[Element], first: int) -> Element:
    """`make` of a list; an error gets a note that says which elements they are."""
    try:
        return make(group)
    except ShapeError as error:
        error.add_note(f"padded_batch: these are elements {first} to {first + len(group) - 1} of the dataset.")
        raise


async def listed(elements: list[Element]) -> Stream:
    """The elements of a list."""
    for element in elements:
        yield element


async def windows(source: Opens, made: type[Stage], size: int, shift: int, stride: int, drop_remainder: bool) -> Stream:
    """Datasets of `size` elements each, `stride` apart, which begin every `shift` elements."""
    reach = (size - 1) * stride + 1
    held: list[Element] = []                           # the elements from the beginning of the next window on
    ahead = 0                                          # elements to let pass before it
    async with aclosing(source()) as stream:
        async for element in stream:
            if ahead:
                ahead -= 1
                continue
            held.append(element)
            if len(held) == reach:
                yield _window(held[::stride], made)
                ahead = max(0, shift - reach)
                held = held[shift:]
    while held and not drop_remainder:
        yield _window(held[::stride][:size], made)
        held = held[shift:]


def _window(elements: list[Element], made: type[Stage]) -> Any:
    """A Dataset of elements; of tuples and dicts, their parts in Datasets of their own."""
    dataset = lambda values: made(partial(listed, values), len(values))
    first = elements[0]
    if isinstance(first, dict):
        return {key: _window([element[key] for element in elements], made) for key in first}
    if isinstance(first, tuple):
        return tuple(_window([element[i] for element in elements], made) for i in range(len(first)))
    return dataset(elements)


async def rows(source: Opens, what: str = "unbatch") -> Stream:
    """The rows of each element."""
    async with aclosing(source()) as stream:
        number = 0
        async for element in stream:
            host = {id(leaf): await settled(leaf.data()) for leaf in leaves(element) if is_tensor(leaf)}
            arrays = mapped_leaves(lambda leaf, host=host: np.asarray(host.get(id(leaf), leaf)), element)
            sizes = {array.shape[0] if array.ndim else None for array in leaves(arrays)}
            count = sizes.pop() if len(sizes) == 1 else None
            if count is None:
                raise ShapeError(
                    f"{what}: all parts of an element must have the same number of rows. Element {number} has parts of the shapes "
                    f"{', '.join(str(array.shape) for array in leaves(arrays))}."
                )
            for i in range(count):
                yield mapped_leaves(itemgetter(i), arrays)
            number += 1


async def by_key(source: Opens, made: type[Stage], key_of: Function, reduce: Function, size_of: Callable[[Any], int]) -> Stream:
    """The elements of the datasets that `reduce` makes of windows of elements of the same key."""
    held: dict[Any, list[Element]] = {}

    async def reduced(key: Any, elements: list[Element]) -> Stream:
        dataset = await result("group_by_window", reduce, number, made(partial(listed, elements), len(elements)), key)
        if not hasattr(dataset, "_open"):
            raise TypeError(f"group_by_window: reduce_func must return a Dataset. For key {key!r} it returned a {type(dataset).__name__}.")
        async with aclosing(dataset._open()) as inner:
            async for element in inner:
                yield element

    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            key = await result("group_by_window", key_of, number, element)
            key = key.item() if hasattr(key, "item") else key
            number += 1
            group = held.setdefault(key, [])
            group.append(element)
            if len(group) >= size_of(key):
                del held[key]
                async for given in reduced(key, group):
                    yield given
    for key, group in held.items():
        async for given in reduced(key, group):
            yield given


async def in_buckets(
    source: Opens, length_of: Function, bounds: list[int], sizes: list[int], make: Callable[..., Element],
    to_boundary: bool, no_padding: bool, drop_remainder: bool,
) -> Stream:  # fmt: skip
    """Batches of elements whose lengths fall between the same boundaries."""
    held: list[list[Element]] = [[] for _ in sizes]

    def batch(bucket: int) -> Element:
        group, held[bucket] = held[bucket], []
        if no_padding:
            return stack(group, number, 1)
        return make(group, least=bounds[bucket] - 1 if to_boundary else None)

    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            length = await result("bucket_by_sequence_length", length_of, number, element)
            try:
                length = int(length)
            except (TypeError, ValueError):
                raise TypeError(
                    f"bucket_by_sequence_length: element_length_func must return an integer. For element {number} "
                    f"it returned {length!r}."
                ) from None
            bucket = bisect_right(bounds, length)
            if to_boundary and bucket == len(bounds):
                raise ValueError(
                    f"bucket_by_sequence_length: element {number} has length {length}, and with pad_to_bucket_boundary all must be "
                    f"shorter than the last boundary, {bounds[-1] if bounds else 0}."
                )
            number += 1
            held[bucket].append(element)
            if len(held[bucket]) == sizes[bucket]:
                yield batch(bucket)
    for bucket, group in enumerate(held):
        if group and not drop_remainder:
            yield batch(bucket)


# ---- padding
def padded(elements: list[Element], shapes: Any = None, values: Any = None, least: int | None = None, where: str = "") -> Element:
    """A batch of elements whose leaves are filled up at their ends.

    Args:
        elements: Elements of one form.
        shapes, values: Sizes and fillers in that form, or one for all leaves.
        least: Fill unknown sizes up to this instead of the longest.
    """
    first = elements[0]
    if isinstance(first, dict):
        part = lambda nested, key: nested[key] if isinstance(nested, dict) else nested
        return {key: padded([e[key] for e in elements], part(shapes, key), part(values, key), least, f"{where}[{key!r}]") for key in first}
    if isinstance(first, tuple):
        sized = isinstance(shapes, tuple) and any(isinstance(one, (tuple, list, dict)) for one in shapes)
        filled = isinstance(values, tuple)
        return tuple(
            padded([e[i] for e in elements], shapes[i] if sized else shapes, values[i] if filled else values, least, f"{where}[{i}]")
            for i in range(len(first))
        )
    arrays = [np.asarray(leaf.numpy() if is_tensor(leaf) else leaf) for leaf in elements]
    ranks = {array.ndim for array in arrays}
    if len(ranks) != 1:
        raise ShapeError(f"padded_batch: the leaves{where} of one batch must have equally many dimensions. Received {sorted(ranks)}.")
    rank = ranks.pop()
    wanted = [None] * rank if shapes is None else [None if size in (None, -1) else int(size) for size in shapes]
    if len(wanted) != rank:
        raise ShapeError(f"padded_batch: padded_shapes{where} has {len(wanted)} sizes and the leaves have {rank} dimensions.")
    longest = [max(array.shape[i] for array in arrays) for i in range(rank)]
    target = [(long if least is None else max(least, long) if i else least) if size is None else size
              for i, (size, long) in enumerate(zip(wanted, longest))]  # fmt: skip
    for size, long in zip(target, longest):
        if long > size:
            raise ShapeError(f"padded_batch: a leaf{where} has {long} entries, more than the {size} it is to be filled up to.")
    if not rank:
        return batched(elements)
    dtype = np.result_type(*arrays)
    text = dtype.kind in "UOS"
    filler = values if values is not None else ("" if text else 0)
    out = np.full((len(arrays), *target), filler, object if dtype.kind == "O" else dtype)
    for row, array in zip(out, arrays):
        row[tuple(map(slice, array.shape))] = array
    python = all(isinstance(leaf, list) for leaf in elements)
    return narrowed(out) if python else out
