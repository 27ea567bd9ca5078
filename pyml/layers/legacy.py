"""Layers that Keras 3 has no more, for the files that name them: ThresholdedReLU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.layers.activation import _SameShape
from pyml.objects.samples import Sample, draw, sample

__all__ = ["ThresholdedReLU"]


class ThresholdedReLU(_SameShape):
    """`x` where it is above `theta`, 0 elsewhere. Files of Keras 2 and TensorFlow.js have it; `ReLU(threshold=)` is another function.

    Args:
        theta: The threshold, a number from 0.

    Input shape: any. Output shape: the same.

    Raises:
        ValueError: `theta` is no such number.

    Source: Konda et al. 2014, "Zero-bias autoencoders and the benefits of co-adapting features".

    Example:
        >>> pyml.layers.ThresholdedReLU(theta=1.5)(np.array([[1.0, 2.0]], "float32")).numpy().tolist()
        [[0.0, 2.0]]
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(theta, (int, float)) or not math.isfinite(theta) or theta < 0:
            raise ValueError(f"ThresholdedReLU: theta must be a number from 0. Received: theta={theta!r}")
        self.theta = theta
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return ops.where(inputs > self.theta, inputs, 0.0)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(0.4), draw(2, 9), like=lambda x: x * (x > 0.4), gradient=False)
