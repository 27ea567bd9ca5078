"""What programs written as on keras.io do, and did not get: each test is one kind, with Keras' numbers or float64 beside it."""

import numpy as np
import pytest

import pyml
from pyml import layers, ops


class Uneven(pyml.utils.PyDataset):
    """Twelve unlabelled pictures beside four with labels."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return (np.full((12, 3), i + 1.0, "float32"), np.zeros(12, "int32")), (np.ones((4, 3), "float32"), np.arange(4))


class TwoSources(pyml.Model):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight((), "ones", name="scale")

    def train_step(self, data):
        (unlabelled, _), (labelled, labels) = data
        both = ops.concatenate([unlabelled, labelled])
        return {"rows": ops.shape(both)[0] * self.scale, "sum": ops.sum(unlabelled), "labels": ops.sum(labels)}


def test_a_step_of_ones_own_takes_parts_of_different_lengths():
    model = TwoSources()
    model.compile("sgd")
    history = model.fit(Uneven(), epochs=1, verbose=0, shuffle=False).history
    assert history == {"rows": [16.0], "sum": [72.0], "labels": [6.0]}  # of the last batch


def lstm_of_ones(**kwargs):
    return layers.SimpleRNN(1, "linear", kernel_initializer="ones", recurrent_initializer="ones", **kwargs)


def test_a_recurrent_layer_with_initial_state_gets_no_mask_by_itself():
    x = layers.Masking()(np.array([[[1.0], [0.0], [2.0]]]))
    assert lstm_of_ones()(x, initial_state=[np.ones((1, 1))]).item() == 4.0
    steps = lstm_of_ones(return_sequences=True, use_bias=False)
    steps.build((1, 3, 1))
    steps.cell.recurrent_kernel.assign([[2.0]])
    assert steps(x).numpy().ravel().tolist() == [1.0, 1.0, 4.0]
    assert steps(x, initial_state=[np.zeros((1, 1))]).numpy().ravel().tolist() == [1.0, 2.0, 6.0]  # as in Keras 3: the mask is not seen
    assert steps(x, initial_state=[np.zeros((1, 1))], mask=x._keras_mask).numpy().ravel().tolist() == [1.0, 1.0, 4.0]


class Seeing(layers.Layer):
    """Notes the masks that it is called with."""

    def call(self, query, context=None, query_mask=None, context_mask=None, mask=None):
        self.seen = [None if m is None else m.tolist() for m in (query_mask, context_mask, mask)]
        return query


def test_masks_go_to_the_arguments_they_belong_to():
    x = layers.Masking()(np.array([[[1.0], [0.0]]]))
    y = np.ones((1, 2, 1), "float32")
    layer, mask = Seeing(), [[True, False]]
    layer(x)
    assert layer.seen == [None, None, mask]
    layer(query=x)
    assert layer.seen == [None, None, mask]
    layer(query=y, context=x)
    assert layer.seen == [None, mask, None]
    layer(x, y)
    assert layer.seen == [mask, None, None]


class Named(layers.Layer):
    def call(self, inputs, mask=None):
        self.seen = mask
        return inputs["a"]


def test_a_dict_of_inputs_has_a_dict_of_masks():
    layer = Named()
    layer({"a": layers.Masking()(np.array([[[1.0], [0.0]]])), "b": np.ones((1, 1))})
    assert layer.seen["a"].tolist() == [[True, False]] and layer.seen["b"] is None


def mean_size(y_true, y_pred):
    return ops.mean(ops.abs(y_pred))


@pytest.mark.parametrize("metrics", [["mae", mean_size], {"out": [mean_size]}])
def test_functions_of_compile_are_found_in_custom_objects(tmp_path, metrics):
    model = pyml.Sequential([pyml.Input((2,)), layers.Dense(1, name="out")])
    model.compile("sgd", "mse", metrics=metrics)
    x = np.ones((4, 2), "float32")
    model.fit(x, np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "m.keras")
    again = pyml.models.load_model(tmp_path / "m.keras", custom_objects={"mean_size": mean_size})
    logs = again.evaluate(x, np.ones((4, 1)), verbose=0, return_dict=True)
    assert logs["mean_size"] == pytest.approx(float(np.abs(again.predict(x, verbose=0)).mean()), rel=1e-5)


def test_a_tape_watches_values_that_a_stateless_call_gets():
    layer = layers.Dense(1, use_bias=False)
    layer.build((None, 2))
    x, rate = np.array([[1.0, 2.0]], "float32"), 0.1
    layer.kernel.assign([[1.0], [1.0]])
    with pyml.GradientTape() as outer:
        fast = [layer.kernel.value]
        with pyml.GradientTape() as inner:
            inner.watch(fast)
            loss = ops.sum(layer.stateless_call(fast, [], x)[0] ** 2)
        (step,) = inner.gradient(loss, fast)
        moved = [fast[0] - rate * step]
        after = ops.sum(layer.stateless_call(moved, [], x)[0] ** 2)
    y, square = 3.0, 5.0  # x @ kernel, x @ x; the new y is y - rate * 2 * y * square
    shrunk = 1 - 2 * rate * square
    assert step.numpy().ravel().tolist() == pytest.approx([2 * y, 4 * y])
    assert outer.gradient(after, layer.kernel).numpy().ravel() == pytest.approx(2 * y * shrunk**2 * np.array([1.0, 2.0]), abs=1e-5)


def test_a_tape_knows_a_variable_by_its_value_and_as_argument_of_a_program():
    v = pyml.Variable([1.0, 3.0])
    with pyml.GradientTape() as tape:
        loss = ops.sum(v**2)
    assert tape.gradient(loss, v.value).tolist() == [2.0, 6.0]

    @pyml.program
    def step(image):
        with pyml.GradientTape() as tape:
            loss = ops.sum(image**2)
        return tape.gradient(loss, image)

    assert step(v).tolist() == [2.0, 6.0]
    v.assign([5.0, 5.0])
    assert step(v).tolist() == [10.0, 10.0]


class Batches(pyml.metrics.Metric):
    """Counts batches, in a state that the first one makes."""

    count = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        if self.count is None:
            self.count = self.add_weight((), "zeros", name="count")
        self.count.assign_add(1.0)

    def result(self):
        return 0.0 if self.count is None else self.count


class Counting(pyml.Model):
    def __init__(self):
        super().__init__()
        self.counted = Batches(name="counted")

    def train_step(self, data):
        self.counted.update_state(None, None)
        return {"counted": self.counted.result()}


def test_metrics_that_make_their_state_at_the_first_batch_start_anew_each_epoch():
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 3)).astype("float32"), rng.random((60, 1)).astype("float32")
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(1)])
    model.compile(pyml.optimizers.SGD(0.1), "mse", metrics=[pyml.metrics.R2Score(), Batches(), pyml.metrics.RootMeanSquaredError()])
    logs = model.fit(x, y, epochs=3, batch_size=20, verbose=0).history
    assert logs["batches"] == [3.0, 3.0, 3.0]
    np.testing.assert_allclose(logs["r2_score"], 1 - np.square(logs["root_mean_squared_error"]) / y.var(), rtol=1e-3)
    assert model.evaluate(x, y, verbose=0, return_dict=True)["batches"] == 2.0
    assert [model.train_on_batch(x, y, return_dict=True)["batches"] for _ in range(2)] == [1.0, 1.0]
    own = Counting()
    own.compile()
    assert own.fit(x, y, epochs=3, batch_size=20, verbose=0).history == {"counted": [3.0, 3.0, 3.0]}


def test_a_condition_does_not_take_part_in_the_dtype_and_full_is_float32():
    ones = np.ones(2, "float32")
    assert ops.where(ones, ones.astype("uint8"), np.ones(2, bool)).dtype == "uint8"
    assert ops.where(condition=ones, x1=ones.astype("float16"), x2=0).dtype == "float16"
    assert ops.full((2,), 7).dtype == "float32" and ops.full((2,), 7, "int32").dtype == "int32"


def test_functions_along_rows_take_rows_that_are_not_there(device):
    nothing = np.zeros((0, 3), "float32")
    assert [f(nothing, axis=0).shape for f in (ops.softmax, ops.log_softmax, ops.sparsemax)] == [(0, 3)] * 3
    assert ops.logsumexp(nothing, axis=0).tolist() == [-np.inf] * 3 and ops.logsumexp(nothing, axis=1).shape == (0,)
    assert ops.unstack(nothing) == []


class Inner(layers.Layer):
    """A layer with one inside, of which its config says nothing."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(6)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("mode", ["int8", pyml.quantizers.Int4QuantizationConfig(block_size=4)])
