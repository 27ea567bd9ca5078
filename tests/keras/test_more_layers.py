"""Layers against Keras' numbers (see layer_cases.py), and what those do not show."""

import gc
import itertools
import json
import weakref
from pathlib import Path

import layer_cases
import numpy as np
import pytest
from test_goldens_of_keras import assert_same

import pyml

L = pyml.layers
GOLDENS = json.loads(Path(layer_cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.in_turn(8)
@pytest.mark.parametrize("case", layer_cases.CASES, ids=lambda case: case.__name__)
def test_layers_train_as_in_keras(case, device, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5 if device.name == "cpu" else 2e-4)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: L.BatchNormalization(synchronized=True), "synchronized=True is not supported"),
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
    (lambda: L.Add()([np.ones((1, 3)), np.ones((2, 3))]), "batches of different sizes"),
    (lambda: L.Average()([np.ones((2, 3)), np.ones((2, 4))]), "do not fit together"),
    (lambda: L.Subtract()([np.ones((2, 3))]), "subtracts two inputs"),
    (lambda: L.Maximum()(np.ones((2, 3))), "merges a list"),
    (lambda: L.Multiply().compute_mask([np.ones((2, 3, 1))] * 2, np.ones((2, 3))), "mask must be a list"),
    (lambda: L.Concatenate().compute_mask(np.ones((2, 3, 1)), [None, None]), "inputs must be a list"),
    (lambda: L.Add().compute_mask([np.ones((2, 3, 1))] * 2, [None]), "need as many masks"),
    (lambda: L.Conv2DTranspose(2, 3, output_padding=1), "from 0 to below the strides"),
    (lambda: L.UpSampling2D(interpolation="lanczos"), "interpolation"),
    (lambda: L.Resizing(0, 3), "height must be a positive integer"),
    (lambda: L.Resizing(3, 3, interpolation="lanczos"), "interpolation"),
    (lambda: L.GaussianNoise(-1), "stddev must not be negative"),
    (lambda: L.SpatialDropout2D(2), r"SpatialDropout2D: rate must be a number in \[0, 1\]"),
    (lambda: L.Attention(score_mode="sum"), "score_mode must be 'dot' or 'concat'"),
    (lambda: L.Attention()(np.ones((1, 2, 3))), r"takes a list \[query, value\]"),
    (lambda: L.Attention()([np.ones((1, 2, 3))] * 2, mask=np.ones((1, 2))), "mask must be a list"),
    (lambda: L.Attention()([np.ones((1, 2, 3))] * 2, mask=[np.ones((1, 2))]), "mask must hold the masks of query and value"),
    (lambda: L.PReLU(shared_axes=[5])(np.ones((1, 2))), "are out of range for inputs of 2 axes"),
    (lambda: L.AlphaDropout(1.0), "rate must be below 1"),
    (lambda: L.EinsumDense("ab,bc", output_shape=3), "must have the form"),
    (lambda: L.EinsumDense("ab,bc->ac", output_shape=3)(np.ones((2, 3, 4))), "does not fit the shape"),
    (lambda: pyml.ops.einsum("ij,jk->ik", np.ones((2, 3)), np.ones((4, 5))), "'j' of .* is 3 in one operand and 4"),
    (lambda: L.Embedding(0, 3), "input_dim must be a positive integer"),
    (lambda: L.LSTM(0), "units must be a positive integer"),
    (lambda: L.LSTM(3)(np.ones((2, 3))), "expected ndim=3, found ndim=2"),
    (lambda: L.GRU(3)(np.ones((2, 3, 4)), initial_state=[np.ones((2, 3))] * 2), r"has 1 state\(s\); initial_state has 2"),
    (lambda: L.RNN(L.Dense(3)), "needs `state_size`"),
    (lambda: L.GRU(3, stateful=True)(pyml.Input((4, 2))), "needs a fixed batch size"),
    (lambda: L.Bidirectional(L.LSTM(3), merge_mode="join"), "merge_mode must be one of"),
    (lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)), "they must differ"),
    (lambda: L.TimeDistributed(L.Dense(3))(np.ones((2, 3))), r"needs inputs \(batch, steps"),
    (lambda: L.TimeDistributed(L.Dense(3))(np.ones((2, 3, 1)), mask=np.ones((2, 4), bool)), "batch and the steps of the inputs"),
    (lambda: L.TimeDistributed(3), "expected a layer to wrap"),
    (lambda: L.MultiHeadAttention(2, 3, output_shape=8.0), "output_shape must be an integer"),
    (lambda: L.MultiHeadAttention(2, 3, flash_attention=True, dropout=0.1), "flash attention has no dropout"),
    (lambda: L.GroupQueryAttention(2, 2, 1, flash_attention=True)(*[np.ones((1, 2, 3))] * 2, return_attention_scores=True), "no scores"),
    (lambda: L.GroupQueryAttention(2, 2, 1).compute_output_shape((1, 2, 3), (1, 2, 4)), "as many features"),
    (lambda: L.GroupQueryAttention(2, 2, 1)(*[np.ones((1, n, 3)) for n in (2, 3, 4)]), "only in their features"),
    (lambda: L.MultiHeadAttention(2, 0), "key_dim must be a positive integer"),
    (lambda: L.MultiHeadAttention(2, 3)(np.ones((1, 2, 4)), np.ones((1, 3, 4)), np.ones((1, 5, 4))), "only in their features"),
])
def test_arguments_and_inputs_that_do_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- what few programs ask for
@pytest.mark.parametrize(("axis", "last"), [(-1, 6.1191), ([1, 2], 2.9272), (1, 3.3326)])      # the numbers are Keras'
def test_a_layer_normalization_may_scale_by_the_variance(cpu, axis, last):
    with pytest.raises(TypeError, match="axis must be an integer"):
        L.UnitNormalization(axis={})
    with pytest.warns(UserWarning, match="deprecated"):
        layer = L.LayerNormalization(axis=axis, rms_scaling=True)
    found = layer(np.arange(6, dtype="float32").reshape(1, 2, 3))
    assert float(found[0, 1, 2]) == pytest.approx(last, abs=1e-4) and [w.name for w in layer.weights] == ["gamma"]
    with pytest.warns(UserWarning, match="deprecated"):
        assert L.LayerNormalization.from_config(layer.get_config()).rms_scaling and layer.get_config()["center"]


