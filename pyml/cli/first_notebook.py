"""The first notebook that a built JupyterLite site opens with: it trains and draws."""

import json
from typing import Any

# (kind, text); also what docs/notebooks.md says to begin with
CELLS: tuple[tuple[str, str], ...] = (
    ("markdown", """# A network that learns a curve

`pyml` is deep learning in Python with the API of Keras 3. It runs here, in this tab: on the GPU where there is one, else in WebAssembly.
Run the cells with Shift-Enter."""),
    ("code", """import numpy as np
import pyml
from pyml import layers, vis

print(pyml.config.describe())"""),
    ("code", """pyml.utils.set_random_seed(1)
x = np.linspace(-1, 1, 128, dtype="float32")[:, None]
y = np.sin(5 * x) + 0.1 * np.random.default_rng(0).normal(size=x.shape).astype("float32")

model = pyml.Sequential([pyml.Input((1,)), layers.Dense(32, "tanh"), layers.Dense(32, "tanh"), layers.Dense(1)])
model.compile(pyml.optimizers.Adam(0.01), "mse")
history = await model.fit_async(x, y, batch_size=16, epochs=20, verbose=2)"""),
    ("code", """vis.history(history)"""),
    ("code", """p = await model.predict_async(x, verbose=0)
vis.scatter_plot({"data": np.hstack([x, y]), "model": np.hstack([x, p])}, title="What it learned", x_label="x", y_label="y")"""),
)  # fmt: skip


def ipynb() -> str:
    """The notebook as a file of Jupyter's format 4.5."""
    cells = []
    for number, (kind, text) in enumerate(CELLS):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": text.splitlines(keepends=True)}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python (Pyodide)", "language": "python", "name": "python"},
        "language_info": {"name": "python"},
    }
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"