def test_layers_inside_others_come_back_quantized(tmp_path, mode):
    inputs = pyml.Input((3,), dtype="int32")
    x = layers.Embedding(9, 8)(inputs)
    model = pyml.Model(inputs, Inner()(layers.MultiHeadAttention(2, 4)(x, x)))
    model.quantize(**({"mode": mode} if isinstance(mode, str) else {"config": mode}))
    model.save(tmp_path / "m.keras")
    again = pyml.models.load_model(tmp_path / "m.keras", custom_objects={"Inner": Inner})
    words = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(again.predict(words, verbose=0), model.predict(words, verbose=0))
    assert [layer.dtype_policy.name for layer in again._flatten_layers()] == [layer.dtype_policy.name for layer in model._flatten_layers()]


def test_a_number_is_printed_as_its_format_says():
    loss = ops.sum(ops.ones(3)) / 30
    assert f"{loss:.4f}|{loss:>8.2f}|{pyml.Variable(2.0):.1f}|{ops.cast(loss * 30, 'int32'):d}" == "0.1000|    0.10|2.0|3"
    assert f"{ops.convert_to_tensor(1 + 2j):.1f}" == "1.0+2.0j" and f"{pyml.Variable(2.0)}".startswith("<Variable")
    metric = pyml.metrics.Mean()
    metric.update_state([1.0, 2.0])
    assert f"{metric.result():.2f} {metric.result()}" == "1.50 1.5"
    with pytest.raises(TypeError, match=r"'.2f' is for a number, this tensor has shape \(2,\)"):
        f"{ops.ones(2):.2f}"

    @pyml.program
    def traced(x):
        assert "Tensor" in f"{ops.sum(x)}"
        with pytest.raises(pyml.errors.TraceError, match=r"format\(\)"):
            f"{ops.sum(x):.2f}"
        return x

    traced(pyml.random.normal((3,)))


