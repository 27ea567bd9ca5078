"""Attention: masks, biases, groups of heads, scales."""

import numpy as np
from golden_cases import uniform
from op_calls import call

ATTEND = "ops.dot_product_attention"
MASK = uniform(9, (2, 1, 3, 5)) > -0.4
NOTHING = np.array([[[[True, True, False, True, True], [False] * 5, [True] * 5]]])


def qkv(seed, batch=2, queries=3, keys=5, heads=2, groups=2, size=4):
    return [uniform(seed, (batch, queries, heads, size)), uniform(seed + 1, (batch, keys, groups, size)),
            uniform(seed + 2, (batch, keys, groups, size))]  # fmt: skip


CASES = {
    "plain": call(ATTEND, *qkv(10)),
    "scale": call(ATTEND, *qkv(20, size=3), scale=1.3),
    "causal": call(ATTEND, *qkv(30, queries=5), is_causal=True),
    "causal_few_keys": call(ATTEND, *qkv(40, queries=5, keys=3), is_causal=True),
    "mask": call(ATTEND, *qkv(50), mask=MASK),
    "mask_causal": call(ATTEND, *qkv(60, queries=3), mask=np.ones((1, 1, 3, 5), bool), is_causal=True),
    "nothing_to_see": call(ATTEND, *qkv(70), mask=NOTHING, grad=False),    # PyTorch's gradient there is 5 times the true one
    "bias": call(ATTEND, *qkv(80), uniform(89, (1, 2, 3, 5))),
    "groups": call(ATTEND, *qkv(90, heads=4)),
    "one_group": call(ATTEND, *qkv(100, heads=3, groups=1)),
}
