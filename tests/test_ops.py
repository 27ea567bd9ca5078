"""Tests that the declarations of ops generate: numpy parity, gradients, recording in models, names and examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from every import every

import pyml
from pyml import ops
from pyml.core import array_protocol, numpy_functions, operators, symbolic
from pyml.core.operators import INSTALLED
from pyml.core.symbolic import KerasTensor
from pyml.ops.declare import DECLARED

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
sys.path.insert(0, str(Path(__file__).parent / "goldens"))
import op_calls
import op_samples
import parity
from op_samples import called, drawn, draws, results, weights

op_samples.declared()  # loads those too that load when first touched
CASES = [pytest.param(d, s, id=f"{d.name}-{i}") for d in DECLARED.values() for i, s in enumerate(d.samples)]
KEYS = {(c.values[0].name, id(c.values[1])): c.id for c in CASES}
KERAS = json.loads((Path(__file__).parent / "goldens" / "op_samples.json").read_text(encoding="utf-8"))
DTYPES = {"float32": "float64"}  # numpy computes what is expected in float64


def like(declared):
    """What numpy computes: a name of its, or the function that the declaration gives."""
    if not isinstance(declared.like, str):
        return declared.like
    module, _, name = declared.like.rpartition(".")
    return getattr(importlib.import_module(module), name)


def in_float64(arrays):
    return [a.astype(DTYPES.get(a.dtype.name, a.dtype.name)) for a in arrays]


def expected(declared, sample, arrays):
    with np.errstate(all="ignore"):
        return [np.asarray(r) for r in results(called(like(declared), sample, arrays))]


@pytest.mark.in_turn(6)
@every("declared, sample", CASES, blocks=12)
def test_op_equals_numpy(device, declared, sample):
    arrays = drawn(sample)
    got = results(called(declared.function, sample, [pyml.convert_to_tensor(a) for a in arrays]))
    wanted = expected(declared, sample, in_float64(arrays))  # and then what Keras gave, see goldens/op_samples.py
    assert [np.shape(g) for g in got] == [w.shape for w in wanted]
    for g, w in zip(got, wanted, strict=True):
        scale = max(1.0, float(np.abs(w).max())) if w.size and w.dtype != bool else 1.0
        np.testing.assert_allclose(np.asarray(g), w, rtol=declared.tolerance, atol=declared.tolerance * scale)
    if (name := KEYS[declared.name, id(sample)]) in KERAS:
        op_samples.assert_same(name, [np.asarray(g) for g in got if g is not None], KERAS[name], max(1e-4, declared.tolerance))


SMOOTH = [c for c in CASES if c.values[0].gradient and any(d.dtype == "float32" for d in draws(c.values[1]))]


@every("declared, sample", SMOOTH, blocks=8)
def test_gradient_of_an_op_equals_finite_differences_of_numpy(declared, sample, device):
    arrays = drawn(sample)
    scales = weights(expected(declared, sample, in_float64(arrays)))
    assert any(s is not None for s in scales), "no float results: declare gradient=False"
    moved = [i for i, a in enumerate(arrays) if a.dtype == np.float32]

    def total(outputs, ours):
        parts = [(o if ours else np.asarray(o)) * s for o, s in zip(outputs, scales, strict=True) if s is not None]
        return sum((ops.sum(p) for p in parts[1:]), ops.sum(parts[0])) if ours else float(sum(p.sum() for p in parts))

    def ours(floats):
        values = list(arrays)
        for i, value in zip(moved, floats, strict=True):
            values[i] = value
        return total(results(called(declared.function, sample, values)), True)

    gradients = pyml.grad(ours)([arrays[i] for i in moved])
    for i, gradient in zip(moved, gradients, strict=True):
        found = gradient.numpy()
        for place in list(np.ndindex(arrays[i].shape))[:8]:
            sides = []
            for step in (-1e-5, 1e-5):
                values = in_float64(arrays)
                values[i][place] += step
                sides.append(total(expected(declared, sample, values), False))
            slope = (sides[1] - sides[0]) / 2e-5
            assert abs(found[place] - slope) < 1e-3 * (1 + abs(slope)), f"d/d argument {i}{place}: {found[place]} against {slope}"
    name = KEYS[declared.name, id(sample)]
    if frozen := KERAS.get(name, {}).get("grad"):
        op_samples.compare(f"the gradient of {name}", [g.numpy() for g in gradients], frozen, max(1e-4, declared.tolerance))


def test_an_op_whose_gradient_no_finite_difference_shows_has_one_zeros_or_none_as_keras_on_pytorch():
    """A gradient, zeros, or `NotDifferentiable` with the name of the op: the table is `goldens/op_slopes.json`."""
    wanted = json.loads((Path(__file__).parent / "goldens" / "op_slopes.json").read_text(encoding="utf-8"))
    other = {key for keys in op_samples.OTHER_SLOPES.values() for key in keys.split()}
    samples, found, refused = op_samples.flat_samples(), {}, set()

    for key, (declared, sample) in samples.items():
        def slope(call, array, weight, declared=declared):
            def weighed(x):
                outputs = [ops.cast(o, "float32") for o in call(declared.function, x) if o is not None]
                return sum((ops.sum(o * weight(o.shape)) for o in outputs), ops.convert_to_tensor(0.0))

            try:
                return pyml.grad(weighed)(array).numpy()
            except pyml.errors.NotDifferentiable as error:
                who = f"({declared.name}|reading numbers into Python .*)"
                assert re.match(f"grad: {who} has no gradient, and argument 'x' changes the value", str(error))
                refused.add(declared.name)
                return None

        found[key] = op_samples.slopes(declared, sample, slope)
    assert {key: letters for key, letters in wanted.items() if key not in other and key[0] != "_" and found[key] != letters} == {}
    assert [key for key in other if found[key] == wanted[key]] == [] and len(wanted) > 60
    assert refused > {"argmax", "argsort", "greater", "cast", "digitize", "floor_divide", "heaviside", "histogram", "isclose", "isnan"}


def test_no_op_gives_silent_zeros_where_whole_numbers_are_made_of_the_differentiated_value():
    """An argument of integers or truths, an array or a number, of each op: it decides the value, and nothing else leads there."""
    silent, refused = [], 0
    branches = {"cond", "switch"}  # as Python's `if`: what the branch gives that is taken has its own gradient
    slow = {"ctc_loss", "ctc_decode", "gcd", "lcm"}
    for declared, sample in ((d, d.samples[0]) for d in DECLARED.values() if d.samples and d.name not in branches | slow):
        arrays = iter(drawn(sample))
        args, kwargs = op_samples.mapped(lambda d: next(arrays), (tuple(sample.args), sample.kwargs))  # noqa: B023
        places = [*range(len(args)), *kwargs]
        for place in places:
            value = args[place] if isinstance(place, int) else kwargs[place]
            if not (type(value) is int or (isinstance(value, np.ndarray) and value.size and value.dtype.kind in "iub")):
                continue

            def total(x, place=place, value=value, declared=declared, args=args, kwargs=kwargs):
                made = ops.cast(x, "int32" if type(value) is int else value.dtype.name)
                changed = [made if i == place else a for i, a in enumerate(args)]
                outputs = results(declared.function(*changed, **{k: made if k == place else v for k, v in kwargs.items()}))
                return sum((ops.sum(ops.cast(o, "float32")) for o in outputs if not isinstance(o, np.ndarray)), ops.zeros(()))

            try:
                pyml.grad(total)(np.asarray(value, "float32"))
                silent.append((declared.name, place))
            except pyml.errors.NotDifferentiable:
                refused += 1
            except (TypeError, ValueError, pyml.errors.PymlError):  # a number of Python's is asked for there
                assert type(value) is int
    assert refused > 90 and silent == []


RECORDED = [c for c in CASES if c.values[0].record and draws(c.values[1])]


@every("declared, sample", RECORDED, blocks=8)
def test_a_model_of_an_op_computes_what_the_op_does(declared, sample):
    arrays = drawn(sample)
    inputs = [pyml.Input(batch_shape=a.shape, dtype=a.dtype.name) for a in arrays]
    recorded = called(declared.function, sample, inputs)
    assert all(isinstance(r, KerasTensor) for r in results(recorded))
    calls = {r._keras_history.operation for r in results(recorded)}
    assert [c.call.__name__ for c in calls] == [declared.name]  # one call of this op, not of those it is made of
    direct = results(called(declared.function, sample, [pyml.convert_to_tensor(a) for a in arrays]))
    model = pyml.Model(inputs, recorded)
    for r, g, d in zip(results(recorded), results(model([*arrays])), direct, strict=True):
        assert (r.shape, r.dtype) == (d.shape, d.dtype)
        np.testing.assert_array_equal(g.numpy(), d.numpy())


def test_every_op_has_a_sample_and_something_to_compare_it_with():
    assert not [d.name for d in DECLARED.values() if not d.samples or d.like is None]


# Ops without frozen numbers: those that are another op by a second name, and what shows the others.
SECOND_NAMES = {"abs": "absolute", "amax": "max", "amin": "min", "bitwise_invert": "bitwise_not", "bitwise_left_shift": "left_shift",
                "bitwise_right_shift": "right_shift"}  # fmt: skip
SHOWN_ELSEWHERE = {
    "custom_gradient": "test_branches_and_loops.py", "vectorize": "test_branches_and_loops.py", "dtype": "test_dtypes.py",
    **dict.fromkeys(("empty", "empty_like", "nonzero"), "op_samples.py"),
}  # fmt: skip


def test_every_op_of_keras_has_frozen_numbers_of_keras():
    calls = {call.path for family in op_calls.families().values() for call in family.values() if isinstance(call.path, str)}
    frozen = {name.rpartition("-")[0] for name in KERAS} | {path.rpartition(".")[2] for path in calls}
    sections = [m for m in parity.sections(parity.DATA / "keras.txt") if m.name.startswith("keras.ops")]
    names = {name for section in sections for name in section.names} - {"image", "linalg", "nn", "numpy"}
    assert len(names) > 340 and names - frozen == {*SECOND_NAMES, *SHOWN_ELSEWHERE}
    assert all(getattr(ops, second) is getattr(ops, first) for second, first in SECOND_NAMES.items())


def test_samples_without_numbers_of_keras_are_those_with_a_reason():
    sections = [m for m in parity.sections(parity.DATA / "keras.txt") if m.name.startswith("keras.ops")]
    names = {name for section in sections for name in section.names}
    assert {c.id for c in CASES if c.values[0].name in names} == {*KERAS, *op_samples.REASONS} - {"_made_by"}


NUMPY_TAKES = {
    "round": (lambda K, x: K.round(x, decimals=1)), "round_tens": (lambda K, x: K.round(x * 100, -1)),
    "linspace": (lambda K, x: K.linspace(x[0], x[1], 5, axis=-1)), "repeat": (lambda K, x: K.repeat(x, np.array([2, 0, 1]), axis=0)),
    "diagonal": (lambda K, x: K.einsum("ii->i", x)), "trace": (lambda K, x: K.einsum("ii", x)),
    "max": (lambda K, x: K.max(x[:, :0], axis=1, initial=-1.0)), "where": (lambda K, x: K.where(x > 0)[1]),
    "matmul": (lambda K, x: K.matmul(np.arange(9).reshape(3, 3), np.full((3, 2), 70_001))),
}  # fmt: skip


@every("name", NUMPY_TAKES)
def test_arguments_that_numpy_takes_give_what_numpy_gives(device, name):
    x = np.random.default_rng(2).normal(size=(3, 3)).astype(np.float32)
    got, wanted = np.asarray(NUMPY_TAKES[name](ops, x)), NUMPY_TAKES[name](np, x)
    assert got.shape == wanted.shape and got.dtype.kind == wanted.dtype.kind
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_padding_may_be_written_in_capitals():
    x, kernel = np.ones((1, 4, 4, 1), np.float32), np.ones((2, 2, 1, 1), np.float32)
    for padding in ("VALID", "SAME"):
        assert ops.conv(x, kernel, padding=padding).shape == ops.conv(x, kernel, padding=padding.lower()).shape
        assert ops.max_pool(x, 2, 1, padding=padding).shape == ops.max_pool(x, 2, 1, padding=padding.lower()).shape


def modules():
    """The files of ops that declare some, by name."""
    files = {name: importlib.import_module(f"pyml.ops.{name}") for _, name, _ in pkgutil.iter_modules(ops.__path__)}
    return {name: module for name, module in files.items() if any(d.module == module.__name__ for d in DECLARED.values())}


def test_a_file_of_ops_exports_what_it_declares():
    functions = {d.function: d for d in DECLARED.values()}
    for module in modules().values():
        own = {d.name for d in DECLARED.values() if d.module == module.__name__}
        assert own <= set(module.__all__), module.__name__
        for name in module.__all__:  # an alias is another name of a declared op
            assert getattr(module, name) in functions, f"{module.__name__}.{name}"


def test_every_op_is_found_in_ops_or_in_the_home_that_keras_gives_it():
    for d in DECLARED.values():
        homes = [ops, ops.image, ops.linalg]
        assert any(getattr(home, d.name, None) is d.function for home in homes), d.name


def test_no_file_of_ops_hides_an_op_of_its_name():
    """Importing `pyml/ops/x.py` puts the module at `ops.x`; it did so to `norm`."""
    files = {name for _, name, _ in pkgutil.iter_modules(ops.__path__)}
    assert not files & DECLARED.keys()


def in_a_fresh_python(code):
    code = f"import sys, pyml\nfrom pyml import ops\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_rare_ops_load_when_first_touched():
    loaded = "[name for name in ('arithmetic', 'window_functions', 'resizing') if f'pyml.ops.{name}' in sys.modules]"
    told = in_a_fresh_python(f"print({loaded}); ops.hanning; print({loaded}); ops.image.resize; print({loaded})")
    assert told.splitlines() == ["['arithmetic']", "['arithmetic', 'window_functions']", "['arithmetic', 'window_functions', 'resizing']"]


RARE = [
    "assert ops.hanning is ops.numpy.hanning; assert ops.norm is ops.linalg.norm; print('same')",
    "from pyml.ops import *; hanning; norm; scan; add; print('same')",
    "assert {'hanning', 'norm', 'scan', 'add'} <= set(dir(ops)); print('same')",
    "from pyml.ops import hanning; assert hanning is ops.hanning; print('same')",
    "assert ops.core.scan is ops.scan; assert ops.math.segment_sum is ops.segment_sum; from pyml.ops.core import cond; print('same')",
]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_rare_op_is_found_as_a_common_one_is():
    """Each in a process in which no op was touched yet."""
    each = f"import os\nfor code in {RARE!r}:\n    if not os.fork():\n        exec(code); sys.stdout.flush(); os._exit(0)\n    os.wait()"
    assert in_a_fresh_python(each).split() == ["same"] * len(RARE)


def test_a_name_that_no_file_has_is_told():
    with pytest.raises(AttributeError, match=r"module 'pyml\.ops' has no attribute 'hannning'"):
        _ = ops.hannning
    assert not hasattr(ops.linalg, "hanning")


@pytest.mark.parametrize("name", ["image", "linalg", "nn", "numpy"])
def test_a_home_holds_the_ops_that_keras_has_there(name):
    home = getattr(ops, name)
    here = {n for n in dir(home) if callable(getattr(home, n)) and not n.startswith("_")}
    keras = next(set(m.names) for m in parity.sections(parity.DATA / "keras.txt") if m.name == f"keras.ops.{name}")
    assert here <= keras
    assert {n for n in keras if hasattr(ops, n) and n in DECLARED} <= here


def test_operators_and_methods_of_tensors_are_those_that_ops_declare():
    """Beside them, `ops` gives tensors item assignment, and numpy's functions the name of the op to use instead."""
    used = set()
    for module in (operators, array_protocol, numpy_functions, symbolic):
        tree = ast.parse(inspect.getsource(module))
        keys = [n.slice for n in ast.walk(tree) if isinstance(n, ast.Subscript) and getattr(n.value, "id", "") == "INSTALLED"]
        used |= {key.value for key in keys if isinstance(key, ast.Constant)}
    declared = {d.installed for d in DECLARED.values() if d.installed}
    assert used == set(INSTALLED) == declared | {"setitem", "op_named"}


