"""Streams of elements from several datasets."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np

from pyml.data.kinds import Element, Function, Opens, Stream
from pyml.data.streams import Orders, result

if TYPE_CHECKING:
    from pyml.data.stage import Stage


async def _inner(what: str, fn: Function, number: int, element: Element) -> Stream:
    """The stream of the dataset that `fn` makes of an element."""
    dataset = await result(what, fn, number, element)
    if not hasattr(dataset, "_open"):
        raise TypeError(f"{what}: the function must return a Dataset. For element {number} it returned a {type(dataset).__name__}.")
    return dataset._open()


async def flat(source: Opens, fn: Function) -> Stream:
    """The elements of datasets, one dataset after the other."""
    number = 0
    async with aclosing(source()) as stream:
        async for element in stream:
            async with aclosing(await _inner("flat_map", fn, number, element)) as inner:
                async for given in inner:
                    yield given
            number += 1


async def interleaved(source: Opens, fn: Function, cycle: int, block: int) -> Stream:
    """The elements of datasets, `cycle` of which are open at a time and give `block` in turn.

    Source: the order of `tf.data.Dataset.interleave`: a place whose dataset has ended is filled when its turn comes again.
    """
    places: list = [None] * cycle
    number = turn = given = 0
    ended = False
    try:
        async with aclosing(source()) as stream:
            while not ended or any(place is not None for place in places):
                if places[turn] is None and not ended:
                    try:
                        outer = await stream.__anext__()
                    except StopAsyncIteration:
                        ended = True
                        continue
                    places[turn] = await _inner("interleave", fn, number, outer)
                    number += 1
                if places[turn] is not None:
                    try:
                        element = await places[turn].__anext__()
                    except StopAsyncIteration:
                        places[turn], given = None, block
                    else:
                        yield element
                        given += 1
                    if given < block:
                        continue
                turn, given = (turn + 1) % cycle, 0
    finally:
        for place in places:
            if place is not None:
                await place.aclose()


async def sampled(sources: list[Opens], weights: np.ndarray | Stage, orders: Orders, stop: bool) -> Stream:
    """Elements of sources drawn by weights."""
    draw = orders.next().random
    streams = [source() for source in sources]
    changing = weights._open() if hasattr(weights, "_open") else None
    left = np.ones(len(streams), bool)
    try:
        while left.any():
            if changing is not None:
                try:
                    row = await changing.__anext__()
                except StopAsyncIteration:
                    return
            else:
                row = weights
            sums = np.cumsum(np.asarray(row, float) * left)
            if not sums[-1] > 0:
                return
            i = min(int(np.searchsorted(sums, draw() * sums[-1], side="right")), len(streams) - 1)
            try:
                element = await streams[i].__anext__()
            except StopAsyncIteration:
                if stop:
                    return
                left[i] = False
                continue
            yield element
    finally:
        for stream in [*streams, *([changing] if changing is not None else [])]:
            await stream.aclose()


async def chosen(sources: list[Opens], choices: Opens, stop: bool) -> Stream:
    """Elements of the sources whose numbers a stream gives."""
    streams = [source() for source in sources]
    try:
        async with aclosing(choices()) as numbers:
            place = 0
            async for number in numbers:
                i = int(number)
                if not 0 <= i < len(streams):
                    raise ValueError(f"choose_from_datasets: choice {place} must be from 0 to {len(streams) - 1}. Received: {i}")
                place += 1
                try:
                    element = await streams[i].__anext__()
                except StopAsyncIteration:
                    if stop:
                        return
                    continue
                yield element
    finally:
        for stream in streams:
            await stream.aclose()
