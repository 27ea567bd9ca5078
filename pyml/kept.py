"""What was compiled is kept from one run to the next: in the user's cache folder, in a browser in the page's storage.

Two kinds of entries: a plan (`compile/plan_file.py`) under the graph it computes, and a kernel's WebAssembly under its WGSL.
A key is a hash of that, of the compiler's own files, so what another version left is never
found. An entry has a checksum: one that is cut short or damaged is not there, and is written again. Nothing here raises: where
nothing can be kept, pyml says so once and compiles.

`PYML_CACHE` names another folder, or is `off`.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from .paths import PACKAGE, kernels_dir, user_cache
from .tracebacks import warn

MAGIC = b"PYMLKEPT"
CHECK = 16  # bytes of a checksum
DESKTOP, BROWSER = 200 << 20, 16 << 20  # most bytes of a folder, of one page; the browser has 50 MB for all pages (kept.js)
ENTRIES = 20_000  # most files of a folder
COMPILER = ("graph", "compile", "wasm", "device")  # folders whose files say how graphs become kernels; beside those, kernels_wgsl
COMPILER_FILE = "pyml/_data/compiler.txt"  # in a page's wheel: their hash, so that no page reads them
_FOLDER = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(r"[0-9a-f]{62}|\.\d+\.[0-9a-f]{8}\.part")  # an entry, or what was being written
OFTEN = 512  # entries written between two looks at how much there is

counts: Counter[str] = Counter()  # plans made and found, kernels compiled and found since Python started


class Store(Protocol):
    """Where entries are."""

    def get(self, key: str) -> bytes | None:
        """What was put under a key, or None."""

    def put(self, key: str, data: bytes) -> None:
        """Keeps `data`; it may be forgotten again."""


def sealed(key: str, data: bytes) -> bytes:
    """An entry with its checksum in front."""
    return MAGIC + _check(key, data) + data


def opened(key: str, raw: bytes) -> bytes | None:
    """What is in an entry; None where it is damaged, cut short or another one's."""
    head = len(MAGIC) + CHECK
    data = raw[head:]
    return data if raw[:head] == MAGIC + _check(key, data) else None


def _check(key: str, data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=CHECK, key=key.encode()[:64]).digest()


