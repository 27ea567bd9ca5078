"""The first notebook that a built site of JupyterLite or marimo opens with: it trains and draws."""

import ast
import json
from typing import Any

from pyml.assets.marimo import VERSION

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
history = await model.fit_async(x, y, batch_size=16, epochs=20)"""),
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


def marimo_notebook() -> str:
    """The same as a file of marimo, whose cells are functions of what others define."""
    lines = ["import marimo", "", f'__generated_with = "{VERSION}"', 'app = marimo.App(app_title="pyml")', ""]
    known = {"mo"}
    for text in ("import marimo as mo", *(text if kind == "code" else f'mo.md(r"""\n{text}\n""")' for kind, text in CELLS)):
        used, made, waits = _names(text)
        needs = [name for name in used if name in known and name not in made]
        lines += ["", "@app.cell", f"{'async ' if waits else ''}def _({', '.join(needs)}):"]
        lines += [f"    {line}" if line else "" for line in text.splitlines()]
        lines += [f"    return ({', '.join(made)},)" if made else "    return", ""]
        known |= set(made)
    return "\n".join([*lines, "", 'if __name__ == "__main__":', "    app.run()", ""])


def _names(text: str) -> tuple[list[str], list[str], bool]:
    """The names that Python code uses, those that it defines, and whether it waits for something."""
    used: list[str] = []
    made: list[str] = []
    waits = False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            (made if isinstance(node.ctx, ast.Store) else used).append(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            made += [alias.asname or alias.name for alias in node.names]
        waits = waits or isinstance(node, ast.Await)
    return list(dict.fromkeys(used)), list(dict.fromkeys(made)), waits
