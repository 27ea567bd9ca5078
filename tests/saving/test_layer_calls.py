"""A saved model knows how its layers were called, and what its format cannot hold is refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from saving.test_exports import check_there
from saving.test_layers_model import in_node

import pyml
from pyml import Input, Model, Sequential, layers
from pyml.saving import load_model
from pyml.saving.tfjs.layers_config import KNOWN_TO_TFJS

RANDOM = np.random.default_rng(5)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def again(model, folder):
    model.save(folder)
    return load_model(folder)


def same(model, folder, data):
    np.testing.assert_allclose(again(model, folder).predict(data, verbose=0), model.predict(data, verbose=0), atol=1e-5)


# ---- training
def frozen():
    x = Input((4,))
    base = Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization(momentum=0.5, name="norm")], name="base")
    return Model(x, layers.Dense(1)(base(x, training=False)))


def test_statistics_of_a_network_called_for_inference_stay_when_it_is_trained_after_loading(device, tmp_path):
    model = again(frozen(), tmp_path)
    norm = model.get_layer("base").get_layer("norm")
    before = norm.moving_mean.numpy()
    model.compile("sgd", "mse")
    model.fit(numbers(16, 4) + 5, numbers(16, 1), epochs=2, verbose=0)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), before)


def test_dropout_called_for_training_stays_at_work_when_it_is_loaded(device, tmp_path):
    x = Input((200,))
    model = again(Model(x, layers.Dropout(0.5)(x, training=True)), tmp_path)
    found = [model.predict(np.ones((1, 200), "float32"), verbose=0) for _ in range(2)]
    assert 40 < (found[0] == 0).sum() < 160
    assert (found[0] != found[1]).any()


def test_calls_of_one_layer_keep_their_own_arguments(tmp_path):
    x, drop = Input((100,)), layers.Dropout(0.5)
    model = again(Model(x, [drop(x, training=True), drop(x, training=False), drop(x)]), tmp_path)
    noisy, quiet, usual = model.predict(np.ones((1, 100), "float32"), verbose=0)
    assert (noisy == 0).any()
    assert (quiet == 1).all()
    assert (usual == 1).all()


# ---- states and masks
def encoder(layer, decoder, **more):
    a, b = Input((4, 3)), Input((5, 2))
    _, *states = layer(a)
    return Model([a, b], decoder(b, initial_state=states[0] if more.get("single") else states))


def bidirectional(**more):
    return layers.Bidirectional(layers.LSTM(4, **more))


STATES = {
    "LSTM": lambda: encoder(layers.LSTM(4, return_state=True), layers.LSTM(4, return_sequences=True)),
    "GRU": lambda: encoder(layers.GRU(4, return_state=True, reset_after=False), layers.GRU(4, reset_after=False), single=True),
    "SimpleRNN": lambda: encoder(layers.SimpleRNN(4, return_state=True), layers.SimpleRNN(4)),
    "RNN": lambda: encoder(layers.SimpleRNN(4, return_state=True), layers.RNN(layers.SimpleRNNCell(4))),
    "Bidirectional": lambda: encoder(bidirectional(return_state=True), bidirectional()),
}


@pytest.mark.parametrize("kind", STATES)
def test_first_states_are_loaded_as_first_states(tmp_path, kind):
    same(STATES[kind](), tmp_path, [numbers(2, 4, 3), numbers(2, 5, 2)])


@pytest.mark.parametrize("kind", STATES)
def test_first_states_are_those_of_tensorflow_js_too(tmp_path, kind):
    model, data = STATES[kind](), [numbers(2, 4, 3), numbers(2, 5, 2)]
    expected = model.predict(data, verbose=0)
    model.save(tmp_path)
    check_there(tmp_path, data, expected)


def test_first_states_given_without_their_name_are_kept(tmp_path):
    a, b = Input((4, 3)), Input((4,))
    same(Model([a, b], layers.SimpleRNN(4)(a, [b])), tmp_path, [numbers(2, 4, 3), numbers(2, 4)])


@pytest.mark.parametrize("layer", [lambda: layers.LSTM(3), lambda: layers.TimeDistributed(layers.Dense(2))])
def test_a_mask_that_is_a_tensor_is_loaded_as_a_mask(tmp_path, layer):
    q, k = Input((5, 2)), Input((5,), dtype="bool")
    same(Model([q, k], layer()(q, mask=k)), tmp_path, [numbers(2, 5, 2), np.array([[1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], bool)])


def test_files_with_arguments_open_in_tensorflow_js(tmp_path):
    model, data = frozen(), numbers(3, 4)
    model.get_layer("base").get_layer("norm").set_weights([numbers(3), numbers(3), numbers(3), abs(numbers(3)) + 0.5])
    model.save(tmp_path)
    check_there(tmp_path, [data], model.predict(data, verbose=0))


def test_an_argument_that_a_file_cannot_hold_is_named(tmp_path):
    x = Input((5, 2))
    model = Model(x, layers.LSTM(3)(x, mask=np.ones((1, 5), bool)))
    with pytest.raises(ValueError, match=r'layer "lstm.*" \(LSTM\) was called with an argument mask.*Nothing was written.*save_weights'):
        model.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_stacked_cells_are_those_of_tensorflow_js_and_their_states_which_it_orders_otherwise_are_refused(tmp_path):
    a, h, c = Input((4, 3)), Input((4,)), Input((2,))
    stack = [layers.SimpleRNNCell(4), layers.LSTMCell(2)]
    model, data = Model(a, layers.RNN(stack)(a)), numbers(2, 4, 3)
    same(model, tmp_path, data)
    check_there(tmp_path, [data], model.predict(data, verbose=0))
    cells = [layers.SimpleRNNCell(4), layers.SimpleRNNCell(2)]
    with pytest.raises(ValueError, match=r"stacked cells .*in reverse"):
        Model([a, h, c], layers.RNN(cells)(a, initial_state=[h, c])).save(tmp_path / "no" / "model.json")
    with pytest.raises(ValueError, match="stacked cells in reverse"):
        Model(a, layers.RNN([layers.SimpleRNNCell(4)], return_state=True)(a)).save(tmp_path / "no" / "model.json")
    assert not (tmp_path / "no").exists()


def test_a_model_in_a_model_opens_in_tensorflow_js_however_often_it_is_called(tmp_path):
    a, b, inner = Input((3,)), Input((3,)), Input((3,))
    base = Model(inner, layers.Dense(2)(inner), name="base")
    model, data = Model([a, b], layers.Add()([base(a), base(b), base(a)])), [numbers(2, 3), numbers(2, 3)]
    same(model, tmp_path, data)
    check_there(tmp_path, data, model.predict(data, verbose=0))


def test_files_that_count_the_calls_of_models_from_0_load_too(tmp_path):
    a, inner = Input((3,)), Input((3,))
    model, data = Model(a, layers.Dense(1)(Model(inner, layers.Dense(2)(inner), name="base")(a))), numbers(2, 3)
    model.save(tmp_path)
    text = (tmp_path / "model.json").read_text()
    assert '["base", 1, 0, {}]' in text                # as Keras and TensorFlow.js count
    (tmp_path / "model.json").write_text(text.replace('["base", 1, 0, {}]', '["base", 0, 0, {}]'))
    np.testing.assert_allclose(load_model(tmp_path).predict(data, verbose=0), model.predict(data, verbose=0), atol=1e-6)


# ---- what the format has not
@pyml.saving.register_keras_serializable()
class Doubled(layers.Layer):
    def call(self, x):
        return x * 2.0


def joined(layer, **call):
    q = Input((4, 3))
    return Model(q, layer([q, q], **call))


def cell_of_ones_own():
    class Cell(layers.SimpleRNNCell):
        pass

    return Sequential([Input((4, 3)), layers.RNN(Cell(2))])


LOOKED_FOR = ("Attention", "AdditiveAttention", "EinsumDense")
UNKNOWN = {
    "Attention": lambda: joined(layers.Attention(), use_causal_mask=True),
    "AdditiveAttention": lambda: joined(layers.AdditiveAttention()),
    "EinsumDense": lambda: Sequential([Input((4, 3)), layers.EinsumDense("abc,cd->abd", (None, 2))]),
    "GroupNormalization": lambda: Sequential([Input((4, 4)), layers.GroupNormalization(2)]),
    "GRU": lambda: Sequential([Input((4, 3)), layers.GRU(2)]),
    "Bidirectional GRU": lambda: Sequential([Input((4, 3)), layers.Bidirectional(layers.GRU(2))]),
    "Doubled": lambda: Sequential([Input((4, 3)), Doubled()]),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_layer_that_tensorflow_js_has_not_is_refused_and_the_way_that_is_named_keeps_the_model(tmp_path, kind):
    model, data = UNKNOWN[kind](), numbers(2, 4, 4 if kind == "GroupNormalization" else 3)
    with pytest.raises(ValueError, match=rf"\({kind.split()[-1]}\): TensorFlow\.js has .*Nothing was written\. .*model\.keras"):
        model.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []
    model.save(tmp_path / "model.keras")
    back = pyml.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(back.predict(data, verbose=0), model.predict(data, verbose=0), atol=1e-6)


class Pair(Model):
    """A model with a call of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.last = layers.Dense(2)

    def call(self, x):
        return self.last(x) * 2.0


