"""Fixtures for tests that drive the built site in headless Chromium.

All of them run in one worker (`../conftest.py`), so that one site and one browser serve them and pages do not
compete for two cores. A page that writes an error to its console fails its test; a test that provokes errors
says so with `console.allow("part of the text")`. Browser and site live as long as this package's tests and no
longer: Playwright keeps an event loop running, which other tests must not find.

A start of Python takes ten seconds of a processor and more, most of what these tests cost. So pages are opened in one
browser profile, where a start goes on from the memory that the first one kept, and tests that only talk to Python share
the pages of `pythons`.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from threading import Event, Timer

import pytest

from pyml import paths
from pyml.cli import browser as browsers
from pyml.cli.build import build_site
from pyml.cli.serve import running

from .breaking import HASTE
from .patience import of_a_test, patience
from .python_page import BLANK, PythonPage

WITHOUT_WEBGPU = (
    *(flag for flag in browsers.FLAGS if "webgpu" not in flag),
    "--disable-features=WebGPU,WebGPUService",
    "--disable-webgpu",
    "--disable-gpu",
)
os.environ["PYML_CACHE"] = "off"  # Python here and in processes; a page has its window's storage


# pages that take their time: `make test-all` runs them, `make test` only what is marked quick in them
SLOW = {"test_audio_demos", "test_bare_pyodide", "test_camera_demos", "test_demos", "test_media", "test_stores", "test_wasm_device",
        "test_wasm_in_node"}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks the pages' tests, before `-m` looks at the marks."""
    for item in items:
        if item.nodeid.startswith("e2e/"):
            item.add_marker(pytest.mark.e2e)
            if Path(item.path).stem in SLOW and not item.get_closest_marker("quick"):
                item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Pages are waited for as long as the test may take."""
    of_a_test(_limit(item))


def _limit(item):
    """Seconds that a test may take; 0 for any number."""
    mark, given = item.get_closest_marker("timeout"), item.config.getoption("timeout", None)
    return float(mark.args[0] if mark else given if given is not None else item.config.getini("timeout") or 0)


@cache
def built() -> Path:
    """The folder of the site, brought up to date once."""
    return build_site(paths.site_dir(), say=lambda text: None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """Shortly before a test's limit its browsers are ended, which tells whoever waits for a page that it is gone.

    What pytest-timeout raises at the limit is lost in Playwright's loop, and the test would wait for ever.
    The next test gets browsers of its own, so that what hangs fails alone.
    """
    if "site" in item.fixturenames:
        with suppress(Exception):  # the fixture says it
            built()  # before the test's time begins: after a change it takes a busy machine longer than a test may
    limit = _limit(item)
    if not limit:
        return (yield)
    ended = Event()
    end = Timer(0.95 * limit, _end_browsers, [ended])
    end.daemon = True
    end.start()
    try:
        return (yield)
    finally:
        end.cancel()
        if ended.is_set():
            with suppress(Exception):  # whatever closes a page of theirs
                item.session._setupstate.teardown_exact(None)


def _end_browsers(ended):
    ended.set()
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    processes = [(int(pid), int(parent), name) for pid, parent, name in (line.split(None, 2) for line in listed.splitlines())]
    mine = {os.getpid()}
    while below := {pid for pid, parent, _ in processes if parent in mine} - mine:
        mine |= below
    for pid, _, name in processes:
        if pid in mine and "chrom" in name:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Console:
    """What a page wrote to its console, and the errors it raised."""

    def __init__(self, page):
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.allowed: list[str] = []
        page.on("console", self._line)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("crash", lambda *_: self.errors.append("the page crashed"))

    def _line(self, message):
        self.lines.append(message.text)
        if message.type == "error":
            where = (message.location or {}).get("url", "")
            self.errors.append(f"{message.text} ({where})")

    def allow(self, text: str) -> None:
        """Lets errors that contain `text` pass."""
        self.allowed.append(text)

    def check(self) -> None:
        """Fails on an error that was not allowed."""
        left = [e for e in self.errors if "favicon.ico" not in e and not any(a in e for a in self.allowed)]
        assert not left, "errors in the page's console:\n  " + "\n  ".join(left)


@pytest.fixture(scope="package")
def site() -> Iterator[str]:
    """The address of the built site, served with isolation headers on a free port."""
    with running(built()) as url:
        yield url


@pytest.fixture(scope="package")
def driver() -> Iterator:
    """Playwright, started once."""
    try:
        with browsers.playwright() as started:
            yield started
    except browsers.NoBrowser as reason:
        pytest.skip(str(reason))


def started(driver, flags) -> Iterator:
    """A Chromium with these flags, closed at the end; skips where there is none."""
    try:
        chromium = browsers.launch(driver, flags)
    except browsers.NoBrowser as reason:
        pytest.skip(str(reason))
    yield chromium
    chromium.close()


@pytest.fixture(scope="package")
def browser(driver) -> Iterator:
    """One Chromium with WebGPU on its software adapter."""
    yield from started(driver, browsers.FLAGS)


@pytest.fixture(scope="module")
def hasty_window(browser) -> Iterator:
    """A window in which pages and their workers wait twenty times shorter for what does not come."""
    context = browser.new_context(service_workers="block")
    context.add_init_script(HASTE)
    context.set_default_timeout(patience())
    yield context
    context.close()


@pytest.fixture(scope="module")
def browser_without_webgpu(driver) -> Iterator:
    """A Chromium that has no WebGPU adapter to give."""
    yield from started(driver, WITHOUT_WEBGPU)


@pytest.fixture(scope="package")
def profile(browser) -> Iterator:
    """One window of the browser for pages that need no fresh one; whoever opens a page in it closes the page, not the window."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(patience())
    yield context
    context.close()


