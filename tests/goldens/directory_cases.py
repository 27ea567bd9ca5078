"""Datasets of folders and of series, written once and run with Keras on TensorFlow (`make_with_tensorflow.py`) and with pyml: what is in
them, in which order, with which labels."""

import contextlib
import io
import tempfile
import wave
from pathlib import Path

import numpy as np


def listed(value):
    """A batch as lists; text as text."""
    if isinstance(value, tuple | list):
        return [listed(part) for part in value]
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return [word.decode() if isinstance(word, bytes) else str(word) for word in array.ravel()]
    return np.round(array.astype("float64"), 3).tolist() if array.dtype.kind == "f" else array.tolist()


def told(make, paths=False):
    """The batches of a dataset, the names of its classes if it has labels, and its files where asked for; of several, all."""
    with contextlib.redirect_stdout(io.StringIO()):
        made = make()
    found, alone = [], not isinstance(made, tuple | list)
    for dataset in [made] if alone else made:
        files = [Path(path).parent.name + "/" + Path(path).name for path in getattr(dataset, "file_paths", []) if alone and paths]
        names = [str(name) for name in getattr(dataset, "class_names", None) or () if name != ""]
        found.append([[listed(batch) for batch in dataset], names, files])
    return found


def picture_folders(K):
    """Pictures by class: sizes, filters, ratios, colours, labels, splits."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        for c, name in enumerate(("cat", "dog", "owl")):
            (Path(folder) / name).mkdir()
            for i in range(3):
                y, x = np.mgrid[0 : 9 + i, 0 : 7 + 2 * c]
                pixels = np.stack([20 * y + 5 * c, 17 * x + 30 * i, 9 * (x + y)], -1)
                Image.fromarray(pixels.astype("uint8")).save(Path(folder) / name / f"{i}.png")
        plain = {"image_size": (3, 4), "batch_size": 4, "shuffle": False}
        ways = {
            "plain": {}, "nearest": {"interpolation": "nearest"}, "area": {"interpolation": "area", "labels": None, "label_mode": None},
            "grey": {"color_mode": "grayscale"}, "alpha": {"color_mode": "rgba"}, "cropped": {"crop_to_aspect_ratio": True},
            "one-hot": {"label_mode": "categorical"},
            "unbatched": {"batch_size": None}, "training": {"validation_split": 0.4, "subset": "training"},
            "validation": {"validation_split": 0.4, "subset": "validation"}, "both": {"validation_split": 0.25, "subset": "both"},
        }  # fmt: skip
        found = {}
        for name, how in ways.items():
            given = {**plain, **how}
            found[name] = told(lambda given=given: K.utils.image_dataset_from_directory(folder, **given), paths=True)
        return found


def text_folders(K):
    """Texts by class, cut, in other orders and parts."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("bad", "good", "so-so"):
            (Path(folder) / name / "inner").mkdir(parents=True)
            for i in range(3):
                (Path(folder) / name / f"{i}.txt").write_text(f"{name} is text number {i}", encoding="utf-8")
            (Path(folder) / name / "inner" / "9.txt").write_text(f"inner {name}", encoding="utf-8")
            (Path(folder) / name / "ignored.csv").write_text("1,2", encoding="utf-8")
        plain = {"batch_size": 5, "shuffle": False}
        ways = {"plain": {}, "cut": {"max_length": 6}, "one-hot": {"label_mode": "categorical"}, "given": {"labels": list(range(12))},
                "none": {"labels": None, "label_mode": None}, "both": {"validation_split": 0.3, "subset": "both"},
                "unbatched": {"batch_size": None}}  # fmt: skip
        return {name: told(lambda how=how: K.utils.text_dataset_from_directory(folder, **{**plain, **how})) for name, how in ways.items()}


def sound_folders(K):
    """Sounds by class, cut or filled to one length."""
    with tempfile.TemporaryDirectory() as folder:
        for c, name in enumerate(("high", "low")):
            (Path(folder) / name).mkdir()
            for i in range(2):
                with wave.open(str(Path(folder) / name / f"{i}.wav"), "wb") as file:
                    file.setparams((1 + c, 2, 8000, 0, "NONE", "not compressed"))
                    file.writeframes((np.arange((6 + 3 * i) * (1 + c)) * 900 - 4000).astype("<i2").tobytes())
        # one folder at a time: the two have another number of channels
        given = {"batch_size": 2, "shuffle": False}
        ways = {"cut": {"output_sequence_length": 5}, "filled": {"output_sequence_length": 11, "label_mode": "categorical"}}
        found = {}
        for name, how in ways.items():
            for only in ("high", "low"):
                alone = {**given, **how, "labels": None, "label_mode": None}
                where = str(Path(folder) / only)
                found[f"{name} {only}"] = told(lambda where=where, alone=alone: K.utils.audio_dataset_from_directory(where, **alone))[0][0]
        return found


def windows_and_rows(K):
    """Windows of series: every argument, and pad_sequences, to_categorical and normalize beside them."""
    T, data, targets, found = K.utils.timeseries_dataset_from_array, np.arange(40).reshape(20, 2), np.arange(20) * 10, {}
    for name, how in {
        "plain": {}, "strided": {"sequence_stride": 3}, "sampled": {"sampling_rate": 3}, "begun": {"start_index": 4},
        "ended": {"end_index": 13}, "all": {"sequence_stride": 2, "sampling_rate": 2, "start_index": 1, "end_index": 18},
        "batches": {"batch_size": 7}, "unbatched": {"batch_size": None},
    }.items():  # fmt: skip
        for y in (None, targets):
            found[f"{name} {y is None}"] = told(lambda y=y, how=how: T(data, y, 4, **how))[0][0]
    rows, P = [[1], [2, 3, 4, 5], [], [6, 7]], K.utils.pad_sequences
    for name, how in {"plain": {}, "post": {"padding": "post"}, "cut": {"maxlen": 2}, "cut at the end": {"maxlen": 3, "truncating": "post"},
                      "floats": {"dtype": "float32", "value": -1.5}}.items():  # fmt: skip
        found[f"rows {name}"] = P(rows, **how).tolist()
    found["one-hot"] = [K.utils.to_categorical(y, n).tolist() for y, n in (([0, 2, 1], None), ([[1], [0]], 3), ([[0, 1], [2, 0]], 4))]
    x = np.arange(12.0).reshape(3, 4) - 4
    norms = [(-1, 2), (0, 2), (-1, 1), (0, 1)]
    found["normalized"] = [np.round(np.asarray(K.utils.normalize(x, axis=a, order=n)), 6).tolist() for a, n in norms]
    return found


CASES = [picture_folders, text_folders, sound_folders, windows_and_rows]
