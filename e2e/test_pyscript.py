"""`pyml build --pyscript`: its first page trains and draws with files of its folder only."""

import re

import pytest

from pyml import paths
from pyml.assets import AssetError
from pyml.cli import pyscript

from .hosting import shut_in
from .patience import patience

pytestmark = pytest.mark.slow


def test_the_first_page_trains_and_draws_with_files_of_the_folder_only(browser, tmp_path):
    try:
        folder = pyscript.build(tmp_path / "site", say=lambda text: None)
    except AssetError as reason:
        pytest.skip(str(reason))
    with shut_in(browser, folder) as (page, url):
        errors = []
        page.set_default_timeout(patience())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        page.locator("#curve svg, .py-error").first.wait_for()
        page.screenshot(path=paths.build_dir() / "screenshots" / "pyscript.png")
        said = page.locator("#out").text_content()
        assert page.locator("#loss svg").count() == 1 and not page.locator(".py-error").count()
    assert said.startswith("backend   wasm (the only WebGPU adapter is software")  # so WebGPU was opened by a plain import
    assert float(re.search(r"loss (\d\.\d+)", said)[1]) < 0.2
    assert not page.outside and not errors
