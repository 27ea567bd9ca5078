"""pyml in a notebook on the desktop, run by nbclient in a Jupyter kernel: progress, live curves, figures."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

if missing := [name for name in ("nbclient", "nbformat", "ipykernel") if find_spec(name) is None]:
    pytest.skip(f"not installed: {', '.join(missing)}", allow_module_level=True)

CELLS = [
    "import numpy as np, pyml\nfrom pyml import layers, vis\npyml.config.set_backend('cpu')\npyml.utils.set_random_seed(1)",
    ("model = pyml.Sequential([pyml.Input((1,)), layers.Dense(8, 'tanh'), layers.Dense(1)])\nmodel.compile('adam', 'mse')\n"
    "x = np.linspace(-1, 1, 32, dtype='float32')[:, None]\nlive = vis.fit_callbacks(callbacks=['on_epoch_end'])\n"
    "history = model.fit(x, x ** 2, epochs=3, callbacks=[live])"),
    "again = await model.fit_async(x, x ** 2, epochs=1, verbose=2)",
    "vis.history(history)",
    "vis.bar_chart({'a': 1}, title='shown').show(); None",
]
VEGA = "application/vnd.vegalite.v5+json"


# in a process of its own: one that has imported ipykernel looks like a notebook to whatever prints progress in it
RUN = """
import json, sys
import nbclient, nbformat

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in json.load(sys.stdin)])
nbclient.NotebookClient(notebook, timeout=240, startup_timeout=240).execute()
print(json.dumps([cell.outputs for cell in notebook.cells]))
"""


def test_progress_live_curves_and_figures_are_in_the_notebook_that_ran():
    environment = {**os.environ, "PYML_CACHE": "off"}
    done = subprocess.run([sys.executable, "-c", RUN], input=json.dumps(CELLS), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, fitted, waited, drawn, shown = json.loads(done.stdout)
    printed = "".join(output["text"] for output in fitted if output["output_type"] == "stream")
    assert "Epoch 3/3" in printed and "loss: " in printed
    (live,) = [output for output in fitted if output["output_type"] == "display_data"]
    assert len(live["data"][VEGA]["data"]["values"]) == 3           # the last of the figures that took one place
    assert "loss: " in waited[0]["text"]
    assert drawn[0]["data"][VEGA]["title"]["text"] == "loss" and "text/html" not in drawn[0]["data"]
    assert shown[0]["data"][VEGA]["title"]["text"] == "shown"
