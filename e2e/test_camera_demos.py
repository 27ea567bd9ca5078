"""The demos that look: the controller learns four poses from a camera and plays; poses are found in a video.

The camera is Chromium's fake one, which shows a file made here: a light disc that goes up, down, left and right.
"""

import json

import numpy as np
import pytest

from pyml.cli import browser as browsers
from pyml.cli import paths

from .conftest import started

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


@pytest.fixture(scope="module")
def camera(driver, tmp_path_factory):
    """A Chromium whose camera shows the poses."""
    video = y4m(tmp_path_factory.mktemp("camera") / "poses.y4m")
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", f"--use-file-for-fake-video-capture={video}")
    yield from started(driver, (*browsers.FLAGS, *flags))


def open_controller(page, site, query=""):
    page.goto(f"{site}/demos/controller/index.html?{query}")
    page.wait_for_function("() => !document.querySelector('#new').disabled || pymlDemo.error", timeout=120_000)
    assert page.evaluate("() => pymlDemo.error") is None


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
def taught(camera, site):
    """The controller page after the camera's poses were collected with the mouse and learned."""
    context = camera.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    open_controller(page, site)
    page.click("#camera")
    page.wait_for_function("() => document.querySelector('#video').videoWidth > 0")
    page.evaluate(TRACK)
    for command in COMMANDS:
        collect(page, command, 12)
    page.click("#train")
    page.wait_for_function("() => pymlDemo.done", timeout=200_000)
    yield page
    page.screenshot(path=str(paths.build_dir() / "demo-controller.png"), full_page=True)
    context.close()
    assert not page.problems


def test_the_controller_learns_four_poses_of_the_camera(taught):
    result = taught.evaluate("() => pymlDemo")
    assert result["error"] is None
    assert min(result["counts"].values()) >= 10
    assert result["accuracy"] > 0.8


def test_the_pose_of_the_camera_moves_the_player(taught):
    taught.click("#play")
    taught.wait_for_function("() => pymlDemo.moved.length >= 4 || pymlDemo.solved", timeout=90_000)
    moved, history = json.loads(taught.evaluate("() => JSON.stringify([pymlDemo.moved, history_])"))
    taught.click("#play")
    right = [any(then["name"] == move["command"] for then in around(history, move["at"])) for move in moved]
    assert len(moved) >= 4 and sum(right) >= 0.8 * len(moved)
    assert "move" in taught.text_content("#maze-note")


def around(history, at, before=800):
    """The poses that were shown at a time or shortly before it."""
    began = [pose for pose in history if pose["since"] <= at]
    return [pose for i, pose in enumerate(began) if i == len(began) - 1 or began[i + 1]["since"] > at - before]


def test_pictures_a_second_and_latency_are_shown(taught):
    taught.wait_for_function("() => /[1-9]\\d* pictures a second, \\d+ ms/.test(document.querySelector('#pace').value)")
