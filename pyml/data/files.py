"""`Dataset.list_files`: the paths that a pattern finds."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any

from pyml.data.stage import Stage

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset


class Filing(Stage):
    """`list_files`."""

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: int | str | None = None) -> Dataset:
        """The paths that patterns such as `"photos/*.png"` find, as strings.

        Args:
            file_pattern: A pattern, or a list of them.
            shuffle: In random order, another one in each pass; True by default. Else sorted.
            seed: Of the order.

        Raises:
            FileNotFoundError: No file was found.
        """
        patterns = [file_pattern] if isinstance(file_pattern, (str, os.PathLike)) else list(file_pattern)
        found = sorted({path for pattern in patterns for path in glob.glob(os.fspath(pattern), recursive=True)})
        if not found:
            raise FileNotFoundError(f"list_files: no file was found for {', '.join(repr(os.fspath(pattern)) for pattern in patterns)}.")
        dataset = Stage.made.from_generator(lambda: iter(found))
        dataset._cardinality = len(found)
        return dataset if shuffle is False else dataset.shuffle(len(found), seed=seed)
