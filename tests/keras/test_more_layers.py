"""Layers against Keras' numbers (see layer_cases.py), and what those do not show."""

import json
from pathlib import Path

import layer_cases
import numpy as np
import pytest
from test_goldens_of_keras import assert_same

import pyml

L = pyml.layers
GOLDENS = json.loads(Path(__file__).with_name("layer_goldens.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", layer_cases.CASES, ids=lambda case: case.__name__)
def test_layers_train_as_in_keras(case, device):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5 if device.name == "cpu" else 2e-4)


CONFIGS = [
    L.BatchNormalization(axis=1, momentum=0.5, scale=False, beta_regularizer="l2"), L.LayerNormalization(axis=[1, 2]),
    L.GroupNormalization(groups=4, center=False), L.RMSNormalization(epsilon=0.1), L.UnitNormalization(axis=1),
    L.Conv1D(3, 2, padding="causal"), L.DepthwiseConv1D(3), L.DepthwiseConv2D((3, 2), depth_multiplier=2, activation="relu"),
    L.SeparableConv1D(4, 2), L.SeparableConv2D(4, 3, pointwise_regularizer="l1"), L.MaxPooling1D(2, 1), L.AveragePooling1D(3),
    L.GlobalAveragePooling1D(), L.GlobalAveragePooling2D(keepdims=True), L.GlobalMaxPooling1D(), L.GlobalMaxPooling2D(),
    L.ZeroPadding1D((1, 2)), L.ZeroPadding2D(((0, 1), (2, 3))), L.Cropping1D(2), L.Cropping2D((1, 2)), L.PReLU(shared_axes=[1]),
    L.Permute((2, 1)), L.RepeatVector(4), L.Dot(axes=(1, 2), normalize=True), L.Subtract(),
]


@pytest.mark.parametrize("layer", CONFIGS, ids=lambda layer: type(layer).__name__)
def test_configs_make_equal_layers(layer):
    config = layer.get_config()
    twin = type(layer).from_config(config)
    assert twin.get_config() == config
    assert json.loads(json.dumps(L.serialize(layer)))["class_name"] == type(layer).__name__
    assert L.deserialize(L.serialize(layer)).get_config() == config


@pytest.mark.parametrize(("call", "message"), [
    (lambda: L.BatchNormalization(momentum=1.5), r"momentum must be in \[0, 1\]"),
    (lambda: L.BatchNormalization(renorm=True), "renorm=True is not supported"),
    (lambda: L.LayerNormalization(axis="last"), "axis must be an integer or a list"),
    (lambda: L.GroupNormalization(groups=0), "groups must be a positive integer or -1"),
    (lambda: L.GroupNormalization(groups=3)(np.ones((1, 4))), "groups must divide the channels"),
    (lambda: L.BatchNormalization(axis=5)(np.ones((1, 4))), "axis 5 is out of range"),
    (lambda: L.Dense(2)(pyml.Input((None,))), "needs the size of axis -1"),
    (lambda: L.Conv1D(4, (3, 3)), "kernel_size must be a positive integer"),
    (lambda: L.Conv2D(4, 3, padding="causal"), "padding must be 'valid' or 'same'"),
    (lambda: L.DepthwiseConv2D(3)(np.ones((1, 2, 2, 3))), "does not fit inputs"),
    (lambda: L.ZeroPadding2D((1, 2, 3)), "padding must be an integer, one per axis"),
    (lambda: L.ZeroPadding1D(-1), "none negative"),
    (lambda: L.Cropping2D(2)(np.ones((1, 4, 9, 1))), "leaves nothing"),
    (lambda: L.Permute((0, 1)), "dims must be an order of 1 to 2"),
    (lambda: L.Dot(axes=1)([np.ones((2, 3)), np.ones((2, 4))]), "must have the same size"),
    (lambda: L.Dot(axes=(1, 2, 3)), "a pair of integers"),
])
def test_arguments_and_inputs_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- batch normalization
def normalized(x, **kwargs):
    model = pyml.Sequential([pyml.Input(x.shape[1:]), L.BatchNormalization(**kwargs), L.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_moving_averages_follow_every_batch_of_fit(device, rng):
    x = (rng.standard_normal((12, 3)) * 2 + 5).astype("float32")
    model = normalized(x, momentum=0.75)
    model.fit(x, np.zeros((12, 1)), batch_size=4, epochs=2, shuffle=False, verbose=0)
    mean, variance = np.zeros(3), np.ones(3)
    for part in (x[:4], x[4:8], x[8:]) * 2:
        mean, variance = mean * 0.75 + part.mean(0) * 0.25, variance * 0.75 + part.var(0) * 0.25
    layer = model.layers[0]
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-5)
    assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]
    assert [w.name for w in layer.non_trainable_weights] == ["moving_mean", "moving_variance"]


def test_a_frozen_batch_normalization_uses_and_keeps_its_averages(rng):
    x = rng.standard_normal((8, 3)).astype("float32") + 5
    model = normalized(x)
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    assert len(model.trainable_weights) == 2
    np.testing.assert_allclose(model(x, training=True).numpy(), model(x, training=False).numpy())
    model.compile("sgd", "mse")
    model.fit(x, np.ones((8, 1)), verbose=0)
    for old, new in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_layer_frozen_before_it_is_built_is_not_trained():
    layer = L.Dense(3, trainable=False)
    model = pyml.Sequential([pyml.Input((2,)), layer, L.Dense(1)])
    assert [w.path for w in model.trainable_weights] == [w.path for w in model.layers[1].weights]
    assert len(model.non_trainable_weights) == 2


def test_steps_that_a_mask_leaves_out_do_not_count_in_batch_statistics(rng):
    x = rng.standard_normal((2, 3, 4)).astype("float32")
    mask = np.array([[True, True, False], [True, False, False]])
    layer = L.BatchNormalization(momentum=0.0)
    layer(x, training=True, mask=mask)
    np.testing.assert_allclose(layer.moving_mean.numpy(), x[mask].mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), x[mask].var(0), rtol=1e-5)
