"""An array in an HDF5 file, and how far a file is trusted."""

from __future__ import annotations

from typing import Any

import numpy as np

MOST_DEEP = 100  # groups inside each other
MOST_RATIO = 1000  # bytes that one stored byte may unpack to; deflate reaches no more


class Stored:
    """An array in a file; `numpy()` reads it."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, read: Any, attrs: dict[str, Any]) -> None:
        self.shape, self.dtype, self._read, self.attrs = shape, dtype, read, attrs

    def numpy(self) -> np.ndarray:
        """Its values.

        Raises:
            ModelFileError: They are damaged.
        """
        return self._read()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy().astype(dtype or self.dtype, copy=False)
