"""`ops.stft` against numpy's transform of the same windows."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import ShapeError


def expected(x, length, stride, fft_length, weights, center):
    if center:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(fft_length // 2,) * 2], mode="reflect")
    before = (fft_length - length) // 2
    weights = np.pad(weights, (before, fft_length - length - before))
    windows = np.lib.stride_tricks.sliding_window_view(x, fft_length, axis=-1)[..., ::stride, :]
    return np.fft.rfft(windows * weights)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("shape, length, stride, fft_length", [((200,), 32, 8, 32), ((2, 3, 90), 20, 7, 33), ((1, 64), 64, 64, 64)])
def test_spectra_equal_numpys(device, shape, length, stride, fft_length, center):
    x = np.random.default_rng(2).standard_normal(shape).astype("float32")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    for window, weights in (("hann", hann), (None, np.ones(length)), (hann**2, hann**2)):
        real, imag = ops.stft(x, length, stride, fft_length, window, center)
        theirs = expected(x, length, stride, fft_length, weights, center)
        assert real.shape == imag.shape == theirs.shape
        np.testing.assert_allclose(real.numpy(), theirs.real, atol=2e-4)
        np.testing.assert_allclose(imag.numpy(), theirs.imag, atol=2e-4)


def test_the_power_of_a_spectrum_differentiates():
    x = pyml.Variable(np.random.default_rng(3).standard_normal(40).astype("float32"))

    def power(values):
        real, imag = ops.stft(values, 8, 8, 8, window=None, center=False)
        return ops.sum(real[..., 1:4] ** 2 + imag[..., 1:4] ** 2)

    _, grad = pyml.value_and_grad(power)(x)
    some = x.numpy()
    for i in (0, 13, 39):
        step = np.eye(40, dtype="float32")[i] * 1e-2
        slope = (power(some + step).numpy() - power(some - step).numpy()) / 2e-2
        assert np.asarray(grad)[i] == pytest.approx(slope, rel=1e-2)


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda x: ops.stft(x, 0, 4, 8), ValueError, "sequence_length must be a positive integer. Received: sequence_length=0"),
        (lambda x: ops.stft(x, 8, 2.5, 8), ValueError, "sequence_stride=2.5"),
        (lambda x: ops.stft(x, 8, 4, 4), ValueError, "fft_length must be at least sequence_length=8. Received: fft_length=4"),
        (lambda x: ops.stft(x, 8, 4, 8, window="kaiser"), ValueError, "Received: window='kaiser'"),
        (lambda x: ops.stft(x, 8, 4, 8, window=np.ones(7)), ShapeError, "sequence_length=8 weights. Received the shape (7,)"),
        (lambda x: ops.stft(x[:3], 8, 4, 8), ShapeError, "a signal of 3 samples is too short for windows of 8"),
        (lambda x: ops.stft(x, 32, 4, 32, center=False), ShapeError, "a signal of 20 samples is too short for windows of 32"),
        (lambda x: ops.stft(1.0, 8, 4, 8), ShapeError, "Received a scalar"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(wrong, error, message):
    with pytest.raises(error) as caught:
        wrong(np.ones(20, "float32"))
    assert message in str(caught.value)