def test_a_mask_of_another_rank_than_steps_is_refused_by_the_layers_name():
    layer = layers.ConvLSTM1D(2, 2, name="rain")
    with pytest.raises(ValueError, match=r'Layer "rain": the mask of a sequence has shape \(batch, steps\). Received: \(2, 3, 4\)'):
        layer(ops.ones((2, 3, 4, 1)), mask=ops.ones((2, 3, 4), dtype="bool"))


def learner(**compiled):
    """A model whose training has dropout's random numbers and Adam's moments for a state."""
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(4, "tanh"), layers.BatchNormalization(), layers.Dense(1)])
    model.compile(pyml.optimizers.Adam(0.05), "mse", **compiled)
    return model


SAMPLES = np.random.RandomState(1).rand(20, 3).astype("float32")
HOW = {"batch_size": 5, "shuffle": False, "verbose": 0}


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_five_epochs_a_file_and_five_more_are_ten(cpu, tmp_path, name):
    targets = SAMPLES.sum(1, keepdims=True)
    whole = learner().fit(SAMPLES, targets, epochs=10, **HOW).history["loss"]
    first = learner()
    losses = first.fit(SAMPLES, targets, epochs=5, **HOW).history["loss"]
    first.save(tmp_path / name)
    losses += pyml.models.load_model(tmp_path / name).fit(SAMPLES, targets, epochs=5, **HOW).history["loss"]
    assert losses == pytest.approx(whole, rel=1e-5)


def test_run_eagerly_ends_at_the_line_that_failed(cpu):
    class Wrong(pyml.Model):
        def call(self, x):
            widths = ops.ones((5,))
            if float(ops.sum(x)) > 0:
                return x * widths  # the line that fails
            return x

    model = Wrong()
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError) as raised:
        model.fit(SAMPLES, SAMPLES[:, :1], **HOW)
    lines = [str(entry.statement).strip() for entry in raised.traceback if str(entry.path) == __file__]
    assert lines[-1] == "return x * widths  # the line that fails"


def test_jit_compile_changes_no_number(cpu):
    targets = SAMPLES.sum(1, keepdims=True)
    found = [learner(jit_compile=jit).fit(SAMPLES, targets, **HOW).history["loss"] for jit in ("auto", True, False)]
    assert found[0] == found[1] == found[2]


def test_a_base_that_is_called_with_training_false_keeps_its_statistics_in_fit(cpu):
    base = pyml.Sequential([pyml.Input((3,)), layers.BatchNormalization()])
    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, layers.Dense(1)(base(inputs, training=False)))
    model.compile("sgd", "mse")
    statistics = [w.numpy() for w in base.non_trainable_weights]
    gamma = base.trainable_weights[0].numpy()
    model.fit(SAMPLES, SAMPLES[:, :1], **HOW)
    for weight, before in zip(base.non_trainable_weights, statistics, strict=True):
        np.testing.assert_array_equal(weight.numpy(), before)
    assert not np.array_equal(base.trainable_weights[0].numpy(), gamma)


class Resetting(pyml.metrics.Mean):
    times = 0

    def reset_state(self):
        super().reset_state()
        self.times += 1


class Clipped(pyml.optimizers.SGD):
    def _clip_gradients(self, grads):
        return [ops.sign(g) for g in grads]

    def _apply_weight_decay(self, variables):
        super()._apply_weight_decay(variables[:0])


class Difference(layers.Add):
    def _merge_function(self, inputs):
        return inputs[0] - inputs[1]


class Falling(pyml.optimizers.SGD):
    def _get_current_learning_rate(self):
        return super()._get_current_learning_rate() * ops.cast(self.iterations == 0, "float32")


class Resting(pyml.callbacks.ReduceLROnPlateau):
    def in_cooldown(self):
        return True


def test_what_subclasses_override_is_what_runs():
    """A metric's reset in Python, an optimizer's rate and a callback's pause: each was passed over without a word."""
    seen = Resetting(name="seen")
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(1, use_bias=False)])
    model.compile(Falling(0.1), "mae", metrics=[pyml.metrics.MeanSquaredError()], weighted_metrics=[seen])
    seen.update_state = lambda y, p, sample_weight=None: None
    x = np.ones((4, 3), "float32")
    model.fit(x, x[:, :1] + 9, epochs=3, verbose=0, callbacks=[Resting(patience=0, monitor="loss", min_delta=1e9)])
    assert seen.times == 3 and float(model.optimizer.learning_rate) == 0.0
    weights = model.get_weights()[0]
    model.fit(x, x[:, :1] + 9, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], weights)
    model.compile(Clipped(0.5, weight_decay=0.1), "mse")
    model.fit(x, x[:, :1] + 9, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], weights + 0.5, rtol=1e-6)
    assert Difference()([x, x]).numpy().max() == 0.0