EXPRESSIONS = {
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "/": lambda x, y: x / y, "//": lambda x, y: x // y,
    "%": lambda x, y: x % y, "**": lambda x, y: abs(x) ** y, "@": lambda x, y: x @ y, "&": lambda x, y: (x > 0) & (y > 0),
    "|": lambda x, y: (x > 0) | (y > 0), "^": lambda x, y: (x > 0) ^ (y > 0), "~": lambda x, y: ~(x > 0), "neg": lambda x, y: -x,
    "==": lambda x, y: x == y, "!=": lambda x, y: x != y, "<": lambda x, y: x < y, "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y, ">=": lambda x, y: x >= y, "1+": lambda x, y: 1.0 + x, "1-": lambda x, y: 1.0 - x,
    "1/": lambda x, y: 1.0 / x, "2**": lambda x, y: 2.0**x, "getitem": lambda x, y: x[1:, 0], "T": lambda x, y: x.T,
    "reshape": lambda x, y: x.reshape(4), "squeeze": lambda x, y: x.reshape(1, 4).squeeze(0), "astype": lambda x, y: x.astype("int32"),
    "sum": lambda x, y: x.sum(axis=0), "mean": lambda x, y: x.mean(axis=1, keepdims=True), "max": lambda x, y: x.max(axis=0),
    "min": lambda x, y: x.min(axis=0), "argmax": lambda x, y: x.argmax(axis=1),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_tensors_variables_and_symbolic_tensors_have_the_same_operators(name):
    x, y = np.array([[1.0, -2.0], [3.0, 2.0]], np.float32), np.array([[2.0, -2.0], [1.0, 4.0]], np.float32)
    wanted = EXPRESSIONS[name](x, y)
    inputs = [pyml.Input(batch_shape=(2, 2)) for _ in range(2)]
    model = pyml.Model(inputs, EXPRESSIONS[name](*inputs))
    for got in (EXPRESSIONS[name](pyml.convert_to_tensor(x), pyml.convert_to_tensor(y)),
                EXPRESSIONS[name](pyml.Variable(x), pyml.Variable(y)), model([x, y])):
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-5)


