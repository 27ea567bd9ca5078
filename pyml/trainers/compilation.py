"""What `compile` chose: losses and metrics, one set per output, and the names that logs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyml import metrics as metrics_module
from pyml.core import Tensor
from pyml.core.tree import flatten
from pyml.trainers.compile_loss import CompileLoss
from pyml.trainers.compile_metrics import CompileMetrics
from pyml.trainers.outputs import Outputs, aligned


class Compilation:
    """The losses and metrics of a compiled model.

    Args:
        loss, loss_weights, metrics, weighted_metrics: As `compile` received them.
    """

    def __init__(self, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any):
        self.given = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics}
        self.loss = None if loss is None else CompileLoss(loss, loss_weights)
        self.tracker = metrics_module.Mean(name="loss")
        self.parts = [part for part in (CompileMetrics(metrics) if metrics else None,
                                        CompileMetrics(weighted_metrics, weighted=True) if weighted_metrics else None)
                      if part is not None]  # fmt: skip
        self.group: Any = None  # the parts as the one metric that a model shows

    def build(self, y: Any, outputs: Outputs) -> None:
        """Makes losses and metrics for targets and predictions of these shapes, where there are none yet."""
        if y is None:
            return
        if self.loss is not None and not self.loss.built:
            self.loss.build(y, outputs)
        targets: list[Any] | None = None
        for part in self.parts:
            if not part.built:
                targets = aligned(y, outputs, self._wanted) if targets is None else targets
                part.build(targets, outputs)

    @property
    def _wanted(self) -> list[bool] | None:
        """Which outputs have a loss."""
        return None if self.loss is None or not self.loss.built else self.loss.wanted

    def loss_of(self, y: Any, outputs: Outputs, sample_weight: Any, rows: int) -> Tensor | None:
        """The weighted loss of a batch, None without a loss.

        Raises:
            ValueError: There are no targets.
        """
        if self.loss is None:
            return None
        if y is None:
            raise ValueError("fit and evaluate need targets y for the loss given to compile.")
        self.build(y, outputs)
        targets = aligned(y, outputs, self._wanted)
        return self.loss(targets, flatten(outputs.struct), flat_weights(sample_weight, outputs, self._wanted), float(rows))

    def update(self, y: Any, outputs: Outputs, sample_weight: Any) -> None:
        """Takes a batch into account."""
        self.build(y, outputs)
        if self.parts:
            targets, weights = aligned(y, outputs, self._wanted), flat_weights(sample_weight, outputs, self._wanted)
            for part in self.parts:
                part.update(targets, flatten(outputs.struct), weights)

    def losses(self) -> list[Any]:
        """The means of the loss and of its parts."""
        return [self.tracker, *(() if self.loss is None else self.loss.metrics)]

    def named_metrics(self) -> list[tuple[str, Any]]:
        """Pairs of log name and metric, loss first."""
        pairs: list[tuple[str, Any]] = [(metric.name, metric) for metric in self.losses()]
        for part in self.parts:
            pairs += part.named(taken=[name for name, _ in pairs])
        return pairs

    def classed(self, shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, Any, int]]:
        """The outputs of these shapes whose targets are class numbers, once built: place, loss, number of classes."""
        if self.loss is None or len(self.loss.losses) != len(shapes):
            return []
        return [(i, loss, shape[loss._class_axis]) for i, (loss, shape) in enumerate(zip(self.loss.losses, shapes, strict=True))
                if shape and loss is not None and loss._class_axis is not None]  # fmt: skip


def flat_weights(sample_weight: Any, outputs: Outputs, wanted: Sequence[bool] | None) -> list[Any]:
    """Sample weights of all outputs, flat; a single array counts for each."""
    if sample_weight is None:
        return [None] * outputs.number
    if not isinstance(sample_weight, dict) and len(flatten(sample_weight)) == 1:
        return flatten(sample_weight) * outputs.number
    return aligned(sample_weight, outputs, wanted, "sample weight")
