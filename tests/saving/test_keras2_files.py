"""Files that Keras 2.15 wrote (`tools/make_keras2_files.py`) open here: equal outputs, and training that goes on with equal losses.

Files for it name nothing that it does not write itself; `tools/make_keras2_files.py --open` has it open them.
"""

import base64
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from every import every
from keras2_models import CASES, compiled, inputs_of, train

import pyml
from pyml.saving import load_model
from pyml.saving.keras import hdf5, hdf5_read, legacy

FILES = json.loads((Path(__file__).parents[1] / "goldens" / "keras2_files.json").read_text())["cases"]


@pytest.mark.parametrize("name", CASES)
def test_files_of_keras_2_give_its_outputs(tmp_path, name):
    case = FILES[name]
    for ending, data in case["files"].items():
        path = tmp_path / f"m{ending}"
        path.write_bytes(zlib.decompress(base64.b64decode(data)))
        if "weights" in ending:
            model = CASES[name](pyml)
            model.load_weights(path)
        else:
            model = load_model(path)
        x = inputs_of(model)
        found = model.predict(x, verbose=0)
        for have, want in zip(found if isinstance(found, list) else [found], case["outputs"], strict=True):
            np.testing.assert_allclose(have, want, atol=2e-5, err_msg=ending)
        if name in compiled and "weights" not in ending:
            np.testing.assert_allclose(train(pyml, model, x), case["loss"], atol=2e-5, err_msg=ending)


def test_a_file_of_keras_2_whose_optimizer_was_given_by_name_is_compiled(tmp_path):
    name = next(name for name in compiled if ".keras" in FILES[name]["files"])
    path = tmp_path / "m.keras"
    path.write_bytes(zlib.decompress(base64.b64decode(FILES[name]["files"][".keras"])))
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    config = json.loads(members["config.json"])
    config["compile_config"]["optimizer"] = "rmsprop"
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    assert isinstance(load_model(path).optimizer, pyml.optimizers.RMSprop)


