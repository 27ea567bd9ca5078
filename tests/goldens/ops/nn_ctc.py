"""Sequences whose labels have no times: the loss, and both ways to read them."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

LOSS, DECODE = "ops.ctc_loss", "ops.ctc_decode"
SEARCH = {"strategy": "beam_search"}


def lengths(*counts):
    return np.array(counts, "int32")


CASES = {
    "loss": call(LOSS, labels(1, 6, 4).reshape(2, 3) % 3 + 1, uniform(2, (2, 7, 4), 2.0), lengths(3, 3), lengths(7, 7)),
    "loss_lengths": call(LOSS, np.array([[1, 1, 2], [3, 0, 0], [2, 4, 2]], "int32"), uniform(3, (3, 9, 5), 2.0), lengths(3, 1, 3),
                         lengths(9, 4, 6)),
    "loss_other_blank": call(LOSS, np.array([[0, 1, 0, 0]], "int32"), uniform(4, (1, 8, 3)), lengths(4), lengths(8), mask_index=2),
    "loss_no_label": call(LOSS, np.array([[1, 2]], "int32"), uniform(5, (1, 4, 3)), lengths(0), lengths(3)),
    "loss_too_short": call(LOSS, np.array([[1, 1, 2]], "int32"), uniform(6, (1, 3, 3)), lengths(3), lengths(3), grad=False),
    "greedy": call(DECODE, uniform(7, (3, 9, 3), 2.0), lengths(9, 5, 1), grad=False),
    "greedy_repeats": call(DECODE, uniform(8, (2, 9, 3), 2.0), lengths(9, 7), merge_repeated=False, mask_index=2, grad=False),
    "search": call(DECODE, uniform(9, (2, 7, 3), 2.0), lengths(7, 4), beam_width=10, top_paths=3, grad=False, **SEARCH),
    "search_narrow": call(DECODE, uniform(10, (2, 9, 5), 2.0), lengths(9, 9), beam_width=4, top_paths=2, grad=False, **SEARCH),
    "search_blank": call(DECODE, uniform(11, (1, 6, 4), 3.0), lengths(6), beam_width=20, mask_index=3, grad=False, **SEARCH),
}
