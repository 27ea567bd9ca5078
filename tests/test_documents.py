"""The Python of README.md runs as it stands, on fewer digits; that of the guides in docs/ too."""

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


def run_page(name):
    """The names that the examples of a page leave, one after the other; they assert what they say."""
    page = README.parent / "docs" / name
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    return names


def test_the_guide_to_the_functional_api_runs(cpu, capsys):
    assert run_page("functional_api.md")["model"].output_shape == (None, 3)
    assert "dense" in capsys.readouterr().out


def test_the_guide_to_training_loops_runs(cpu):
    names = run_page("training_loops.md")
    assert float(names["last"]) < float(names["first"])


def test_the_guide_to_transfer_learning_runs(cpu):
    assert run_page("transfer_learning.md")["base"].trainable


def test_the_examples_of_the_page_on_gradients_run():
    names = run_page("gradients.md")
    assert names["losses"][-1] < names["losses"][0] and names["image"].shape == (1, 4)


def test_the_examples_of_the_page_on_export_run(cpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page("export.md")
    assert (tmp_path / "digits" / "model.js").is_file()


def test_the_examples_of_the_page_on_quantization_run(capsys):
    run_page("quantization.md")
    assert capsys.readouterr().out.splitlines() == ["True", "['float32', 'int8', 'float32']", str(["lora_kernel_a", "lora_kernel_b"] * 2)]


def test_the_page_about_scikit_learn_runs(cpu):
    assert run_page("scikit_learn.md")["search"].best_params_["sklearnclassifier__model_kwargs"]["units"] in (4, 8)
