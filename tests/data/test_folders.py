"""Datasets of folders of images, texts and sounds; windows of series; datasets cut in two; files of the web."""

import hashlib
import io
import shutil
import tarfile
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import utils


@pytest.fixture
def texts(tmp_path):
    for name, words in (("bad", ["awful", "dull", "poor"]), ("good", ["fine", "great", "lovely", "nice"])):
        (tmp_path / name).mkdir()
        for i, word in enumerate(words):
            (tmp_path / name / f"{i}.txt").write_text(word, encoding="utf-8")
    return tmp_path


def test_texts_are_labelled_by_their_folder_in_the_order_of_their_paths(texts, capsys):
    ds = utils.text_dataset_from_directory(texts, batch_size=5, shuffle=False)
    (x, y), (x2, y2) = list(ds)
    assert [str(word) for word in [*x, *x2]] == ["awful", "dull", "poor", "fine", "great", "lovely", "nice"]
    assert [*y.tolist(), *y2.tolist()] == [0, 0, 0, 1, 1, 1, 1]
    assert ds.class_names == ["bad", "good"] and len(ds.file_paths) == 7
    assert "Found 7 files belonging to 2 classes." in capsys.readouterr().out


def test_a_folder_is_split_without_overlap(texts):
    given = {"validation_split": 0.3, "seed": 3, "verbose": False, "batch_size": None}
    training, validation = utils.text_dataset_from_directory(texts, subset="both", **given)
    alone = utils.text_dataset_from_directory(texts, subset="validation", **given)
    assert len(training) == 5 and len(validation) == 2
    assert {*training.file_paths} | {*validation.file_paths} == {str(p) for p in texts.glob("*/*.txt")}
    assert alone.file_paths == validation.file_paths


@pytest.mark.parametrize(("mode", "want"), [("categorical", [[1, 0], [0, 1]]), ("binary", [[0], [1]]), ("int", [0, 1])])
def test_labels_have_the_form_of_their_mode(texts, mode, want):
    labels = [y for _, y in utils.text_dataset_from_directory(texts, label_mode=mode, shuffle=False, batch_size=None, verbose=False)]
    np.testing.assert_array_equal([labels[0], labels[-1]], want)