class Halved(layers.MultiHeadAttention):
    def _compute_attention(self, query, key, value, attention_mask=None, training=None, return_attention_scores=False):
        scores = ops.einsum(self._dot_product_equation, key, query * self._inverse_sqrt_key_dim)
        scores = self._dropout_layer(self._masked_softmax(scores, attention_mask), training=training)
        return ops.einsum(self._combine_equation, scores * 0.5, value), scores


class Parted(layers.MultiHeadAttention):
    """A `call` of its own, out of the parts that Keras has."""

    def call(self, query, value, attention_mask=None, training=None):
        mixed, _ = self._compute_attention(self._query_dense(query), self._key_dense(value), self._value_dense(value), attention_mask)
        return self._output_dense(mixed)


def test_a_subclass_of_attention_has_a_formula_of_its_own_or_uses_the_parts():
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(2, 4, 6)).astype("float32"), rng.random((2, 4, 4)) < 0.6
    mask[0, 1] = False
    usual, *own = [cls(2, 3, dropout=0.1) for cls in (layers.MultiHeadAttention, Halved, Parted)]
    wanted, scores = usual(x, x, attention_mask=mask, return_attention_scores=True)
    for layer in own:
        layer.build(x.shape, x.shape)
        layer.set_weights(usual.get_weights())
    halved, same = own[0](x, x, attention_mask=mask, return_attention_scores=True)
    np.testing.assert_allclose(halved, wanted * 0.5, atol=1e-5)  # the bias is 0
    np.testing.assert_allclose(same, scores, atol=1e-6)
    np.testing.assert_allclose(own[0](x, x, use_causal_mask=True), usual(x, x, use_causal_mask=True) * 0.5, atol=1e-5)
    np.testing.assert_allclose(own[1](x, x, attention_mask=mask), wanted, atol=1e-5)
    heads = np.asarray(rng.normal(size=(2, 4, 2, 3)), "float32")
    both = np.tril(mask)
    for asked in ({"attention_mask": mask, "use_causal_mask": True}, {"attention_mask": both}):
        np.testing.assert_allclose(usual._compute_attention(heads, heads, heads, **asked)[1][0, :, 0], [[mask[0, 0, 0], 0, 0, 0]] * 2)


class BuiltHere(layers.MultiHeadAttention):
    """A `build` and a `call` of its own, by the names that Keras keeps things under."""

    def build(self, query_shape, value_shape):
        lead = "abde"[: len(query_shape) - 1]

        def projection(name, features):
            return layers.EinsumDense(f"{lead}f,fgh->{lead}gh", (*(None,) * (len(lead) - 1), self._num_heads, features),
                                      bias_axes="gh" if self._use_bias else None, name=name, **self._get_common_kwargs_for_sublayer())

        self._query_dense, self._key_dense = projection("query", self._key_dim), projection("key", self._key_dim)
        self._value_dense = projection("value", self._value_dim)
        self._output_dense = self._make_output_dense(query_shape, self._get_common_kwargs_for_sublayer(), "attention_output")
        for dense in (self._query_dense, self._key_dense, self._value_dense):
            dense.build(query_shape)
        self._output_dense.build((*query_shape[:-1], self._num_heads, self._value_dim))
        self._build_attention(len(query_shape) + 1)

    def call(self, query, value, training=None):
        q = self._query_dense(query) * self._inverse_sqrt_key_dim
        shares = self._softmax(ops.einsum(self._dot_product_equation, self._key_dense(value), q))
        shares = self._dropout_layer(shares, training=training)
        return self._output_dense(ops.einsum(self._combine_equation, shares, self._value_dense(value)))


@pytest.mark.parametrize(("shape", "axes"), [((2, 4, 6), None), ((2, 3, 4, 5), None), ((2, 3, 4, 5), (-2,))])
def test_a_subclass_of_attention_that_builds_itself_finds_the_names_that_keras_has(shape, axes):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    given = {"value_dim": 4, "dropout": 0.1, "attention_axes": axes, "kernel_regularizer": "l2", "kernel_initializer": "he_normal"}
    usual, own = layers.MultiHeadAttention(2, 3, **given), BuiltHere(2, 3, **given)
    wanted = usual(x, x)
    own.build(shape, shape)
    assert [w.path.split("/")[-2:] for w in own.weights] == [w.path.split("/")[-2:] for w in usual.weights]
    own.set_weights(usual.get_weights())
    np.testing.assert_allclose(own(x, x), wanted, atol=1e-5)
    np.testing.assert_allclose(sum(own.losses), sum(usual.losses), rtol=1e-6)
    assert own.query_dense is own._query_dense and type(own.query_dense.kernel_initializer) is type(own._kernel_initializer)
    assert type(layers.MultiHeadAttention(1, 2)._softmax) is layers.Softmax


class WithMore(pyml.Model):
    pass


