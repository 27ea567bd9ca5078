"""A trained network as the bytes of a file for other libraries."""

import io
import json
import os
import tempfile
import zipfile

from pyml import saving


async def keras_bytes(model):
    """A .keras file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        await saving.save_model_async(model, path)
        with open(path, "rb") as file:
            return file.read()


async def tfjs_zip(model, labels, read_me, quantize=None):
    """A zip file with a TensorFlow.js layers-model, the names of its outputs, and how to use it."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        await saving.save_model_async(model, f"{folder}/model.json", quantize=quantize)
        for name in sorted(os.listdir(folder)):
            archive.write(f"{folder}/{name}", name)
        archive.writestr("labels.json", json.dumps(labels))
        archive.writestr("README.txt", read_me)
    return packed.getvalue()
