"""Layers, symbolic graphs, configs and weights."""

import numpy as np
import pytest
from helpers import assert_same_weights, classifier

import pyml

L = pyml.layers


def test_average_pooling_counts_only_cells_inside_the_image():
    x = np.ones((1, 3, 3, 1), "float32")
    np.testing.assert_allclose(L.AveragePooling2D(2, 2, padding="same")(x).numpy(), np.ones((1, 2, 2, 1)))


def test_dropout_acts_only_while_training_and_differently_each_time():
    x = np.ones((50, 40), "float32")
    layer = L.Dropout(0.25, seed=1)
    np.testing.assert_array_equal(layer(x).numpy(), x)
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    assert (first != second).any()
    assert set(np.unique(first)) == {0.0, np.float32(1 / 0.75)}
    assert (first == 0).mean() == pytest.approx(0.25, abs=0.04)
    rows = L.Dropout(0.5, noise_shape=(None, 1), seed=2)(x, training=True).numpy()
    assert all(len(np.unique(row)) == 1 for row in rows)


def test_symbolic_shapes_of_custom_layers_and_ops_are_inferred():
    class Pairs(L.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones", name="scale")

        def call(self, inputs):
            x = inputs * self.scale
            return pyml.ops.concatenate([x, x], axis=-1), pyml.ops.sum(x, axis=1)

    x = pyml.Input((5, 4))
    both, total = Pairs()(x)
    assert both.shape == (None, 5, 8)
    assert total.shape == (None, 4)
    y = pyml.ops.reshape(both[:, 0] * 2.0 + 1.0, (-1, 2, 4))
    assert y.shape == (None, 2, 4)
    model = pyml.Model(x, [y, total])
    data = np.random.default_rng(0).standard_normal((3, 5, 4)).astype("float32")
    out = model(data)
    np.testing.assert_allclose(out[0].numpy(), (np.concatenate([data, data], -1)[:, 0] * 2 + 1).reshape(3, 2, 4), rtol=1e-5)
    np.testing.assert_allclose(out[1].numpy(), data.sum(1), rtol=1e-5)


def test_inferring_shapes_leaves_random_states_and_weights_alone():
    layer = L.Dropout(0.5, seed=3)
    before = layer.seed_generator.state.numpy()

    class Wrapped(L.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layer

        def call(self, inputs, training=None):
            return self.inner(inputs, training=True)

    assert Wrapped()(pyml.Input((4,))).shape == (None, 4)
    np.testing.assert_array_equal(layer.seed_generator.state.numpy(), before)


def test_shared_layers_have_one_set_of_weights():
    shared = L.Dense(3)
    a, b = pyml.Input((4,)), pyml.Input((4,))
    model = pyml.Model([a, b], L.Subtract()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    x = np.ones((2, 4), "float32")
    np.testing.assert_allclose(model([x, x]).numpy(), np.zeros((2, 3)), atol=1e-6)


def test_trainable_reaches_inner_layers_and_freezes_their_weights():
    model = classifier()
    model.layers[0].trainable = False
    assert [w.path for w in model.trainable_weights] == [w.path for w in model.layers[2].weights]
    frozen = model.layers[0].get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((8, 6)), np.zeros(8), verbose=0)
    np.testing.assert_array_equal(frozen[0], model.layers[0].get_weights()[0])
    model.trainable = False
    assert model.trainable_weights == []


def test_sequential_grows_shrinks_and_builds_on_first_data():
    model = pyml.Sequential()
    model.add(L.Dense(4))
    model.add(L.Dense(2))
    assert not model.built
    assert model(np.ones((3, 5))).shape == (3, 2)
    assert model.output_shape == (None, 2)
    model.pop()
    model.add(L.Dense(7, name="last"))
    assert model(np.ones((3, 5))).shape == (3, 7)
    assert model.get_layer("last").units == 7
    assert model.get_layer(index=0).units == 4
    with pytest.raises(ValueError, match="No such layer: nothing"):
        model.get_layer("nothing")


def test_models_inside_models():
    inner = pyml.Sequential([pyml.Input((4,)), L.Dense(3, activation="relu")])
    x = pyml.Input((4,))
    model = pyml.Model(x, L.Dense(2)(inner(x)))
    assert model.output_shape == (None, 2)
    assert len(model.weights) == 4
    assert model.layers[1] is inner


def test_configs_make_equal_models():
    a, b = pyml.Input((4,), name="a"), pyml.Input((3,), name="b")
    shared = L.Dense(3, activation="relu")
    functional = pyml.Model([a, b], [L.Add()([L.Dense(3)(a), shared(b)]), shared(b)])
    sequential = classifier()
    for model in (functional, sequential):
        twin = pyml.models.clone_model(model)
        twin.set_weights(model.get_weights())
        x = [np.ones((2, *t.shape[1:]), "float32") for t in model.inputs]
        for mine, other in zip(np.atleast_1d(model.predict(x, verbose=0)), np.atleast_1d(twin.predict(x, verbose=0)),
                               strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-6)
        assert pyml.models.model_from_json(model.to_json()).get_config() == model.get_config()


def test_weights_on_disk(tmp_path):
    model, other = classifier(seed=1), classifier(seed=2)
    path = tmp_path / "weights.npz"
    model.save_weights(path)
    other.load_weights(path)
    assert_same_weights(model, other)
    with pytest.raises(FileExistsError):
        model.save_weights(path, overwrite=False)
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        model.save_weights(tmp_path / "weights.h5")


def test_constraints_hold_after_each_update():
    model = pyml.Sequential([pyml.Input((4,)), L.Dense(3, kernel_constraint="non_neg")])
    model.compile(pyml.optimizers.SGD(1.0), "mse")
    model.fit(np.ones((8, 4)), -np.ones((8, 3)), epochs=3, verbose=0)
    assert model.layers[0].kernel.numpy().min() >= 0


class _Inner(L.Layer):
    """A layer that has another one under the name that it is given."""

    def __init__(self, attribute, **kwargs):
        super().__init__(**kwargs)
        self.attribute = attribute
        setattr(self, attribute, [L.Dense(2)])

    def build(self, input_shape):
        getattr(self, self.attribute)[0].build(input_shape)

    def call(self, inputs):
        return getattr(self, self.attribute)[0](inputs)


def test_layers_of_ones_own_may_have_names_that_models_use_for_theirs(tmp_path):
    """As in networks of graphs: weights of what was called `_graph...` were never trained, those in a `_stack` were not in files."""
    x = np.ones((1, 2))
    names = (
        "_graph_conv", "_graph", "_graph_layers", "_graph_calls", "_stack", "_base", "_forget", "_track", "_load", "_layers", "_dtype",
        "_children", "_since",
    )  # fmt: skip
    model = pyml.Sequential([pyml.Input((2,)), *(_Inner(name) for name in names)])
    assert len(model.trainable_weights) == 2 * len(names)
    model.save(tmp_path / "own.keras")
    again = pyml.models.load_model(tmp_path / "own.keras", {"_Inner": _Inner})
    assert model.predict(x, verbose=0).tolist() == again.predict(x, verbose=0).tolist()
    for name in ("_constructor", "_signature"):
        with pytest.raises(AttributeError, match=f"every layer has a '{name}' of its own; give your attribute another name"):
            _Inner(name)


@pytest.mark.parametrize("name", [
    "_steps", "_graph", "_indices", "_ready", "_running", "_kept", "_scaled", "_trained", "_mode", "_outputs", "_prepare", "_convert",
    "_layers", "_dtype", "_listed", "_children", "_type_name", "_inputs_struct", "_outputs_struct", "_own_policy", "_rounds", "_made",
    "_on_batch", "_standardized", "_own_metrics",
])  # fmt: skip
def test_a_model_of_ones_own_may_keep_what_it_likes_under_short_names(name):
    """As the steps of a diffusion model, or the edges of a graph: `compile` and `fit` took these for what they keep themselves."""

    class Own(pyml.Model):
        def __init__(self):
            super().__init__()
            setattr(self, name, np.eye(2, dtype="float32"))
            self.dense = L.Dense(1)

        def call(self, inputs):
            return self.dense(inputs @ getattr(self, name))

    model = Own()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.summary(print_fn=lambda text: None)
    assert model.predict(np.ones((1, 2)), verbose=0).shape == (1, 1) and getattr(model, name).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(("kind", "arguments", "names"), [
    (L.LSTMCell, (2,), ("gates", "step", "project", "whole", "dropped", "product", "in_parts")),
    (L.MultiHeadAttention, (1, 2), ("_mask", "_project", "_mixed")),
    (L.Dense, (2,), ("_strength", "_weight", "_sublayers", "_own_policy", "_rounds")),
])  # fmt: skip
def test_subclasses_of_layers_may_keep_what_they_like_under_short_names(kind, arguments, names, cpu):
    own, usual = type("Own", (kind,), {})(*arguments), kind(*arguments)
    for name in names:
        setattr(own, name, (4, 2))
    x = np.ones((1, 3, 2), "float32")
    called = [pyml.Sequential([L.RNN(layer)]) if kind is L.LSTMCell else layer for layer in (own, usual)]
    inputs = (x, x) if kind is L.MultiHeadAttention else (x,)
    _ = called[0](*inputs), called[1](*inputs)
    own.set_weights(usual.get_weights())
    np.testing.assert_allclose(called[0](*inputs).numpy(), called[1](*inputs).numpy(), atol=1e-6)
    assert all(getattr(own, name) == (4, 2) for name in names)


def test_the_call_of_a_model_tells_its_layers_of_training_by_itself_too():
    x, i = np.ones((1, 64)), pyml.Input((64,))
    for model in (pyml.Model(i, L.Dropout(0.5)(i)), pyml.Sequential([i, L.Dropout(0.5)])):
        assert [bool((model.call(pyml.ops.ones((1, 64)), training=told) == 0).numpy().any()) for told in (True, False, None)] == [1, 0, 0]
        outer = type("Outer", (pyml.Model,), {"call": lambda self, x, training=None, inner=model: inner.call(x, training=False)})()
        assert outer(x, training=True).numpy().all()
    twice = type("Twice", (pyml.Sequential,), {"call": lambda self, x, training=None: super(twice, self).call(2 * x, training=True)})
    assert set(twice([i, L.Dropout(0.5)])(x).numpy().ravel().tolist()) == {0.0, 4.0}


def test_training_reaches_inner_layers_through_any_call():
    seen = []

    class Look(L.Layer):
        def call(self, inputs, training=None):
            seen.append(training)
            return inputs

    class Outer(L.Layer):
        def __init__(self):
            super().__init__()
            self.look = Look()

        def call(self, inputs):
            return self.look(inputs)

    layer = Outer()
    layer(np.ones(2), training=True)
    layer(np.ones(2))
    pyml.Sequential([pyml.Input((2,)), Look()])(np.ones((1, 2)), training=False)
    assert seen[:2] == [True, None]
    assert seen[-1] is False


@pytest.mark.parametrize(("name", "low", "high", "deviation"), [
    ("glorot_uniform", -0.1937, 0.1937, 0.1118), ("he_normal", -0.33, 0.33, 0.1443),
    ("lecun_normal", -0.24, 0.24, 0.1021), ("random_normal", -1, 1, 0.05), ("random_uniform", -0.05, 0.05, 0.0289),
    ("truncated_normal", -0.1, 0.1, 0.044), ("orthogonal", -1, 1, 0.102),
])
def test_spread_of_random_initializers(name, low, high, deviation):
    values = pyml.initializers.get(name)((96, 64)).numpy()
    assert low <= values.min() < values.max() <= high
    assert values.std() == pytest.approx(deviation, rel=0.06)
    assert values.mean() == pytest.approx(0, abs=0.006)


def test_initializers_repeat_with_their_seed():
    one = pyml.initializers.HeNormal(seed=5)
    np.testing.assert_array_equal(one((3, 4)).numpy(), pyml.initializers.HeNormal(seed=5)((3, 4)).numpy())
    pyml.utils.set_random_seed(1)
    a = L.Dense(3)
    a.build((None, 2))
    pyml.utils.set_random_seed(1)
    b = L.Dense(3)
    b.build((None, 2))
    np.testing.assert_array_equal(a.kernel.numpy(), b.kernel.numpy())
    assert (a.kernel.numpy() != 0).all()


def test_q_of_orthogonal_is_orthogonal():
    q = pyml.initializers.Orthogonal()((4, 6)).numpy()
    np.testing.assert_allclose(q @ q.T, np.eye(4), atol=1e-5)


def test_variables_and_layers_in_lists_and_dicts_are_weights_and_replaced_ones_are_not():
    class Holder(L.Layer):
        def __init__(self):
            super().__init__()
            self.bank = [pyml.Variable([1.0], name="a")]
            self.parts = {"x": [L.Dense(2)], "y": L.Dense(1, use_bias=False), 3: None, None: "keys of any kind"}
            self.own = pyml.Variable([2.0], name="b")
            self.own = pyml.Variable([3.0], name="c")
            self.still = pyml.Variable([0.0], name="still", trainable=False)

        def call(self, inputs):
            return self.parts["y"](self.parts["x"][0](inputs)) + self.bank[0] + self.own

    layer = Holder()
    layer(np.ones((1, 2)))
    assert [w.name for w in layer.weights] == ["a", "c", "still", "kernel", "bias", "kernel"]
    layer.bank.append(pyml.Variable([1.0], name="later"))
    assert [w.name for w in layer.weights] == ["a", "c", "later", "still", "kernel", "bias", "kernel"]   # as Keras writes them to files
    layer.own.trainable = False
    del layer.bank[0]
    assert [w.name for w in layer.weights] == ["c", "later", "still", "kernel", "bias", "kernel"]


def test_losses_of_the_last_call_do_not_keep_a_trace():
    model = pyml.Sequential([pyml.Input((2,)), L.Dense(1, activity_regularizer="l2", kernel_regularizer="l2")])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert [loss.numpy() >= 0 for loss in model.losses] == [True]
    model(np.ones((4, 2)))
    assert len(model.losses) == 2


def test_layers_may_be_attributes_before_super_is_called():
    class Early(L.Layer):
        def __init__(self, dense):
            self.dense, self.more = dense, [L.Dense(2)]
            super().__init__()

        def call(self, x):
            return self.more[0](x @ pyml.ops.transpose(self.dense.kernel))

    dense = L.Dense(3)
    dense.build((None, 4))
    early = Early(dense)
    assert early(np.ones((1, 3))).shape == (1, 2)
    assert [w.shape for w in early.weights] == [(4, 3), (3,), (4, 2), (2,)]


def test_a_subclass_of_a_convolution_changes_its_kernel_in_convolution_op():
    class Standardized(L.Conv1D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, kernel - pyml.ops.mean(kernel)) * 2.0

    layer, x = Standardized(3, 2, padding="causal", bias_initializer="ones"), np.arange(12, dtype="float32").reshape(1, 6, 2)
    layer.build(x.shape)
    kernel = layer.kernel.numpy()
    shifted = np.concatenate([np.zeros((1, 1, 2)), x[:, :-1]], 1)
    wanted = 2 * (shifted @ (kernel - kernel.mean())[0] + x @ (kernel - kernel.mean())[1]) + 1
    np.testing.assert_allclose(layer(x), wanted, rtol=1e-4, atol=1e-4)


def test_an_activation_may_be_taken_away():
    """`layer.activation = None` gives the bare sum, as in Keras; the config has it."""
    x = np.linspace(-1, 1, 12, dtype="float32").reshape(2, 2, 3)
    for made in (pyml.layers.Dense(2, activation="relu"), pyml.layers.Conv1D(2, 1, activation="relu")):
        made(x)
        made.activation = None
        kernel = made.kernel.numpy().reshape(3, 2)
        np.testing.assert_allclose(made(x).numpy(), x @ kernel, atol=1e-6)
        assert made.get_config()["activation"] in (None, "linear")


def test_a_weights_first_argument_is_its_shape():
    layer = pyml.layers.Layer(name="own")
    assert layer.add_weight((2, 3), "ones", "int32").dtype == "int32"
    given = {"dtype": "float16", "trainable": False, "autocast": False, "regularizer": "l2", "constraint": "non_neg", "name": "own"}
    variable = pyml.layers.Layer().add_variable((2,), "ones", **given)
    assert [getattr(variable, name) for name in ("dtype", "trainable", "autocast", "name")] == ["float16", False, False, "own"]
    assert type(variable.regularizer).__name__ == "L2" and type(variable.constraint).__name__ == "NonNeg"
    for wrong, error, message in (
        (lambda: layer.add_weight("kernel"), ValueError, "must be passed as a keyword argument"),
        (lambda: layer.add_weight("kernel", shape=(2, 3)), ValueError, "must be passed as a keyword argument"),
        (lambda: layer.add_weight((2, 3), shape=(2, 3)), ValueError, "'shape' was given by place and by name"),
        (lambda: layer.add_weight((2, 3), "ones", "float32", "kernel"), TypeError, "at most 3 arguments by place"),
    ):
        with pytest.raises(error, match=message):
            wrong()
    layer._untrack_variable(layer.weights[0])
    assert layer.weights == []


class Twins(pyml.layers.Layer):
    """Takes a pair and a tensor, with masks, draws from generators in a list, and builds by the names of its inputs."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.draws = [pyml.random.SeedGenerator(1), pyml.random.SeedGenerator(10)]
        self.policies.append(kwargs.get("dtype"))

    policies: list = []

    def build(self, pair_shape, other_shape):
        self.shapes = pair_shape, other_shape

    def call(self, pair, other, pair_mask=None):
        assert pair_mask is None or isinstance(pair_mask, type(pair))
        return pair[0] + other + sum(pyml.random.normal((), seed=draw) for draw in self.draws)


def test_inputs_of_a_layer_keep_their_structure_in_masks_and_its_generators_count(cpu):
    layer, x = Twins(activity_regularizer="l2"), np.ones((2, 3), "float32")
    layer((pyml.layers.Masking()(np.ones((2, 3, 1), "float32"))[..., 0], x), x)
    assert layer.shapes == (((2, 3), (2, 3)), (2, 3)) and len(layer.losses) == 1
    assert [v.numpy().tolist() for v in layer.variables] == [[1, 1], [10, 1]]
    masked = pyml.layers.Masking()(np.ones((2, 3, 3), "float32"))
    layer((masked, x), np.ones((2, 3, 3), "float32"))
    layer([masked, x], np.ones((2, 3, 3), "float32"))
    symbolic = pyml.Input((3,))
    layer((symbolic, symbolic), symbolic)
    assert layer.losses == []                                     # those of tensors without values are none
    Twins.policies.clear()
    Twins.from_config(Twins(dtype="mixed_bfloat16").get_config())
    assert Twins.policies == ["mixed_bfloat16", "mixed_bfloat16"]


class OtherNames(Twins):
    def build(self, pair_shape, third_shape):
        pass


class NoShape(Twins):
    def build(self, pair_shape, other):
        pass


class NoCall(pyml.layers.Layer):
    pass


@pytest.mark.parametrize(("error", "call", "message"), [
    (ValueError, lambda x: OtherNames()((x, x), x), "argument 'third_shape'"),
    (ValueError, lambda x: NoShape()((x, x), x), "does not end in `_shape`"),
    (ValueError, lambda x: pyml.layers.Dropout(0.5)(x, True), "only tensors may be passed as positional"),
    (ValueError, lambda x: pyml.layers.BatchNormalization()([x, x]), r"one tensor, and it was called with a list of 2, of shapes \(2, 3\)"),
    (ValueError, lambda x: pyml.layers.GRUCell(2)([x, x, x], [x]), "takes one tensor, and it was called with a list of 3"),
    (ValueError, lambda x: pyml.layers.GroupNormalization(1)([pyml.Input((3,))] * 2), "it was called with a list of 2"),
    (NotImplementedError, lambda x: NoCall().compute_output_shape((2, 3)), "must define call"),
    (NotImplementedError, lambda x: NoCall().quantized_build((2, 3), "int8"), "quantized_build"),
    (ValueError, lambda x: pyml.layers.Dense(2, trainable=1), "trainable must be True or False"),
    (ValueError, lambda x: pyml.layers.Softmax()(x[:1], mask=np.ones((2, 3))), "must broadcast to the inputs"),
    (ValueError, lambda x: pyml.layers.Softmax()(x, mask=np.ones((1, 2, 3))), "must broadcast to the inputs"),
    (ValueError, lambda x: pyml.layers.Dropout(0.5, noise_shape=(2, 0)), "positive integers or None"),
    (ValueError, lambda x: pyml.layers.Dropout(0.5, noise_shape="2"), "positive integers or None"),
    (ValueError, lambda x: pyml.layers.Reshape((-2, 3)), "must be -1 or not negative"),
    (ValueError, lambda x: pyml.layers.Cropping1D((1,)), "an integer or a pair of them"),
    (ValueError, lambda x: pyml.Input(batch_size=2, batch_shape=(2, 3)), "batch_size or batch_shape, not both"),
    (ValueError, lambda x: pyml.Input(tensor=x), "must be a symbolic one"),
    (ValueError, lambda x: pyml.Input((4,), tensor=pyml.KerasTensor((2, 3))), "shape does not fit the tensor"),
    (ValueError, lambda x: pyml.Input(batch_size=3, tensor=pyml.KerasTensor((2, 3))), "batch_size does not fit"),
    (ValueError, lambda x: pyml.Input(dtype="int32", tensor=pyml.KerasTensor((2, 3))), "dtype does not fit"),
    (ValueError, lambda x: pyml.Input(dtype="float16", tensor=pyml.KerasTensor((2, 3))), "dtype does not fit"),
])
def test_what_layers_cannot_do_with_is_refused_as_keras_does(error, call, message):
    with pytest.raises(error, match=message):
        call(np.ones((2, 3), "float32"))


def test_a_symbolic_tensor_becomes_an_input_and_a_policy_of_a_path_is_set_again():
    given = pyml.KerasTensor((2, 3))
    assert pyml.Input(tensor=given) is given and pyml.Model(given, pyml.ops.tanh(given)).output_shape == (2, 3)
    layer = pyml.layers.Dense(2, dtype=pyml.dtype_policies.DTypePolicyMap())
    layer.build((None, 1))
    for name in ("mixed_bfloat16", "mixed_float16"):
        layer.dtype_policy = name
        assert layer.compute_dtype == name[6:]
    call = pyml.layers.Dense(2).call
    assert pyml.layers.Dense(2).rematerialized_call(call) is call
    with pyml.RematScope("full"):
        layer = pyml.layers.Dense(2)
    layer.build((None, 3))
    again = layer.rematerialized_call(layer.call)
    assert again is not layer.call and again(pyml.ops.ones((1, 3))).shape == (1, 2)


def test_a_mask_is_computed_of_inputs_alone():
    ids = np.array([[0, 1], [2, 0]])
    assert pyml.layers.Embedding(4, 2, mask_zero=True).compute_mask(ids).numpy().tolist() == [[False, True], [True, False]]
    assert pyml.layers.Embedding(4, 2).compute_mask(ids) is None
    assert pyml.layers.Dense(2).compute_mask(ids) is None


def test_a_layer_without_weights_is_built_when_it_is_made():
    L = pyml.layers
    for made in (L.ReLU(), L.MaxPooling2D(), L.GlobalAveragePooling2D(), L.Activation("tanh"), L.Softmax(), L.Masking(), L.Reshape((2,)),
                 L.Flatten(), L.RandomFlip()):
        assert made.built, made
    assert not L.Dense(2).built
    assert not type("Own", (L.Layer,), {"call": lambda self, x: x})().built      # a user's layer when it is called


class OwnBuild(pyml.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1],), name="w", initializer="normal")

    def call(self, x):
        return x * self.w


class BuildsInside(pyml.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.last = OwnBuild(), pyml.layers.Dense(1)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.last.build(input_shape)
        self.k = self.add_weight(shape=(1,), name="k", initializer="normal")

    def call(self, x):
        return self.last(self.inner(x)) + self.k


def test_a_build_of_ones_own_that_is_called_directly_makes_the_weights_once(cpu):
    layer = OwnBuild()
    layer.build((None, 3))
    weight = layer.w
    assert layer.built and layer.get_build_config() == {"input_shape": (None, 3)}
    layer(np.ones((2, 3), "float32"))
    assert layer.w is weight and len(layer.weights) == 1


def test_a_model_that_builds_its_layers_is_kept_again_and_again(cpu, tmp_path):
    model, x = BuildsInside(), np.ones((2, 3), "float32")
    want = model.predict(x, verbose=0)
    for _ in range(3):
        model.save(tmp_path / "model.keras")
        model = pyml.saving.load_model(tmp_path / "model.keras", custom_objects={"BuildsInside": BuildsInside})
        np.testing.assert_allclose(model(x), want, atol=1e-6)


def test_a_sequential_takes_other_sizes_than_its_input_where_its_layers_do():
    net = pyml.Sequential([pyml.Input((8, 8, 1)), L.Conv2D(2, 3), L.GlobalAveragePooling2D()])
    larger = np.random.default_rng(0).random((2, 11, 9, 1)).astype("float32")
    wanted = np.asarray(L.GlobalAveragePooling2D()(net.layers[0](larger)))
    np.testing.assert_allclose(net.predict(larger, verbose=0), wanted, rtol=1e-5)
    net.compile("sgd", "mse")
    assert len(net.fit(larger, wanted, verbose=0).history["loss"]) == 1
    flat = pyml.Sequential([pyml.Input((8, 8, 1)), L.Flatten(), L.Dense(2)])
    for model, given in ((flat, larger), (net, np.ones((2, 1, 1, 1))), (net, np.ones((2, 8)))):
        with pytest.raises(pyml.errors.ShapeError, match=r"wrong shape: expected \(None, 8, 8, 1\)"):
            model.predict(given, verbose=0)


def test_a_sequential_that_lost_a_layer_takes_sizes_that_this_one_refused():
    model = pyml.Sequential([pyml.Input((8, 8, 1)), L.Conv2D(2, 3), L.Flatten(), L.Dense(3)])
    larger = np.ones((1, 10, 10, 1))
    with pytest.raises(pyml.errors.ShapeError, match="wrong shape"):
        model.predict(larger, verbose=0)
    model.pop()
    model.pop()
    assert model.predict(larger, verbose=0).shape == (1, 8, 8, 2)
    model.add(L.Flatten())
    model.add(L.Dense(2))
    with pytest.raises(pyml.errors.ShapeError, match="wrong shape"):
        model.predict(larger, verbose=0)


def test_a_sequential_without_layers_has_none_to_remove():
    with pytest.raises(IndexError, match="pop: Sequential 'empty' has no layers"):
        pyml.Sequential(name="empty").pop()


def test_layers_are_found_by_index_from_both_ends_and_no_further():
    model = pyml.Sequential([pyml.Input((4,)), L.Dense(3), L.Dense(2)])
    assert model.get_layer(index=-2) is model.layers[0]
    for index in (2, -3):
        with pytest.raises(ValueError, match=f"index {index} is out of range; the model has 2 layers"):
            model.get_layer(index=index)


class OwnStep(pyml.Model):
    """As in Keras' guides: a step of its own, and the graph is given."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.count = 0


class Scaled(pyml.Model):
    def __init__(self, inputs, outputs, scale, initializer=None, **kwargs):
        super().__init__(inputs, outputs, **kwargs)
        self.scale, self.initializer = scale, initializer


class OwnGraph(pyml.Model):
    def __init__(self, units, **kwargs):
        x = pyml.Input((4,))
        last = L.Dense(units)
        super().__init__(x, last(x), **kwargs)
        self.last = last


OWN_MODELS = {cls.__name__: cls for cls in (OwnStep, Scaled, OwnGraph)}


def _own_models():
    x = pyml.Input((4,))
    y = L.Dense(2)(x)
    return [OwnStep(x, y), OwnStep(inputs=x, outputs=y, name="named", trainable=False), OwnGraph(3),
            Scaled(x, y, 2.5, initializer=pyml.initializers.Constant(3.0))]  # fmt: skip


@pytest.mark.parametrize("place", range(4))
def test_users_models_of_a_graph_come_back_from_files_and_clones_as_they_were(cpu, tmp_path, place):
    model = _own_models()[place]
    model.compile("adam", "mse")
    x = np.arange(8.0).reshape(2, 4)
    model.fit(x, np.zeros((2, model.output_shape[-1])), verbose=0)
    with pyml.saving.custom_object_scope(OWN_MODELS):
        model.save(tmp_path / "own.keras")
        loaded, cloned = pyml.models.load_model(tmp_path / "own.keras"), pyml.models.clone_model(model)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert [v.numpy().tolist() for v in loaded.optimizer.variables] == [v.numpy().tolist() for v in model.optimizer.variables]
    for other in (loaded, cloned):
        assert type(other) is type(model) and other.name == model.name and other.trainable == model.trainable
        if place == 3:
            assert other.scale == 2.5 and other.initializer.value == 3.0


def test_users_models_within_a_graph_count_their_calls_as_keras_does(cpu, tmp_path):
    x = pyml.Input((4,))
    inner = OwnStep(x, L.Dense(3)(x), name="inner")
    y = pyml.Input((4,))
    outer = OwnStep(y, [L.Dense(2)(inner(y)), inner(y)], name="outer")
    assert outer.get_config()["output_layers"][1] == ["inner", 2, 0]  # the call 0 is its own graph there
    with pyml.saving.custom_object_scope(OWN_MODELS):
        outer.save(tmp_path / "outer.keras")
        loaded = pyml.models.load_model(tmp_path / "outer.keras")
    for a, b in zip(loaded(np.ones((1, 4))), outer(np.ones((1, 4))), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_weights_of_a_model_that_makes_its_graph_lie_in_files_where_keras_puts_them():
    from pyml.saving.keras.state import walk

    paths = [path for path, item in walk(OwnGraph(3))]
    assert "layers/dense" in paths and "last" not in paths


def test_a_clone_of_a_model_that_makes_its_graph_is_functional_where_something_is_changed():
    made = pyml.models.clone_model(OwnGraph(3), input_tensors=pyml.Input((4,)))
    assert type(made) is pyml.models.Functional and made.output_shape == (None, 3)


def test_shapes_of_several_inputs_and_outputs_are_flat_lists():
    x, y = pyml.Input((4,)), pyml.Input((4,))
    model = pyml.Model({"a": x, "b": y}, (L.Dense(2)(x), L.Dense(3)(y)))
    assert model.input_shape == [(None, 4), (None, 4)] and model.output_shape == [(None, 2), (None, 3)]
    assert pyml.Model([x], [L.Dense(2)(x)]).output_shape == (None, 2)
    assert model.compute_output_shape({"a": (None, 4), "b": (None, 4)}) == ((None, 2), (None, 3))


@pytest.mark.parametrize(("base", "given"), [(L.Dropout, (0.5,)), (L.Rescaling, (1.0,)), (L.RandomFlip, ()),
                                             (L.CategoryEncoding, (3,))], ids=lambda x: getattr(x, "__name__", ""))
def test_the_build_of_a_subclass_is_called_though_its_base_has_nothing_to_build(base, given):
    class Scaled(base):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, inputs, training=False):
            return inputs * self.scale

    assert base(*given).built
    layer = Scaled(*given)
    assert not layer.built
    assert np.array_equal(layer(np.ones((1, 4, 4, 3), "float32")), np.ones((1, 4, 4, 3)))
    assert [weight.name for weight in layer.weights] == ["scale"] and layer.built


def test_a_model_that_begins_within_another_has_none_of_the_layers_before(cpu, tmp_path):
    x = pyml.Input((2,))
    middle = L.Dense(3, name="first")(x)
    last = L.Dense(4, name="second", activation="relu")(middle)
    side = pyml.Input((3,), name="side")
    data = np.random.default_rng(0).normal(size=(5, 3)).astype("f4")
    kernel, bias = (np.random.default_rng(n).normal(size=shape) for n, shape in ((1, (3, 4)), (2, (4,))))
    part, two = pyml.Model(middle, last), pyml.Model([middle, side], [middle + side, last])
    part.set_weights([kernel, bias])
    assert [type(layer).__name__ for layer in part.layers] == ["InputLayer", "Dense"] and part.count_params() == 16
    assert [layer.name for layer in two.layers if isinstance(layer, L.Dense)] == ["second"]
    wanted = np.maximum(data @ kernel + bias, 0)
    part.save(tmp_path / "part.keras")
    for model in (part, pyml.models.load_model(tmp_path / "part.keras")):
        np.testing.assert_allclose(model.predict(data, verbose=0), wanted, rtol=1e-5)
    summed, second = two.predict([data, data], verbose=0)
    np.testing.assert_allclose(summed, 2 * data, rtol=1e-6)
    np.testing.assert_allclose(second, wanted, rtol=1e-5)
    assert pyml.Model(x, last).get_layer("second").output is last        # the first graph is as it was


def test_a_list_is_refused_where_the_order_of_a_dicts_inputs_is_not_that_of_its_keys(cpu):
    b, a = pyml.Input((2,), name="b"), pyml.Input((2,), name="a")
    one, zero = np.ones((1, 2), "f4"), np.zeros((1, 2), "f4")
    difference = L.Subtract()([b, a])
    model = pyml.Model({"b": b, "a": a}, difference)
    np.testing.assert_array_equal(model({"a": zero, "b": one}).numpy(), [[1, 1]])
    for call in (model, lambda x: model.predict(x, verbose=0)):
        with pytest.raises(ValueError, match="which is which"):
            call([one, zero])
    with pytest.warns(UserWarning, match="no input 'c'"):
        model({"a": zero, "b": one, "c": one})
    with pytest.warns(UserWarning, match="in this order"):
        np.testing.assert_array_equal(pyml.Model({"a": a, "b": b}, difference)([zero, one]).numpy(), [[1, 1]])
    with pytest.raises(ValueError, match="nested as the inputs"):
        pyml.models.clone_model(model, input_tensors=(b, a))


@pytest.mark.parametrize("change", [lambda model: model.add(L.Dense(5, name="three")), lambda model: model.pop()])
@pytest.mark.parametrize("part", [lambda model: pyml.Model(model.inputs, model.layers[0].output),
                                  lambda model: pyml.Model(model.layers[0].output, model.output)])  # fmt: skip
@pytest.mark.parametrize("first", [[pyml.Input((4,))], []])
def test_a_model_of_a_sequentials_tensors_is_kept_when_the_sequential_changes(change, part, first, tmp_path):
    model = pyml.Sequential([*first, L.Dense(3, name="one"), L.Dense(2, name="two")])
    model.build((None, 4))
    of_it = part(model)
    change(model)
    model.build((None, 4))
    x = np.ones((2, of_it.input_shape[-1]), "f4")
    of_it.save(tmp_path / "part.keras")
    np.testing.assert_array_equal(pyml.models.load_model(tmp_path / "part.keras")(x).numpy(), of_it(x).numpy())
    assert pyml.Model(model.inputs, model.layers[0].output).output_shape == (None, 3)
    assert model(np.ones((2, 4))).shape[-1] == model.layers[-1].units
    if len(model.layers) > 1:
        assert pyml.Model(model.layers[0].output, model.output).output_shape == model.output_shape


def test_a_sequential_is_built_by_a_model_that_stands_first_and_refuses_other_shapes():
    x = pyml.Input((3,))
    model = pyml.Sequential([pyml.Model(x, L.Dense(2)(x)), L.Dense(1)])
    assert model.built and model.output_shape == (None, 1) and len(model.weights) == 4
    with pytest.raises(ValueError, match="cannot be built for another"):
        pyml.Sequential([pyml.Input((2,), batch_size=3), L.Dense(2)]).build((3, 4))


@pytest.mark.parametrize("nest", [lambda a, b: {"a": a, "b": b}, lambda a, b: [a, b]])
def test_a_sequential_takes_nested_inputs(cpu, nest):
    def added(parts):
        first, second = parts.values() if isinstance(parts, dict) else parts
        return first + 2 * second

    model = pyml.Sequential([L.Lambda(added), L.Dense(1, kernel_initializer="ones")])
    one = np.ones((4, 3), "f4")
    np.testing.assert_array_equal(model(nest(one, one)).numpy(), np.full((4, 1), 9))
    model.compile("sgd", "mse")
    model.fit(nest(one, one), np.full((4, 1), 9.0), verbose=0)
    np.testing.assert_array_equal(model.predict(nest(one, one), verbose=0), np.full((4, 1), 9))


def test_a_sequential_calls_layers_that_know_no_shapes_and_names_those_of_another_number_of_inputs():
    class NoShapes(L.Layer):
        def call(self, inputs):
            return inputs + 1

        def compute_output_spec(self, *args, **kwargs):
            raise NotImplementedError

    class Two(L.Layer):
        def call(self, inputs, other):
            return inputs

    np.testing.assert_array_equal(pyml.Sequential([NoShapes()])(np.ones((1, 2))).numpy(), [[2, 2]])
    model = pyml.Sequential([Two()])
    with pytest.raises(ValueError, match="needs inputs, other"):
        model.build((None, 2))


def test_a_model_without_a_graph_has_no_inputs_and_may_call_something_of_its_own_so():
    class Own(pyml.Model):
        def __init__(self):
            super().__init__()
            self.input_shape = self.outputs = 3

    for name in ("inputs", "outputs", "input_shape", "output_shape", "output_names"):
        assert not hasattr(pyml.Sequential(), name)
    assert Own().input_shape == Own().outputs == 3 and not hasattr(Own(), "inputs")


def test_an_optional_input_is_left_out_while_training(cpu):
    class Sum(L.Layer):
        def call(self, x, other=None):
            return x if other is None else x + other

        def compute_output_shape(self, x, other=None):
            return x

    x, other = pyml.Input((2,), name="x"), pyml.Input((2,), name="other", optional=True)
    model = pyml.Model({"x": x, "other": other}, L.Dense(2)(Sum()(x, other)))
    model.compile("sgd", "mse")
    one = np.ones((2, 2), "f4")
    history = model.fit({"x": one, "other": None}, one, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert np.isfinite(model.evaluate({"x": one, "other": None}, one, verbose=0))


def test_a_layer_of_a_built_model_is_not_replaced_behind_its_programs(cpu):
    class Two(pyml.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = pyml.layers.Dense(4), pyml.layers.Dense(1)

        def call(self, x):
            return self.last(self.first(x))

    model, x = Two(), np.ones((3, 2), "float32")
    model.last = pyml.layers.Dense(2)  # nothing is built
    assert model.predict(x, verbose=0).shape == (3, 2)
    with pytest.raises(ValueError, match="Two: 'last' cannot become another layer once this one is built"):
        model.last = pyml.layers.Dense(1)
    assert model.predict(x, verbose=0).shape == model(x).shape == (3, 2) and len(model.weights) == 4
    model.also = model.first  # known already, as in Keras
    model.last = None
    assert len(model.weights) == 2


def test_a_weight_that_call_makes_each_time_is_refused_as_in_keras(cpu):
    """It was a new one in each program, and never trained."""

    class Shifted(pyml.layers.Layer):
        def call(self, x):
            self.shift = self.add_weight(shape=(), initializer="zeros")
            return x + self.shift

    layer, model = Shifted(), pyml.Sequential([Shifted()])
    layer(np.ones((1, 2)))
    model.compile("sgd", "mse")
    for again in (lambda: layer(np.ones((1, 2))), lambda: model.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0)):
        with pytest.raises(ValueError, match=r"Shifted: call\(\) makes a new weight 'shift' each time"):
            again()


def test_a_clone_of_a_sequential_begins_with_the_input_that_it_is_given(cpu):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2)])
    mine = pyml.Input((3,), name="mine")
    for given in (mine, [mine], mine._keras_history.operation):
        clone = pyml.models.clone_model(model, input_tensors=given)
        assert [one.name for one in clone.inputs] == ["mine"] and clone.count_params() == 8
    other = pyml.models.clone_model(model, input_tensors=mine * 2.0)  # what is no input only says the shape
    assert other.input_shape == (None, 3) and other.inputs[0].name != "mine"
    with pytest.raises(ValueError, match=r"a Sequential has one input\. Received: 2"):
        pyml.models.clone_model(model, input_tensors=[mine, mine])
