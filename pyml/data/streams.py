"""What datasets do, as asynchronous generators: each takes a function that opens its source anew.

A stage closes its source when it is left, so files, connections and cameras are released at once.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from operator import itemgetter
from typing import Any

import numpy as np

from pyml import tracebacks
from pyml.data.ahead import in_thread
from pyml.data.failing import noted
from pyml.data.kinds import Element, Function, Opens, Rows, Stream
from pyml.data.structure import batched, mapped_leaves
from pyml.data.waiting import in_for_loop, settled
from pyml.errors import ShapeError


def applied(fn: Function, element: Element) -> Any:
    """`fn` of an element: tuples come as several arguments, as in tf.data."""
    return fn(*element) if type(element) is tuple else fn(element)


# ---- sources
async def counted(start: int, stop: int, step: int) -> AsyncGenerator[int, None]:
    """Integers, like `range`."""
    for value in range(start, stop, step):
        yield value


async def endless(start: int, step: int) -> AsyncGenerator[int, None]:
    """Integers without end."""
    while True:
        yield start
        start += step


async def once(element: Element) -> Stream:
    """One element."""
    yield element


async def drawn(orders: Orders) -> AsyncGenerator[int, None]:
    """Random integers of 32 bits."""
    generator = orders.next()
    while True:
        yield int(generator.random() * 2**32)


async def sliced(rows: Rows, first: int = 0) -> Stream:
    """The rows of nested arrays, given by a coroutine function that brings the arrays and their length."""
    arrays, size = await rows()
    for i in range(first, size):
        yield mapped_leaves(itemgetter(i), arrays)


async def generated(make: Callable[[], Any]) -> Stream:
    """What the iterator gives that `make()` returns: any iterable, also an asynchronous one, or a wait for one."""
    items = make()
    if hasattr(items, "__await__"):
        items = await settled(items)
    if hasattr(items, "__aiter__"):
        iterator = items.__aiter__()
        try:
            while True:
                try:
                    element = await settled(iterator.__anext__())
                except StopAsyncIteration:
                    return
                yield element
        finally:
            if hasattr(iterator, "aclose"):
                await settled(iterator.aclose())
    if not hasattr(items, "__iter__"):
        raise TypeError(f"from_generator: the function must return an iterator. It returned a {type(items).__name__}.")
    iterator = iter(items)
    try:
        for element in iterator:
            yield element
    finally:
        if hasattr(iterator, "close"):
            iterator.close()


async def called(fn: Callable[[], Any]) -> Stream:
    """What `fn()` returns, again and again, until it raises StopIteration."""
    while True:
        try:
            element = fn()
            if hasattr(element, "__await__"):
                element = await settled(element)
        except (StopIteration, StopAsyncIteration):
            return
        yield element


# ---- element by element
async def result(what: str, fn: Function, number: int, element: Element, *before: Any) -> Any:
    """What `fn` gives for an element, waited for; an error gets a note that says where."""
    try:
        value = applied(fn, element) if not before else fn(*before, element)
        return await settled(value) if hasattr(value, "__await__") else value
    except Exception as error:
        noted(error, what, fn, number, element)
        raise


async def decision(what: str, fn: Function, number: int, element: Element) -> bool:
    """What `fn` says of an element, as one truth value; an error gets a note that says where."""
    value = await result(what, fn, number, element)
    try:
        return bool(value)
    except ValueError:
        raise ValueError(
            f"{what}: the function must return one truth value. For element {number} it returned an array of shape "
            f"{getattr(value, 'shape', ())}; use .any() or .all()."
        ) from None


async def mapped(source: Opens, fn: Function, first: int = 0) -> Stream:
    """`fn` of each element; a coroutine it returns is awaited."""
    async with aclosing(source()) as stream:
        async for element in stream:
            yield await result("map", fn, first, element)
            first += 1


async def filtered(source: Opens, keep: Function) -> Stream:
    """The elements of which `keep` is true."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            if await decision("filter", keep, number, element):
                yield element
            number += 1


async def lenient(what: str, source: Opens, fn: Function, warn: bool) -> Stream:
    """What `mapped` or `filtered` gives, without the elements for which `fn` fails."""
    number = -1
    async with aclosing(source()) as stream:
        async for element in stream:
            number += 1
            try:
                value = await result(what, fn, number, element)
            except Exception as error:
                if warn:
                    tracebacks.warn(f"left out an element: {type(error).__name__}: {error} {' '.join(error.__notes__)}")
                continue
            if what == "map":
                yield value
            elif value:
                yield element


# ---- order and number
async def taken(source: Opens, count: int) -> Stream:
    """The first `count` elements; the source is not asked for more."""
    if count == 0:
        return
    async with aclosing(source()) as stream:
        left = count
        async for element in stream:
            yield element
            left -= 1
            if left == 0:
                return


async def skipped(source: Opens, count: int) -> Stream:
    """All elements but the first `count`."""
    async with aclosing(source()) as stream:
        left = count
        async for element in stream:
            if left:
                left -= 1
            else:
                yield element


