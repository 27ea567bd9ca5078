"""`pyml.array_api.fft` beside numpy: every transform, lengths, axes and norms."""

import numpy as np
import pytest

from pyml import array_api as xp
from pyml.core.complex_tensor import ComplexTensor
from pyml.errors import DtypeError, ShapeError

pytestmark = pytest.mark.in_turn(4)

X = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
Z = X + 1j * np.random.default_rng(1).normal(size=X.shape).astype(np.float32)


def both(name, x, **kwargs):
    found = getattr(xp.fft, name)(xp.asarray(x), **kwargs)
    expected = getattr(np.fft, name)(x, **kwargs)
    assert found.shape == expected.shape and isinstance(found, ComplexTensor) == np.iscomplexobj(expected)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize(("name", "x"), [("fft", Z), ("fft", X), ("ifft", Z), ("rfft", X), ("irfft", Z), ("hfft", Z), ("ihfft", X)])
def test_transforms_along_an_axis(name, x, norm, device):
    both(name, x, norm=norm)
    for n, axis in ((4, 1), (8, -2), (None, 0)):
        both(name, x, norm=norm, n=n, axis=axis)


@pytest.mark.parametrize(("name", "x"), [("fftn", Z), ("fftn", X), ("ifftn", Z), ("rfftn", X), ("irfftn", Z)])
def test_transforms_along_several_axes(name, x, device):
    both(name, x)
    both(name, x, axes=(2, 0), norm="ortho")
    both(name, x, s=(4, 7), axes=(0, 1), norm="forward")


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("x", [X, Z, X[:0]], ids=["real", "complex", "empty"])
def test_shifts(name, x):
    both(name, x)
    both(name, x, axes=(1,))
    both(name, x, axes=-1)


@pytest.mark.parametrize("n", [1, 6, 7])
def test_frequencies(n):
    np.testing.assert_allclose(xp.fft.fftfreq(n, d=0.5).numpy(), np.fft.fftfreq(n, 0.5), rtol=1e-6)
    np.testing.assert_allclose(xp.fft.rfftfreq(n, d=0.5).numpy(), np.fft.rfftfreq(n, 0.5), rtol=1e-6)
    assert xp.fft.fftfreq(n).dtype == "float32"


def test_a_transform_and_its_inverse_give_back_what_was_given(device):
    t = xp.asarray(X)
    np.testing.assert_allclose(xp.fft.irfftn(xp.fft.rfftn(t)).numpy(), X, atol=1e-5)
    np.testing.assert_allclose(xp.real(xp.fft.ifft(xp.fft.fft(t))).numpy(), X, atol=1e-5)


def test_a_transform_that_cannot_be_is_named():
    with pytest.raises(ValueError, match="norm must be"):
        xp.fft.fft(xp.ones(3), norm="half")
    with pytest.raises(ShapeError, match="fft: axis 2 is out of range"):
        xp.fft.fft(xp.ones(3), axis=2)
    with pytest.raises(ShapeError, match="one number at least"):
        xp.fft.fft(xp.ones(3), n=0)
    with pytest.raises(DtypeError, match="rfft: expected an array of real numbers"):
        xp.fft.rfft(xp.asarray([1.0 + 2.0j]))
    with pytest.raises(ShapeError, match="s and axes"):
        xp.fft.fftn(xp.ones((2, 3)), s=(2,), axes=(0, 1))
