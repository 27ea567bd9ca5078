"""Files of Keras: `.keras`, `.weights.h5` and `.h5`, written and read here, and those that Keras wrote (`make_keras_files.py`)."""

import base64
import json
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from make_keras_files import own_layer

import pyml
from pyml import Input, Model, Sequential, layers, ops, settings
from pyml.saving import ModelFileError, load_model
from pyml.saving.keras import hdf5, hdf5_read, legacy

X = np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4)
Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2)


@pytest.fixture
def trained():
    model = Sequential([Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.5), layers.BatchNormalization(), layers.Dense(2)])
    model.compile(pyml.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(X, Y, epochs=2, verbose=0)
    return model


def same_weights(a, b):
    pairs = list(zip(a.get_weights(), b.get_weights(), strict=True))
    return all((one == other).all() for one, other in pairs)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_model_comes_back_with_the_state_of_its_training(trained, tmp_path, ending):
    path = tmp_path / f"model{ending}"
    trained.save(path)
    again = load_model(path)
    assert same_weights(trained, again)
    state, read = ([v.numpy() for v in m.optimizer.variables] for m in (trained, again))
    assert all((a == b).all() for a, b in zip(state, read, strict=True))
    compiled = trained.get_compile_config()
    if ending == ".h5":
        compiled |= {"loss": "mean_squared_error"}     # Keras does not find "mse" again in an .h5
    assert again.get_compile_config() == compiled
    assert not load_model(path, compile=False).compiled


def test_ops_between_layers_are_kept(tmp_path):
    x = Input((4, 3))
    y = ops.sum(layers.Dense(4)(x)[:, 1:], axis=1, keepdims=True) * 2 + 1
    model = Model({"in": x}, {"a": ops.concatenate([y, -y], axis=-1), "b": ops.reshape(y, (-1, 2, 2))})
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    data = {"in": np.linspace(-1, 1, 24, dtype="float32").reshape(2, 4, 3)}
    assert again.to_json() == model.to_json()
    assert all((again(data)[key].numpy() == model(data)[key].numpy()).all() for key in "ab")


def test_weights_go_into_another_model_of_the_same_layers(trained, tmp_path):
    trained.save_weights(tmp_path / "m.weights.h5")
    other = pyml.models.clone_model(trained)
    other.load_weights(tmp_path / "m.weights.h5")
    assert same_weights(trained, other)


def test_what_does_not_fit_is_named_and_changes_nothing(trained, tmp_path):
    trained.save_weights(tmp_path / "m.weights.h5")
    other = Sequential([Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dense(5, name="wide")])
    before = other.get_weights()
    with pytest.raises(ModelFileError, match=r"'wide'.*shape \(3, 5\); an array of \(3, 2\)"):
        other.load_weights(tmp_path / "m.weights.h5")
    assert all((a == b).all() for a, b in zip(before, other.get_weights(), strict=True))
    with pytest.warns(UserWarning, match="'wide'"):
        other.load_weights(tmp_path / "m.weights.h5", skip_mismatch=True)
    assert (other.layers[0].kernel.numpy() == trained.layers[0].kernel.numpy()).all()


def test_an_archive_holds_what_keras_looks_for(trained, tmp_path):
    trained.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
    assert (config["module"], config["class_name"]) == ("keras", "Sequential")
    assert [layer["module"] for layer in config["config"]["layers"]] == ["keras.layers"] * 5
    assert list(config["compile_config"]) == ["optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
                                              "steps_per_execution", "jit_compile"]


@pyml.saving.register_keras_serializable("test_keras_files")
class Scaled(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.first, self.rest = units, layers.Dense(units), [layers.Dense(2), [layers.Dense(2)]]
        self.scale = self.add_weight(shape=(2,), name="scale", initializer="ones")

    def call(self, x):
        return self.rest[1][0](self.rest[0](self.first(x))) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_a_trained_subclass_comes_back_from_a_file_and_from_pickle(tmp_path):
    model = Scaled(5)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    for again in (load_model(tmp_path / "m.keras"), pickle.loads(pickle.dumps(model))):
        assert (again.predict(X, verbose=0) == model.predict(X, verbose=0)).all()
        assert again.optimizer.iterations.numpy() == model.optimizer.iterations.numpy()


def test_a_lambda_is_made_only_where_the_file_is_trusted(tmp_path):
    factor = 3.0
    model = Sequential([Input((4,)), layers.Lambda(lambda x: x * factor)])
    with pytest.warns(UserWarning, match="bytecode"):
        model.save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match="safe_mode=False"):
        load_model(tmp_path / "m.keras")
    assert (load_model(tmp_path / "m.keras", safe_mode=False)(X).numpy() == X * 3).all()


def test_unsafe_deserialization_once_enabled_holds_for_every_file(tmp_path, monkeypatch):
    with pytest.warns(UserWarning, match="bytecode"):
        Sequential([Input((4,)), layers.Lambda(lambda x: x + 1)]).save(tmp_path / "m.keras")
    monkeypatch.setitem(settings._values, "unsafe_deserialization", None)  # as it is found, and put back
    pyml.config.enable_unsafe_deserialization()
    assert (load_model(tmp_path / "m.keras")(X).numpy() == X + 1).all()


def test_a_layer_in_two_models_of_one_file_stays_one_layer(tmp_path):
    x, shared = Input((4,)), layers.Dense(4)
    model = Model(x, Sequential([Input((4,)), shared])(shared(x)))
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert len(again.weights) == 2
    np.testing.assert_allclose(again(X).numpy(), model(X).numpy(), rtol=1e-6)


def test_a_damaged_file_is_one_clear_error(tmp_path):
    model = Sequential([Input((4,)), layers.Dense(2)])
    model.save_weights(tmp_path / "m.weights.h5")
    data, random = (tmp_path / "m.weights.h5").read_bytes(), np.random.default_rng(0)
    before, refused = model.get_weights(), 0
    for _ in range(300):
        damaged = bytearray(data[: random.integers(1, len(data))] if random.random() < 0.2 else data)
        for _ in range(random.integers(1, 6)):
            damaged[random.integers(len(damaged))] = random.integers(256)
        (tmp_path / "d.weights.h5").write_bytes(damaged)
        try:
            model.load_weights(tmp_path / "d.weights.h5")  # what hits a number, or nothing, cannot be told
            model.set_weights(before)
        except ModelFileError:
            refused += 1
            assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert refused > 50


def test_weights_in_shards_come_back(trained, tmp_path):
    trained.save_weights(tmp_path / "m.weights.json", max_shard_size=64 / 1024**3)
    assert len(list(tmp_path.glob("m-*.weights.h5"))) > 2
    other = pyml.models.clone_model(trained)
    other.load_weights(tmp_path / "m.weights.json")
    assert same_weights(trained, other)


def test_shards_are_old_or_new_wherever_writing_ends(trained, tmp_path, monkeypatch):
    listed, most = tmp_path / "m.weights.json", 64 / 1024**3
    trained.save_weights(listed, max_shard_size=most)
    old, kept = trained.get_weights(), sorted(tmp_path.iterdir())
    new = pyml.models.clone_model(trained)
    new.set_weights([weight + 1 for weight in old])
    other = pyml.models.clone_model(trained)
    writes = []

    def ends(path, data, at):
        writes.append(path)
        if len(writes) == at:
            raise OSError("no space left on device")
        whole_write(path, data)

    whole_write = pyml.saving.shards.write
    for at in range(1, len(kept) + 3):
        writes.clear()
        monkeypatch.setattr("pyml.saving.shards.write", lambda path, data, at=at: ends(path, data, at))
        try:
            new.save_weights(listed, max_shard_size=most)
        except OSError:
            other.load_weights(listed)
            assert all((a == b).all() for a, b in zip(old, other.get_weights(), strict=True)), at
            assert sorted(tmp_path.iterdir()) == kept, at
        else:
            break
    assert len(writes) == at - 1 > 3
    other.load_weights(listed)
    assert same_weights(new, other)
    assert len(list(tmp_path.iterdir())) == len(writes) + 1  # the one more is what Keras opens first, and holds nothing


def test_shards_of_keras_are_replaced_and_those_of_another_model_stay(trained, tmp_path):
    most = 64 / 1024**3
    for name in "mn":
        trained.save_weights(tmp_path / f"{name}.weights.json", max_shard_size=most)
    listed = json.loads((tmp_path / "m.weights.json").read_text())
    ours = sorted({file for files in listed["weight_map"].values() for file in (files if isinstance(files, list) else [files])})
    named = {name: f"m_{i:05}.weights.h5" for i, name in enumerate(ours)}  # as Keras names them
    for name, new in named.items():
        (tmp_path / name).replace(tmp_path / new)
    rename = lambda files: [named[file] for file in files] if isinstance(files, list) else named[files]
    listed["weight_map"] = {key: rename(files) for key, files in listed["weight_map"].items()}
    (tmp_path / "m.weights.json").write_text(json.dumps(listed))
    other = pyml.models.clone_model(trained)
    other.load_weights(tmp_path / "m.weights.json")
    assert same_weights(trained, other)
    other.set_weights([weight + 1 for weight in trained.get_weights()])
    other.save_weights(tmp_path / "m.weights.json", max_shard_size=most)
    assert [path.name for path in tmp_path.glob("m_*")] == ["m_00000.weights.h5"]
    assert (tmp_path / "m_00000.weights.h5").stat().st_size < 2000
    for name, wanted in {"m": other, "n": trained}.items():
        found = pyml.models.clone_model(trained)
        found.load_weights(tmp_path / f"{name}.weights.json")
        assert same_weights(wanted, found)


def test_files_that_keras_wrote_predict_and_train_on_as_in_keras(tmp_path):
    cases = json.loads((Path(__file__).parents[1] / "goldens" / "keras_files.json").read_text())["cases"]
    own_layer(pyml)
    assert {"shared", "nested", "own layer", "quantized and adapted"} < set(cases)
    for name, case in cases.items():
        for ending, data in case["files"].items():
            (tmp_path / f"m{ending}").write_bytes(zlib.decompress(base64.b64decode(data)))
        x = np.array(case["x"], case["dtype"])
        whole = load_model(tmp_path / "m.keras")
        bare = type(whole).from_config(whole.get_config())
        bare.load_weights(tmp_path / "m.weights.h5")
        opened = {".keras": whole, ".weights.h5": bare}
        if ".weights.json" in case["files"]:
            assert len(case["files"]) > 5              # several shards
            opened[".weights.json"] = pyml.models.clone_model(bare)
            opened[".weights.json"].load_weights(tmp_path / "m.weights.json")
        if ".h5" in case["files"] and name != "op between layers":  # which Keras itself does not open again from the form of Keras 2
            opened[".h5"] = load_model(tmp_path / "m.h5")
        for ending, model in opened.items():
            found = model.predict(x, verbose=0)
            for have, want in zip(found if isinstance(found, list) else [found], case["outputs"], strict=True):
                np.testing.assert_allclose(have, want, atol=1e-5, err_msg=f"{name} {ending}")
            if "loss" in case and ending in (".keras", ".h5"):  # they bring Adam's moments along
                losses = [float(model.train_on_batch(x, np.array(case["y"], "float32"))) for _ in case["loss"]]
                np.testing.assert_allclose(losses, case["loss"], rtol=1e-5, err_msg=ending)


def test_a_folder_of_keras_is_replaced_with_all_that_is_in_it_and_no_other_folder_is(trained, tmp_path):
    place = tmp_path / "kept" / "net"
    trained.save(place, zipped=False)
    new = pyml.models.clone_model(trained)
    new.set_weights([weight + 1 for weight in trained.get_weights()])
    new.save(place, zipped=False)
    assert same_weights(new, load_model(place))
    assert [path.name for path in place.parent.iterdir()] == ["net"]
    (place / "notes.txt").write_text("of the user")
    with pytest.raises(FileExistsError, match=r"holds notes\.txt"):
        new.save(place, zipped=False)
    assert (place / "notes.txt").read_text() == "of the user"


def test_a_folder_that_is_replaced_while_it_is_read_gives_one_model_and_no_mixture(trained, tmp_path, monkeypatch):
    new = pyml.models.clone_model(trained)
    new.set_weights([weight + 1 for weight in trained.get_weights()])
    trained.save(tmp_path / "net", zipped=False)
    opened = []

    def open_and_replace(path, mode):
        if len(opened) in moments:
            new.save(tmp_path / "net", zipped=False)
        opened.append(path)
        return open(path, mode)

    monkeypatch.setattr(pyml.saving.loading, "open", open_and_replace, raising=False)
    monkeypatch.setattr("os.fsync", lambda handle: None)
    moments = {1}                                      # between the first file and the second
    assert same_weights(new, load_model(tmp_path / "net"))
    assert len(opened) == 4                            # what was read meanwhile was read again
    opened.clear()
    moments = range(100)
    monkeypatch.setattr(pyml.saving.loading, "READINGS", 3)
    with pytest.raises(ModelFileError, match="was replaced 3 times while it was read; wait until"):
        load_model(tmp_path / "net")


@pyml.saving.register_keras_serializable(package="tests")
class TwoOfALayer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = [layers.Dense(3), layers.Dense(3)]

    def build(self, input_shape):
        for part in self.parts:
            part.build(input_shape)

    def call(self, x):
        return self.parts[1](self.parts[0](x))


def test_layers_that_a_layer_keeps_in_a_list_are_loaded_by_place_whatever_their_numbers(tmp_path):
    x = np.eye(3, dtype="float32")
    pyml.backend.clear_session()
    layers.Dense(1)                                     # takes the name "dense"
    model = pyml.Sequential([pyml.Input((3,)), TwoOfALayer()])
    model.save(tmp_path / "m.keras")
    pyml.backend.clear_session()                        # now the second one gets the name that the first one had
    loaded = pyml.saving.load_model(tmp_path / "m.keras")
    assert loaded.layers[0].parts[1].name == model.layers[0].parts[0].name == "dense_1"
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_operations_between_layers_and_models_of_ones_own_are_kept_in_h5(tmp_path):
    i = pyml.Input((4,))
    model = pyml.Model(i, layers.Dense(2)(pyml.ops.concatenate([i[:, :2] ** 2, i[:, 2:]], axis=-1)))
    model.save(tmp_path / "m.h5")
    x = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_allclose(pyml.saving.load_model(tmp_path / "m.h5").predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


@pyml.saving.register_keras_serializable("tests")
class TwoInputs(Model):
    """What a first argument's shape does not tell: a second one, and layers that a `build` of one's own leaves to `call`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.words, self.rest = layers.Embedding(7, 2, name="same"), [layers.Dense(2, name="same")]

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(2,), initializer="normal", name="scale")
        super().build(input_shape)

    def call(self, x, words, training=False):
        return (self.rest[0](x) + self.words(words["ids"])) * self.scale


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_model_with_a_call_of_its_own_of_several_inputs_is_kept(tmp_path, ending):
    model, x, words = TwoInputs(), np.ones((3, 4), "float32"), {"ids": np.array([1, 0, 6])}
    expected = model(x, words).numpy()
    model.save(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(pyml.models.load_model(tmp_path / f"m.{ending}")(x, words), expected)
    if ending == "h5":
        with pytest.raises(ValueError, match="of which Keras 2 opens no"):
            model.save(tmp_path / "two.h5", keras_version=2)
        assert not (tmp_path / "two.h5").exists()


def test_ops_between_layers_in_an_h5_are_those_that_keras_writes_and_reads(tmp_path):
    """Keras reads no `...` in an `.h5`, and writes its ops there without their modules, so that it does not find them itself."""
    i = pyml.Input((3, 4))
    model = pyml.Model(i, layers.Dense(2)(pyml.ops.max(pyml.ops.maximum(i[..., 1:], 0.2), axis=1)))
    model.save(tmp_path / "m.h5")
    root = hdf5_read.read((tmp_path / "m.h5").read_bytes(), "m")
    assert "__ellipsis__" not in root.attrs["model_config"] and root.attrs["model_config"].count("__slice__") == 3
    config = json.loads(root.attrs["model_config"])
    for entry in config["config"]["layers"]:           # as Keras has them
        if ".ops" in entry["module"]:
            del entry["module"], entry["registered_name"]
    root.attrs["model_config"] = json.dumps(config)
    (tmp_path / "keras.h5").write_bytes(b"".join(bytes(piece) for piece in hdf5.write(root)))
    x = np.arange(24, dtype="float32").reshape(2, 3, 4) - 9
    for name in ("m.h5", "keras.h5"):
        np.testing.assert_allclose(pyml.saving.load_model(tmp_path / name).predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)


def test_one_group_and_a_mixed_policy_are_kept_in_h5(tmp_path):
    """One group came back as the default of 32, in silence where the channels can be so divided."""
    model = pyml.Sequential([Input((4, 32)), layers.GroupNormalization(groups=1), layers.Dense(2, dtype="mixed_float16")])
    model.save(tmp_path / "new" / "m.h5")              # folders are made for this form, as by Keras
    normalization, dense = pyml.saving.load_model(tmp_path / "new" / "m.h5").layers
    assert (normalization.groups, dense.dtype_policy.name) == (1, "mixed_float16")


@pyml.saving.register_keras_serializable("tests")
class InACircle(Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts, self.named = [layers.Dense(2)], {"last": [layers.Dense(2)]}
        self.parts.append(self.parts)
        self.named["itself"] = self.named

    def call(self, x):
        return self.named["last"][0](self.parts[0](x))


def test_a_list_that_holds_itself_is_looked_into_once(tmp_path, cpu):
    model = InACircle()
    expected = model(X).numpy()
    model.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    assert len(loaded.layers) == 2 and same_weights(model, loaded)
    np.testing.assert_array_equal(loaded(X).numpy(), expected)


class Halves(Model):
    """A model of one's own that holds models of a graph, and is held by another one."""

    def __init__(self):
        super().__init__()
        for name in ("first", "second", "third"):
            inputs = Input((2,))
            setattr(self, name, Model(inputs, layers.Dense(2)(inputs)))

    def call(self, x):
        return self.third(self.second(self.first(x)))


class ThreeHalves(Model):
    def __init__(self):
        super().__init__()
        self.begin, self.rest = Halves(), [Halves(), Halves()]

    def call(self, x):
        for part in (self.begin, *self.rest):
            x = part(x)
        return x


def test_a_model_in_a_wrapper_is_named_with_its_module_in_h5(tmp_path):
    """Without it Keras 3 does not find it: `Could not locate class 'Sequential'`."""
    x = pyml.Input((4, 3))
    steps = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, name="inside")], name="steps")
    model = pyml.Model(x, pyml.layers.TimeDistributed(steps)(x))
    model.save(tmp_path / "m.h5")
    config = json.loads(hdf5_read.read((tmp_path / "m.h5").read_bytes(), "m").attrs["model_config"])
    inner = config["config"]["layers"][1]["config"]["layer"]
    assert (inner["module"], inner["class_name"], inner["registered_name"]) == ("keras", "Sequential", None)
    ones = np.ones((2, 4, 3), "float32")
    np.testing.assert_allclose(pyml.models.load_model(tmp_path / "m.h5").predict(ones, verbose=0), model.predict(ones, verbose=0))


