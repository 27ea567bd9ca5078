"""`Stage`: what every dataset has under its methods: a stream that opens, a number of elements, a way to go on in the middle."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pyml.data.iterators import AsyncDatasetIterator, DatasetIterator
from pyml.data.kinds import Element, Opens, Rows, Stream
from pyml.data.streams import Orders, gathered, skipped, taken

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Stage:
    """The ground of `Dataset`.

    Args:
        open_stream: Function that returns a new asynchronous generator of the elements.
        cardinality: Number of elements, `INFINITE_CARDINALITY` or `UNKNOWN_CARDINALITY`.
    """

    made: ClassVar[type[Dataset]]                      # what the methods return

    def __init__(self, open_stream: Opens, cardinality: int = UNKNOWN_CARDINALITY):
        self._open = open_stream
        self._cardinality = cardinality
        # opens the stream as lists of elements that loops may have as they are
        self._blocks: Callable[[], AsyncGenerator[list[Element], None]] | None = None
        # where the elements are rows of arrays: brings the arrays, and opens a stream of the numbers of the rows
        self._rows: tuple[Rows, Opens] | None = None
        self._at: Callable[[int], Stream] | None = None  # opens the stream at element n, without making those before it
        self._parents: tuple[Stage, ...] = ()          # datasets that this one reads
        self._lenient: Callable[[bool], Stream] | None = None  # opens the stream without the elements that fail
        self._orders: Orders | None = None             # random numbers of this stage

    def _derived(self, open_stream: Opens, cardinality: int, at: Callable[[int], Stream] | None = None) -> Dataset:
        """A dataset that reads this one."""
        dataset = Stage.made(open_stream, cardinality)
        dataset._parents, dataset._at = (self,), at
        return dataset

    def _ordered(self, stage: Callable[..., Stream], *args: Any, cardinality: int) -> Dataset:
        """A stage that only chooses and orders elements; over rows of arrays it may work on their numbers."""
        dataset = self._derived(partial(stage, self._open, *args), cardinality)
        if self._rows is not None:
            rows, numbers = self._rows
            chosen = partial(stage, numbers, *args)
            dataset._rows = rows, chosen
            dataset._at = lambda n: gathered(rows, partial(skipped, chosen, n))
        elif stage is skipped:
            dataset._at = lambda n: self._from(n + args[0])
        elif stage is taken:
            dataset._at = lambda n: taken(partial(self._from, n), max(args[0] - n, 0))
        return dataset

    def _drawing(self, orders: Orders) -> Self:
        """This dataset, which draws random numbers from `orders`."""
        self._orders = orders
        return self

    def _from(self, number: int) -> Stream:
        """The stream from element `number` on."""
        if not number:
            return self._open()
        return skipped(self._open, number) if self._at is None else self._at(number)

    def _all_orders(self) -> list[Orders]:
        """The random numbers of this dataset and of those it reads, each once."""
        found: dict[int, Orders] = {}
        waiting: list[Stage] = [self]
        seen: set[int] = set()
        while waiting:
            dataset = waiting.pop()
            if id(dataset) in seen:
                continue
            seen.add(id(dataset))
            if dataset._orders is not None:
                found.setdefault(id(dataset._orders), dataset._orders)
            waiting.extend(dataset._parents)
        return list(found.values())

    def __iter__(self) -> DatasetIterator:
        return DatasetIterator(self)

    def __aiter__(self) -> AsyncDatasetIterator:
        return AsyncDatasetIterator(self)

    def cardinality(self) -> int:
        """The number of elements, `INFINITE_CARDINALITY` (-1), or `UNKNOWN_CARDINALITY` (-2) before they are counted."""
        return self._cardinality

    def __len__(self) -> int:
        if self._cardinality < 0:
            kind = "infinite" if self._cardinality == INFINITE_CARDINALITY else "not known before it was iterated"
            raise TypeError(f"the length of this dataset is {kind}; see `cardinality()`.")
        return self._cardinality

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        known = {INFINITE_CARDINALITY: "infinitely many", UNKNOWN_CARDINALITY: "an unknown number of"}
        count = known.get(self._cardinality, self._cardinality)
        return f"<{type(self).__name__} of {count} element{'s' if count != 1 else ''}>"

    def _need_an_end(self, what: str) -> None:
        if self._cardinality == INFINITE_CARDINALITY:
            raise ValueError(f"{what}: this dataset is infinite; choose a part of it with `take(count)` first.")
