"""Discretization: numbers as the numbers of the ranges they fall into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.layers.data_layer import DataLayer
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.batches import batches_of, host_values
from pyml.layers.preprocessing.encoding import MODES, check_dense, checked_mode, encoded, encoded_shape
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Discretization"]


class Discretization(DataLayer, Layer, not_in_config=("trainable",)):
    """The number of the range that each value falls into.

    Args:
        bin_boundaries: Increasing edges: `[0., 1.]` makes the ranges below 0, from 0 to 1, and from 1 on.
        num_bins: Instead: how many ranges `adapt` is to find, each with about as many values.
        epsilon: Tolerance of the edges that `adapt` finds: a summary of `1 / epsilon` values is kept.
        output_mode: `"int"`, or `"one_hot"`, `"multi_hot"`, `"count"` as in `CategoryEncoding`.
        sparse: Only False.

    Input shape: any. Output shape: the same; int32 for `"int"`, else vectors as long as there are ranges.

    Raises:
        ValueError: Both or neither of `bin_boundaries` and `num_bins` are given; or the layer is called before `adapt`.

    Example:
        >>> pyml.layers.Discretization([0., 1., 2.])(np.array([[-1.5, 1.0, 3.4, 0.5]])).numpy()
        array([[0, 2, 3, 1]], dtype=int32)
    """

    def __init__(self, bin_boundaries: Sequence[float] | None = None, num_bins: int | None = None, epsilon: float = 0.01,
                 output_mode: str = "int", sparse: bool = False, dtype: Any = None, name: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        check_dense("Discretization", sparse=sparse)
        self.output_mode = checked_mode(output_mode, MODES, "Discretization")
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. "
                f"Received: `num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = None if bin_boundaries is None else np.asarray(bin_boundaries).tolist()
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.sparse = False
        self.summary: Any = None
        self.reset_state()
        self._build_at_init()

    @property
    def output_dtype(self) -> str:
        """int32 for `"int"`, else the layer's."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Finds `num_bins` ranges that hold about as many values each.

        Args:
            data: An array, or a Dataset or another iterable of batches.
            steps: How many batches at most.

        Raises:
            ValueError: The layer was made with `bin_boundaries`.
        """
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` instead."
            )
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Adds a batch to the summary of the values."""
        self.summary = _merged(_summary(host_values(data, "float32"), self.epsilon), self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Makes the ranges from the summary."""
        if self.num_bins is not None:
            self.bin_boundaries = _compressed(self.summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forgets the values seen."""
        self.summary = np.zeros((2, 0), "float32")

    def call(self, inputs: Any) -> Any:
        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or call `adapt(dataset)` before "
                "you can start using the `Discretization` layer."
            )
        bins = ops.digitize(ops.cast(inputs, "float32"), np.asarray(self.bin_boundaries, "float32"))
        return encoded(bins, self.output_mode, len(self.bin_boundaries) + 1, self.output_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        depth = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(input_shape, self.output_mode, depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.output_dtype)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        found = config.get("bin_boundaries") if config.get("num_bins") is not None else None
        layer = super().from_config(config if found is None else config | {"bin_boundaries": None}, custom_objects)
        if found is not None:  # by `adapt`
            layer.bin_boundaries = found
        return layer

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        edges = [-1.0, 0.0, 0.5]
        each = lambda x: np.eye(4)[np.digitize(x, edges)]
        yield sample(cls(edges), draw(3, 4), like=lambda x: np.digitize(x, edges), gradient=False)
        yield sample(cls(edges, output_mode="one_hot"), draw(3, 4), like=each, gradient=False)
        yield sample(cls(edges, output_mode="multi_hot"), draw(3, 4), like=lambda x: each(x).max(1), gradient=False)
        yield sample(cls(edges, output_mode="count"), draw(3, 4), like=lambda x: each(x).sum(1), gradient=False)
        adapted = cls(num_bins=3)
        adapted.adapt(np.arange(9.0))
        found = np.asarray(adapted.bin_boundaries)
        yield sample(adapted, draw(3, 4, low=0, high=9), like=lambda x: np.digitize(x, found), gradient=False)


# ---- summaries of many values: rows of values in order and of how many each stands for
def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """About `1 / epsilon` of the values, evenly among them; all where there are fewer."""
    values = np.sort(values.reshape(-1))
    step = max(values.size * epsilon, 1.0)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def _merged(one: np.ndarray, other: np.ndarray, epsilon: float) -> np.ndarray:
    both = np.concatenate((one, other), axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary with `1 / epsilon` values: those at even parts of the total number."""
    if summary.shape[1] * epsilon < 1:
        return summary
    parts = epsilon + np.arange(0.0, 1.0, epsilon)
    totals = summary[1].cumsum()
    shares = totals / totals[-1]
    values, totals = np.interp(parts, shares, summary[0]), np.interp(parts, shares, totals)
    return np.stack((values, np.diff(totals, prepend=0.0))).astype("float32")
