"""Images side by side, by matplotlib, which is needed for these only."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from pyml.atomic import write
from pyml.core.types import TensorLike
from pyml.errors import to_install
from pyml.visualization.drawing import batch_of_images, draw_bounding_boxes, draw_segmentation_masks

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def _pyplot(what: str) -> Any:
    try:
        import matplotlib.pyplot
    except ImportError:
        raise ImportError(f"{what}: plots need matplotlib: {to_install('matplotlib')}.") from None
    return matplotlib.pyplot


def plot_image_gallery(
    images: TensorLike,
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    label_map: Mapping[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Shows images side by side, or writes them to a file.

    Args:
        images: `(batch, height, width, channels)`.
        y_true, y_pred: Classes of the images, written above them.
        label_map: Names of the classes.
        rows, cols: How many; by default about as many rows as columns.
        value_range: The values of black and white.
        scale: Inches of an image.
        path: Where to write it; by default it is shown.
        show: Whether to show it; not together with `path`.
        transparent, dpi: Of the file.
        legend_handles: Of matplotlib, for a legend.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: Both `path` and `show` are given, or classes without names.
        ShapeError: The images have not 4 axes.

    Example:
        >>> pyml.visualization.plot_image_gallery(images, path="gallery.png")    # doctest: +SKIP
    """
    plt = _pyplot("plot_image_gallery")
    if path is not None and show:
        raise ValueError("plot_image_gallery: give either path or show=True.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("plot_image_gallery: label_map is needed where y_true or y_pred is given.")
    pixels = batch_of_images(images, data_format, "plot_image_gallery").astype(np.float32)
    low, high = value_range
    pixels = np.clip((pixels - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    rows = rows or math.ceil(math.sqrt(len(pixels)))
    cols = cols or math.ceil(len(pixels) / rows)
    named = [(word, np.asarray(classes)) for word, classes in (("Label", y_true), ("Pred", y_pred)) if classes is not None]
    figure, axes = plt.subplots(rows, cols, figsize=(cols * scale, rows * scale), frameon=False, layout="tight", squeeze=False)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i >= len(pixels):
            continue
        axis.imshow(pixels[i])
        axis.margins(x=0, y=0)
        said = [f"{word}: {(label_map or {}).get(int(classes[i]), 'Unknown')}" for word, classes in named if i < len(classes)]
        if said:
            axis.set_title("  ".join(said), fontsize=8)
    if path is not None:
        to_file = isinstance(path, (str, PathLike))
        made = io.BytesIO() if to_file else path
        ending = Path(path).suffix[1:] if to_file else ""
        plt.savefig(made, format=ending or None, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        if to_file:
            write(path, made.getvalue())
        plt.close(figure)
    elif show is None or show:
        plt.show()
        plt.close(figure)


def plot_bounding_box_gallery(
    images: TensorLike,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Sequence[int] = (0, 188, 212),
    pred_color: Sequence[int] = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows images side by side with boxes on them: the right ones and those that a model found.

    Args:
        images: `(batch, height, width, channels)`.
        bounding_box_format: Any format of `utils.bounding_boxes.convert_format`.
        y_true, y_pred: Boxes, as for `draw_bounding_boxes`.
        value_range, rows, cols, legend_handles, kwargs: See `plot_image_gallery`.
        true_color, pred_color: Red, green and blue, from 0 to 255.
        line_thickness, font_scale, text_thickness: See `draw_bounding_boxes`.
        class_mapping, ground_truth_mapping, prediction_mapping: Names of labels, for both or one of them.
        legend: Whether to say which colour is which.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: Both `legend` and `legend_handles` are given.

    Example:
        >>> pyml.visualization.plot_bounding_box_gallery(images, "xyxy", boxes, path="boxes.png")    # doctest: +SKIP
    """
    _pyplot("plot_bounding_box_gallery")
    pixels = batch_of_images(images, data_format, "plot_bounding_box_gallery")
    for boxes, color, names in ((y_true, true_color, ground_truth_mapping), (y_pred, pred_color, prediction_mapping)):
        if boxes is not None:
            pixels = draw_bounding_boxes(pixels, boxes, bounding_box_format, names or class_mapping, color, line_thickness,
                                         text_thickness or line_thickness, font_scale, "channels_last")  # fmt: skip
    if legend and legend_handles:
        raise ValueError("plot_bounding_box_gallery: give either legend or legend_handles.")
    if legend:
        from matplotlib.patches import Patch

        legend_handles = [Patch(color=np.array(color) / 255.0, label=name)
                          for color, name in ((true_color, "Ground Truth"), (pred_color, "Prediction"))]  # fmt: skip
    plot_image_gallery(pixels, value_range=value_range, legend_handles=legend_handles, rows=rows, cols=cols,
                       data_format="channels_last", **kwargs)  # fmt: skip


def plot_segmentation_mask_gallery(
    images: TensorLike,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: TensorLike | None = None,
    y_pred: TensorLike | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Shows images in rows, each with its masks on it beside it: the right ones and those that a model found.

    Args:
        images: `(batch, height, width, 3)`.
        num_classes, color_mapping, blend, alpha, ignore_index: See `draw_segmentation_masks`.
        y_true, y_pred: Masks `(batch, height, width, 1)`.
        value_range, kwargs: See `plot_image_gallery`.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> pyml.visualization.plot_segmentation_mask_gallery(images, 3, y_true=masks, path="masks.png")    # doctest: +SKIP
    """
    _pyplot("plot_segmentation_mask_gallery")
    pixels = batch_of_images(images, data_format, "plot_segmentation_mask_gallery")
    columns = [pixels]
    for masks in (y_true, y_pred):
        if masks is not None:
            whole = batch_of_images(masks, data_format, "plot_segmentation_mask_gallery").astype(np.int32)
            columns.append(np.asarray(draw_segmentation_masks(pixels, whole, num_classes, color_mapping, alpha, blend, ignore_index,
                                                              "channels_last")))  # fmt: skip
    rows = np.stack([column.astype(np.float32) for column in columns], 1).reshape(-1, *pixels.shape[1:])
    plot_image_gallery(rows, value_range=value_range, rows=len(pixels), cols=len(columns), data_format="channels_last", **kwargs)
