"""Weights of other frameworks: safetensors both ways, and PyTorch layouts in Keras layers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyml import layers
from pyml.errors import ShapeError
from pyml.saving import ModelFileError, depthwise_kernel, from_torch, load_safetensors, load_state_dict, save_safetensors


def _random(*shape):
    return np.random.default_rng(shape).uniform(-1, 1, shape).astype(np.float32)


def test_safetensors_keep_every_dtype(tmp_path):
    dtypes = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool"]
    arrays = {d: (np.arange(6).reshape(2, 3) % 2).astype(d) for d in dtypes}
    arrays |= {"scalar": np.float32(3), "empty": np.zeros((0, 4), np.float32)}
    save_safetensors(arrays, tmp_path / "w.safetensors")
    found = load_state_dict(tmp_path / "w.safetensors")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_bfloat16_becomes_float32(tmp_path):
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}, "__metadata__": {"format": "pt"}}).encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\xc0\x3f\x00\xc0")
    np.testing.assert_array_equal(load_safetensors(tmp_path / "w.safetensors")["a"], np.array([1.5, -2], np.float32))


def _torch_conv(x, w, b, groups=1):
    """PyTorch's convolution, channels first, without padding."""
    n, _, h, width = x.shape
    out, per, kh, kw = w.shape
    y = np.zeros((n, out, h - kh + 1, width - kw + 1), np.float64)
    for o in range(out):
        first = o // (out // groups) * per
        for i in range(kh):
            for j in range(kw):
                part = x[:, first : first + per, i : i + y.shape[2], j : j + y.shape[3]]
                y[:, o] += np.einsum("nchw,c->nhw", part, w[o, :, i, j])
        y[:, o] += b[o]
    return y


def test_layers_with_weights_of_torch_compute_what_torch_does():
    x = _random(2, 4, 6, 5)
    weights = {"c.weight": _random(3, 4, 3, 2), "c.bias": _random(3), "d.weight": _random(8, 1, 3, 3), "d.bias": _random(8),
               "l.weight": _random(7, 4), "l.bias": _random(7)}  # fmt: skip
    first_last = x.transpose(0, 2, 3, 1)
    conv, depthwise, dense = layers.Conv2D(3, (3, 2)), layers.DepthwiseConv2D(3, depth_multiplier=2), layers.Dense(7)
    for layer, name in ((conv, "c"), (depthwise, "d"), (dense, "l")):
        layer(first_last)
        from_torch(layer, weights, name)
    expected = _torch_conv(x, weights["c.weight"], weights["c.bias"])
    np.testing.assert_allclose(conv(first_last).numpy().transpose(0, 3, 1, 2), expected, atol=1e-5)
    expected = _torch_conv(x, weights["d.weight"], weights["d.bias"], groups=4)
    np.testing.assert_allclose(depthwise(first_last).numpy().transpose(0, 3, 1, 2), expected, atol=1e-5)
    np.testing.assert_allclose(dense(first_last).numpy(), first_last @ weights["l.weight"].T + weights["l.bias"], atol=1e-5)


def test_batch_normalization_takes_the_running_statistics():
    layer = layers.BatchNormalization(epsilon=1e-5)
    x = _random(2, 3, 3, 4)
    layer(x)
    stored = {"bn.weight": _random(4), "bn.bias": _random(4) + 1}
    stored |= {"bn.running_mean": _random(4) - 1, "bn.running_var": _random(4) ** 2 + 0.1}
    from_torch(layer, stored, "bn")
    expected = (x - stored["bn.running_mean"]) / np.sqrt(stored["bn.running_var"] + 1e-5) * stored["bn.weight"] + stored["bn.bias"]
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_missing_or_unfit_weights_are_refused():
    layer = layers.Dense(3)
    layer(np.ones((1, 2), np.float32))
    with pytest.raises(ModelFileError, match=r"no 'head.weight'; there are tail.weight"):
        from_torch(layer, {"tail.weight": _random(3, 2)}, "head")
    with pytest.raises(ShapeError, match=r"head.weight of shape \(3, 5\)"):
        from_torch(layer, {"head.weight": _random(3, 5), "head.bias": _random(3)}, "head")
    with pytest.raises(ValueError, match="no weights yet"):
        from_torch(layers.Dense(3), {}, "head")
    with pytest.raises(ShapeError, match="not a kernel of a depthwise"):
        depthwise_kernel(_random(4, 2, 3, 3))
    assert np.array_equal(layer.get_weights()[1], np.zeros(3))
