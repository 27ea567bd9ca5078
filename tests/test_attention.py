"""Attention over long sequences in tiles: the numbers of all at once, and what is held in memory."""

import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.ops import attending

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import meter

RNG = np.random.default_rng(5)
ROWS, KEYS = 11, 7
MASK = RNG.random((2, 1, ROWS, KEYS)) < 0.6
MASK[0, 0, 3] = False


def drawn(*shape):
    return RNG.normal(size=shape).astype(np.float32)


ARGS = [drawn(2, ROWS, 2, 3), drawn(2, KEYS, 2, 3), drawn(2, KEYS, 2, 4)]
OPTIONS = {
    "plain": {}, "causal": {"is_causal": True}, "mask": {"mask": MASK}, "keys": {"mask": MASK[:, :, :1], "is_causal": True},
    "mask_and_causal": {"mask": MASK, "is_causal": True, "scale": 0.3},
}  # fmt: skip
BIASES = {"bias": drawn(1, 2, ROWS, KEYS), "bias_of_keys": drawn(2, 1, 1, KEYS)}


def answers(options, bias=None):
    def weighed(q, k, v, *bias):
        return ops.sum(ops.dot_product_attention(q, k, v, *bias, **options) * weights)

    weights = np.arange(2 * ROWS * 2 * 4, dtype=np.float32).reshape(2, ROWS, 2, 4) / 50
    args = ARGS if bias is None else [*ARGS, bias]
    return [x.numpy() for x in pyml.grad(weighed, argnums=tuple(range(len(args))))(*args)] + [weighed(*args).numpy()]


@pytest.mark.parametrize("name", [*OPTIONS, *BIASES])
def test_attention_in_tiles_gives_the_numbers_of_all_queries_at_once(device, monkeypatch, name):
    options, bias = OPTIONS.get(name, {}), BIASES.get(name)
    whole = answers(options, bias)
    monkeypatch.setattr(attending, "_TILE", 4)
    monkeypatch.setattr(attending, "_WHOLE", 8)
    for got, want in zip(answers(options, bias), whole, strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5 * max(1, abs(want).max()))


def test_attention_over_4096_tokens_holds_a_fraction_of_its_scores_forward_and_backward(wasm):
    tokens = 4096
    q, k, v = (ops.convert_to_tensor(drawn(1, tokens, 1, 4)) for _ in range(3))
    step = pyml.program(lambda q, k, v: pyml.grad(
        lambda q, k, v: ops.sum(ops.dot_product_attention(q, k, v, is_causal=True)), argnums=(0, 1, 2))(q, k, v))
    before = meter.memory()["bytes"]
    with meter.Meter() as seen:
        for gradient in step(q, k, v):
            gradient.numpy()
    tile = 4 * attending._TILE * tokens
    assert seen.peak_bytes - before < 6 * tile < 4 * tokens * tokens / 2


def test_the_second_derivative_of_attention_in_tiles_is_that_of_all_queries_at_once(monkeypatch):
    def curvature():
        def slope(q):
            first = pyml.grad(lambda q: ops.sum(ops.square(ops.dot_product_attention(q, *ARGS[1:]))))(q)
            return ops.sum(first * first)

        return pyml.grad(slope)(ARGS[0]).numpy()

    whole = curvature()
    monkeypatch.setattr(attending, "_TILE", 4)
    monkeypatch.setattr(attending, "_WHOLE", 8)
    np.testing.assert_allclose(curvature(), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_query_that_may_see_nothing_gets_what_keras_gives_it(device, dropout):
    """The mean of all values, and nothing where scores are made: they are asked for, or there is dropout."""
    layer, x = pyml.layers.MultiHeadAttention(2, 2, use_bias=False, dropout=dropout), drawn(1, 3, 4)
    mask = np.array([[[True, True, False], [True, False, True], [False] * 3]])
    alone = layer(x, x, attention_mask=mask).numpy()
    asked, scores = layer(x, x, attention_mask=mask, return_attention_scores=True)
    assert not scores.numpy()[0, :, 2].any() and not asked.numpy()[0, 2].any()
    np.testing.assert_allclose(alone[0, :2], asked.numpy()[0, :2], rtol=1e-5, atol=1e-6)
    mean = np.einsum("td,dhk,hkf->tf", x[0], layer.get_weights()[2], layer.get_weights()[3]).mean(0)
    np.testing.assert_allclose(alone[0, 2], 0 * mean if dropout else mean, rtol=1e-5, atol=1e-6)


def test_the_op_gives_such_a_query_the_mean_of_all_values_as_keras_does(device):
    y = ops.dot_product_attention(*ARGS, mask=MASK).numpy()
    np.testing.assert_allclose(y[0, 3], ARGS[2][0].mean(0), rtol=1e-5, atol=1e-6)
