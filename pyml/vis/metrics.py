"""Numbers about predictions: what tfjs-vis has in `metrics`, and the curves of scores. Computed with numpy on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.vis.dates import dated
from pyml.vis.values import numbers, table_of

__all__ = ["accuracy", "auc", "average_precision", "confusion_matrix", "per_class_accuracy", "precision_recall_curve", "roc_curve"]
MOST = 1_000_000                                       # classes: more are something else, and their counts would fill the memory


def accuracy(labels: Any, predictions: Any) -> float:
    """The share of predictions that are right.

    Args:
        labels, predictions: Classes, or numbers of any shape, the same for both.

    Raises:
        ValueError: There are not as many predictions as labels, or there are none.

    Example:
        >>> pyml.vis.metrics.accuracy([1, 2, 3, 4], [1, 2, 0, 4])
        0.75
    """
    true, found = numbers("accuracy", labels), numbers("accuracy", predictions)
    if true.shape != found.shape:
        raise ValueError(f"accuracy: labels and predictions must have the same shape. Received {true.shape} and {found.shape}.")
    if not true.size:
        raise ValueError("accuracy: there are no labels.")
    return float((true == found).mean())


def classes(what: str, labels: Any, predictions: Any, count: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Both as classes from 0, and how many there are; rows of scores become the class of the highest.

    Raises:
        ValueError: They differ in number, or are not classes.
    """
    both = []
    for name, values in (("labels", labels), ("predictions", predictions)):
        array = numbers(what, values)
        if array.ndim == 2 and array.shape[1] > 1:
            if np.isnan(array).any():
                raise ValueError(f"{what}: {name} hold scores that are NaN, which are of no class; see whether the loss is NaN too.")
            array = array.argmax(1).astype(float)
        array = array.reshape(-1)
        if not (np.isfinite(array).all() and (array >= 0).all() and (array == np.floor(array)).all()):
            raise ValueError(f"{what}: {name} must be classes, integers from 0, or rows of scores; threshold probabilities first.")
        if array.size and array.max() >= MOST:
            raise ValueError(f"{what}: {name} must be classes from 0 on, numbered without gaps. Received a class {array.max():.0f}.")
        both.append(array.astype(np.int64))
    if len(both[0]) != len(both[1]):
        raise ValueError(f"{what}: expected as many predictions as labels. Received {len(both[1])} and {len(both[0])}.")
    most = int(max((array.max() for array in both if array.size), default=-1)) + 1
    if count is not None and most > count:
        raise ValueError(f"{what}: num_classes is {count}, and there is a class {most - 1}.")
    return both[0], both[1], most if count is None else count


def numbered(what: str, labels: Any, predictions: Any, names: Any) -> tuple[Any, Any, Any]:
    """Labels and predictions that are names, as the numbers of these among `names`, or in the order of the alphabet; numbers as they are.

    Raises:
        ValueError: Only one of both holds names, or a name is not among `names`.
    """
    true, said = (table_of(what, values) if isinstance(values, (list, tuple)) or hasattr(values, "to_numpy") else values
                  for values in (labels, predictions))  # fmt: skip
    true, said = (values.astype(str) if dated(values) else values for values in (true, said))  # days, as names
    texts = [_are_names(values) for values in (true, said)]
    if not any(texts):
        return labels, predictions, names
    if not all(texts):
        which = "labels" if texts[0] else "predictions"
        raise ValueError(f"{what}: {which} are names and the others are not; give numbers, or names, for both.")
    found = list(map(str, names)) if names is not None else sorted({str(one) for values in (true, said) for one in values})
    place = {name: i for i, name in enumerate(found)}
    lost = next((str(one) for values in (true, said) for one in values if str(one) not in place), None)
    if lost is not None:
        raise ValueError(f"{what}: {lost!r} is not among class_names; there are {', '.join(found):.100}.")
    return np.array([place[str(one)] for one in true]), np.array([place[str(one)] for one in said]), found


