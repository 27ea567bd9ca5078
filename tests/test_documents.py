"""The Python of README.md runs as it stands, on fewer digits; that of the guides in docs/ too."""

import re
from pathlib import Path

import pytest

from pyml.datasets import mnist

README = Path(__file__).parents[1] / "README.md"
ELSEWHERE = {  # pages whose examples run in a test of their subject
    "array_api.md": "tests/test_array_api.py", "data.md": "tests/data/test_data_examples.py",
    "hub.md": "tests/hub/test_docs.py", "own_page.md": "e2e/test_own_page.py", "preprocessing.md": "tests/keras/test_preprocessing.py",
    "saving.md": "tests/saving/test_stores.py", "vis.md": "tests/vis/test_vis_docs.py",
}  # fmt: skip
FRAGMENTS = {
    "demos.md": "begins a chapter", "engine.md": "declares an op that is there",
    "models.md": "opens files of other libraries that are not here", "notebooks.md": "fits a model that the reader has",
}  # fmt: skip


def blocks_of(page):
    """The Python of a page."""
    return re.findall(r"^```(?:python|pycon|py)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_examples_of_every_page_run_somewhere():
    here = Path(__file__).read_text(encoding="utf-8")
    pages = sorted((README.parent / "docs").glob("*.md"))
    assert len(pages) > 20 and sum(len(blocks_of(page)) for page in pages) > 80
    for page in pages:
        for block in blocks_of(page) if page.name in FRAGMENTS else ():
            compile(block, str(page), "exec")
        if blocks_of(page) and page.name not in FRAGMENTS:
            test = README.parent / ELSEWHERE.get(page.name, "nowhere")
            assert f'run_page("{page.name}")' in here or (test.is_file() and page.name in test.read_text(encoding="utf-8")), page.name


def test_the_source_files_that_pages_name_are_there():
    root = README.parent
    folders = ("pyml", "web", "demos", "tests", "e2e", "tools", "benchmarks", "docs", "kernels_wgsl")
    inside = tuple(path.name for path in (root / "pyml").iterdir() if path.is_dir())
    pages = [*root.glob("*.md"), *(root / "docs").glob("*.md"), root / "tests" / "README.md", root / "benchmarks" / "README.md"]
    lost = {}
    for page in pages:
        for name in re.findall(r"`([\w.]+/[\w./]+\.(?:py|m?js|wgsl|sh|md))`", page.read_text(encoding="utf-8")):
            top = name.partition("/")[0]
            place = root / name if top in folders else root / "pyml" / name if top in inside else None
            found = place is None or place.exists() or (page.parent / name).exists()
            if not found and place.stem not in ("NAME", "FAMILY"):
                lost.setdefault(page.name, []).append(name)
    assert not lost, lost


def test_nobody_is_told_to_install_the_other_project_of_that_name():
    """The `pyml` on PyPI is not ours; a JupyterLite site has ours in an index of its own, which `%pip` asks first."""
    root = README.parent
    texts = [README, *(root / "docs").glob("*.md"), root / "benchmarks" / "README.md", *(root / "web").glob("*.html"),
             *(path for path in (root / "pyml").rglob("*.py") if "install" in path.read_text(encoding="utf-8"))]  # fmt: skip
    wrong = re.compile(r"(?<!%)pip install (?:-U )?['\"]?pyml\b")
    told = {path.name: wrong.findall(path.read_text(encoding="utf-8")) for path in texts}
    assert len(texts) > 40 and not any(told.values()), {name: found for name, found in told.items() if found}


def test_readme_and_docs_name_every_way_into_a_page():
    readme, guides = README.read_text(encoding="utf-8"), ("own_page.md", "notebooks.md")
    guide = "".join((README.parent / "docs" / name).read_text(encoding="utf-8") for name in guides)
    for way in ("loadPyml", "Pyodide", "micropip", "PyScript", "JupyterLite", "marimo"):
        assert way in readme and way in guide, way
    assert "await pyml.config.init_async()" in guide and all(f"docs/{name}" in readme for name in guides)


def test_the_changelog_begins_with_the_version_of_the_package():
    import pyml

    heads = re.findall(r"^## (.+)$", (README.parent / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heads[0].startswith(pyml.__version__) and all(re.match(r"\d+\.\d+\.\d+", head) for head in heads)


@pytest.fixture
def few_digits(monkeypatch):
    """A data set of 192 digits, and 64 for tests."""
    (x, y), (x_test, y_test) = mnist.load_data()
    monkeypatch.setattr(mnist, "load_data", lambda: ((x[:192], y[:192]), (x_test[:64], y_test[:64])))


def test_the_examples_of_the_readme_run(few_digits, capsys):
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


def test_the_first_page_of_the_site_runs(cpu, capsys):
    run_page("index.md")
    assert capsys.readouterr().out == "(1, 2)\n"


def test_the_first_model_learns_and_is_kept(cpu, few_digits, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_page("first_model.md")
    losses = names["history"].history["loss"]
    assert losses[-1] < losses[0] and (tmp_path / "digits.keras").is_file()
    assert "50,890" in capsys.readouterr().out


def test_the_guide_from_keras_runs(cpu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    again = run_page("from_keras.md")["again"]
    assert float(again.optimizer.learning_rate.numpy()) == pytest.approx(1e-3)


def test_the_guide_from_tensorflow_js_runs(cpu):
    assert run_page("from_tensorflow_js.md")["result"].shape == (32, 1)


def test_the_page_about_devices_runs(cpu, capsys):
    run_page("devices.md")
    printed = capsys.readouterr().out
    assert printed.startswith("backend   cpu") and "1 dispatches" in printed


def test_the_examples_of_troubleshooting_run_and_quote_messages_that_pyml_has(cpu):
    assert run_page("troubleshooting.md")["positive"]
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((README.parent / "pyml").rglob("*.py")))
    for quoted in ("this browser offers no WebGPU adapter", "the only WebGPU adapter is software",
                   "WebGPU has not been opened on this page",
                   "no WebGPU adapter was found; install a Vulkan, Metal or D3D12 driver", "the GPU device was lost",
                   "This browser cannot wait synchronously", "has the wrong shape: ", "must hold numbers",
                   "target and output must have the same shape", "must be class numbers from 0 to", "The loss stopped being finite",
                   "asks for a value while a program is being traced", "has rows for indices from 0 to", "No gradients provided",
                   "Gradients do not exist for variables"):  # fmt: skip
        assert quoted in source, quoted
        assert quoted in (README.parent / "docs" / "troubleshooting.md").read_text(encoding="utf-8"), quoted


def test_the_page_about_ones_own_op_runs(cpu):
    assert run_page("own_op.md")["model"].built
