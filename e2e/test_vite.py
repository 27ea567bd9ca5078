"""pyml in a Vite project, as docs/own_page.md says: the template of React, its own build, and the page in a browser."""

import re
import shutil
import subprocess

import pytest

from pyml import paths
from pyml.cli.build import build_site

from .hosting import hosted
from .patience import patience
from .test_own_page import blocks

pytestmark = pytest.mark.slow


def npm(folder, *arguments):
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode and "ETARGET" not in done.stderr and re.search("ENOTFOUND|ECONNREFUSED|EAI_AGAIN", done.stderr):
        pytest.skip("npm's registry cannot be reached")
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_react_page_built_by_vite_trains(browser, tmp_path):
    npm(tmp_path, "create", "--yes", "vite@latest", "app", "--", "--template", "react", "--no-interactive")
    app = tmp_path / "app"
    npm(app, "install", "--no-audit", "--no-fund")
    (source,) = blocks("jsx")
    (app / "src" / "App.jsx").write_text(source)
    build_site(app / "public" / "pyml", say=lambda text: None)
    npm(app, "run", "build")
    context = browser.new_context()
    with hosted(app / "dist") as url:
        page, errors = context.new_page(), []
        page.set_default_timeout(patience())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        page.get_by_role("button", name="Train").click()  # before Python is there: it is waited for
        said = page.locator("#loss").text_content()
        page.screenshot(path=paths.build_dir() / "screenshots" / "vite.png")
    context.close()
    assert float(re.fullmatch(r"loss (\d\.\d+)", said)[1]) < 0.05 and not errors