@pytest.mark.parametrize(("equation", "asked", "bias", "given", "shape", "weights"), [
    ("bc...,cd->bd...", 4, None, (2, 1, 2, 3), (2, 4, 2, 3), [(1, 4)]),
    ("bc...,cde->bde...", (3, 4), "d", (2, 1, 2), (2, 3, 4, 2), [(1, 3, 4), (3, 1, 1)]),
    ("ab...,bc->ac...", (5,), "c", (2, 3, 4, 6), (2, 5, 4, 6), [(3, 5), (5, 1, 1)]),
])
def test_the_output_of_an_einsum_need_not_name_what_an_ellipsis_hides(cpu, equation, asked, bias, given, shape, weights):
    layer = L.EinsumDense(equation, asked, bias_axes=bias, kernel_initializer="ones", bias_initializer="ones")
    x = np.random.default_rng(0).normal(size=given).astype("float32")
    assert layer(x).shape == layer.compute_output_shape(given) == shape and [w.shape for w in layer.weights] == weights
    np.testing.assert_allclose(layer(x), np.einsum(equation, x, np.ones(weights[0])) + (bias is not None), atol=1e-5)


# ---- several inputs
@pytest.mark.parametrize(("layer", "one_masked", "both_masked"), [
    (L.Add(), [[0, 0], [1, -2], [1, 2], [6, 8]], [[0, 0], [1, -2], [1, 2], [6, 8]]),
    (L.Multiply(), [[0, 0], [0, 0], [1, 2], [9, 16]], [[0, 0], [1, -2], [1, 2], [9, 16]]),
    (L.Maximum(), [[0, 0], [1, 0], [1, 2], [3, 4]], [[0, 0], [1, -2], [1, 2], [3, 4]]),
    (L.Minimum(), [[0, 0], [0, -2], [1, 2], [3, 4]], [[0, 0], [1, -2], [1, 2], [3, 4]]),
])
def test_what_an_input_masks_is_left_to_the_other(device, layer, one_masked, both_masked):
    masked, other = L.Masking(), np.array([[[0, 0], [0, 0], [1, 2], [3, 4]]], "float32")
    first = masked(np.array([[[0, 0], [1, -2], [0, 0], [3, 4]]], "float32"))
    found = layer([first, other])
    assert found.tolist() == [one_masked] and getattr(found, "_keras_mask", None) is None
    found = layer([first, masked(other)])
    assert found.tolist() == [both_masked] and found._keras_mask.tolist() == [[False, True, True, True]]


