"""How the house is built, read from its code: nothing is declared twice, what is public has types, each floor keeps to its work."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syntax import tree_of, trees_are_forgotten  # noqa: F401
from test_samples import is_ours

import pyml
from pyml.graph import op
from pyml.objects import registry

ROOT = Path(__file__).parents[1]
PACKAGE = Path(pyml.__file__).parent
BASES = {"LossFunctionWrapper", "MeanMetricWrapper", "MonitorCallback", "RandomInitializer"}  # abstract: no config names them


def trees(part: str) -> dict[str, ast.Module]:
    """The syntax trees of a part of the package by their paths in the package."""
    return {path.relative_to(PACKAGE).as_posix(): tree_of(path) for path in sorted((PACKAGE / part).rglob("*.py"))}


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls of functions by their last names, each with its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not any(f"{name}(" in path.read_text(encoding="utf-8") for name in names):
            continue
        file = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", None)) in names:
                yield file, node


# ---- declared once
def test_names_are_written_and_not_made_while_a_module_runs():
    """So a reader, an editor and a type checker find what a program finds; `pyml/__init__.py` keeps what it has loaded."""
    made = {file for file, node in calls("globals", "locals", "exec", "eval") if ast.unparse(node.func).isidentifier()}
    assert made == {"__init__.py"}
    assert not [path for path in PACKAGE.rglob("*.py") if "_BY_NAME" in path.read_text(encoding="utf-8")]
    for path in PACKAGE.rglob("*.py"):
        run = [node for node in tree_of(path).body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        assert not [node for top in run for node in ast.walk(top) if isinstance(node, ast.Name) and node.id == "setattr"], path


def test_every_built_in_class_is_known_by_its_name_because_it_was_defined():
    looked_at = 0
    for kind in registry.KINDS:
        kind.load()
        for home in kind.homes:
            module = sys.modules[home]
            public = [getattr(module, name) for name in getattr(module, "__all__", dir(module))]
            classes = [cls for cls in public if inspect.isclass(cls) and getattr(cls, "_registered_kind", None) is kind]
            own = [cls for cls in classes if cls is not cls._registered_base]
            assert {cls.__name__ for cls in own if kind.find(cls.__name__) is not cls} <= BASES
            looked_at += len(own)
    assert looked_at > 300


def needs_its_config(cls: type) -> bool:
    """Whether `get_config` of a class says for any of its samples what that of the class below does not."""
    for sample in cls._samples():  # type: ignore[attr-defined]
        try:
            if super(cls, sample.made).get_config() != sample.made.get_config():
                return True
        except (TypeError, ValueError):
            return True  # the arguments have no plain form
    return False


def test_a_class_writes_get_config_only_where_its_constructor_says_something_else():
    kinds = (registry.LAYERS, registry.LOSSES, registry.METRICS, registry.OPTIMIZERS, registry.SCHEDULES, registry.INITIALIZERS,
             registry.REGULARIZERS, registry.CONSTRAINTS)
    for kind in kinds:
        kind.load()
    writing = {cls for kind in kinds for cls in kind.classes.values() if "get_config" in vars(cls) and hasattr(cls, "_samples")
               and is_ours(cls)}  # fmt: skip
    assert len(writing) > 5
    writing.remove(registry.LAYERS.classes["Lambda"])  # writes one for lambdas, which no sample holds: safe mode refuses to make them
    assert not [cls.__name__ for cls in writing if not needs_its_config(cls)]


def test_a_kind_of_primitive_is_a_small_class():
    kinds = [cls for cls in vars(op).values() if isinstance(cls, type) and issubclass(cls, op.Op)]
    assert len(kinds) == 7
    for cls in kinds:
        assert dataclasses.is_dataclass(cls)
        inherited = {field.name for base in cls.__mro__[1:] if dataclasses.is_dataclass(base) for field in dataclasses.fields(base)}
        assert len({field.name for field in dataclasses.fields(cls)} - inherited) <= 10, cls.__name__


def test_whether_pyml_or_a_user_defines_a_class_is_asked_in_one_place():
    asking = sorted({file for file, call in calls("startswith") if isinstance(call.func, ast.Attribute)
                     and isinstance(call.func.value, ast.Attribute) and call.func.value.attr == "__module__"})  # fmt: skip
    assert asking == ["data/structure.py", "layers/layer.py", "models/beginning.py"]  # which ask for a part of pyml


def test_what_is_no_part_of_a_layer_is_kept_by_one_method():
    """`Tracking._keep_apart` says why an attribute goes past `__setattr__`; nothing else of layers, models and trainers does that."""
    past = {
        (file, ast.unparse(node))
        for part in ("layers", "models", "trainers") for file, tree in trees(part).items()
        for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Subscript) and "__dict__" in ast.unparse(node)
        and (isinstance(node.ctx, ast.Store) if isinstance(node, ast.Subscript) else node.attr == "update")
    }  # fmt: skip
    assert past == {("layers/tracking.py", "self.__dict__.update")}


def test_frozen_numbers_have_one_home():
    kinds = (".json", ".npz", ".npy", ".csv", ".h5", ".keras", ".safetensors", ".bin", ".pkl")
    tests = ROOT / "tests"
    assert len([path for path in (tests / "goldens").rglob("*") if path.suffix in kinds]) > 30
    elsewhere = [str(path) for folder in (tests, ROOT / "e2e") for path in folder.rglob("*") if path.suffix in kinds]
    assert not [path for path in elsewhere if "goldens" not in Path(path).relative_to(ROOT).parts]


# ---- each floor
def test_a_call_of_fit_is_one_object_of_options_behind_the_methods_that_users_call():
    """Only `fit`, `evaluate`, `compile` and their kin take Keras' many arguments; what they hand on is `Options`."""
    public = {"compile", "fit", "fit_async", "evaluate", "evaluate_async", "stateless_compute_loss"}
    many = {
        node.name
        for file, tree in trees("trainers").items()
        for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if len(node.args.args) + len(node.args.kwonlyargs) > 8
    }  # fmt: skip
    assert many == public
    handed = [node for file, node in calls("Options") if file.startswith("trainers/")]
    assert len(handed) >= 3 and all(not node.args for node in handed)