def _are_names(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1 and values.size > 0 and all(isinstance(one, str) for one in values)


def confusion_matrix(labels: Any, predictions: Any, num_classes: int | None = None,
                     weights: Any = None) -> list[list[int]] | list[list[float]]:  # fmt: skip
    """How often each class (row) was taken for each (column).

    Args:
        labels, predictions: Classes from 0, or rows of scores.
        num_classes: Classes; by default one more than the largest found.
        weights: How much each sample counts.

    Raises:
        ValueError: There are not as many predictions, or weights, as labels.

    Example:
        >>> pyml.vis.metrics.confusion_matrix([0, 1, 1], [0, 1, 0])
        [[1, 0], [1, 1]]
    """
    true, found, count = classes("confusion_matrix", labels, predictions, num_classes)
    if weights is None:
        return np.bincount(true * count + found, minlength=count * count).reshape(count, count).tolist()
    share = numbers("confusion_matrix", weights).reshape(-1)
    if len(share) != len(true):
        raise ValueError(f"confusion_matrix: expected {len(true)} weights, one for each label. Received {len(share)}.")
    return np.bincount(true * count + found, share, minlength=count * count).reshape(count, count).tolist()


def per_class_accuracy(labels: Any, predictions: Any, num_classes: int | None = None) -> list[dict[str, float]]:
    """For each class how many samples it has, and the share of them that was found; NaN for a class without samples.

    Args:
        labels: The true class of each sample.
        predictions: The class that a model found.
        num_classes: How many classes there are; by default as many as occur.

    Example:
        >>> pyml.vis.metrics.per_class_accuracy([0, 1, 1], [0, 1, 0])
        [{'accuracy': 1.0, 'count': 1}, {'accuracy': 0.5, 'count': 2}]
    """
    true, found, count = classes("per_class_accuracy", labels, predictions, num_classes)
    flat = np.array(confusion_matrix(true, found, count)).reshape(-1)
    size = int(np.sqrt(flat.size))
    matrix = flat.reshape(size, size)
    counts = matrix.sum(1)
    return [{"accuracy": float(matrix[i, i] / n) if n else float("nan"), "count": int(n)} for i, n in enumerate(counts)]


def _sorted(what: str, labels: Any, scores: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True and false positives at each threshold that differs, from the highest, and the thresholds."""
    true, score = numbers(what, labels).reshape(-1), numbers(what, scores).reshape(-1)
    if len(true) != len(score):
        raise ValueError(f"{what}: expected as many scores as labels. Received {len(score)} and {len(true)}.")
    if not np.isin(true, (0, 1)).all():
        raise ValueError(f"{what}: labels must be 0 or 1; for several classes draw one curve for each, as `labels == k`.")
    if not np.isfinite(score).all():
        raise ValueError(f"{what}: scores must be finite numbers; there is NaN or infinity among them.")
    if not (0 < true.sum() < len(true)):
        raise ValueError(f"{what}: labels must hold both classes, 0 and 1.")
    order = np.argsort(-score, kind="stable")
    true, score = true[order], score[order]
    last = np.r_[np.flatnonzero(np.diff(score)), len(score) - 1]
    hits = np.cumsum(true)[last]
    return hits, 1 + last - hits, score[last]


def roc_curve(labels: Any, scores: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False positive rates, true positive rates and thresholds, from the highest; begins at `(0, 0, inf)`.

    Args:
        labels: True or 1 for positive samples, False or 0 for others.
        scores: How sure a model is that a sample is positive.

    Raises:
        ValueError: There are not as many scores as labels, a score is not finite, or the labels do not hold both 0 and 1.

    Example:
        >>> fpr, tpr, thresholds = pyml.vis.metrics.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> fpr.tolist(), tpr.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    hits, misses, thresholds = _sorted("roc_curve", labels, scores)
    return np.r_[0, misses / misses[-1]], np.r_[0, hits / hits[-1]], np.r_[np.inf, thresholds]


def auc(x: Any, y: Any) -> float:
    """The area under a curve, by trapezoids.

    Args:
        x: Places along the curve, rising or falling.
        y: Heights there.

    Example:
        >>> pyml.vis.metrics.auc([0, 1, 2], [0, 1, 1])
        1.5
    """
    x, y = numbers("auc", x), numbers("auc", y)
    return abs(float(((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2).sum()))


def precision_recall_curve(labels: Any, scores: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precisions, recalls and rising thresholds; ends at `(1, 0)`, which has no threshold. Arguments and errors as of `roc_curve`.

    Example:
        >>> precisions, recalls, thresholds = pyml.vis.metrics.precision_recall_curve([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
        >>> recalls.tolist()
        [1.0, 1.0, 0.5, 0.5, 0.0]
    """
    hits, misses, thresholds = _sorted("precision_recall_curve", labels, scores)
    precision, recall = hits / (hits + misses), hits / hits[-1]
    return np.r_[precision[::-1], 1], np.r_[recall[::-1], 0], thresholds[::-1]


def average_precision(labels: Any, scores: Any) -> float:
    """The mean of the precisions, each weighted by what it adds to the recall. Arguments and errors as of `roc_curve`.

    Example:
        >>> pyml.vis.metrics.average_precision([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.8])
        0.8333333333333333
    """
    precision, recall, _ = precision_recall_curve(labels, scores)
    return float(-(np.diff(recall) * precision[:-1]).sum())
