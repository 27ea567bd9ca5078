"""Tests that the samples of classes generate: every layer, loss, metric, optimizer, ... in the registry.

A class declares what to make of it and to call it with in `_samples`, beside itself (see `pyml/objects/samples.py`).
Nothing is made while tests are collected.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from every import every as every_case

import pyml
from pyml import ops
from pyml.layers.augmentation.base import ImageLayer
from pyml.objects import registry
from pyml.objects.registry import Kind
from pyml.ops.declare import Draw

BASES = {"Layer", "Wrapper", "InputLayer", "Model", "Functional", "Sequential",   # nothing to call
         "StringLookup", "TextVectorization", "FeatureSpace"}              # text and tables: keras/test_preprocessing.py
GOLDENS = "".join(path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "goldens").glob("*_cases.py")))


def is_ours(cls: type) -> bool:
    """Whether a class is where it says: an example of a docstring that has run has defined others, in the names of a module."""
    return getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls


def classes(kind: Kind) -> list[type]:
    kind.load()
    return sorted({cls for cls in kind.classes.values() if cls.__name__ not in BASES and is_ours(cls)}, key=lambda cls: cls.__name__)


def name_of(cls: type) -> str:
    return f"{cls._registered_kind.homes[0].rpartition('.')[2]}-{cls.__name__}"


def every(*kinds: Kind):
    """Each class of the kinds, with the same weights in every run: a slope beside a kink of `max` or `relu` would be another one."""
    found = [cls for kind in kinds for cls in classes(kind)]

    def decorate(test):
        @functools.wraps(test)
        def seeded(**arguments):
            pyml.utils.set_random_seed(7)
            test(**arguments)

        return every_case("cls", found, ids=name_of, blocks=4 if len(found) < 100 else 8)(seeded)

    return decorate


CONFIGURED = (registry.LAYERS, registry.LOSSES, registry.METRICS, registry.OPTIMIZERS, registry.SCHEDULES, registry.INITIALIZERS,
              registry.REGULARIZERS, registry.CONSTRAINTS)


# ---- arguments
def mapped(fn, value):
    """`fn` on every leaf of nested lists."""
    return [mapped(fn, item) for item in value] if isinstance(value, (list, tuple)) else fn(value)


def leaves(value):
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, (list, tuple)) else [value]


def drawn(sample, seed=5):
    """The sample's arguments as arrays: float32 for what is drawn as such."""
    rng = np.random.default_rng(seed)

    def make(leaf):
        if not isinstance(leaf, Draw):
            return leaf
        if leaf.dtype == "float32":
            return rng.uniform(leaf.low, leaf.high, leaf.shape).astype("float32")
        return rng.integers(int(leaf.low), int(leaf.high), leaf.shape).astype(leaf.dtype)

    return mapped(make, sample.args)


def in_float64(value):
    return mapped(lambda leaf: np.asarray(leaf, "float64"), value)


def as_tensors(value):
    return mapped(ops.convert_to_tensor, value)


def arrays(value):
    return [leaf.numpy() if hasattr(leaf, "numpy") else np.asarray(leaf) for leaf in leaves(value)]


def assert_close(got, want, tolerance):
    got, want = arrays(got), arrays(want)
    assert [g.shape for g in got] == [w.shape for w in want]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance)


def assert_derivative(function, points, gradients, tolerance=2e-2):
    """The gradients of `function(points)` say how it changes along one random direction."""
    rng = np.random.default_rng(7)
    directions = [rng.standard_normal(p.shape).astype("float32") for p in points]
    step = 1e-2
    ahead, back = (float(function([p + sign * step * d for p, d in zip(points, directions, strict=True)])) for sign in (1, -1))
    said = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))
    assert said == pytest.approx((ahead - back) / (2 * step), rel=tolerance, abs=tolerance)


# ---- all kinds
@every(*CONFIGURED)
def test_a_class_declares_samples_of_its_own(cls):
    owner = next((base for base in cls.__mro__ if "_samples" in vars(base)), None)
    assert owner is not None, f"{cls.__name__} has no _samples"
    assert owner is cls or owner.__name__ not in cls._registered_kind.classes, f"{cls.__name__} has only those of {owner.__name__}"
    assert list(cls._samples())


@every(*CONFIGURED)
def test_a_class_has_an_example(cls):
    assert ">>>" in (cls.__doc__ or "")                        # test_examples.py runs it


@pytest.mark.parametrize("kind", [registry.ACTIVATIONS, registry.LOSSES, registry.METRICS], ids=lambda kind: kind.homes[0])
def test_a_function_has_an_example(kind):
    kind.load()
    assert not [name for name, function in kind.functions.items() if ">>>" not in (function.__doc__ or "")]


