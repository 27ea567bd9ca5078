"""Pools of sequences, images and volumes, in both layouts.

`average_pool` with padding 'same' counts cells that Keras on PyTorch repeats at the border where the padding is uneven;
TensorFlow and JAX do not count them, and nor does pyml: those cases have even padding.
"""

from golden_cases import uniform
from op_calls import call

FIRST = {"data_format": "channels_first"}

CASES = {
    "max_1d": call("ops.max_pool", uniform(1, (2, 7, 3)), 2),
    "max_1d_same_first": call("ops.max_pool", uniform(2, (2, 3, 7)), 3, strides=2, padding="SAME", **FIRST),
    "max_2d_same": call("ops.max_pool", uniform(3, (2, 5, 7, 3)), (2, 3), strides=2, padding="same"),
    "max_2d_overlap_first": call("ops.max_pool", uniform(4, (1, 3, 6, 5)), 3, strides=(1, 2), **FIRST),
    "max_3d": call("ops.max_pool", uniform(5, (2, 5, 4, 5, 2)), 2),
    "max_3d_same_first": call("ops.max_pool", uniform(6, (1, 2, 5, 4, 3)), (3, 2, 2), strides=(2, 1, 2), padding="same", **FIRST),
    "average_1d": call("ops.average_pool", uniform(7, (2, 7, 3)), 3, strides=2),
    "average_1d_same_first": call("ops.average_pool", uniform(8, (2, 3, 7)), 3, strides=1, padding="Same", **FIRST),
    "average_2d": call("ops.average_pool", uniform(9, (2, 5, 7, 3)), (2, 3)),
    "average_2d_same": call("ops.average_pool", uniform(10, (2, 5, 7, 3)), 3, strides=2, padding="same"),
    "average_3d": call("ops.average_pool", uniform(11, (1, 5, 4, 5, 2)), 2, strides=1),
    "average_3d_same_first": call("ops.average_pool", uniform(12, (2, 2, 5, 3, 5)), 3, strides=2, padding="same", **FIRST),
    "adaptive_average_1d": call("ops.adaptive_average_pool", uniform(13, (2, 7, 3)), 3),
    "adaptive_average_2d": call("ops.adaptive_average_pool", uniform(14, (2, 7, 5, 3)), (3, 2)),
    "adaptive_average_2d_divides_first": call("ops.adaptive_average_pool", uniform(15, (2, 3, 6, 4)), 2, **FIRST),
    "adaptive_average_2d_grows": call("ops.adaptive_average_pool", uniform(16, (1, 2, 3, 2)), (5, 4)),
    "adaptive_average_3d_first": call("ops.adaptive_average_pool", uniform(17, (1, 2, 5, 4, 7)), (2, 4, 3), **FIRST),
    "adaptive_max_1d_first": call("ops.adaptive_max_pool", uniform(18, (2, 3, 7)), 3, **FIRST),
    "adaptive_max_2d": call("ops.adaptive_max_pool", uniform(19, (2, 7, 5, 3)), (3, 2)),
    "adaptive_max_2d_grows": call("ops.adaptive_max_pool", uniform(20, (1, 2, 3, 2)), (5, 4)),
    "adaptive_max_3d": call("ops.adaptive_max_pool", uniform(21, (1, 5, 4, 7, 2)), (2, 4, 3)),
}
