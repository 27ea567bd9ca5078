"""`pyml.datasets`: files as Keras' data sets have them, fetched from a server of this machine; what is told without a network."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import http.server
import importlib.util
import json
import pickle
import threading
import types
from pathlib import Path

import dataset_cases as cases
import numpy as np
import pytest

from pyml import config, datasets
from pyml.datasets import _files, _origins, boston_housing, fashion_mnist

GOLDENS = json.loads((Path(cases.__file__).parent / "dataset_cases.json").read_text(encoding="utf-8"))
INSTALLED = boston_housing._installed


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server of small files, and the list of paths that were asked for."""
    folder, asked = tmp_path_factory.mktemp("served"), []
    cases.write_files(folder)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}/", asked
    served.shutdown()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty cache, and nothing of this machine's packages."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(fashion_mnist, "_PACKAGED", tmp_path / "none")
    monkeypatch.setattr(boston_housing, "_installed", lambda: None)


@pytest.fixture
def small(server, monkeypatch):
    """The addresses of the data sets, on the server."""
    address, asked = server
    there = {name: (address + origin.rpartition("/")[2], None) for name, (origin, _) in _origins.ORIGINS.items()}
    monkeypatch.setattr(_origins, "ORIGINS", there)
    return asked


@pytest.mark.parametrize("case", cases.CALLS)
def test_a_data_set_is_what_keras_makes_of_the_same_file(case, small):
    module, function, arguments = cases.CALLS[case]
    assert cases.digest(getattr(getattr(datasets, module), function)(**arguments)) == GOLDENS[case]


def test_cifar10_joins_its_five_files_in_the_data_format_of_the_settings(small):
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    assert (x.shape, y.shape, x_test.shape, y_test.shape) == ((10, 32, 32, 3), (10, 1), (4, 32, 32, 3), (4, 1))
    assert x.dtype == y.dtype == y_test.dtype == np.uint8
    config.set_image_data_format("channels_first")
    try:
        first = datasets.cifar10.load_data()[0][0]
    finally:
        config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), x)


def test_a_file_is_fetched_once(small):
    datasets.boston_housing.load_data()
    before = len(small)
    datasets.boston_housing.load_data(seed=2)
    assert len(small) == before