@every(*CONFIGURED)
def test_an_object_made_from_a_config_has_that_config(cls):
    module = pyml.saving
    for sample in cls._samples():
        config = sample.made.get_config()
        assert cls.from_config(config).get_config() == config
        text = json.dumps(module.serialize_keras_object(sample.made))
        again = module.deserialize_keras_object(json.loads(text))
        assert type(again) is cls
        assert json.loads(json.dumps(again.get_config())) == json.loads(json.dumps(config))


@every(registry.LAYERS)
def test_a_layer_is_judged_by_numpy_or_by_a_golden(cls):
    assert any(sample.like for sample in cls._samples()) or f"L.{cls.__name__}(" in GOLDENS


# ---- layers
@every(registry.LAYERS)
def test_a_layer_gives_what_numpy_gives(cls, device):
    for sample in cls._samples():
        values = drawn(sample)
        found = sample.made(*as_tensors(values), **sample.kwargs)
        assert all(np.isfinite(array).all() for array in arrays(found))
        if sample.like is not None:
            assert_close(found, sample.like(*in_float64(values), **weights(sample.made)), 1e-4)


def assert_slope(layer, values):
    """Gradients of inputs and weights against finite differences, for a weighted sum of all outputs."""
    moving = [leaf for leaf in leaves(values) if leaf.dtype == "float32"]
    factors = [np.random.default_rng(3).standard_normal(array.shape).astype("float32") for array in arrays(layer(*as_tensors(values)))]
    own = layer.trainable_weights

    def total(*points):
        rest = iter(points)
        args = mapped(lambda leaf: next(rest) if leaf.dtype == "float32" else ops.convert_to_tensor(leaf), values)
        for weight, value in zip(own, rest, strict=True):
            weight.assign(value)
        return sum(ops.sum(y * f) for y, f in zip(leaves(layer(*args)), factors, strict=True))

    points = [*moving, *(w.numpy() for w in own)]
    gradients = pyml.grad(total, argnums=tuple(range(len(points))))(*as_tensors(points))
    assert_derivative(lambda xs: total(*as_tensors(xs)).numpy(), points, arrays(gradients))


@every(registry.LAYERS)
def test_the_gradient_of_a_layer_is_its_slope(cls, cpu):
    for sample in cls._samples():
        if sample.gradient:
            assert_slope(sample.made, drawn(sample))


def weights(layer):
    """The layer's weights by name; the second `kernel` is `kernel_1`."""
    found: dict[str, np.ndarray] = {}
    for variable in layer.weights:
        again = sum(re.fullmatch(rf"{re.escape(variable.name)}(_\d+)?", name) is not None for name in found)
        found[f"{variable.name}_{again}" if again else variable.name] = variable.numpy().astype("float64")
    return found


def symbolic(sample, values):
    return mapped(lambda leaf: pyml.Input(leaf.shape[1:], dtype=leaf.dtype.name), values)


@every(registry.LAYERS)
def test_the_symbolic_shape_of_a_layer_is_that_of_its_output(cls, cpu):
    for sample in cls._samples():
        values = drawn(sample)
        found = leaves(sample.made(*symbolic(sample, values), **sample.kwargs))
        given = arrays(sample.made(*as_tensors(values), **sample.kwargs))
        assert [tensor.shape for tensor in found] == [(None, *array.shape[1:]) for array in given]
        assert [tensor.dtype for tensor in found] == [array.dtype.name for array in given]


def call_with(layer, kwargs, values):
    """The results for `values`; None where the layer refuses their dtypes."""
    try:
        return leaves(layer(*values, **kwargs))
    except (TypeError, ValueError):
        return None


@every(registry.LAYERS)
def test_the_symbolic_dtype_of_a_layer_is_that_of_its_output(cls, cpu):
    if issubclass(cls, ImageLayer):  # where Keras' differ; keras/test_augmentation.py has the table
        return
    for sample in cls._samples():
        drawn_once = drawn(sample)
        for dtype in ("int32", "uint8", "float16"):
            values = mapped(lambda leaf, dtype=dtype: np.abs(leaf).astype(dtype) if leaf.dtype.kind == "f" else leaf, drawn_once)
            given = call_with(sample.made, sample.kwargs, as_tensors(values))
            found = call_with(sample.made, sample.kwargs, symbolic(sample, values))
            if given is None or found is None:  # of STFTSpectrogram, as in Keras, only the call looks at dtypes
                assert given is found or cls.__name__ == "STFTSpectrogram", dtype
            else:
                assert [tensor.dtype for tensor in found] == [tensor.dtype for tensor in given], dtype


@every(registry.LAYERS)
def test_a_model_with_the_layer_comes_back_from_its_config_and_its_files(cls, cpu, tmp_path):
    folder = tmp_path / cls.__name__
    folder.mkdir()
    for sample in cls._samples():
        values = drawn(sample)
        inputs = symbolic(sample, values)
        model = pyml.Model(inputs, sample.made(*inputs, **sample.kwargs))
        want = model(values)
        again = pyml.models.model_from_json(model.to_json())
        model.save_weights(folder / "weights.npz")
        again.load_weights(folder / "weights.npz")
        assert_close(again(values), want, 1e-6)
        try:
            model.save(folder / "model")
        except ValueError as error:                            # what TensorFlow.js has not is refused by name
            assert sample.made.name in str(error) or "TensorFlow.js" in str(error)
        else:
            assert_close(pyml.saving.load_model(folder / "model")(values), want, 1e-6)


