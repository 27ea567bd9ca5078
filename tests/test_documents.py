"""The Python of README.md runs as it stands, on fewer digits; that of docs/gradients.md too."""

import re
from pathlib import Path

import pytest

from pyml.datasets import mnist

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_of_the_readme_run(monkeypatch, capsys):
    (x, y), (x_test, y_test) = mnist.load_data()
    monkeypatch.setattr(mnist, "load_data", lambda: ((x[:192], y[:192]), (x_test[:64], y_test[:64])))
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(README), "exec"), names)
    assert "'accuracy': " in capsys.readouterr().out
    losses = [float(names["step"]([[1.0, 2.0]], [3.0])) for _ in range(3)]
    assert losses[0] == pytest.approx(9.0) and losses[2] < losses[0]


def test_the_examples_of_the_page_on_gradients_run():
    page = README.parent / "docs" / "gradients.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert names["losses"][-1] < names["losses"][0] and names["image"].shape == (1, 4)
