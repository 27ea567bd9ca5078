"""`pyml.data.webcam` and `microphone` in Chromium with fake devices fed from files made here: known pixels, a known tone,
every failure, no leaks. Python starts three times: in a worker, on the page's own thread, and where there are two cameras.
"""

import json

import numpy as np
import pytest

from pyml.cli import browser as browsers

from .media_files import FAKE, GREYS, RECORD, sensing
from .python_page import PythonPage

UNPLUG = """() => {
  const track = tracks.at(-1);
  Object.defineProperty(track, "readyState", { get: () => "ended" });
  track.dispatchEvent(new Event("ended"));
}"""
HIDE = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); }"
SHOW = "() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }"


@pytest.fixture(scope="module")
def chromium(driver, tmp_path_factory):
    with sensing(driver, tmp_path_factory.mktemp("media")) as started:
        yield started


def opened(chromium, site, query):
    context = chromium.new_context(permissions=["camera", "microphone"])
    context.add_init_script(RECORD)
    python = PythonPage(context.new_page(), site, query)
    python.on_page = "thread=main" in query
    python.run("""
        import gc, numpy as np, pyml, js
        from pyml import config
        from pyml.data import webcam, microphone, cameras, microphones, MediaError
        plain = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}
        async def refused(source):
            try:
                await source.capture()
            except MediaError as error:
                return [error.kind, str(error)]
        1
    """)
    return python


@pytest.fixture(scope="module", params=["backend=wasm", "backend=webgpu&thread=main"], ids=["worker", "page"])
def started(chromium, site, request):
    python = opened(chromium, site, request.param)
    yield python
    python.page.context.close()


@pytest.fixture
def python(started):
    """Python with both devices. Whatever a test did, they are released afterwards."""
    yield started
    started.page.wait_for_function("live() === 0")


@pytest.fixture(scope="module")
def two_cameras(driver, site):
    """Python in a worker of a page with two cameras."""
    chromium = browsers.launch(driver, (*browsers.FLAGS, f"{FAKE}=device-count=2"))
    yield opened(chromium, site, "backend=wasm")
    chromium.close()


# ---- the camera


def test_frames_hold_the_pixels_of_the_camera(python):
    shape, corners, spread = python.run("""
        async with webcam() as camera:
            frame = await (await camera.capture()).data()
        h, w, _ = frame.shape
        quarters = [frame[y:y + h // 4, x:x + w // 4] for y in (h // 8, 5 * h // 8) for x in (w // 8, 5 * w // 8)]
        [list(frame.shape), [q.mean(axis=(0, 1)).tolist() for q in quarters], max(int(np.ptp(q)) for q in quarters)]
    """)
    assert shape[2] == 3 and spread == 0               # each quarter is one colour, to the last bit
    grey = [255 / 219 * (y - 16) for y in GREYS]
    for found, (full, limited) in zip(corners, zip(GREYS, grey, strict=True), strict=True):
        assert max(found) - min(found) == 0 and min(abs(found[0] - full), abs(found[0] - limited)) <= 1.5


def test_frames_are_resized_and_cropped(python):
    whole, square = python.run("""
        shapes = []
        for crop in (False, True):
            async with webcam(resize_width=20, resize_height=40, center_crop=crop) as camera:
                frame = await (await camera.capture()).data()
                shapes.append([frame.dtype.name, list(frame.shape), frame[2, 2, 0].item(), frame[2, 17, 0].item()])
        shapes
    """)
    assert whole[:2] == square[:2] == ["float32", [40, 20, 3]]
    assert whole[2:] == pytest.approx(square[2:]) and whole[2] < whole[3]


def test_a_loop_gets_new_frames_and_stopping_ends_it(python):
    assert python.run("""
        camera, seen = webcam(), 0
        async for frame in camera:
            seen += 1
            if seen == 5:
                camera.stop()
        [seen, (await refused(camera)) is None, camera.stop()]
    """) == [5, True, None]


def test_a_camera_without_references_is_released(python):
    python.run("""
        camera = await webcam()
        await camera.capture()
        del camera
        gc.collect()
    """)


def test_an_unplugged_camera_is_named_and_released(python):
    python.run("camera = await webcam()\n1")
    python.page.evaluate(UNPLUG)
    kind, message = python.run("await refused(camera)")
    assert kind == "unplugged" and "was unplugged" in message


def test_a_hidden_page_is_named_and_the_camera_goes_on_later(python):
    python.run("camera = await webcam()\n1")
    python.page.evaluate(HIDE, True)
    kind, message = python.run("await refused(camera)")
    assert kind == "hidden" and "The page is hidden" in message
    python.page.evaluate(SHOW)
    assert python.run("len((await camera.capture()).shape)") == 3
    python.run("camera.stop()")