@pytest.fixture(scope="package")
def pythons(profile, site) -> Iterator:
    """Python in pages that stay: `pythons("backend=wasm")` is the page of that query, with the names that it has at its start."""
    opened: dict[str, PythonPage] = {}

    def python(query):
        if query not in opened:
            opened[query] = PythonPage(profile.new_page(), site, query)
        opened[query].page.set_default_timeout(patience())
        opened[query].forget()
        return opened[query]

    yield python
    for each in opened.values():
        each.page.close()


@pytest.fixture
def new_page(request, site) -> Iterator:
    """Opens pages: `new_page()` in `profile`, where nothing is left of earlier pages but Python's memory; in a window of
    their own `new_page(fresh=True)` and `new_page(browser=..., viewport=..., color_scheme=...)`.

    They are closed after the test. Each page has a `console` attribute, a `Console`, checked at the end.
    """
    opened = []

    def open_page(browser=None, fresh=False, **options):
        if browser or fresh or options:
            options.setdefault("viewport", {"width": 1280, "height": 900})
            context = (browser or request.getfixturevalue("browser")).new_context(**options)
            context.set_default_timeout(patience())
            page, close = context.new_page(), context.close
        else:
            context = request.getfixturevalue("profile")
            page = context.new_page()
            page.goto(site + BLANK)
            page.evaluate(EMPTY)
            close = partial(leave, page, site)
        page.set_default_timeout(patience())
        page.console = Console(page)
        opened.append((page, close))
        return page

    yield open_page
    for _, close in opened:
        close()
    for page, _ in opened:
        page.console.check()


# what pages keep in a browser, without Python's memory
EMPTY = """async () => {
  for (const name of await caches.keys()) if (name !== "pyml-python") await caches.delete(name);
}"""
KEPT = "cookies,local_storage,indexeddb,file_systems,service_workers"


def leave(page, site) -> None:
    """Closes a page of the profile, with its routes and what it kept; the window has its network again."""
    page.context.set_offline(False)
    page.context.unroute_all()
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": KEPT})
    page.close()


@pytest.fixture
def page(new_page):
    """A page in Chromium with WebGPU; console errors fail the test."""
    return new_page()


@pytest.fixture
def console(page) -> Console:
    """The console of `page`."""
    return page.console
