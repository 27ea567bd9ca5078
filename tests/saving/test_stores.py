"""Addresses of the browser's stores, what the desktop says about them, and models from files that a user chose."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml.saving import ModelFileError, ModelStoreError, browser_files, load_model, load_model_async, stores
from pyml.saving.stores import parse


def small():
    return pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3, activation="relu"), pyml.layers.Dense(2)])


@pytest.fixture
def saved(tmp_path):
    """A model and its files by name."""
    model = small()
    model.save(tmp_path / "net.json")
    return model, {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize(("target", "expected"), [
    ("indexeddb://digits", ("indexeddb", "digits")),
    ("localstorage://my/models/1", ("localstorage", "my/models/1")),
    ("downloads://net", ("downloads", "net")),
    ("downloads://", ("downloads", "model")),
    ("models/digits", None),
    ("https://example.com/model.json", None),
    (["indexeddb://digits"], None),
])  # fmt: skip
def test_addresses_are_a_scheme_and_a_name(target, expected):
    assert parse(target) == expected


@pytest.mark.parametrize(("target", "match"), [
    ("indexeddb://", "expected a name after indexeddb://"),
    ("localstorage://a://b", "expected a name after localstorage://"),
    ("downloads://folder/net", "without slashes"),
    ("https://example.com/model.json", "cannot be written to"),
    ("s3://bucket/model", "cannot be written to"),
])  # fmt: skip
def test_addresses_that_are_no_targets_are_refused_before_anything_is_written(tmp_path, monkeypatch, target, match):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=match):
        small().save(target)
    with pytest.raises(ValueError, match=match):
        asyncio.run(small().save_async(target))
    assert list(tmp_path.iterdir()) == []


def test_arguments_that_no_form_has_are_refused_for_stores_too(monkeypatch):
    monkeypatch.setattr(stores, "in_browser", lambda where: None)
    for options, match in (({"surprise": 1}, "arguments not recognized: surprise"), ({"keras_version": 5}, "must be 2 or 3"),
                           ({"keras_version": 2}, "files that end in .keras or .h5"), ({"save_format": "h5"}, "Keras 2's")):  # fmt: skip
        with pytest.raises(ValueError, match=match):
            asyncio.run(small().save_async("indexeddb://digits", **options))


@pytest.mark.parametrize("call", [
    lambda: small().save("indexeddb://digits"),
    lambda: small().save("downloads://digits"),
    lambda: asyncio.run(small().save_async("localstorage://digits")),
    lambda: load_model("localstorage://digits"),
    lambda: asyncio.run(load_model_async("indexeddb://digits")),
    lambda: pyml.saving.list_models(),
    lambda: asyncio.run(pyml.saving.list_models_async()),
    lambda: pyml.saving.remove_model("indexeddb://digits"),
    lambda: pyml.saving.copy_model("indexeddb://digits", "localstorage://digits"),
    lambda: asyncio.run(pyml.saving.move_model_async("indexeddb://digits", "downloads://digits")),
])  # fmt: skip
def test_the_desktop_says_that_only_browsers_have_stores(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelStoreError, match="only a browser has such a place; on the desktop use the path"):
        call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [
    lambda: small().save("indexeddb://digits.keras"),
    lambda: asyncio.run(small().save_async("indexeddb://digits.h5")),
    lambda: small().save_weights("downloads://digits.weights.h5"),
    lambda: asyncio.run(small().save_weights_async("indexeddb://digits.weights.h5")),
    lambda: small().load_weights("indexeddb://digits.weights.h5"),
])  # fmt: skip
def test_files_of_keras_have_no_such_places_on_the_desktop_either(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelStoreError, match="only a browser has such a place"):
        call()
    assert list(tmp_path.iterdir()) == []


def test_chosen_files_of_keras_load_as_models_and_as_weights(tmp_path):
    model = small()
    x = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
    expected = model.predict(x, verbose=0)
    for name in ("net.keras", "net.h5"):
        asyncio.run(model.save_async(tmp_path / name))
        chosen = browser_files({name: (tmp_path / name).read_bytes()})
        np.testing.assert_array_equal(load_model(chosen).predict(x, verbose=0), expected)
        np.testing.assert_array_equal(asyncio.run(load_model_async(chosen)).predict(x, verbose=0), expected)
    asyncio.run(model.save_weights_async(tmp_path / "net.weights.h5"))
    asyncio.run(model.save_weights_async(tmp_path / "net.npz"))
    model.save_weights(tmp_path / "cut.weights.json", max_shard_size=5e-8)
    cut = {path.name: path.read_bytes() for path in tmp_path.glob("cut*")}
    for source in (browser_files([tmp_path / "net.weights.h5"]), browser_files([tmp_path / "net.keras"]), cut, tmp_path / "net.npz"):
        other = small()
        other.load_weights(source)
        np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
        other = small()
        asyncio.run(other.load_weights_async(source))
        np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
    with pytest.raises(ModelFileError, match="these are weights alone"):
        load_model(browser_files([tmp_path / "net.weights.h5"]))
    with pytest.raises(ModelFileError, match=r"needs the file 'cut-[0-9a-f]*_00001"):
        small().load_weights({name: data for name, data in cut.items() if "00001" not in name})


@pytest.mark.parametrize(("call", "match"), [
    (lambda: pyml.saving.remove_model("digits"), "such as indexeddb://digits"),
    (lambda: pyml.saving.remove_model("downloads://digits"), "such as indexeddb://digits"),
    (lambda: pyml.saving.copy_model("models/digits", "indexeddb://digits"), "such as indexeddb://digits"),
    (lambda: pyml.saving.copy_model("indexeddb://digits", "models/digits"), "expected a target"),
    (lambda: pyml.saving.move_model("indexeddb://digits", "indexeddb://digits"), "give another name"),
    (lambda: load_model("downloads://digits"), "let the user choose the files"),
])  # fmt: skip
def test_wrong_addresses_are_named_with_what_was_expected(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_chosen_files_load_in_any_order_and_form(saved, tmp_path):
    model, files = saved
    x = np.random.default_rng(0).uniform(-1, 1, (5, 4)).astype(np.float32)
    expected = model.predict(x, verbose=0)
    pairs = list(files.items())
    forms = [browser_files(pairs), browser_files(pairs[::-1]), files, pairs, [tmp_path / name for name in files],
             [(f"folder/{name}", memoryview(data)) for name, data in pairs]]  # fmt: skip
    for form in forms:
        np.testing.assert_array_equal(load_model(form).predict(x, verbose=0), expected)
        np.testing.assert_array_equal(asyncio.run(load_model_async(form)).predict(x, verbose=0), expected)


def test_chosen_files_that_do_not_make_a_model_are_refused(saved):
    _, files = saved
    [shard] = [name for name in files if name.endswith(".bin")]
    with pytest.raises(ModelFileError, match=f"needs the file '{shard}', which was not given"):
        load_model({"net.json": files["net.json"]})
    with pytest.raises(ModelFileError, match=r"expected one \.json file"):
        load_model({shard: files[shard]})
    with pytest.raises(ModelFileError, match=r"expected one \.json file.*Received: no files"):
        load_model([])
    with pytest.raises(ModelFileError, match="two files are named"):
        browser_files([*files.items(), (f"other/{shard}", b"")])
    with pytest.raises(ModelFileError, match="at most"):
        load_model({**files, shard: files[shard] + bytes(10_000)})
    with pytest.raises(ModelFileError, match="cut short"):
        load_model({**files, shard: files[shard][:-4]})
    description = json.loads(files["net.json"])
    description["weightsManifest"][0]["paths"] = [5]
    with pytest.raises(ModelFileError, match="5 is not a file name"):
        load_model({**files, "net.json": json.dumps(description).encode()})
    for wrong in ("net.json", 5, [5], [("net.json", "text")]):
        with pytest.raises(TypeError, match="browser_files: expected"):
            browser_files(wrong)


def test_a_path_can_be_saved_to_while_the_event_loop_runs(device, tmp_path):
    model, x = small(), np.ones((2, 4), np.float32)
    asyncio.run(model.save_async(tmp_path / "digits", quantize="float16"))
    model.save(f"file://{tmp_path}/again", quantize="float16")
    first, second = load_model(tmp_path / "digits"), load_model(tmp_path / "again")
    np.testing.assert_array_equal(first.predict(x, verbose=0), second.predict(x, verbose=0))
    np.testing.assert_allclose(first.predict(x, verbose=0), model.predict(x, verbose=0), atol=2e-2)
    with pytest.raises(FileExistsError, match="overwrite"):
        asyncio.run(model.save_async(tmp_path / "digits", overwrite=False))


def test_the_names_of_tensorflow_js_are_in_pyml_io():
    for name in ("browser_files", "copy_model", "list_models", "move_model", "remove_model"):
        assert getattr(pyml.io, name) is getattr(pyml.saving, name)


def test_the_example_of_a_folder_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / "saving.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)  # e2e/test_stores.py runs all of them
    (example,) = (block for block in blocks if "digits/model.json" in block)
    exec(compile(example, "saving.md", "exec"), {})
    assert capsys.readouterr().out == "True\n" and (tmp_path / "digits" / "model.json").is_file()


@pytest.fixture(scope="module")
def told():
    """What a model in localStorage was after each kind of accident."""
    run = subprocess.run(["node", Path(__file__).with_name("stores_in_node.mjs")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-800:]
    return json.loads(run.stdout)


def test_localstorage_holds_the_old_model_or_the_new_one_wherever_a_page_ends_or_the_room_does(told):
    assert set(told["found"]) == {1, 2}
    assert told["found"] == sorted(told["found"])       # from some moment on it is the new one
    assert told["found"][-1] == 2
    assert len(told["found"]) > 8                       # every part and the copy beside them were met
    assert {(answer, value) for answer, value, _ in told["full"]} == {("quota", 1), ("kept", 2)}
    assert not any(pending for *_, pending in told["full"])


def test_a_page_that_ended_where_the_room_is_short_leaves_localstorage_readable(told):
    # where there is no room for both, the old model goes before the new one comes; "quota" would be for good
    assert {1, 2} <= set(told["tight"]) <= {1, 2, "missing"}


def test_what_else_stands_where_a_model_is_being_kept_hides_no_other_model(told):
    assert told["damaged"] == [1, 1, 1]
