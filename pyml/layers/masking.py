"""Masks: which steps of a sequence count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.layers.activation import _SameShape
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Masking"]


class Masking(_SameShape):
    """Leaves out the steps whose features are all equal to `mask_value`: later layers do not see them.

    Recurrent layers keep their state in such a step, attention does not look at it, means do not count it.

    Args:
        mask_value: The value that marks a step as empty.

    Input shape: `(batch, steps, features)`. Output shape: the same, with zeros in the steps left out.

    Example:
        >>> x = np.array([[[1.0, 2.0], [9.0, 9.0]]], "float32")
        >>> pyml.layers.GlobalAveragePooling1D()(pyml.layers.Masking(9.0)(x)).numpy().tolist()
        [[1.0, 2.0]]
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return ops.where(ops.expand_dims(self._kept(inputs), -1), inputs, 0)

    def _kept(self, inputs: Any) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where a feature differs from `mask_value`."""
        return self._kept(inputs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1.0), draw(2, 3, 4), like=lambda x: x)