def test_labels_may_be_a_list_or_none(texts):
    ds = utils.text_dataset_from_directory(texts, labels=[3, 1, 4, 1, 5, 9, 2], shuffle=False, batch_size=7, verbose=False)
    assert next(iter(ds))[1].tolist() == [3, 1, 4, 1, 5, 9, 2]
    given = {"shuffle": False, "batch_size": None, "verbose": False}
    alone = utils.text_dataset_from_directory(texts, labels=None, label_mode=None, max_length=2, **given)
    assert [str(word) for word in alone][:2] == ["aw", "du"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"label_mode": "float"}, "label_mode"), ({"class_names": ["a", "b"]}, "class_names"),
        ({"validation_split": 2}, "validation_split"),
        ({"subset": "training"}, "validation_split"), ({"labels": [1]}, "one class for each file"), ({"labels": "some"}, "labels"),
        ({"validation_split": 0.5, "subset": "training"}, "seed"), ({"format": "numpy"}, "format"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_named(texts, given, told):
    with pytest.raises(ValueError, match=told):
        utils.text_dataset_from_directory(texts, **given)


def test_a_folder_without_files_is_named(tmp_path):
    with pytest.raises(ValueError, match=tmp_path.name):
        utils.text_dataset_from_directory(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        utils.text_dataset_from_directory(tmp_path / "nowhere")


def test_images_are_brought_to_one_size_and_train_a_model(tmp_path, cpu):
    image = pytest.importorskip("PIL.Image")
    for name, value in (("dark", 10), ("light", 240)):
        (tmp_path / name).mkdir()
        for i in range(3):
            image.fromarray(np.full((9 + i, 8, 3), value, np.uint8)).save(tmp_path / name / f"{i}.png")
    ds = utils.image_dataset_from_directory(tmp_path, image_size=(6, 5), batch_size=4, seed=1, verbose=False)
    x, y = next(iter(ds))
    assert x.shape == (4, 6, 5, 3) and x.dtype == np.float32
    np.testing.assert_allclose(np.asarray(x).mean((1, 2, 3)), np.where(np.asarray(y) == 1, 240, 10), atol=1e-3)
    model = pyml.Sequential([pyml.Input((6, 5, 3)), pyml.layers.Flatten(), pyml.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    assert len(model.fit(ds, epochs=2, verbose=0).history["loss"]) == 2
    grey = utils.image_dataset_from_directory(tmp_path, color_mode="grayscale", image_size=(6, 5), batch_size=None, verbose=False,
                                              data_format="channels_first")  # fmt: skip
    assert next(iter(grey))[0].shape == (1, 6, 5)


def test_sounds_are_cut_or_filled_to_one_length(tmp_path):
    (tmp_path / "a").mkdir()
    for name, count in (("long", 10), ("short", 3)):
        with wave.open(str(tmp_path / "a" / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(np.full(count, 16384, "<i2").tobytes())
    x, _ = next(iter(utils.audio_dataset_from_directory(tmp_path, output_sequence_length=5, shuffle=False, verbose=False)))
    np.testing.assert_array_equal(np.asarray(x)[..., 0], [[0.5] * 5, [0.5] * 3 + [0, 0]])
    with pytest.raises(ValueError, match="8000 samples a second, not 16000"):
        list(utils.audio_dataset_from_directory(tmp_path, sampling_rate=16000, verbose=False))


def test_windows_of_a_series_begin_and_step_as_told():
    data = np.arange(20)
    ds = utils.timeseries_dataset_from_array(data, data * 10, sequence_length=3, sequence_stride=4, sampling_rate=2, batch_size=None,
                                             start_index=2, end_index=18)  # fmt: skip
    pairs = [(x.tolist(), int(y)) for x, y in ds]
    assert pairs == [([2, 4, 6], 20), ([6, 8, 10], 60), ([10, 12, 14], 100)]
    shuffled = utils.timeseries_dataset_from_array(data, None, sequence_length=5, shuffle=True, seed=1, batch_size=4)
    rows = np.concatenate([np.asarray(batch) for batch in shuffled])
    assert sorted(rows[:, 0].tolist()) == list(range(16)) and (np.diff(rows) == 1).all()

    def order(seed):
        windows = utils.timeseries_dataset_from_array(data, None, sequence_length=5, shuffle=True, seed=seed, batch_size=None)
        return [int(window[0]) for window in windows]

    np.random.seed(1)
    assert order(1) == order(1) != order(2) and order(None) != order(None)


@pytest.mark.parametrize("given", [{"sampling_rate": 0}, {"sequence_stride": 99}, {"start_index": -1}, {"end_index": 99}, {"format": "x"}])
def test_windows_that_cannot_be_are_refused(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        utils.timeseries_dataset_from_array(np.arange(9), None, 3, **given)


def test_a_dataset_is_cut_in_two():
    left, right = utils.split_dataset((np.arange(10), np.arange(10) * 2), left_size=0.7)
    assert [int(a) for a, _ in left] == list(range(7)) and [int(b) for _, b in right] == [14, 16, 18]
    left, right = utils.split_dataset(pyml.data.Dataset.range(8), right_size=2, shuffle=True, seed=4)
    assert len(left) == 6 and sorted(int(v) for ds in (left, right) for v in ds) == list(range(8))
    for given in ({}, {"left_size": 2.0}, {"left_size": 11}, {"left_size": 0.9, "right_size": 0.9}):
        with pytest.raises(ValueError, match="split_dataset"):
            utils.split_dataset(np.arange(10), **given)


def test_a_file_is_fetched_once_checked_and_kept(tmp_path, capsys):
    source = tmp_path / "rows.csv"
    source.write_bytes(b"a,b\n1,2\n")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    given = {"origin": source.as_uri(), "cache_dir": tmp_path / "cache", "file_hash": digest}
    path = utils.get_file(**given)
    assert Path(path).read_bytes() == b"a,b\n1,2\n" and path.endswith("datasets/rows.csv")
    capsys.readouterr()
    source.write_bytes(b"changed")
    assert utils.get_file(**given) == path and capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="corrupted"):
        utils.get_file(**given, force_download=True)
    assert Path(path).read_bytes() == b"a,b\n1,2\n"
    with pytest.raises(OSError, match="URL fetch failure"):
        utils.get_file(origin=(tmp_path / "none").as_uri(), cache_dir=tmp_path / "cache")
    assert [p.name for p in (tmp_path / "cache" / "datasets").iterdir()] == ["rows.csv"]
    bad = [({"origin": None}, "origin"), ({"fname": "a/b", "origin": "file:///a"}, "cache_dir"), ({"origin": "file:///"}, "fname")]
    for given, told in bad:
        with pytest.raises(ValueError, match=told):
            utils.get_file(**given)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_unpacked_and_may_not_leave_its_folder(tmp_path, kind):
    def archive(name, member):
        path = tmp_path / name
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as file:
                file.writestr(member, b"inside")
        else:
            with tarfile.open(path, "w:gz") as file:
                info = tarfile.TarInfo(member)
                info.size = 6
                file.addfile(info, io.BytesIO(b"inside"))
        return path.as_uri()

    folder = utils.get_file(origin=archive("good.bin", "deep/file.txt"), extract=True, cache_dir=tmp_path / "cache")
    assert (Path(folder) / "deep/file.txt").read_bytes() == b"inside"
    named = utils.get_file("data.tar.gz", archive("again.bin", "x.txt"), extract=True, cache_dir=tmp_path / "cache")
    assert named.endswith("data_extracted")
    with pytest.raises(ValueError, match="get_file"):
        utils.get_file(origin=archive("bad.bin", "../../outside.txt"), extract=True, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.rglob("outside.txt"))


def test_sequences_are_filled_and_cut_as_keras_does():
    rows = [[1], [2, 3], [4, 5, 6]]
    assert pyml.preprocessing.sequence.pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert utils.pad_sequences(rows, maxlen=2, padding="post", truncating="post", value=-1).tolist() == [[1, -1], [2, 3], [4, 5]]
    assert utils.pad_sequences([[[1, 2]], []], dtype="float32").shape == (2, 1, 2)
    assert utils.pad_sequences([["a"], []], dtype=object, value="-").tolist() == [["a"], ["-"]]
    assert utils.pad_sequences(rows, maxlen=0).shape == (3, 0)
    for given, told in (({"padding": "mid"}, "padding"), ({"truncating": "mid"}, "truncating"), ({"value": "x"}, "dtype")):
        with pytest.raises(ValueError, match=told):
            utils.pad_sequences(rows, **given)
    for bad, told in ((7, "must be iterable"), ([1, 2], "Found non-iterable: 1"), ([[[1, 2]], [[1]]], r"Shape of sample \(1,\)")):
        with pytest.raises(ValueError, match=told):
            utils.pad_sequences(bad)


def test_a_config_is_a_dict_with_attributes_that_can_be_frozen():
    config = utils.Config(rate=0.1)
    config.units, config["name"] = 3, "a"
    assert config.units == 3 and sorted(config) == ["name", "rate", "units"]
    assert config.to_json() == '{"rate": 0.1, "units": 3, "name": "a"}'
    with pytest.raises(AttributeError, match="Did you mean 'units'"):
        config.unit  # noqa: B018
    config.freeze()
    with pytest.raises(ValueError, match="frozen"):
        config.units = 4
    config.unfreeze()
    del config["name"]
    assert config.pop("rate") == 0.1 and len(config) == 1 and "units" in config


def test_the_inputs_behind_a_symbolic_tensor_are_found():
    a, b = pyml.Input((2,)), pyml.Input((2,))
    assert utils.get_source_inputs(pyml.layers.Dense(1)(a) + b * a) == [a, b]
    assert utils.get_source_inputs(a) == [a]


def test_a_function_computes_its_graph(cpu):
    a, b = pyml.Input((2,)), pyml.Input((2,))
    f = pyml.Function({"a": a, "b": b}, [a + b, a * b])
    total, product = f({"a": np.ones((1, 2)), "b": np.full((1, 2), 3.0)})
    assert total.tolist() == [[4, 4]] and product.tolist() == [[3, 3]]
    with pytest.raises(ValueError, match="takes 2 inputs"):
        f([np.ones((1, 2))])


def test_a_picture_of_a_model_needs_pydot(monkeypatch):
    class Dot:  # what pydot has, as text
        def __init__(self, *args, **kwargs):
            self.args, self.kwargs, self.parts = args, kwargs, []

        add_node = add_edge = add_subgraph = lambda self, part: self.parts.append(part)
        set_node_defaults = lambda self, **kwargs: None

    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3, name="first"), pyml.layers.Dense(1, name="second")])
    monkeypatch.setitem(__import__("sys").modules, "pydot", None)
    with pytest.raises(ImportError, match="pip install pydot"):
        utils.plot_model(model)
    with monkeypatch.context() as tab:  # where nothing runs Graphviz
        tab.setattr("sys.platform", "emscripten")
        with pytest.raises(ImportError, match=r"a browser tab has no Graphviz.*pyml.vis.model_graph"):
            utils.plot_model(model)
        for call in (utils.model_to_dot, lambda model: utils.plot_model(model, "model.dot")):
            with pytest.raises(ImportError, match=r"import micropip; await micropip.install\('pydot'\)"):
                call(model)
    fake = type("pydot", (), {"Dot": Dot, "Cluster": Dot, "Node": Dot, "Edge": Dot})
    monkeypatch.setitem(__import__("sys").modules, "pydot", fake)
    parts = utils.model_to_dot(model, show_shapes=True).parts
    labels = [part.kwargs["label"] for part in parts if "label" in part.kwargs]
    assert any("first (Dense)" in text and "(None, 3)" in text for text in labels) and len(parts) - len(labels) == 2
    with pytest.raises(ValueError, match="splines"):
        utils.model_to_dot(model, splines="wavy")
    i = pyml.Input((2,), name="i")
    outer = pyml.Model(i, pyml.layers.Dense(4, name="last")(model(pyml.layers.Dense(2, name="begin")(i))))
    for opened, nodes, within in ((False, ["i", "begin", model.name, "last"], []), (True, ["i", "begin", "last"], ["first", "second"])):
        parts = utils.model_to_dot(outer, show_layer_names=True, expand_nested=opened).parts
        names = lambda parts: [part.kwargs["label"].split(" (")[0].strip("{") for part in parts if "label" in part.kwargs and part.args]
        assert names(parts) == nodes
        assert [name for part in parts if getattr(part, "parts", None) for name in names(part.parts) if "input" not in name] == within


def test_a_picture_of_a_model_is_drawn_by_graphviz_where_it_is(tmp_path):
    pydot = pytest.importorskip("pydot")
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    inner = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(5, name="in_first"), pyml.layers.Dense(3, name="in_last")], name="inner")
    i = pyml.Input((4,), name="i")
    model = pyml.Model(i, pyml.layers.Dense(1, name="last")(inner(pyml.layers.Dense(4, name="first")(i))))
    for name, begins in (("m.png", b"\x89PNG"), ("m.svg", b"<?xml"), ("m.dot", b"digraph")):
        utils.plot_model(model, tmp_path / name, show_layer_names=True, expand_nested=True)
        assert (tmp_path / name).read_bytes().startswith(begins)
    (graph,) = pydot.graph_from_dot_data((tmp_path / "m.dot").read_text())
    names = {node.get_name(): node.get_label() for part in (graph, *graph.get_subgraphs()) for node in part.get_nodes() if node.get_label()}
    edges = [tuple(names[end].split(" (")[0].strip('"{') for end in (edge.get_source(), edge.get_destination()))
             for part in (graph, *graph.get_subgraphs()) for edge in part.get_edges()]  # fmt: skip
    own = next(name for name in (label.split(" (")[0].strip('"{') for label in names.values()) if name.startswith("input_layer"))
    assert sorted(edges) == sorted([("i", "first"), ("first", own), (own, "in_first"), ("in_first", "in_last"), ("in_last", "last")])
    before = (tmp_path / "m.png").read_bytes()
    with pytest.raises(ValueError, match="Graphviz draws no 'foo'"):
        utils.plot_model(model, tmp_path / "m.foo")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        utils.plot_model(model, tmp_path / "none" / "m.png")
    assert (tmp_path / "m.png").read_bytes() == before and not (tmp_path / "m.foo").exists()


def test_without_labels_files_beside_the_folders_count_too(tmp_path):
    (tmp_path / "one").mkdir()
    for name in ("one/a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(name)
    for options in ({"labels": None}, {"label_mode": None}):
        found = pyml.utils.text_dataset_from_directory(tmp_path, batch_size=None, shuffle=False, verbose=False, **options)
        assert sorted(found) == ["b.txt", "c.txt", "one/a.txt"] and found.class_names is None