def test_kernels_are_made_beside_primitives_and_by_the_compiler():
    places = {file.split("/")[0] for file, _ in calls("DeviceKernel", "KernelSpec")}
    assert places == {"graph", "compile"}


def test_the_trainer_speaks_of_tensors_and_programs_and_not_of_what_they_are_made_of():
    below = ("pyml.graph", "pyml.compile", "pyml.device")
    found = [
        f"{file}: {module}"
        for file, tree in trees("trainers").items()
        for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
        for module in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if module.startswith(below) and module != "pyml.device.lock"
    ]  # fmt: skip
    inside = [f"{file}, line {node.lineno}: {node.attr}" for file, tree in trees("trainers").items()
              for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in ("_node", "_buffer", "buffer")]  # fmt: skip
    assert not found + inside


# ---- types
def test_the_type_checker_looks_into_every_function_and_leaves_no_module_out():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["check_untyped_defs"] and settings["disallow_untyped_defs"] and settings["files"] == ["pyml", "tools"]
    softer = {"ignore_errors", "disable_error_code", "follow_imports", "exclude", "check_untyped_defs", "implicit_reexport"}
    assert "overrides" not in settings
    assert not softer & set(settings) - {"check_untyped_defs"}


def methods(cls: type) -> Iterator[Any]:
    """Functions that a user may call of a class, those of bases in pyml included."""
    for base in cls.__mro__:
        for name, value in vars(base).items() if base.__module__.startswith("pyml") else ():
            if not name.startswith("_") or (name.startswith("__") and name.endswith("__")):
                yield value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def untyped(function: Any) -> list[str]:
    """What a function says no type of; a constructor gives nothing, and what is made by Python or for a property is known."""
    function = inspect.unwrap(function) if callable(function) else None
    if not inspect.isfunction(function) or not function.__module__.startswith("pyml"):
        return []
    if function.__code__.co_filename == "<string>" or function.__name__ in ("<lambda>",):
        return []
    said = function.__annotations__
    names = [name for i, name in enumerate(inspect.signature(function).parameters) if i or name not in ("self", "cls")]
    result = [] if function.__name__ == "__init__" else ["return"]
    return [f"{function.__module__}.{function.__qualname__}: {name}" for name in [*names, *result] if name not in said]


def test_every_public_function_and_method_says_its_types():
    sys.path.insert(0, str(ROOT))
    try:
        from tools.docs.names import entries
    finally:
        sys.path.remove(str(ROOT))
    named = [entry.value for _, those in entries().values() for entry in those]
    found = {value: None for public in named for value in (methods(public) if inspect.isclass(public) else [public])
             if callable(value) and not inspect.isclass(value)}  # fmt: skip
    assert len(found) > 2000
    assert not [said for function in found for said in untyped(function)]