def test_joined_masks_and_inputs_of_fewer_axes(cpu):
    table, ids = L.Embedding(4, 2, mask_zero=True), np.array([[1, 0, 2]])
    x, plain = table(ids), np.ones((1, 3, 2))
    assert L.Concatenate(axis=1)([x, plain])._keras_mask.tolist() == [[True, False, True, True, True, True]]
    assert L.Concatenate()([x, plain])._keras_mask.tolist() == [[True, True, True]]          # as in Keras: where one of them counts
    assert L.Concatenate()([x, table(ids[:, ::-1] % 2)])._keras_mask.tolist() == [[True, False, True]]
    symbolic = [pyml.Input((3,)), pyml.Input((None, 3))]
    assert L.Add()(symbolic).shape == (None, None, 3)
    assert L.Add()([np.ones((2, 3)), np.ones((2, 4, 3))]).tolist() == [[[2] * 3] * 4] * 2
    assert L.Add().compute_output_shape([(2, 4, 5), (None, 1, 5)]) == (2, 4, 5)
    assert L.Add().compute_output_shape([(2, 4, 5), (None, None, 5)]) == (2, None, 5)
    with pytest.raises(TypeError, match="axes must be an integer"):
        L.Dot(axes="a")


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


def test_batch_renormalization_trains_as_in_keras(cpu):
    x = (np.arange(48).reshape(12, 4) * 7 % 11 / 10).astype("float32")
    limits = {"rmax": 1.2, "rmin": 0.9, "dmax": 0.3}
    layer = pyml.layers.BatchNormalization(momentum=0.8, renorm=True, renorm_momentum=0.5, renorm_clipping=limits)
    model = pyml.Sequential([pyml.Input((4,)), layer, pyml.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    losses = model.fit(x, x[:, :1], epochs=3, batch_size=4, shuffle=False, verbose=0).history["loss"]
    assert losses == pytest.approx([1.06401, 1.00015, 1.22081], rel=1e-4)  # and the rest by Keras 3.15 on PyTorch
    means = [float(weight.numpy().mean()) for weight in layer.weights]
    assert means == pytest.approx([0.94878, 0.01608, 0.43209, 0.15349, 0.39245, 0.49635, 0.30069], abs=1e-4)
    assert type(layer).from_config(layer.get_config()).renorm_clipping == limits
    for bad, told in (({"a": 1}, "'rmax', 'rmin' and 'dmax'"), ({"rmax": 0.5, "rmin": 1.0}, "at least rmin"), ({"dmax": -1}, "at least 0")):
        with pytest.raises(ValueError, match=told):
            pyml.layers.BatchNormalization(renorm=True, renorm_clipping=bad)


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


def test_noise_acts_only_while_training():
    x = np.ones((40, 3, 50), "float32")
    for layer, mean in ((L.GaussianNoise(0.5, seed=1), 1.0), (L.GaussianDropout(0.2, seed=2), 1.0)):
        np.testing.assert_array_equal(layer(x).numpy(), x)
        noisy = layer(x, training=True).numpy()
        assert noisy.mean() == pytest.approx(mean, abs=0.02)
        assert noisy.std() == pytest.approx(0.5, abs=0.02)
    normal = np.random.default_rng(0).standard_normal((200, 200)).astype("float32")
    kept = L.AlphaDropout(0.3, seed=4)(normal, training=True).numpy()
    assert (kept.mean(), kept.std()) == (pytest.approx(0, abs=0.02), pytest.approx(1, abs=0.02))
    assert len(np.unique(kept)) < 0.8 * kept.size
    dropped = L.SpatialDropout1D(0.5, seed=3)(x, training=True).numpy()
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1], dropped.shape))
    assert (dropped == 0).mean() == pytest.approx(0.5, abs=0.05)


@pyml.saving.register_keras_serializable()
def doubled(x, times=2):
    return x * times


