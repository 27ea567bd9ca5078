"""The metrics of `compile` as one metric, which `model.metrics` has in their place."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from pyml import metrics as metrics_module
from pyml.core import Variable
from pyml.core.narrow import unlabelled
from pyml.core.tree import map_structure
from pyml.trainers.compilation import Compilation

__all__ = ["CompiledMetrics"]


class CompiledMetrics(metrics_module.Metric):
    """All metrics of `compile`, of all outputs; its result is a dict by the names that logs have.

    Args:
        model: Whose predictions it gets; its compilation has the metrics, which are made with the first batch.

    Source: keras.src.trainers.compile_utils.CompileMetrics.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(name="compile_metrics")
        self._model: Callable[[], Any] = weakref.ref(model)

    @property
    def _compilation(self) -> Compilation:
        return self._model()._compilation

    @property
    def metrics(self) -> list[metrics_module.Metric]:
        """The metrics, flat; none before the first batch."""
        return [metric for part in self._compilation.parts for metric in part.metrics]

    @property
    def variables(self) -> list[Variable]:
        """The Variables of all metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Takes a batch into account: targets and predictions as the model has them."""
        self._compilation.update(y_true, self._model()._named_outputs(map_structure(unlabelled, y_pred)), sample_weight)

    def result(self) -> dict[str, Any]:
        """The results so far by name."""
        found: dict[str, Any] = {}
        for name, metric in self._compilation.named_metrics()[len(self._compilation.losses()) :]:
            result = metric.result()
            found.update(result if isinstance(result, dict) else {name: result})
        return found

    def reset_state(self) -> None:
        """Sets all metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()


def spread_out(metrics: Sequence[Any]) -> list[Any]:
    """The metrics, with those of `compile` each for itself."""
    return [one for metric in metrics for one in (metric.metrics if isinstance(metric, CompiledMetrics) else [metric])]


def as_given(metrics: Any) -> Any:
    """The `metrics` of a call of `compile`; those of an earlier one, which `model.metrics` has as one, as they were given to that."""
    if not isinstance(metrics, (list, tuple)) or not any(isinstance(metric, CompiledMetrics) for metric in metrics):
        return metrics
    found: list[Any] = []
    for metric in metrics:
        if not isinstance(metric, CompiledMetrics):
            found.append(metric)
            continue
        for part in metric._compilation.parts:
            found += part.given if isinstance(part.given, (list, tuple)) else part.metrics
    return found