def test_one_camera_is_listed_and_no_other_is_found(python):
    assert python.run("""
        async with webcam():
            found = await cameras()
        [len(found), bool(found[0]["label"]), (await refused(webcam(device_id="none")))[0]]
    """) == [1, True, "unmatched"]


# ---- two cameras

SWITCH = """
    camera, seen = webcam(resize_width=8, resize_height=6), []
    first, second = [found["device_id"] for found in await cameras()]
    async for frame in camera:
        seen.append([camera.label, list(frame.shape)])
        if len(seen) == 2:
            await camera.switch(device_id=second)
        elif len(seen) == 4:
            await camera.switch(facing_mode="environment")
        elif len(seen) == 5:
            await camera.switch(device_id=first)
        elif len(seen) == 7:
            camera.stop()
    seen
"""


def test_a_running_camera_is_switched_by_device_and_by_the_way_it_faces(two_cameras):
    seen = two_cameras.run(SWITCH)
    labels = [label for label, _ in seen]
    assert labels[:2] == ["fake_device_0"] * 2 and labels[2:4] == ["fake_device_1"] * 2 and labels[5:] == ["fake_device_0"] * 2
    assert all(shape == [6, 8, 3] for _, shape in seen)
    wishes = [wish["video"] for wish in two_cameras.page.evaluate("asked")]
    assert [wish.get("facingMode") for wish in wishes] == [{"ideal": "user"}, None, {"ideal": "environment"}, None]
    two_cameras.page.wait_for_function("live() === 0")
    assert len(two_cameras.page.evaluate("tracks.map((track) => track.label)")) == 4


def test_a_switch_that_fails_leaves_no_camera_on(two_cameras):
    kind = two_cameras.run("""
        camera = await webcam()
        kind = None
        try:
            await camera.switch(device_id="none")
        except MediaError as error:
            kind = error.kind
        kind
    """)
    two_cameras.page.wait_for_function("live() === 0")
    assert kind == "unmatched"


def test_closing_the_worker_releases_its_devices(two_cameras):  # the last one of this page
    two_cameras.run("camera, ears = await webcam(), await microphone()\n1")
    assert two_cameras.page.evaluate("live()") == 2
    two_cameras.page.evaluate("pyml.close()")
    two_cameras.page.wait_for_function("live() === 0")


# ---- the microphone


def test_a_tone_peaks_in_its_bin(python):
    shapes, rate, bins, loudest, waves = python.run("""
        wanted = dict(num_frames_per_spectrogram=8, columns_truncate_to=200, include_waveform=True, audio_track_constraints=plain)
        async with microphone(**wanted) as ears:
            await ears.capture()
            found = await ears.capture()
            rate = ears.sample_rate_hz
        spectrogram, sound = await found["spectrogram"].data(), await found["waveform"].data()
        spectrum = np.abs(np.fft.rfft(sound[:1024, 0] * np.hanning(1024)))
        peaks = spectrogram[..., 0].argmax(axis=1).tolist()
        [[list(spectrogram.shape), list(sound.shape)], rate, peaks, int(spectrum.argmax()), float(np.abs(sound).max())]
    """)
    assert shapes == [[8, 200, 1], [8192, 1]]
    expected = 1000 / (rate / 2048)
    assert all(abs(bin - expected) <= 1 for bin in bins)
    assert abs(loudest - expected / 2) <= 1 and 0.2 < waves <= 1


def test_a_microphone_is_read_at_another_sample_rate(python):
    rate, peak = python.run("""
        async with microphone(sample_rate_hz=16000, num_frames_per_spectrogram=4, audio_track_constraints=plain) as ears:
            await ears.capture()
            spectrogram = await (await ears.capture())["spectrogram"].data()
            rate = ears.sample_rate_hz
        [rate, int(spectrogram[-1, :, 0].argmax())]
    """)
    assert rate == 16000 and abs(peak - 1000 / (rate / 2048)) <= 1


def test_a_sample_rate_that_cannot_be_is_named(python):
    kind, message = python.run("await refused(microphone(sample_rate_hz=10))")
    assert kind == "rate" and message.startswith("The microphone cannot be read at the sample rate asked for")


def test_a_loop_over_sound_ends_when_it_is_stopped(python):
    assert python.run("""
        ears, heard = microphone(num_frames_per_spectrogram=2), 0
        async for element in ears:
            heard += 1
            if heard == 3:
                ears.stop()
        [heard, len(await microphones()) >= 1]
    """) == [3, True]


def test_an_unplugged_microphone_is_named_and_released(python):
    python.run("ears = await microphone()\n1")
    python.page.evaluate(UNPLUG)
    kind, message = python.run("await refused(ears)")
    assert kind == "unplugged" and "The microphone was unplugged" in message


