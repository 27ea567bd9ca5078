"""Bounding boxes with Keras' names: formats, overlap, what cropping and turning images does to them, deltas from anchors."""

from pyml.utils.bounding_boxes.changes import affine_transform, clip_to_image_size, crop, pad
from pyml.utils.bounding_boxes.deltas import decode_deltas_to_boxes, encode_box_to_deltas
from pyml.utils.bounding_boxes.formats import convert_format
from pyml.utils.bounding_boxes.overlap import compute_ciou, compute_iou

__all__ = [
    "affine_transform", "clip_to_image_size", "compute_ciou", "compute_iou", "convert_format", "crop", "decode_deltas_to_boxes",
    "encode_box_to_deltas", "pad",
]
