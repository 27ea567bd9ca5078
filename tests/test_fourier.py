"""Fourier transforms beyond the samples of their declarations: long ones, tables in two parts, bad input, empty and symbolic input."""

from math import prod

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.core.tensor import as_node
from pyml.errors import ShapeError
from pyml.graph.op import OPS
from pyml.graph.prims.fft import radices, table
from pyml.graph.prims.fft_text import LARGEST
from pyml.ops import fourier

pytestmark = pytest.mark.in_turn


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def error(got, want):
    """The root of the mean square error, relative to the result's."""
    return np.sqrt(np.mean(np.abs(got - want) ** 2) / np.mean(np.abs(want) ** 2))


def test_one_long_row_of_real_numbers_is_transformed(device):
    x = draw(11, 1 << 18)
    real, imaginary = ops.rfft(x)
    assert error(real.numpy() + 1j * imaginary.numpy(), np.fft.rfft(x.astype("float64"))) < 1e-6


# a product of small primes, two tables of factors, a chirp, and a chirp with two tables
@pytest.mark.parametrize("n", [1024, 3 * 2048, 509, 4099])
def test_long_transforms_are_as_near_to_float64_as_float32_allows(device, n):
    x, y = draw(1, 2, n), draw(2, 2, n)
    z = x.astype("float64") + 1j * y
    real, imaginary = ops.fft((x, y))
    assert error(real.numpy() + 1j * imaginary.numpy(), np.fft.fft(z)) < 6e-7
    real, imaginary = fourier.ifft((x, y))
    assert error(real.numpy() + 1j * imaginary.numpy(), np.fft.ifft(z)) < 6e-7
    real, imaginary = ops.rfft(x)
    assert error(real.numpy() + 1j * imaginary.numpy(), np.fft.rfft(x.astype("float64"))) < 6e-7
    assert error(ops.irfft((real, imaginary), n).numpy(), x) < 1e-6


# what is written out, a product with a matrix where a prime factor is large, and a chirp
@pytest.mark.parametrize("n", [1, 2, 3, 5, 7, 11, 13, 16, 17, 22, 26, 34, 39, 49, 57, 61, 64, 65, 67, 74])
def test_transforms_of_short_rows_are_as_near_to_float64_whatever_their_length(device, n):
    x, y = draw(12, 3, n), draw(13, 3, n)
    z = x.astype("float64") + 1j * y
    for transform, like in ((ops.fft, np.fft.fft), (fourier.ifft, np.fft.ifft)):
        real, imaginary = transform((x, y))
        assert error(real.numpy() + 1j * imaginary.numpy(), like(z)) < 6e-7


@pytest.mark.parametrize("axes", [0, 1, (0, 2), (-3, -2, -1)])
@pytest.mark.parametrize("inverse", [False, True])
def test_any_axis_is_transformed_where_it_is(device, axes, inverse):
    x, y = draw(3, 6, 8, 5), draw(4, 6, 8, 5)
    real, imaginary = fourier.fft_along((x, y), axes, inverse, "fftn")
    z = x.astype("float64") + 1j * y
    several = (axes,) if isinstance(axes, int) else axes
    want = (np.fft.ifftn if inverse else np.fft.fftn)(z, axes=several)
    np.testing.assert_allclose(real.numpy() + 1j * imaginary.numpy(), want, atol=2e-6 * np.abs(want).max())


def test_a_gradient_goes_back_through_a_long_transform(device):
    x, weights = draw(5, 300), (draw(6, 151), draw(7, 151))

    def scalar(x):
        return sum(ops.sum(part * w) for part, w in zip(ops.rfft(x), weights, strict=True))

    angles = np.outer(np.arange(300), np.arange(151)) * (2 * np.pi / 300)
    want = np.cos(angles) @ weights[0] - np.sin(angles) @ weights[1]
    np.testing.assert_allclose(pyml.grad(scalar)(x).numpy(), want, atol=1e-4)


def test_a_transform_of_rows_takes_a_dispatch_a_radix(device):
    x, y = draw(8, 16, 512), draw(9, 16, 512)

    @pyml.program
    def transformed(x, y):
        return ops.fft((x, y))

    transformed(x, y)
    passes = [kernel for kernel in transformed.last_plan.kernels if "fft" in kernel.group.label()]
    assert len(passes) == (1 if device.profile.on_host else 3)


