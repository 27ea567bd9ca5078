"""The demos that look: the controller learns four poses from a camera and plays; poses are found in a video.

The camera is Chromium's fake one, which shows a file made here: a light disc that goes up, down, left and right.
"""

import json

import numpy as np
import pytest

from pyml import paths
from pyml.cli import browser as browsers

from .conftest import started
from .demo_page import finished, opened

COMMANDS = ("up", "down", "left", "right")
WIDTH, HEIGHT, FPS = 160, 120, 10
FRAMES = 25  # of a pose
PLACES = {"up": (0.25, 0.5), "down": (0.75, 0.5), "left": (0.5, 0.3), "right": (0.5, 0.7)}  # row, column

# Which pose the video shows, and since when: the side of the lightest point of a small copy of the picture.
TRACK = """() => {
  const canvas = new OffscreenCanvas(16, 12);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const video = document.querySelector("#video");
  window.shown = { name: null, since: 0 };
  window.history_ = [];
  const look = () => {
    context.drawImage(video, 0, 0, 16, 12);
    const { data } = context.getImageData(0, 0, 16, 12);
    let best = 0;
    for (let i = 0; i < 192; i++) if (data[4 * i] > data[4 * best]) best = i;
    const x = (best % 16) - 7.5, y = Math.floor(best / 16) - 5.5;
    const name = Math.abs(y) > Math.abs(x) ? (y < 0 ? "up" : "down") : (x < 0 ? "left" : "right");
    if (name !== shown.name) {
      window.shown = { name, since: performance.now() };
      history_.push(shown);
    }
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}"""


