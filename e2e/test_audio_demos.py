"""The demos that hear: the microphone is Chromium's fake one, which plays a file made here."""

import re
import wave

import numpy as np
import pytest

from pyml.cli import browser as browsers
from pyml.cli import paths

from .conftest import started

RATE = 48000


def write_wav(path, samples, rate=RATE):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def tone(frequency, seconds, rate=RATE):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


@pytest.fixture(scope="module")
def hearing(driver, tmp_path_factory):
    """A Chromium whose microphone hears 1 kHz."""
    sound = write_wav(tmp_path_factory.mktemp("sound") / "tone.wav", tone(1000, 10))
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={sound}")
    yield from started(driver, (*browsers.FLAGS, *flags))


@pytest.fixture
def spectrogram(new_page, hearing, site):
    page = new_page(browser=hearing)
    page.goto(f"{site}/demos/spectrogram/index.html")
    page.wait_for_function("() => pymlDemo.done", timeout=120_000)
    assert page.evaluate("() => pymlDemo.error") is None
    return page


def test_a_tone_of_1_kHz_in_the_microphone_peaks_there(spectrogram):
    page = spectrogram
    page.click("#microphone")
    page.wait_for_function("() => pymlDemo.columns > 300", timeout=60_000)
    assert page.evaluate("() => pymlDemo.frequency") == pytest.approx(1000, abs=5)
    assert re.match(r"1000 Hz · B5 \+2\d cents · -20 dB", page.evaluate("() => tone.value"))
    page.wait_for_function("() => /times a second, \\d+ ms/.test(pace.value)")
    brightest = page.evaluate("""() => {
      const canvas = document.querySelector("#columns");
      const { data } = canvas.getContext("2d").getImageData(canvas.width - 20, 0, 1, canvas.height);
      const light = (row) => data[4 * row] + data[4 * row + 1] + data[4 * row + 2];
      const rows = Array.from({ length: canvas.height }, (_, row) => row);
      return 1 - (rows.reduce((best, row) => (light(row) > light(best) ? row : best)) + 0.5) / canvas.height;
    }""")
    assert brightest * 5000 == pytest.approx(1000, abs=100)
    page.screenshot(path=str(paths.build_dir() / "demo-spectrogram.png"), full_page=True)
    page.focus("#columns")
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    assert "Hz" in page.evaluate("() => document.querySelector('#marker-note').value")
    page.click("#stop")
    assert page.is_disabled("#stop")


def test_without_a_microphone_a_file_is_heard(spectrogram, tmp_path):
    page = spectrogram
    page.select_option("#window", "2048")
    page.set_input_files("#file", write_wav(tmp_path / "a.wav", tone(440, 1.5, 22050), 22050))
    page.wait_for_function("() => pymlDemo.columns > 40", timeout=60_000)
    assert page.evaluate("() => pymlDemo.frequency") == pytest.approx(440, abs=3)
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('The end.')", timeout=30_000)


def test_a_file_without_sound_and_a_forbidden_microphone_are_explained(spectrogram, tmp_path):
    page = spectrogram
    (tmp_path / "no.wav").write_text("this is no sound")
    page.set_input_files("#file", tmp_path / "no.wav")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.includes('no sound that this browser reads')")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }; }")
    page.click("#microphone")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('The microphone may not be used')")
    assert page.is_disabled("#stop")
