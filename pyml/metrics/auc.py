"""The area under a curve of two shares, over thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml import ops
from pyml.core.types import TensorLike
from pyml.errors import ShapeError
from pyml.metrics.thresholds import ThresholdMetric, evenly
from pyml.objects.samples import Sample, draw, sample

__all__ = ["AUC"]

_EDGE = 1e-7        # the first and the last threshold lie this far outside [0, 1]
_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


class AUC(ThresholdMetric):
    """The area under the curve of recall over false alarms (ROC), of precision over recall (PR), or of their gains (PRGAIN).

    Args:
        num_thresholds: How many thresholds make up the curve, evenly from 0 to 1.
        curve: `"ROC"`, `"PR"` or `"PRGAIN"`.
        summation_method: `"interpolation"`, or `"majoring"` and `"minoring"` for bounds from above and below.
        name: Name in logs.
        dtype: Dtype of the state, float32.
        thresholds: Thresholds in `[0, 1]` to take instead.
        multi_label: The area of each label by itself, then their mean.
        num_labels: Number of labels, with `multi_label`; found from the data where None.
        label_weights: Weights of the labels: in the mean with `multi_label`, else of their samples.
        from_logits: True when predictions are logits.

    Raises:
        ValueError: An argument is not one of those above.

    Source: `keras.metrics.AUC`; Flach and Kull 2015 for gains.

    Example:
        >>> metric = pyml.metrics.AUC(num_thresholds=3)
        >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> float(metric.result())
        0.75
    """

    _direction = "up"

    def __init__(self, num_thresholds: int = 200, curve: str = "ROC", summation_method: str = "interpolation", name: str | None = None,
                 dtype: Any = None, thresholds: Any = None, multi_label: bool = False, num_labels: int | None = None,
                 label_weights: Any = None, from_logits: bool = False) -> None:
        if str(curve).upper() not in _CURVES:
            raise ValueError(f"AUC: curve must be one of {_CURVES}. Received: curve={curve!r}")
        if str(summation_method).lower() not in _METHODS:
            raise ValueError(f"AUC: summation_method must be one of {_METHODS}. Received: summation_method={summation_method!r}")
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(f"AUC: num_thresholds must be an integer above 1. Received: num_thresholds={num_thresholds}")
        if num_labels and not multi_label:
            raise ValueError("AUC: num_labels is for multi_label=True only.")
        super().__init__(name=name, dtype=dtype)
        inner = np.linspace(0, 1, num_thresholds)[1:-1].tolist() if thresholds is None else sorted(thresholds)
        self._thresholds = None if thresholds is None else inner
        self.num_thresholds = len(inner) + 2
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, "float32").tolist()
        self._from_logits = from_logits
        self._limits = [-_EDGE, *inner, 1.0 + _EDGE]
        self._even = thresholds is None or evenly([0.0, *inner, 1.0])
        self._built = False
        if num_labels or not multi_label:
            self._build(num_labels)

    def get_config(self) -> dict[str, Any]:
        """As in Keras, thresholds are told where some were given; `num_thresholds` makes them otherwise."""
        config = super().get_config()
        if self._thresholds is None:
            config.pop("thresholds", None)
        return config

    def _build(self, labels: int | None) -> None:
        self._start(self._limits, self._even, labels)
        self._built = True

    def update_state(self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None) -> None:
        y_pred = ops.convert_to_tensor(y_pred)
        if not self._built:
            if len(y_pred.shape) != 2:
                raise ShapeError(f"AUC: multi_label=True needs predictions (samples, labels). Received: {y_pred.shape}")
            self._build(y_pred.shape[1])
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        self._count(y_true, y_pred, sample_weight, label_weights=None if self.multi_label else self.label_weights,
                    by_label=self.multi_label)

    def result(self) -> Any:
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._curve()
        heights = {
            "interpolation": lambda: (y[:-1] + y[1:]) / 2.0,
            "minoring": lambda: ops.minimum(y[:-1], y[1:]),
            "majoring": lambda: ops.maximum(y[:-1], y[1:]),
        }[self.summation_method]()
        return self._total((x[:-1] - x[1:]) * heights)

    def _curve(self) -> tuple[Any, Any]:
        """The two shares at every threshold."""
        tp, fp, tn, fn = (ops.convert_to_tensor(getattr(self, name)) for name in self._counts)
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return ops.divide_no_nan(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, ops.divide_no_nan(tp, tp + fp)
        scale, none = ops.divide_no_nan(tp + fn, tn + fp), ops.equal(tp, 0.0)
        gain = ops.maximum(ops.where(none, 0.0, 1.0 - scale * ops.divide_no_nan(fn, tp)), 0.0)
        return gain, ops.where(none, 1.0, 1.0 - scale * ops.divide_no_nan(fp, tp))

    def interpolate_pr_auc(self) -> Any:
        """The area under precision over recall, whatever `curve` is; precision is not linear between thresholds.

        Returns:
            A scalar; of the labels as `multi_label` and `label_weights` say.

        Source: Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves", section 4.

        Example:
            >>> metric = pyml.metrics.AUC(num_thresholds=5)
            >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
            >>> print(f"{metric.interpolate_pr_auc():.4f}")
            0.8873
        """
        tp, fp, _, fn = (ops.convert_to_tensor(getattr(self, name)) for name in self._counts)
        said = tp + fp
        gained = tp[:-1] - tp[1:]
        slope = ops.divide_no_nan(gained, ops.maximum(said[:-1] - said[1:], 0.0))
        intercept = tp[1:] - slope * said[1:]
        both = ops.logical_and(said[:-1] > 0, said[1:] > 0)
        growth = ops.where(both, ops.divide_no_nan(said[:-1], ops.maximum(said[1:], 0.0)), 1.0)
        return self._total(ops.divide_no_nan(slope * (gained + intercept * ops.log(growth)), ops.maximum(tp[1:] + fn[1:], 0.0)))

    def _total(self, pieces: Any) -> Any:
        if not self.multi_label:
            return ops.sum(pieces)
        areas = ops.sum(pieces, axis=0)
        if self.label_weights is None:
            return ops.mean(areas)
        weights = np.array(self.label_weights, np.float32)
        return ops.divide_no_nan(ops.sum(areas * ops.convert_to_tensor(weights)), weights.sum())

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def roc(y: Any, p: Any) -> Any:
            limits = [-1, *np.linspace(0, 1, 11)[1:-1], 2]
            x, h = (np.array([(p > t)[y == c].mean() for t in limits]) for c in (0, 1))
            return ((x[:-1] - x[1:]) * (h[:-1] + h[1:]) / 2).sum()

        bits, chances = draw(6, 3, low=0, high=2, dtype="int32"), draw(6, 3, low=0.0, high=1.0)
        yield sample(cls(11), bits, chances, like=roc)
        yield sample(cls(thresholds=np.linspace(0, 1, 11)[1:-1].tolist()), bits, chances, like=roc)