def y4m(path):
    """A video of the four poses, each with a little movement and noise."""
    pick = np.random.default_rng(5)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = np.full((HEIGHT // 2) * (WIDTH // 2) * 2, 128, np.uint8).tobytes()
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for command in COMMANDS:
            for _ in range(FRAMES):
                row, column = (np.array(PLACES[command]) + pick.uniform(-0.03, 0.03, 2)) * (HEIGHT, WIDTH)
                picture = 50 + 12 * pick.standard_normal((HEIGHT, WIDTH))
                picture[(rows - row) ** 2 + (columns - column) ** 2 < 17**2] = 220
                file.write(b"FRAME\n" + np.clip(picture, 16, 235).astype(np.uint8).tobytes() + grey)
    return path


def photo():
    """The astronaut, if it was fetched."""
    path = paths.assets_dir() / "models" / "photos" / "astronaut.png"
    networks = [paths.assets_dir() / "models" / name / "model.json" for name in ("movenet", "posenet")]
    if not all(file.is_file() for file in (path, *networks)):
        pytest.skip("the networks and the photo are not there; `make models` fetches them")
    return path


def y4m_of_photo(path):
    """A video of the astronaut, who sways a little."""
    from PIL import Image

    pixels = np.asarray(Image.open(photo()).convert("RGB").resize((240, 240)), np.float32)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = [luma, 128 + 0.564 * (blue - luma)[::2, ::2], 128 + 0.713 * (red - luma)[::2, ::2]]
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W240 H240 F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for shift in (0, 2, 4, 2):
            moved = [np.roll(plane, shift // (1 + (i > 0)), axis=1) for i, plane in enumerate(planes)]
            file.write(b"FRAME\n" + b"".join(np.clip(plane, 0, 255).astype(np.uint8).tobytes() for plane in moved))
    return path


@pytest.fixture(scope="module")
def camera(request, driver, tmp_path_factory):
    """A Chromium whose camera shows the poses of the disc, or the astronaut."""
    video = {"disc": y4m, "astronaut": y4m_of_photo}[request.param](tmp_path_factory.mktemp("camera") / "video.y4m")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={video}")
    yield from started(driver, (*browsers.FLAGS, *flags))


sees_a_disc = pytest.mark.parametrize("camera", ["disc"], indirect=True)
sees_an_astronaut = pytest.mark.parametrize("camera", ["astronaut"], indirect=True)


@pytest.fixture(scope="module")
def controller(camera, site):
    """The controller page, for all its tests."""
    page = opened(camera, f"{site}/demos/controller/index.html", "() => !document.querySelector('#new').disabled || pymlDemo.error")
    assert page.evaluate("() => pymlDemo.error") is None
    yield page
    page.context.close()
    assert not page.problems


def forget(page):
    """Presses the button that is there where something can be forgotten."""
    if page.is_enabled("#forget"):
        page.click("#forget")


@pytest.fixture
def forgetful(controller):
    """The same without pictures."""
    forget(controller)
    controller.wait_for_function("() => Object.values(pymlDemo.counts).every((count) => count === 0)")
    return controller


def collect(page, command, wanted):
    """Holds a button of the page while the camera shows its pose, and lets go before the next."""
    for _ in range(12):
        page.wait_for_function(
            f"() => shown.name === '{command}' && performance.now() - shown.since > 150 && performance.now() - shown.since < 900"
        )
        page.locator(f".hold.{command}").hover()
        page.mouse.down()
        page.wait_for_function(f"() => shown.name !== '{command}' || performance.now() - shown.since > 1900")
        page.mouse.up()
        if page.evaluate(f"() => pymlDemo.counts.{command}") >= wanted:
            return


@pytest.fixture(scope="module")
def taught(controller):
    """The page after the camera's poses were collected with the mouse and learned."""
    page = controller
    forget(page)
    page.click("#camera")
    page.wait_for_function("() => document.querySelector('#video').videoWidth > 0")
    page.evaluate(TRACK)
    for command in COMMANDS:
        collect(page, command, 12)
    learned(page)
    yield page
    page.screenshot(path=str(paths.build_dir() / "demo-controller.png"), full_page=True)


def learned(page):
    page.evaluate("() => { pymlDemo.done = false; }")
    page.click("#train")
    assert finished(page)["error"] is None


def draw_poses(page, wanted):
    """Collects pictures of the drawn disc in four places, with the keyboard."""
    for command, key in zip(COMMANDS, "wsad", strict=True):
        page.focus("#puppet")
        page.keyboard.press(f"Arrow{command.title()}")
        page.keyboard.down(key)
        page.wait_for_function(f"() => pymlDemo.counts.{command} >= {wanted}")
        page.keyboard.up(key)


def assert_disc_commands(page):
    page.focus("#puppet")
    for command in COMMANDS:
        page.keyboard.press(f"Arrow{command.title()}")
        page.wait_for_function(f"() => pymlDemo.command === '{command}'")


# Holds D for one picture, or two where another is on its way.
ONE_PICTURE = """() => new Promise((resolve) => {
  dispatchEvent(new KeyboardEvent("keydown", { key: "d" }));
  (function look() {
    if (pymlDemo.counts.right < 1) return requestAnimationFrame(look);
    dispatchEvent(new KeyboardEvent("keyup", { key: "d" }));
    resolve();
  })();
})"""


@sees_a_disc
@pytest.mark.quick
def test_too_few_pictures_and_forgotten_ones_are_explained(controller):
    page = controller
    page.set_viewport_size({"width": 340, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 340
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.click("#drawn")
    for key in "wsa":
        page.keyboard.down(key)
        page.wait_for_function(f"() => pymlDemo.counts[{{ w: 'up', s: 'down', a: 'left' }}.{key}] >= 6")
        page.keyboard.up(key)
    assert page.is_disabled("#train")
    page.evaluate(ONE_PICTURE)
    page.click("#train")
    assert "Too few examples of right" in finished(page)["error"]
    assert "Too few examples of right" in page.text_content("#problem") and page.is_disabled("#play")
    page.click("#forget")
    page.wait_for_function("() => Object.values(pymlDemo.counts).every((count) => count === 0)")


@sees_a_disc
def test_the_controller_learns_four_poses_of_the_camera(taught):
    result = taught.evaluate("() => pymlDemo")
    assert result["error"] is None
    assert min(result["counts"].values()) >= 10
    assert result["accuracy"] > 0.8


@sees_a_disc
def test_the_pose_of_the_camera_moves_the_player(taught):
    taught.click("#play")
    taught.wait_for_function("() => pymlDemo.moved.length >= 4 || pymlDemo.solved")
    moved, history = json.loads(taught.evaluate("() => JSON.stringify([pymlDemo.moved, history_])"))
    taught.click("#play")
    right = [any(then["name"] == move["command"] for then in around(history, move["at"])) for move in moved]
    assert len(moved) >= 4 and sum(right) >= 0.8 * len(moved)
    assert "move" in taught.text_content("#maze-note")


def around(history, at, before=800):
    """The poses that were shown at a time or shortly before it."""
    began = [pose for pose in history if pose["since"] <= at]
    return [pose for i, pose in enumerate(began) if i == len(began) - 1 or began[i + 1]["since"] > at - before]


@sees_a_disc
def test_pictures_a_second_and_latency_are_shown(taught):
    assert taught.is_hidden("#other")  # there is one camera only
    taught.wait_for_function("() => /[1-9]\\d* pictures a second, \\d+ ms/.test(document.querySelector('#pace').value)")


# Records a moving picture as a video file and chooses it in the page.
CHOOSE_VIDEO = """async (picture) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 160 });
  const pen = canvas.getContext("2d"), image = new Image();
  if (picture) { image.src = picture; await image.decode(); }
  const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  for (let i = 0; i < 30; i++) {
    pen.fillRect(0, 0, 160, 160);
    if (picture) pen.drawImage(image, i % 3, 0, 160, 160);
    else pen.clearRect(40 + i, 60, 40, 40);
    await new Promise((resolve) => { setTimeout(resolve, 40); });
  }
  await new Promise((resolve) => { recorder.onstop = resolve; recorder.stop(); });
  const files = new DataTransfer();
  files.items.add(new File(parts, "mine.webm", { type: "video/webm" }));
  const input = document.querySelector("#file");
  input.files = files.files;
  input.dispatchEvent(new Event("change"));
}"""


@sees_a_disc
def test_a_video_file_takes_the_place_of_the_camera(forgetful):
    page = forgetful
    page.set_input_files("#file", {"name": "no.mp4", "mimeType": "video/mp4", "buffer": b"no video"})
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('no.mp4 is not a video')")
    page.evaluate(CHOOSE_VIDEO)
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('mine.webm')")
    assert page.evaluate("() => [video.loop, video.muted, document.querySelector('#view').className]") == [True, True, "view"]
    page.keyboard.down("d")
    page.wait_for_function("() => pymlDemo.counts.right >= 5")
    page.keyboard.up("d")
    assert page.is_hidden("#other")


@sees_a_disc
def test_without_a_camera_the_drawn_disc_is_steered_with_the_keyboard_alone(forgetful):
    page = forgetful
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }; }")
    page.focus("#camera")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('There is no camera')")
    page.evaluate("() => { delete navigator.mediaDevices.getUserMedia; }")
    page.focus("#drawn")
    page.keyboard.press("Enter")
    draw_poses(page, 10)
    page.focus("#train")
    page.evaluate("() => { pymlDemo.done = false; }")
    page.keyboard.press("Enter")
    assert finished(page)["error"] is None
    assert_disc_commands(page)
    page.focus("#new")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#maze-note').textContent.startsWith('0 moves')")
    page.focus("#maze")
    before = page.get_attribute("#maze", "aria-label")
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.wait_for_function("(before) => document.querySelector('#maze').getAttribute('aria-label') !== before", arg=before)


@sees_a_disc
def test_forgotten_pictures_take_what_was_learned_from_them_along(forgetful):
    page = forgetful
    page.click("#drawn")
    draw_poses(page, 6)
    learned(page)
    page.click("#play")
    page.click("#forget")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('The pictures are forgotten')")
    assert page.text_content("#play") == "Play" and page.is_disabled("#play") and page.text_content("#result") == ""
    assert "Train the controller before" in page.evaluate("() => pymlPython.call('export_keras').then(() => '', ({ message }) => message)")


@sees_a_disc
def test_features_of_mobilenet_are_learned_from_few_pictures(forgetful):
    if not (paths.assets_dir() / "models" / "mobilenet_v1" / "weights.safetensors").is_file():
        pytest.skip("MobileNet is not there; `make models` fetches it")
    page = forgetful
    page.click("#drawn")
    draw_poses(page, 6)
    for way in ("head", "neighbours"):
        page.select_option("#way", way)  # the pictures stay
        page.wait_for_function(f"() => pymlDemo.way === '{way}' && !document.querySelector('#way').disabled")
        learned(page)
        assert_disc_commands(page)


NOSE = """() => pymlDemo.dots.find((dot) => dot[3] === "nose")?.slice(0, 2)"""


@pytest.fixture(scope="module")
def pose(camera, site):
    """The pose page, for all its tests."""
    photo()
    page = opened(camera, f"{site}/demos/pose/index.html", "() => pymlDemo.done")
    assert page.evaluate("() => pymlDemo.error") is None
    yield page
    page.context.close()
    assert not page.problems


@sees_an_astronaut
@pytest.mark.quick
def test_the_pose_in_a_photo_is_found(pose):
    pose.set_viewport_size({"width": 360, "height": 740})
    pose.set_input_files("#file", photo())
    pose.wait_for_function("() => pymlDemo.looked === 1")
    assert pose.evaluate(NOSE) == pytest.approx([0.43, 0.236], abs=0.03)
    assert pose.evaluate("() => document.documentElement.scrollWidth") <= 360
    pose.set_viewport_size({"width": 1280, "height": 900})


@sees_an_astronaut
def test_the_pose_of_somebody_before_the_camera_is_found_live(pose):
    page = pose
    page.click("#camera")
    page.wait_for_function("() => pymlDemo.looked >= 6 && pymlDemo.fps > 0")
    assert page.evaluate(NOSE) == pytest.approx([0.45, 0.24], abs=0.05)
    names = page.evaluate("() => pymlDemo.dots.map((dot) => dot[3])")
    assert {"left_eye", "right_eye", "left_shoulder", "right_shoulder"} <= set(names)
    page.wait_for_function("() => /pictures a second, \\d+ ms/.test(document.querySelector('#pace').value)")
    overlay, video = page.locator("#overlay").bounding_box(), page.locator("#video").bounding_box()
    assert video["width"] / video["height"] == pytest.approx(1, abs=0.01)  # that of the picture: nothing beside it
    assert overlay == pytest.approx(video, abs=1)
    page.screenshot(path=str(paths.build_dir() / "demo-pose.png"), full_page=True)
    assert page.is_hidden("#other")  # there is one camera only
    page.click("#stop")
    assert page.evaluate("() => document.querySelector('#video').srcObject") is None


@sees_an_astronaut
def test_the_pose_in_a_video_file_is_found(pose):
    pose.evaluate("() => { pymlDemo.looked = 0; }")
    pose.evaluate(CHOOSE_VIDEO, "../../models/photos/astronaut.png")
    pose.wait_for_function("() => pymlDemo.looked >= 3")
    assert pose.evaluate(NOSE) == pytest.approx([0.43, 0.236], abs=0.05)
    pose.click("#stop")
    assert pose.evaluate("() => document.querySelector('#video').getAttribute('src')") is None


@sees_an_astronaut
def test_the_other_network_finds_the_same_pose(pose):
    pose.select_option("#network", "posenet")
    pose.wait_for_function("() => document.querySelector('#network-note').textContent.includes('PoseNet')")
    pose.evaluate("() => { pymlDemo.looked = 0; }")
    pose.set_input_files("#file", photo())
    pose.wait_for_function("() => pymlDemo.looked === 1")
    assert pose.evaluate(NOSE) == pytest.approx([0.43, 0.236], abs=0.03)
