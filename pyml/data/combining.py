"""Methods of `Dataset` that put several datasets together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.data import combined
from pyml.data.checking import need_callable, need_count, need_dataset, need_seed
from pyml.data.stage import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Stage
from pyml.data.streams import Orders

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset


class Combining(Stage):
    """`flat_map`, `interleave`, `sample_from_datasets`, `choose_from_datasets`."""

    def flat_map(self, map_func: Callable) -> Dataset:
        """The elements of the datasets that `map_func` makes of each element, one dataset after the other.

        Example:
            >>> list(pyml.data.Dataset.range(4).flat_map(lambda n: pyml.data.Dataset.range(n)))
            [0, 0, 1, 0, 1, 2]
        """
        need_callable("flat_map", "map_func", map_func)
        return self._derived(partial(combined.flat, self._open, map_func), UNKNOWN_CARDINALITY)

    def interleave(self, map_func: Callable, cycle_length: int | None = None, block_length: int | None = None,
                   num_parallel_calls: int | None = None, deterministic: bool | None = None) -> Dataset:  # fmt: skip
        """The elements of the datasets that `map_func` makes of each element, some of them read in turns.

        Args:
            map_func: Takes an element, as the function of `map`, and returns a Dataset.
            cycle_length: Datasets that are open at a time; by default, and for -1, 16 or `num_parallel_calls`.
            block_length: Elements from one dataset before it is the next one's turn; 1 by default.
            num_parallel_calls, deterministic: For tf.data's signature; the order is always that of `deterministic=True`.

        Example:
            >>> tens = pyml.data.Dataset.range(3).interleave(lambda i: pyml.data.Dataset.range(10 * i, 10 * i + 3), cycle_length=2)
            >>> list(tens)
            [0, 10, 1, 11, 2, 12, 20, 21, 22]
        """
        need_callable("interleave", "map_func", map_func)
        if cycle_length in (None, -1):
            cycle_length = num_parallel_calls if num_parallel_calls and num_parallel_calls > 0 else 16
        need_count("interleave", "cycle_length", cycle_length, least=1)
        block_length = 1 if block_length is None else block_length
        need_count("interleave", "block_length", block_length, least=1)
        return self._derived(partial(combined.interleaved, self._open, map_func, cycle_length, block_length), UNKNOWN_CARDINALITY)

    @staticmethod
    def sample_from_datasets(datasets: Sequence[Any], weights: Any = None, seed: int | str | None = None,
                             stop_on_empty_dataset: bool = False, rerandomize_each_iteration: bool | None = None) -> Dataset:  # fmt: skip
        """Elements of several datasets, each drawn from one of them at random.

        Args:
            datasets: Datasets.
            weights: How often each is drawn from, relative to the others; equally by default. A Dataset of such lists gives
                new ones for each element.
            seed: As for `shuffle`.
            stop_on_empty_dataset: End with the first dataset that ends, so that the shares stay; else go on with the others.
            rerandomize_each_iteration: Other choices in each pass, True by default without a seed.

        Raises:
            ValueError: There are no datasets, or the weights do not fit.
        """
        parts = _datasets("sample_from_datasets", datasets)
        need_seed("sample_from_datasets", seed)
        if weights is None:
            weights = [1.0] * len(parts)
        changing = hasattr(weights, "_open")
        if not changing:
            weights = np.asarray(weights, float)
            if weights.shape != (len(parts),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
                raise ValueError(
                    f"sample_from_datasets: weights must be {len(parts)} numbers of at least 0, not all 0. Received: {weights.tolist()}"
                )
        orders = Orders(seed, rerandomize_each_iteration if rerandomize_each_iteration is not None else seed is None)
        endless = all(part._cardinality == INFINITE_CARDINALITY for part in parts)
        n = INFINITE_CARDINALITY if endless else UNKNOWN_CARDINALITY
        if not stop_on_empty_dataset and not changing and all(part._cardinality >= 0 for part in parts) and (weights > 0).all():
            n = sum(part._cardinality for part in parts)
        dataset = Stage.made(
            partial(combined.sampled, [part._open for part in parts], weights, orders, stop_on_empty_dataset), n
        )._drawing(orders)
        dataset._parents = (*parts, *([weights] if changing else []))
        return dataset

    @staticmethod
    def choose_from_datasets(datasets: Sequence[Any], choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Dataset:
        """Elements of several datasets, each from the one whose number `choice_dataset` gives.

        Args:
            datasets: Datasets.
            choice_dataset: Dataset of integers from 0.
            stop_on_empty_dataset: End with the first chosen dataset that has ended; else leave such choices out.

        Example:
            >>> of = pyml.data.Dataset
            >>> list(of.choose_from_datasets([of.range(3), of.range(10, 13)], of.from_tensor_slices([0, 1, 1, 0])))
            [0, 10, 11, 1]
        """
        parts = _datasets("choose_from_datasets", datasets)
        need_dataset("choose_from_datasets", choice_dataset)
        dataset = Stage.made(
            partial(combined.chosen, [part._open for part in parts], choice_dataset._open, stop_on_empty_dataset), UNKNOWN_CARDINALITY
        )
        dataset._parents = (*parts, choice_dataset)
        return dataset


def _datasets(what: str, datasets: Any) -> list[Any]:
    parts = [need_dataset(what, part) for part in datasets]
    if not parts:
        raise ValueError(f"{what}: give at least one Dataset.")
    return parts
