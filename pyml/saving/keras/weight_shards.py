"""Weights cut into `.weights.h5` files of a bounded size, which a `.weights.json` lists, as Keras 3 opens them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Generator
from typing import Any

from pyml import atomic

from ...tracebacks import warn
from ..files import MOST_JSON, MOST_WEIGHTS, ModelFileError, parse_json
from ..shards import write_shards
from . import hdf5, hdf5_read
from .hdf5 import Group


def write(path: str, whole: Group, most: float) -> None:
    """Files of at most `most` bytes of weights, and the list that says which file has what.

    Raises:
        ValueError: A weight is larger than that.
        OSError: A file cannot be written; what was there before is as it was.
    """
    if not path.endswith(".json"):
        warn(f"save_weights: shards are listed in a .json file, so {path} becomes {path.removesuffix('.h5')}.json.")
        path = f"{path.removesuffix('.h5')}.json"
    path = os.path.realpath(path)  # of a link, the shards lie beside what it leads to
    folder, file_name = os.path.split(path)
    stem = file_name.removesuffix(".json").replace(".weights", "")
    shards, places, total = _cut(whole, most)
    pieces = [hdf5.write(shard) for shard in shards]
    content = hashlib.sha256()
    for piece in (piece for of_one in pieces for piece in of_one):
        content.update(piece)
    # names that only this content has: while new shards are written, the old list names old ones
    names = [f"{stem}-{content.hexdigest()[:16]}_{i:05}.weights.h5" for i in range(1, len(shards) + 1)]
    listed = {key: names[at[0]] if len(at) == 1 else [names[i] for i in at] for key, at in places.items()}
    listing = json.dumps({"metadata": {"total_size": total}, "weight_map": listed}, indent=4).encode()
    first = f"{stem}_00000.weights.h5"  # Keras opens this one before it looks into the list; nothing of ours is in it
    of_keras = first in _named_by(path)
    files: dict[str, Any] = dict(zip(names, pieces, strict=True))
    if not os.path.exists(os.path.join(folder, first)):
        files[first] = hdf5.write(Group())
    pattern = rf"{re.escape(stem)}-[0-9a-f]{{16}}_\d{{5}}\.weights\.h5"
    write_shards(path, listing, files, pattern, "weights.json", lambda of: _named_by(of) - {first})
    if of_keras:  # what the old list had there
        atomic.write(os.path.join(folder, first), hdf5.write(Group()))


def _cut(whole: Group, most: float) -> tuple[list[Group], dict[str, list[int]], int]:
    """Groups for one file each, which of them hold each path, and the bytes of all."""
    shards: list[Group] = [Group()]
    places: dict[str, list[int]] = {}
    total = here = 0
    for path, group in groups(whole):
        for key, array in sorted(group.items.items()):
            if isinstance(array, Group):
                continue
            if array.nbytes > most:
                raise ValueError(
                    f"save_weights: {path}/{key} has {array.nbytes:,} bytes, more than a shard of {most:,.0f}; raise max_shard_size.")
            if here + array.nbytes > most:
                shards.append(Group())
                here = 0
            here, total = here + array.nbytes, total + array.nbytes
            shard = shards[-1].group(path)
            shard.attrs.update(group.attrs)
            shard.items[key] = array
            held = places.setdefault(f"/{path}", [])
            if len(shards) - 1 not in held:
                held.append(len(shards) - 1)
    return shards, places, total


def read(listed_in: Any, place: Any, path: str) -> Generator[tuple[Any, str, int], Any, Group]:
    """The weights of all shards as one group; a generator that asks for files, `(place, name, most bytes)`, and is sent their bytes."""
    whole = Group()
    for name in sorted(_names(parse_json(listed_in, path), path)):
        if os.path.basename(name) != name or name in ("", ".", ".."):
            raise ModelFileError(f"load_weights: {path} names {name!r}, which leads out of its folder; it was refused.")
        data = yield place, name, MOST_WEIGHTS
        for where, group in groups(hdf5_read.read(data, f"{place}: {name}")):
            here = whole.group(where)
            here.attrs.update(group.attrs)
            here.items.update({key: item for key, item in group.items.items() if not isinstance(item, Group)})
    return whole


def groups(root: Group) -> list[tuple[str, Group]]:
    """All groups with their paths, those above first."""
    found, waiting = [], [("", root)]
    while waiting:
        path, group = waiting.pop(0)
        found.append((path, group))
        waiting += [(f"{path}/{key}" if path else key, item) for key, item in group.items.items() if isinstance(item, Group)]
    return found


def _names(description: Any, path: str) -> set[str]:
    listed = description.get("weight_map") if isinstance(description, dict) else None
    if not isinstance(listed, dict):
        raise ModelFileError(f"load_weights: {path} has no weight_map; it lists no shards.")
    return {name for files in listed.values() for name in (files if isinstance(files, list) else [files]) if isinstance(name, str)}


def _named_by(path: str) -> set[str]:
    try:
        with open(path, "rb") as file:
            names = _names(parse_json(file.read(MOST_JSON), path), path)
    except (OSError, ModelFileError):
        return set()
    return {name for name in names if os.path.basename(name) == name and name.endswith(".weights.h5")}
