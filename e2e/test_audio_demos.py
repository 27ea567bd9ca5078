"""The demos that hear: the microphone is Chromium's fake one, which plays a file made here."""

import re
import wave
from itertools import pairwise

import numpy as np
import pytest

from pyml import paths
from pyml.cli import browser as browsers

from .conftest import started
from .demo_page import opened

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


WORDS = ("left", "right", "stop")
SECONDS = np.arange(int(0.5 * RATE)) / RATE


def spoken(word, pick):
    """Half a second of something like a voice: it rises, falls, or says two short things."""
    pitch = pick.uniform(110, 150)
    glide = {"left": 1 + SECONDS, "right": 1.5 - SECONDS, "stop": np.full(len(SECONDS), 1.2)}[word]
    phase = 2 * np.pi * np.cumsum(pitch * glide) / RATE
    bright = {"left": 700, "right": 1800, "stop": 1100}[word]
    sound = sum(np.exp(-(((k * pitch - bright) / 500) ** 2)) * np.sin(k * phase) for k in range(1, 25))
    swell = np.abs(np.sin(2 * np.pi * SECONDS / 0.5)) if word == "stop" else np.sin(np.pi * SECONDS / 0.5)
    return 0.5 * swell * sound / np.abs(sound).max() + 0.001 * pick.standard_normal(len(SECONDS))


def sentence(words, pick, pause=1.1):
    """Words with pauses after them."""
    quiet = lambda: 0.001 * pick.standard_normal(int(pause * RATE))
    return np.concatenate([part for word in words for part in (spoken(word, pick), quiet())])


@pytest.fixture(scope="module")
def hearing(request, driver, tmp_path_factory):
    """A Chromium whose microphone hears 1 kHz, or the words one after the other."""
    sound = {"tone": lambda: tone(1000, 10), "words": lambda: sentence(WORDS, np.random.default_rng(9))}[request.param]()
    path = write_wav(tmp_path_factory.mktemp("sound") / "sound.wav", sound)
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={path}")
    yield from started(driver, (*browsers.FLAGS, *flags))


hears_a_tone = pytest.mark.parametrize("hearing", ["tone"], indirect=True)
hears_words = pytest.mark.parametrize("hearing", ["words"], indirect=True)


@pytest.fixture(scope="module")
def spectrogram_page(hearing, site):
    page = opened(hearing, f"{site}/demos/spectrogram/index.html", "() => pymlDemo.done")
    assert page.evaluate("() => pymlDemo.error") is None
    yield page
    page.context.close()
    assert not page.problems


@pytest.fixture
def spectrogram(spectrogram_page):
    """The page of the spectrogram, which hears nothing and has counted nothing."""
    yield spectrogram_page
    if spectrogram_page.is_enabled("#stop"):
        spectrogram_page.click("#stop")
    spectrogram_page.evaluate("() => { pymlDemo.columns = 0; delete navigator.mediaDevices.getUserMedia; }")


@hears_a_tone
@pytest.mark.quick
def test_a_tone_of_1_kHz_in_the_microphone_peaks_there(spectrogram):
    page = spectrogram
    page.click("#microphone")
    page.wait_for_function("() => pymlDemo.columns > 100")
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


@hears_a_tone
def test_without_a_microphone_a_file_is_heard(spectrogram, tmp_path):
    page = spectrogram
    page.select_option("#window", "2048")
    page.set_input_files("#file", write_wav(tmp_path / "a.wav", tone(440, 5, 22050), 22050))
    page.wait_for_function("() => pymlDemo.columns > 40")
    assert page.evaluate("() => pymlDemo.frequency") == pytest.approx(440, abs=3)
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('The end.')")


@hears_a_tone
def test_a_file_without_sound_and_a_forbidden_microphone_are_explained(spectrogram, tmp_path):
    page = spectrogram
    (tmp_path / "no.wav").write_text("this is not a sound")
    page.set_input_files("#file", tmp_path / "no.wav")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.includes('not a sound that this browser reads')")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }; }")
    page.click("#microphone")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.includes('microphone was not allowed')")
    assert page.is_disabled("#stop")


@pytest.mark.parametrize(("demo", "where", "says"), [
    ("speech", "#words input[type=file] >> nth=0", "Nothing was heard there"),
    ("spectrogram", "#file", "no.wav is not a sound that this browser reads"),
])  # fmt: skip
def test_a_file_that_comes_before_python_is_taken_once_that_is_there(page, site, tmp_path, demo, where, says):
    (tmp_path / "no.wav").write_text("this is not a sound")
    file = tmp_path / "no.wav" if demo == "spectrogram" else write_wav(tmp_path / "silent.wav", np.zeros(RATE))
    page.goto(f"{site}/demos/{demo}/index.html?backend=cpu&features=spectra", wait_until="commit")
    page.locator(where).wait_for(state="attached")
    page.set_input_files(where, file)
    page.wait_for_function("says => document.querySelector('#source-note').textContent.includes(says)", arg=says)


@pytest.fixture(scope="module")
def speech_page(hearing, site):
    page = opened(hearing, f"{site}/demos/speech/index.html?features=spectra", "() => pymlDemo.ready || pymlDemo.error")
    assert page.evaluate("() => pymlDemo.error") is None
    yield page
    page.context.close()
    assert not page.problems


