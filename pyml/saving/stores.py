"""Models in places other than folders: the browser's own stores, downloads, and files that a user chose.

The stores are those of TensorFlow.js, so each of the two opens what the other one kept on the same site.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from . import stores_browser
from .files import MOST_WEIGHTS, ModelFileError, Place, Readable
from .handlers import loader_of
from .waiting import in_browser, wait
from .whole_files import ENDINGS

KEPT = ("indexeddb", "localstorage")  # what can be listed
_SCHEMES = (*KEPT, "downloads")


def parse(target: Any) -> tuple[str, str] | None:
    """Scheme and name of an address such as `"indexeddb://NAME"`, None for everything else.

    Raises:
        ValueError: The name is missing, or no name for this place.
    """
    scheme, colon, name = target.partition("://") if isinstance(target, str) else ("", "", "")
    if not colon or scheme not in _SCHEMES:
        return None
    if scheme == "downloads":
        name = name or "model"
        if "/" in name or "\\" in name:
            raise ValueError(f"{target}: a download has a plain name without slashes, such as downloads://model.")
    if not name or "://" in name or "\0" in name:
        raise ValueError(f"{target}: expected a name after {scheme}://, such as {scheme}://digits.")
    return scheme, name


def place_of(source: Any, what: str = "load_model") -> Readable:
    """Where `load_model` reads: a `Place`, a `StoredModel`, `ChosenFiles`, or what a handler loads."""
    if isinstance(source, (Place, StoredModel, ChosenFiles)):
        return source
    handled = loader_of(source)
    if handled is not None:
        return handled
    if isinstance(source, (list, tuple, dict)) or hasattr(source, "js_id"):
        return browser_files(source)
    found = parse(source)
    return Place(source, what=what) if found is None else StoredModel(*found)


def target_of(target: Any) -> tuple[str, str] | None:
    """Scheme and name when `save_model` is to write into the browser; None for a path.

    Raises:
        ValueError: The address is none that models can be written to.
        ModelStoreError: This is not a browser.
    """
    found = parse(target)
    if found is not None:
        in_browser(target)
    elif isinstance(target, str) and "://" in target and not target.startswith("file://"):
        known = ", ".join(f"{scheme}://NAME" for scheme in _SCHEMES)
        raise ValueError(f"save: a model cannot be written to {target}; expected a path, or {known}.")
    return found


class StoredModel:
    """An entry of a store of the browser, read like a folder that holds `model.json` and `weights.bin`."""

    name = "model.json"
    asked_by = "load_model_async"  # what to write where a browser cannot wait

    def __init__(self, scheme: str, name: str):
        self.url = f"{scheme}://{name}"
        if scheme == "downloads":
            raise ValueError(f"{self.url}: pages cannot read downloads; let the user choose the files, and give them to browser_files.")
        in_browser(self.url)
        self._where = scheme, name
        self._entry: tuple[bytes, Any] | None = None

    def __str__(self) -> str:
        return self.url

    def read(self, name: str, most: int) -> bytes:
        """The bytes of one of the two files."""
        if self._entry is None:
            self._entry = wait(stores_browser.load(*self._where), f"await {self.asked_by}({self.url!r})")
        return self._part(name, most)

    async def read_async(self, name: str, most: int) -> bytes:
        """As `read`, in every browser."""
        if self._entry is None:
            self._entry = await stores_browser.load(*self._where)
        return self._part(name, most)

    def _part(self, name: str, most: int) -> bytes:
        if self._entry is None:
            raise ModelFileError(f"{self}: it was not read.")
        text, data = self._entry
        size = len(text) if name == self.name else data.byteLength
        if size > most:
            raise ModelFileError(f"{self}: {name} has {size:,} bytes; at most {most:,} were expected; the entry is damaged.")
        return text if name == self.name else data.to_bytes()


class ChosenFiles:
    """The files of a model by their names; see `browser_files`."""

    asked_by = "load_model_async"

    def __init__(self, files: dict[str, Any], name: str):
        self.files, self.name = files, name

    def __str__(self) -> str:
        return self.name

    def _find(self, name: str, most: int) -> Any:
        if not isinstance(name, str) or not name:
            raise ModelFileError(f"{self}: {name!r} is not a file name.")
        base = name.replace("\\", "/").rpartition("/")[2]  # as in TensorFlow.js: files come without their folders
        if base not in self.files:
            raise ModelFileError(f"{self}: the model needs the file {base!r}, which was not given; choose it together with {self.name}.")
        file = self.files[base]
        size = int(file.size) if hasattr(file, "js_id") else len(file)
        if size > most:
            raise ModelFileError(f"{base}: the file has {size:,} bytes; at most {most:,} were expected.")
        return file

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a file of at most `most` bytes."""
        file = self._find(name, most)
        return wait(_content(file, name), f"await {self.asked_by}(files)") if hasattr(file, "js_id") else file

    async def read_async(self, name: str, most: int) -> bytes:
        """As `read`, in every browser."""
        file = self._find(name, most)
        return await _content(file, name) if hasattr(file, "js_id") else file


