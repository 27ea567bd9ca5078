"""Pictures of what models see and say, with Keras' names: boxes and masks on images, galleries of them."""

from pyml.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from pyml.visualization.galleries import plot_bounding_box_gallery, plot_image_gallery, plot_segmentation_mask_gallery

__all__ = [
    "draw_bounding_boxes", "draw_segmentation_masks", "plot_bounding_box_gallery", "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
