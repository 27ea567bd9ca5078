"""Fourier transforms and what signals are cut into: products of small primes, primes, one number, cut and filled lengths."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call


def pair(seed, *shape):
    """Real and imaginary parts; a tuple is one argument of which Keras wants both."""
    return uniform(seed, shape), uniform(seed + 50, shape)


HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / 8).astype("float32")
CASES = {
    "fft_12": call("ops.fft", pair(1, 2, 12), grad=False),
    "fft_64": call("ops.fft", pair(2, 3, 1, 64), grad=False),
    "fft_prime": call("ops.fft", pair(3, 2, 67), grad=False),
    "fft_35": call("ops.fft", pair(4, 35), grad=False),
    "fft_one": call("ops.fft", pair(5, 2, 1), grad=False),
    "fft2": call("ops.fft2", pair(7, 2, 6, 8), grad=False),
    "fft2_prime": call("ops.fft2", pair(8, 3, 19), grad=False),
    "ifft2": call("ops.ifft2", pair(9, 2, 6, 8), grad=False),
    "ifft2_odd": call("ops.ifft2", pair(10, 5, 9), grad=False),
    "rfft": call("ops.rfft", uniform(11, (2, 3, 20))),
    "rfft_odd": call("ops.rfft", uniform(12, (2, 15))),
    "rfft_cut": call("ops.rfft", uniform(13, (2, 15)), fft_length=8),
    "rfft_filled": call("ops.rfft", uniform(14, (2, 5)), 12),
    "rfft_prime_twice": call("ops.rfft", uniform(15, (2, 34))),
    "rfft_int": call("ops.rfft", labels(16, 12, 9).reshape(2, 6), grad=False),
    "rfft_one": call("ops.rfft", uniform(17, (3, 1))),
    "rfft_two": call("ops.rfft", uniform(18, (3, 2))),
    "irfft": call("ops.irfft", pair(19, 2, 11), grad=False),
    "irfft_odd": call("ops.irfft", pair(20, 2, 6), 11, grad=False),
    "irfft_cut": call("ops.irfft", pair(21, 2, 9), 6, grad=False),
    "irfft_filled": call("ops.irfft", pair(22, 3, 3), fft_length=10, grad=False),
    "irfft_one": call("ops.irfft", pair(23, 2, 3), 1, grad=False),
    "extract_sequences": call("ops.extract_sequences", uniform(24, (2, 13)), 5, 3),
    "extract_sequences_apart": call("ops.extract_sequences", uniform(25, (2, 13)), 3, 5),
    "extract_sequences_int": call("ops.extract_sequences", labels(26, 9, 5), 4, 1),
    "stft": call("ops.stft", uniform(27, (2, 50)), 8, 4, 8),
    "stft_odd": call("ops.stft", uniform(28, (40,)), 7, 3, 11, window="hamming"),
    "stft_edges": call("ops.stft", uniform(29, (2, 2, 40)), 8, 8, 16, window=None, center=False),
    "stft_weights": call("ops.stft", uniform(30, (30,)), 8, 4, 8, window=HANN, center=False, grad=False),
    "istft": call("ops.istft", pair(31, 2, 7, 5), 8, 2, 8, grad=False),
    "istft_length": call("ops.istft", pair(32, 7, 5), 8, 3, 8, length=12, grad=False),
    "istft_longer": call("ops.istft", pair(33, 7, 5), 8, 3, 8, length=30, window="hamming", grad=False),
    "istft_edges": call("ops.istft", pair(34, 2, 7, 5), 6, 3, 8, center=False, grad=False),
    "istft_filled": call("ops.istft", pair(35, 2, 2, 7, 5), 6, 3, 8, window="hamming", grad=False),
    "istft_plain": call("ops.istft", pair(36, 7, 5), 6, 6, 8, window=None, length=20, grad=False),
}
