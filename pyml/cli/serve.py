"""Serves a site with the headers that threads, shared memory and precise clocks need."""

import contextlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pyml.cli import paths

HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, but asked about each time: the ETag answers
    "X-Content-Type-Options": "nosniff",
}
TYPES = {
    "": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".py": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wgsl": "text/plain; charset=utf-8",
    ".whl": "application/zip",
    ".zip": "application/zip",
}


class SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Answers GET and HEAD from one folder; directories without an index.html are not listed."""

    protocol_version = "HTTP/1.1"
    extensions_map = TYPES
    renew: Callable[[], None] | None = None
    quiet = True

    def end_headers(self):
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_head(self):
        if self.renew and not urlsplit(self.path).path.endswith((".wasm", ".zip", ".whl", ".npz")):
            self.renew()
        path = Path(self.translate_path(self.path))
        if path.is_dir() and urlsplit(self.path).path.endswith("/"):
            path /= "index.html"
        if not path.is_file():
            return super().send_head()  # redirects a folder to its slash, or answers 404
        stat = path.stat()
        tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
        if tag in self.headers.get("If-None-Match", ""):
            self.send_response(304)
            self.send_header("ETag", tag)
            self.end_headers()
            return None
        file = open(path, "rb")  # noqa: SIM115 - the base class copies it out and closes it
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(stat.st_size))
        self.send_header("ETag", tag)
        self.end_headers()
        return file

    def list_directory(self, path):
        self.send_error(404, "no index.html in this folder")

    def log_message(self, format, *args):
        if not self.quiet:
            super().log_message(format, *args)


class Renewer:
    """Rebuilds a site when a file it is made from changed; looks at most twice a second."""

    def __init__(self, rebuild: Callable[[], object], say: Callable[[str], None] = print):
        self.rebuild, self.say = rebuild, say
        self.lock = threading.Lock()
        self.seen = source_state()
        self.looked = time.monotonic()

    def __call__(self) -> None:
        with self.lock:
            if time.monotonic() - self.looked < 0.5:
                return
            state = source_state()
            if state != self.seen:
                self.seen = state
                try:
                    self.rebuild()
                except Exception as error:  # a file half-saved in an editor must not end the server
                    self.say(f"rebuild failed, serving the last good build: {error}")
            self.looked = time.monotonic()


def source_state() -> frozenset[tuple[str, int, int]]:
    """Name, size and time of every file a site is built from."""
    root = paths.checkout()
    folders = [paths.PACKAGE, paths.kernels_dir(), paths.web_dir(), *([root / "demos"] if root else [])]
    files = (f for folder in folders for f in folder.rglob("*.*") if f.is_file() and f.suffix != ".pyc")
    return frozenset((str(f), (stat := f.stat()).st_size, stat.st_mtime_ns) for f in files)


def make_server(
    folder: Path, port: int = 0, renew: Callable[[], None] | None = None, quiet: bool = True
) -> http.server.ThreadingHTTPServer:
    """A server for `folder` on the loopback interface; port 0 takes a free one."""

    class Handler(SiteHandler):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, directory=str(folder), **kwargs)

    Handler.renew = staticmethod(renew) if renew else None
    Handler.quiet = quiet
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    return server


@contextlib.contextmanager
def running(folder: Path, port: int = 0, renew: Callable[[], None] | None = None) -> Iterator[str]:
    """Serves `folder` in the background; the value is its address, without a closing slash."""
    server = make_server(folder, port, renew)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
