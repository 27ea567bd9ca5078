"""Serves a site with the headers that threads, shared memory and precise clocks need."""

import contextlib
import http.server
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from pyml.cli.compress import ENCODINGS
from pyml.cli.fetching import Fetching
from pyml.cli.renew import Renewer
from pyml.cli.request import Refused, accepts, byte_range, check_host, file_of, is_known, parts_of, split_target

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
ASKED = "no-cache"  # kept, but asked about each time: the ETag answers
NEVER_ASKED = "max-age=31536000, immutable"
# a new build has other names
NAMED_BY_CONTENT = re.compile(r"-[0-9a-f]{10}\.(gz|wasm)$|-0x[0-9a-f]{10}-.*\.whl$|\.(wasm|m?js)\?[0-9a-f]{10}$")
BINARY = "application/octet-stream"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".wgsl": "text/plain; charset=utf-8",
    ".whl": "application/zip",
    ".zip": "application/zip",
}
UNCHANGING = (".wasm", ".zip", ".whl", ".npz")  # no reason to look for changed sources
PIECE = 1 << 16
LARGEST_BODY = 1 << 20  # bytes of a request that are read and thrown away
PATIENCE = 60  # seconds until a connection that says nothing is closed


class SiteHandler(http.server.BaseHTTPRequestHandler):
    """Answers GET and HEAD from one folder, and every other request with a sentence; folders are not listed."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # a request that cannot be read gets a status line too
    server_version = "pyml"
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d: %(explain)s\n"
    timeout = PATIENCE
    site: Path
    own_names: frozenset[str] = frozenset()
    renew: Renewer | None = None
    fetching: Fetching | None = None
    answering = unread = False  # the answer has begun; the request has not ended
    caching = ASKED

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", self.caching)
        self.answering = True
        super().end_headers()

    def do_GET(self) -> None:
        self.answer(self.send_file)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.answer(self.fetch_network)

    def other(self) -> None:
        self.answer(self.refuse_method)

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = other

    def answer(self, how: Callable[[list[str], str, str], None]) -> None:
        """Checks a request and has it answered; whatever goes wrong, the client hears of it."""
        self.answering, self.caching = False, ASKED
        try:
            self.drop_body()
            host, path, query = split_target(self.path)
            named = self.headers.get_all("Host") or []
            if self.headers.defects or (self.request_version > "HTTP/1.0" and not named):
                raise Refused(400, "the request must name its host, and each of its headers must be a name, a colon and a value.")
            for authority in (host, *named):
                check_host(authority, {*self.own_names, self.connection.getsockname()[0]})
            how(parts_of(path), path, query)
        except Refused as refused:
            self.refuse(refused)
        except (ConnectionError, TimeoutError):        # the client is gone
            self.close_connection = True
        except OSError as error:
            if self.answering:                         # too late for a sentence; a short answer must not look whole
                self.close_connection = True
                return
            self.refuse(Refused(500, f"the file cannot be read ({error.strerror})."))

    def refuse(self, refused: Refused) -> None:
        text = f"{refused.status}: {refused}\n".encode()
        self.send_response(refused.status)
        for name, value in {**refused.headers, "Content-Type": self.error_content_type, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def refuse_method(self, parts: list[str], path: str, query: str) -> None:
        raise Refused(405, f"{self.command} is not answered here.", Allow="GET, HEAD")

    def drop_body(self) -> None:
        """Reads what a request brings along, which would be taken for the next one."""
        length, *others = (text.strip() for text in self.headers.get_all("Content-Length") or ["0"])
        known = length.isascii() and length.isdigit() and len(length) < 20 and not others
        if "Transfer-Encoding" in self.headers or self.headers.defects or not known or int(length) > LARGEST_BODY:
            self.close_connection = self.unread = True
        else:
            self.rfile.read(int(length))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers a request that cannot be read, of which more may come."""
        self.unread = True
        super().send_error(code, message, explain)

    def finish(self) -> None:
        """Ends the connection; a client that still sends gets to read the answer first."""
        with contextlib.suppress(OSError):
            super().finish()
            if self.unread:
                self.connection.shutdown(socket.SHUT_WR)
                left = LARGEST_BODY
                while left > 0 and (piece := self.connection.recv(PIECE)):
                    left -= len(piece)

    def send_file(self, parts: list[str], path: str, query: str) -> None:
        """Sends a file of the site, the site being renewed before where sources have changed."""
        if self.fetching and parts[:1] == ["hub"]:
            return self.describe_network(parts)
        if self.renew and not path.endswith(UNCHANGING):
            self.renew()
        try:
            found = file_of(self.site, parts)
        except Refused:
            if not self.renew or not self.renew(at_once=True):
                raise
            found = file_of(self.site, parts)          # it has only just come
        if found is None:
            there = "/" + "/".join(quote(part) for part in parts) + "/" + (f"?{query}" if query else "")
            raise Refused(301, f"the folder is at {there}", Location=there)
        chosen, encoding = self.best_copy(found)
        with open(chosen, "rb") as file:
            self.send_open(file, TYPES.get(found.suffix.lower(), BINARY), encoding)

    def best_copy(self, path: Path) -> tuple[Path, str | None]:
        """The file to send for `path`: a compressed copy that the browser takes, with its encoding, or `path` itself."""
        accepted = self.headers.get("Accept-Encoding", "")
        if "Range" not in self.headers:                # parts are parts of the file itself
            for encoding, ending in ENCODINGS.items():
                copy = path.with_name(f"{path.name}.{ending}")
                if accepts(accepted, encoding) and copy.is_file():
                    return copy, encoding
        return path, None

    def send_open(self, file: BinaryIO, kind: str, encoding: str | None) -> None:
        """Sends an open file, or the part of it that was asked for."""
        if NAMED_BY_CONTENT.search(self.path.split("#")[0]):
            self.caching = NEVER_ASKED
        stat = os.fstat(file.fileno())                 # of this file, and not of one that has just taken its name
        size, tag = stat.st_size, f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        if is_known(tag, self.headers.get("If-None-Match", "")):
            self.send_response(304)
            self.send_header("ETag", tag)
            self.send_header("Vary", "Accept-Encoding")
            return self.end_headers()
        wanted = None
        if self.command == "GET":                      # a range means nothing to HEAD
            wanted = byte_range(self.headers.get("Range"), self.headers.get("If-Range"), tag, size)
        self.send_response(200 if wanted is None else 206)
        if wanted is not None:
            self.send_header("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{size}")
        if encoding:
            self.send_header("Content-Encoding", encoding)
        part = range(size) if wanted is None else wanted
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Vary", "Accept-Encoding")
        self.send_header("ETag", tag)
        self.end_headers()
        if self.command == "GET":
            self.copy(file, part)

    def copy(self, file: BinaryIO, part: range) -> None:
        file.seek(part.start)
        left = len(part)
        while left:
            piece = file.read(min(left, PIECE))
            if not piece:                              # it was made shorter meanwhile: the client must not wait
                self.close_connection = True
                return
            self.wfile.write(piece)
            left -= len(piece)

    def describe_network(self, parts: list[str]) -> None:
        """`GET /hub/NAME`: a network's size, and how far its download is."""
        assert self.fetching is not None
        self.send_text(self.fetching.describe(parts), "application/json")

    def fetch_network(self, parts: list[str], path: str, query: str) -> None:
        """`POST /hub/NAME`: begins a network's download, if a page of this server asks."""
        if self.fetching is None or parts[:1] != ["hub"]:
            raise Refused(405, "POST is not answered here.", Allow="GET, HEAD")
        host = self.headers.get("Host", "")
        if self.headers.get("Origin") != f"http://{host}":
            raise Refused(403, "only pages of this server may ask it to fetch something.")
        self.fetching.begin(parts)
        self.send_text(self.fetching.describe(parts), "application/json", 202)

    def send_text(self, text: str, kind: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for what the builds say."""


class SiteServer(http.server.ThreadingHTTPServer):
    """A thread a connection, which ends with the server; a client that goes away is not an error of ours."""

    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        self.connections: set[Any] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self.connections):      # browsers keep them open, and would be served on
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


def make_server(
    folder: Path,
    port: int = 0,
    renew: Renewer | None = None,
    host: str = "127.0.0.1",
    fetching: Fetching | None = None,
) -> SiteServer:
    """A server for a folder.

    Args:
        folder: The site.
        port: 0 takes a free one.
        renew: Called before an answer, to bring the site up to date.
        host: The address to listen at; by default only this machine reaches it.
        fetching: Networks that pages may ask for; without it they may not.

    Raises:
        OSError: The port is taken, or the address is not this machine's.
    """
    attributes = {
        "site": Path(folder).resolve(), "own_names": frozenset({host.lower()}), "renew": renew, "fetching": fetching,
    }  # fmt: skip
    handler = type("Handler", (SiteHandler,), attributes)
    kind = type("Server", (SiteServer,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})
    return kind((host, port), handler)


@contextlib.contextmanager
def running(folder: Path, port: int = 0, renew: Renewer | None = None, fetching: Fetching | None = None) -> Iterator[str]:
    """Serves `folder` in the background; the value is its address, without a closing slash."""
    server = make_server(folder, port, renew, fetching=fetching)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