def test_a_named_function_comes_back_from_the_config_of_its_layer():
    layer = L.Lambda(doubled, arguments={"times": 3})
    twin = L.deserialize(L.serialize(layer))
    np.testing.assert_array_equal(twin(np.ones(2)).numpy(), [3, 3])
    assert L.Lambda(lambda x: x[:, :1])(pyml.Input((4, 3))).shape == (None, 1, 3)


# ---- recurrent layers and attention
def test_long_sequences_are_one_dispatch_each_way(gpu):
    model = pyml.Sequential([pyml.Input((50, 3)), L.LSTM(8), L.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 50, 3)), np.ones((4, 1))
    model.train_on_batch(x, y)
    plan = model._step_programs.programs[("train_on_batch",)].last_plan.explain()
    assert plan.count("lstm_grad") == 1
    assert plan.count("lstm") == 2
    assert len(plan.splitlines()) < 30


@pytest.mark.parametrize("kind", [L.LSTM, L.GRU])
@pytest.mark.parametrize("units", [6, 8])
def test_one_kernel_and_single_steps_give_the_same(device, rng, kind, units):
    x = rng.standard_normal((3, 5, 4)).astype("float32")
    whole, steps = kind(units, return_sequences=True), kind(units, return_sequences=True)
    steps.build(x.shape)
    whole.build(x.shape)
    steps.set_weights(whole.get_weights())
    steps.cell._run_steps = lambda *args: None

    def loss(x, layer):
        return pyml.ops.sum(pyml.ops.square(layer(x)))

    for layer in (whole, steps):
        layer.result = pyml.value_and_grad(lambda x, layer=layer: loss(x, layer))(x)
    np.testing.assert_allclose(whole.result[0].numpy(), steps.result[0].numpy(), rtol=1e-5)
    np.testing.assert_allclose(whole.result[1].numpy(), steps.result[1].numpy(), rtol=1e-4, atol=1e-6)


def test_dropout_of_recurrent_layers_acts_only_while_training(rng):
    x = rng.standard_normal((2, 6, 4)).astype("float32")
    for layer in (L.LSTM(3, dropout=0.5, seed=1), L.GRU(3, recurrent_dropout=0.5, seed=1)):
        still = layer(x).numpy()
        np.testing.assert_array_equal(layer(x).numpy(), still)
        first, second = (layer(x, training=True).numpy() for _ in range(2))
        assert (first != still).any()
        assert (first != second).any()


@pytest.mark.parametrize("kind", [L.SimpleRNNCell, L.GRUCell, L.LSTMCell])
def test_stacked_cells_drop_the_same_in_every_step(cpu, kind):
    class Asking(kind):  # as cells of others do it
        def call(self, inputs, states, training=False):
            mask = self.get_dropout_mask(inputs)
            return super().call(inputs * mask if training else inputs, states, training=False)

    x = np.ones((2, 6, 9), "float32")
    for cls in (kind, Asking):
        cell = cls(8, recurrent_initializer="zeros", dropout=0.5, recurrent_dropout=0.2)
        layer = L.RNN([cell, L.SimpleRNNCell(9, dropout=0.2, recurrent_initializer="zeros")], return_sequences=True)
        shown = L.RNN(cell, return_sequences=True)
        for _ in range(2 if kind is L.SimpleRNNCell else 0):
            found = layer(x, training=True)
            np.testing.assert_allclose(found[:, 1:], found[:, :-1], atol=1e-6)
            assert np.abs(found - layer(x)).max() > 1e-3
        shown(x)
        assert cell.get_dropout_mask(np.ones((1, 9))).shape == (1, 9) and cell.get_dropout_mask(np.ones((3, 9))).shape == (1, 9)
        cell.reset_dropout_mask()
        assert cell.get_dropout_mask(np.ones((3, 9), "float32")).shape == (3, 9)


