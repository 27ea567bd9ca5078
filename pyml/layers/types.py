"""Names for what arguments of layers are given as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from pyml.constraints import Constraint
from pyml.initializers import Initializer
from pyml.regularizers import Regularizer

ActivationLike: TypeAlias = str | Callable[..., Any] | Mapping[str, Any] | None
InitializerLike: TypeAlias = str | Initializer | type[Initializer] | Callable[..., Any] | Mapping[str, Any] | np.ndarray | None
RegularizerLike: TypeAlias = str | Regularizer | type[Regularizer] | Callable[..., Any] | Mapping[str, Any] | None
ConstraintLike: TypeAlias = str | Constraint | type[Constraint] | Callable[..., Any] | Mapping[str, Any] | None