class OfTwo(layers.Layer):
    def call(self, x, y):
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, x_shape, y_shape):
        return x_shape


@pytest.mark.parametrize("autocast", [True, False])
def test_the_dtype_of_a_layer_that_tells_its_shape_is_that_of_its_policy(autocast):
    layer, y = OfTwo(dtype="mixed_float16", autocast=autocast), np.ones(3, "int32")
    for x in (np.ones((2, 3)), np.ones((2, 3), "float32"), ops.ones((2, 3)), pyml.Input(batch_shape=(2, 3))):
        assert layer.compute_output_spec(x, y).dtype == layer.compute_output_spec(x=x, y=y).dtype == "float16"


class Scaled(layers.Layer):
    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, x):
        return x * self.by


@pytest.mark.parametrize(
    ("layer", "given", "wanted"),
    [
        (Scaled(1, dtype="uint8"), np.float32([2.6]), np.uint8([2])),           # floats come in as the policy's integers
        (Scaled(1, dtype="int32"), np.float32([2.6]), np.int32([2])),
        (Scaled(0.5, dtype="uint8"), np.uint8([3]), np.float32([1.5])),         # and what goes out is what was computed
        (Scaled(1, dtype="uint8", autocast=False), np.float32([2.6]), np.float32([2.6])),
        (Scaled(1, dtype="float16", autocast=False), np.float32([2049]), np.float32([2049])),
        (Scaled(1, dtype="float16"), np.float32([2049]), np.float16([2048])),
        (layers.CenterCrop(1, 1, dtype="int32"), np.full((1, 1, 1), 2.6, "float32"), np.full((1, 1, 1), 2, "int32")),
        (layers.Resizing(1, 1, dtype="float16"), np.full((2, 2, 1), 2049, "float32"), np.full((1, 1, 1), 2048, "float16")),
        (layers.Resizing(1, 1, dtype="float16"), np.full((2, 2, 1), 7, "uint8"), np.full((1, 1, 1), 7, "uint8")),
    ],
)  # fmt: skip
def test_a_policy_of_integers_or_16_bits_says_what_goes_in_as_in_keras(layer, given, wanted):
    got = layer(given)
    assert got.dtype == wanted.dtype
    np.testing.assert_array_equal(got.numpy(), wanted)


def test_a_generator_takes_the_backend_that_layers_for_keras_hand_on():
    generator = pyml.random.SeedGenerator(3, backend=ops)
    assert generator.get_config() == pyml.random.SeedGenerator(3, name=generator.name).get_config()


class Rescaled(layers.Rescaling):
    def call(self, inputs):
        k = self.backend
        scaled = k.cast(inputs, "float32") * self.convert_weight(self.scale)
        return k.numpy.where(k.numpy.equal(k.cast(inputs, self.compute_dtype), 0), 9.0, scaled)


class Lit(layers.RandomBrightness):
    def call(self, data, training=True):
        seed = self.backend.random.SeedGenerator(1)
        return self.backend.nn.relu(data) + self.backend.random.uniform(self.backend.shape(data), seed=seed) * 0


def test_layers_of_preprocessing_find_the_ops_that_keras_gives_them():
    np.testing.assert_array_equal(Rescaled(0.5)(np.array([0, 4], "uint8")), [9.0, 2.0])
    np.testing.assert_array_equal(Lit(0.1)(np.float32([[[[-1, 2, 3]]]])), [[[[0, 2, 3]]]])


class OnHost(layers.Layer):
    def __init__(self, raw, **kwargs):
        super().__init__(**kwargs)
        self._convert_input_args = not raw
        self._allow_non_tensor_positional_args = raw

    def call(self, x, more=None):
        return x, more


def test_a_layer_that_wants_its_arguments_as_they_are_gets_them():
    for given in ("words", ["some", "words"], [[1, 2], [3]], np.ones(3), 5):
        assert OnHost(True)(given)[0] is given and OnHost(True)(given, "more")[1] == "more"
    assert isinstance(OnHost(False)(np.ones(3))[0], pyml.Tensor)
    assert isinstance(OnHost(False)(np.ones(3), more={"boxes": [np.ones(2)]})[1]["boxes"][0], pyml.Tensor)
    for given in (("words",), (np.ones(3), "more")):
        with pytest.raises(ValueError, match="only tensors may be passed"):
            OnHost(False)(*given)


def test_a_model_called_with_inputs_like_its_own_is_not_run_again_to_know_its_outputs():
    ran = []

    class Counted(layers.Layer):
        def call(self, x):
            ran.append(x.shape)
            return x

    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, Counted()(inputs))
    before = list(dir(model)), len(ran)
    assert model(inputs=pyml.Input((3,))).shape == model(pyml.Input((3,))).shape == (None, 3) and len(ran) == before[1]
    assert model._inputs_struct is inputs and model._outputs_struct is model.output
    model.predict(np.ones((2, 3)), verbose=0)
    with pytest.warns(UserWarning, match=r"WithMore.*these arguments: sampler"):
        assert WithMore(inputs, model.output, name="kept", sampler="greedy").name == "kept"
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        pyml.Model(inputs, model.output, sampler="greedy")
    assert "_graph_stage" in before[0] and "_inputs_struct" in before[0]