def test_a_recurrent_layer_has_an_inner_loop_of_its_own_and_masks_by_name(cpu):
    class Summing(L.GRU):
        def inner_loop(self, sequences, initial_state, mask, training=False):
            last, outputs, states = super().inner_loop(sequences, initial_state, mask, training)
            return last * 2.0, outputs * 2.0, states

    x, mask = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32"), np.array([[True, True, False]] * 2)
    usual, own = L.GRU(2, return_state=True), Summing(2, return_state=True)
    own.build(x.shape)
    wanted = usual(x, mask=mask)
    own.set_weights(usual.get_weights())
    found = own(x, mask=mask)
    np.testing.assert_allclose(found[0], wanted[0] * 2.0, atol=1e-6)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)
    layer = L.LSTM(2, return_sequences=True, return_state=True)
    assert layer.compute_mask(x, mask=[mask, None]) == [mask, None, None] and L.LSTM(2).compute_mask(x, mask=mask) is None
    both = L.Bidirectional(L.GRU(2, stateful=True))
    assert both.states is None
    both(x)
    assert [state.shape for state in both.states] == [(2, 2), (2, 2)]
    assert L.SimpleRNNCell(2)(sequence=x[:, 0], states=[np.zeros((2, 2), "float32")])[0].shape == (2, 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_loop_reads_and_assigns_variables_of_16_bits(cpu, dtype):
    x = np.ones((2, 3, 4), "float32")
    layer = L.SimpleRNN(2, dtype=dtype)
    assert layer(x).dtype == dtype
    full = L.SimpleRNN(2)
    full.build(x.shape)
    full.set_weights([np.asarray(w, "float32") for w in layer.get_weights()])
    np.testing.assert_allclose(np.asarray(layer(x), "float32"), full(x), atol=0.01)
    total = pyml.Variable(np.zeros(2), dtype=dtype)
    pyml.ops.scan(lambda c, row: (total.assign(total + row), (c, c))[1], np.zeros((), "float32"), x[0, :, :2])
    assert total.numpy().tolist() == [3, 3]


def test_a_stateful_layer_goes_on_through_batches_of_predict():
    x = np.ones((4, 3, 2), "float32")
    model = pyml.Sequential([pyml.Input((3, 2), batch_size=2), L.GRU(3, stateful=True)])
    found = model.predict(x, batch_size=2, verbose=0)
    assert (found[:2] != found[2:]).any()
    model.layers[0].reset_state()
    np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0), found)


@pytest.mark.parametrize(("equation", "shape", "outputs", "fans"), [
    ("abc,cde->abde", (None, 5, 32), (None, 8, 16), (32, 128)), ("...cd,cde->...e", (None, 4, 16), 32, (64, 32)),
    ("ab,bc->ac", (None, 32), 64, (32, 64)), ("abc,dc->abd", (None, 5, 32), (None, 64), (32, 64)),
])  # fmt: skip
def test_kernels_of_einsum_dense_begin_by_what_they_sum_and_make(equation, shape, outputs, fans):
    for mode, n in (("fan_in", fans[0]), ("fan_out", fans[1]), ("fan_avg", sum(fans) / 2)):
        layer = L.EinsumDense(equation, outputs, kernel_initializer=pyml.initializers.VarianceScaling(2.0, mode, "uniform", seed=3))
        layer.build(shape)
        assert 0.97 < abs(layer.kernel.numpy()).max() / np.sqrt(3 * 2.0 / n) <= 1
        assert layer.kernel_initializer.input_axes is None
    own = pyml.initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=3, input_axes=[0], output_axes=[1])
    layer = L.EinsumDense(equation, outputs, kernel_initializer=own)
    layer.build(shape)
    assert 0.97 < abs(layer.kernel.numpy()).max() / np.sqrt(3 * 2.0 / layer.kernel.shape[0]) <= 1


def test_attention_drops_weights_only_while_training(rng):
    x = rng.standard_normal((2, 4, 6)).astype("float32")
    layer = L.MultiHeadAttention(2, 3, dropout=0.5, seed=2)
    np.testing.assert_array_equal(layer(x, x).numpy(), layer(x, x).numpy())
    assert (layer(x, x, training=True).numpy() != layer(x, x).numpy()).any()


def test_a_mask_of_the_key_is_taken_where_the_value_is_the_key(cpu):
    x, mask = np.random.default_rng(0).normal(size=(1, 3, 2)).astype("float32"), np.array([[True, True, False]])
    layer = L.Attention()
    np.testing.assert_allclose(layer([x, x], mask=[mask, mask, None]), layer([x, x], mask=[mask, mask]))


def test_scores_of_simple_attention_are_without_the_dropped_ones(cpu):
    _, scores = L.Attention(dropout=0.5, seed=1)([np.ones((1, 9, 3))] * 2, return_attention_scores=True, training=True)
    assert set(np.round(np.unique(scores) * 9, 4).tolist()) == {0, 2}


