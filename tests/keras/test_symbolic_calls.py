"""What layers and ops see when they are called with symbols: masks, and sizes that nobody knows; and copies of such models."""

import numpy as np
import pytest

import pyml
from pyml import layers, ops


class Seen(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking, self.masks = True, []

    def call(self, inputs, mask=None):
        self.masks.append(mask is not None)
        return inputs


def test_a_layer_gets_its_mask_in_the_symbolic_call(cpu):
    first, second = Seen(), Seen()
    i = pyml.Input((5,))
    x = layers.Embedding(10, 3, mask_zero=True)(i)
    x = layers.Dropout(0.1)(first(x))
    x = second(layers.LSTM(4, return_sequences=True)(x))
    assert all(first.masks) and all(second.masks) and first.masks and second.masks
    inner = pyml.Model(i, x)
    third = Seen()
    third(inner(pyml.Input((5,))))
    unmasked = Seen()
    unmasked(layers.Embedding(10, 3)(i))
    assert all(third.masks) and third.masks and not any(unmasked.masks)


def test_a_symbolic_call_may_be_told_of_training_as_any_other(cpu):
    class Twice(pyml.layers.Layer):
        def call(self, x):
            return 2 * x

        def compute_output_spec(self, x):
            return pyml.KerasTensor(x.shape, x.dtype)

    for layer in (pyml.layers.CategoryEncoding(3), pyml.layers.Normalization(mean=0.0, variance=1.0), pyml.layers.Hashing(3), Twice()):
        assert layer(pyml.Input((1,)), training=True).shape[0] is None


def test_a_sequential_inside_a_layer_knows_no_more_than_its_input(cpu):
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = pyml.Sequential([layers.Dense(3), layers.Dense(2)])

        def call(self, inputs):
            return self.inner(inputs)

    block = Block()
    outputs = block(pyml.Input((None, 4)))
    assert outputs.shape == (None, None, 2) and block.inner.input_shape == (None, None, 4)
    assert block(np.ones((2, 7, 4), "float32")).shape == (2, 7, 2)
    wide = pyml.Sequential([layers.Dense(3)])
    i = pyml.Input((83,))  # a size that shapes are found with
    assert wide(i).shape == (None, 3) and wide(np.ones((2, 83), "float32")).shape == (2, 3)


def test_unknown_sizes_broadcast_to_known_ones(cpu):
    a, b = pyml.Input(batch_shape=(None, 3)), pyml.Input(batch_shape=(2, None))
    assert ops.add(a, b).shape == (2, 3) and (a * b).shape == (2, 3) and ops.where(a > 0, a, b).shape == (2, 3)
    assert ops.broadcast_to(pyml.Input(batch_shape=(None, 1)), (5, 7)).shape == (5, 7)
    with pytest.raises(ValueError, match="do not broadcast"):
        ops.add(a, pyml.Input(batch_shape=(2, 4)))


def test_copies_have_layers_and_calls_as_the_user_likes(cpu):
    i = pyml.Input((3,))
    x = layers.Dense(4, name="a")(i)
    model = pyml.Model(i, layers.Dense(2, name="b")(ops.relu(x) * 2.0))
    plain = pyml.models.clone_model(model, input_tensors=pyml.Input((3,)))
    assert [layer.name for layer in plain.layers if layer.weights] == ["a", "b"] and plain.output_shape == (None, 2)

    def halved(layer):
        config = layer.get_config()
        config["units"] = 2
        return type(layer).from_config(config)

    def dropped(layer, *args, **kwargs):
        return layers.Dropout(0.5)(layer(*args, **kwargs))

    changed = pyml.models.clone_model(model, clone_function=halved, call_function=dropped)
    assert changed.get_layer("a").units == 2 and sum(isinstance(layer, layers.Dropout) for layer in changed.layers) == 2
    plain.set_weights(model.get_weights())
    data = np.ones((2, 3), "float32")
    np.testing.assert_allclose(plain.predict(data, verbose=0), model.predict(data, verbose=0))
    inner = pyml.Sequential([pyml.Input((3,)), layers.Dense(3, name="in")])
    outer, seen = pyml.Sequential([pyml.Input((3,)), inner, layers.Dense(2)]), []

    def noted(layer):
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    pyml.models.clone_model(outer, clone_function=noted, recursive=True)
    assert "in" in seen and inner.name not in seen
    with pytest.raises(ValueError, match="call_function"):
        pyml.models.clone_model(outer, call_function=dropped)


def test_weights_are_made_with_every_argument(cpu):
    layer = layers.Layer()
    weight = layer.add_weight(shape=(2,), initializer="ones", autocast=False, regularizer="l2", constraint="non_neg",
                              aggregation="mean", overwrite_with_gradient=True, name="w")  # fmt: skip
    assert (weight.autocast, weight.aggregation, weight.overwrite_with_gradient, weight.name) == (False, "mean", True, "w")
    assert repr(weight) == f"<Variable path={layer.name}/w, shape=(2,), dtype=float32, value=[1. 1.]>"
    with pytest.raises(ValueError, match="keyword argument"):
        layer.add_weight("w")


def test_a_function_takes_the_shapes_of_its_inputs_and_an_operation_tells_its_first_call(cpu):
    x, y = pyml.Input((2,), name="x"), pyml.Input((None, 3))
    function = pyml.Function([x, y], {"a": x * 2, "b": y[:, 0]})
    assert function.compute_output_shape([(4, 2), (4, 5, 3)]) == {"a": (4, 2), "b": (4, 3)}
    assert function.compute_output_shape()["b"] == (None, 3) and pyml.Function(x, x + 1).compute_output_shape((4, 2)) == (4, 2)
    for shape in ((1, 3), (2,)):
        with pytest.raises(ValueError, match=rf"input 'x' has shape \(None, 2\)\. Received: a tensor of shape \({shape[0]},"):
            function([np.ones(shape), np.ones((1, 5, 3))])
    layer = layers.Dense(2)
    assert not hasattr(layer, "input")
    first = layer(x), layer(x)
    assert layer.input is x and layer.output is first[0]
    steps, states = layers.GRU(2, return_state=True), layers.RNN(layers.LSTMCell(2), return_sequences=True, return_state=True)
    assert all(type(made) is list and all(a is b for a, b in zip(made, given, strict=True))
               for made, given in ((steps.output, called) for steps, called in ((steps, steps(y)), (states, states(y)))))  # fmt: skip


def test_a_model_in_a_graph_has_the_input_and_output_of_its_first_call_as_a_layer_has(cpu):
    class Own(pyml.Model):
        def call(self, x):
            return x * 2

    x = pyml.Input((4,))
    hidden = layers.Dense(5)(x)
    for inner in (pyml.Sequential([layers.Dense(2)]), pyml.Sequential([pyml.Input((5,)), layers.Dense(2)]), Own()):
        if isinstance(inner, Own):
            assert not hasattr(inner, "output")
        last = inner(hidden)
        inner(layers.Dense(5)(x))
        assert inner.input is hidden and inner.output is last
        assert pyml.Model(x, inner.output).predict(np.ones((2, 4)), verbose=0).shape == (2, last.shape[1])
    graph = pyml.Model(x, hidden)                      # a model of a graph keeps its own, as in Keras
    graph(pyml.Input((4,)))
    assert graph.input is x and graph.output is hidden


def test_what_a_layer_expects_has_a_dtype_and_a_config(cpu):
    spec = pyml.InputSpec(dtype="int32", ndim=2, axes={-1: 3})
    assert type(spec).from_config(spec.get_config()).get_config() == spec.get_config() == {
        "dtype": "int32", "shape": None, "ndim": 2, "max_ndim": None, "min_ndim": None, "axes": {-1: 3}, "optional": False}
    layer = layers.Identity(dtype="int32", name="same")
    layer.input_spec = spec
    assert layer(np.ones((2, 3), "int32")).shape == (2, 3)
    with pytest.raises(ValueError, match='Input 0 of layer "same" is incompatible with the layer: expected dtype=int32, found dtype=bool'):
        layer(pyml.ops.ones((2, 3), dtype="bool"))
    layer.input_spec = pyml.InputSpec(dtype="float64")  # which is float32 here
    layer(pyml.ops.ones((2, 3)))


def test_scopes_name_variables_as_in_keras_and_may_be_entered_again(cpu):
    outer, caller = pyml.name_scope("a"), object()
    for _ in range(2):
        with outer as scope, pyml.name_scope("a"):
            assert scope.name == "a" and pyml.Variable(1.0, name="v").path == "a/a/v"
    with pyml.name_scope("a", caller), pyml.name_scope("a", caller):
        assert pyml.Variable(1.0, name="v").path == "a/v"
        with pyml.name_scope("a", caller, deduplicate=False), pyml.name_scope("b", override_parent="x/y"):
            assert pyml.Variable(1.0, name="v").path == "x/y/b/v"
    assert pyml.Variable(1.0, name="v").path == "v"
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2, name="same", use_bias=False)], name="same")
    assert [w.path for w in model.weights] == ["same/same/kernel"]
    with pyml.device("cpu:0"), pyml.device("GPU"):
        assert pyml.ops.ones(2).tolist() == [1, 1]


