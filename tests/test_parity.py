"""Names and signatures are Keras' own, in every module (`make parity` prints what is not)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import parity

MODULES = {module.name: module for module in parity.sections(parity.DATA / "keras.txt")}
ARRAY_API = [module.name for module in parity.sections(parity.DATA / "array_api.txt", "array_api.")]


@pytest.mark.parametrize("name", [*MODULES, *ARRAY_API])
def test_a_module_has_every_name_with_keras_parameters_and_defaults(name):
    (module,) = parity.report(lambda other: other == name)
    assert module.names and module.missing == [] and module.differing == []


def test_every_exclusion_names_something_that_exists_and_says_why():
    known = {f"{m.name}.{n}" for m in MODULES.values() for n in m.names} | {f"{m}.*" for m in MODULES} | {"keras.src.*"}
    for name, reason in parity.exclusions().items():
        assert name in known or name.startswith("array_api."), name
        assert len(reason) > 20, name


@pytest.mark.parametrize(("theirs", "mine", "told"), [
    ("(x, axis=-1)", lambda x, axis=-1: x, None),
    ("(x, axis=-1)", lambda x, axis=-1, more=None: x, None),
    ("(x, axis=-1)", lambda x, axis=None: x, "axis=None, expected -1"),
    ("(x, axis=-1)", lambda x: x, "has no parameter axis"),
    ("(x, y)", lambda y, x: x, "has x in another place"),
    ("(x)", lambda x, y: x, "asks for y"),
    ("(x, rate=0.5)", lambda x, **kwargs: x, None),
])  # fmt: skip
def test_a_difference_of_signatures_is_told_in_words(theirs, mine, told):
    assert parity.difference(theirs, mine) == told


def test_methods_take_the_arguments_of_keras_by_place_and_by_name():
    assert parity.methods() == []
    assert parity.not_taken(parity.Module, "line", ["a"]) is None                       # a property
    for cls, method, arguments, told in (
        (dict, "get", ["nothing"], "has no argument nothing"),
        (Path, "rename", ["target="], "asks for target"),
        (Path, "open", ["buffering="], "another place"),
    ):
        assert told in (parity.not_taken(cls, method, arguments) or "")