class FolderStore:
    """A file for each entry, written beside and renamed, so that several processes may share the folder.

    Args:
        folder: Made when something is kept first.
        most: Bytes that all files may have; those that were not used for longest go.
    """

    def __init__(self, folder: str | os.PathLike[str], most: int = DESKTOP):
        self.folder, self.most = Path(folder), most
        self._written = 0
        self._works = True

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def get(self, key: str) -> bytes | None:
        path = self._file(key)
        try:
            raw = path.read_bytes()
            with suppress(OSError):
                os.utime(path)
        except OSError:
            return None
        return opened(key, raw)

    def put(self, key: str, data: bytes) -> None:
        """Writes an entry; the first failure is told once and ends all writing."""
        if not self._works:
            return
        path = self._file(key)
        part = path.with_name(f".{os.getpid()}.{os.urandom(4).hex()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(sealed(key, data))
                os.replace(part, path)
            except BaseException:
                with suppress(OSError):
                    part.unlink()
                raise
        except OSError as e:
            self._works = False
            tell(f"compiled programs cannot be kept in {self.folder} ({e.strerror or e}); they are compiled again in every run.")
            return
        if not self._written:
            atexit.register(self.tidy)
        self._written += 1
        if self._written % OFTEN == 0:
            self.tidy()

    def files(self) -> Iterator[tuple[Path, os.stat_result]]:
        """The entries, and what was left of those that were being written; whatever else lies in the folder is somebody's own."""
        for folder in self._folders():
            for file in _inside(folder):
                with suppress(OSError):
                    if _FILE.fullmatch(file.name) and file.is_file(follow_symlinks=False):
                        yield Path(file.path), file.stat()

    def _folders(self) -> list[str]:
        found = []
        for folder in _inside(self.folder):
            with suppress(OSError):
                if _FOLDER.fullmatch(folder.name) and folder.is_dir(follow_symlinks=False):
                    found.append(folder.path)
        return found

    def tidy(self) -> None:
        """Removes what is too much."""
        size = number = 0
        for _, stat in self.files():  # none is held: the paths of 20,000 files and what is known of them take 20 MB
            size, number = size + stat.st_size, number + 1
        if size <= self.most and number <= ENTRIES:
            return
        for _, nbytes, path in sorted((stat.st_mtime, stat.st_size, str(path)) for path, stat in self.files()):
            if size <= 0.9 * self.most and number <= 0.9 * ENTRIES:  # some more than need be: the next entry does not ask for this again
                break
            with suppress(OSError):
                os.unlink(path)
            size, number = size - nbytes, number - 1

    def clear(self) -> int:
        """Removes all entries; how many there were."""
        number = 0
        for path, _ in list(self.files()):
            with suppress(OSError):
                path.unlink()
                number += 1
        for folder in self._folders():
            with suppress(OSError):
                os.rmdir(folder)
        return number


def _inside(folder: str | os.PathLike[str]) -> list[Any]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


class MemoryStore:
    """Entries in memory, as one piece of bytes to be kept elsewhere; the ones used last stay when it is too much."""

    def __init__(self, most: int = BROWSER):
        self.most = most
        self.changed = False
        self._entries: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        raw = self._entries.pop(key, None)
        if raw is None:
            return None
        data = opened(key, raw)
        if data is not None:
            self._entries[key] = raw  # the last now
        return data

    def put(self, key: str, data: bytes) -> None:
        self._entries.pop(key, None)
        self._entries[key] = sealed(key, data)
        self.changed = True

    def __len__(self) -> int:
        return len(self._entries)

    def pack(self, of: str = "") -> bytes:
        """All entries that there is room for, the ones used last first; `of` is the version they are of (default: this one)."""
        parts, room = [MAGIC, (of or version()).encode()], self.most
        for key, raw in reversed(self._entries.items()):
            room -= len(raw) + 36
            if room < 0:
                break
            parts += [bytes.fromhex(key), len(raw).to_bytes(4, "little"), raw]
        return b"".join(parts)

    def unpack(self, raw: bytes, of: str = "") -> bool:
        """Takes what `pack` gave, as if it had been used before all else; whether it was of this version."""
        head = MAGIC + (of or version()).encode()
        if raw[: len(head)] != head:
            return False
        found: list[tuple[str, bytes]] = []
        at = len(head)
        while at + 36 <= len(raw):
            key, size = raw[at : at + 32].hex(), int.from_bytes(raw[at + 32 : at + 36], "little")
            at += 36 + size
            if at <= len(raw):
                found.append((key, raw[at - size : at]))
        self._entries = dict(reversed(found)) | self._entries
        return True


class Nowhere:
    """Has nothing and keeps nothing, and yet there are keys, for whoever wants to know them."""

    def get(self, key: str) -> bytes | None:
        return None

    def put(self, key: str, data: bytes) -> None:
        pass


_store: Store | None = None
_chosen = False
_told = False


def store() -> Store | None:
    """Where entries are, or None where none are kept."""
    global _store, _chosen
    if not _chosen:
        _store, _chosen = _default(), True
    return _store


def use(chosen: Store | None) -> Store | None:
    """Keeps entries there from now on, or with None nowhere. Returns where they were kept before."""
    global _store, _chosen
    before, _store, _chosen = _store, chosen, True
    return before


def folder() -> Path | None:
    """The folder of entries on the desktop, whether it is there or not; None where `PYML_CACHE` is `off`."""
    named = os.environ.get("PYML_CACHE", "")
    if named.lower() in ("off", "0", "no", "false"):
        return None
    return Path(named).expanduser() if named else user_cache() / "programs"


def _default() -> Store | None:
    if sys.platform == "emscripten":
        return None  # the page's storage is opened by `browser_store`
    chosen = folder()
    return None if chosen is None else FolderStore(chosen)


def find(key: str | None) -> bytes | None:
    """The entry under a key, or None."""
    found = store()
    return found.get(key) if found is not None and key is not None else None


def keep(key: str | None, data: bytes) -> None:
    """Keeps an entry where there is a place for it."""
    found = store()
    if found is not None and key is not None:
        found.put(key, data)


def key_of(kind: str, parts: Iterable[Any]) -> str:
    """A key for what depends on these parts, whose `repr` must say all of them."""
    made = hashlib.sha256(f"{kind} {version()}".encode())
    for part in parts:
        text = repr(part).encode()
        made.update(b"%d:" % len(text))
        made.update(text)
    return made.hexdigest()


_others: str | None = None


def stand_in_for(version: str | None) -> None:
    """Keys are those of another build's `version` from now on; None is this one's own again."""
    global _others
    _others = version


def version() -> str:
    """A hash of all files that say how graphs become kernels."""
    return _others or _own_version()


@functools.cache
def _own_version() -> str:
    made = hashlib.sha256()
    told = PACKAGE.parent / COMPILER_FILE
    if told.is_file():
        return hash_of(told.read_bytes())
    for place in (*(PACKAGE / part for part in COMPILER), kernels_dir()):
        for path in sorted(place.rglob("*")):
            if path.suffix in (".py", ".pyc", ".wgsl") and path.parent.name != "__pycache__":
                raw = path.read_bytes()
                made.update(f"{path.name} {len(raw)} ".encode())
                made.update(raw)
    return made.hexdigest()


def hash_of(compiler: bytes) -> str:
    """The version of a page's wheel, whose `COMPILER_FILE` has these bytes."""
    return hashlib.sha256(compiler).hexdigest()


def tell(text: str) -> None:
    """Says once that something is not kept."""
    global _told
    if not _told:
        _told = True
        warn(text, RuntimeWarning)
