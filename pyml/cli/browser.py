"""Starting a browser: which one, with which flags, and whether anybody could see it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# The software adapter is named, so that a headless run does the same on every machine; the rest keeps
# Chromium from talking to anybody but our own server.
FLAGS = (
    "--no-sandbox",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class NoBrowser(Exception):
    """No browser can be driven from here; the message says what to install."""


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome: `$CHROMIUM`, else the first known name on the PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def has_display() -> bool:
    """Whether a window opened here would be seen."""
    if os.environ.get("CI"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


@contextmanager
def playwright() -> Iterator[Any]:
    """Playwright, which drives browsers; one at a time in a thread.

    Raises:
        NoBrowser: It is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("driving a browser needs Playwright: pip install playwright") from None
    with sync_playwright() as started:
        yield started


def launch(driver: Any, flags: tuple[str, ...] = FLAGS) -> Any:
    """Starts a headless Chromium under `driver`, a started Playwright.

    Raises:
        NoBrowser: The browser is missing.
    """
    path = find_chromium()
    if path is None:
        raise NoBrowser("no Chromium found: install it (Debian: apt-get install chromium) or set $CHROMIUM")
    return driver.chromium.launch(executable_path=path, headless=True, args=list(flags))


@contextmanager
def chromium(flags: tuple[str, ...] = FLAGS) -> Iterator[Any]:
    """A headless Chromium; closed when the block ends.

    Raises:
        NoBrowser: Playwright or the browser is missing.
    """
    with playwright() as driver:
        browser = launch(driver, flags)
        try:
            yield browser
        finally:
            browser.close()
