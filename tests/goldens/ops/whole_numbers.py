"""Ops of integers that keep their dtype, as `matmul` does: windows, cuts and sums of products."""

import numpy as np
from op_calls import call


def whole(seed, *shape, dtype="int32", low=0, high=9):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


LARGE = whole(1, 1, 4, 4, 2, low=2**24, high=2**25)
FIRST = {"data_format": "channels_first"}

CASES = {
    "conv": call("ops.conv", whole(2, 2, 7, 6, 4), whole(3, 3, 2, 2, 6), strides=(2, 1), padding="same"),
    "conv_beyond_floats": call("ops.conv", LARGE, whole(4, 2, 2, 2, 3)),
    "conv_uint8": call("ops.conv", whole(5, 1, 5, 5, 2, dtype="uint8"), whole(6, 3, 3, 2, 2, dtype="uint8")),
    "conv_int8_first": call("ops.conv", whole(7, 1, 2, 5, 5, dtype="int8"), whole(8, 3, 3, 2, 2, dtype="int8"), **FIRST),
    "conv_of_steps": call("ops.conv", whole(9, 2, 9, 3), whole(10, 3, 3, 4), strides=2),
    "conv_of_volumes": call("ops.conv", whole(11, 1, 3, 4, 5, 2), whole(12, 2, 3, 1, 2, 3), padding="same", strides=2),
    "conv_of_none": call("ops.conv", whole(13, 0, 5, 5, 2), whole(14, 3, 3, 2, 2)),
    "depthwise_conv": call("ops.depthwise_conv", whole(15, 2, 3, 7, 6), whole(16, 3, 2, 3, 2), padding="same", **FIRST),
    "separable_conv": call("ops.separable_conv", whole(17, 1, 6, 6, 2), whole(18, 3, 3, 2, 2), whole(19, 1, 1, 4, 3)),
    "max_pool": call("ops.max_pool", whole(20, 2, 7, 6, 3), (3, 2), strides=(1, 2), padding="same"),
    "max_pool_below_zero": call("ops.max_pool", whole(21, 1, 5, 5, 2, low=-9, high=0), 3, padding="same"),
    "max_pool_beyond_floats": call("ops.max_pool", LARGE, 2),
    "max_pool_uint8_first": call("ops.max_pool", whole(22, 1, 2, 6, 6, dtype="uint8", high=255), 2, **FIRST),
    "max_pool_int8": call("ops.max_pool", whole(23, 2, 7, 4, 3, dtype="int8", low=-99, high=-50), 3, padding="same"),
    "max_pool_of_volumes": call("ops.max_pool", whole(24, 1, 4, 5, 6, 2), 2, strides=1),
    "relu6": call("ops.relu6", whole(25, 9, low=-5, high=15)),
    "relu6_uint8": call("ops.relu6", whole(26, 9, high=15, dtype="uint8")),
    "hard_tanh": call("ops.hard_tanh", whole(27, 9, low=-5, high=5)),
    "hard_tanh_int8": call("ops.hard_tanh", whole(28, 9, low=-5, high=5, dtype="int8")),
    "threshold": call("ops.threshold", whole(29, 9, low=-5, high=5), 1, -7),
    "einsum_int8": call("ops.einsum", "ij,jk->ik", whole(30, 2, 3, dtype="int8", high=99), whole(31, 3, 2, dtype="int8", high=99)),
    "einsum_int8_sum": call("ops.einsum", "ij->i", whole(32, 2, 3, dtype="int8", high=99)),
    "einsum_uint8": call("ops.einsum", "ij,jk->ik", whole(33, 2, 3, dtype="uint8", high=99), whole(34, 3, 2, dtype="uint8", high=99)),
}