def test_no_rows_give_no_rows(device):
    none = np.zeros((0, 6), "float32")
    assert [part.shape for part in ops.fft((none, none))] == [(0, 6), (0, 6)]
    assert [part.shape for part in ops.rfft(none)] == [(0, 4), (0, 4)]
    assert ops.irfft((none, none)).shape == (0, 10)
    assert ops.extract_sequences(none, 3, 2).shape == (0, 2, 3)
    assert [part.shape for part in ops.stft(np.zeros((0, 20), "float32"), 8, 4, 8)] == [(0, 6, 5)] * 2


def test_symbolic_signals_keep_an_unknown_batch():
    x = pyml.Input((32,))
    real, imaginary = ops.rfft(x)
    assert real.shape == imaginary.shape == (None, 17)
    assert [part.shape for part in ops.fft((x, x))] == [(None, 32)] * 2
    assert ops.irfft((real, imaginary)).shape == (None, 32)
    spectra = ops.stft(x, 8, 4, 8)
    assert [part.shape for part in spectra] == [(None, 9, 5)] * 2
    back = ops.istft(spectra, 8, 4, 8)
    assert back.shape == (None, 32)
    assert ops.extract_sequences(x, 8, 4).shape == (None, 7, 8)
    signal = draw(10, 3, 32)
    np.testing.assert_allclose(pyml.Model(x, back)(signal).numpy(), signal, atol=1e-5)


PAIR = (np.ones((2, 8), "float32"), np.ones((2, 8), "float32"))


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: ops.fft(np.ones(8, "float32")), ValueError, "fft: x must be a tuple of two tensors"),
    (lambda: ops.fft((PAIR[0], PAIR[1][:1])), ValueError, "must have the same shape. Received: (2, 8) and (1, 8)"),
    (lambda: ops.fft((PAIR[0], PAIR[1].astype("int32"))), ValueError, "must be floats; cast them. Received: float32 and int32"),
    (lambda: ops.fft((np.zeros((2, 0), "float32"),) * 2), ShapeError, "no numbers to transform"),
    (lambda: ops.fft2((np.ones(8, "float32"),) * 2), ValueError, "fft2: the parts of x need two axes"),
    (lambda: ops.rfft(1.0), ShapeError, "rfft: expected (..., n). Received a scalar"),
    (lambda: ops.rfft(PAIR[0], 0), ShapeError, "fft_length must be an integer of at least 1. Received: fft_length=0"),
    (lambda: ops.irfft((np.ones((2, 1), "float32"),) * 2), ShapeError, "no numbers to transform"),
    (lambda: ops.extract_sequences(PAIR[0], 9, 1), ShapeError, "sequences of 9 do not fit the last axis of (2, 8)"),
    (lambda: ops.extract_sequences(PAIR[0], 2, 0), ShapeError, "sequence_stride must be an integer of at least 1"),
    (lambda: ops.stft(np.ones(20, "int32"), 8, 4, 8), TypeError, "stft: x must hold floats; cast it. Received: int32"),
    (lambda: ops.istft((np.ones(5, "float32"),) * 2, 8, 4, 8), ValueError, "expected parts (..., windows, terms)"),
    (lambda: ops.istft((np.ones((3, 5), "float32"),) * 2, 8, 9, 8), ValueError, "sequence_stride must be at most fft_length=8"),
    (lambda: ops.istft((np.ones((3, 5), "float32"),) * 2, 8, 8, 8), ValueError, "samples to which no window gives weight"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(wrong, kind, message):
    with pytest.raises(kind) as caught:
        wrong()
    assert message in str(caught.value)


def test_radices_multiply_to_the_length_and_none_is_given_for_a_large_prime():
    for n in range(1, 1200):
        found, large = radices(n), any(n % p == 0 for p in range(LARGEST + 1, n + 1) if all(p % q for q in range(2, LARGEST + 1)))
        assert (found == ()) == large and (large or prod(found) == n), n
        assert max(found, default=1) <= 16 and sum(r in (2, 3) for r in found) <= 2, (n, found)  # as few passes as there can be


def test_the_table_of_another_length_is_refused():
    with pytest.raises(ShapeError, match="a transform of 8 numbers has no table"):
        OPS["fft"](as_node(draw(1, 2, 3, 8, 1)), as_node(table(34)), inverse=False, form="planar")
