"""Downloads that go on where they stopped: what has arrived lies in a `.part` file until all of it is there."""

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pyml.assets.checks import AssetError, progress_line

ATTEMPTS = 3                                           # in a row that bring nothing new
PAUSE = 1.0                                            # seconds between them
CHUNK = 256 * 1024
_BROKEN = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)


class Unreachable(Exception):
    """The address gives nothing; perhaps there is another way to the file."""


class Interrupted(AssetError):
    """The download broke off; what has arrived is kept for the next time."""


def fetch(url: str, part: Path, what: str, size: int, expected: str, measure: Callable[[Path], str], timeout: float = 30.0) -> None:
    """Brings the file at `url` to `part`, of which a beginning may lie there from an earlier time.

    A server that cannot send the rest of a file sends all of it again. A file with the wrong checksum is removed; if its
    beginning was from an earlier time, it is fetched once more from the start.

    Args:
        what: The file's name in messages.
        size: About how many bytes, for the progress line.
        expected: What `measure(part)` must give in the end.
        timeout: Seconds without an answer after which a connection counts as broken.

    Raises:
        Unreachable: The address could not be opened, or refuses the file.
        Interrupted: The connection broke again and again.
        AssetError: The file is not the one that was asked for.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with _progress(what, part, size):
        earlier = _size(part) > 0
        while True:
            _bring(url, part, what, size, timeout)
            found = measure(part)
            if found == expected:
                return
            part.unlink()
            if not earlier:
                raise AssetError(f"{what}: checksum differs: expected {expected}, received {found}. The file was removed.")
            earlier = False


def _bring(url: str, part: Path, what: str, size: int, timeout: float) -> None:
    """Asks for what is missing until there is nothing more to come."""
    most, failures = _size(part), 0
    while True:
        reason = "the connection was closed"
        try:
            if _rest(url, part, timeout):
                return
        except urllib.error.HTTPError as error:
            if error.code == 416 and _size(part):      # there is nothing after what is here
                return
            if error.code < 500:
                raise Unreachable(f"{what}: the server answers {error.code}") from None
            reason = f"the server answers {error.code}"
        except _BROKEN as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        if not _size(part):
            raise Unreachable(f"{what}: {reason}")
        failures = 0 if _size(part) > most else failures + 1
        most = max(most, _size(part))
        if failures >= ATTEMPTS:
            raise Interrupted(
                f"{what}: the download stopped at {most / 1e6:.1f} of about {size / 1e6:.1f} MB ({reason}). "
                "What has arrived is kept; run the command again to go on from there."
            )
        time.sleep(PAUSE)


def _rest(url: str, part: Path, timeout: float) -> bool:
    """One request for what is missing; whether all that the server announced has arrived."""
    have = _size(part)
    headers = {"User-Agent": "pyml", **({"Range": f"bytes={have}-"} if have else {})}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
        goes_on = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if answer.status == 206 and not goes_on:
            raise http.client.HTTPException("the server sends another part than was asked for")
        announced = answer.headers.get("Content-Length")
        received = 0
        with open(part, "ab" if goes_on else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                received += len(chunk)
    return announced is None or received >= int(announced)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


@contextmanager
def _progress(what: str, part: Path, size: int) -> Iterator[None]:
    done = threading.Event()
    watcher = threading.Thread(target=progress_line, args=(what, part, size, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