def test_variables_and_symbolic_tensors_ask_for_truth_where_tensors_go_by_bits():
    x, y = np.array([0, 5, 6], np.int32), np.array([1, 3, 0], np.int32)
    logic = [lambda a, b: a & b, lambda a, b: a | b, lambda a, b: a ^ b, lambda a, b: a & 2, lambda a, b: 2 | a, lambda a, b: 2 ^ a]
    truths = [(x > 0) & (y > 0), (x > 0) | (y > 0), (x > 0) ^ (y > 0), x > 0, x == x, x == 0]
    inputs = [pyml.Input((), dtype="int32") for _ in range(2)]
    model = pyml.Model(inputs, [*(ask(*inputs) for ask in logic), ~inputs[0]])
    for found, wanted in zip(model([x, y]), [*truths, x == 0], strict=True):
        assert found.dtype == "bool" and found.numpy().tolist() == wanted.tolist()
    for ask, wanted in zip(logic, truths, strict=True):
        assert ask(pyml.Variable(x), pyml.Variable(y)).numpy().tolist() == wanted.tolist()
        assert ask(ops.convert_to_tensor(x), ops.convert_to_tensor(y)).numpy().tolist() == ask(x, y).tolist()
    assert (~pyml.Variable(x)).numpy().tolist() == (~x).tolist()


