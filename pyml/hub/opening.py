"""The two functions of a network, made of its entry: one that waits for the files, and one that lets a page go on."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from pyml.hub import store
from pyml.hub.registry import REGISTRY, Entry
from pyml.hub.store import Progress

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Files = dict[str, bytes]


class Opens(Protocol[T_co]):
    """`mobilenet_v1(progress=None)`: a network when its files are here."""

    def __call__(self, progress: Progress | None = None) -> T_co: ...


class OpensLater(Protocol[T_co]):
    """`mobilenet_v1_async(progress=None)`: the same, to be awaited."""

    def __call__(self, progress: Progress | None = None) -> Coroutine[Any, Any, T_co]: ...


def network(name: str, kind: Callable[[Entry, Files], T]) -> tuple[Opens[T], OpensLater[T]]:
    """The functions that open a network.

    Args:
        name: Of its entry in the registry.
        kind: Makes it of the entry and its files.

    Returns:
        The function that waits, and the one that works in every browser and lets the page go on.
    """
    entry = REGISTRY[name]

    def wait(progress: Progress | None = None) -> T:
        return kind(entry, store.read(name, progress))

    async def later(progress: Progress | None = None) -> T:
        return kind(entry, await store.read_async(name, progress))

    wait.__name__ = wait.__qualname__ = name
    later.__name__ = later.__qualname__ = f"{name}_async"
    wait.__module__ = later.__module__ = "pyml.hub"
    wait.__doc__ = f"""{entry.title}: {entry.task}.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        The network; docs/hub.md shows what it can do.

    Raises:
        HubError: The files cannot be loaded.

    Source: {entry.source}. Weights of {entry.size / 1e6:.1f} MB, {entry.licence}.
    """
    later.__doc__ = f"`{name}` that works in every browser and lets the page go on; arguments and errors as of `{name}`."
    return wait, later