def test_every_weight_of_models_inside_models_is_saved(tmp_path):
    """Lists of layers that were made while the model was walked took the places in memory of others, which counted as seen."""
    saved, loaded = ThreeHalves(), ThreeHalves()
    for model in (saved, loaded):
        model(X[:, :2])
    saved.save_weights(tmp_path / "m.weights.h5")
    loaded.load_weights(tmp_path / "m.weights.h5")
    assert len(saved.weights) == 18 and same_weights(saved, loaded)


def test_arguments_that_older_keras_3_refuses_are_written_only_where_they_say_something(tmp_path):
    """Keras 3.12 and before raises on `quantization_config=None`, `renorm=False` and the like, which 3.15 writes always."""

    @pyml.saving.register_keras_serializable("test_keras_files")
    class Salted(layers.Dense):
        def __init__(self, units, salt=None, **kwargs):
            super().__init__(units, **kwargs)
            self.salt = salt

        def get_config(self):
            return {**super().get_config(), "salt": self.salt}

    x = Input((5, 4))
    y = layers.MultiHeadAttention(2, 3, seed=7)(x, x)
    y = layers.BatchNormalization(renorm=True)(layers.BatchNormalization()(Salted(3)(y)))
    y = layers.Resizing(2, 2, antialias=True)(layers.Resizing(4, 4)(layers.Reshape((5, 3, 1))(y)))
    model = Model(x, layers.Dense(2, kernel_initializer="orthogonal")(y))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[pyml.metrics.SparseTopKCategoricalAccuracy()])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config = json.loads(archive.read("config.json"))
    for described in (config, json.loads(model.to_json())):
        by_class = {}
        for layer in described["config"]["layers"]:
            by_class.setdefault(layer["class_name"], []).append(layer["config"])
        text = json.dumps(described)
        for gone in ("quantization_config", "input_axes", "use_gate", "sliding_window", "bounding_box_format", "optional"):
            assert gone not in text
        assert by_class["MultiHeadAttention"][0]["seed"] == 7
        assert [("renorm" in each) for each in by_class["BatchNormalization"]] == [False, True]
        assert [each.get("antialias") for each in by_class["Resizing"]] == [None, True]
        assert "salt" in by_class["Salted"][0]            # the user's own
        assert by_class["Dense"][0]["kernel_initializer"]["class_name"] == "OrthogonalInitializer"  # as 3.0 to 3.6 know it
    again = load_model(tmp_path / "m.keras")
    assert again.get_config() == model.get_config()
    assert "quantization_config" in model.layers[-1].get_config()