@pytest.mark.parametrize(("cls", "sizes", "itself"), [(layers.MultiHeadAttention, (2, 3), 0), (layers.GroupQueryAttention, (3, 4, 2), 1)])
def test_attention_adds_the_penalty_of_activity_for_each_projection_as_keras_does(cls, sizes, itself):
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    layer = cls(*sizes, activity_regularizer=pyml.regularizers.L2(0.1))
    outputs, _ = layer(x, x, return_attention_scores=True)
    made = [layer.query_dense(x), layer.key_dense(x), layer.value_dense(x), outputs]
    wanted = [0.1 * np.square(np.asarray(one)).sum() / 2 for one in made]
    layer(x, x)
    np.testing.assert_allclose(sum(float(loss) for loss in layer.losses), sum(wanted) + itself * wanted[-1], rtol=1e-5)
    assert cls.from_config(layer.get_config()).get_config() == layer.get_config()


class HalvedGroups(layers.GroupQueryAttention):
    def _compute_attention(self, query, key, value, attention_mask=None, training=None):
        mixed, scores = super()._compute_attention(query, key, value, attention_mask, training)
        return mixed * 0.5, scores


class OnlyItself(layers.MultiHeadAttention):
    def _compute_causal_mask(self, query, value=None):
        return ops.expand_dims(ops.eye(query.shape[1], dtype="bool"), 0)


def test_subclasses_of_grouped_attention_and_of_its_masks_are_asked():
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype("float32")
    usual, own = [cls(3, 4, 2) for cls in (layers.GroupQueryAttention, HalvedGroups)]
    own.build(x.shape, x.shape)
    wanted, scores = usual(x, x, use_causal_mask=True, return_attention_scores=True)
    own.set_weights(usual.get_weights())
    halved, same = own(x, x, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(halved, wanted * 0.5, atol=1e-5)
    np.testing.assert_allclose(same, scores, atol=1e-6)
    _, scores = OnlyItself(2, 3)(x, x, use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(scores, np.broadcast_to(np.eye(4), (2, 2, 4, 4)), atol=1e-6)


class Bilinear(layers.Attention):
    """Scores of its own, and a mean of its own over the other one's."""

    def _calculate_scores(self, query, key):
        return super()._calculate_scores(query, key) * 2.0

    def _apply_scores(self, scores, value, scores_mask=None, training=False):
        mixed, weights = super()._apply_scores(scores, value, scores_mask, training)
        return mixed + 1.0, weights


def test_a_subclass_of_the_simple_attention_has_scores_and_means_of_its_own():
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    for how in ({}, {"use_causal_mask": True}, {"return_attention_scores": True}):
        found, wanted = Bilinear()([x, x, x], **how), layers.Attention()([2.0 * x, x, x], **how)
        if how.get("return_attention_scores"):
            np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)
            found, wanted = found[0], wanted[0]
        np.testing.assert_allclose(found, wanted.numpy() + 1.0, atol=1e-5)


def test_models_take_symbolic_tensors_whose_sizes_are_not_known():
    inputs = pyml.Input((None, 6))
    inner = pyml.Model(inputs, layers.Dense(2)(inputs))
    named = pyml.Model({"a": pyml.Input((4,), name="a"), "b": (b := pyml.Input((3,), name="b"))}, b * 2)
    assert inner(pyml.Input((None, None))).shape == (None, None, 2)
    assert pyml.Sequential([pyml.Input((6,)), layers.Dense(2)])(pyml.Input((None,))).shape == (None, 2)
    assert named({"b": pyml.Input((None,)), "a": pyml.Input((None,))}).shape == (None, 3)
    with pytest.raises(ValueError, match=r"expected \(None, None, 6\), received \(None, None, 5\)"):
        inner(pyml.Input((None, 5)))


def test_a_layer_may_return_more_than_its_output_shape_tells_of():
    class Halves(layers.Layer):
        def call(self, x):
            return x / 2, x * 0

        def compute_output_shape(self, x_shape):
            return x_shape

    class Fixed(layers.Layer):
        def call(self, x):
            return x[:1, :2] * 0 + 1

        def compute_output_shape(self):
            return (1, 2)

    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, [Halves()(inputs), Fixed()(inputs)])
    half, ones = model.predict(np.ones((2, 3), "float32"), verbose=0)
    assert np.array_equal(half, np.full((2, 3), 0.5)) and np.array_equal(ones, np.ones((1, 2)))


def test_layers_inside_one_that_tells_its_output_shape_have_weights_when_the_model_is_made(tmp_path):
    @pyml.saving.register_keras_serializable("others")
    class Inner(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 2)

    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, Inner()(inputs))
    assert [w.shape for w in model.weights] == [(3, 2), (2,)]
    model.save(tmp_path / "m.keras")
    x = np.arange(6, dtype="float32").reshape(2, 3)
    assert np.array_equal(pyml.models.load_model(tmp_path / "m.keras").predict(x, verbose=0), model.predict(x, verbose=0))

    class Host(Inner):
        def call(self, x):
            return self.dense(x) + float(np.asarray(x).sum())

    with pytest.warns(UserWarning, match="has layers without weights yet"):
        Host()(pyml.Input((3,)))