def test_an_op_records_a_symbolic_tensor_that_is_nested_or_named():
    x = pyml.Input((3,))
    assert isinstance(ops.add(x1=1.0, x2=x), KerasTensor)
    assert ops.concatenate(xs=[x, x], axis=-1).shape == (None, 6)
    assert ops.pad(x, pad_width=((0, 0), (1, 1))).shape == (None, 5)


def test_the_shape_of_a_symbolic_tensor_keeps_what_is_unknown():
    assert ops.shape(pyml.Input((3,))) == (None, 3)


def test_an_axis_of_unknown_size_is_taken_apart_into_as_many_slices_as_asked():
    x = pyml.Input((3,))
    first, second = ops.unstack(x, num=2)
    assert first.shape == second.shape == (3,) and [y.shape for y in ops.unstack(x, axis=1)] == [(None,)] * 3
    model = pyml.Model(x, first - second)
    np.testing.assert_array_equal(model(np.array([[1, 2, 3], [4, 6, 8]], np.float32)).numpy(), [-3, -4, -5])
    with pytest.raises(ValueError, match=r"^unstack: the size of axis 0 of .* is unknown; say with num"):
        ops.unstack(x)
    with pytest.raises(ValueError, match=r"^unstack: axis 1 of .* has 3 slices. Received: num=2"):
        ops.unstack(x, 2, axis=1)


