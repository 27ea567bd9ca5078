"""Streams that go through the elements one by one and keep something on the way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import numpy as np

from pyml.data.kinds import Element, Function, Opens, Stream
from pyml.data.streams import Orders, decision, result
from pyml.data.structure import is_tensor, leaves
from pyml.data.waiting import settled


async def numbered(source: Opens, start: int) -> AsyncGenerator[tuple[int, Element], None]:
    """Pairs of number and element."""
    async with aclosing(source()) as stream:
        async for element in stream:
            yield start, element
            start += 1


async def scanned(source: Opens, state: Any, fn: Function) -> Stream:
    """Outputs of a function that hands on a state."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            pair = await result("scan", fn, number, element, state)
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(f"scan: scan_func must return (new_state, output). For element {number} it returned {pair!r:.80}")
            state, output = pair
            yield output
            number += 1


async def reduced(source: Opens, state: Any, fn: Function) -> Any:
    """The last state."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            state = await result("reduce", fn, number, element, state)
            number += 1
    return state


async def while_true(source: Opens, predicate: Function) -> Stream:
    """Elements until the predicate is false."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            if not await decision("take_while", predicate, number, element):
                return
            yield element
            number += 1


async def once_each(source: Opens) -> Stream:
    """Elements that did not come before."""
    seen = set()
    async with aclosing(source()) as stream:
        async for element in stream:
            key = []
            for leaf in leaves(element):
                array = np.asarray(await settled(leaf.data()) if is_tensor(leaf) else leaf)
                key.append((array.dtype.str, array.shape, array.tobytes() if array.dtype.kind != "O" else str(array.tolist())))
            if tuple(key) not in seen:
                seen.add(tuple(key))
                yield element


async def every(source: Opens, count: int, index: int) -> Stream:
    """Elements `index`, `index + count`, ..."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            if number % count == index:
                yield element
            number += 1


async def resampled(source: Opens, class_of: Function, target: np.ndarray, initial: np.ndarray | None, orders: Orders) -> Stream:
    """Elements accepted with the probabilities that bring the classes to the wanted shares."""
    draw = orders.next().random
    counts = np.ones(len(target))                      # one of each, so that the first elements are not all refused
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            kind = int(await result("rejection_resample", class_of, number, element))
            if not 0 <= kind < len(target):
                raise ValueError(
                    f"rejection_resample: class_func must return a class from 0 to {len(target) - 1}. For element {number}: {kind}"
                )
            number += 1
            counts[kind] += 1
            shares = counts / counts.sum() if initial is None else initial
            ratio = np.divide(target, shares, out=np.zeros_like(target), where=shares > 0)
            if draw() * ratio.max() < ratio[kind]:
                yield kind, element
