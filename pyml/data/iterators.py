"""Iterators over datasets: they know where they are, so that a pass that broke off goes on later."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from pyml import atomic
from pyml.data.structure import given
from pyml.data.waiting import driven


class _Place:
    """What both iterators share: the number of elements given so far, and the random numbers of this pass."""

    def __init__(self, dataset: Any):
        self._dataset = dataset
        self._orders = dataset._all_orders()
        self._given = 0
        self._stream: Any = None
        for orders in self._orders:
            orders.begin()
        self._started = [orders.state() for orders in self._orders]

    def get_state(self) -> dict[str, Any]:
        """Where the iterator is, as a dict that JSON can hold; `set_state` of an iterator over the same dataset goes on there."""
        return {"position": self._given, "orders": [list(state) for state in self._started]}

    def _accept(self, state: Any) -> int:
        """Puts the random numbers back, and returns the position."""
        try:
            position, saved = int(state["position"]), list(state["orders"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"set_state: expected what get_state() returned. Received: {state!r}") from None
        if len(saved) != len(self._orders):
            raise ValueError(
                f"set_state: the state is of a dataset with {len(saved)} random stages and this one has {len(self._orders)}; "
                "build the dataset as it was when the state was saved."
            )
        for orders, one in zip(self._orders, saved, strict=True):
            orders.set_state(one)
        self._started = [orders.state() for orders in self._orders]
        self._given = position
        return position

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the state to the file `path`, whole or not at all."""
        atomic.write(path, json.dumps(self.get_state()).encode())


class DatasetIterator(_Place):
    """The elements of a dataset, for `for` and `next`; made by `iter(dataset)`.

    `get_state` and `set_state` (or `save` and `restore`, with files) let a pass go on where it broke off, in this process or
    another one, with the same order of elements: shuffles are drawn again as they were. Ranges, rows of arrays, `map`, `batch`,
    `zip`, `take`, `skip`, `enumerate`, `prefetch` and shuffled rows go to the place at once; other stages make the elements
    before it again. Random numbers that functions of the user draw are theirs to restore.

    Example:
        >>> ds = pyml.data.Dataset.range(6).shuffle(6, seed=1)
        >>> first = iter(ds)
        >>> begun = [next(first), next(first)]
        >>> state = first.get_state()
        >>> second = iter(pyml.data.Dataset.range(6).shuffle(6, seed=1))
        >>> second.set_state(state)
        >>> list(first) == list(second)
        True
    """

    def __iter__(self) -> DatasetIterator:
        return self

    def __next__(self) -> Any:
        if self._stream is None:
            blocks = self._dataset._blocks
            self._stream = driven(self._dataset._open()) if blocks is None else _flat(driven(blocks()))
        element = next(self._stream)
        self._given += 1
        return given(element)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes to the place of a state.

        Raises:
            ValueError: It is no state, or one of another dataset.
        """
        self.close()
        position = self._accept(state)
        self._stream = driven(self._dataset._from(position))

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Goes to the place that `save` wrote to the file `path`."""
        with open(path, "rb") as file:
            self.set_state(json.loads(file.read()))

    def close(self) -> None:
        """Lets go of files and connections."""
        stream, self._stream = self._stream, iter(())
        if hasattr(stream, "close"):
            stream.close()


class AsyncDatasetIterator(_Place):
    """The elements of a dataset, for `async for`; made by `aiter(dataset)`. Its state is that of `DatasetIterator`.

    Example:
        >>> import asyncio
        >>> async def first():
        ...     async for element in pyml.data.Dataset.range(3):
        ...         return element
        >>> asyncio.run(first())
        0
    """

    def __aiter__(self) -> AsyncDatasetIterator:
        return self

    def __init__(self, dataset: Any):
        super().__init__(dataset)
        self._block: Iterator[Any] = iter(())          # the rest of the elements that came together

    async def __anext__(self) -> Any:
        for element in self._block:
            self._given += 1
            return element
        if self._stream is None:
            blocks = self._dataset._blocks
            self._stream = self._dataset._open() if blocks is None else _InBlocks(blocks())
        element = await self._stream.__anext__()
        if isinstance(self._stream, _InBlocks):
            self._block = iter(element)
            return await self.__anext__()
        self._given += 1
        return given(element)

    async def set_state(self, state: dict[str, Any]) -> None:
        """Goes to the place of a state, as `DatasetIterator.set_state`."""
        await self.aclose()
        position = self._accept(state)
        self._stream = self._dataset._from(position)

    async def aclose(self) -> None:
        """Lets go of files and connections."""
        stream, self._stream, self._block = self._stream, _nothing(), iter(())
        if stream is not None:
            await stream.aclose()


class _InBlocks:
    """A stream of lists of elements, told from one of elements by its class."""

    def __init__(self, stream: Any):
        self.__anext__, self.aclose = stream.__anext__, stream.aclose


def _flat(blocks: Any) -> Iterator[Any]:
    try:
        for block in blocks:
            yield from block
    finally:
        blocks.close()


async def _nothing() -> AsyncGenerator[Any, None]:
    none: tuple[Any, ...] = ()
    for element in none:
        yield element