def test_functions_of_tensorflow_between_the_layers_of_keras_2_are_ops():
    """A config as Keras 2.15 writes it of `tf.clip_by_value(tf.concat([(1 - x)[:, 1:], tf.reduce_sum(x / x, 0, True)], 0), 0.0, 0.9)`."""

    def op(name, function, node, kind="TFOpLambda"):
        config = {"name": name, "trainable": True, "dtype": "float32", "function": function}
        return {"class_name": kind, "config": config, "name": name, "inbound_nodes": [node]}

    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"}, "name": "x",
             "inbound_nodes": []}  # fmt: skip
    every, later = {"start": None, "stop": None, "step": None}, {"start": 1, "stop": None, "step": None}
    layers = [
        start, op("tf.math.subtract", "math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0], "name": None}]),
        op("cut", "__operators__.getitem", ["tf.math.subtract", 0, 0, {"slice_spec": [every, later]}], "SlicingOpLambda"),
        op("ratio", "math.truediv", ["x", 0, 0, {"y": ["x", 0, 0], "name": None}]),
        op("sum", "math.reduce_sum", ["ratio", 0, 0, {"axis": 0, "keepdims": True}]),
        op("part", "__operators__.getitem", ["sum", 0, 0, {"slice_spec": [every, later]}], "SlicingOpLambda"),
        op("both", "concat", [["cut", 0, 0, {"axis": 0}], ["part", 0, 0, {"axis": 0}]]),
        op("clip", "clip_by_value", ["both", 0, 0, {"clip_value_min": 0.0, "clip_value_max": 0.9}]),
    ]
    config = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["clip", 0, 0]]}
    model = legacy.deserialize(legacy.read_layer({"class_name": "Functional", "config": config}, "file"), None)
    x = np.array([[1.0, 0.25, 2.0], [0.5, 0.75, 0.05]], "float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), [[0.75, 0.0], [0.25, 0.9], [0.9, 0.9]], rtol=1e-6)
    layers[3]["config"]["function"] = "math.zeta"
    with pytest.raises(pyml.saving.ModelFileError, match="'ratio' is the function tf"):
        legacy.read_layer({"class_name": "Functional", "config": config}, "file")
    layers[3]["config"]["function"] = "math.truediv"
    layers[1]["inbound_nodes"][0][2] = {"class_name": "__lambda__", "config": {"value": "code"}}
    with pytest.raises(pyml.saving.ModelFileError, match="is not a reference to a layer"):
        legacy.read_layer({"class_name": "Functional", "config": config}, "file")


def config_in(data):
    return json.loads(hdf5_read.read(data, "file").attrs["model_config"])


def layers_of(config):
    """Every layer of a model and of those inside it, with its calls."""
    for layer in config["config"]["layers"]:
        yield layer
        yield from layers_of(layer) if "layers" in layer["config"] else ()


# what constructors of Keras 2.15 take though its configs do not have it
TAKEN = {"zero_output_for_mask", "trainable", "renorm", "synchronized", "seed", "backward_layer"}
IN_H5 = [name for name in CASES if ".h5" in FILES[name]["files"]]


@pytest.mark.parametrize("name", IN_H5)
def test_a_file_for_keras_2_has_its_layers_arguments_and_calls(tmp_path, name):
    CASES[name](pyml).save(tmp_path / "m.h5", keras_version=2)
    ours = config_in((tmp_path / "m.h5").read_bytes())
    theirs = config_in(zlib.decompress(base64.b64decode(FILES[name]["files"][".h5"])))
    assert ours["class_name"] == theirs["class_name"]
    for layer, known in zip(layers_of(ours), layers_of(theirs), strict=True):
        assert layer["class_name"] == known["class_name"]
        assert set(layer["config"]) <= set(known["config"]) | TAKEN, layer["class_name"]
        calls, theirs_of_it = ([[[*place[1:3], sorted(place[3])] for place in node] for node in entry.get("inbound_nodes", ())]
                               for entry in (layer, known))  # fmt: skip
        assert calls == theirs_of_it, layer["class_name"]


@pytest.mark.parametrize("name", CASES)
def test_what_was_written_for_keras_2_comes_back_and_trains_on(tmp_path, name):
    model = CASES[name](pyml)
    x = inputs_of(model)
    if name in compiled:
        train(pyml, model, x)
    endings = [".keras", *([".h5"] if name in IN_H5 else [])]
    for ending in endings:
        model.save(tmp_path / f"m{ending}", keras_version=2)
    want = model.predict(x, verbose=0)
    losses = train(pyml, model, x) if name in compiled else None
    for ending in endings:
        again = load_model(tmp_path / f"m{ending}")
        found = again.predict(x, verbose=0)
        for a, b in zip(found if isinstance(found, list) else [found], want if isinstance(want, list) else [want], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6, err_msg=ending)
        assert losses is None or train(pyml, again, x) == pytest.approx(losses, abs=1e-6)


def test_pooling_that_keeps_its_axes_does_so_after_it_was_written_for_keras_2(tmp_path):
    model = pyml.Sequential([pyml.Input((5, 4, 3)), pyml.layers.GlobalAveragePooling2D(keepdims=True), pyml.layers.Conv2D(2, 1)])
    model.save(tmp_path / "m.h5", keras_version=2)
    assert load_model(tmp_path / "m.h5").output_shape == model.output_shape == (None, 1, 1, 2)


def test_what_keras_2_has_not_is_named_and_an_h5_for_both_is_then_one_of_keras_3(tmp_path):
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.RMSNormalization(name="rms"), pyml.layers.Dense(2)])
    with pytest.raises(ValueError, match=r"RMSNormalization 'rms' is not in Keras 2.15. Nothing was written"):
        model.save(tmp_path / "m.h5", keras_version=2)
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "m.h5")
    assert hdf5_read.read((tmp_path / "m.h5").read_bytes(), "m").attrs["keras_version"].startswith("3")
    with pytest.raises(ValueError, match="keras_version is for files that end in"):
        model.save(tmp_path / "folder", keras_version=2)