def test_the_layers_of_a_model_with_a_graph_are_those_that_it_calls():
    class Own(pyml.Model):
        def __init__(self):
            self.last, self.first, self.unused = layers.Dense(2, name="last"), layers.Dense(3, name="first"), layers.Dense(5, name="unused")
            inputs = pyml.Input((4,), name="x")
            super().__init__(inputs, self.last(self.first(inputs)))

    model = Own()
    assert [layer.name for layer in model.layers] == ["x", "first", "last"] and model.get_layer(index=-1).name == "last"
    assert [w.path for w in model.weights] == ["last/kernel", "last/bias", "first/kernel", "first/bias"]  # in the order of attributes


def test_a_build_of_ones_own_that_calls_the_models_does_not_call_it():
    class Two(pyml.Model):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            super().build(input_shape)

        def call(self, x, shift):
            return x * self.scale + shift

    model = Two()
    assert np.array_equal(model(np.ones((1, 2), "float32"), np.full((1, 2), 3.0, "float32")), [[4, 4]])
    assert [w.name for w in model.weights] == ["scale"]


def test_a_list_with_slices_is_a_key_of_several_axes():
    x = np.arange(24).reshape(2, 3, 4)
    for key in ([slice(None), 1], [..., None], [0, slice(1, None), 2], [[1, 0], slice(None), 3]):
        assert np.array_equal(pyml.ops.convert_to_tensor(x)[key], x[tuple(key)])
    assert np.array_equal(pyml.ops.convert_to_tensor(x)[[1, 0]], x[[1, 0]])


def model_of_text_and_numbers(evaluating=pyml.Model):
    """The features of a table, each without an axis of its own, as examples for tables have them."""
    color, age = pyml.Input((), name="color", dtype="string"), pyml.Input((), name="age")
    lookup = layers.StringLookup(vocabulary=["red", "blue"], output_mode="multi_hot", num_oov_indices=0, mask_token=None)
    encoded = layers.concatenate([lookup(ops.expand_dims(color, -1)), ops.expand_dims(age, -1)])
    model = evaluating({"color": color, "age": age}, layers.Dense(1, kernel_initializer="ones")(encoded))
    model.compile("sgd", "mse")
    return model


TABLE = {"color": np.array(["red", "blue", "red"], object), "age": np.array([1.0, 2.0, 3.0])}


def test_text_gets_an_axis_before_a_lookup(tmp_path):
    assert ops.expand_dims(np.array(["a", "b"]), -1).tolist() == [["a"], ["b"]]
    assert ops.cast(np.array(["a"]), "string").tolist() == ["a"]
    assert ops.concatenate([np.array(["a"]), ops.squeeze(np.array([["b"]]), 0)]).tolist() == ["a", "b"]
    assert ops.stack([ops.reshape(pyml.Input((), dtype="string"), (-1, 1))] * 2, axis=1).shape == (None, 2, 1)
    model = model_of_text_and_numbers()
    assert model.predict(TABLE, verbose=0).ravel().tolist() == [2.0, 3.0, 4.0]
    assert np.isfinite(model.fit(TABLE, np.ones(3), verbose=0).history["loss"])
    model.save(tmp_path / "m.keras")
    again = pyml.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(TABLE, verbose=0), model.predict(TABLE, verbose=0))


class Evaluating(pyml.Model):
    def evaluate(self, *args, **kwargs):
        self.evaluated = True
        return super().evaluate(*args, **kwargs)


def test_validation_goes_through_an_evaluate_of_ones_own_where_a_model_begins_with_text():
    model = model_of_text_and_numbers(Evaluating)
    history = model.fit(TABLE, np.array([2.0, 3.0, 4.0]), validation_data=(TABLE, np.zeros(3)), verbose=0).history
    assert model.evaluated and history == {"loss": [0.0], "val_loss": [pytest.approx(29 / 3)]}


class ForeignDataset:
    """As a dataset of TensorFlow gives its rows."""

    def as_numpy_iterator(self):
        return iter([{"color": color.encode(), "age": np.float32(age)} for color, age in zip(TABLE["color"], TABLE["age"], strict=True)])


def test_a_feature_space_adapts_to_a_dataset_of_tensorflow():
    space = pyml.utils.FeatureSpace({"color": "string_categorical", "age": "float_normalized"}, output_mode="dict")
    space.adapt(ForeignDataset())
    assert set(space.preprocessors["color"].get_vocabulary()[1:]) == {"red", "blue"}
    np.testing.assert_allclose(space.preprocessors["age"].mean.numpy().ravel(), [2.0])
    with pytest.raises(ValueError, match="can only be called on a Dataset"):
        space.adapt([1.0])


