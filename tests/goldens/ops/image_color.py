"""Colours, neighbourhoods and borders of images."""

from golden_cases import labels, uniform
from op_calls import call

FIRST, RGB, ONE = uniform(1, (2, 3, 4, 5)) / 2 + 0.5, uniform(2, (2, 4, 3, 3)) / 2 + 0.5, uniform(3, (3, 5, 3)) / 2 + 0.5
GRAYS = RGB.copy()
GRAYS[0, 0] = GRAYS[0, 0, :, :1]  # equal channels
GRAYS[1, 1] = 0.0
WHOLE = labels(4, 2 * 3 * 4 * 3, 255).reshape(2, 3, 4, 3)
IMAGE = "ops.image."
LAST, FIRSTS = {"data_format": "channels_last"}, {"data_format": "channels_first"}

CASES = {
    "gray": call(IMAGE + "rgb_to_grayscale", RGB),
    "gray_first": call(IMAGE + "rgb_to_grayscale", FIRST, **FIRSTS),
    "gray_whole": call(IMAGE + "rgb_to_grayscale", WHOLE),
    "hsv": call(IMAGE + "rgb_to_hsv", GRAYS, grad=False),
    "hsv_one": call(IMAGE + "rgb_to_hsv", ONE),
    "hsv_first": call(IMAGE + "rgb_to_hsv", FIRST, **FIRSTS),
    "rgb": call(IMAGE + "hsv_to_rgb", uniform(5, (2, 3, 3, 3), 1.5)),
    "rgb_first": call(IMAGE + "hsv_to_rgb", FIRST[0], **FIRSTS),
    # Keras on PyTorch takes None for channels_first here, so the layout is named
    "blur": call(IMAGE + "gaussian_blur", RGB, (5, 5), (1.0, 2.0), **LAST),
    "blur_first": call(IMAGE + "gaussian_blur", FIRST, **FIRSTS),
    "blur_one": call(IMAGE + "gaussian_blur", ONE, (3, 3), (0.5, 1.5), **LAST),
    "edges": call(IMAGE + "sobel_edges", RGB),
    "edges_first": call(IMAGE + "sobel_edges", FIRST, **FIRSTS),
    "alike": call(IMAGE + "ssim", uniform(6, (2, 13, 12, 2)), uniform(7, (2, 13, 12, 2))),
    "alike_one": call(IMAGE + "ssim", ONE, ONE * 0.9 + 0.1, max_val=2.0, filter_size=3, filter_sigma=1.0, k1=0.02, k2=0.01),
    "alike_first": call(IMAGE + "ssim", FIRST, FIRST[::-1].copy(), filter_size=4, **FIRSTS),
    "crop": call(IMAGE + "crop_images", RGB, 1, None, None, 1, 2, 2),
    "crop_first": call(IMAGE + "crop_images", WHOLE, 0, 1, 1, 0, **FIRSTS),
    "pad": call(IMAGE + "pad_images", ONE, 1, None, None, 2, 7, 8),
    "pad_first": call(IMAGE + "pad_images", WHOLE, 0, 1, 1, 0, **FIRSTS),
    "patches": call(IMAGE + "extract_patches", uniform(8, (2, 5, 7, 2)), (2, 3)),
    "patches_same": call(IMAGE + "extract_patches", uniform(9, (1, 3, 6, 5)), 3, 2, padding="same", **FIRSTS),
    "patches_dilated": call(IMAGE + "extract_patches", ONE, 2, 1, 2),
    "patches_3d": call(IMAGE + "extract_patches_3d", uniform(10, (2, 3, 4, 5, 2)), (2, 2, 3), padding="same"),
    "patches_3d_one": call(IMAGE + "extract_patches_3d", uniform(11, (2, 3, 4, 3)), 2, (1, 1, 2), **FIRSTS),
}
