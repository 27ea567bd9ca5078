"""pyml's types as a user's type checker sees them."""

import ast
import importlib
import inspect
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from every import every

import pyml

USER_FILE = Path(__file__).parent / "types" / "user_file.py"


def mypy(*arguments: str, folder: Path) -> str:
    """What mypy says about a user's file, from a folder that has no settings for it."""
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder).stdout


def test_the_package_says_that_it_is_typed():
    assert files("pyml").joinpath("py.typed").is_file()


def test_type_checkers_find_in_pyml_what_programs_find():
    tree = ast.parse(Path(pyml.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {(alias.asname, node.module) for node in block.body if node.level for alias in node.names}
    assert seen == {*((name, None) for name in pyml._SUBMODULES), *pyml._NAMES.items()}


@every("package", [path.parent.name for path in sorted(Path(pyml.__file__).parent.glob("*/__init__.py")) if "_parts(" in path.read_text()])
def test_type_checkers_find_in_a_package_what_it_loads_late(package):
    module = importlib.import_module(f"pyml.{package}")
    late = inspect.getclosurevars(vars(module)["__getattr__"]).nonlocals
    imports = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.ImportFrom)]
    assert {*late["names"], *late["modules"]} <= {alias.asname or alias.name for node in imports for alias in node.names}


def test_random_functions_say_what_they_take():
    functions = [getattr(pyml.random, name) for name in pyml.random.__all__ if name != "SeedGenerator"]
    untold = [f"{f.__name__}({p})" for f in functions for p in inspect.signature(f).parameters.values() if p.annotation == "Any"]
    assert untold == []


@pytest.mark.slow
def test_strict_mypy_finds_nothing_in_a_users_file(tmp_path):
    said = mypy(str(USER_FILE), folder=tmp_path)
    assert said.startswith("Success"), said


@pytest.mark.slow
def test_types_of_results_are_known(tmp_path):
    source = tmp_path / "asks.py"
    source.write_text(
        "import numpy as np\nimport pyml\nfrom pyml import ops\n"
        "t: pyml.Tensor = pyml.convert_to_tensor([1.0])\nv = pyml.Variable([1.0])\nk = pyml.KerasTensor((1,))\n"
        "reveal_type(t + t)\nreveal_type(v * t)\nreveal_type(k.sum())\nreveal_type(ops.flip(t))\n"
        "reveal_type(ops.numpy.add(t, 1))\nreveal_type(ops.nn.relu(t))\nreveal_type(ops.image.resize(t, (2, 2)))\n"
        "reveal_type(pyml.program(lambda x: ops.exp(t))(t))\nreveal_type(pyml.layers.Dense(1)(np.ones((2, 3))))\n"
        "reveal_type(ops.svd(t)[0])\nreveal_type(ops.svd(t, compute_uv=False))\nreveal_type(ops.linspace(0, 1))\n"
        "reveal_type(pyml.data.Dataset.range(3).window(2).cache())\nreveal_type(pyml.vis.histogram([1.0]))\n"
    )
    revealed = [line.split('"')[1].rpartition(".")[2] for line in mypy(str(source), folder=tmp_path).splitlines() if "Revealed" in line]
    assert revealed == ["Tensor", "Tensor", "KerasTensor", "Tensor", *["Tensor"] * 8, "Dataset", "Figure"]


def test_the_users_file_runs():
    scope: dict = {"__name__": "user_file"}
    exec(compile(USER_FILE.read_text(), str(USER_FILE), "exec"), scope)
    assert scope["train"]() >= 0
    assert scope["own_loop"]().shape == (3,)
    assert scope["functional"]().output_shape == (None, 1)
    twice, x = scope["Twice"](), np.ones((4, 3), np.float32)
    twice.compile("sgd", "mse")
    assert twice.fit(x, x[:, :2], verbose=0).history["loss"][0] > 0 and scope["loss_of"](twice, x, x[:, :2]).shape == ()
    history = scope["of_parts_of_ones_own"](x)
    assert len(history["loss"]) == 2 and history["spread"][1] < history["spread"][0]
    assert scope["loops"](pyml.ops.ones(2)).tolist() == [0.125, 0.125]