@pytest.mark.parametrize("kind", ["functional", "sequential", "nested"])
def test_a_mask_that_a_model_is_called_with_reaches_its_layers(kind, cpu):
    inner = pyml.Sequential([pyml.Input((3, 2)), layers.Dense(2, kernel_initializer="identity"), layers.GlobalAveragePooling1D()])
    i = pyml.Input((3, 2))
    model = {"sequential": inner, "functional": pyml.Model(i, layers.GlobalAveragePooling1D()(i))}.get(kind)
    x, mask = np.arange(12, dtype="float32").reshape(2, 3, 2), np.array([[1, 0, 1], [1, 0, 0]], bool)
    given = pyml.ops.convert_to_tensor(x)
    if kind == "nested":
        class Outer(layers.Layer):
            def call(self, inputs, mask=None):
                return inner(inputs, mask=mask)

        model = Outer()
    np.testing.assert_allclose(model(given, mask=mask), [[2, 3], [6, 7]], atol=1e-6)
    np.testing.assert_allclose(model(given), x.mean(1), atol=1e-6)       # the mask was that call's


def test_an_optional_input_may_be_none_and_no_other(cpu):
    class Sum(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else x + y

    a, b = pyml.Input((3,), name="a"), pyml.Input((3,), name="b", optional=True)
    model, x = pyml.Model([a, b], Sum()(a, b)), np.ones((2, 3), "float32")
    assert model([x, None]).numpy().max() == 1 and model([x, x]).numpy().max() == 2
    assert model({"a": x, "b": None}).numpy().max() == 1
    with pytest.raises(ValueError, match=r"input 'a' is not optional, but None was passed"):
        model([None, x])


def test_nothing_is_equal_to_none(cpu):
    for x in (pyml.convert_to_tensor([1.0, 2.0]), pyml.Variable([1.0, 2.0]), pyml.Input((3,))):
        assert (x == None) is False and (x != None) is True and x not in [None]  # noqa: E711


class Beside(pyml.layers.Layer):
    def call(self, a, b):
        return pyml.ops.concatenate([a, b], -1)


class BesideByShapes(Beside):
    def compute_output_shape(self, a_shape, b_shape):
        return (*a_shape[:-1], a_shape[-1] + b_shape[-1])


class OfTheFirst(Beside):
    def call(self, a, b):
        return a

    def compute_output_shape(self, input_shape):
        return input_shape


def test_shapes_of_several_inputs_come_by_their_names():
    a, b = pyml.Input((3,)), pyml.Input((4,))
    for layer in (Beside(), BesideByShapes()):
        assert layer(a, b).shape == layer(b=b, a=a).shape == (None, 7)
        assert layer.compute_output_shape((2, 3), (2, 4)) == layer.compute_output_shape(a_shape=(2, 3), b_shape=(2, 4)) == (2, 7)
    assert OfTheFirst()(b=a, a=b).shape == (None, 4)
    assert pyml.layers.Dense(5).compute_output_shape(input_shape=(2, 3)) == (2, 5)
    assert pyml.layers.RMSNormalization()(x=np.ones((1, 2), "float32")).shape == (1, 2)
