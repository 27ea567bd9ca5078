"""The primitives; every rule of one is in one place. Everything else is composed of these."""

from .elementwise import *  # noqa: F403
from .elementwise import BITCAST, CAST, POW, abs_, add, cast, mul, pow_, round_, sub, zeros_like  # noqa: F401
from .leaf import BUFFER, CONST, INPUT, IOTA, STATE, const, full, iota, is_const  # noqa: F401
from .move import broadcast_to, concat, flip, pad, permute, reshape, slice_  # noqa: F401
from .random import random_bits  # noqa: F401
from .reduce import reduce_max, reduce_min, reduce_prod, reduce_sum  # noqa: F401
