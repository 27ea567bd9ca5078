"""The primitives; every rule of one is in one place. Everything else is composed of these.

Those of linear algebra (`factor.py`, `spectral.py`, `complex_host.py`) load with the ops that need them.
"""

from .contract import matmul
from .conv import conv2d, conv2d_filter_grad, conv2d_input_grad
from .counts import counts
from .elementwise import *
from .elementwise import BITCAST, CAST, POW, abs_, add, cast, mul, pow_, round_, sub, zeros_like
from .extremes import scatter_by
from .fft import fft
from .frames import frames, overlap_add
from .gather import gather, lookup, scatter_add
from .gru import gru
from .histogram import equalizing
from .last import last
from .leaf import BUFFER, CONST, INPUT, IOTA, STATE, const, full, iota, is_const
from .lstm import lstm
from .move import broadcast_to, concat, flip, pad, permute, reshape, slice_
from .order import argsort, sort_rows
from .pick import PICK, PUT, pick_rows
from .places import search, top_places
from .pool import avg_pool2d, max_pool2d
from .random import random_bits
from .reduce import reduce_max, reduce_min, reduce_prod, reduce_sum
from .resample import resample, resample_table
from .resize import resize_bilinear
from .sample import sample
from .scan import scan
from .skew import overlapped, skew, windows
from .softmax import argmax, argmin, log_softmax, softmax
from .warp import warp
