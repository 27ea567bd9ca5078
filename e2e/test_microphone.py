"""`pyml.data.microphone` in Chromium with a fake microphone that plays a tone made here."""

import wave

import numpy as np
import pytest

from pyml.cli import browser as browsers

from .python_page import PythonPage

RATE = 48000


@pytest.fixture(scope="module")
def chromium(driver, tmp_path_factory):
    """A Chromium whose microphone hears 1 kHz at half of full scale."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    samples = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 10) / RATE) * 2**15).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    flags = (*browsers.FLAGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={path}")
    started = browsers.launch(driver, flags)
    yield started
    started.close()


@pytest.fixture(scope="module", params=["backend=wasm", "backend=wasm&thread=main"])
def python(chromium, site, request):
    context = chromium.new_context(permissions=["microphone"])
    python = PythonPage(context.new_page(), site, request.param)
    python.run("""
        import numpy as np, pyml, js
        from pyml.data import microphone, MediaError
        plain = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
        async def refused(ears):
            try:
                await ears.capture()
            except MediaError as error:
                return [error.kind, str(error)]
        1
    """)
    yield python
    context.close()


def test_a_tone_peaks_in_its_bin(python):
    shapes, rate, bins, loudest, waves = python.run("""
        async with microphone(num_frames_per_spectrogram=8, columns_truncate_to=200, include_waveform=True,
                              audio_track_constraints=plain) as ears:
            await ears.capture()
            found = await ears.capture()
            rate = ears.sample_rate_hz
        spectrogram, sound = found["spectrogram"].numpy(), found["waveform"].numpy()
        spectrum = np.abs(np.fft.rfft(sound[:1024, 0] * np.hanning(1024)))
        peaks = spectrogram[..., 0].argmax(axis=1).tolist()
        [[list(spectrogram.shape), list(sound.shape)], rate, peaks, int(spectrum.argmax()), float(np.abs(sound).max())]
    """.replace(",\n                              audio", ", audio"))
    assert shapes == [[8, 200, 1], [8192, 1]]
    expected = 1000 / (rate / 2048)
    assert all(abs(bin - expected) <= 1 for bin in bins)
    assert abs(loudest - expected / 2) <= 1 and 0.2 < waves <= 1


def test_a_loop_ends_when_it_is_stopped(python):
    assert python.run("""
        ears, heard = microphone(num_frames_per_spectrogram=2), 0
        async for element in ears:
            heard += 1
            if heard == 3:
                ears.stop()
        heard
    """) == 3


def test_a_microphone_that_was_not_allowed_is_named(python):
    python.page.context.clear_permissions()
    python.page.context.grant_permissions(["geolocation"])
    kind, message = python.run("await refused(microphone())")
    python.page.context.grant_permissions(["microphone"])
    assert kind == "denied" and "the use of the microphone was not allowed" in message
