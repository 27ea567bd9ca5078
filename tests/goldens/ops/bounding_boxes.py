"""Bounding boxes: formats, overlap, what is done to images, deltas from anchors.

`decode_deltas_to_boxes` takes no numpy arrays in Keras on PyTorch; that it undoes the encoding is a test of its own.
"""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

BOX = "utils.bounding_boxes."


def boxes(seed, *shape, size=20.0):
    """Corners of boxes within `size`, left before right and top before bottom."""
    first, last = uniform(seed, (*shape, 2)) / 2 + 0.5, uniform(seed + 50, (*shape, 2)) / 2 + 0.5
    return (np.concatenate([np.minimum(first, last), np.maximum(first, last)], -1) * np.float32(size)).astype("float32")


SOME, MORE, ANCHORS = boxes(1, 2, 3), boxes(2, 2, 4), boxes(3, 3)
WHOLE = np.floor(boxes(4, 3)).astype("int32")
MASKED = SOME.copy()
MASKED[0, 1] = -1.0
TURN = [np.array(v, "float32") for v in ([20.0, -35.0], [0.1, -0.2], [-0.3, 0.05], [0.8, 1.3], [5.0, -10.0], [-3.0, 12.0])]
FORMATS = ("xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")
ENCODE = {"anchor_format": "xyxy", "box_format": "rel_xywh", "variance": [0.1, 0.1, 0.2, 0.2], "image_shape": (20, 25, 3)}

CASES = {
    **{f"{a}_to_{b}": call(BOX + "convert_format", SOME, a, b, 20, 25) for a, b in zip(FORMATS, (*FORMATS[4:], *FORMATS[:4]), strict=True)},
    "whole": call(BOX + "convert_format", WHOLE, "XYXY", "XYWH"),
    "clip": call(BOX + "clip_to_image_size", {"boxes": SOME - 4, "labels": labels(5, 6, 9).reshape(2, 3)}, 9, 11),
    "clip_relative": call(BOX + "clip_to_image_size", {"boxes": SOME / 10 - 0.5, "labels": labels(5, 6, 9).reshape(2, 3)},
                          bounding_box_format="rel_xyxy"),
    "crop": call(BOX + "crop", SOME, 3, 2, 9, 11),
    "crop_whole": call(BOX + "crop", WHOLE, 3, 2, 9, 11),
    "pad": call(BOX + "pad", SOME, 3, 2),
    "turn": call(BOX + "affine_transform", SOME, *TURN, 20, 25),
    "turn_center": call(BOX + "affine_transform", SOME, *TURN, 20, 25, 0.2, 0.7),
    "iou": call(BOX + "compute_iou", SOME, MORE, "xyxy"),
    "iou_mixed": call(BOX + "compute_iou", ANCHORS, MORE, "center_xywh"),
    "iou_relative": call(BOX + "compute_iou", SOME / 25, MORE / 25, "rel_yxyx", image_shape=(20, 25, 3)),
    "iou_masked": call(BOX + "compute_iou", MASKED, MORE, "xyxy", use_masking=True, mask_val=-2),
    "ciou": call(BOX + "compute_ciou", SOME, MORE[:, :3], "xywh"),
    "encode": call(BOX + "encode_box_to_deltas", ANCHORS, SOME / 25, **ENCODE),
    "encode_plain": call(BOX + "encode_box_to_deltas", ANCHORS, ANCHORS + 1, "xyxy", "xyxy", "center_xywh"),
}  # fmt: skip
