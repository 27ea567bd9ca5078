"""What a request to the local server asks for: by which name, which file of the site, and which of its bytes."""

import ipaddress
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

LONGEST = 1024                                         # bytes of a path; file systems end at 255 a name


class Refused(Exception):
    """A request that gets a sentence instead of a file.

    Attributes:
        status: The HTTP status of the answer.
        headers: Further headers that the status calls for.
    """

    def __init__(self, status: int, sentence: str, **headers: str):
        super().__init__(sentence)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def check_host(authority: str | None, own: set[str]) -> None:
    """Lets names pass that only this machine's user can mean. A site that rebinds its own name to 127.0.0.1 is read
    by the browser as that site; the name in the request is what tells it from ours.

    Args:
        authority: The `Host` header, or the host of an absolute address; None where there is neither.
        own: Further names and addresses that are ours: what `--host` says, and the address that was reached.

    Raises:
        Refused: It is neither `localhost`, a loopback address nor one of `own`.
    """
    if authority is None:
        return                                         # HTTP/1.0: no browser
    try:
        name = "" if set(authority) & set("@/?#\\") else (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:                                 # a bracket that is not closed
        name = ""
    if name == "localhost" or name in own:
        return
    try:
        if ipaddress.ip_address(name).is_loopback:
            return
    except ValueError:
        pass
    raise Refused(403, f"this server answers to localhost and 127.0.0.1, not to {authority[:80]!r}.")


def split_target(target: str) -> tuple[str | None, str, str]:
    """The host (None where the target names none), path and query of a request line's target.

    Raises:
        Refused: It is not an address of a file.
    """
    host = None
    if not target.startswith("/"):
        scheme, found, rest = target.partition("://")
        if not found or scheme.lower() not in ("http", "https"):
            raise Refused(400, "the address must begin with a slash.")
        host, slash, rest = rest.partition("/")
        target = slash + rest or "/"
    path, _, query = target.partition("#")[0].partition("?")
    return host, path, query


def parts_of(path: str) -> list[str]:
    """The names in a path, decoded once; the last is empty for a folder.

    Raises:
        Refused: It is malformed or could leave the site: hidden files, `..`, backslashes, encoded slashes.
    """
    if len(path) > LONGEST:
        raise Refused(414, f"the path has more than {LONGEST} letters.")
    parts = []
    for quoted in path.split("/")[1:]:
        try:
            part = unquote_to_bytes(quoted.encode("latin-1")).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(404, "there is no such file; names are UTF-8.") from None
        if part.startswith(".") or not part.isprintable() or any(mark in part for mark in '/\\:'):
            raise Refused(404, "there is no such file.")
        parts.append(part)
    if "" in parts[:-1]:
        raise Refused(404, "there is no such file; two slashes follow each other.")
    return parts


def file_of(site: Path, parts: list[str]) -> Path | None:
    """The file of a site; None for a folder that was asked for without the slash at its end.

    Raises:
        Refused: There is none, or a symbolic link leads out of the site.
    """
    wanted = site.joinpath(*parts)
    try:
        found = wanted.resolve(strict=True)
        if found.is_dir() and parts[-1] == "":
            found = (found / "index.html").resolve(strict=True)
        elif found.is_dir():
            found = found if (found / "index.html").is_file() else wanted / "index.html"
        elif parts[-1] == "":
            raise Refused(404, "this is a file; leave out the slash at its end.")
    except (OSError, ValueError, RuntimeError):        # missing, too long, a circle of links
        raise Refused(404, "there is no such file.") from None
    if not found.is_relative_to(site.resolve()) or not (found.is_file() or found.is_dir()):
        raise Refused(404, "there is no such file in this site.")
    return None if found.is_dir() else found


def is_known(tag: str, given: str) -> bool:
    """Whether an `If-None-Match` header names a tag."""
    return any(one.strip().removeprefix("W/") in ("*", tag) for one in given.split(","))


def accepts(header: str, encoding: str) -> bool:
    """Whether an `Accept-Encoding` header names an encoding, and not with `q=0`."""
    for one in header.split(","):
        name, _, options = one.partition(";")
        if name.strip().lower() == encoding:
            return not re.fullmatch(r"q=0(\.0*)?", options.strip().lower())
    return False


def byte_range(given: str | None, condition: str | None, tag: str, size: int) -> range | None:
    """The bytes that a `Range` header asks for; None for all of them.

    Several ranges, other units and what cannot be read are answered with the whole file, as RFC 9110 allows.

    Args:
        given: The header.
        condition: `If-Range`: the file that the client holds a part of.
        tag: What the file is now.
        size: Its bytes.

    Raises:
        Refused: It begins behind the end.
    """
    if given is None or (condition is not None and condition.strip() != tag):
        return None
    unit, _, wanted = given.partition("=")
    first, dash, last = (part.strip() for part in wanted.partition("-"))
    numbers = all(part == "" or (part.isascii() and part.isdigit() and len(part) < 20) for part in (first, last))
    if unit.strip().lower() != "bytes" or not dash or not numbers or not (first or last):
        return None
    if first and last and int(last) < int(first):
        return None
    if first:
        found = range(int(first), min(size, int(last) + 1) if last else size)
    else:
        found = range(max(0, size - int(last)), size)
    if not found:
        raise Refused(416, f"the file has {size} bytes.", Content_Range=f"bytes */{size}")
    return found
