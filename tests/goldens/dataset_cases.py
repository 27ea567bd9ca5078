"""Small files in the formats of Keras' data sets, written by a rule and read with Keras and with pyml."""

import gzip
import hashlib
import importlib
import io
import json
import pickle
import tarfile
import tempfile
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np


def write_files(folder):
    """The files that the addresses of the data sets name, of few rows."""
    folder, random = Path(folder), np.random.RandomState(5)
    for name, columns in (("boston_housing", 13), ("california_housing", 8)):
        np.savez(folder / f"{name}.npz", x=random.randint(0, 99, (620, columns)) / 4, y=random.randint(0, 99, 620) / 8)
    texts = np.empty(40, object)
    texts[:] = [random.randint(1, 30, random.randint(3, 12)).tolist() for _ in range(40)]
    labels = random.randint(0, 2, 40)
    np.savez(folder / "imdb.npz", x_train=texts[:25], y_train=labels[:25], x_test=texts[25:], y_test=labels[25:])
    np.savez(folder / "reuters.npz", x=texts, y=labels)
    for name in ("imdb", "reuters"):
        (folder / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "film": 2}), encoding="utf-8")
    for part, count in (("train", 6), ("t10k", 3)):
        for kind, header, shape in (("images-idx3", [2051, count, 28, 28], (count, 784)), ("labels-idx1", [2049, count], count)):
            content = np.array(header, ">u4").tobytes() + random.randint(0, 256 if len(header) > 2 else 10, shape, "uint8").tobytes()
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(content, mtime=0))
    ten = {f"data_batch_{i}": pictures(random, 2, labels=10) for i in range(1, 6)} | {"test_batch": pictures(random, 4, labels=10)}
    hundred = {name: pictures(random, count, fine_labels=100, coarse_labels=20) for name, count in (("train", 5), ("test", 2))}
    for archive, inner, files in (("cifar-10-python", "cifar-10-batches-py", ten), ("cifar-100-python", "cifar-100-python", hundred)):
        with tarfile.open(folder / f"{archive}.tar.gz", "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(f"{inner}/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def pictures(random, count, **labels):
    """A pickle as CIFAR's, with bytes as keys."""
    rows = {name.encode(): random.randint(0, high, count).tolist() for name, high in labels.items()}
    return pickle.dumps({b"data": random.randint(0, 256, (count, 3072)).astype("uint8"), **rows}, 4)


def digest(value):
    """What a data set holds: kinds, shapes, and a hash of the values."""
    if isinstance(value, tuple | list):
        return [digest(item) for item in value]
    whole = str(value.tolist()) if isinstance(value, np.ndarray) else repr(value)
    kind = [str(value.dtype), list(value.shape)] if isinstance(value, np.ndarray) else []
    return [*kind, hashlib.sha256(whole.encode()).hexdigest()[:16]]


CALLS = {  # of Keras too; it has no CIFAR-10 of fewer than 10,000 pictures a file
    "boston": ("boston_housing", "load_data", {}),
    "boston more for testing": ("boston_housing", "load_data", {"test_split": 0.5, "seed": 4}),
    "california": ("california_housing", "load_data", {}),
    "california small": ("california_housing", "load_data", {"version": "small", "test_split": 0}),
    "cifar100": ("cifar100", "load_data", {}),
    "cifar100 coarse": ("cifar100", "load_data", {"label_mode": "coarse"}),
    "fashion": ("fashion_mnist", "load_data", {}),
    "imdb": ("imdb", "load_data", {}),
    "imdb cut": ("imdb", "load_data", {"num_words": 20, "skip_top": 6, "maxlen": 9}),
    "imdb left out": ("imdb", "load_data", {"num_words": 20, "oov_char": None, "start_char": None, "seed": 3}),
    "imdb bare": ("imdb", "load_data", {"start_char": None, "index_from": 0}),
    "imdb words": ("imdb", "get_word_index", {}),
    "reuters": ("reuters", "load_data", {}),
    "reuters cut": ("reuters", "load_data", {"num_words": 20, "skip_top": 6, "maxlen": 9, "test_split": 0.4}),
    "reuters left out": ("reuters", "load_data", {"num_words": 20, "oov_char": None, "start_char": None}),
    "reuters words": ("reuters", "get_word_index", {}),
    "reuters topics": ("reuters", "get_label_names", {}),
}


def with_keras(K, case):
    """A call of Keras, with files of a temporary folder in place of those of the web."""
    module, function, arguments = CALLS[case]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as patches:
        write_files(folder)

        def local(fname=None, origin=None, file_hash=None, cache_subdir="datasets", extract=False):
            return K.utils.get_file(fname, f"file://{folder}/{origin.rpartition('/')[2]}", extract=extract, cache_dir=folder)

        patches.enter_context(mock.patch.object(importlib.import_module(f"keras.src.datasets.{module}"), "get_file", local))
        return digest(getattr(getattr(K.datasets, module), function)(**arguments))


CASES = {case: lambda K, case=case: with_keras(K, case) for case in CALLS}
