"""Names and signatures are Keras' own: modules that are finished have all of them (`make parity` prints the rest)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import parity

FINISHED = [
    "array_api.attributes of the array",
    "array_api.constants",
    "array_api.creation",
    "array_api.data_type_functions",
    "array_api.data_types",
    "array_api.elementwise",
    "array_api.extension fft",
    "array_api.extension linalg",
    "array_api.indexing",
    "array_api.inspection",
    "array_api.linear_algebra",
    "array_api.manipulation",
    "array_api.methods of the array",
    "array_api.searching",
    "array_api.set",
    "array_api.sorting",
    "array_api.statistical",
    "array_api.utility",
    "keras.activations",
    "keras.backend",
    "keras.callbacks",
    "keras.config",
    "keras.constraints", "keras.ops.image", "keras.preprocessing.image", "keras.utils.bounding_boxes", "keras.visualization",
    "keras.distribution",
    "keras.initializers",
    "keras.dtype_policies",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.ops.linalg",
    "keras.ops.numpy",
    "keras.ops.nn",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.preprocessing.sequence",
    "keras.quantizers",
    "keras.random",
    "keras.tree",
    "keras.utils",
    "keras.wrappers",
]
MODULES = {module.name: module for module in parity.sections(parity.DATA / "keras.txt")}


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_module_has_every_name_with_keras_parameters_and_defaults(name):
    (module,) = parity.report(lambda other: other == name)
    assert module.missing == [] and module.differing == []


@pytest.mark.parametrize("name", ["keras.losses", "keras.metrics", "keras.optimizers", "keras.optimizers.schedules", "keras.layers",
                                  "keras.activations", "keras.initializers", "keras.regularizers", "keras.callbacks"])  # fmt: skip
def test_every_name_that_is_there_has_keras_parameters_and_defaults(name):
    (module,) = parity.report(lambda other: other == name)
    assert len(module.names) > len(module.missing)
    assert module.differing == []


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
        (Path, "open", ["buffering="], "another place"),
    ):
        assert told in (parity.not_taken(cls, method, arguments) or "")