def test_bfloat16_in_hdf5_is_read_in_both_its_forms():
    values = np.array([1.0, -2.5, 0.15625], np.float32)
    data = b"".join(hdf5.write(hdf5.Group(items={"a": (values.view(np.uint32) >> 16).astype(np.uint16).view(np.float16)})))
    half = b"\x11\x20\x0f\x00\x02\x00\x00\x00"
    assert data.count(half) == 1
    at = data.index(half) + 8
    for form in (data.replace(half, b"\x15\x00\x00\x00\x02\x00\x00\x00"),  # opaque, as Keras 3.0 wrote it
                 data[:at] + bytes([0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0]) + data[at + 12 :]):
        found = hdf5_read.read(form, "file").items["a"]
        assert found.dtype == np.float32
        assert np.asarray(found).tolist() == values.tolist()


def test_what_keras_3_0_wrote_otherwise_is_read(device):
    old = pyml.layers.RandomRotation(0.1).get_config() | {"value_range": [0, 255]}
    assert pyml.layers.RandomRotation.from_config(old).factor == pyml.layers.RandomRotation(0.1).factor
    nadam = pyml.optimizers.Nadam(0.01)
    nadam.build([pyml.Variable(np.ones((2, 3), "float32")), pyml.Variable(np.ones(3, "float32"))])
    state = [np.full(v.shape, i + 1, v.dtype) for i, v in enumerate(nadam.variables)]
    stored = [*state[:2], state[-1], *state[2:-1]]     # the product after the rate
    nadam.load_own_variables({str(i): value for i, value in enumerate(stored)})
    found = [v.numpy().ravel()[0] for v in nadam.variables if v is not nadam._learning_rate]
    assert found == [1, *range(3, len(state) + 1)]


