"""`pyml build --marimo`: its first notebook runs in the site's own Python, and nothing comes from anywhere else."""

import ast

import pytest

from pyml import paths
from pyml.assets import AssetError
from pyml.cli import marimo
from pyml.cli.build import BuildError
from pyml.cli.first_notebook import marimo_notebook

from .hosting import shut_in
from .patience import patience


@pytest.mark.slow
def test_the_first_notebook_trains_and_draws_with_files_of_the_folder_only(browser, tmp_path):
    try:
        folder = marimo.build(tmp_path / "site", say=lambda text: None)
    except (AssetError, BuildError) as reason:
        pytest.skip(str(reason))
    with shut_in(browser, folder, height=3000) as (page, url):
        page.set_default_timeout(patience())
        page.goto(url)
        page.locator("h1", has_text="A network that learns a curve").wait_for()
        page.get_by_test_id("run-button").last.click()
        drawn = page.locator(".vega-embed svg, .vega-embed canvas")
        drawn.nth(1).wait_for()
        said = page.locator("body").inner_text()
        rows = page.get_by_role("progressbar", name="Progress of fit").locator("xpath=../..").locator("tbody tr")
        rows.nth(9).wait_for()
        trained = rows.nth(9).inner_text()
        page.screenshot(path=paths.build_dir() / "screenshots" / "marimo.png")
    # WebGPU was opened by a plain import: its adapter here is software
    assert "wasm (the only WebGPU adapter is software" in said and "pyml 0.1.0" in said
    assert "20 epochs in " in said and "10 epochs before that" in said
    assert trained.split()[0] == "20" and float(trained.split()[-1]) < 0.2
    assert not page.outside


def test_the_first_notebook_hands_every_cell_what_it_uses():
    tree = ast.parse(marimo_notebook())
    cells = {tuple(argument.arg for argument in node.args.args): node for node in tree.body
             if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}  # fmt: skip
    given = {"mo"}
    for arguments, cell in cells.items():
        assert set(arguments) <= given, arguments
        last = cell.body[-1].value
        given |= {name.id for name in last.elts} if last is not None else set()
    assert {"history", "model", "p"} <= given


def test_without_marimo_or_with_another_version_the_message_names_what_to_install(tmp_path, monkeypatch):
    from pyml.cli import distribution

    monkeypatch.setattr(distribution, "find_spec", lambda name: None)
    with pytest.raises(BuildError, match=r"--marimo needs marimo and uv.*pip install marimo==[\d.]+ 'uv>="):
        marimo.build(tmp_path / "site")
    monkeypatch.setattr(distribution, "find_spec", lambda name: name)
    monkeypatch.setattr(marimo, "version", lambda name: "0.1.0")
    with pytest.raises(BuildError, match=r"is made for marimo .* and 0\.1\.0 is installed; run .*marimo=="):
        marimo.build(tmp_path / "site")
