"""What detectors need: non-maximum suppression and positions of elements; their results have no fixed shape."""

from __future__ import annotations

import numpy as np

from .rules import Value, Xp, check_count, number, rule
from .topology import Node


def _suppress(boxes: Value, scores: Value, most: Value, iou: Value, least: Value, sigma: float = 0.0) -> Value:
    from ...image.detection import suppress

    return suppress(np.asarray(boxes, np.float32), np.asarray(scores, np.float32), int(number(most)), number(iou), number(least), sigma)


@rule("NonMaxSuppressionV2", host=True, pure=True)
def _nms2(node: Node, xp: Xp, boxes: Value, scores: Value, most: Value, iou: Value) -> Value:
    return _suppress(boxes, scores, most, iou, -np.inf)[0]


@rule("NonMaxSuppressionV3", host=True, pure=True)
def _nms3(node: Node, xp: Xp, boxes: Value, scores: Value, most: Value, iou: Value, least: Value) -> Value:
    return _suppress(boxes, scores, most, iou, least)[0]


@rule("NonMaxSuppressionV4", host=True, pure=True)
def _nms4(node: Node, xp: Xp, boxes: Value, scores: Value, most: Value, iou: Value, least: Value) -> Value:
    kept, _ = _suppress(boxes, scores, most, iou, least)
    count = np.array(len(kept), np.int32)
    if node.attr("pad_to_max_output_size", False):
        kept = np.concatenate([kept, np.zeros(check_count([number(most) - len(kept)], "NonMaxSuppressionV4"), np.int32)])
    return [kept, count]


@rule("NonMaxSuppressionV5", host=True, pure=True)
def _nms5(node: Node, xp: Xp, boxes: Value, scores: Value, most: Value, iou: Value, least: Value, sigma: Value) -> Value:
    kept, kept_scores = _suppress(boxes, scores, most, iou, least, number(sigma))
    return [kept, kept_scores, np.array(len(kept), np.int32)]


@rule("Where", host=True, pure=True)
def _where(node: Node, xp: Xp, condition: Value) -> Value:
    return np.argwhere(condition)