@pyml.saving.register_keras_serializable("own2")
class Louder(pyml.layers.Dense):
    def call(self, x):
        return super().call(x) + 1.0


@pyml.saving.register_keras_serializable("own2")
class Mixed(pyml.layers.Layer):
    def __init__(self, seed=4, salt=2, **kwargs):  # names of arguments that built-in layers have since Keras 3
        super().__init__(**kwargs)
        self.seed, self.salt = seed, salt

    def call(self, a, b):
        return a * self.seed + b * self.salt

    def get_config(self):
        return {**super().get_config(), "seed": self.seed, "salt": self.salt}


@pyml.saving.register_keras_serializable("own2")
class Steps(pyml.optimizers.SGD):
    pass


@pyml.saving.register_keras_serializable("own2")
def far(y_true, y_pred):
    return pyml.ops.mean((y_true - y_pred) ** 4, axis=-1)


def test_layers_optimizers_and_losses_of_ones_own_are_written_for_keras_2_as_it_finds_them(tmp_path, cpu):
    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, pyml.layers.Dense(2)(Mixed(7)(Louder(4, name="l")(inputs), pyml.layers.Dense(4)(inputs))))
    model.compile(Steps(0.01, momentum=0.9), far)
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
    model.train_on_batch(x, y)
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"m{ending}", keras_version=2)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config = json.loads(archive.read("config.json"))
    attrs = hdf5_read.read((tmp_path / "m.h5").read_bytes(), "m").attrs
    training = json.loads(attrs["training_config"])
    assert (training["optimizer_config"]["class_name"], training["loss"]) == ("own2>Steps", "own2>far")
    for name, layers in (("", config["config"]["layers"]), ("own2>", json.loads(attrs["model_config"])["config"]["layers"])):
        louder, mixed = (next(layer for layer in layers if layer["registered_name"] == f"own2>{cls}") for cls in ("Louder", "Mixed"))
        assert (louder["class_name"], mixed["class_name"]) == (name + "Louder", name + "Mixed")
        assert not {"quantization_config", "lora_rank"} & set(louder["config"])  # there Dense takes none
        assert (mixed["config"]["seed"], mixed["config"]["salt"], mixed["config"]["dtype"]) == (7, 2, "float32")
        assert (mixed["inbound_nodes"][0][0][0], list(mixed["inbound_nodes"][0][0][3])) == ("l", ["b"])
    again = [load_model(tmp_path / f"m{ending}") for ending in (".keras", ".h5")]
    model.train_on_batch(x, y)
    for other in again:
        other.train_on_batch(x, y)
        np.testing.assert_allclose(other.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_a_function_of_ones_own_in_a_layer_is_written_for_keras_2_where_it_finds_it(tmp_path):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, activation=far_out)])
    model.save(tmp_path / "m.keras", keras_version=2)
    assert load_model(tmp_path / "m.keras").layers[-1].activation is far_out
    with pytest.raises(ValueError, match=r"own2>far_out is a function of one's own, which Keras 2.15 finds in no layer of an .h5"):
        model.save(tmp_path / "m.h5", keras_version=2)


@pyml.saving.register_keras_serializable("own2")
def far_out(x):
    return x * 3.0


@pytest.mark.parametrize("layer", [pyml.layers.Activation("celu"), pyml.layers.RNN(pyml.layers.GRUCell(2, activation="squareplus"))])
def test_an_activation_that_keras_2_has_not_is_refused_and_an_h5_for_both_is_then_one_of_keras_3(tmp_path, layer):
    model = pyml.Sequential([pyml.Input((3, 4)), layer])
    for ending in (".keras", ".h5"):
        with pytest.raises(ValueError, match=r"Keras 2.15 has no activation (celu|squareplus)\. Nothing was written"):
            model.save(tmp_path / f"m{ending}", keras_version=2)
    model.save(tmp_path / "m.h5")
    assert hdf5_read.read((tmp_path / "m.h5").read_bytes(), "m").attrs["keras_version"].startswith("3")