def test_a_microphone_that_stands_still_in_a_hidden_page_goes_on_later(python):
    python.run("ears = await microphone(num_frames_per_spectrogram=2)\n1")
    python.page.evaluate("""async () => {
      const context = contexts.at(-1);
      await context.suspend();
      context.resume = () => Promise.reject(new Error("hidden"));      // as phones do it
    }""")
    python.page.evaluate(HIDE, True)
    kind, message = python.run("await refused(ears)")
    assert kind == "hidden" and "browsers pause the microphone" in message
    python.page.evaluate("() => { delete contexts.at(-1).resume; }")
    python.page.evaluate(SHOW)
    assert python.run("list((await ears.capture())['spectrogram'].shape)") == [2, 1024, 1]
    python.run("ears.stop()")


# ---- both


def test_what_was_not_allowed_is_named(python):
    context = python.page.context
    context.clear_permissions()
    context.grant_permissions(["geolocation"])         # everything else is denied
    found = python.run("[await refused(webcam()), await refused(microphone())]")
    context.grant_permissions(["camera", "microphone"])
    for what, (kind, message) in zip(("camera", "microphone"), found, strict=True):
        assert kind == "denied" and message.startswith(f"The use of the {what} was not allowed; allow it")


@pytest.mark.parametrize("source, owner, step", [
    ("webcam", "navigator.mediaDevices", "getUserMedia"), ("microphone", "navigator.mediaDevices", "getUserMedia"),
    ("webcam", "HTMLMediaElement.prototype", "play"), ("microphone", "AudioContext.prototype", "resume"),
])  # fmt: skip
def test_stopping_while_it_starts_leaves_nothing_on_and_says_so(python, source, owner, step):
    """Permission that comes after `stop()` opens a device that nobody would release."""
    python.page.evaluate(f"""() => {{
      const owner = {owner}, real = owner.{step};
      window.allow = null;
      owner.{step} = async function (...wish) {{
        owner.{step} = real;
        const asked = real.apply(this, wish);
        await new Promise((resolve) => {{ window.allow = resolve; }});
        return asked;
      }};
    }}""")
    python.run(f"""
        import asyncio
        source = {source}()
        asking = asyncio.ensure_future(refused(source))
        await asyncio.sleep(0)
    """)
    python.page.wait_for_function("() => allow !== null")
    python.run("source.stop()")
    python.page.evaluate("allow()")
    assert python.run("(await asking)[0]") == "stopped"


def classified(python, frames):
    """Captures and classifies frames; objects and bytes of Python, buffers of the device, and how many classes were seen."""
    return python.run(f"""
        seen = set()
        async for frame in camera:
            shares = await model.predict_async(frame[None] / 255, verbose=0)
            seen.add(int(np.argmax(shares)))
            count += 1
            if count % {frames} == 0:
                break
        gc.collect()
        traced = tracemalloc.get_traced_memory()[0]
        [len(gc.get_objects()), traced, getattr(config.device().usage, "buffers", 0), len(seen)]
    """)


def javascript_objects(page):
    """How many objects the page's JavaScript holds after a collection; code that the browser compiled meanwhile is left out."""
    session = page.context.new_cdp_session(page)
    chunks: list[str] = []
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda chunk: chunks.append(chunk["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    heap = json.loads("".join(chunks))
    fields = heap["snapshot"]["meta"]["node_fields"]
    names = np.array(heap["nodes"]).reshape(-1, len(fields))[:, fields.index("name")]
    internal = np.array([name.startswith("system /") for name in heap["strings"]])
    return int((~internal[names]).sum())


def test_500_captured_and_classified_frames_leave_nothing_behind(python):
    python.run("""
        import tracemalloc
        from pyml import Sequential, Input, layers
        model = Sequential([Input((16, 16, 3)), layers.Conv2D(4, 3, strides=2, activation="relu"), layers.Flatten(), layers.Dense(3)])
        camera, count = webcam(resize_width=16, resize_height=16), 0
        tracemalloc.start()
        1
    """)
    classified(python, 20)                             # everything is compiled and the pools are full
    before, objects = classified(python, 20), javascript_objects(python.page)
    after, later = classified(python, 500), javascript_objects(python.page)
    python.run("camera.stop()\ntracemalloc.stop()")
    assert after[3] == 1                               # it always sees the same
    assert after[0] - before[0] < 100                  # Python objects
    assert after[1] - before[1] < 200_000              # their bytes; Python's cache of attributes keeps up to 4,096 names of 40
    assert after[2] - before[2] == 0                   # GPU buffers
    assert later - objects < 100                       # JavaScript objects, ImageBitmaps and GPU handles among them
