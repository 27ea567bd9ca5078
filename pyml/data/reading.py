"""Datasets of files by one call: whole files, lines, folders of pictures."""

from __future__ import annotations

import glob
import io
import os
from contextlib import aclosing
from typing import Any

import numpy as np

from pyml.data.dataset import Dataset
from pyml.data.directories import image_dataset_from_directory
from pyml.data.kinds import Stream
from pyml.data.sources import DataSource, as_source
from pyml.data.text import TextLineDataset
from pyml.errors import to_install


def from_files(files: Any, read: Any = "bytes") -> Dataset:
    """One element for each file: what `read` makes of it.

    Args:
        files: A pattern such as `"texts/*.txt"`, or a list of paths, addresses, bytes or (in the browser) Files.
        read: `"bytes"`, `"text"` (UTF-8), `"image"` (uint8 `(height, width, 3)`, with Pillow), or a function of the bytes.

    Raises:
        FileNotFoundError: A file is missing, or a pattern finds none.
        ValueError: `read` is unknown or, while iterating, a text is not UTF-8.

    Example:
        >>> list(pyml.data.from_files([b"one", b"two"], read="text"))
        ['one', 'two']
    """
    if isinstance(files, (str, os.PathLike)) and glob.has_magic(os.fspath(files)):
        found: list[Any] = sorted(glob.glob(os.fspath(files), recursive=True))
        if not found:
            raise FileNotFoundError(f"from_files: no file was found for {os.fspath(files)!r}.")
    else:
        found = list(files) if isinstance(files, (list, tuple)) else [files]
    if read not in ("bytes", "text", "image") and not callable(read):
        raise ValueError(f'from_files: read must be "bytes", "text", "image" or a function. Received: {read!r}')
    sources = [as_source(one) for one in found]

    async def whole(source: DataSource) -> bytes:
        async with aclosing(source.chunks()) as chunks:
            return b"".join([chunk async for chunk in chunks])

    async def contents() -> Stream:
        for source in sources:
            data: Any = await whole(source)
            if read == "text":
                try:
                    data = data.decode("utf-8-sig")
                except UnicodeDecodeError as error:
                    raise ValueError(f"{source.name}: the text is not UTF-8 ({error.reason}).") from None
            yield _picture(data, source.name) if read == "image" else data

    dataset = Dataset(contents, len(sources))
    return dataset.map(read) if callable(read) else dataset


def text_line(source: Any) -> Dataset:
    """The lines of text files, one file after the other; see `TextLineDataset`.

    Args:
        source: A path, an address, bytes, a file object, or a list of these.

    Example:
        >>> list(pyml.data.text_line([b"one\\ntwo", b"three"]))
        ['one', 'two', 'three']
    """
    return TextLineDataset(source)


def image_folder(directory: Any, image_size: tuple[int, int] = (256, 256), color_mode: str = "rgb", shuffle: bool = False,
                 seed: int | None = None) -> Dataset:  # fmt: skip
    """Pairs `(image, class)` of a folder with a folder of images for each class; needs Pillow.

    Args:
        directory: The folder.
        image_size, color_mode: As for `pyml.utils.image_dataset_from_directory`, of which this is the short form, unbatched.
        shuffle: Another order in each pass; else in the order of the paths.
        seed: Of the order.

    Returns:
        A Dataset with the attributes `class_names` and `file_paths`; images are float32 from 0 to 255, classes int32.

    Raises:
        ValueError: The folder has no images.

    Example:
        >>> ds = pyml.data.image_folder("photos", image_size=(64, 64))    # doctest: +SKIP
    """
    return image_dataset_from_directory(
        directory, batch_size=None, image_size=image_size, color_mode=color_mode, shuffle=shuffle, seed=seed, verbose=False
    )


def _picture(data: bytes, name: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError('from_files: read="image" needs Pillow: ' + to_install("pillow")) from None
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError:
        raise ValueError(f"{name}: is not a picture that Pillow can read.") from None
