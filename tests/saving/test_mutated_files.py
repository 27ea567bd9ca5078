"""Real files of every format, flipped, cut and stretched at random: a reader loads them or says that they are damaged."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import random
import tracemalloc
import warnings
import wave
import zipfile

import numpy as np
import pytest
from graph_cases import graph, node

import pyml
from pyml import layers
from pyml.errors import ShapeError
from pyml.saving import ModelFileError, load_model, load_safetensors, load_state_dict, load_torch, save_safetensors

ROUNDS = int(os.environ.get("PYML_FUZZ", "60"))        # mutations of each file
ROOM = 24 << 20                                        # bytes that a reader may take besides twice the file
KEYS = (b"shape", b"dtype", b"name", b"units", b"data_offsets", b"inbound_nodes", b"null", b"0", b"[", b"]", b"{", b"}", b'"')
WORDS = (b"-1", b"1e999", b"NaN", b"99999999999999999999", b"null", b"[]", b"{}", b'""', b"true", b"\xff", b"\x00" * 9, b"[[[[[[")


def small():
    return pyml.Sequential([pyml.Input((3,)), layers.Dense(4, activation="relu"), layers.BatchNormalization(), layers.Dense(2)])


def arrays():
    random_numbers = np.random.default_rng(0)
    return {"a": random_numbers.normal(size=(4, 3)).astype("f4"), "b/c": np.arange(5), "d": np.array(True), "e": np.zeros((0, 2), "f2")}


TENSOR = (  # the pickle of {"weight": a tensor of shape (2, 3)}, as torch.save writes it
    b"\x80\x02}q\x00(X\x06\x00\x00\x00weightq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\x00\x00\x00storageq\x03ctorch\n"
    b"FloatStorage\nq\x04X\x01\x00\x00\x000q\x05X\x03\x00\x00\x00cpuq\x06K\x06tq\x07QK\x00K\x02K\x03\x86q\x08K\x03K\x01\x86q\t\x89"
    b"ccollections\nOrderedDict\nq\n)Rq\x0btq\x0cRq\ru."
)
NUMBERS = np.arange(6, dtype="<f4").tobytes()


def torch_zip(folder):
    with zipfile.ZipFile(folder / "w.pt", "w") as archive:
        for name, data in (("data.pkl", TENSOR), ("byteorder", b"little"), ("data/0", NUMBERS)):
            archive.writestr(f"w/{name}", data)


def torch_old(folder):
    head = (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "protocol_version": 1001})
    parts = [*(pickle.dumps(v, 2) for v in head), TENSOR, pickle.dumps(["0"], 2), (6).to_bytes(8, "little"), NUMBERS]
    (folder / "o.pth").write_bytes(b"".join(parts))


def functional(folder):
    a, b = pyml.Input((4, 3)), pyml.Input((4,))
    h = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(a)
    pyml.Model([a, b], layers.Dense(2)(layers.SimpleRNN(4)(h, initial_state=[b]), training=False)).save(folder, quantize="uint8")


def graph_model(folder):
    nodes = [node("x", "Placeholder", dtype="DT_FLOAT"), node("w", "Const", dtype="DT_FLOAT"), node("y", "MatMul", ["x", "w"]),
             node("z", "Relu", ["y"]), node("s", "Softmax", ["z"])]  # fmt: skip
    description, packed = graph(nodes, {"w": np.arange(6, dtype=np.float32).reshape(2, 3)})
    (folder / "model.json").write_text(json.dumps(description))
    (folder / "w.bin").write_bytes(packed)


def trained(folder, name):
    model = small()
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3), "f4"), np.ones((2, 2), "f4"))
    model.save(folder / name)


def knn(folder):
    model = pyml.models.KNNClassifier()
    for i in range(3):
        model.add_example(np.eye(4, dtype="float32")[i], f"class {i}")
    model.save(folder / "k.npz")


FORMATS = {
    "safetensors": (lambda f: save_safetensors(arrays(), f / "w.safetensors"), lambda f: load_safetensors(f / "w.safetensors")),
    "npz": (lambda f: np.savez(f / "w.npz", **arrays()), lambda f: load_state_dict(f / "w.npz")),
    "npz compressed": (lambda f: np.savez_compressed(f / "w.npz", **arrays()), lambda f: load_state_dict(f / "w.npz")),
    "weights": (lambda f: small().save_weights(f / "w.npz"), lambda f: small().load_weights(f / "w.npz")),
    "torch": (torch_zip, lambda f: load_torch(f / "w.pt")),
    "torch before 1.6": (torch_old, lambda f: load_torch(f / "o.pth")),
    "layers-model": (lambda f: small().save(f), load_model),
    "functional layers-model": (functional, load_model),
    "graph-model": (graph_model, load_model),
    ".keras": (lambda f: trained(f, "m.keras"), lambda f: load_model(f / "m.keras")),
    ".h5": (lambda f: trained(f, "m.h5"), lambda f: load_model(f / "m.h5")),
    ".weights.h5": (lambda f: small().save_weights(f / "m.weights.h5"), lambda f: small().load_weights(f / "m.weights.h5")),
    "KNNClassifier": (knn, lambda f: pyml.models.KNNClassifier.load(f / "k.npz")),
}  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to four changes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        kind = chance.randrange(7)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            del out[at : at + chance.choice((1, 4, 40))]
        elif kind == 3:
            out[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 4, 40))))
        elif kind == 4:
            out[at : at + 8] = chance.choice((b"\xff" * 8, bytes(8), (1 << 40).to_bytes(8, "little"), (1 << 62).to_bytes(8, "little")))
        elif kind == 5:
            found = out.find(chance.choice(KEYS), at)
            if found >= 0:
                out[found : found + chance.randrange(9)] = chance.choice(WORDS)
        else:
            out[at:at] = out[at : at + chance.choice((3, 30, 300))]
    return bytes(out)


@pytest.mark.parametrize("name", FORMATS)
def test_a_mutated_file_loads_or_is_refused_in_time_and_memory(tmp_path, name):
    make, load = FORMATS[name]
    make(tmp_path)
    files = {path: path.read_bytes() for path in sorted(tmp_path.iterdir())}
    load(tmp_path)
    chance, seen = random.Random(name), {"loaded": 0, "refused": 0}
    for round_ in range(ROUNDS):
        path = chance.choice(list(files))
        data = mutated(files[path], chance)
        path.write_bytes(data)
        tracemalloc.start()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")        # numpy speaks of values that overflow
                load(tmp_path)
            seen["loaded"] += 1
        except (ModelFileError, ShapeError) as error:
            seen["refused"] += 1
            assert len(str(error)) < 900, (round_, str(error))
        except ValueError as error:
            assert name == "KNNClassifier" and "is not a file that KNNClassifier.save wrote" in str(error), (round_, data[:400])
            seen["refused"] += 1
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 2 * sum(map(len, files.values())) + ROOM, (round_, peak)
        path.write_bytes(files[path])
    assert seen["refused"] > ROUNDS // 10


# ---- data
def test_a_mutated_csv_file_is_read_whole_or_refused_with_its_line():
    table, chance, seen = b'rooms;age;"na;me";price\n3;10;"x ""y""\nz";2,5\n4;;q;$3\n5;6;w;1.234,5\n' * 3, random.Random(5), [0, 0]
    for _ in range(10 * ROUNDS):
        data = mutated(table, chance)
        try:
            found = pyml.data.inspect_csv(data)
            assert len(list(pyml.data.csv(data, **found.options))) == found.rows
            seen[0] += 1
        except ValueError as error:
            assert "bytes" in str(error) and len(str(error)) < 900, data
            seen[1] += 1
    assert min(seen) > ROUNDS


def test_a_mutated_wav_file_is_heard_to_its_end_or_refused(tmp_path):
    chance, path, seen = random.Random(6), tmp_path / "sound.wav", [0, 0]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        file.writeframes(np.arange(1000, dtype="<i2").tobytes())
    whole = path.read_bytes()

    async def listen():
        async with pyml.data.microphone(path, include_waveform=True, num_frames_per_spectrogram=2, fft_size=64) as microphone:
            async for _ in microphone:
                pass

    for _ in range(ROUNDS):
        path.write_bytes(mutated(whole[:48], chance) + whole[48 : 48 + chance.randrange(2000)])
        try:
            asyncio.run(listen())
            seen[0] += 1
        except (ValueError, pyml.data.MediaError) as error:
            assert "sound.wav" in str(error)
            seen[1] += 1
    assert min(seen) > ROUNDS // 10


# ---- nested beyond reason
def nested_in(folder, depth, place):
    """model.json of a functional model with a list of `depth` lists at `place`."""
    functional(folder)
    description = json.loads((folder / "model.json").read_text())
    item, *path, last = description, *place
    for key in path:
        item = item[key]
    item[last] = "HERE"
    text = json.dumps(description).replace('"HERE"', "[" * depth + "]" * depth)
    (folder / "model.json").write_text(text)


LAYER = ("modelTopology", "config", "layers", 1)
PLACES = [
    ("modelTopology",), ("modelTopology", "config"), (*LAYER, "config"), (*LAYER, "config", "layer"), (*LAYER, "config", "units"),
    (*LAYER, "inbound_nodes"), (*LAYER, "inbound_nodes", 0, 0, 3), (*LAYER, "inbound_nodes", 0, 0, 0),
    ("modelTopology", "config", "output_layers"),
    ("weightsManifest",), ("weightsManifest", 0, "weights", 0, "shape"), ("weightsManifest", 0, "paths"), ("format",),
]  # fmt: skip


@pytest.mark.parametrize("depth", [300, 900, 100_000])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: "/".join(map(str, place[-3:])))
def test_a_description_nested_beyond_reason_is_refused_wherever_that_is(tmp_path, place, depth):
    nested_in(tmp_path, depth, place)
    with pytest.raises(ModelFileError):
        load_model(tmp_path)


@pytest.mark.parametrize("depth", [300, 100_000])
def test_other_json_nested_beyond_reason_is_refused(tmp_path, depth):
    deep = "[" * depth + "]" * depth
    header = f'{{"a": {{"dtype": "F32", "shape": {deep}, "data_offsets": [0, 0]}}}}'.encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelFileError):
        load_safetensors(tmp_path / "w.safetensors")
    np.savez(tmp_path / "k.npz", head=np.array(deep), examples=np.zeros((1, 1), "f4"))
    with pytest.raises(ValueError, match=r"is not a file that KNNClassifier\.save wrote"):
        pyml.models.KNNClassifier.load(tmp_path / "k.npz")
    with pytest.raises(ValueError, match="model_from_json"):
        pyml.models.model_from_json(f'{{"class_name": "Sequential", "config": {deep}}}')