async def _content(file: Any, name: str) -> bytes:
    from pyodide.ffi import JsException

    try:
        return (await file.arrayBuffer()).to_bytes()
    except JsException as error:
        raise ModelFileError(f"{name}: the browser could not read the file ({error.message}).") from None


def browser_files(files: Iterable[Any] | dict[str, bytes]) -> ChosenFiles:
    """The files of a model that a user chose or dropped, for `load_model`.

    Args:
        files: One `.keras` or `.h5` file, or `model.json` and its weight files in any order: `File` objects of the page (also a
            `FileList`), or everywhere pairs `(name, bytes)`, a dict from names to bytes, or paths.

    Returns:
        What `load_model`, `load_weights` and their forms with `_async` take in the place of a path.

    Raises:
        ModelFileError: There is not exactly one `.json` file or file of Keras, or two files have the same name.
        TypeError: An item is not a file.

    Source: TensorFlow.js `tf.io.browserFiles`.

    Example:
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("digits")
        >>> files = [os.path.join("digits", name) for name in os.listdir("digits")]
        >>> pyml.saving.load_model(pyml.saving.browser_files(files)).output_shape
        (None, 2)
    """
    if isinstance(files, (str, bytes)) or not (isinstance(files, Iterable) or hasattr(files, "js_id")):
        raise TypeError(f"browser_files: expected a list of files, or pairs of a name and bytes. Received a {type(files).__name__}.")
    if hasattr(files, "arrayBuffer"):  # one File
        files = [files]
    found: dict[str, Any] = {}
    for item in files.items() if isinstance(files, dict) else files:
        name, content = _named(item)
        if name in found:
            raise ModelFileError(f"browser_files: two files are named {name!r}; give the files of one model only.")
        found[name] = content
    described = [name for name in found if name.lower().endswith(".json")] or [name for name in found if name.lower().endswith(ENDINGS)]
    if len(described) != 1:
        given = ", ".join(found) or "no files"
        raise ModelFileError("browser_files: expected one .json file, the model.json, and its weight files; or one .keras or .h5 file. "
                             f"Received: {given}.")  # fmt: skip
    return ChosenFiles(found, described[0])


def _named(item: Any) -> tuple[str, Any]:
    if hasattr(item, "arrayBuffer") and hasattr(item, "name"):
        return str(item.name), item
    if isinstance(item, (str, os.PathLike)):
        place = Place(item)
        return place.name, place.read(place.name, MOST_WEIGHTS)
    name, content = tuple(item) if isinstance(item, (list, tuple)) and len(item) == 2 else (None, None)
    if hasattr(content, "js_id") and hasattr(content, "to_bytes"):
        content = content.to_bytes()  # an ArrayBuffer or a typed array
    if not isinstance(name, str) or not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError(f"browser_files: expected a file, or a name with bytes. Received a {type(item).__name__}.")
    return name.replace("\\", "/").rpartition("/")[2], bytes(content)


# ---- what is kept
def list_models() -> dict[str, dict]:
    """The models that the browser keeps for this site, by their addresses; waits for the browser.

    Returns:
        For each address such as `"indexeddb://digits"` what TensorFlow.js notes: `dateSaved` (a datetime),
        `modelTopologyType`, and the sizes `modelTopologyBytes`, `weightSpecsBytes` and `weightDataBytes`. A worker whose
        page was not made with web/pyml.js sees those of IndexedDB only.

    Raises:
        ModelStoreError: This is not a browser, or it does not let the page keep anything.
        SyncReadError: This browser cannot wait; write `await list_models_async()`.

    Source: TensorFlow.js `tf.io.listModels`.

    Example:
        >>> for url, info in pyml.saving.list_models().items():             # doctest: +SKIP
        ...     print(url, info["weightDataBytes"])
    """
    in_browser("list_models")
    return wait(list_models_async(), "await list_models_async()")


