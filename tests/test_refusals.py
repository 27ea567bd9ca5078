"""What ops refuse: every sample is called again with one argument that may not fit, and what is said is held to the docstring."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from every import every

from pyml.errors import DtypeError
from pyml.ops.declare import DECLARED, Draw

sys.path.insert(0, str(Path(__file__).parent / "goldens"))
import op_samples

op_samples.declared()  # loads those too that load when first touched
AXES = {"axis", "axes", "axis1", "axis2", "source", "destination"}
ELSEWHERE = {
    "switch": "what its branches say is theirs",
    "get_item": "it is called as x[key], and speaks of tensors that are indexed",
}


def made(value, rng=None):
    """A sample's argument with arrays for its Draws."""
    rng = rng or np.random.default_rng(5)
    if isinstance(value, Draw):
        if value.dtype == "float32":
            return rng.uniform(value.low, value.high, value.shape).astype("float32")
        return rng.integers(int(value.low), int(value.high), value.shape).astype(value.dtype)
    if type(value) in (list, tuple):
        return type(value)(made(item, rng) for item in value)
    return {k: made(v, rng) for k, v in value.items()} if isinstance(value, dict) else value


def other_arrays(x):
    """Arrays of another rank, size or dtype."""
    yield from (x.reshape(-1)[:1].reshape(()) if x.size else np.zeros((), x.dtype), x.reshape(-1), x[None], x[None, None])
    yield np.zeros((0,) * x.ndim, x.dtype)
    yield from (np.concatenate([x, x.take([0, 0], axis)], axis) for axis in range(x.ndim) if x.shape[axis])
    with warnings.catch_warnings(action="ignore"):  # of a cast of NaN, or of complex numbers
        casts = x > 0, x.astype("int32"), x.astype("float32") + 0.5
    yield from casts
    if x.dtype.kind != "f":
        yield from (np.full(x.shape, -9, "int32"), np.full(x.shape, 999, "int32"))


def others(name, value, annotation):
    """Values that the argument might be given by mistake."""
    if isinstance(value, np.ndarray):
        yield from other_arrays(value)
    elif name in AXES:
        yield from (99, 1.5, (0, 0), (0, 1))
    elif name == "dtype":
        yield "floaty32"
    elif isinstance(value, str):
        yield "nonsense"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from (-3, 0, 1.5, 999, -999)
    elif isinstance(value, (list, tuple)) and value:
        yield type(value)()
        if all(isinstance(item, np.ndarray) for item in value):
            yield from (type(value)([other, *value[1:]]) for other in other_arrays(value[0]))
        elif all(isinstance(item, int) for item in value):
            yield from (type(value)(3 * list(value)), *(type(value)(n for _ in value) for n in (-3, 0, 99)))
    elif value is None:
        yield from (["nonsense"] if "str" in annotation else []) + [99, 1.5]


def refusals(declared):
    """(arguments, error) of every such call that the op refuses."""
    signature = inspect.signature(declared.function)
    for sample in declared.samples:
        bound = signature.bind(*made(sample.args), **made(sample.kwargs))
        bound.apply_defaults()
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            for other in others(parameter.name, bound.arguments[parameter.name], str(parameter.annotation)):
                call = inspect.BoundArguments(signature, {**bound.arguments, parameter.name: other})
                try:
                    with np.errstate(all="ignore"):
                        declared.function(*call.args, **call.kwargs)
                except Exception as error:
                    yield f"{parameter.name}={other!r}"[:60], error


def section(text, name):
    """A section of a docstring."""
    found = re.search(rf"^{name}:(.*?)(?=^\S|\Z)", text, re.M | re.S)
    return found[1] if found else ""


def raises(name):
    """What the docstring of an op says of errors, with what it leaves to another."""
    text = inspect.getdoc(DECLARED[name].function) or ""
    there = re.search(r"rrors as (?:there|for|of|in)(?: `(\w+)`)?", text)
    other = (there[1] or next(iter(re.findall(r"`(\w+)`", text[: there.start()])), "")) if there else ""
    return section(text, "Raises") + (raises(other) if other in DECLARED and other != name else "")


def without_functions(declared):
    return not any(callable(value) and not isinstance(value, Draw) for s in declared.samples for value in (*s.args, *s.kwargs.values()))


@pytest.mark.slow
@every("declared", [pytest.param(d, id=d.name) for d in DECLARED.values() if without_functions(d)])
def test_what_an_op_refuses_stands_in_its_docstring_and_names_it(declared, cpu):
    told = raises(declared.name)
    untold, unnamed = {}, {}
    for call, error in refusals(declared):
        names = [c.__name__ for c in type(error).__mro__ if issubclass(c, Exception) and c is not Exception]
        if not any(re.search(rf"\b{name}\b", told) for name in names):
            untold[type(error).__name__] = call, str(error)
        if not str(error).startswith(f"{declared.name}: "):
            unnamed[call] = str(error)
    if declared.name not in ELSEWHERE:
        assert not unnamed, unnamed
    assert declared.name == "switch" or not untold, untold


def with_complex(value):
    """Arguments with complex numbers in the places of real ones, and whether there are any."""
    if isinstance(value, np.ndarray) and value.dtype == "float32":
        return value.astype("complex64"), True
    if type(value) in (list, tuple):
        found = [with_complex(item) for item in value]
        return type(value)(item for item, _ in found), any(there for _, there in found)
    return value, False


@pytest.mark.slow
@every("declared", [pytest.param(d, id=d.name) for d in DECLARED.values() if without_functions(d)])
def test_an_op_takes_complex_numbers_as_its_declaration_says(declared, cpu):
    taken = []
    for sample in declared.samples:
        args, among = with_complex(made(sample.args))
        named = {key: with_complex(value) for key, value in made(sample.kwargs).items()}
        if not among and not any(there for _, there in named.values()):
            continue
        try:
            declared.function(*args, **{key: value for key, (value, _) in named.items()})
            taken.append(True)
        except DtypeError as error:
            assert str(error).startswith(f"{declared.name}: ") and "complex" in str(error)
            taken.append(False)
    assert any(taken) == (declared.takes_complex and bool(taken))  # not with every argument: `unique` not along an axis
