"""Every sample of every layer as an exported model, and what Python gives for it without threads and without fused multiply-add.

A script: `python every_layer.py FOLDER` exports all, writes `jobs.json`, which in_node.mjs runs, `wanted.json` and `refused.json`.
"""

import base64
import json
import os
import sys
from pathlib import Path

os.environ["PYML_WASM_RELAXED"] = "0"
os.environ["PYML_WASM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from test_samples import classes, drawn, leaves, symbolic

import pyml
from pyml.export import ExportError
from pyml.objects import registry
from pyml.wasm import share

KINDS = {"float32": "Float32Array", "int32": "Int32Array", "bool": "Uint8Array"}


def encoded(array):
    return {"shape": list(array.shape), "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()}


def main(folder):
    """Exports each sample to a folder in `folder`, for its own number of rows."""
    pyml.config.set_backend("wasm")
    share.chunk_size = lambda items, work: max(1, items // 2)  # several threads however little there is to do
    jobs, wanted, refused = [], {}, {}
    for cls in classes(registry.LAYERS):
        for number, sample in enumerate(cls._samples()):
            pyml.utils.set_random_seed(7)
            values, name = drawn(sample), f"{cls.__name__}-{number}"
            inputs = symbolic(sample, values)
            model = pyml.Model(inputs, sample.made(*inputs, **sample.kwargs), name=name)
            given = leaves(values)
            rows = len(given[0])
            try:
                pyml.export(model, folder / name, batch_sizes=rows, devices=("webgpu", "wasm", "software"))
            except ExportError as error:
                refused[cls.__name__] = str(error)
                continue
            data = [{"data": array.ravel().tolist(), "dtype": KINDS[array.dtype.name], "shape": list(array.shape)} for array in given]
            jobs.append({"folder": str(folder / name), "calls": [{"inputs": data, "options": {}}]})
            wanted[name] = [encoded(part) for part in leaves([model.predict(values, batch_size=rows, verbose=0)])]
    for file, what in (("jobs", jobs), ("wanted", wanted), ("refused", refused)):
        (folder / f"{file}.json").write_text(json.dumps(what))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
