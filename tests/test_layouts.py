"""`channels_first`: the same kernels, and nothing turned around between them."""

import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import ops

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import meter

L = pyml.layers
RNG = np.random.default_rng(4)


def convnet(data_format):
    first = data_format == "channels_first"
    return pyml.Sequential([
        pyml.Input((8, 12, 10) if first else (12, 10, 8)),
        L.Conv2D(8, 3, padding="same", activation="relu", data_format=data_format), L.MaxPooling2D(2, data_format=data_format),
        L.Conv2D(16, 3, activation="gelu", data_format=data_format), L.BatchNormalization(axis=1 if first else -1),
        L.DepthwiseConv2D(3, data_format=data_format), L.Flatten(data_format=data_format), L.Dense(3),
    ])  # fmt: skip


def test_channels_first_adds_at_most_a_copy_of_the_images_to_what_a_convnet_runs(device):
    work = {}
    for data_format in ("channels_last", "channels_first"):
        shape = (4, 8, 12, 10) if data_format == "channels_first" else (4, 12, 10, 8)
        model = convnet(data_format)
        with meter.Meter() as seen:
            model.predict(np.ones(shape, np.float32), verbose=0)
        work[data_format] = seen.plan.dispatches
    assert work["channels_last"] <= work["channels_first"] <= work["channels_last"] + 1


def test_weights_of_a_channels_last_convnet_do_the_same_in_channels_first(device):
    last, first = convnet("channels_last"), convnet("channels_first")
    first.set_weights(last.get_weights())
    x = RNG.normal(size=(2, 12, 10, 8)).astype(np.float32)
    np.testing.assert_allclose(first(x.transpose(0, 3, 1, 2)).numpy(), last(x).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_default_layout_is_that_of_the_config(rank):
    x = RNG.normal(size=(2, 3, *range(4, 4 + rank))).astype(np.float32)
    kernel = RNG.normal(size=(*(2,) * rank, 3, 4)).astype(np.float32)
    pyml.config.set_image_data_format("channels_first")
    try:
        by_default = ops.conv(x, kernel).numpy()
        pooled = ops.max_pool(x, 2).shape
    finally:
        pyml.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(by_default, ops.conv(x, kernel, data_format="channels_first").numpy())
    assert pooled == (2, 3, *(n // 2 for n in range(4, 4 + rank)))


def test_what_lies_between_two_channels_first_layers_has_a_gradient(device):
    """Nothing is turned around between the two, yet a value there is one that may be asked for."""
    kernel = RNG.normal(size=(3, 3, 4, 4)).astype(np.float32)
    x = RNG.normal(size=(1, 4, 7, 6)).astype(np.float32)

    def slopes(data_format, x):
        with pyml.core.trace.differentiating():
            plain = ops.conv(x, kernel, data_format=data_format)
            between = ops.relu(plain)
            loss = ops.sum(ops.square(ops.conv(between, kernel, data_format=data_format)))
            return [g.numpy() for g in pyml.core.gradients(loss, [plain, between])]

    for first, last in zip(slopes("channels_first", x), slopes("channels_last", x.transpose(0, 2, 3, 1)), strict=True):
        assert abs(first).max() > 1
        np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, rtol=1e-4, atol=1e-4)


def test_what_follows_a_kernel_that_stores_four_at_a_time_has_a_value_for_each_lane(device):
    """A scale read backwards, the number of a channel, and a part that only some channels have."""
    x, w, scale = (np.random.default_rng(i).uniform(-1, 1, s).astype(np.float32) for i, s in enumerate(((1, 5, 6, 8), (3, 3, 8, 1), (8,))))
    y = ops.depthwise_conv(x, w, 1, "same").numpy()
    part = np.concatenate([scale[3:], np.zeros(3, np.float32)])  # five channels of a shorter vector, no multiple of four
    asked = {
        "read backwards": (lambda y: y * ops.flip(scale), y * scale[::-1]),
        "the number of a channel": (lambda y: y + ops.cast(ops.arange(8), "float32"), y + np.arange(8, dtype=np.float32)),
        "some channels only": (lambda y: y + ops.concatenate([ops.convert_to_tensor(scale)[3:], ops.zeros(3)]), y + part),
        "a comparison": (lambda y: ops.where(y > scale, y, ops.minimum(scale, 0.0)), np.where(y > scale, y, np.minimum(scale, 0))),
    }
    for name, (then, expected) in asked.items():
        found = then(ops.depthwise_conv(x, w, 1, "same")).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=name)
