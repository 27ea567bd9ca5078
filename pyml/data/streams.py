"""What datasets do, as asynchronous generators: each takes a function that opens its source anew.

A stage closes its source when it is left, so files, connections and cameras are released at once.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import Any

import numpy as np

from pyml.data.structure import batched, mapped_leaves
from pyml.data.waiting import in_for_loop, settled


def applied(fn, element) -> Any:
    """`fn` of an element: tuples come as several arguments, as in tf.data."""
    return fn(*element) if type(element) is tuple else fn(element)


# ---- sources
async def counted(start, stop, step):
    """Integers, like `range`."""
    for value in range(start, stop, step):
        yield value


async def sliced(rows):
    """The rows of nested arrays, given by a coroutine function that brings the arrays and their length."""
    arrays, size = await rows()
    for i in range(size):
        yield mapped_leaves(lambda a, i=i: a[i], arrays)


async def generated(make):
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


async def called(fn):
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
async def mapped(source, fn):
    """`fn` of each element; a coroutine it returns is awaited."""
    async with aclosing(source()) as stream:
        async for element in stream:
            value = applied(fn, element)
            yield await settled(value) if hasattr(value, "__await__") else value


async def filtered(source, keep):
    """The elements of which `keep` is true."""
    async with aclosing(source()) as stream:
        async for element in stream:
            wanted = applied(keep, element)
            if hasattr(wanted, "__await__"):
                wanted = await settled(wanted)
            if wanted:
                yield element


# ---- order and number
async def taken(source, count):
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


async def skipped(source, count):
    """All elements but the first `count`."""
    async with aclosing(source()) as stream:
        left = count
        async for element in stream:
            if left:
                left -= 1
            else:
                yield element


async def repeated(source, count):
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


async def joined(first, second):
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

    def __init__(self, seed, reshuffle):
        self.seed, self.reshuffle = seed, reshuffle
        self.passes = 0

    def next(self) -> random.Random:
        """The generator of the next pass. Its `random()` is the same on every platform and Python version."""
        seed = self.seed
        if seed is None:
            seed = random.getrandbits(64)
            if not self.reshuffle:
                self.seed = seed
        number = self.passes if self.reshuffle else 0
        self.passes += 1
        return random.Random(f"{seed}:{number}")


async def shuffled(source, size, orders):
    """Elements in a random order: each is drawn from a buffer of the next `size`."""
    draw = orders.next().random
    buffer: list = []
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


async def prefetched(source, size):
    """Makes up to `size` elements ahead, while whoever asks does something else; only under `async for`."""
    if in_for_loop():
        async with aclosing(source()) as stream:
            async for element in stream:
                yield element
        return
    ready: asyncio.Queue = asyncio.Queue(size)

    async def fill():
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
async def in_batches(source, size, drop_remainder):
    """Stacks of `size` elements."""
    async with aclosing(source()) as stream:
        waiting: list = []
        async for element in stream:
            waiting.append(element)
            if len(waiting) == size:
                yield batched(waiting)
                waiting = []
        if waiting and not drop_remainder:
            yield batched(waiting)


async def in_gathered_batches(rows, numbers, size, drop_remainder):
    """The same for rows of arrays whose numbers a stream gives: one indexing instead of `size` and a stack."""
    arrays, _ = await rows()
    async with aclosing(in_batches(numbers, size, drop_remainder)) as stream:
        async for index in stream:
            yield mapped_leaves(lambda a, index=index: np.ascontiguousarray(a[index]), arrays)


async def zipped(structure, open_stream):
    """Elements of several datasets side by side, in their structure, until the shortest ends."""
    opened: list = []

    def entered(part):
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