def test_a_lookup_of_whole_numbers_is_written_for_keras_2_with_the_dtype_that_it_wants(tmp_path):
    model = pyml.Sequential([pyml.Input((2,), dtype="int64"), pyml.layers.IntegerLookup(vocabulary=[3, 1, 2])])
    x = np.array([[1, 2], [3, 7]])
    for ending in (".keras", ".h5"):
        model.save(tmp_path / f"m{ending}", keras_version=2)
        again = load_model(tmp_path / f"m{ending}")
        np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert config_in((tmp_path / "m.h5").read_bytes())["config"]["layers"][1]["config"]["dtype"] == "int64"


def test_arguments_of_a_call_on_several_tensors_stand_beside_each_as_keras_2_reads_those_of_the_last(tmp_path):
    inputs = pyml.Input((3, 4))
    model = pyml.Model(inputs, pyml.layers.Attention()([inputs, inputs], use_causal_mask=True))
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for options in ({}, {"keras_version": 2}):
        model.save(tmp_path / "m.h5", **options)
        (call,) = config_in((tmp_path / "m.h5").read_bytes())["config"]["layers"][1]["inbound_nodes"]
        assert [place[3] for place in call] == [{"use_causal_mask": True}] * 2
        np.testing.assert_allclose(load_model(tmp_path / "m.h5").predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_adapted_boundaries_are_written_for_keras_2_without_their_number_which_it_refuses_beside_them(tmp_path):
    layer = pyml.layers.Discretization(num_bins=4)
    layer.adapt(np.arange(20.0).reshape(-1, 1))
    model = pyml.Sequential([pyml.Input((1,)), layer])
    for options in ({}, {"keras_version": 2}):
        model.save(tmp_path / "m.h5", **options)
        found = config_in((tmp_path / "m.h5").read_bytes())["config"]["layers"][1]["config"]
        assert (found["num_bins"], len(found["bin_boundaries"])) == (None, 3)
    x = np.array([[-1.0], [7.0], [30.0]])
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5").predict(x, verbose=0), model.predict(x, verbose=0))


def trained(optimizer):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(3, "tanh"), pyml.layers.Dense(3)])
    model.compile(optimizer, pyml.losses.Huber(0.5))
    losses_of(model)
    return model


def losses_of(model):
    x = np.random.default_rng(0).normal(size=(6, 3))
    return model.fit(x, x[:, ::-1] * 2, batch_size=3, epochs=2, shuffle=False, verbose=0).history["loss"]


def change(path, how):
    root = hdf5_read.read(path.read_bytes(), "file")
    how(root)
    path.write_bytes(b"".join(bytes(piece) for piece in hdf5.write(root)))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("optimizer", "stored"), [  # two kernels and two biases: as many arrays as Keras 2.15 has
    (pyml.optimizers.SGD(pyml.optimizers.schedules.InverseTimeDecay(0.1, 1, 0.5)), 5), (pyml.optimizers.SGD(0.1, momentum=0.5), 5),
    (pyml.optimizers.Adam(0.1, amsgrad=True), 13), (pyml.optimizers.Nadam(0.1), 9), (pyml.optimizers.Adafactor(0.1), 9),
    (pyml.optimizers.Lion(0.1), 5),
])  # fmt: skip
def test_an_optimizer_goes_on_where_it_was_with_what_keras_2_keeps_of_it(tmp_path, optimizer, stored, cpu):
    model = trained(optimizer)
    for ending in (".h5", ".keras"):
        model.save(tmp_path / f"m{ending}", keras_version=2)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert len(hdf5_read.read(archive.read("model.weights.h5"), "file").find("optimizer/vars").items) == stored
    training = json.loads(hdf5_read.read((tmp_path / "m.h5").read_bytes(), "file").attrs["training_config"])
    assert training["optimizer_config"]["class_name"] == f"Custom>{type(optimizer).__name__}"  # the name under which all are found there
    wanted = losses_of(model)
    for ending in (".h5", ".keras"):
        assert losses_of(load_model(tmp_path / f"m{ending}")) == pytest.approx(wanted, abs=1e-6), ending


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", [pyml.optimizers.Adam, pyml.optimizers.Adamax])
def test_an_optimizer_of_before_keras_2_11_goes_on_where_it_was(tmp_path, make, cpu):
    """All of one kind of state came first, and all of the other then: where shapes are alike, they would be mixed up in silence."""
    model = trained(make(0.1))
    model.save(tmp_path / "m.h5", keras_version=2)

    def older(root):
        group, name = hdf5.Group(), type(model.optimizer).__name__
        state = [variable.numpy() for variable in model.optimizer.variables if "learning_rate" not in variable.name]
        named = [(f"{name}/iter:0", state[0])]
        named += [(f"{name}/weight_{i}/{kind}:0", state[1 + 2 * i + k]) for k, kind in enumerate("mv") for i in range(4)]
        for path, array in named:
            folder, _, last = path.rpartition("/")
            group.group(folder).items[last] = array
        group.attrs["weight_names"] = [path for path, _ in named]
        root.items["optimizer_weights"] = group

    change(tmp_path / "m.h5", older)
    assert losses_of(load_model(tmp_path / "m.h5")) == pytest.approx(losses_of(model), abs=1e-6)


