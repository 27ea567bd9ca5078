"""Convolutions of sequences, images and volumes: groups, dilation, both layouts, and their transposes."""

from golden_cases import uniform
from op_calls import call

FIRST = {"data_format": "channels_first"}
CONV, BACK, DEEP, SEPARABLE = "ops.conv", "ops.conv_transpose", "ops.depthwise_conv", "ops.separable_conv"

CASES = {
    "1d": call(CONV, uniform(1, (2, 7, 3)), uniform(2, (3, 3, 4))),
    "1d_dilated_same_first": call(CONV, uniform(3, (2, 3, 7)), uniform(4, (3, 3, 4)), padding="SAME", dilation_rate=2, **FIRST),
    "1d_groups": call(CONV, uniform(5, (2, 7, 6)), uniform(6, (2, 3, 4)), strides=2),
    "2d_uneven_same": call(CONV, uniform(7, (2, 5, 7, 3)), uniform(8, (2, 3, 3, 5)), strides=2, padding="same"),
    "2d_first": call(CONV, uniform(9, (2, 3, 6, 5)), uniform(10, (3, 2, 3, 4)), strides=(2, 1), **FIRST),
    "2d_groups_dilated_first": call(CONV, uniform(11, (1, 4, 6, 7)), uniform(12, (2, 2, 2, 6)), dilation_rate=(2, 3), **FIRST),
    "2d_of_1": call(CONV, uniform(13, (2, 3, 4, 4)), uniform(14, (1, 1, 4, 8))),
    "3d": call(CONV, uniform(15, (2, 4, 5, 3, 2)), uniform(16, (2, 3, 2, 2, 3))),
    "3d_same_strides": call(CONV, uniform(17, (1, 5, 4, 6, 2)), uniform(18, (3, 2, 3, 2, 4)), strides=(2, 1, 2), padding="same"),
    "3d_groups_dilated_first": call(CONV, uniform(19, (1, 4, 5, 5, 6)), uniform(20, (2, 2, 2, 2, 4)), dilation_rate=(3, 1, 2), **FIRST),
    "depthwise_1d_first": call(DEEP, uniform(21, (2, 3, 7)), uniform(22, (3, 3, 2)), **FIRST),
    "depthwise_2d": call(DEEP, uniform(23, (2, 5, 6, 3)), uniform(24, (2, 3, 3, 2)), strides=2, padding="same"),
    "depthwise_2d_dilated_first": call(DEEP, uniform(25, (1, 4, 6, 6)), uniform(26, (3, 3, 4, 1)), dilation_rate=2, **FIRST),
    "separable_1d": call(SEPARABLE, uniform(27, (2, 7, 3)), uniform(28, (3, 3, 2)), uniform(29, (1, 6, 4)), padding="same"),
    "separable_2d_first": call(
        SEPARABLE, uniform(30, (2, 3, 5, 6)), uniform(31, (3, 2, 3, 2)), uniform(32, (1, 1, 6, 4)), strides=2, **FIRST),
    "transpose_1d": call(BACK, uniform(33, (2, 5, 3)), uniform(34, (3, 4, 3)), strides=2),
    "transpose_1d_same_first": call(BACK, uniform(35, (2, 3, 5)), uniform(36, (2, 4, 3)), strides=3, padding="same", **FIRST),
    "transpose_2d_same": call(BACK, uniform(37, (2, 3, 4, 3)), uniform(38, (3, 2, 2, 3)), strides=2, padding="Same"),
    "transpose_2d_valid_extra": call(BACK, uniform(39, (1, 3, 4, 2)), uniform(40, (3, 3, 4, 2)), strides=2, output_padding=1),
    "transpose_2d_same_extra_first": call(
        BACK, uniform(41, (1, 2, 3, 4)), uniform(42, (3, 2, 4, 2)), strides=(2, 3), padding="same", output_padding=(0, 1), **FIRST),
    "transpose_2d_dilated": call(BACK, uniform(43, (2, 3, 4, 3)), uniform(44, (3, 2, 2, 3)), dilation_rate=(2, 3), padding="same"),
    "transpose_3d": call(BACK, uniform(45, (1, 3, 2, 3, 2)), uniform(46, (3, 2, 2, 3, 2)), strides=(2, 1, 3)),
    "transpose_3d_same_first": call(BACK, uniform(47, (1, 2, 3, 2, 3)), uniform(48, (3, 2, 3, 3, 2)), strides=2, padding="same", **FIRST),
    "transpose_3d_dilated_extra": call(
        BACK, uniform(49, (1, 2, 3, 2, 2)), uniform(50, (2, 2, 2, 3, 2)), dilation_rate=(3, 1, 2), output_padding=0),
}
