"""The networks of the table, and their files for each library: all made from the weights that `pyml.hub` fetched."""

import hashlib
from pathlib import Path

# What is read: (input's side, outputs as nodes of the graph-model, values of the input given pixels from 0 to 255).
NETWORKS = {
    "mobilenet_v1": {"side": 224, "scale": "pixels"},
    "efficientnet_lite0": {"side": 224, "scale": "pixels"},
    "movenet": {"side": 192, "scale": "whole", "outputs": ["Identity"]},
    "posenet": {"side": 385, "scale": "unit", "outputs": ["MobilenetV1/heatmap_2/BiasAdd", "MobilenetV1/offset_2/BiasAdd"]},
}


def prepare(folder, names):
    """Writes `NAME/model.json`, `weights.bin` and `model.onnx` into `folder`, unless they are there.

    Args:
        folder: Where; made if needed.
        names: Keys of `NETWORKS`.

    Returns:
        `{name: what the page needs to know}`.

    Raises:
        pyml.hub.HubError: A network is not here, and cannot be fetched.
    """
    from pyml.hub import store

    here, found = Path(__file__).parent, {}
    source = b"".join((here / f).read_bytes() for f in ("networks.py", "graph_model.py", "onnx_model.py"))
    for name in names:
        files = store.read(name)
        place = Path(folder, name)
        mark = hashlib.sha256(source + b"".join(hashlib.sha256(d).digest() for d in files.values())).hexdigest()
        stamp = place / "stamp"
        if not stamp.is_file() or stamp.read_text().split() [:1] != [mark]:
            place.mkdir(parents=True, exist_ok=True)
            outputs = _write(name, files, place)
            stamp.write_text(f"{mark} {' '.join(outputs)}")
        found[name] = {**NETWORKS[name], "name": name, "outputs": stamp.read_text().split()[1:]}
    return found


def _write(name, files, place):
    """Writes the files of one network; returns the nodes that are its outputs."""
    from pyml.saving import load_model

    from .graph_model import classifier
    from .onnx_model import onnx_of

    if "model.json" not in files:
        files = classifier(*_folded(name, files))
    for file, data in files.items():
        (place / file).write_bytes(data)
    model = load_model(str(place))
    outputs = NETWORKS[name].get("outputs") or [model.outputs[0].ref[0]]
    (place / "model.onnx").write_bytes(onnx_of(model, outputs))
    return outputs


def _folded(name, files):
    """A classifier as a Model without normalization, and its weights."""
    from pyml.hub import weights
    from pyml.hub.classifier import BUILDERS

    arrays = weights.folded(weights.unpack(files["weights.safetensors"], name))
    return BUILDERS[name][0](initializer="zeros", folded=True), arrays