def test_losses_decays_and_arguments_that_only_keras_2_writes_are_read(tmp_path, cpu):
    trained(pyml.optimizers.SGD(0.1)).save(tmp_path / "m.h5", keras_version=2)

    def older(root):
        training = json.loads(root.attrs["training_config"])
        training["loss"] = {"class_name": "Huber", "config": {"reduction": "auto", "name": "huber_loss", "delta": 0.5, "fn": "huber"}}
        training["optimizer_config"]["config"]["decay"] = 0.25
        root.attrs["training_config"] = json.dumps(training)

    change(tmp_path / "m.h5", older)
    model = load_model(tmp_path / "m.h5")
    assert (type(model.loss), model.loss.get_config()["delta"], model.loss.reduction) == (pyml.losses.Huber, 0.5, "sum_over_batch_size")
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1 / (1 + 0.25 * 4), rel=1e-6)  # after four steps

    for name, config, key in (("SpatialDropout1D", {"rate": 0.2, "noise_shape": None, "seed": None}, "rate"),
                              ("TextVectorization", {"dtype": "string", "max_tokens": 7}, "max_tokens")):  # fmt: skip
        entry = {"class_name": name, "config": {"name": "it", "trainable": True, **config}}
        assert pyml.layers.deserialize(legacy.read_layer(entry, "file")).get_config()[key] == config[key]


def test_a_call_on_what_is_no_tensor_is_refused_in_the_older_form(tmp_path):
    inputs = pyml.Input((3,))
    model = pyml.Model(inputs, pyml.layers.Add()([inputs, pyml.ops.ones((1, 3))]))
    for name in ("m.h5", "m.keras"):
        with pytest.raises(ValueError, match=r"the call of 'add.*': its inputs are not a list of tensors\. Nothing was written"):
            model.save(tmp_path / name, keras_version=2)
    assert not list(tmp_path.iterdir())


def test_a_file_of_hdf5_whose_loss_nobody_knows_opens_and_says_that_it_is_not_compiled(tmp_path):
    def mine(y_true, y_pred):
        return pyml.ops.mean(y_true - y_pred)

    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2)])
    model.compile("sgd", mine)
    model.save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="the model is not compiled: Unknown function 'mine'"):
        opened = pyml.saving.load_model(tmp_path / "m.h5")
    assert not opened.compiled
    assert pyml.saving.load_model(tmp_path / "m.h5", custom_objects={"mine": mine}).compiled


