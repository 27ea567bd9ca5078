"""Names for what functions of tensors take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from .symbolic import KerasTensor
from .tensor import Tensor
from .variable import Variable

TensorLike: TypeAlias = Tensor | Variable | KerasTensor | np.ndarray | np.generic | float | Sequence[Any]
Axis: TypeAlias = int | Sequence[int] | None
Shape: TypeAlias = int | Sequence[int]
