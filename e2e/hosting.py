"""Built folders, served as a static host serves them, and pages that may load nothing from elsewhere."""

import functools
import http.server
import threading
from contextlib import contextmanager


class Files(http.server.SimpleHTTPRequestHandler):
    """Plain files, that pages of other origins may read: what a static host or a CDN gives."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *args):
        pass


class KeptScripts(Files):
    """Files of a host that lets browsers keep scripts for an hour."""

    def end_headers(self):
        if self.path.partition("?")[0].endswith(".js"):
            self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()


@contextmanager
def hosted(folder, files=Files):
    """A folder at an address of its own."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(files, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def shut_in(browser, folder, width=1280, height=900):
    """A page that reaches the served folder only; its `outside` lists the addresses that it asked for elsewhere.

    Yields:
        The page and the folder's address.
    """
    context = browser.new_context(viewport={"width": width, "height": height})
    with hosted(folder) as url:
        outside = []
        elsewhere = lambda address: not address.startswith((url, "data:", "blob:"))
        context.route(elsewhere, lambda route: (outside.append(route.request.url), route.abort()))
        page = context.new_page()
        page.outside = outside
        yield page, url
    context.close()
