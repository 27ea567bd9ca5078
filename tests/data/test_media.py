"""`pyml.data.webcam` and `microphone` on the desktop: files, resizing, spectra; e2e/ has the browser's half."""

import asyncio
import itertools
import sys
import types
import wave

import numpy as np
import pytest

import pyml
from pyml.data import MediaError, microphone, webcam
from pyml.data.camera_frames import resizing

RATE = 44100
FRAMES = [np.random.default_rng(i).integers(0, 256, (6, 8, 3), dtype="uint8") for i in range(3)]


class Capture:
    """What `webcam` uses of cv2.VideoCapture: three frames, blue first."""

    released = 0

    def __init__(self, source):
        self.source, self.left = source, iter(FRAMES)

    def isOpened(self):
        return self.source in ("film.mp4", 0)

    def set(self, name, value):
        return True

    def read(self):
        frame = next(self.left, None)
        return frame is not None, None if frame is None else frame[..., ::-1]

    def release(self):
        type(self).released += 1


@pytest.fixture
def cv2(monkeypatch):
    module = types.SimpleNamespace(VideoCapture=Capture, CAP_PROP_FRAME_WIDTH=3, CAP_PROP_FRAME_HEIGHT=4, CAP_PROP_FPS=5)
    monkeypatch.setitem(sys.modules, "cv2", module)
    Capture.released = 0
    return Capture


async def collected(things):
    return [thing async for thing in things]


def test_a_video_file_gives_its_frames_and_ends(cv2, device):
    frames = asyncio.run(collected(webcam("film.mp4")))
    np.testing.assert_array_equal([f.numpy() for f in frames], FRAMES)
    assert cv2.released == 1


def test_imageio_is_used_where_there_is_no_opencv(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    v3 = types.SimpleNamespace(imiter=lambda source: (f for f in FRAMES if source == "film.mp4"))
    monkeypatch.setitem(sys.modules, "imageio", types.SimpleNamespace(v3=v3))
    monkeypatch.setitem(sys.modules, "imageio.v3", v3)
    assert len(asyncio.run(collected(webcam("film.mp4")))) == 3
    monkeypatch.setitem(sys.modules, "imageio.v3", None)
    with pytest.raises(ImportError, match="pip install opencv-python"):
        asyncio.run(collected(webcam("film.mp4")))


def test_cameras_are_released_however_they_are_left(cv2):
    async def use():
        async with webcam() as camera:
            await camera.capture()
        assert cv2.released == 1
        camera = await webcam()
        await camera.capture()
        del camera
        assert cv2.released == 2

    asyncio.run(use())


def test_a_camera_that_goes_away_is_named(cv2):
    async def use():
        camera = webcam()
        for _ in FRAMES:
            await camera.capture()
        await camera.capture()

    with pytest.raises(MediaError, match="The camera was unplugged") as caught:
        asyncio.run(use())
    assert caught.value.kind == "unplugged" and cv2.released == 1
    with pytest.raises(MediaError, match="There is no camera") as caught:
        asyncio.run(webcam(3).start())
    assert caught.value.kind == "missing"


@pytest.mark.parametrize("size", [(3, 4), (12, 5), (1, 1), (6, 8)])
def test_frames_are_resized_bilinearly(size, device):
    ramp = np.stack(np.meshgrid(np.arange(8.0), np.arange(6.0), np.arange(3.0), indexing="xy"), -1)[..., 0, :]
    resized = resizing((6, 8, 3), size, False)(ramp.astype("int32")).numpy()
    ys = np.linspace(0, 5, size[0]) if size[0] > 1 else [2.5]
    xs = np.linspace(0, 7, size[1]) if size[1] > 1 else [3.5]
    np.testing.assert_allclose(resized[..., 0], np.tile(xs, (size[0], 1)), atol=1e-5)
    np.testing.assert_allclose(resized[..., 1], np.tile(ys, (size[1], 1)).T, atol=1e-5)


def test_cropping_keeps_the_middle_in_shape():
    ramp = np.tile(np.arange(8)[None, :, None], (4, 1, 1)).astype("int32")
    square = resizing((4, 8, 1), (4, 4), True)(ramp).numpy()
    np.testing.assert_allclose(square[0, :, 0], np.linspace(1.75, 5.25, 4), rtol=1e-6)


def test_webcam_frames_have_the_size_asked_for(cv2):
    (first, *_), *_ = [asyncio.run(collected(webcam("film.mp4", resize_width=4, resize_height=2)))]
    assert first.shape == (2, 4, 3) and first.dtype == "float32"


# ---- sound
@pytest.fixture
def tone(tmp_path):
    """Half a second of 1 kHz and its samples."""
    samples = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 2) / RATE) * 2**15).astype("<i2")
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path, samples / np.float32(2**15)