def older(kind, config, *, call=None, inputs=((None, 4),), dtype="float32"):
    """The text that `to_json` of TensorFlow 2.6 gives of a model of one layer."""
    starts = [{"class_name": "InputLayer", "name": f"x{i}", "inbound_nodes": [],
               "config": {"batch_input_shape": list(shape), "dtype": dtype, "sparse": False, "ragged": False, "name": f"x{i}"}}
              for i, shape in enumerate(inputs)]  # fmt: skip
    node = [[f"x{i}", 0, 0, call or {}] for i in range(len(inputs))]
    layer = {"class_name": kind, "name": "one", "inbound_nodes": node if "Lambda" in kind else [node],
             "config": {"name": "one", "trainable": True, "dtype": "float32", **config}}
    model = {"name": "m", "layers": [*starts, layer], "input_layers": [[f"x{i}", 0, 0] for i in range(len(inputs))],
             "output_layers": [["one", 0, 0]]}  # fmt: skip
    return json.dumps({"class_name": "Functional", "config": model, "keras_version": "2.6.0", "backend": "tensorflow"})


@every("kind, config, more, check", [
    ("BatchNormalization", {"axis": [1], "momentum": 0.8}, {}, lambda layer: layer.axis == 1 and layer.momentum == 0.8),
    ("LSTM", {"units": 3, "time_major": False, "implementation": 2}, {"inputs": ((None, 5, 4),)}, lambda layer: layer.units == 3),
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3, "query_shape": [None, 5, 4], "key_shape": None, "value_shape": [None, 5, 4]},
     {"inputs": ((None, 5, 4),), "call": {"value": ["x0", 0, 0]}}, lambda layer: layer.num_heads == 2),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [3, 3], "groups": 1}, {"inputs": ((None, 4, 4, 1),)},
     lambda layer: layer.filters == 2),
    ("SpatialDropout1D", {"rate": 0.2, "noise_shape": None, "seed": None}, {"inputs": ((None, 5, 4),)},
     lambda layer: layer.rate == 0.2),
    ("Attention", {"causal": False, "dropout": 0.0, "use_scale": True}, {"inputs": ((None, 5, 4), (None, 5, 4))},
     lambda layer: layer.use_scale),
    ("Hashing", {"num_bins": 5, "salt": None}, {"dtype": "int32"}, lambda layer: layer.num_bins == 5),
    ("Dense", {"units": 2, "activation": "log_softmax_v2"}, {}, lambda layer: layer.activation is pyml.activations.log_softmax),
    ("Dense", {"units": 2, "activation": "softmax_v2"}, {}, lambda layer: layer.activation is pyml.activations.softmax),
])  # fmt: skip
def test_json_of_keras_2_makes_its_model(kind, config, more, check):
    model = pyml.models.model_from_json(older(kind, config, **more))
    assert check(model.layers[-1])


def test_attention_that_was_causal_by_its_constructor_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'one' is an Attention with causal=True.*use_causal_mask"):
        pyml.models.model_from_json(older("Attention", {"causal": True}, inputs=((None, 5, 4), (None, 5, 4))))


def test_an_ellipsis_of_keras_2_is_one():
    call = {"slice_spec": [{"class_name": "__ellipsis__"}, 0]}
    text = older("SlicingOpLambda", {"function": "__operators__.getitem"}, call=call, inputs=((None, 6, 4),))
    model = pyml.models.model_from_json(text)
    assert model.output_shape == (None, 6)


@every("name, function, given", [
    ("one_mae", "mean_absolute_error", "mae"), ("weighted_mse", "mean_squared_error", "mse"),
    ("two_accuracy", "categorical_accuracy", "accuracy"), ("mae", "mean_absolute_error", "mae"),
    ("accuracy", "binary_accuracy", "accuracy"), ("my_acc", "mean_absolute_error", "mean_absolute_error"),
    ("out_binary_accuracy", "binary_accuracy", "binary_accuracy"), ("mine", "own_function", "mine"),
    (None, "mean_squared_error", "mean_squared_error"),
])  # fmt: skip
def test_metrics_that_older_keras_named_by_their_output_have_their_own_name(name, function, given):
    found = legacy._metric({"class_name": "MeanMetricWrapper", "config": {"name": name, "dtype": "float32", "fn": function}})
    assert found == given
