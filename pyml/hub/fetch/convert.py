"""Makes the files that `pyml.hub` reads out of the files in which the networks were published.

Kernels are kept as float16, which moves no probability by more than a thousandth; vectors stay float32.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyml.assets.checks import AssetError
from pyml.hub.efficientnet import STAGES
from pyml.hub.fetch.graphdef import read_constants
from pyml.hub.fetch.tflite import read_tflite
from pyml.saving.files import ModelFileError
from pyml.saving.safetensors import save_safetensors
from pyml.saving.torch_files import load_torch

CONV_2D, MATMUL = 3, 126                               # operators of TFLite
Files = Mapping[str, Path]                             # by the last part of their names
NORMALIZATION = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as a `.safetensors` file, kernels as float16."""
    smaller = {name: a.astype(np.float16 if name.endswith("kernel") else np.float32) for name, a in arrays.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        save_safetensors(smaller, path)
        return path.read_bytes()


def labels(path: Path) -> bytes:
    """The class names of ImageNet out of a JavaScript module, as a JSON list."""
    text = re.sub(r"' \+\s+'", "", path.read_text(encoding="utf-8"))  # long names are sums of two texts
    found = re.findall(r"^\s*(\d+): (['\"])(.*)\2,?$", text, re.MULTILINE)
    if [int(number) for number, _, _ in found] != list(range(1000)):
        raise AssetError(f"{path.name}: holds {len(found)} class names where 1000 were expected.")
    return json.dumps([name.replace("\\'", "'") for _, _, name in found], separators=(",", ":")).encode()


def mobilenet_v1(files: Files) -> dict[str, bytes]:
    """The layers of the frozen graph before the package's own two-class head; class 0, the background, is left out."""
    constants = read_constants(files["retrained_graph.pb"])
    take = lambda name: constants[f"MobilenetV1/{name}"]
    arrays = {"conv1/kernel": take("Conv2d_0/weights")}
    pairs = [("conv1", "Conv2d_0")]
    for i in range(1, 14):
        arrays[f"conv_dw_{i}/kernel"] = take(f"Conv2d_{i}_depthwise/depthwise_weights")
        arrays[f"conv_pw_{i}/kernel"] = take(f"Conv2d_{i}_pointwise/weights")
        pairs += [(f"conv_dw_{i}", f"Conv2d_{i}_depthwise"), (f"conv_pw_{i}", f"Conv2d_{i}_pointwise")]
    for own, other in pairs:
        for weight in NORMALIZATION:
            arrays[f"{own}_bn/{weight}"] = take(f"{other}/BatchNorm/{weight}")
    arrays["conv_preds/kernel"] = take("Logits/Conv2d_1c_1x1/weights")[..., 1:]
    arrays["conv_preds/bias"] = take("Logits/Conv2d_1c_1x1/biases")[1:]
    return {"weights.safetensors": packed(arrays), "labels.json": labels(files["imagenet_classes.js"])}


def efficientnet_lite0(files: Files) -> dict[str, bytes]:
    """A state dict of PyTorch; its kernels are (out, in, height, width)."""
    path = files["efficientnet-lite0-57934424.pth"]
    try:
        state = load_torch(path)
    except ModelFileError as error:
        raise AssetError(str(error)) from None
    arrays: dict[str, np.ndarray] = {}

    def kernel(own: str, other: str, axes: tuple[int, ...] = (2, 3, 1, 0)) -> None:
        arrays[f"{own}/kernel"] = state[f"{other}.weight"].transpose(axes)

    def normalization(own: str, other: str) -> None:
        for weight, name in NORMALIZATION.items():
            arrays[f"{own}_bn/{weight}"] = state[f"{other}.{name}"]

    kernel("stem_conv", "_conv_stem")
    normalization("stem", "_bn0")
    block = 0
    for stage, (blocks, _, _, expand, _) in enumerate(STAGES, 1):
        for i in range(blocks):
            own, other = f"block{stage}{'abcd'[i]}", f"_blocks.{block}"
            if expand != 1:
                kernel(f"{own}_expand_conv", f"{other}._expand_conv")
                normalization(f"{own}_expand", f"{other}._bn0")
            kernel(f"{own}_dwconv", f"{other}._depthwise_conv", (2, 3, 0, 1))
            normalization(own, f"{other}._bn1")
            kernel(f"{own}_project_conv", f"{other}._project_conv")
            normalization(f"{own}_project", f"{other}._bn2")
            block += 1
    kernel("top_conv", "_conv_head")
    normalization("top", "_bn1")
    arrays["predictions/kernel"] = state["_fc.weight"].T
    arrays["predictions/bias"] = state["_fc.bias"]
    return {"weights.safetensors": packed(arrays), "labels.json": labels(files["imagenet_classes.js"])}


def speech_embedding(files: Files) -> dict[str, bytes]:
    """Twenty convolutions of one file, and the filters of the mel scale of the other."""
    tensors, operators = read_tflite(files["embedding_model.tflite"])
    arrays = {}
    for i, step in enumerate(op for op in operators if op.code == CONV_2D):
        kernel, bias = (tensors[k].values for k in step.inputs[1:3])
        if kernel is None or bias is None:
            raise AssetError(f"embedding_model.tflite: convolution {i} has no weights.")
        arrays[f"conv{i}/kernel"], arrays[f"conv{i}/bias"] = kernel.transpose(1, 2, 3, 0), bias
    tensors, operators = read_tflite(files["melspectrogram.tflite"])
    mel = next((tensors[op.inputs[1]].values for op in operators if op.code == MATMUL), None)
    if mel is None or mel.shape != (257, 32):
        raise AssetError("melspectrogram.tflite: holds no 257 x 32 filters of the mel scale.")
    return {"weights.safetensors": packed({**arrays, "mel": mel})}


def graph_model(files: Files) -> dict[str, bytes]:
    """A TensorFlow.js graph-model as it is, under the names that every model here has."""
    (described,) = (path for path in files.values() if path.suffix == ".json")
    (weights,) = (path for path in files.values() if path.suffix == ".bin")
    description = json.loads(described.read_text(encoding="utf-8"))
    (group,) = description["weightsManifest"]
    group["paths"] = ["weights.bin"]
    return {"model.json": json.dumps(description, separators=(",", ":")).encode(), "weights.bin": weights.read_bytes()}
