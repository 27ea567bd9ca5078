"""`pyml build --pyscript FOLDER`: a PyScript page with Pyodide, numpy, pyml and charts in its folder; no file comes from elsewhere."""

import json
import shutil
import tempfile
from pathlib import Path

from pyml import atomic
from pyml.assets import pyscript
from pyml.cli import distribution
from pyml.cli.build import BuildError, Say, check_target, ready_assets

CONFIG = "pyscript.json"
INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>pyml in PyScript</title>
<link rel="stylesheet" href="pyscript/core.css">
<script src="vendor/vega.min.js"></script>
<script src="vendor/vega-lite.min.js"></script>
<script src="vendor/vega-embed.min.js"></script>
<script type="module" src="pyscript/core.js"></script>
<h1>A network that learns a curve</h1>
<pre id="out">Python is starting.</pre>
<div id="charts"></div>
<script type="py" src="main.py" config="pyscript.json"></script>
</html>
"""
MAIN = '''import json

import numpy as np
from pyscript import document, window

import pyml
from pyml import layers, vis


def draw(name, tab, figure):
    """Draws a figure of pyml.vis in a place of its own on this page."""
    place = document.getElementById(name) or document.createElement("div")
    place.id = name
    document.getElementById("charts").append(place)
    window.vegaEmbed(place, window.JSON.parse(json.dumps(figure.themed())), window.JSON.parse('{"actions": false, "renderer": "svg"}'))


vis.draw_with(draw)
out = document.getElementById("out")
out.textContent = pyml.config.describe()

pyml.utils.set_random_seed(1)
x = np.linspace(-1, 1, 128, dtype="float32")[:, None]
y = np.sin(5 * x) + 0.1 * np.random.default_rng(0).normal(size=x.shape).astype("float32")
model = pyml.Sequential([pyml.Input((1,)), layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)])
model.compile(pyml.optimizers.Adam(0.01), "mse")
history = await model.fit_async(x, y, batch_size=16, epochs=20, verbose=0)
out.textContent += f"\\nloss {history.history['loss'][-1]:.4f}"

p = await model.predict_async(x, verbose=0)
vis.history(history).show("loss")
vis.scatter_plot({"data": np.hstack([x, y]), "model": np.hstack([x, p])}, title="What it learned", x_label="x", y_label="y").show("curve")
'''


def build(target: Path, page: Path | None = None, say: Say = print) -> Path:
    """Builds the site.

    Args:
        target: The folder to write: new, empty, or built by pyml before.
        page: A folder with an `index.html` that uses `pyscript/core.js` and `pyscript.json`, instead of the first page.
        say: Receives a line of text per step.

    Raises:
        BuildError: `target` holds other files, or `page` has no index.html.
        AssetError: Something had to be fetched and could not be.
    """
    if page is not None and not (Path(page) / "index.html").is_file():
        raise BuildError(f"--page {page}: holds no index.html; give the folder of your page.")
    target = Path(target).resolve()
    before = check_target(target)
    assets = ready_assets(say)
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        pyscript.fetch(site / "pyscript")
        say(f"{pyscript.CORE.spec}: ready")
        wheel = distribution.place(site / "pyodide", ["micropip"], assets, say)
        shutil.copytree(assets / "vendor", site / "vendor")
        config = {"interpreter": "./pyodide/pyodide.mjs", "packages": ["numpy", f"./pyodide/{wheel.name}"]}
        atomic.write(site / CONFIG, (json.dumps(config, indent=1) + "\n").encode())
        if page is None:
            atomic.write(site / "index.html", INDEX.encode())
            atomic.write(site / "main.py", MAIN.encode())
        else:
            shutil.copytree(page, site, ignore=shutil.ignore_patterns(".*", "__pycache__", CONFIG), dirs_exist_ok=True)
        return distribution.put(site, target, before, say)
