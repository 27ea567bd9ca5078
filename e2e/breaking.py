"""A server that answers for one file as servers and networks do on bad days, and pages whose patience ends sooner."""

import fnmatch
import functools
import socket
import struct
import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

from .hosting import Files

# how a file is answered
WAYS = ("404", "500", "reset", "ends early", "a page", "silent", "stalls")
# a second of patience is as long as a twentieth; a page waits for `nothing comes` by ticks of a second
HASTE = """(() => {
  const { setInterval: plain } = globalThis;
  globalThis.setInterval = (work, ms, ...more) => plain(work, ms === 1000 ? 50 : ms, ...more);
})();
"""
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Resource-Policy": "same-origin"}  # fmt: skip
PAGE = b"<!doctype html><html><body>" + 2000 * b"Welcome to this network. " + b"</body></html>"


class Breaking(Files):
    """Files of a folder, but for one that `server.broken` names with the way in which it fails."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(super().do_HEAD)

    def do_GET(self):
        self.answer(super().do_GET)

    def answer(self, plainly):
        path = self.path.partition("?")[0]
        pattern, way = self.server.broken or ("", None)
        if way is None or not fnmatch.fnmatch(path.rsplit("/", 1)[-1], pattern):
            return plainly()
        self.server.failed.append(path)
        if way in ("404", "500"):
            return self.whole(int(way), b"no")
        if way == "a page":
            return self.whole(200, PAGE)
        if way == "silent":
            return self.wait()
        if self.command == "HEAD":
            return plainly()
        data = Path(self.translate_path(path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        if way == "ends early":                        # and no length that would tell
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        if way == "stalls":
            self.wait()
        elif way == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def whole(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wait(self):
        """Says nothing any more."""
        self.close_connection = True
        self.server.over.wait()

    def end_headers(self):
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):                  # the browser is gone, or the connection was reset
            pass


class Server(ThreadingHTTPServer):
    """`broken` is None, or a pattern of file names and one of `WAYS`; `failed` lists what was asked for of those."""

    daemon_threads = True

    def __init__(self, folder, isolated):
        super().__init__(("127.0.0.1", 0), functools.partial(Breaking, directory=str(folder)))
        self.broken, self.failed = None, []
        self.headers = ISOLATED if isolated else {}
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def breaks(self, name, way):
        self.failed.clear()
        self.broken = (name, way)

    def mend(self):
        self.broken = None

    def handle_error(self, request, client_address):
        pass


@contextmanager
def breaking(folder, isolated=False):
    """A server of a folder, which `breaks(name, way)` and is whole again after `mend()`."""
    with Server(folder, isolated) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()
