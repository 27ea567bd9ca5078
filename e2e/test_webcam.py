"""`pyml.data.webcam` in Chromium with a fake camera fed from a file made here: known pixels, every failure, no leaks."""

import pytest

from pyml.cli import browser as browsers

from .python_page import PythonPage

WIDTH, HEIGHT = 64, 48
GREYS = [40, 200, 120, 90]                             # of the quarters of the picture, Y of a y4m


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A y4m video of four grey quarters."""
    rows = []
    for y in range(HEIGHT):
        left, right = GREYS[:2] if y < HEIGHT // 2 else GREYS[2:]
        rows.append(bytes([left]) * (WIDTH // 2) + bytes([right]) * (WIDTH // 2))
    frame = b"FRAME\n" + b"".join(rows) + bytes([128]) * (WIDTH * HEIGHT // 2)
    path = tmp_path_factory.mktemp("camera") / "quarters.y4m"
    path.write_bytes(b"YUV4MPEG2 W%d H%d F20:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT) + frame * 20)
    return path


@pytest.fixture(scope="module")
def chromium(driver, picture):
    """A Chromium whose camera shows the picture."""
    flags = (*browsers.FLAGS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={picture}")
    started = browsers.launch(driver, flags)
    yield started
    started.close()


def opened(chromium, site, query, allow=True):
    context = chromium.new_context(permissions=["camera"] if allow else [])
    python = PythonPage(context.new_page(), site, query)
    python.run("""
        import gc, numpy as np, pyml, js
        from pyml.data import webcam, MediaError
        async def refused(camera):
            try:
                await camera.capture()
            except MediaError as error:
                return [error.kind, str(error)]
        1
    """)
    return python


@pytest.fixture(scope="module", params=["backend=wasm", "backend=wasm&thread=main"])
def python(chromium, site, request):
    python = opened(chromium, site, request.param)
    python.on_page = "thread=main" in request.param
    yield python
    python.page.context.close()


def test_frames_hold_the_pixels_of_the_camera(python):
    shape, corners, spread = python.run("""
        async with webcam() as camera:
            frame = (await camera.capture()).numpy()
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
                frame = (await camera.capture()).numpy()
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


def test_cameras_are_listed_and_switched(python):
    if not python.on_page:
        assert python.run("len(await pyml.data.cameras())") >= 0
        return
    assert python.run("""
        camera = await webcam(js.document.createElement("video"))
        found = await pyml.data.cameras()
        await camera.switch(device_id=found[0]["device_id"])
        shape = (await camera.capture()).shape
        camera.stop()
        [len(found) >= 1, bool(found[0]["label"]), len(shape), (await refused(webcam(device_id="none")))[0]]
    """) == [True, True, 3, "unmatched"]


def test_frames_leave_nothing_behind(python):
    grown = python.run("""
        from pyml import config
        camera = await webcam(resize_width=32, resize_height=32)
        async def frames(n):
            for _ in range(n):
                (await camera.capture()).numpy()
            gc.collect()
            return [getattr(config.device().usage, "buffers", 0), len(gc.get_objects())]
        await frames(5)
        few, many = await frames(5), await frames(40)
        camera.stop()
        [many[0] - few[0], many[1] - few[1]]
    """)
    assert grown[0] == 0 and grown[1] < 50


def test_a_camera_without_references_is_released(python):
    if not python.on_page:
        return
    python.page.evaluate("""() => {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.tracks = [];
        navigator.mediaDevices.getUserMedia = async (c) => { const s = await real(c); tracks.push(...s.getTracks()); return s; };
    }""")
    python.run("""
        camera = await webcam()
        await camera.capture()
        del camera
        gc.collect()
    """)
    python.page.wait_for_timeout(100)
    assert python.page.evaluate("tracks.map((t) => t.readyState)") == ["ended"]


def test_an_unplugged_camera_is_named(python):
    if not python.on_page:
        return
    python.run("camera = await webcam()\n1")
    python.page.evaluate("""() => {
        const track = tracks.at(-1);
        Object.defineProperty(track, "readyState", { get: () => "ended" });
        track.dispatchEvent(new Event("ended"));
    }""")
    kind, message = python.run("await refused(camera)")
    assert kind == "unplugged" and "was unplugged" in message


def test_a_hidden_page_is_named_and_the_camera_goes_on_later(python):
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true }); }"
    python.run("camera = await webcam()\n1")
    python.page.evaluate(hide, True)
    kind, message = python.run("await refused(camera)")
    assert kind == "hidden" and "the page is hidden" in message
    python.page.evaluate(hide, False)
    assert python.run("len((await camera.capture()).shape)") == 3
    python.run("camera.stop()")


@pytest.mark.parametrize("query", ["backend=wasm", "backend=wasm&thread=main"])
def test_a_camera_that_was_not_allowed_is_named(chromium, site, query):
    python = opened(chromium, site, query, allow=False)
    python.page.context.grant_permissions([])          # everything else is denied
    kind, message = python.run("await refused(webcam())")
    assert kind == "denied" and "was not allowed" in message
    python.page.context.close()


def test_a_frame_without_permission_is_named(chromium, site):
    python = opened(chromium, site, "backend=wasm&thread=main")
    python.page.evaluate("() => { document.permissionsPolicy = { allowsFeature: (name) => name !== 'camera' }; }")
    kind, message = python.run("await refused(webcam())")
    assert kind == "policy" and 'allow="camera"' in message
    python.page.context.close()


def test_closing_the_worker_releases_its_camera(chromium, site):
    python = opened(chromium, site, "backend=wasm")
    python.page.evaluate("""() => {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.tracks = [];
        navigator.mediaDevices.getUserMedia = async (c) => { const s = await real(c); tracks.push(...s.getTracks()); return s; };
    }""")
    python.run("camera = await webcam()\n1")
    assert python.page.evaluate("tracks.map((t) => t.readyState)") == ["live"]
    python.page.evaluate("pyml.close()")
    python.page.wait_for_function("tracks[0].readyState === 'ended'", timeout=10_000)
    python.page.context.close()


def test_no_camera_is_named(browser, site):
    context = browser.new_context(permissions=["camera"])
    python = PythonPage(context.new_page(), site, "backend=wasm&thread=main")
    kind = python.run("""
        from pyml.data import webcam, MediaError
        kind = None
        try:
            await webcam()
        except MediaError as error:
            kind = error.kind
        kind
    """)
    assert kind == "missing"
    context.close()