@every("declared", [pytest.param(d, id=d.name) for d in DECLARED.values()])
def test_the_docstring_of_an_op_tells_of_dtypes_and_shapes(declared):
    text = (inspect.getdoc(declared.function) or "").partition("Example:")[0]
    as_another = re.search(r"as (there|for|of|`\w+`)", text)  # arguments, results and errors
    says_dtype = as_another or re.search(r"dtype|float|bool|int32|uint|complex64", text, re.IGNORECASE)
    assert says_dtype, "Returns: names no dtype, nor is there a family that does"
    assert re.search(r"shape|\baxis\b|axes|size|element|`\(", text), "Returns: says no shape, nor is there a family that does"


PUBLIC = {f"ops.{d.name}": d.function for d in DECLARED.values()}
for _module in ("activations", "core", "image", "ops.directional", "ops.further", "ops.vectorizing"):
    _found = importlib.import_module(f"pyml.{_module}")
    _public = [n for n, v in vars(_found).items() if callable(v) and not n.startswith("_") and v.__module__.startswith(f"pyml.{_module}")]
    PUBLIC |= {f"{_module}.{name}": getattr(_found, name) for name in _public}


@every("name", PUBLIC)
def test_the_example_of_a_docstring_prints_what_it_says(name):
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert ">>>" in text, f"{name} has no example"
    test = doctest.DocTestParser().get_doctest(text, {"pyml": pyml, "np": np}, name, None, 0)
    said: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=said.append)
    assert not said, "".join(said)
