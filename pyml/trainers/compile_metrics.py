"""Metrics of `compile`: names resolved by shapes, one set per output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pyml import metrics as metrics_module
from pyml.core.naming import get_object_name
from pyml.core.tree import flatten
from pyml.trainers.outputs import Outputs, spread


def is_binary_or_sparse(y_true: Any, y_pred: Any) -> tuple[bool, bool]:
    """Whether predictions have one column; whether targets are class numbers."""
    true_rank, pred_rank = len(y_true.shape), len(y_pred.shape)
    binary = y_pred.shape[-1] == 1
    sparse = true_rank < pred_rank or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1)
    return binary, sparse


def get_metric(identifier: Any, y_true: Any, y_pred: Any) -> metrics_module.Metric:
    """A Metric for a name, function or object; `"accuracy"` is picked by the shapes."""
    if identifier is None:
        raise ValueError("compile: a metric is None; expected a name, a function or a Metric.")
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        binary, sparse = is_binary_or_sparse(y_true, y_pred)
        if binary:
            return metrics_module.BinaryAccuracy(name=identifier)
        if sparse:
            return metrics_module.SparseCategoricalAccuracy(name=identifier)
        return metrics_module.CategoricalAccuracy(name=identifier)
    metric = metrics_module.get(identifier)
    name = identifier if isinstance(identifier, str) else get_object_name(metric)
    if not isinstance(metric, metrics_module.Metric):
        metric = metrics_module.MeanMetricWrapper(metric, name=name)
    metric.name = name
    return metric


class CompileMetrics:
    """All metrics of a model, as `compile` received them.

    Args:
        metrics: List of metrics; with several outputs a list of lists or a dict by output name.
        weighted: Set when sample weights apply.
    """

    def __init__(self, metrics: Any, weighted: bool = False):
        if metrics is not None and not isinstance(metrics, (list, tuple, dict)):
            raise ValueError(
                f"compile: metrics must be a list, tuple or dict. Received: metrics={metrics!r} ({type(metrics).__name__})"
            )
        self.given = metrics
        self.weighted = weighted
        self.built = False
        self.per_output: list[tuple[str, list[metrics_module.Metric]]] = []  # one (prefix, [metric, ...]) per output

    def build(self, y_true: Sequence[Any], outputs: Outputs) -> None:
        """Makes the metrics for flat targets, and for predictions in their structure."""
        given, count, keys = spread(self.given, outputs, "weighted_metrics" if self.weighted else "metrics"), outputs.number, outputs.keys
        for i, (own, true, pred) in enumerate(zip(given, y_true, flatten(outputs.struct), strict=True)):
            own = own if isinstance(own, (list, tuple)) else [] if own is None else [own]
            prefix = f"{keys[i]}_" if count > 1 and keys is not None else ""
            self.per_output.append((prefix, [get_metric(m, true, pred) for m in own]))
        self.built = True

    @property
    def metrics(self) -> list[metrics_module.Metric]:
        """All metrics, flat."""
        return [metric for _, own in self.per_output for metric in own]

    def update(self, y_true: Sequence[Any], y_pred: Sequence[Any], weights: Sequence[Any]) -> None:
        """Takes a batch of flat targets, predictions and sample weights into account."""
        for (prefix, own), true, pred, weight in zip(self.per_output, y_true, y_pred, weights, strict=True):
            for metric in own:
                if true is None:
                    raise ValueError(
                        f"The metric '{prefix}{metric.name}' needs targets y for its output; give them, or leave it out of compile."
                    )
                if self.weighted and weight is not None:
                    metric.update_state(true, pred, sample_weight=weight)
                else:
                    metric.update_state(true, pred)

    def named(self, taken: Iterable[str] = ()) -> list[tuple[str, metrics_module.Metric]]:
        """Pairs of log name and metric; repeated names get a number."""
        pairs, seen = [], dict.fromkeys(taken, 1)
        for prefix, own in self.per_output:
            for metric in own:
                name = prefix + metric.name
                if name in seen and self.weighted:
                    name = f"{prefix}weighted_{metric.name}"
                count = seen.get(name, 0)
                seen[name] = count + 1
                pairs.append((f"{name}_{count}" if count else name, metric))
        return pairs
