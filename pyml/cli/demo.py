"""Runs a demo page: in a window where there is a display, else headless, with its progress printed here."""

import contextlib
import time
import webbrowser
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pyml import paths
from pyml.cli import browser as browsers
from pyml.cli import gallery
from pyml.cli.build import build_site
from pyml.cli.chapters import chapters
from pyml.cli.fetching import Fetching
from pyml.cli.renew import Renewer
from pyml.cli.serve import make_server, running
from pyml.hub import store
from pyml.hub.fetch import AssetError, fetch_models
from pyml.hub.registry import REGISTRY

GOALS = {"mnist": 0.97}  # least test accuracy of a headless run that counts as a success
PREFIX = "pyml:"
# what the page says of itself, and of a start that failed: it offers a button then, which nobody here presses
STATE = """() => globalThis.pymlDemo && {
  ...pymlDemo, notStarted: document.querySelector("#status[data-phase=failed]")?.textContent,
}"""


class DemoError(Exception):
    """A demo cannot be run or failed; the message says why."""


def names() -> list[str]:
    """The demos and the chapters of this checkout."""
    root = paths.checkout()
    return [*gallery.demos(root / "demos"), *(one.name for one in chapters(root / "demos"))] if root else []


def run(
    name: str | None,
    port: int = 8000,
    headless: bool = False,
    timeout: float = 900,
    query: dict | None = None,
) -> int:
    """Runs one demo; returns the command's exit status.

    Args:
        name: The demo's folder; None lists the demos.
        port: Where it is served when a window opens; a busy one is replaced by a free one.
        headless: No window even where there is a display.
        timeout: Seconds a headless run may take.
        query: Options of a headless run by the names the page knows, such as `backend` and `epochs`.

    Raises:
        DemoError: There is no such demo, or it failed.
    """
    if paths.checkout() is None:
        raise DemoError("the demos are in pyml's source checkout; run this there.")
    if name is None:
        print("demos:", *names() or ["none"])
        return 0
    if name not in names():
        raise DemoError(f"no demo is named {name!r}; there are: {', '.join(names()) or 'none'}.")
    fetch_networks(name)
    site = build_site(paths.site_dir())
    if browsers.has_display() and not headless:
        return show(name, site, port)
    try:
        return run_headless(name, site, timeout, query or {})
    except browsers.NoBrowser as reason:
        print(f"{reason}\nserving the page instead; open it in a browser with WebGPU:")
        return serve(name, site, port, open_window=False)


def networks(name: str) -> list[str]:
    """The networks that a demo needs, as its page says in `<meta name="networks">`, and a chapter in its file."""
    root = paths.checkout()
    file = root / "demos" / name / "index.html" if root else None
    if root is not None and file is not None and not file.is_file():
        return [network for chapter in chapters(root / "demos") if chapter.name == name for network in chapter.networks]
    return gallery.described(file.read_text(encoding="utf-8") if file is not None else "", "networks").split()


def fetch_networks(name: str) -> None:
    """Brings the networks of a demo that are not here yet; without them its page opens all the same, and offers them."""
    absent = [network for network in networks(name) if store.folder_of(network) is None]
    if not absent:
        return
    entries = [REGISTRY[network] for network in absent]
    sizes = f"{sum(e.size for e in entries) / 1e6:.1f} MB, {sum(e.download for e in entries) / 1e6:.0f} MB to download, once"
    print(f"demo {name} needs {' and '.join(absent)} ({sizes})", flush=True)
    try:
        fetch_models(absent)
    except AssetError as error:
        print(f"{error}\nGoing on without; the page says what is missing.", flush=True)


def show(name: str, site: Path, port: int) -> int:
    """Serves the site and opens the demo in the user's browser."""
    return serve(name, site, port, open_window=True)


def serve(name: str, site: Path, port: int, open_window: bool) -> int:
    """Serves the site until Ctrl-C and prints, or opens, the demo's address."""
    renew = Renewer(lambda: build_site(site, quick=True))
    fetching = Fetching(partial(renew, at_once=True))
    try:
        server = make_server(site, port, renew, fetching=fetching)
    except OSError:
        server = make_server(site, 0, renew, fetching=fetching)
    url = f"http://127.0.0.1:{server.server_address[1]}/demos/{name}/index.html"
    print(f"{url}  (Ctrl-C stops)", flush=True)
    if open_window:
        webbrowser.open(url)
    with server:
        server.serve_forever()
    return 0


def run_headless(name: str, site: Path, timeout: float, query: dict) -> int:
    """Lets the page run by itself, prints its lines as they come, and judges the result."""
    options = urlencode({"autorun": 1, **{key: value for key, value in query.items() if value is not None}})
    picture = paths.build_dir() / f"demo-{name}.png"
    with running(site) as url, browsers.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1000})
        with streamed(page) as problems:
            print(f"training in headless Chromium {chromium.version}", flush=True)
            page.goto(f"{url}/demos/{name}/index.html?{options}")
            result = wait_for_result(page, timeout, problems)
            # all of it in sight: an editor that is not has measured no line, and its numbers stand beside other ones
            page.set_viewport_size({"width": 1280, "height": page.evaluate("() => document.documentElement.scrollHeight")})
            page.evaluate("() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); })")
            page.screenshot(path=str(picture), full_page=True)
    print(f"screenshot: {picture}")
    if result.get("error"):
        raise DemoError(f"demo {name}: {result['error']}")
    return judge(name, result)


@contextlib.contextmanager
def streamed(page: Any) -> Iterator[list[str]]:
    """Prints the page's own lines while the block runs; the value collects what went wrong in it."""
    problems: list[str] = []

    def line(message: Any) -> None:
        if message.text.startswith(PREFIX):
            print(message.text.removeprefix(PREFIX).removeprefix(" "), flush=True)
        elif message.type == "error":
            problems.append(message.text)

    page.on("console", line)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("crash", lambda *_: problems.append("the page crashed"))
    yield problems


def wait_for_result(page: Any, timeout: float, problems: list[str]) -> dict:
    """Waits until the page has set `window.pymlDemo.done`.

    Raises:
        DemoError: It did not within `timeout` seconds, or the page crashed. What the page itself says of a failure is in the value.
    """
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        result = page.evaluate(STATE)
        if result and result.get("notStarted"):
            return {**result, "error": result["notStarted"].removesuffix("Try again").strip()}
        if result and (result.get("done") or result.get("error")):
            return result
        if "the page crashed" in problems:
            break
        page.wait_for_timeout(250)
    last = f" Its last error: {problems[-1]}" if problems else ""
    raise DemoError(f"the page did not finish within {timeout:.0f} s.{last}")


def judge(name: str, result: dict) -> int:
    """Prints the test accuracy and compares it with the demo's goal."""
    print(f"backend: {result.get('backend')}")
    accuracy, goal = result.get("testAccuracy"), GOALS.get(name)
    if accuracy is not None:
        print(f"test accuracy: {accuracy:.4f}")
    if result.get("summary"):
        print(result["summary"])
    print(f"open the page yourself: .venv/bin/pyml serve, then http://127.0.0.1:8000/demos/{name}/index.html")
    if goal is not None and (accuracy is None or round(accuracy, 4) < goal):
        raise DemoError(f"demo {name}: the test accuracy is below {goal}.")
    return 0
