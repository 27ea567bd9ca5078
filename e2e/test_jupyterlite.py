"""`pyml build --jupyterlite`: its first notebook runs in the site's own Python, and nothing comes from anywhere else."""

import pytest

from pyml import paths
from pyml.assets import AssetError
from pyml.cli import jupyterlite
from pyml.cli.build import BuildError

from .hosting import shut_in
from .patience import patience

pytestmark = pytest.mark.slow
LONG = """import numpy as np, pyml
m = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(8), pyml.layers.Dense(1)])
m.compile("sgd", "mse")
x = np.ones((640, 4), "float32")
m.fit(x, x[:, :1], epochs=100000)"""
AGAIN = "m.fit(x, x[:, :1], epochs=3, verbose=0)\nprint('went on', int(m.optimizer.iterations) > 30)"


def test_the_first_notebook_trains_and_draws_with_files_of_the_folder_only(browser, tmp_path):
    try:
        folder = jupyterlite.build(tmp_path / "lite", say=lambda text: None)
    except (AssetError, BuildError) as reason:
        pytest.skip(str(reason))
    with shut_in(browser, folder, height=2000) as (page, url):
        page.set_default_timeout(patience())
        page.goto(f"{url}/lab/index.html?path={jupyterlite.FIRST}")
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        drawn = page.locator(".jp-OutputArea-output.jp-RenderedVegaLite canvas, .jp-OutputArea-output.jp-RenderedVegaLite svg")
        drawn.nth(1).wait_for()
        said = page.locator(".jp-OutputArea-output").all_text_contents()
        rows = page.locator(".jp-OutputArea-output tbody tr").all_text_contents()
        page.screenshot(path=paths.build_dir() / "screenshots" / "jupyterlite.png")
        page.get_by_role("menuitem", name="Kernel", exact=True).click()  # a kernel that starts again knows nothing
        page.get_by_text("Restart Kernel and Clear Outputs of All Cells…", exact=True).click()
        page.get_by_role("button", name="Confirm Kernel Restart").click()
        page.locator(".jp-OutputArea-output").first.wait_for(state="detached")
        # by its name piplite finds it in Pyodide's lock file; by its address it is the wheel of the site's own index
        (wheel,) = [path.relative_to(folder).as_posix() for path in folder.rglob("pypi/pyml-*.whl")]
        install = f"import piplite, micropip\nawait piplite.install('{url}/{wheel}')\nprint('from', micropip.list()['pyml'].source)"
        page.locator(".jp-CodeCell .cm-content").last.fill(install)
        page.keyboard.press("Shift+Enter")
        by_piplite = page.locator(".jp-OutputArea-output", has_text="from ")
        by_piplite.wait_for()
        source = by_piplite.text_content()
        known = "try:\n    model\nexcept NameError:\n    import pyml\n    print('new', pyml.__version__)"
        page.locator(".jp-CodeCell .cm-content").last.fill(known)
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-OutputArea-output", has_text="new 0.1.0").wait_for()
        # the kernel hears no interrupt while a cell runs; the button below the cell ends `fit` after the step that runs
        page.locator(".jp-CodeCell .cm-content").last.fill(LONG)
        page.keyboard.press("Shift+Enter")
        stop = page.locator(".jp-OutputArea-output").get_by_role("button", name="Stop")
        stop.wait_for()
        stop.dispatch_event("pointerdown")
        page.locator(".jp-OutputArea-output", has_text="interrupted after").wait_for()
        page.locator(".jp-OutputArea-output", has_text="KeyboardInterrupt").wait_for()
        assert stop.count() == 0
        page.locator(".jp-CodeCell .cm-content").last.fill(AGAIN)
        page.keyboard.press("Shift+Enter")
        page.locator(".jp-OutputArea-output", has_text="went on True").wait_for()
    # WebGPU was opened by a plain import: its adapter here is software
    assert said[0].startswith("backend   wasm (the only WebGPU adapter is software") and "pyml 0.1.0" in said[0]
    assert "20 epochs in " in said[1] and "10 epochs before that" in said[1]  # one place, however many epochs
    assert len(rows) == 10 and rows[9].startswith("20") and float(rows[9].partition("s")[2]) < 0.2
    assert f"{url}/{wheel}" in source
    assert not page.outside


def test_without_jupyterlite_the_message_names_what_to_install(tmp_path, monkeypatch):
    from pyml.cli import distribution

    monkeypatch.setattr(distribution, "find_spec", lambda name: None)
    with pytest.raises(BuildError, match=r"--jupyterlite needs jupyterlite-core and .*pip install .*'jupyterlite-core>="):
        jupyterlite.build(tmp_path / "lite")
