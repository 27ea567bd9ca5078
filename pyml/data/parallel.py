"""`map` on several elements at a time: coroutines that wait side by side, functions in threads. The order is kept."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from typing import Any

from pyml.data.checking import need_count
from pyml.data.failing import noted
from pyml.data.kinds import Element, Function, Opens, Stream
from pyml.data.streams import applied
from pyml.data.waiting import in_for_loop, settled

AUTOTUNE = -1


def calls(what: str, number: int | None) -> int:
    """The number of calls at a time that `num_parallel_calls` stands for."""
    if number is None:
        return 1
    if number == AUTOTUNE:
        return max(2, min(os.cpu_count() or 2, 8))
    need_count(what, "num_parallel_calls", number, least=1)
    return int(number)


async def mapped(many: int, source: Opens, fn: Function, first: int = 0) -> Stream:
    """`fn` of each element, up to `many` begun before the first of them is given."""
    waiting: deque = deque()
    pool = None if sys.platform == "emscripten" else ThreadPoolExecutor(many, thread_name_prefix="pyml-map")
    beside = not in_for_loop()

    async def value(number: int, element: Element, begun: Any) -> Any:
        try:
            if pool is not None:
                begun = await asyncio.wrap_future(begun) if beside else begun.result()
            return await settled(begun) if hasattr(begun, "__await__") else begun
        except Exception as error:
            noted(error, "map", fn, number, element)
            raise

    def begin(number: int, element: Element) -> Any:
        if pool is not None:
            begun = pool.submit(copy_context().run, applied, fn, element)
        else:
            try:
                begun = applied(fn, element)
            except Exception as error:
                noted(error, "map", fn, number, element)
                raise
        coming = value(number, element, begun)
        return asyncio.ensure_future(coming) if beside else coming

    try:
        async with aclosing(source()) as stream:
            async for element in stream:
                waiting.append(begin(first, element))
                first += 1
                if len(waiting) >= many:
                    yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for coming in waiting:
            coming.cancel() if beside else coming.close()
        if beside:
            await asyncio.gather(*waiting, return_exceptions=True)
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
