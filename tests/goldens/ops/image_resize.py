"""Resizing images: filters, smoothing, aspect ratios, layouts, integers. Lanczos and area are not in Keras on PyTorch."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

BATCH, FIRST, ONE = uniform(1, (2, 5, 7, 3)), uniform(2, (2, 2, 6, 5)), uniform(3, (4, 3, 2))
WHOLE = labels(7, 2 * 5 * 7 * 2, 255).reshape(2, 5, 7, 2)  # no new value lies halfway between two

CASES = {
    f"{name}_{what}": call("ops.image.resize", images, size, interpolation=name, **options)
    for name in ("nearest", "bilinear", "bicubic")
    for what, images, size, options in (
        ("mixed", BATCH, (9, 3), {}),
        ("smooth", FIRST, (3, 11), {"data_format": "channels_first", "antialias": True}),
        ("whole", WHOLE, (3, 9), {}),
    )
} | {
    "crop": call("ops.image.resize", BATCH, (4, 4), crop_to_aspect_ratio=True),
    "crop_first": call("ops.image.resize", FIRST, (3, 8), crop_to_aspect_ratio=True, data_format="channels_first"),
    "pad": call("ops.image.resize", BATCH, (4, 4), pad_to_aspect_ratio=True, fill_value=0.5),
    "pad_first": call("ops.image.resize", FIRST, (3, 9), "bicubic", pad_to_aspect_ratio=True, data_format="channels_first"),
    "pad_one": call("ops.image.resize", ONE, (3, 9), "nearest", pad_to_aspect_ratio=True, fill_value=2.0),
    "same": call("ops.image.resize", ONE, (4, 3), "bicubic"),
    "one_pixel": call("ops.image.resize", BATCH, (1, 1), "bicubic"),
    **{f"scale_{method}": call("ops.image.scale_and_translate", ONE, (7, 2, 2), np.array([1.8, 0.6], "float32"),
                               np.array([-0.7, 0.3], "float32"), (0, 1), method)
       for method in ("linear", "cubic", "lanczos3", "lanczos5")},
    "scale_whole": call("ops.image.scale_and_translate", WHOLE, (2, 5, 3, 2), np.array([0.5], "float32"), np.array([0.4], "float32"),
                        (-2,), "bicubic", False, grad=False),
    "of_one_pixel": call("ops.image.resize", uniform(5, (1, 1, 1, 3)), (3, 2), "bicubic"),
}  # fmt: skip
