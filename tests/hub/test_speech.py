"""Speech as features: what LiteRT 2.3.0 makes of the published files is what comes out here."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

from pyml.errors import ShapeError

SECONDS = np.arange(16000) / 16000
# A tone that rises from 200 Hz to 2 kHz and swells.
TONE = (8000 * np.sin(2 * np.pi * (200 * SECONDS + 900 * SECONDS**2)) * np.sin(np.pi * SECONDS)).astype("int16")
EXPECTED = np.array([
    [0.42493, 23.46403, -8.75310, -10.68193, 18.85732, 16.63361],
    [2.69899, 22.32680, -2.94854, -11.31070, 20.00861, 17.29120],
    [7.97604, 16.99505, 2.63536, -10.63965, 14.93395, 15.77025],
])


def test_embeddings_are_those_of_the_published_network():
    found = network("speech_embedding").embed(TONE).numpy()
    assert found.shape == (3, 96)
    np.testing.assert_allclose(found[:, :6], EXPECTED, atol=0.1)           # of values up to 52; kernels are of half precision


def test_mel_spectra_are_those_of_the_published_front_end():
    mel = network("speech_embedding").mel(TONE).numpy()
    assert mel.shape == (97, 32)
    np.testing.assert_allclose(mel.mean(), 5.2028203, rtol=1e-4)
    loudest = mel.argmax(1)
    assert loudest[5] < loudest[50] < loudest[90]      # the tone rises


def test_floats_and_16_bit_numbers_sound_alike():
    model = network("speech_embedding")
    np.testing.assert_allclose(model.embed(TONE / np.float32(32767)).numpy(), model.embed(TONE).numpy(), atol=1e-2)


def test_a_later_frame_is_the_first_of_the_sound_that_begins_there():
    model = network("speech_embedding")
    long = np.concatenate([TONE, TONE])
    whole, part = model.embed(long).numpy(), model.embed(long[1280:]).numpy()
    np.testing.assert_allclose(whole[1], part[0], atol=1e-2)


@pytest.mark.parametrize(("audio", "rate", "error", "words"), [
    (np.zeros(12511, "float32"), 16000, ShapeError, "at least 12512 samples"),
    (np.zeros((16000, 2), "float32"), 16000, ShapeError, r"\(samples,\)"),
    (np.zeros(44100, "float32"), 44100, ValueError, "resample"),
    (np.zeros(16000, "uint8"), 16000, TypeError, "uint8"),
])  # fmt: skip
def test_other_sounds_are_refused_in_a_sentence(audio, rate, error, words):
    with pytest.raises(error, match=words):
        network("speech_embedding").embed(audio, rate)
