"""What detectors need: non-maximum suppression and positions of elements; their results have no fixed shape."""

from __future__ import annotations

import numpy as np

from .rules import check_count, number, rule


def _suppress(boxes, scores, most, iou, least, sigma=0.0):
    from ...image.detection import suppress

    return suppress(np.asarray(boxes, np.float32), np.asarray(scores, np.float32), int(number(most)), number(iou), number(least), sigma)


@rule("NonMaxSuppressionV2", host=True, pure=True)
def _nms2(node, xp, boxes, scores, most, iou):
    return _suppress(boxes, scores, most, iou, -np.inf)[0]


@rule("NonMaxSuppressionV3", host=True, pure=True)
def _nms3(node, xp, boxes, scores, most, iou, least):
    return _suppress(boxes, scores, most, iou, least)[0]


@rule("NonMaxSuppressionV4", host=True, pure=True)
def _nms4(node, xp, boxes, scores, most, iou, least):
    kept, _ = _suppress(boxes, scores, most, iou, least)
    count = np.array(len(kept), np.int32)
    if node.attr("pad_to_max_output_size", False):
        kept = np.concatenate([kept, np.zeros(check_count([number(most) - len(kept)], "NonMaxSuppressionV4"), np.int32)])
    return [kept, count]


@rule("NonMaxSuppressionV5", host=True, pure=True)
def _nms5(node, xp, boxes, scores, most, iou, least, sigma):
    kept, kept_scores = _suppress(boxes, scores, most, iou, least, number(sigma))
    return [kept, kept_scores, np.array(len(kept), np.int32)]


@rule("Where", host=True, pure=True)
def _where(node, xp, condition):
    return np.argwhere(condition)
