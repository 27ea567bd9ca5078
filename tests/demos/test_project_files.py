"""The files that the demo pages save and open: whole ones come back, all others are one sentence."""

import asyncio
import zipfile

import numpy as np
import pytest

import pyml
from pyml import layers


@pytest.fixture(scope="module")
def project(demo_module):
    return demo_module("shared", "project")


def test_a_project_comes_back_as_it_was(project):
    data = project.pack("speech", {"words": ["a", "ö"]}, {"model.py": "x = 1\n", "sounds/0.wav": memoryview(b"RIFF")})
    facts, files = project.unpack(memoryview(data), "speech")
    assert facts["words"] == ["a", "ö"] and files == {"model.py": b"x = 1\n", "sounds/0.wav": b"RIFF"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data[:-30], "damaged or not whole"),
        (lambda data: data.replace(b"x = 1", b"x = 2"), "damaged or not whole"),
        (lambda data: b"", "damaged or not whole"),
        (lambda data: data.replace(b"project.json", b"elsewhe.json"), "It is not a whole project"),
    ],
)
def test_a_damaged_file_is_one_sentence(project, change, sentence):
    data = project.pack("speech", {}, {"a.png": "x = 1"})  # stored as it is, so that its bytes can be changed
    with pytest.raises(project.ProjectError, match=sentence):
        project.unpack(change(data), "speech")


def test_a_project_of_another_page_or_a_newer_one_is_named(project, monkeypatch):
    with pytest.raises(project.ProjectError, match="of the page “speech”; open it there"):
        project.unpack(project.pack("speech", {}, {}), "digits")
    monkeypatch.setattr(project, "VERSION", 2)
    newer = project.pack("speech", {}, {})
    monkeypatch.undo()
    with pytest.raises(project.ProjectError, match="newer version"):
        project.unpack(newer, "speech")


def test_a_file_that_would_fill_the_memory_is_not_read(project, monkeypatch):
    monkeypatch.setattr(project, "LARGEST", 1000)
    read = []
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: read.append(1))
    with pytest.raises(project.ProjectError, match="more than a gigabyte"):
        project.unpack(project.pack("speech", {}, {"big.txt": "a" * 2000}), "speech")
    assert read == []


def test_a_model_comes_back_and_what_is_none_is_refused(project, demo_module):
    exports = demo_module("shared", "exports")
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    again = asyncio.run(project.model_of(asyncio.run(exports.keras_bytes(model))))
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(project.ProjectError, match=r"^The model in it cannot be opened: ") as caught:
        asyncio.run(project.model_of(b"no model"))
    assert "\n" not in str(caught.value)


def test_names_of_a_module_come_with_what_they_take(demo_module):
    names = demo_module("mnist", "names").names
    found = {entry["label"]: entry for entry in names("pyml.layers")}
    assert found["Dense"]["type"] == "class" and found["Dense"]["detail"].startswith("(units, activation=None")
    assert any(entry["label"] == "layers" and entry["type"] == "namespace" for entry in names("pyml"))
    assert names("os") == names("pyml.nothing") == []
