"""The primitives; every rule of one is in one place. Everything else is composed of these."""

from .contract import matmul  # noqa: F401
from .conv import conv2d, conv2d_filter_grad, conv2d_input_grad  # noqa: F401
from .elementwise import *  # noqa: F403
from .elementwise import BITCAST, CAST, POW, abs_, add, cast, mul, pow_, round_, sub, zeros_like  # noqa: F401
from .gather import gather, scatter_add  # noqa: F401
from .leaf import BUFFER, CONST, INPUT, IOTA, STATE, const, full, iota, is_const  # noqa: F401
from .move import broadcast_to, concat, flip, pad, permute, reshape, slice_  # noqa: F401
from .pool import avg_pool2d, avg_pool2d_grad, max_pool2d, max_pool2d_grad  # noqa: F401
from .random import random_bits  # noqa: F401
from .reduce import reduce_max, reduce_min, reduce_prod, reduce_sum  # noqa: F401
from .softmax import argmax, argmin, log_softmax, softmax  # noqa: F401
