"""Shards of weights beside the file that lists them: new shards first, then the list, and only then the old shards go."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pyml.atomic import telling_of_no_room, write

_FORSAKEN = 3600  # seconds after which nobody is still writing a shard that no list names


def write_shards(
    path: str, listing: bytes, shards: Mapping[str, bytes | Iterable[bytes]], pattern: str, ending: str, named_by: Callable[[str], set[str]]
) -> None:
    """Writes shards and their list; whoever opens `path` meanwhile finds the old content or the new, never a mixture.

    Args:
        path: The list.
        listing: Its content.
        shards: By names that only this content has.
        pattern: Regular expression of the names that shards of this list may have.
        ending: Of the names of lists; what another one in the folder names stays.
        named_by: The shards that the list at a path names; none if it is not a list, or is not there.

    Raises:
        OSError: A file cannot be written; the old content is as it was, and nothing of the new one is left.
    """
    folder = os.path.dirname(path)
    old = named_by(path)
    new = [name for name in shards if not os.path.exists(os.path.join(folder, name))]
    with telling_of_no_room(Path(path)):
        try:
            for name, data in shards.items():
                write(os.path.join(folder, name), data)
            write(path, listing)  # only now the new shards are those of the list
        except BaseException:
            _remove(folder, new)
            raise
    gone = (old | _forsaken(folder, pattern)) - set(shards)
    if gone:
        others = [entry.path for entry in os.scandir(folder or ".") if entry.name.endswith(ending) and entry.is_file()]
        _remove(folder, gone.difference(*map(named_by, others)))


def _forsaken(folder: str, pattern: str) -> set[str]:
    """Shards that a process which ended had begun to write."""
    known = re.compile(rf"(\.[0-9a-f]{{8}}\.)?{pattern}(\.part)?")
    found = set()
    for entry in os.scandir(folder or "."):
        with suppress(OSError):
            if known.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _FORSAKEN:
                found.add(entry.name)
    return found


def _remove(folder: str, names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            os.remove(os.path.join(folder, name))