@pytest.fixture
def speech(speech_page):
    """The page of words, which hears nothing and has no examples."""
    yield speech_page
    if speech_page.text_content("#microphone") == "Stop listening":
        speech_page.click("#microphone")
    for word in list(speech_page.evaluate("() => pymlDemo.counts")):
        row = speech_page.locator("#words li").nth(WORDS.index(word))
        row.locator(".forget").click()
        row.get_by_text("0 examples").wait_for()


@hears_words
@pytest.mark.quick
def test_a_silent_file_is_no_example(speech, tmp_path):
    page = speech
    page.locator("#words input[type=file]").first.set_input_files(write_wav(tmp_path / "silent.wav", np.zeros(RATE)))
    page.wait_for_function("() => document.querySelector('#source-note').textContent.includes('Nothing was heard there')")
    assert page.evaluate("() => pymlDemo.counts.left") is None


@hears_words
def test_a_microphone_of_another_sample_rate_is_explained_and_released(speech):
    speech.evaluate("""() => {
      window.Real = AudioContext;
      window.AudioContext = class extends Real { get sampleRate() { return 44100; } };
      const devices = navigator.mediaDevices, real = devices.getUserMedia.bind(devices);
      devices.getUserMedia = async (wish) => (window.stream = await real(wish));
    }""")
    speech.click("#microphone")
    speech.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('This browser hears at 44100 samples')")
    speech.evaluate("() => { window.AudioContext = Real; delete navigator.mediaDevices.getUserMedia; }")
    assert speech.evaluate("() => stream.getTracks().map((track) => track.readyState)") == ["ended"]
    assert speech.text_content("#microphone") == "Start the microphone"


@hears_words
def test_record_takes_each_spoken_word_as_an_example(speech):
    page = speech
    page.get_by_role("button", name="Record left").press("Enter")
    page.wait_for_function("() => pymlDemo.counts.left >= 2")
    assert page.get_by_role("button", name="Record left").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Record right").press("Enter")
    page.wait_for_function("() => pymlDemo.counts.right >= 1")
    page.get_by_role("button", name="Record right").press("Enter")
    assert page.text_content("#source-note").startswith("“right”: ")  # no longer what to say
    assert page.locator("#words li").first.locator(".clips canvas").count() >= 2
    page.evaluate("() => { pymlDemo.done = false; }")
    page.click("#train")
    page.wait_for_function("() => pymlDemo.done")
    assert "too few examples" in page.text_content("#problem")


@hears_words
def test_words_from_files_are_learned_and_recognised_in_the_microphone(speech, tmp_path):
    page, pick = speech, np.random.default_rng(4)
    for i, word in enumerate(WORDS):
        files = [write_wav(tmp_path / f"{word}{k}.wav", sentence([word], pick, 0.4)) for k in range(5)]
        page.locator("#words input[type=file]").nth(i).set_input_files(files)
        page.wait_for_function(f"() => pymlDemo.counts.{word} === 5")
    page.evaluate("() => { pymlDemo.done = false; }")
    page.click("#train")
    page.wait_for_function("() => pymlDemo.done")
    assert page.evaluate("() => [pymlDemo.error, pymlDemo.accuracy]") == [None, 1]
    page.click("#microphone")
    page.wait_for_function("() => pymlDemo.heard.length >= 9")
    heard = page.evaluate("() => pymlDemo.heard")
    after = dict(zip(WORDS, (*WORDS[1:], WORDS[0]), strict=True))
    assert sum(after.get(a) == b for a, b in pairwise(heard)) >= len(heard) - 3
    assert re.match(r"Heard so far: .*(left|right|stop)", page.evaluate("() => document.querySelector('#heard').value"))
    page.screenshot(path=str(paths.build_dir() / "demo-speech.png"), full_page=True)


@hears_words
def test_recorded_words_are_there_after_a_reload_until_the_user_starts_over(speech, tmp_path):
    page, pick = speech, np.random.default_rng(5)
    counts = lambda: page.locator("#words .count").all_text_contents()
    assert page.is_hidden("#over")
    for i, many in enumerate((3, 4)):
        files = [write_wav(tmp_path / f"{i} {k}.wav", sentence([WORDS[i]], pick, 0.4)) for k in range(many)]
        page.locator("#words input[type=file]").nth(i).set_input_files(files)
        page.wait_for_function(f"() => pymlDemo.counts.{WORDS[i]} === {many}")
    page.locator("#words input[type=text]").nth(2).fill("go")
    page.locator("#words input[type=text]").nth(2).press("Enter")
    page.reload()
    page.wait_for_function("() => window.pymlDemo?.ready")
    assert "of your last visit are back" in page.text_content("#kept-note")
    assert counts() == ["3 examples", "4 examples", "0 examples"]
    assert page.locator("#words input[type=text]").nth(2).input_value() == "go"
    page.click("#train")  # they are learned from, as those of this visit
    page.wait_for_function("() => pymlDemo.done")
    assert page.evaluate("() => pymlDemo.error") is None
    page.locator("#words .forget").nth(1).click()  # what is forgotten stays away
    page.get_by_text("0 examples").nth(1).wait_for()
    page.reload()
    page.wait_for_function("() => window.pymlDemo?.ready")
    assert counts() == ["3 examples", "0 examples", "0 examples"]
    page.click("#over")
    page.wait_for_function("() => window.pymlDemo?.ready && document.querySelector('#over').hidden")
    assert counts() == ["0 examples"] * 3