@pytest.mark.parametrize("kind", [*LOOKED_FOR])
def test_a_layer_that_is_looked_for_in_tensorflow_js_is_refused_for_a_folder_too(tmp_path, kind):
    Sequential([Input((3,)), layers.Dense(2)]).save(tmp_path)
    before = sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir())
    with pytest.raises(ValueError, match=rf"\({kind}\): TensorFlow\.js has .*Nothing was written\. .*model\.keras"):
        UNKNOWN[kind]().save(tmp_path)
    assert sorted((path.name, path.read_bytes()) for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", [*(kind for kind in UNKNOWN if kind not in LOOKED_FOR), "Pair"])
def test_a_folder_keeps_such_a_model_too_with_a_warning(tmp_path, kind):
    model, data = Pair() if kind == "Pair" else UNKNOWN[kind](), numbers(2, 4, 4 if kind == "GroupNormalization" else 3)
    wanted = model.predict(data, verbose=0)
    Sequential([Input((3,)), layers.Dense(2)]).save(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        model.save(tmp_path, overwrite=False)
    with pytest.raises(ValueError, match=r"Nothing was written"):
        model.save(tmp_path, quantize="float16")
    with pytest.warns(UserWarning, match=r"TensorFlow\.js has .*The folder .* holds a file of Keras instead"):
        model.save(tmp_path)
    listing, file, notes = sorted(tmp_path.iterdir(), key=lambda path: len(path.name) + 100 * (path.name == "notes.txt"))
    assert (listing.name, notes.name, file.suffix) == ("model.json", "notes.txt", ".keras")   # and no shard of the old model
    for source in (tmp_path, listing, file):
        back = pyml.saving.load_model(source, custom_objects={"Pair": Pair})
        np.testing.assert_allclose(back.predict(data, verbose=0), wanted, atol=1e-6)
    Sequential([Input((3,)), layers.Dense(7)]).save(tmp_path)
    assert pyml.saving.load_model(tmp_path).output_shape == (None, 7) and not file.exists()


def test_an_identity_is_a_linear_activation_there_and_an_identity_again_here(tmp_path):
    model = Sequential([Input((2,)), layers.Identity(name="same"), layers.Activation("linear")])
    model.save(tmp_path)
    written = json.loads((tmp_path / "model.json").read_text())["modelTopology"]["config"]["layers"]
    assert [(layer["class_name"], layer["config"]["activation"]) for layer in written] == [("Activation", "linear")] * 2
    assert [type(layer).__name__ for layer in pyml.saving.load_model(tmp_path).layers] == ["Identity", "Activation"]


@pytest.mark.parametrize(("make", "match"), [
    (cell_of_ones_own, r"\(Cell\): TensorFlow.js has no such layer"),
    (lambda: Sequential([Input((4, 3)), layers.RNN(layers.GRUCell(2))]), r"\(GRUCell\): TensorFlow.js has only reset_after=False"),
    (lambda: Sequential([Input((3,)), layers.Lambda(lambda x: x)]), r"\(Lambda\): TensorFlow.js has no such layer"),
    (lambda: Model(x := Input((3,)), x + 1.0), "between layers cannot be expressed in TensorFlow.js"),
])  # fmt: skip
def test_cells_functions_and_ops_that_tensorflow_js_has_not_are_refused(tmp_path, make, match):
    with pytest.raises(ValueError, match=match + ".*Nothing was written"):
        make().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_layers_are_written_only_if_tensorflow_js_has_them():
    assert set(json.loads(in_node("known"))) - {"Model", "Functional", "Sequential"} == KNOWN_TO_TFJS


def test_a_config_counts_the_calls_of_its_own_graph_only():
    x, other, shared = Input((3,)), Input((3,)), layers.Dense(2)
    shared(other)
    model = Model(x, layers.Dense(1)(shared(x)))       # the second call of the shared layer is the first one here
    assert pyml.models.model_from_json(model.to_json()).output_shape == (None, 1)


def test_arguments_that_json_has_no_form_for_are_refused(tmp_path):
    model = Sequential([Input((3,)), layers.Rescaling(float("inf"))])
    with pytest.raises(ValueError, match=r"NaN, infinite .*Nothing was written"):
        model.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []
