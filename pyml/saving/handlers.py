"""Places for models that are functions: `tf.io`'s handlers, and routers from addresses to them.

A handler is any object with `load()`, which gives artifacts (see `artifacts`), or `save(artifacts)`; both may be coroutines.
`load_model(handler)` and `model.save(handler)` take it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from .artifacts import files_of
from .files import ModelFileError, Place
from .waiting import wait

Router = Callable[[Any], Any]
_LOADERS: list[Router] = []
_SAVERS: list[Router] = []


class MemoryHandler:
    """Artifacts in memory; see `from_memory`."""

    def __init__(self, artifacts: dict[str, Any]):
        self.artifacts = artifacts

    def load(self) -> dict[str, Any]:
        return self.artifacts


class SaveHandler:
    """Hands artifacts to a function; see `with_save_handler`."""

    def __init__(self, function: Callable[[dict], Any]):
        self.function = function

    def save(self, artifacts: dict[str, Any]) -> Any:
        return self.function(artifacts)


def from_memory(model_artifacts: dict[str, Any], weight_specs: list[dict] | None = None, weight_data: Any = None) -> MemoryHandler:
    """A model in memory, for `load_model`.

    Args:
        model_artifacts: Artifacts, as `with_save_handler` gives them; or a `modelTopology` alone, with the next two.
        weight_specs: What the weights are, `{"name", "shape", "dtype"}` each.
        weight_data: Their bytes.

    Raises:
        TypeError: No dict was given.

    Source: TensorFlow.js `tf.io.fromMemory`, `fromMemorySync`.

    Example:
        >>> kept = []
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save(pyml.io.with_save_handler(kept.append))
        >>> pyml.saving.load_model(pyml.io.from_memory(kept[0])).output_shape
        (None, 2)
    """
    if not isinstance(model_artifacts, dict):
        raise TypeError(f"from_memory: expected a dict of artifacts. Received a {type(model_artifacts).__name__}.")
    if "modelTopology" not in model_artifacts:
        model_artifacts = {"modelTopology": model_artifacts}
    more = {"weightSpecs": weight_specs, "weightData": weight_data}
    return MemoryHandler({**model_artifacts, **{key: value for key, value in more.items() if value is not None}})


def with_save_handler(save_handler: Callable[[dict], Any]) -> SaveHandler:
    """A target for `model.save` that calls a function with the model's artifacts.

    Args:
        save_handler: Takes a dict with `modelTopology`, `weightSpecs`, `weightData` (bytes) and more; may be a coroutine
            function, which `await model.save_async(...)` waits for in every browser.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.withSaveHandler`, `withSaveHandlerSync`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> model.save(pyml.io.with_save_handler(lambda artifacts: print(len(artifacts["weightData"]))))
        40
    """
    if not callable(save_handler):
        raise TypeError(f"with_save_handler: expected a function. Received: {save_handler!r}")
    return SaveHandler(save_handler)


def register_load_router(router: Router) -> None:
    """Makes `load_model` know addresses of your own.

    Args:
        router: Called with what was given to `load_model`; gives a handler with `load()`, or None if the address is not its own.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.registerLoadRouter`.

    Example:
        >>> shelf = {}
        >>> pyml.io.register_load_router(lambda url: pyml.io.from_memory(shelf[url]) if url in shelf else None)
    """
    _register(_LOADERS, router, "register_load_router")


def register_save_router(router: Router) -> None:
    """Makes `model.save` know addresses of your own: as `register_load_router`, with handlers that have `save(artifacts)`.

    Raises:
        TypeError: It is not a function.

    Source: TensorFlow.js `tf.io.registerSaveRouter`.

    Example:
        >>> shelf = {}
        >>> keep = lambda url: pyml.io.with_save_handler(lambda a: shelf.update({url: a})) if url.startswith("shelf:") else None
        >>> pyml.io.register_save_router(keep)
        >>> pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)]).save("shelf:digits")
        >>> list(shelf)
        ['shelf:digits']
    """
    _register(_SAVERS, router, "register_save_router")


def _register(routers: list[Router], router: Router, what: str) -> None:
    if not callable(router):
        raise TypeError(f"{what}: expected a function of an address. Received: {router!r}")
    routers.append(router)


def get_load_handlers(url: Any) -> list[Any]:
    """The handlers that registered routers have for an address; none for what is not a string.

    Args:
        url: An address, for example `"https://example.org/model.json"`.

    Source: TensorFlow.js `tf.io.getLoadHandlers`.

    Example:
        >>> pyml.io.get_load_handlers("nowhere:digits")
        []
    """
    return _handlers(_LOADERS, url)


def get_save_handlers(url: Any) -> list[Any]:
    """As `get_load_handlers`, for saving.

    Args:
        url: An address, for example `"https://example.org/model.json"`.

    Source: TensorFlow.js `tf.io.getSaveHandlers`.

    Example:
        >>> pyml.io.get_save_handlers("nowhere:digits")
        []
    """
    return _handlers(_SAVERS, url)


def _handlers(routers: list[Router], url: Any) -> list[Any]:
    if not isinstance(url, str):
        return []
    return [handler for handler in (router(url) for router in routers) if handler is not None]


# ---- for load_model and save_model
class HandledModel:
    """What a handler loads, read like a folder."""

    name = "model.json"

    def __init__(self, handler: Any):
        self.handler = handler
        self.files: dict[str, bytes] | None = None

    def __str__(self) -> str:
        return f"{type(self.handler).__name__}"

    def read(self, name: str, most: int) -> bytes:
        if self.files is None:
            found = self.handler.load()
            if inspect.isawaitable(found):
                found = wait(coroutine_of(found), "await load_model_async(handler)")
            self.files = files_of(found, self)
        return self._part(name, most)

    async def read_async(self, name: str, most: int) -> bytes:
        if self.files is None:
            found = self.handler.load()
            self.files = files_of(await found if inspect.isawaitable(found) else found, self)
        return self._part(name, most)

    def _part(self, name: str, most: int) -> bytes:
        data = (self.files or {})[name]
        if len(data) > most:
            raise ModelFileError(f"{self}: {name} has {len(data):,} bytes; at most {most:,} were expected.")
        return data


def coroutine_of(work: Any) -> Coroutine[Any, Any, Any]:
    """Anything that can be awaited, as a coroutine."""

    async def awaited() -> Any:
        return await work

    return work if inspect.iscoroutine(work) else awaited()


def loader_of(source: Any) -> Any:
    """A place for `load_model` if `source` is a handler or an address that a router knows; else None."""
    if not isinstance(source, Place) and callable(getattr(source, "load", None)):
        return HandledModel(source)
    found = get_load_handlers(source)
    if len(found) > 1:
        raise ValueError(f"load_model: {len(found)} routers know {source!r}; expected one.")
    return (found[0] if isinstance(found[0], Place) else HandledModel(found[0])) if found else None


def saver_of(target: Any) -> Any:
    """The handler that `save_model` calls, or None for paths and the browser's own places."""
    if hasattr(target, "save") and callable(target.save):
        return target
    found = get_save_handlers(target)
    if len(found) > 1:
        raise ValueError(f"save: {len(found)} routers know {target!r}; expected one.")
    return found[0] if found else None
