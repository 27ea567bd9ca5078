"""Images through maps of the plane, and values between pixels. `transform` is named: Keras on PyTorch writes into it."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

BATCH, FIRST, ONE = uniform(1, (2, 5, 7, 3)), uniform(2, (2, 2, 6, 5)), uniform(3, (4, 3, 2))
WHOLE = labels(4, 2 * 5 * 7 * 2, 255).reshape(2, 5, 7, 2)
TURN = np.array([[0.9, -0.3, 0.7, 0.35, 1.1, -1.2, 0, 0], [1.2, 0.1, -2.3, -0.4, 0.8, 1.6, 0, 0]], "float32")
PLACES = uniform(5, (2, 3, 4), 4.0) + 2
START = np.array([[[0.1, 0.2], [0, 6.3], [4, 0.2], [4.5, 6]], [[0.3, 0.1], [0, 6], [4, 0], [4, 6]]], "float32")
END = np.array([[[0.5, 0.2], [0, 5.6], [3.7, 0], [4, 6.4]], [[0.1, 1.2], [0.5, 6.1], [4.2, -1.3], [5.1, 6.2]]], "float32")
AFFINE, PERSPECTIVE, MAP = "ops.image.affine_transform", "ops.image.perspective_transform", "ops.image.map_coordinates"
TAKE = {"start_points": START, "end_points": END}

CASES = {
    "affine": call(AFFINE, BATCH, transform=TURN, fill_value=0.5),
    "affine_mirror": call(AFFINE, BATCH, transform=TURN, fill_mode="mirror"),
    "affine_one": call(AFFINE, ONE, transform=TURN[0]),
    "affine_nearest": call(AFFINE, FIRST, transform=TURN, interpolation="nearest", data_format="channels_first"),
    "affine_whole_nearest": call(AFFINE, WHOLE, transform=TURN, interpolation="nearest", fill_mode="wrap"),
    **{f"map_{mode}": call(MAP, uniform(6, (5, 4)), PLACES, 1, mode, 0.5)
       for mode in ("constant", "nearest", "wrap", "mirror", "reflect")},
    "map_order_0": call(MAP, uniform(6, (5, 4)), PLACES, 0, fill_value=0.5),
    "map_whole": call(MAP, WHOLE[0, :, :, 0], PLACES, 1, fill_value=2.7, grad=False),
    "map_whole_order_0": call(MAP, WHOLE[0, :, :, 0], PLACES, 0, "mirror", grad=False),
    "map_line": call(MAP, uniform(7, (6,)), uniform(8, (1, 5), 6.0), 1, "reflect"),
    "map_volume": call(MAP, uniform(9, (3, 4, 2)), uniform(8, (3, 5), 3.0), 1),
    "perspective": call(PERSPECTIVE, BATCH, START, END),
    "perspective_one": call(PERSPECTIVE, ONE, START[0], END[0], fill_value=0.3),
    "perspective_first": call(PERSPECTIVE, FIRST, START[:1], END[:1], data_format="channels_first"),
    "perspective_nearest": call(PERSPECTIVE, BATCH, **TAKE, interpolation="nearest", fill_value=1.0),
}  # fmt: skip