async def list_models_async() -> dict[str, dict]:
    """`list_models` that works in every browser.

    Raises:
        ModelStoreError: This is not a browser, or it does not let the page keep anything.

    Example:
        >>> for url in await pyml.saving.list_models_async(): print(url)    # doctest: +SKIP
    """
    in_browser("list_models")
    return {f"{scheme}://{name}": info for scheme in KEPT for name, info in (await stores_browser.listed(scheme)).items()}


def remove_model(url: str) -> dict:
    """Removes a model that the browser keeps; waits for the browser.

    Args:
        url: An address that `list_models` gives.

    Returns:
        What `list_models` said about it.

    Raises:
        ModelFileError: There is no such model.
        ValueError: `url` is not an address of the browser's stores.
        ModelStoreError: This is not a browser.
        SyncReadError: This browser cannot wait; write `await remove_model_async(url)`.

    Source: TensorFlow.js `tf.io.removeModel`.

    Example:
        >>> pyml.saving.remove_model("indexeddb://digits")                  # doctest: +SKIP
    """
    _kept(url, "remove_model")
    return wait(remove_model_async(url), f"await remove_model_async({url!r})")


async def remove_model_async(url: str) -> dict:
    """`remove_model` that works in every browser.

    Raises:
        ModelFileError: There is no such model.
        ValueError: `url` is not an address of the browser's stores.
        ModelStoreError: This is not a browser.

    Example:
        >>> await pyml.saving.remove_model_async("indexeddb://digits")      # doctest: +SKIP
    """
    where = _kept(url, "remove_model")
    return await stores_browser.remove(*where)


def copy_model(source: str, target: str) -> dict:
    """Copies a model that the browser keeps; a model at `target` is replaced.

    Args:
        source: `"indexeddb://NAME"` or `"localstorage://NAME"`.
        target: Another one, or `"downloads://NAME"`.

    Returns:
        What `list_models` says about the copy.

    Raises:
        ModelFileError: There is no such model, or it is damaged.
        ModelStoreError: There is no room, or this is not a browser; nothing has changed.
        ValueError: An address is wrong, or both are the same.

    Source: TensorFlow.js `tf.io.copyModel`.

    Example:
        >>> pyml.saving.copy_model("indexeddb://digits", "downloads://digits")     # doctest: +SKIP
    """
    _pair(source, target, "copy_model")
    return wait(copy_model_async(source, target), f"await copy_model_async({source!r}, {target!r})")


async def copy_model_async(source: str, target: str) -> dict:
    """`copy_model` that works in every browser.

    Args:
        source, target: Addresses of models, for example `"indexeddb://digits"`.

    Raises:
        ModelFileError: There is no such model, or it is damaged.
        ModelStoreError: There is no room, or this is not a browser; nothing has changed.
        ValueError: An address is wrong, or both are the same.

    Example:
        >>> await pyml.saving.copy_model_async("indexeddb://digits", "localstorage://digits")     # doctest: +SKIP
    """
    where, there = _pair(source, target, "copy_model")
    return await stores_browser.copy(where, there)


def move_model(source: str, target: str) -> dict:
    """`copy_model` that then removes the source: it is there until the copy is whole.

    Raises:
        ModelFileError, ModelStoreError, ValueError: As `copy_model`.

    Source: TensorFlow.js `tf.io.moveModel`.

    Example:
        >>> pyml.saving.move_model("indexeddb://digits", "indexeddb://old/digits")     # doctest: +SKIP
    """
    _pair(source, target, "move_model")
    return wait(move_model_async(source, target), f"await move_model_async({source!r}, {target!r})")


async def move_model_async(source: str, target: str) -> dict:
    """`move_model` that works in every browser.

    Raises:
        ModelFileError, ModelStoreError, ValueError: As `copy_model`.

    Example:
        >>> await pyml.saving.move_model_async("indexeddb://digits", "indexeddb://old/digits")     # doctest: +SKIP
    """
    where, there = _pair(source, target, "move_model")
    info = await stores_browser.copy(where, there)
    await stores_browser.remove(*where)
    return info


def _kept(url: Any, what: str) -> tuple[str, str]:
    found = parse(url)
    if found is None or found[0] not in KEPT:
        raise ValueError(f"{what}: expected an address such as indexeddb://digits or localstorage://digits. Received: {url!r}")
    in_browser(url)
    return found


def _pair(source: Any, target: Any, what: str) -> tuple[tuple[str, str], tuple[str, str]]:
    found = parse(target)
    if found is None:
        raise ValueError(f"{what}: expected a target such as indexeddb://digits or downloads://digits. Received: {target!r}")
    if source == target:
        raise ValueError(f"{what}: source and target are both {source!r}; give another name.")
    return _kept(source, what), found
