"""Methods of `Dataset` that put elements together, and take them apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pyml.data import grouped
from pyml.data.checking import need_callable, need_count
from pyml.data.stage import UNKNOWN_CARDINALITY, Stage

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset


class Grouping(Stage):
    """`padded_batch`, `window`, `unbatch`, `rebatch` and batches of what belongs together."""

    def padded_batch(self, batch_size: int, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: bool = False) -> Dataset:
        """Batches of arrays of different sizes, each filled up at its end to the longest of its batch.

        Args:
            batch_size: Elements per batch.
            padded_shapes: For each leaf the sizes to fill up to, None or -1 for the longest of the batch; None for all.
            padding_values: The number (or string) that fills, one for all leaves or one for each; 0 or `""` by default.
            drop_remainder: Leave out the last batch where it is shorter.

        Raises:
            ShapeError: While iterating: leaves differ in their numbers of dimensions, or one is longer than asked for.

        Example:
            >>> words = pyml.data.Dataset.from_generator(lambda: [[1, 2], [3]])
            >>> [batch.tolist() for batch in words.padded_batch(2)]
            [[[1, 2], [3, 0]]]
        """
        need_count("padded_batch", "batch_size", batch_size, least=1)
        n = self._cardinality
        if n >= 0:
            n = n // batch_size if drop_remainder else -(-n // batch_size)
        make = partial(grouped.padded, shapes=padded_shapes, values=padding_values)
        return self._derived(
            partial(grouped.in_groups, self._open, batch_size, drop_remainder, make), n,
            lambda k: grouped.in_groups(partial(self._from, k * batch_size), batch_size, drop_remainder, make, k * batch_size),
        )  # fmt: skip

    def window(self, size: int, shift: int | None = None, stride: int = 1, drop_remainder: bool = False) -> Dataset:
        """Windows over the elements, each a Dataset; a tuple or dict of Datasets where the elements are tuples or dicts.

        Args:
            size: Elements in a window.
            shift: Elements from the beginning of one window to that of the next; `size` by default.
            stride: Elements from one to the next inside a window.
            drop_remainder: Leave out windows with fewer than `size` elements.

        Example:
            >>> windows = pyml.data.Dataset.range(5).window(3, shift=1, drop_remainder=True)
            >>> [batch.tolist() for batch in windows.flat_map(lambda window: window.batch(3))]
            [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        need_count("window", "size", size, least=1)
        shift = size if shift is None else shift
        need_count("window", "shift", shift, least=1)
        need_count("window", "stride", stride, least=1)
        n = self._cardinality
        if n >= 0:
            reach = (size - 1) * stride
            n = (max(0, -(-(n - reach) // shift)) if drop_remainder else -(-n // shift))
        return self._derived(
            partial(grouped.windows, self._open, Stage.made, size, shift, stride, drop_remainder), n,
            lambda k: grouped.windows(partial(self._from, k * shift), Stage.made, size, shift, stride, drop_remainder),
        )  # fmt: skip

    def unbatch(self) -> Dataset:
        """The rows of each element, one by one: what `batch` put together.

        Example:
            >>> list(pyml.data.Dataset.range(3).batch(2).unbatch())
            [np.int32(0), np.int32(1), np.int32(2)]
        """
        return self._derived(partial(grouped.rows, self._open), UNKNOWN_CARDINALITY if self._cardinality else 0)

    def rebatch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Batches of `batch_size`, made of batches of another; `drop_remainder` leaves out a last one that is smaller."""
        need_count("rebatch", "batch_size", batch_size, least=1)
        parts = self._derived(partial(grouped.rows, self._open, "rebatch"), UNKNOWN_CARDINALITY if self._cardinality else 0)
        return parts.batch(batch_size, drop_remainder)

    def group_by_window(self, key_func: Callable, reduce_func: Callable, window_size: int | None = None,
                        window_size_func: Callable | None = None) -> Dataset:  # fmt: skip
        """Elements of the same key, gathered in windows of which each becomes a Dataset.

        Args:
            key_func: Takes an element and returns its key, an integer or another value that a dict takes.
            reduce_func: Takes a key and the Dataset of its window; returns the Dataset of what is given.
            window_size: Elements in a window; the last of each key may have fewer.
            window_size_func: Takes a key and returns its window size, instead.
        """
        need_callable("group_by_window", "key_func", key_func)
        need_callable("group_by_window", "reduce_func", reduce_func)
        if (window_size is None) == (window_size_func is None):
            raise ValueError("group_by_window: give either window_size or window_size_func.")
        if window_size_func is None:
            assert window_size is not None
            need_count("group_by_window", "window_size", window_size, least=1)
            fixed = window_size
            window_size_func = lambda key: fixed
        return self._derived(
            partial(grouped.by_key, self._open, Stage.made, key_func, reduce_func, window_size_func), UNKNOWN_CARDINALITY
        )

    def bucket_by_sequence_length(self, element_length_func: Callable, bucket_boundaries: Any, bucket_batch_sizes: Any,
                                  padded_shapes: Any = None, padding_values: Any = None, pad_to_bucket_boundary: bool = False,
                                  no_padding: bool = False, drop_remainder: bool = False) -> Dataset:  # fmt: skip
        """Batches of elements of about the same length, so that little is filled up.

        Args:
            element_length_func: Takes an element, as the function of `map`, and returns its length.
            bucket_boundaries: Lengths, rising, at which a new bucket begins.
            bucket_batch_sizes: Elements in a batch of each bucket; one more than there are boundaries.
            padded_shapes, padding_values: As for `padded_batch`.
            pad_to_bucket_boundary: Fill up to one below the end of the bucket instead of the longest of the batch; then no
                element may be as long as the last boundary.
            no_padding: All elements of a batch have the same size already.
            drop_remainder: Leave out batches with fewer elements.

        Raises:
            ValueError: The numbers of boundaries and batch sizes do not fit, or an element is too long for its bucket.

        Example:
            >>> words = pyml.data.Dataset.from_generator(lambda: [[1], [2, 3, 4], [5], [6, 7, 8]])
            >>> [b.tolist() for b in words.bucket_by_sequence_length(len, [2], [2, 2])]
            [[[1], [5]], [[2, 3, 4], [6, 7, 8]]]
        """
        need_callable("bucket_by_sequence_length", "element_length_func", element_length_func)
        bounds, sizes = [int(b) for b in bucket_boundaries], [int(s) for s in bucket_batch_sizes]
        if len(sizes) != len(bounds) + 1:
            raise ValueError(
                "bucket_by_sequence_length: bucket_batch_sizes must have one number more than bucket_boundaries. "
                f"Received: {len(sizes)} sizes and {len(bounds)} boundaries."
            )
        if sorted(set(bounds)) != bounds:
            raise ValueError(f"bucket_by_sequence_length: bucket_boundaries must rise. Received: {bounds}")
        for size in sizes:
            need_count("bucket_by_sequence_length", "bucket_batch_sizes", size, least=1)
        make = partial(grouped.padded, shapes=padded_shapes, values=padding_values)
        return self._derived(
            partial(grouped.in_buckets, self._open, element_length_func, bounds, sizes, make, pad_to_bucket_boundary, no_padding,
                    drop_remainder), UNKNOWN_CARDINALITY,
        )  # fmt: skip
