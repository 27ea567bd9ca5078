"""`export_zip_async`: what `pyml.export` writes, as one .zip file in memory; for pages, which have no folders to write to."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Mapping
from typing import Any

from pyml.export.apps import MANIFEST, installable, service_worker
from pyml.export.bundle import STORE
from pyml.export.folder import Export, Options
from pyml.export.programs import ExportError
from pyml.export.weights import read_state_async

LOADER = ("model.js", STORE, "model.d.ts")
PACKED = (".bin", ".png", ".jpg")  # deflating them takes time and saves nothing


async def export_zip_async(
    model: Any,
    name: str,
    files: Mapping[str, str | bytes] | None = None,
    *,
    inside: str = "",
    others: Mapping[str, tuple[Any, Mapping[str, Any]]] | None = None,
    **options: Any,
) -> bytes:
    """A model as a .zip file that holds one folder, which runs without Python as that of `pyml.export` does.

    Works in every browser: values are read without blocking.

    Args:
        model: As for `pyml.export`.
        name: Of the folder in the file.
        files: Further files of the folder, such as a page: text or bytes by their paths. A `manifest.webmanifest` among them makes
            the folder an app that opens without a network: a service worker is added, `sw.js`, which the page registers, and an icon
            where the manifest names none.
        inside: The model's own folder in that folder; by default the model's files lie beside `files`.
        others: More models by the folders that they go to in that folder, each with its options; the model's own loader opens
            them: `load("head/")`.
        **options: Those of `pyml.export` that say what is exported: `batch_sizes`, `input_shapes`, `inputs`, `training`,
            `targets`, `sample_weight`, `weights`, `devices`, `app`.

    Returns:
        The bytes of the .zip file.

    Raises:
        ExportError: Something cannot be exported, or two files have one path.

    Example:
        >>> import asyncio, io, zipfile
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> packed = asyncio.run(pyml.export.export_zip_async(model, "small", {"index.html": "<p>Hello"}, inside="model", devices="wasm"))
        >>> sorted(zipfile.ZipFile(io.BytesIO(packed)).namelist())[:3]
        ['small/index.html', 'small/model/model.d.ts', 'small/model/model.js']
    """
    own: dict[str, bytes] = {}
    for folder, (one, its) in {**(others or {}), inside: (model, options)}.items():
        export = Export(one, Options(**its))
        made = export.files([await read_state_async(state) for state in export.states])
        own |= {f"{folder}/{path}".lstrip("/"): data for path, data in made.items() if folder == inside or path not in LOADER}
    more = {path: content.encode() if isinstance(content, str) else content for path, content in (files or {}).items()}
    both = sorted(own.keys() & more.keys())
    if both:
        raise ExportError(f"export: the model has a file {both[0]} of its own; give yours another name, or the model a folder by inside=.")
    if MANIFEST in more:
        try:
            more = {**installable(more[MANIFEST]), **{path: data for path, data in more.items() if path != MANIFEST}}
        except (ValueError, AttributeError):
            raise ExportError(f"export: {MANIFEST} holds no JSON object.") from None
        own |= service_worker({**more, **own})
    packed, now = io.BytesIO(), time.localtime()[:6]  # browsers and servers tell a later export from an earlier one by dates
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in {**more, **own}.items():
            entry = zipfile.ZipInfo(f"{name}/{path}", now)
            entry.external_attr = 0o644 << 16  # else unzip makes files that nobody may read
            archive.writestr(entry, content, zipfile.ZIP_STORED if path.endswith(PACKED) else zipfile.ZIP_DEFLATED)
    return packed.getvalue()


__all__ = ["export_zip_async"]