@pytest.mark.parametrize("name", ["boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "reuters"])
def test_without_a_network_one_sentence_names_the_address_and_the_place(name, monkeypatch, tmp_path):
    nowhere = {file: ("http://127.0.0.1:9/" + origin.rpartition("/")[2], digest) for file, (origin, digest) in _origins.ORIGINS.items()}
    monkeypatch.setattr(_origins, "ORIGINS", nowhere)
    with pytest.raises(OSError, match="cannot be fetched") as told:
        getattr(datasets, name).load_data()
    assert "http://127.0.0.1:9/" in str(told.value) and f"put it to {tmp_path / 'datasets'}" in str(told.value)


def test_a_file_with_another_hash_is_refused(server, monkeypatch):
    origins = {name: (server[0] + origin.rpartition("/")[2], digest) for name, (origin, digest) in _origins.ORIGINS.items()}
    monkeypatch.setattr(_origins, "ORIGINS", origins)
    with pytest.raises(ValueError, match="corrupted"):
        datasets.imdb.load_data()


class Harm:
    def __reduce__(self):
        return print, ("harm",)


@pytest.mark.parametrize("content", [pickle.dumps(Harm()), b"\x80\x04nothing"])
def test_a_pickle_that_asks_for_more_than_arrays_is_refused(content, tmp_path, capsys):
    harmful = np.empty(1, object)
    harmful[0] = Harm()
    np.savez(tmp_path / "harm.npz", x_train=harmful)
    with pytest.raises(ValueError, match=r"harm\.npz is not a file of arrays"):
        datasets.imdb.load_data(str(tmp_path / "harm.npz"))
    folder = tmp_path / "datasets" / "cifar-100-python-target"
    path = tmp_path / "train"
    path.write_bytes(content)
    from pyml.datasets import _cifar

    with pytest.raises(ValueError, match="not a pickle of arrays"):
        _cifar.batch(path)
    assert capsys.readouterr().out == "" and not folder.exists()


@pytest.mark.parametrize("call, told", [
    (lambda: datasets.boston_housing.load_data(test_split=1.0), "test_split"),
    (lambda: datasets.california_housing.load_data("tiny"), "one of 'small', 'large'"),
    (lambda: datasets.cifar100.load_data("middle"), "label_mode"),
])  # fmt: skip
def test_arguments_that_no_data_set_has_are_refused_before_anything_is_fetched(call, told):
    with pytest.raises(ValueError, match=told):
        call()


def test_no_text_that_is_short_enough_is_an_error(small):
    with pytest.raises(ValueError, match="Increase maxlen"):
        datasets.imdb.load_data(maxlen=2)


def test_digits_are_looked_for_where_the_environment_says_then_in_the_users_cache_then_in_the_working_folder(tmp_path, monkeypatch):
    parts = {name: np.full(2, i, np.uint8) for i, name in enumerate(("x_train", "y_train", "x_test", "y_test"))}
    homes = [tmp_path / "named", tmp_path / "cache" / "pyml" / "assets" / "data", tmp_path / "data", tmp_path]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYML_DATA", str(homes[0]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match=r"few\.npz was not found in .*named, .*PYML_DATA"):
        datasets.mnist.load_data("few.npz")
    for i, home in reversed(list(enumerate(homes))):  # each is preferred to those that have it already
        home.mkdir(parents=True, exist_ok=True)
        np.savez(home / "few.npz", **{name: part + 10 * i for name, part in parts.items()})
        for load in (datasets.mnist.load_data, lambda name: asyncio.run(datasets.mnist.load_data_async(name))):
            (x, y), (x_test, y_test) = load("few.npz")
            assert [part[0] - 10 * i for part in (x, y, x_test, y_test)] == [0, 1, 2, 3], home
    assert datasets.mnist.load_data(str(homes[2] / "few.npz"))[0][0][0] == 20
    monkeypatch.delenv("PYML_DATA")
    assert datasets.mnist.load_data("few.npz")[0][0][0] == 10
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Path("~/.cache/pyml/assets/data").expanduser() in _files.folders()
    monkeypatch.setenv("PYML_DATA", "https://site.org/files/")
    assert _files.address("few.npz") == "https://site.org/files/few.npz" and len(_files.folders()) == 4
    with pytest.raises(FileNotFoundError):
        datasets.mnist.load_data(str(tmp_path / "nothing.npz"))
    (tmp_path / "few.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="not a file of digits"):
        datasets.mnist.load_data(str(tmp_path / "few.npz"))


def test_house_prices_come_from_the_package_boston_where_it_has_the_rows_that_are_known(tmp_path, monkeypatch):
    assert INSTALLED() is None or INSTALLED().shape == (506, 14)
    table = tmp_path / "boston" / "resources" / "boston_house_prices.csv"
    table.parent.mkdir(parents=True)
    package = types.SimpleNamespace(origin=str(tmp_path / "boston" / "__init__.py"))
    for found in (None, types.SimpleNamespace(origin=None), package):  # not installed, a folder that is no package, without the table
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, found=found: found)
        assert INSTALLED() is None
    table.write_text("a,b\n" + "\n".join(f"{i},{i / 2}" for i in range(3)))
    assert INSTALLED() is None  # another table
    monkeypatch.setattr(boston_housing, "_SHA256", hashlib.sha256(table.read_bytes()).hexdigest())
    np.testing.assert_array_equal(INSTALLED(), [[0, 0], [1, 0.5], [2, 1]])
    monkeypatch.setattr(boston_housing, "_installed", lambda: np.arange(140.0).reshape(10, 14))
    monkeypatch.setattr(_origins, "ORIGINS", {"boston_housing.npz": ("http://127.0.0.1:9/boston_housing.npz", None)})
    (x, y), (x_test, y_test) = boston_housing.load_data()
    assert x.shape == (8, 13) and y_test.shape == (2,)
    np.testing.assert_array_equal(np.concatenate([y, y_test]) - np.concatenate([x, x_test])[:, 12], 1)