async def repeated(source: Opens, count: int | None) -> Stream:
    """The source `count` times, without end for None; a source that is empty ends it."""
    passes = 0
    while count is None or passes < count:
        empty = True
        async with aclosing(source()) as stream:
            async for element in stream:
                empty = False
                yield element
        if empty:
            return
        passes += 1


async def joined(first: Opens, second: Opens) -> Stream:
    """One source after the other."""
    for source in (first, second):
        async with aclosing(source()) as stream:
            async for element in stream:
                yield element


class Orders:
    """The random numbers of a shuffle: one generator for each pass.

    Args:
        seed: Integer, string or None. None draws one from Python's `random`, which `set_random_seed` governs.
        reshuffle: Another order in each pass.
    """

    made_of = ("seed", "reshuffle")                    # for `pyml.data.fingerprint`

    def __init__(self, seed: int | str | None, reshuffle: bool):
        self.seed, self.reshuffle = seed, reshuffle
        self.base = seed                               # of this iteration: the seed, or what was drawn without one
        self.passes = 0

    def begin(self) -> None:
        """A new iteration begins. What has no seed draws one now, in the thread of whoever iterates."""
        if self.seed is None:
            self.base = random.getrandbits(64)
            if not self.reshuffle:
                self.seed = self.base

    def next(self) -> random.Random:
        """The generator of the next pass. Its `random()` is the same on every platform and Python version."""
        if self.base is None:
            self.begin()
        number = self.passes if self.reshuffle else 0
        self.passes += 1
        return random.Random(f"{self.base}:{number}")

    def state(self) -> tuple[int | str | None, int]:
        """The base and the number of the next pass."""
        return self.base, self.passes

    def set_state(self, state: Sequence[Any]) -> None:
        """Goes back to a state."""
        self.base, self.passes = state
        if not self.reshuffle:
            self.seed = self.base


async def shuffled(source: Opens, size: int, orders: Orders) -> Stream:
    """Elements in a random order: each is drawn from a buffer of the next `size`."""
    draw = orders.next().random
    buffer: list[Element] = []
    async with aclosing(source()) as stream:
        async for element in stream:
            if len(buffer) < size:
                buffer.append(element)
                continue
            i = int(draw() * size)
            element, buffer[i] = buffer[i], element
            yield element
    while buffer:
        i = int(draw() * len(buffer))
        buffer[i], buffer[-1] = buffer[-1], buffer[i]
        yield buffer.pop()


async def prefetched(source: Opens, size: int) -> Stream:
    """Makes up to `size` elements ahead, while whoever asks does something else."""
    if in_for_loop():
        for element in in_thread(source, size):
            yield element
        return
    ready: asyncio.Queue[tuple[Element, Exception | None, bool]] = asyncio.Queue(size)

    async def fill() -> None:
        failure = None
        try:
            async with aclosing(source()) as stream:
                async for element in stream:
                    await ready.put((element, None, False))
        except Exception as error:
            failure = error
        await ready.put((None, failure, True))

    task = asyncio.ensure_future(fill())
    try:
        while True:
            element, failure, ended = await ready.get()
            if failure is not None:
                raise failure
            if ended:
                return
            yield element
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# ---- several elements
async def in_batches(source: Opens, size: int, drop_remainder: bool, number: int = 0) -> Stream:
    """Stacks of `size` elements."""
    async with aclosing(source()) as stream:
        waiting: list[Element] = []
        async for element in stream:
            waiting.append(element)
            if len(waiting) == size:
                yield stack(waiting, number, size)
                waiting = []
                number += 1
        if waiting and not drop_remainder:
            yield stack(waiting, number, size)


def stack(elements: list[Element], number: int, size: int) -> Element:
    """A batch; an error gets a note that says which."""
    try:
        return batched(elements)
    except ShapeError as error:
        error.add_note(f"batch: this is batch {number}, elements {number * size} to {number * size + len(elements) - 1} of the dataset.")
        raise


async def gathered(rows: Rows, numbers: Opens) -> Stream:
    """Rows of arrays by their numbers."""
    arrays, _ = await rows()
    async with aclosing(numbers()) as stream:
        async for i in stream:
            yield mapped_leaves(itemgetter(i), arrays)


async def in_gathered_batches(rows: Rows, numbers: Opens, size: int, drop_remainder: bool) -> Stream:
    """The same for rows of arrays whose numbers a stream gives: one indexing instead of `size` and a stack."""
    arrays, _ = await rows()
    async with aclosing(in_batches(numbers, size, drop_remainder)) as stream:
        async for index in stream:
            yield mapped_leaves(lambda a, index=index: np.ascontiguousarray(a[index]), arrays)


async def zipped(structure: Element, open_stream: Callable[[Any], Stream]) -> Stream:
    """Elements of several datasets side by side, in their structure, until the shortest ends."""
    opened: list[Stream] = []

    def entered(part: Any) -> Stream:
        opened.append(open_stream(part))
        return opened[-1]

    streams = mapped_leaves(entered, structure)
    try:
        while True:
            values = {}
            for stream in opened:
                try:
                    values[id(stream)] = await stream.__anext__()
                except StopAsyncIteration:
                    return
            yield mapped_leaves(lambda stream, values=values: values[id(stream)], streams)
    finally:
        for stream in opened:
            await stream.aclose()
