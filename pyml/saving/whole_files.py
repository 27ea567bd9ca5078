"""Files of Keras as entries of the browser's stores: one model, `.keras` or `.h5`, or weights, as the bytes that a disk would have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import stores_browser

FORMAT = "keras-file"
BYTES = "weights.bin"  # the name under which a store gives the bytes of an entry
ENDINGS = (".keras", ".h5", ".hdf5")


def description_of(name: str) -> dict[str, Any]:
    """What a store notes beside the bytes of a file; TensorFlow.js lists, copies and removes such an entry, and cannot open it."""
    return {
        "format": FORMAT, "file": name.rpartition("/")[2], "generatedBy": "pyml",
        "modelTopology": {"class_name": "a file of Keras, which pyml opens", "config": {}},
        "weightsManifest": [{"paths": [BYTES], "weights": []}],
    }  # fmt: skip


async def keep(store: tuple[str, str], data: Iterable[Any], overwrite: bool) -> None:
    """Writes a file into a store of the browser, or lets the user keep it.

    Args:
        store: Scheme and name, as `stores.parse` gives them; the name ends as the file does.
        data: Its bytes, in runs.
        overwrite: False refuses to replace an entry.

    Raises:
        ModelStoreError: There is no room; what was kept before is still there.
        FileExistsError: There is such an entry and `overwrite` is False.
    """
    await stores_browser.save(*store, description_of(store[1]), [b"".join(data)], overwrite)
