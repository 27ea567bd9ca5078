"""`.keras` files that are damaged or malicious: sizes are checked before anything is unpacked, no module that a file names is imported, and
a config that cannot become a model says what is missing and how to hand it over."""

import io
import json
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import layers
from pyml.saving import ModelFileError, load_model


@pyml.saving.register_keras_serializable(package="hostile_archives")
class Noted(layers.Layer):
    """Keeps a text in a file of its own."""

    def __init__(self, note="", **kwargs):
        super().__init__(**kwargs)
        self.note = note

    def call(self, x):
        return x

    def get_config(self):
        return super().get_config() | {"note": ""}

    def save_assets(self, folder):
        Path(folder, "note.txt").write_text(self.note, encoding="utf-8")

    def load_assets(self, folder):
        assert sorted(path.name for path in Path(folder).iterdir()) == ["note.txt"]
        self.note = Path(folder, "note.txt").read_text(encoding="utf-8")


@pytest.fixture
def good(tmp_path):
    """The files of a small `.keras`, by name."""
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
    model.save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(path, files, method=zipfile.ZIP_STORED, more=()):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in [*files.items(), *more]:
            archive.writestr(name, data)
    return path


def refused(path, match):
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20 and len(str(caught.value)) < 1500
    assert "m.keras" in str(caught.value)


def test_what_would_unpack_to_far_more_than_its_size_is_refused_before_it_does(tmp_path, good):
    for name in ("model.weights.h5", "config.json", "assets/vocabulary.txt"):
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, data in good.items():
                archive.writestr(key, data if key != name else b"")
            with archive.open(f"{name}.big" if name in good else name, "w") as member:
                for _ in range(200):
                    member.write(bytes(1 << 20))
        (tmp_path / "m.keras").write_bytes(bomb.getvalue())
        refused(tmp_path / "m.keras", "would unpack to far more")


def test_a_table_of_contents_that_lies_about_sizes_is_refused(tmp_path, good):
    path = packed(tmp_path / "m.keras", good)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")                       # the first entry: both of its sizes
    data[at + 20 : at + 28] = (1 << 31).to_bytes(4, "little") * 2
    path.write_bytes(data)
    refused(path, "more bytes than the file has")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_twice_none_or_no_zip_is_refused(tmp_path, good):
    refused(packed(tmp_path / "m.keras", good, more=[("config.json", b"{}")]), "'config.json' twice")
    for missing, match in (("config.json", "no config.json"), ("model.weights.h5", "no model.weights.h5")):
        refused(packed(tmp_path / "m.keras", {name: data for name, data in good.items() if name != missing}), match)
    for data in (b"", b"PK\x05\x06", b"nothing at all", good["config.json"]):
        (tmp_path / "m.keras").write_bytes(data)
        refused(tmp_path / "m.keras", "damaged or is not a .keras file")
    refused(packed(tmp_path / "m.keras", {**good, "config.json": good["config.json"][:40]}), "JSON")
    refused(packed(tmp_path / "m.keras", {**good, "model.weights.h5": good["model.weights.h5"][:600]}), "model.weights.h5")


def test_names_that_lead_out_of_the_archive_write_nothing_there(tmp_path, good):
    inner = tmp_path / "inner"
    inner.mkdir()
    pyml.Sequential([pyml.Input((3,)), Noted("mine")]).save(inner / "m.keras")
    with zipfile.ZipFile(inner / "m.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    beside = next(name for name in files if name.startswith("assets/")).rpartition("/")[0]
    more = [(name, b"bad") for name in (f"{beside}/../../../out.txt", "../out.txt", "/tmp/out-of-pyml.txt", f"{beside}/..\\out.txt")]
    again = load_model(packed(inner / "m.keras", files, more=more))
    assert again.layers[0].note == "mine"
    assert not list(tmp_path.rglob("*out*.txt")) and not Path("/tmp/out-of-pyml.txt").exists()


def with_layer(good, **changes):
    """The files with another last layer."""
    config = json.loads(good["config.json"])
    config["config"]["layers"][-1].update(changes)
    return {**good, "config.json": json.dumps(config).encode()}


@pytest.mark.parametrize("changes", [
    {"module": "hostile_module", "class_name": "Dense", "registered_name": "hostile_module>Dense"},
    {"module": "hostile_module", "class_name": "Own", "registered_name": None},
    {"module": "os", "class_name": "system", "config": "true"},
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
    {"module": "keras.src.utils.file_utils", "class_name": "get_file", "config": {"origin": "http://127.0.0.1:9/x"}},
])  # fmt: skip
def test_no_module_that_a_file_names_is_imported(tmp_path, good, changes, monkeypatch):
    (tmp_path / "hostile_module.py").write_text("raise SystemExit('it was imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    refused(packed(tmp_path / "m.keras", with_layer(good, **changes)), "Unknown|cannot be made")
    assert "hostile_module" not in sys.modules


def test_what_a_config_names_and_nobody_knows_is_named_with_the_way_to_register_it(tmp_path, good):
    refused(packed(tmp_path / "m.keras", with_layer(good, module="mine", class_name="Glow", registered_name="mine>Glow")),
            r"(?s)Glow.*(custom_objects.*register_keras_serializable|register_keras_serializable.*custom_objects)")  # fmt: skip


def test_a_file_that_does_not_fit_leaves_the_model_and_its_optimizer_as_they_were(tmp_path, good):
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3), "f4"), np.ones((2, 2), "f4"))
    before = [v.numpy() for v in (*model.variables, *model.optimizer.variables)]
    model.save(tmp_path / "m.keras")
    data = (tmp_path / "m.keras").read_bytes()
    for cut in range(50, len(data), len(data) // 23):
        (tmp_path / "m.keras").write_bytes(data[:cut])
        with pytest.raises(ModelFileError):
            model.load_weights(tmp_path / "m.keras")
    wider = pyml.Sequential([pyml.Input((3,)), layers.Dense(4), layers.Dense(3)])
    wider.compile("adam", "mse")
    wider.train_on_batch(np.ones((2, 3), "f4"), np.ones((2, 3), "f4"))
    wider.save(tmp_path / "m.keras")
    with pytest.raises(ModelFileError, match=r"\(4, 2\)"):
        model.load_weights(tmp_path / "m.keras")
    for old, now in zip(before, (*model.variables, *model.optimizer.variables), strict=True):
        np.testing.assert_array_equal(old, now.numpy())


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_config_nested_too_deeply_is_refused(tmp_path, ending):
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])
    deep = "[" * 400 + "]" * 400
    if ending == ".keras":
        model.save(tmp_path / "a.keras")
        with zipfile.ZipFile(tmp_path / "a.keras") as packed:
            parts = {name: packed.read(name) for name in packed.namelist()}
        parts["config.json"] = parts["config.json"].replace(b'"trainable"', f'"deep": {deep}, "trainable"'.encode(), 1)
        with zipfile.ZipFile(tmp_path / "deep.keras", "w") as packed:
            for name, content in parts.items():
                packed.writestr(name, content)
    else:
        from pyml.saving.keras.hdf5 import Group, write

        root = Group(attrs={"model_config": f'{{"class_name": "Sequential", "config": {{"name": "s", "layers": [], "deep": {deep}}}}}'})
        (tmp_path / "deep.h5").write_bytes(b"".join(bytes(piece) for piece in write(root)))
    with pytest.raises(ModelFileError, match="nested too deeply"):
        load_model(tmp_path / f"deep{ending}")
