"""Non-maximum suppression: of boxes that overlap much, only the best. Runs on the host: its result has no fixed size."""

from __future__ import annotations

import bisect
from typing import Any

import numpy as np

from ..core.tensor import convert_to_tensor
from ..core.types import TensorLike
from ..errors import ShapeError

_BLOCK = 256  # candidates compared at once


def non_max_suppression(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"),
) -> np.ndarray:
    """The indices of the boxes to keep, best first.

    Args:
        boxes: float `(boxes, 4)`: y1, x1, y2, x2; any two opposite corners.
        scores: float `(boxes,)`.
        max_output_size: At most so many are kept.
        iou_threshold: A box is dropped if it shares at least this part of its union with a better one; 0 to 1.
        score_threshold: Boxes need a higher score.

    Returns:
        int32 numpy array; its length is how many were kept.

    Raises:
        ShapeError: The shapes do not fit together.
        ValueError: A number is out of range.

    Source: tf.image.nonMaxSuppression.

    Example:
        >>> pyml.image.non_max_suppression([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], [0.9, 0.8, 0.7], 10)
        array([0, 2], dtype=int32)
    """
    return _checked(boxes, scores, max_output_size, iou_threshold, score_threshold, 0.0)[0]


def non_max_suppression_with_scores(
    boxes: TensorLike,
    scores: TensorLike,
    max_output_size: int,
    iou_threshold: float = 0.5,
    score_threshold: float = float("-inf"),
    soft_nms_sigma: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """As `non_max_suppression`, and the scores too; with `soft_nms_sigma` > 0 overlap lowers scores by a Gaussian instead.

    Returns:
        int32 indices and float32 scores, numpy arrays of the same length.

    Source: tf.image.nonMaxSuppressionWithScore; Bodla et al. 2017, "Soft-NMS".

    Example:
        >>> pyml.image.non_max_suppression_with_scores([[0, 0, 1, 1], [0, 0, 1, 0.9]], [0.9, 0.8], 10)[1].round(2)
        array([0.9], dtype=float32)
    """
    return _checked(boxes, scores, max_output_size, iou_threshold, score_threshold, soft_nms_sigma)


def _checked(
    boxes: TensorLike, scores: TensorLike, most: int, iou_threshold: float, score_threshold: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    boxes, scores = convert_to_tensor(boxes, "float32").numpy(), convert_to_tensor(scores, "float32").numpy()
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise ShapeError(f"non_max_suppression: expected boxes (n, 4) and scores (n,). Received: {boxes.shape} and {scores.shape}")
    if not 0 <= iou_threshold <= 1 or not 0 <= sigma <= 1 or most < 0:
        raise ValueError(
            "non_max_suppression: iou_threshold and soft_nms_sigma must be between 0 and 1, max_output_size from 0. "
            f"Received: {iou_threshold}, {sigma}, {most}"
        )
    return suppress(boxes, scores, int(most), iou_threshold, score_threshold, sigma)


def suppress(
    boxes: np.ndarray, scores: np.ndarray, most: int, iou_threshold: float, score_threshold: float, sigma: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Indices and scores of the boxes that are kept; numpy arrays."""
    boxes = boxes.astype(np.float64)
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > score_threshold]
    kept, kept_scores = (_soft if sigma > 0 else _hard)(low, high, scores, order, most, iou_threshold, score_threshold, sigma)
    return np.array(kept, np.int32), np.array(kept_scores, np.float32)


def _overlaps(low: np.ndarray, high: np.ndarray, ones: Any, others: Any) -> np.ndarray:
    """Intersection over union of each of `ones` with each of `others`; 0 where a box has no area."""
    height = np.minimum.outer(high[ones, 0], high[others, 0]) - np.maximum.outer(low[ones, 0], low[others, 0])
    width = np.minimum.outer(high[ones, 1], high[others, 1]) - np.maximum.outer(low[ones, 1], low[others, 1])
    both = np.maximum(height, 0) * np.maximum(width, 0)
    areas = (high[:, 0] - low[:, 0]) * (high[:, 1] - low[:, 1])
    union = np.add.outer(areas[ones], areas[others]) - both
    return np.where(np.logical_and.outer(areas[ones] > 0, areas[others] > 0), both / np.maximum(union, 1e-300), 0.0)


def _hard(
    low: np.ndarray,
    high: np.ndarray,
    scores: np.ndarray,
    order: np.ndarray,
    most: int,
    iou_threshold: float,
    score_threshold: float,
    sigma: float,
) -> tuple[list[int], Any]:
    """Candidates come in blocks, best first: compared with what is kept, then with each other."""
    kept: list[int] = []
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        if kept:
            block = block[(_overlaps(low, high, block, kept) < iou_threshold).all(1)]
        inside = _overlaps(low, high, block, block) >= iou_threshold
        free = np.ones(len(block), bool)
        for i, number in enumerate(block):
            if len(kept) == most:
                return kept, scores[kept]
            if free[i]:
                kept.append(int(number))
                free &= ~inside[i]
    return kept, scores[kept]


def _soft(
    low: np.ndarray,
    high: np.ndarray,
    scores: np.ndarray,
    order: np.ndarray,
    most: int,
    iou_threshold: float,
    score_threshold: float,
    sigma: float,
) -> tuple[list[int], Any]:
    """The best candidate is lowered by the boxes kept since it was last looked at, and kept or put back."""
    queue = [(float(scores[i]), -int(i), 0) for i in order[::-1]]  # ascending; the first box wins a tie
    kept: list[int] = []
    kept_scores: list[float] = []
    while queue and len(kept) < most:
        before, number, seen = queue.pop()
        score, dropped = before, False
        for j in range(len(kept) - 1, seen - 1, -1):
            iou = float(_overlaps(low, high, [-number], [kept[j]])[0, 0])
            if iou >= iou_threshold:
                dropped = True
                break
            score *= float(np.exp(-0.5 / sigma * iou * iou))
            if score <= score_threshold:
                break
        if dropped:
            continue
        if score == before:
            kept.append(-number)
            kept_scores.append(score)
        elif score > score_threshold:
            bisect.insort(queue, (score, number, len(kept)))
    return kept, kept_scores
