"""Opening a demo's page once for several tests, and Python's own file server."""

import re
import subprocess
import sys
from contextlib import contextmanager

from playwright.sync_api import TimeoutError

from .patience import patience


def opened(window, url, ready, **options):
    """A page that collects what goes wrong in `problems`, in a browser window, or in a window of its own of a browser; the
    caller closes the page, or the window of its own, `page.context`.
    """
    if hasattr(window, "new_context"):
        window = window.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page = window.new_page()
    page.set_default_timeout(patience())
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(url)
    page.wait_for_function(ready)
    return page


def finished(page):
    """What the page says of itself when it is done; fails with what it shows where it never is."""
    try:
        page.wait_for_function("() => pymlDemo.done")
    except TimeoutError as error:
        raise AssertionError(f"it is not done; the page shows: {page.inner_text('body')}") from error
    return page.evaluate("() => pymlDemo")


@contextmanager
def plain_server(folder):
    """The address of a folder that Python's own server serves, which sends no header of ours."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def write_code(page, text):
    """Puts a text into the page's code editor."""
    rich = page.locator(".cm-content")
    (rich if rich.count() else page.locator("#source")).fill(text)


def code_of(page):
    """The text in the page's code editor, if it is no longer than what can be seen."""
    return page.evaluate("""() => {
      const lines = [...document.querySelectorAll(".cm-line")].map((line) => line.textContent);
      return lines.length ? lines.join("\\n") : document.querySelector("#source").value;
    }""")
