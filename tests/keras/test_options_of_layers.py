"""Every layer with each of its options off the default gives what Keras gives, in numbers, gradients, shapes and masks."""

import numpy as np
import option_cases as cases
import pytest
import test_samples as samples
from every import every

import pyml
from pyml.objects import registry

ASKED = {f"{name} {case['option'] or 'as it is'} {i}": case
         for name, those in cases.asked().items() if name != "_made_by" for i, case in enumerate(those)}  # fmt: skip


def close(found, wanted, tolerance=2e-4):
    """The weighted sums of arrays, within rounding of their norm."""
    assert len(found) == len(wanted)
    for mine, keras in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, keras, rtol=0, atol=tolerance * (1 + keras[-1]))


def fits(known, actual):
    return len(known) == len(actual) and all(k in (None, a) for k, a in zip(known, actual, strict=True))


@every("name", list(ASKED)[::3])
def test_a_layer_with_an_option_is_that_of_keras(cpu, name):
    assert_answers(name)


@pytest.mark.slow
@pytest.mark.in_turn(8)
@every("name", list(ASKED), blocks=8)
def test_a_layer_with_each_option_is_that_of_keras_on_every_device(device, name):
    assert_answers(name)


def assert_answers(name):
    case = ASKED[name]
    found, wanted = cases.answer(pyml, case), case["said"]
    assert sorted(found) == sorted(wanted)
    for key in {"out", "grad", "trained", "after", "masked"} & set(wanted):
        close(found[key], wanted[key])
    for key in {"shape", "dtype", "weights", "mask"} & set(wanted):
        assert found[key] == wanted[key], key
    for mine, keras, actual in zip(found["symbolic"], wanted["symbolic"], wanted["shape"], strict=True):
        assert fits(mine, actual)
        if fits(keras, actual):                                # Keras' own is another one for odd Fourier transforms
            assert fits(keras, mine), "Keras knows a size that pyml does not"


def test_the_cases_are_of_nearly_every_layer():
    """A layer that is added and not asked about shows here: `python tests/goldens/option_cases.py`."""
    left_out = {"Layer", "Wrapper", "InputLayer", "Model", "Functional", "Sequential", "StringLookup", "TextVectorization", "FeatureSpace",
                *cases.RANDOM}  # fmt: skip
    names = {cls.__name__ for cls in samples.classes(registry.LAYERS) if cls.__module__.startswith("pyml.")}
    missing = {name for name in names if not name.startswith("Random")} - left_out - set(cases.CASES)
    assert missing == {"Equalization", "Solarization", "Softmax"}  # judged in augmentation_cases.py and layer_cases.py


@pytest.mark.parametrize("layer", [pyml.layers.DepthwiseConv1D, pyml.layers.DepthwiseConv2D, pyml.layers.SeparableConv1D])
def test_windows_of_each_channel_may_be_dilated_and_strided_as_in_keras(layer, cpu):
    x = np.random.default_rng(0).normal(size=(2, *(9,) * layer.rank, 3)).astype("float32")
    arguments = {"dilation_rate": 2, "kernel_size": 3, **({"filters": 4} if "Separable" in layer.__name__ else {})}
    strided, usual = layer(strides=2, **arguments), layer(**arguments)
    strided.build(x.shape), usual.build(x.shape)
    usual.set_weights(strided.get_weights())
    np.testing.assert_allclose(strided(x), usual(x).numpy()[(slice(None), *(slice(None, None, 2),) * layer.rank)], rtol=1e-5, atol=1e-6)