def test_training_that_keras_3_0_notes_of_a_call_in_an_h5_says_nothing():
    x = Input((4,))
    config = json.loads(Model(x, layers.GaussianNoise(0.5)(x)).to_json())
    for layer in config["config"]["layers"]:
        del layer["module"], layer["registered_name"]
    config["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": True}
    model = legacy._model({key: config[key] for key in ("class_name", "config")}, "file", None, True, True, 1 << 20)
    assert (model.predict(X, verbose=0) == X).all()


def test_layers_in_files_of_keras_2_13_are_found_by_their_order(tmp_path):
    """It counts layers with weights twice as it numbers them: `dense`, `dense_2`, and those without once."""
    inner = Sequential([Input((4,)), layers.Dense(4), layers.Dense(4)])
    model = Sequential([Input((4,)), layers.Dense(4), layers.Dense(4, name="a"), inner, layers.Dense(4)])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    root = hdf5_read.read(path.read_bytes(), "file")

    def as_2_13(group):
        found = group.items.pop("layers")
        for number, name in ((4, "dense_2"), (2, "dense_1")):
            if name in found.items:
                found.items[f"dense_{number}"] = found.items.pop(name)
        group.items["_layer_checkpoint_dependencies"] = found
        return found

    as_2_13(as_2_13(root).items["sequential"])
    path.write_bytes(b"".join(bytes(part) for part in hdf5.write(root)))
    again = pyml.models.clone_model(model)
    again.load_weights(path)
    assert same_weights(model, again)