def test_grouped_attention_is_named_as_keras_names_it():
    assert L.GroupQueryAttention(2, 2, 1).name.startswith("grouped_query_attention")
    assert L.GroupQueryAttention(2, 2, 1, name="own").name == "own"


def test_a_causal_mask_hides_what_comes_later(rng):
    x = rng.standard_normal((1, 5, 4)).astype("float32")
    changed = x.copy()
    changed[:, 3:] += 1
    layer = L.MultiHeadAttention(2, 3)
    first, second = (layer(a, a, use_causal_mask=True).numpy() for a in (x, changed))
    np.testing.assert_allclose(first[:, :3], second[:, :3], rtol=1e-6)
    assert (first[:, 3:] != second[:, 3:]).any()


def test_symbolic_attention_and_recurrent_models_come_back_from_their_config(rng):
    words, memory = pyml.Input((5,), dtype="int32"), pyml.Input((3, 4))
    x = L.Bidirectional(L.LSTM(2, return_sequences=True))(L.Embedding(7, 4, mask_zero=True)(words))
    x = L.MultiHeadAttention(2, 3)(x, memory, key=memory)
    model = pyml.Model([words, memory], L.GRU(2)(x))
    twin = pyml.models.model_from_json(model.to_json())
    twin.set_weights(model.get_weights())
    data = [np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]]), rng.standard_normal((2, 3, 4)).astype("float32")]
    np.testing.assert_allclose(twin.predict(data, verbose=0), model.predict(data, verbose=0), rtol=1e-5)


def test_many_tensors_are_joined_within_the_bindings_of_a_kernel(device):
    parts = [np.full((2, 1), i, "float32") for i in range(50)]
    tensors = [pyml.convert_to_tensor(part) for part in parts]
    joined = pyml.program(lambda: pyml.ops.concatenate(tensors, axis=1) * 2.0)()
    np.testing.assert_array_equal(joined.numpy(), np.concatenate(parts, axis=1) * 2)


def test_weights_of_samples_and_a_mask_of_steps_act_together():
    model = pyml.Sequential([pyml.Input((3, 1)), L.Masking(), L.Identity()])
    x = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]], "float32")
    loss = pyml.losses.MeanAbsoluteError(reduction="sum")
    found = loss(np.zeros((2, 3, 1)), model(x), sample_weight=np.array([1.0, 10.0]))
    assert float(found) == pytest.approx(1 + 2 + 30)


@pytest.mark.parametrize("kind", ["alone", "inside a model", "frozen"])
def test_batch_statistics_in_each_step_are_those_of_the_step(kind, device):
    x = np.random.default_rng(0).normal(size=(4, 3, 5)).astype("float32") * [[[1.0], [5.0], [9.0]]]
    inner = L.BatchNormalization(momentum=0.5)
    layer = L.TimeDistributed(pyml.Sequential([L.Activation("linear"), inner]) if kind == "inside a model" else inner)
    layer(x)
    inner.trainable = kind != "frozen"
    found, moving = np.asarray(layer(x, training=True)), np.zeros(5)
    if kind == "frozen":
        np.testing.assert_allclose(found, x / np.sqrt(1 + inner.epsilon), rtol=1e-4, atol=1e-4)
        return
    np.testing.assert_allclose(found, (x - x.mean(0)) / np.sqrt(x.var(0) + inner.epsilon), rtol=1e-3, atol=1e-3)
    for step in range(3):
        moving = 0.5 * moving + 0.5 * x[:, step].mean(0)
    np.testing.assert_allclose(np.asarray(inner.moving_mean), moving, rtol=1e-4, atol=1e-4)


