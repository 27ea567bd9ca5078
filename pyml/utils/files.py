"""`get_file`: a file of the web in a folder of this machine, checked and unpacked."""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyml import settings
from pyml.atomic import replacing
from pyml.atomic_folders import replacing_folder
from pyml.utils.progbar import Progbar

_HASHES = {"md5": 32, "sha256": 64}


def get_file(fname: Any = None, origin: str | None = None, untar: bool = False, md5_hash: str | None = None,
             file_hash: str | None = None, cache_subdir: str = "datasets", hash_algorithm: str = "auto", extract: bool = False,
             archive_format: str | Sequence[str] | None = "auto", cache_dir: Any = None, force_download: bool = False) -> str:  # fmt: skip
    """Downloads a file unless it is there already, and returns its path.

    Args:
        fname: Name of the file; by default the one in `origin`.
        origin: Address of the file.
        untar: The same as `extract` with `archive_format="tar"`.
        md5_hash: The same as `file_hash`, of MD5.
        file_hash: What the file's hash must be; a file that is there with another is fetched again.
        cache_subdir: Folder inside `cache_dir`.
        hash_algorithm: `"sha256"`, `"md5"`, or `"auto"`: by the length of the hash.
        extract: Unpack the archive beside the file, and return the path of that folder.
        archive_format: `"tar"`, `"zip"`, a list of them, or `"auto"` for both.
        cache_dir: Where files are kept; by default `$KERAS_HOME` or `~/.keras`.
        force_download: Fetch it in any case.

    Members of archives that would lie outside of the folder are refused.

    Raises:
        ValueError: There is no `origin`, `fname` is a path, the hash differs, or the archive cannot be unpacked.
        OSError: The file cannot be fetched; in a browser tab also where its server does not let other sites read it (CORS).

    Example:
        >>> path = pyml.utils.get_file(origin="https://example.org/rows.csv")    # doctest: +SKIP
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    name = os.fspath(fname) if fname else os.path.basename(urllib.parse.urlsplit(origin).path)
    if not name:
        raise ValueError(f"Can't parse the file name from the origin provided: {origin!r}. Please specify the `fname` argument.")
    if os.sep in name or name in (".", ".."):
        raise ValueError(f"Paths are no longer accepted as the `fname` argument; use `cache_dir`. Received: fname={name!r}")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = _folder(cache_dir) / cache_subdir
    unpacks = extract or untar
    target, unpacked = folder / name, folder / name
    if unpacks:
        stem = name.partition(".")[0]
        named = fname and "." in name
        target = folder / name if named else folder / f"{name}_archive"
        unpacked = folder / (f"{stem}_extracted" if named else name)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = force_download or not target.exists()
    if not fresh and file_hash is not None and _hash(target, hash_algorithm, file_hash) != file_hash.lower():
        settings.print_msg(f"A local file was found, but its hash is not {file_hash}, so it is fetched again.")
        fresh = True
    if fresh:
        _download(origin, target, file_hash, hash_algorithm)
    if unpacks:
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked if unpacks else target)


def _folder(cache_dir: Any) -> Path:
    base = Path(cache_dir or os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    above = next(path for path in (base, *base.parents) if path.exists())
    return base if os.access(above, os.W_OK) else Path(tempfile.gettempdir()) / ".keras"


def _hash(path: Path, algorithm: str, expected: str) -> str:
    if algorithm == "auto":
        algorithm = "sha256" if len(expected) == _HASHES["sha256"] else "md5"
    if algorithm not in _HASHES:
        raise ValueError(f"get_file: hash_algorithm must be 'auto', 'sha256' or 'md5'. Received: hash_algorithm={algorithm!r}")
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _download(origin: str, target: Path, file_hash: str | None, algorithm: str) -> None:
    """Fetches `origin` beside `target`, and renames it once it is whole and right."""
    settings.print_msg(f"Downloading data from {origin}")
    with replacing(target) as part:
        if sys.platform == "emscripten":
            part.write_bytes(_fetched_in_tab(origin))
            return _check(part, algorithm, file_hash)
        try:
            with urllib.request.urlopen(origin) as answer, open(part, "wb") as file:
                total = int(answer.headers.get("Content-Length") or 0) or None
                bar, done = Progbar(total), 0
                while block := answer.read(1 << 16):
                    file.write(block)
                    done += len(block)
                    bar.update(done)
        except (urllib.error.URLError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise OSError(f"URL fetch failure on {origin}: {getattr(error, 'code', '')} {reason}") from None
        _check(part, algorithm, file_hash)


def _check(path: Path, algorithm: str, file_hash: str | None) -> None:
    if file_hash is not None and (found := _hash(path, algorithm, file_hash)) != file_hash.lower():
        raise ValueError(f"Incomplete or corrupted file detected: its hash is {found}, not the provided value {file_hash}.")


def _fetched_in_tab(origin: str) -> bytes:
    """The bytes of an address in a browser tab: through `fetch` where Python can wait, else by a request that blocks the thread.

    Raises:
        OSError: The server does not answer, has no such file, or does not let other sites read it.
    """
    import js
    from pyodide.ffi import JsException, can_run_sync, run_sync
    from pyodide.http import pyfetch

    told = f"URL fetch failure on {origin}: the server did not answer, or does not let pages of other sites read it (CORS)"
    if can_run_sync():

        async def fetch() -> tuple[Any, bytes]:
            answer = await pyfetch(origin)
            # Pyodide's own way to the bytes breaks down where the answer does
            return answer, (await answer.js_response.arrayBuffer()).to_bytes() if answer.ok else b""

        try:
            answer, data = run_sync(fetch())
        except (OSError, JsException) as error:
            raise OSError(f"{told}: {error}") from None
        if not answer.ok:
            raise OSError(f"URL fetch failure on {origin}: {answer.status} {answer.status_text}")
        return data
    request = js.XMLHttpRequest.new()
    request.open("GET", origin, False)
    request.overrideMimeType("text/plain; charset=x-user-defined")  # a blocking request gives bytes as text only
    try:
        request.send()
    except JsException:
        raise OSError(told) from None
    if not 200 <= request.status < 300:
        raise OSError(f"URL fetch failure on {origin}: {request.status} {request.statusText}")
    return bytes(memoryview(str(request.responseText).encode("utf-16-le"))[::2])  # the low byte of each character


def _unpack(archive: Path, folder: Path, formats: str | Sequence[str] | None) -> None:
    """Unpacks into a folder beside, which takes the place of an earlier one at the end."""
    wanted = ("tar", "zip") if formats == "auto" else (formats,) if isinstance(formats, str) else tuple(formats or ())
    with replacing_folder(folder) as fresh:
        if "tar" in wanted and tarfile.is_tarfile(archive):
            try:
                with tarfile.open(archive) as tar:
                    tar.extractall(fresh, filter="data")
            except tarfile.TarError as error:
                raise ValueError(f"get_file: {archive} cannot be unpacked: {error}") from None
        elif "zip" in wanted and zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                for member in packed.namelist():
                    if not (fresh / member).resolve().is_relative_to(fresh.resolve()):
                        raise ValueError(f"get_file: the archive has {member!r}, which would lie outside of {folder}.")
                packed.extractall(fresh)
        else:
            raise ValueError(f"get_file: {archive} is not an archive of the format {formats!r}.")