def test_a_tone_peaks_in_its_bin_at_its_level(tone, device):
    ears = microphone(tone[0], num_frames_per_spectrogram=5, fft_size=1024)
    elements = asyncio.run(collected(ears))
    assert len(elements) == (RATE // 2 // 1024 - 1) // 5 and ears.sample_rate_hz == RATE
    spectrogram = elements[0]["spectrogram"].numpy()
    assert spectrogram.shape == (5, 1024, 1)
    assert set(spectrogram[..., 0].argmax(axis=1)) == {round(1000 / (RATE / 2048))}
    # half of full scale, halved by the transform of a real wave, times the window's mean of 0.42
    np.testing.assert_allclose(spectrogram.max(), 20 * np.log10(0.25 * 0.42), atol=1.0)


def test_waveforms_are_the_samples_in_a_row(tone):
    ears = microphone(tone[0], num_frames_per_spectrogram=4, fft_size=256, include_spectrogram=False, include_waveform=True)
    first, second, *_ = asyncio.run(collected(ears))
    assert list(first) == ["waveform"] and first["waveform"].shape == (1024, 1)
    joined = np.concatenate([first["waveform"].numpy(), second["waveform"].numpy()])[:, 0]
    np.testing.assert_array_equal(joined, tone[1][256 : 256 + 2048])


@pytest.mark.parametrize(("dtype", "scale", "shift"), [("u1", 128, 128), ("<i2", 2**15, 0), ("<i4", 2**31, 0)])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_of_each_width_are_the_same_waves_and_channels_their_mean(tmp_path, dtype, scale, shift, channels):
    wave_of = 0.5 * np.sin(np.arange(4000) / 9)[:, None] * np.array([1.5, 0.5][:channels] if channels > 1 else [1.0])
    samples = np.rint(wave_of * scale + shift).astype(dtype)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, samples.itemsize, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    ears = microphone(tmp_path / "a.wav", num_frames_per_spectrogram=4, fft_size=256, include_spectrogram=False, include_waveform=True)
    first, *_ = asyncio.run(collected(ears))
    expected = ((samples.astype(float) - shift) / scale).mean(axis=1)[256 : 256 + 1024]
    np.testing.assert_allclose(first["waveform"].numpy()[:, 0], expected, atol=1e-7)
    np.testing.assert_allclose(expected, 0.5 * np.sin(np.arange(256, 1280) / 9), atol=1.01 / 128)


def test_a_spectrum_is_that_of_a_blackman_window_smoothed_over_time():
    from pyml.data.analyser import Analyser

    analyser, last = Analyser(64, 0.75), 0
    for sound in np.random.default_rng(2).normal(size=(3, 64)):
        last = 0.75 * last + 0.25 * np.abs(np.fft.rfft(sound * np.blackman(65)[:-1]))[:32] / 64
        np.testing.assert_allclose(analyser.decibels(sound), 20 * np.log10(last), rtol=1e-5)
    assert np.isneginf(Analyser(64, 0.0).decibels(np.zeros(64))).all()


def test_a_picture_is_resized_by_straight_lines_between_its_rows():
    from pyml.data.camera_frames import _weights

    for size, wanted, share in itertools.product((1, 2, 5, 8), (1, 2, 5, 9), (1.0, 0.5)):
        weights = _weights(size, wanted, share)
        edge = (1 - share) / 2 * (size - 1)
        places = np.linspace(edge, size - 1 - edge, wanted) if wanted > 1 else [(size - 1) / 2]
        np.testing.assert_allclose(weights @ np.arange(size), places, atol=1e-6)
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)
        assert ((weights != 0).sum(axis=1) <= 2).all() and (weights >= 0).all()


def test_columns_are_truncated_and_frames_smoothed(tone):
    def last(**options):
        async def use():
            async with microphone(tone[0], num_frames_per_spectrogram=3, columns_truncate_to=64, **options) as ears:
                return (await ears.capture())["spectrogram"].numpy()

        return asyncio.run(use())

    plain, smooth = last(), last(smoothing_time_constant=0.5)
    assert plain.shape == smooth.shape == (3, 64, 1)
    peak = plain[0].argmax()
    level = 10 ** (plain[:, peak, 0] / 20)
    expected = [level[0] / 2, level[0] / 4 + level[1] / 2, level[0] / 8 + level[1] / 4 + level[2] / 2]
    np.testing.assert_allclose(10 ** (smooth[:, peak, 0] / 20), expected, rtol=1e-4)


def test_another_sample_rate_is_named(tone):
    with pytest.raises(MediaError, match="it gives 44100 Hz, not 48000") as caught:
        asyncio.run(microphone(tone[0], sample_rate_hz=48000).start())
    assert caught.value.kind == "rate"


def test_a_file_without_sound_is_named(tmp_path):
    (tmp_path / "not.wav").write_bytes(b"RIFF but not really")
    with pytest.raises(ValueError, match=r"not\.wav is not a WAV file"):
        asyncio.run(microphone(tmp_path / "not.wav").start())


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: webcam(resize_width=3), "both resize_width and resize_height"),
        (lambda: webcam(resize_width=0, resize_height=3), "resize_width must be an integer of at least 1. Received: resize_width=0"),
        (lambda: webcam(center_crop=True), "center_crop needs resize_width"),
        (lambda: webcam(facing_mode="left"), "facing_mode must be 'user' or 'environment'. Received: 'left'"),
        (lambda: webcam(frame_rate=0), "frame_rate must be positive"),
        (lambda: microphone(fft_size=1000), "fft_size must be a power of two from 16 to 16384. Received: fft_size=1000"),
        (lambda: microphone(fft_size=8), "fft_size must be an integer of at least 16"),
        (lambda: microphone(columns_truncate_to=2000), "at most fft_size=1024. Received: 2000"),
        (lambda: microphone(columns_truncate_to=0), "columns_truncate_to must be"),
        (lambda: microphone(columns_truncate_to=2.5), "columns_truncate_to must be"),
        (lambda: microphone(num_frames_per_spectrogram=0), "num_frames_per_spectrogram must be"),
        (lambda: microphone(sample_rate_hz=0), "sample_rate_hz must be"),
        (lambda: microphone(smoothing_time_constant=1), "must lie in [0, 1)"),
        (lambda: microphone(include_spectrogram=False), "elements would be empty"),
        (lambda: microphone(num_frames_per_spectrogram=0), "num_frames_per_spectrogram"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(wrong, message):
    with pytest.raises(ValueError) as caught:
        wrong()
    assert message in str(caught.value)


def test_names_of_the_package_are_the_functions():
    assert callable(pyml.data.webcam) and callable(pyml.data.microphone) and callable(pyml.data.csv)