class _Penalised(L.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.add_loss(pyml.ops.max(x))
        self.calls.assign_add(1.0)
        return x * 2


@pytest.mark.parametrize("training", [False, True])
def test_a_layer_that_adds_losses_does_so_for_each_step(training, device):
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    inner = _Penalised()
    layer = L.TimeDistributed(inner)
    np.testing.assert_array_equal(np.asarray(layer(x, training=training)), x * 2)
    assert [float(loss) for loss in layer.losses] == [x[:, step].max() for step in range(3)]
    assert float(inner.calls) == 3


def test_a_class_that_was_wrapped_can_go():
    def wrapped():
        class Own(L.Layer):
            def call(self, x):
                return x * 2

        L.TimeDistributed(Own())(np.ones((2, 3, 4), "float32"))
        return weakref.ref(Own)

    found = wrapped()
    gc.collect()
    assert found() is None


class _Centred(L.Layer):
    def call(self, x):
        return x - pyml.ops.mean(x, axis=0, keepdims=True)


def _centring_model():
    x = pyml.Input((4,))
    return pyml.Model(x, L.Activation("linear")(x - pyml.ops.mean(x, axis=0, keepdims=True)))


@pytest.mark.parametrize("make", [
    _Centred, _centring_model, lambda: pyml.Sequential([_Centred()]),
    lambda: L.Lambda(lambda x: x - pyml.ops.mean(x, axis=0, keepdims=True)),
])
def test_a_layer_that_reduces_over_the_batch_does_so_in_each_step(make, device):
    x = np.random.default_rng(0).normal(size=(5, 3, 4)).astype("float32")
    found = L.TimeDistributed(make())(x)
    np.testing.assert_allclose(np.asarray(found), x - x.mean(axis=0, keepdims=True), rtol=1e-5, atol=1e-6)


def test_steps_of_a_residual_network_stay_one_batch():
    x = pyml.Input((4,))
    network = pyml.Model(x, pyml.ops.relu(L.Dense(4)(x) + x))
    layer = L.TimeDistributed(network)
    seen = []
    call = network.call
    network.call = lambda inputs, *args, **kwargs: seen.append(inputs.shape) or call(inputs, *args, **kwargs)
    layer(np.zeros((2, 3, 4), "float32"))
    assert (6, 4) in seen and (2, 4) not in seen


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.LSTM(3, return_state=True),
        lambda: L.RNN([L.GRUCell(3), L.LSTMCell(2)], return_state=True),
        lambda: L.Bidirectional(L.GRU(3, return_state=True)),
        lambda: L.Bidirectional(L.GRU(3), merge_mode=None),
    ],
)
def test_recurrent_layers_of_several_outputs_return_a_tuple(make):
    x = pyml.Input((5, 4))
    found = [
        make()(np.ones((2, 5, 4), "float32")),
        make()(x),
        make().compute_output_shape((2, 5, 4)),
        pyml.Model(x, make()(x)).predict(np.ones((2, 5, 4)), verbose=0),
    ]
    assert [type(outputs) for outputs in found] == [tuple] * 4


@pytest.mark.parametrize("made", [L.SimpleRNN, L.GRU, L.LSTM, lambda units, **how: L.RNN([L.GRUCell(2), L.LSTMCell(units)], **how)],
                         ids=["SimpleRNN", "GRU", "LSTM", "stacked"])  # fmt: skip
def test_shapes_of_recurrent_layers_are_told_as_they_come_out(cpu, made):
    x, shapes = np.ones((2, 5, 4), "float32"), lambda found: pyml.tree.map_structure(lambda t: t.shape, found)
    for sequences, state in itertools.product((False, True), repeat=2):
        plain = lambda sequences=sequences, state=state: made(3, return_sequences=sequences, return_state=state)
        layers = [plain(), *(L.Bidirectional(plain(), merge_mode=merge) for merge in ("sum", "mul", "ave", "concat", None))]
        for layer in layers:
            told = layer.compute_output_shape((2, 5, 4))
            assert told == shapes(layer(x)) == shapes(layer(pyml.Input(batch_shape=(2, 5, 4)))), (sequences, state, layer.get_config())


def test_a_subclass_of_attention_makes_the_projection_of_its_heads(cpu):
    layer = L.MultiHeadAttention(2, 3, value_dim=5, output_shape=(6, 7))
    for shape, heads, made in (((None, 4, 8), (1, 4, 2, 5), (1, 4, 6, 7)), ((None, 4, 3, 8), (1, 4, 3, 2, 5), (1, 4, 3, 6, 7))):
        dense = layer._make_output_dense(shape, layer._get_common_kwargs_for_sublayer(), name="out")
        assert dense(np.ones(heads, "float32")).shape == made and [w.shape for w in dense.weights] == [(2, 5, 6, 7), (6, 7)]


def test_masking_keeps_the_dtype_of_integers(device):
    found = L.Masking(2)(np.array([[[2, 2], [1, 2]]], "int32"))
    assert found.dtype == "int32" and found.numpy().tolist() == [[[0, 0], [1, 2]]]
