"""The files of the pages: networks exported by pyml and as its peers take them, digits, and the pages themselves."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from benchmarks.models.networks import prepare

REPOSITORY = Path(__file__).resolve().parents[2]
BENCH = REPOSITORY / "build" / "bench"
DEVICES = ("webgpu", "wasm", "software")  # the last for machines without a GPU, where WebGPU is imitated
EXPORTS, PAGES = BENCH / "exports", Path(__file__).parent / "pages"


def networks_of(names):
    """Exports networks that are not exported yet by this pyml; `{name: what a page must know}`."""
    networks = prepare(BENCH / "models" / "hub", names)
    for name, network in networks.items():
        once(name, lambda folder, network=network: export(network, folder))
    return networks


def once(name, make):
    """Makes a folder of EXPORTS anew where pyml or this file has changed since."""
    folder, stamp = EXPORTS / name, EXPORTS / f"{name}.stamp"
    now = sources()
    if not folder.is_dir() or not stamp.is_file() or stamp.read_text() != now:
        shutil.rmtree(folder, ignore_errors=True)
        make(folder)
        stamp.write_text(now)


def sources():
    """A name for everything that an export depends on."""
    found = hashlib.sha256()
    for place in ("pyml", "web", "kernels_wgsl", "benchmarks/export", "build/exported.min.js"):
        for path in sorted([REPOSITORY / place] if (REPOSITORY / place).is_file() else (REPOSITORY / place).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(path.read_bytes())
    return found.hexdigest()


def export(network, folder):
    """One network of the hub, with the outputs that all contenders are asked for."""
    import pyml

    net, side = getattr(pyml.hub, network["name"])(), network["side"]
    if hasattr(net, "keras"):
        pyml.export(net.keras, folder, input_shapes=(side, side, 3), devices=DEVICES)
        return
    whole = network["scale"] == "whole"
    x = np.zeros((1, side, side, 3), np.int32 if whole else np.float32)
    pyml.export(lambda image: net.graph.execute([image], network["outputs"]), folder, inputs=[x], devices=DEVICES)


def digits():
    """The digits as one file, and the network that learns them: exported, and as TensorFlow.js takes it, with the same weights."""
    once("digits", _digits)


def _digits(folder):
    import pyml
    from pyml import layers
    from pyml.datasets import mnist

    (x, y), (x_test, y_test) = mnist.load_data()
    pyml.utils.set_random_seed(1)
    inner = [layer for filters in (8, 16) for layer in (layers.Conv2D(filters, 5, activation="relu"), layers.MaxPooling2D(2))]
    model = pyml.Sequential([pyml.Input((28, 28, 1)), *inner, layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(pyml.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pyml.export(model, folder, batch_sizes=(64, 500), training=True)
    pyml.saving.save_model(model, str(EXPORTS / "digits-tfjs" / "model.json"))
    parts = (x, x_test, y, y_test)
    (EXPORTS / "digits.bin").write_bytes(b"".join(np.ascontiguousarray(part, np.uint8).tobytes() for part in parts))


def page_of(page, facts, device):
    """Writes a page for one network and device; its address on the yardstick's server."""
    name = facts.get("name", "digits")
    backend = f'<script src="/node_modules/@tensorflow/tfjs-backend-{device}/dist/tf-backend-{device}.min.js"></script>'
    text = (PAGES / f"{page}.html").read_text()
    texts = {"BACKEND_SCRIPT": backend if device in ("wasm", "webgpu") else "", "DEVICE": device, "NETWORK": json.dumps(facts),
             "GOAL": json.dumps(facts), "NAME": name}  # fmt: skip
    for word, value in texts.items():
        text = text.replace(word, value)
    made = EXPORTS / f"{page}-{name}-{device}.html"
    made.write_text(text)
    return f"extra/{made.relative_to(REPOSITORY)}"


__all__ = ["digits", "networks_of", "page_of"]