def test_arguments_that_classes_of_ones_own_may_read_otherwise_are_written(tmp_path):
    @pyml.saving.register_keras_serializable("test_keras_files")
    class First(layers.BatchNormalization):
        def __init__(self, **kwargs):
            kwargs.setdefault("renorm", True)
            super().__init__(**kwargs)

    @pyml.saving.register_keras_serializable("test_keras_files")
    class Popping(layers.BatchNormalization):
        @classmethod
        def from_config(cls, config):
            return cls(renorm=config.pop("renorm"), **config)

    model = Sequential([Input((4,)), First(renorm=False), First(), Popping()])
    model.save(tmp_path / "m.keras")
    assert [layer.renorm for layer in load_model(tmp_path / "m.keras").layers] == [False, True, False]


def test_gates_of_attention_are_kept_where_keras_looks_for_them(tmp_path):
    class Own(layers.GroupQueryAttention):
        pass

    x = Input((5, 4))
    y = layers.MultiHeadAttention(2, 3, use_gate=True)(x, x)
    model = Model(x, Own(3, 4, 2, use_gate=True)(layers.GroupQueryAttention(3, 4, 2, use_gate=True)(y, y), y))
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    root = hdf5_read.read(path.read_bytes(), "file")
    for name in ("multi_head_attention/_gate_dense", "grouped_query_attention/_gate_dense", "own/_gate_dense", "own/_query_dense"):
        assert len(root.find(f"layers/{name}/vars").items) == 2
    for layer in root.items["layers"].items.values():  # as pyml wrote it first
        if "_gate_dense" in layer.items:
            layer.items["gate_dense"] = layer.items.pop("_gate_dense")
    path.write_bytes(b"".join(bytes(part) for part in hdf5.write(root)))
    again = pyml.models.clone_model(model)
    again.load_weights(path)
    assert same_weights(model, again)


def test_a_map_of_policies_comes_back_from_an_h5(tmp_path):
    policies = pyml.dtype_policies.DTypePolicyMap()
    policies["part"] = pyml.dtype_policies.DTypePolicy("mixed_bfloat16")
    model = Sequential([Input((4,)), layers.Dense(3, name="part", dtype=policies)])
    model.save(tmp_path / "m.h5")
    assert load_model(tmp_path / "m.h5").get_config() == model.get_config()
