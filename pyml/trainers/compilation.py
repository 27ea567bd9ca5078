"""What `compile` chose: losses and metrics, one set per output, and the names that logs have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyml import losses as losses_module
from pyml import metrics as metrics_module
from pyml.core import Tensor
from pyml.core.tree import flatten
from pyml.trainers.compile_loss import CompileLoss
from pyml.trainers.compile_metrics import CompileMetrics


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

    def build(self, y: Any, y_pred: Any, names: Sequence[str]) -> None:
        """Makes losses and metrics for targets and predictions of these shapes, where there are none yet."""
        if y is None:
            return
        targets, predictions = flat_targets(y, y_pred, names), flatten(y_pred)
        for part in (self.loss, *self.parts):
            if part is not None and not part.built:
                part.build(targets, predictions, names)

    def loss_of(self, y: Any, y_pred: Any, sample_weight: Any, names: Sequence[str], rows: int) -> Tensor | None:
        """The weighted loss of a batch, None without a loss.

        Raises:
            ValueError: There are no targets.
        """
        if self.loss is None:
            return None
        if y is None:
            raise ValueError("fit and evaluate need targets y for the loss given to compile.")
        self.build(y, y_pred, names)
        return self.loss(flat_targets(y, y_pred, names), flatten(y_pred), flat_weights(sample_weight, y_pred, names), float(rows))

    def update(self, y: Any, y_pred: Any, sample_weight: Any, names: Sequence[str]) -> None:
        """Takes a batch into account."""
        self.build(y, y_pred, names)
        for part in self.parts:
            part.update(flat_targets(y, y_pred, names), flatten(y_pred), flat_weights(sample_weight, y_pred, names))

    def named_metrics(self) -> list[tuple[str, Any]]:
        """Pairs of log name and metric, loss first."""
        pairs: list[tuple[str, Any]] = [("loss", self.tracker)]
        if self.loss is not None:
            pairs += [(metric.name, metric) for metric in self.loss.metrics]
        for part in self.parts:
            pairs += part.named(taken=[name for name, _ in pairs])
        return pairs

    def classed(self, shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, Any, int]]:
        """The outputs of these shapes whose targets are class numbers, once built: place, loss, number of classes."""
        if self.loss is None or len(self.loss.losses) != len(shapes):
            return []
        return [(i, loss, shape[-1]) for i, (loss, shape) in enumerate(zip(self.loss.losses, shapes, strict=True))
                if shape and isinstance(loss, losses_module.Loss) and loss.name == "sparse_categorical_crossentropy"]  # fmt: skip


def flat_weights(sample_weight: Any, y_pred: Any, names: Sequence[str]) -> list[Any]:
    """Sample weights of all outputs, flat; a single array counts for each."""
    count = len(flatten(y_pred))
    if sample_weight is None:
        return [None] * count
    if not isinstance(sample_weight, dict) and len(flatten(sample_weight)) == 1:
        return flatten(sample_weight) * count
    return flat_targets(sample_weight, y_pred, names)


def flat_targets(y: Any, y_pred: Any, names: Sequence[str]) -> list[Any]:
    """Targets (or sample weights) of all outputs, flat, in the order of the predictions.

    Raises:
        ValueError: The number of targets differs from the number of outputs.
    """
    count = len(flatten(y_pred))
    if isinstance(y, dict):
        keys = sorted(y_pred) if isinstance(y_pred, dict) else names
        missing = [key for key in keys if key not in y]
        if missing:
            raise ValueError(f"No targets for output(s) {', '.join(missing)}. Received keys: {', '.join(y)}.")
        return [y[key] for key in keys]
    flat = flatten(y)
    if len(flat) != count:
        raise ValueError(f"The model has {count} output(s) ({', '.join(names)}), but {len(flat)} target(s) were given.")
    return flat
