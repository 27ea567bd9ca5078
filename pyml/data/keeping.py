"""Methods of `Dataset` that keep elements: in memory, or in files that a later run reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyml.data import kept
from pyml.data.fingerprint import fingerprint
from pyml.data.stage import UNKNOWN_CARDINALITY, Stage
from pyml.data.waiting import run_now

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset


class Keeping(Stage):
    """`cache`, `snapshot`, `save` and `load`."""

    def cache(self, filename: str | os.PathLike[str] = "") -> Dataset:
        """The same elements, made once: the first whole pass keeps them, later ones read what it kept.

        Args:
            filename: A file that keeps them, also for later runs (remove it when what comes before changes); in memory without.

        Raises:
            TypeError: While iterating, with a file: an element holds something other than numbers, strings and arrays.

        Example:
            >>> made = []
            >>> ds = pyml.data.Dataset.range(3).map(lambda i: made.append(i) or i).cache()
            >>> list(ds) == list(ds), made
            (True, [0, 1, 2])
        """
        self._need_an_end("cache")
        name = os.fspath(filename)
        if name:
            return self._derived(partial(kept.through_file, self._open, name), self._cardinality)
        memory = kept.Memory()
        return self._derived(partial(memory.stream, self._open), self._cardinality, lambda n: memory.stream(self._open, n))

    def snapshot(self, path: str | os.PathLike[str], compression: str | None = "AUTO", reader_func: Callable | None = None,
                 shard_func: Callable | None = None) -> Dataset:  # fmt: skip
        """The same elements, which the first whole pass writes into a folder; later passes and runs read it.

        They are made anew where what comes before has changed: functions, their constants, arguments and arrays. What is in files, in
        tensors or in objects of other packages is not looked at; remove the folder when that changes.

        Args:
            path: The folder; it is made.
            compression: `"AUTO"`, None, `"GZIP"` or `"ZLIB"`; AUTO packs nothing.
            reader_func: Takes a Dataset of Datasets, one for each file, and returns the Dataset of elements; by default, with one
                file, its elements in order.
            shard_func: Takes an element, as the function of `map`, and returns the number of its file; one file by default.
        """
        self._need_an_end("snapshot")
        how = _packing("snapshot", compression), reader_func, shard_func
        source = self._open, fingerprint(self._open), Stage.made
        return self._derived(partial(kept.through_folder, *source, os.fspath(path), *how), self._cardinality)

    def save(self, path: str | os.PathLike[str], compression: str | None = None, shard_func: Callable | None = None,
             checkpoint_args: Any = None) -> None:  # fmt: skip
        """Writes all elements into a folder, from which `Dataset.load` reads them; waits for them.

        Args:
            path, compression, shard_func: As for `snapshot`; what was there before is replaced at the end.
            checkpoint_args: For tf.data's signature; only None.

        Example:
            >>> import tempfile
            >>> folder = tempfile.mkdtemp()
            >>> pyml.data.Dataset.range(3).batch(2).save(folder)
            >>> [batch.tolist() for batch in pyml.data.Dataset.load(folder)]
            [[0, 1], [2]]
        """
        self._need_an_end("save")
        if checkpoint_args is not None:
            raise ValueError("save: checkpoint_args is not supported; the folder is written whole or not at all.")
        run_now(kept.written(self._open, os.fspath(path), _packing("save", compression), shard_func))

    @staticmethod
    def load(path: str | os.PathLike[str], element_spec: Any = None, compression: str | None = None,
             reader_func: Callable | None = None) -> Dataset:  # fmt: skip
        """The elements that `save` or `snapshot` wrote.

        Args:
            path: The folder.
            element_spec, compression: For tf.data's signature; the files know both.
            reader_func: As for `snapshot`.

        Raises:
            FileNotFoundError: There is no such folder, or it was not written to its end.
        """
        name = os.fspath(path)
        if not (Path(name) / kept.COMPLETE).is_file():
            raise FileNotFoundError(f"Dataset.load: {name!r} is not a folder that `save` or `snapshot` wrote to its end.")
        return Stage.made(partial(kept.read_folder, Stage.made, name, reader_func), UNKNOWN_CARDINALITY)


def _packing(what: str, compression: str | None) -> str | None:
    if compression == "AUTO":
        return None
    if compression not in (None, "GZIP", "ZLIB"):
        raise ValueError(f'{what}: compression must be "AUTO", None, "GZIP" or "ZLIB". Received: {compression!r}')
    return compression