class OverEdges(pyml.Model):
    """A graph's edges are the model's, as examples for graphs have it: how many lead from a node decides shapes."""

    def __init__(self, edges, used):
        super().__init__()
        self.edges, self.used = ops.convert_to_tensor(edges), ops.convert_to_tensor(used)
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, x):
        of = self.edges[:, 0]
        each = ops.repeat(self.scale * x[0], ops.bincount(ops.cast(of, "int32")))  # as many as a node has edges
        picked = each[self.used]
        return ops.broadcast_to(ops.segment_sum(picked, of[self.used], num_segments=ops.max(of) + 1), (ops.shape(x)[0], 3))


def test_shapes_may_depend_on_values_that_a_model_has_from_the_start():
    model = OverEdges([[0, 1], [0, 2], [1, 2], [2, 0]], [True, True, False, True])
    model.compile("sgd", "mse")
    x = np.array([[1.0, 10.0, 100.0]] * 2, "float32")
    assert model.predict(x, verbose=0).tolist() == [[2.0, 0.0, 100.0]] * 2
    assert model.fit(x, np.zeros((2, 3)), verbose=0).history["loss"] == [pytest.approx(10004 / 3)]

    @pyml.program
    def of_inputs(x):
        return ops.bincount(x)

    with pytest.raises(pyml.errors.TraceError, match="the shape of its result depends on values"):
        of_inputs(np.array([1, 2]))


def test_models_that_begin_with_text_stand_in_models(tmp_path):
    def encoder(words, name):
        steps = [layers.StringLookup(vocabulary=words, mask_token=None, num_oov_indices=0, name="lookup"),
                 layers.Embedding(2, 3, embeddings_initializer="ones", name="vectors")]  # fmt: skip
        return pyml.Sequential(steps, name=name)

    user, film = pyml.Input((), name="user", dtype="string"), pyml.Input((), name="film", dtype="string")
    dot = layers.Dot(axes=1)([encoder(["ann", "bob"], "users")(user), encoder(["x", "y"], "films")(film)])
    model = pyml.Model([user, film], dot)
    model.compile("sgd", "mse")
    x = {"user": np.array(["ann", "bob"], object), "film": np.array(["y", "y"], object)}
    assert model.predict(x, verbose=0).ravel().tolist() == [3.0, 3.0]
    history = model.fit(x, np.array([3.0, 0.0]), verbose=0).history
    assert history["loss"] == [4.5]
    films, users = model.get_layer("films"), model.get_layer("users")
    assert len(model.layers) == 5 and len(model.get_weights()) == 2
    rows = users.get_weights()[0][[0, 1]] @ films.get_weights()[0][1]
    np.testing.assert_allclose(model.predict(x, verbose=0).ravel(), rows, rtol=1e-5)
    assert rows[0] < 3.0  # the film's vector, which both share, has moved
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(pyml.models.load_model(tmp_path / "m.keras").predict(x, verbose=0), model.predict(x, verbose=0))
    both = pyml.Model([user, film], layers.Subtract()([users(user), users(film)]))  # one model twice
    found = both.predict({"user": x["user"], "film": np.array(["bob", "bob"], object)}, verbose=0)
    np.testing.assert_allclose(found, [users.get_weights()[0][0] - users.get_weights()[0][1], [0] * 3], rtol=1e-5)


class InTurn(layers.Layer):
    """Lists that are filled in turn, beside attributes."""

    def __init__(self):
        super().__init__()
        self.convolutions, self.norms, self.nested = [], [], [[_named("o00")], [_named("o10")]]
        for i in range(2):
            setattr(self, f"c{i}", _named(f"c{i}"))
            self.convolutions.append(getattr(self, f"c{i}"))
            self.norms.append(_named(f"n{i}"))
        self.head = _named("head")
        self.nested[0].append(_named("o01"))
        later, first = _named("later"), _named("first")
        self.norms.extend([first, later])
        self.named = {"p": _named("p")}
        self.convolutions.append(_named("c2"))
        self.named["q"] = _named("q")


def _named(name):
    return layers.Dense(1, use_bias=False, name=name)


def test_weights_of_layers_in_lists_are_in_the_order_in_which_these_were_appended():
    """As `get_weights` of Keras gives them, and its `set_weights` takes them."""
    layer = InTurn()
    order = ["o00", "o10", "c0", "n0", "c1", "n1", "head", "o01", "first", "later", "p", "c2", "q"]
    assert [inner.name for inner in layer._flatten_layers(include_self=False)] == order
    for inner in layer._flatten_layers(include_self=False):
        inner.build((None, 1))
    layer.built = True
    layer.set_weights([[[float(i)]] for i in range(len(order))])
    assert {inner.name: inner.kernel.numpy().item() for inner in layer._flatten_layers(include_self=False)} == {
        name: float(i) for i, name in enumerate(order)
    }


def test_metrics_of_an_earlier_compile_may_be_given_to_the_next():
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(x, y, verbose=0)
    for _ in range(2):
        model.compile("adam", "mse", metrics=[metric for metric in model.metrics if metric.name != "loss"])
        assert list(model.fit(x, y, verbose=0).history) == ["loss", "mae"]