# ---- losses and metrics
@every(registry.LOSSES)
def test_a_loss_gives_what_numpy_gives(cls, device):
    for sample in cls._samples():
        values = drawn(sample)
        found = sample.made(*values)
        assert np.isfinite(found.numpy()).all()
        if sample.like is not None:
            assert_close(found, sample.like(*in_float64(values)), 1e-4)


@every(registry.LOSSES)
def test_the_gradient_of_a_loss_is_its_slope(cls, cpu):
    for sample in cls._samples():
        y_true, y_pred = drawn(sample)
        loss = lambda p, sample=sample, y=y_true: sample.made(y, p)
        gradient = pyml.grad(loss)(ops.convert_to_tensor(y_pred)).numpy()
        assert_derivative(lambda xs, loss=loss: loss(ops.convert_to_tensor(xs[0])).numpy(), [y_pred], [gradient])


@every(registry.METRICS)
def test_a_metric_gathers_over_batches_what_numpy_gives_for_all(cls, device):
    for sample in cls._samples():
        values = drawn(sample)
        metric = sample.made
        for rows in (slice(0, 4), slice(4, 6)):
            metric.update_state(*(value[rows] for value in values))
        assert_close(metric.result(), sample.like(*in_float64(values)), 1e-4)
        metric.reset_state()
        metric.update_state(*values)
        assert_close(metric.result(), sample.like(*in_float64(values)), 1e-4)


# ---- optimizers and schedules
@every(registry.OPTIMIZERS)
def test_an_optimizer_moves_a_weight_by_its_formula(cls, device):
    rng = np.random.default_rng(5)
    start, gradients = rng.standard_normal(4), rng.standard_normal((4, 4))
    for sample in cls._samples():
        variable = pyml.Variable(start.astype("float32"), name="w")
        state = (start,)
        for t, gradient in enumerate(gradients, 1):
            sample.made.apply([ops.convert_to_tensor(gradient.astype("float32"))], [variable])
            if sample.like is not None:
                state = sample.like(state[0], gradient, t, *state[1:])
                assert_close(variable, state[0], 1e-4)
        assert not np.allclose(variable.numpy(), start)


@every(registry.OPTIMIZERS)
def test_an_optimizer_goes_on_from_its_saved_state(cls, cpu):
    for sample in cls._samples():
        pair = []
        for optimizer in (sample.made, cls.from_config(sample.made.get_config())):
            variable = pyml.Variable(np.ones(3, "float32"), name="w")
            optimizer.apply([ops.convert_to_tensor(np.array([0.5, -1.0, 2.0], "float32"))], [variable])
            pair.append((optimizer, variable))
        (first, w), (second, v) = pair
        first.apply([ops.convert_to_tensor(np.ones(3, "float32"))], [w])
        store: dict = {}
        first.save_own_variables(store)
        second.load_own_variables(store)
        v.assign(w)
        for optimizer, variable in pair:
            optimizer.apply([ops.convert_to_tensor(np.full(3, 2.0, "float32"))], [variable])
        np.testing.assert_array_equal(w.numpy(), v.numpy())


@every(registry.SCHEDULES)
def test_a_schedule_gives_the_rate_of_its_formula(cls, device):
    for sample in cls._samples():
        rates = [float(sample.made(ops.convert_to_tensor(step, dtype="int32")).numpy()) for step in (0, 1, 5, 6, 15, 16, 30)]
        assert np.isfinite(rates).all()
        if sample.like is not None:
            np.testing.assert_allclose(rates, [sample.like(step) for step in (0, 1, 5, 6, 15, 16, 30)], rtol=1e-5, atol=1e-7)


# ---- what belongs to weights
@every(registry.INITIALIZERS)
def test_an_initializer_gives_the_same_values_from_the_same_config(cls, cpu):
    for sample in cls._samples():
        shape = sample.args[0] if sample.args else (3, 3)
        found = sample.made(shape, dtype="float32").numpy()
        assert (found.shape, found.dtype) == (shape, np.float32)
        np.testing.assert_array_equal(cls.from_config(sample.made.get_config())(shape).numpy(), found)
        if sample.like is not None:
            np.testing.assert_allclose(found, sample.like(shape), rtol=1e-6, atol=1e-6 if sample.args else 0)
        else:
            assert len(np.unique(found)) == 9


@every(registry.REGULARIZERS, registry.CONSTRAINTS)
def test_what_a_weight_is_held_to_is_what_numpy_gives(cls, device):
    for sample in cls._samples():
        values = drawn(sample)
        assert_close(sample.made(*as_tensors(values)), sample.like(*in_float64(values)), 1e-4)
