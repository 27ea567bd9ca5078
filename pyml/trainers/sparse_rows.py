"""Matrices of scipy that keep only what is not zero, as data: their zeros are written out a batch at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pyml.dtypes import host_array, standardize

__all__ = ["SparseRows", "rows_of"]

WRITTEN_OUT = 256 * 1024 * 1024  # bytes with all zeros up to which a matrix is an array at once


def rows_of(matrix: Any) -> Any:
    """A sparse matrix as an array; as `SparseRows` where that would be large."""
    return matrix.toarray() if 4 * math.prod(matrix.shape) <= WRITTEN_OUT else SparseRows(matrix)


class SparseRows:
    """A sparse matrix `(samples, features)` that gives arrays where rows are taken.

    Args:
        matrix: Any sparse matrix of scipy.
    """

    def __init__(self, matrix: Any):
        self._rows = matrix.tocsr()
        self.shape: tuple[int, ...] = tuple(matrix.shape)
        self.dtype = np.dtype(standardize(matrix.dtype))
        self.ndim, self.size = len(self.shape), math.prod(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return host_array(self._rows[index].toarray())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(self[:], dtype)
