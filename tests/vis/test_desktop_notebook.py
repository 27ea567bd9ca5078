"""pyml in a notebook on the desktop, in a Jupyter kernel: progress, live curves, figures, interrupting and starting again."""

import json
import os
import re
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
    "many = model.fit(x, x ** 2, epochs=40, verbose=1); tested = model.evaluate(x, x ** 2); said = model.predict(x)",
    "vis.history(history)",
    "vis.bar_chart({'a': 1}, title='shown').show(); None",
    "%%time\nmodel.fit(x, x ** 2, epochs=2, verbose=0); None",
]
VEGA = "application/vnd.vegalite.v5+json"


# in a process of its own: one that has imported ipykernel looks like a notebook to whatever prints progress in it
RUN = """
import json, sys
import nbclient, nbformat

notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in json.load(sys.stdin)])
nbclient.NotebookClient(notebook, timeout=None, startup_timeout=3600).execute()
print(json.dumps([cell.outputs for cell in notebook.cells]))
"""


def test_progress_live_curves_and_figures_are_in_the_notebook_that_ran():
    environment = {**os.environ, "PYML_CACHE": "off"}
    done = subprocess.run([sys.executable, "-c", RUN], input=json.dumps(CELLS), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, fitted, waited, many, drawn, shown, timed = json.loads(done.stdout)
    progress, live = sorted(fitted, key=lambda output: VEGA in output["data"])       # a place for each, and nothing else
    assert "3 epochs in " in progress["data"]["text/html"] and progress["data"]["text/html"].count("<tr>") == 4
    assert re.fullmatch(r"(Epoch \d/3: 1/1 - .* - loss: [\d.]+\n?){3}", progress["data"]["text/plain"])
    assert len(live["data"][VEGA]["data"]["values"]) == 3           # the last of the figures that took one place
    assert "loss: " in waited[0]["text"]
    long, tested, *_ = many                  # behind them what `predict` says, where the machine takes a tenth of a second for it
    assert "40 epochs in " in long["data"]["text/html"] and "30 epochs before that" in long["data"]["text/html"]
    assert long["data"]["text/plain"].count("\n") == 10 and "loss" in tested["data"]["text/html"]
    assert drawn[0]["data"][VEGA]["title"]["text"] == "loss" and "text/html" not in drawn[0]["data"]
    assert shown[0]["data"][VEGA]["title"]["text"] == "shown"
    assert "Wall time: " in timed[0]["text"]


# a kernel of its own: runs cells, presses the stop button where one has begun to train, and starts the kernel again
INTERRUPT = """
import json, re, sys, time
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(startup_timeout=3600)

def run(code, stop=None):
    asked, said, error = client.execute(code), "", None
    while True:
        message = client.get_iopub_msg(timeout=None)
        if message["parent_header"].get("msg_id") != asked:
            continue
        kind, content = message["msg_type"], message["content"]
        said += content.get("text", "") + content.get("data", {}).get("text/plain", "") + "\\n"
        if stop and stop in said:
            stop = None
            manager.interrupt_kernel()
        if kind == "error":
            error = [content["ename"], re.sub(r"\\x1b\\[[0-9;]*m", "", "\\n".join(content["traceback"]))]
        if kind == "status" and content["execution_state"] == "idle":
            return [said, error]

try:
    answers = [run(*cell) for cell in json.load(sys.stdin)]
    manager.restart_kernel(now=True)
    client.wait_for_ready(timeout=None)
    answers += [run("model"), run("import pyml; float(pyml.ops.sum([1.0, 2.0]))")]
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(answers))
"""
TRAIN = """model.fit(x, x ** 2, epochs=10 ** 6)"""
WAIT = """await model.fit_async(x, x ** 2, epochs=10 ** 6, verbose=2)"""


@pytest.mark.parametrize(
    "device", ["cpu", pytest.param("wasm", marks=pytest.mark.slow), pytest.param("webgpu", marks=pytest.mark.slow)]
)
def test_the_stop_button_leaves_a_model_that_goes_on_and_the_kernel_starts_again(device):
    setup = CELLS[0].replace("'cpu'", repr(device)) + "\n" + CELLS[1].partition("live =")[0] + "model.fit(x, x ** 2, verbose=0)"
    cells = [[setup, None], [TRAIN, "Epoch "], ["print(np.isfinite(model.predict(x)).all(), int(model.optimizer.iterations) > 1)", None],
             [WAIT, "Epoch 3/"], ["h = model.fit(x, x ** 2, epochs=2, verbose=0); print(len(h.epoch), 'more')", None]]  # fmt: skip
    environment = {**os.environ, "PYML_CACHE": "off"}
    done = subprocess.run([sys.executable, "-c", INTERRUPT], input=json.dumps(cells), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    begun, trained, usable, waited, again, gone, new = json.loads(done.stdout)
    if begun[1] and begun[1][0] == "BackendUnavailable":
        pytest.skip(begun[1][1].splitlines()[-1])
    for _, (name, traceback) in (trained, waited):
        assert name == "KeyboardInterrupt"
        assert len(re.findall(r"^(?:File|Cell) .*", traceback, re.M)) == 1      # the cell's own line, none of pyml's
    assert re.search(r"interrupted after \d+ epochs? in ", trained[0])
    assert usable == [usable[0], None] and "True True" in usable[0]
    assert again[1] is None and "2 more" in again[0]
    assert gone[1][0] == "NameError" and new[1] is None and "3.0" in new[0]
