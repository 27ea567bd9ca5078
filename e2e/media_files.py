"""What the fake camera and microphone of Chromium show and play, made here; and what a page did with its devices."""

import wave
from contextlib import contextmanager

import numpy as np

from pyml.cli import browser as browsers

WIDTH, HEIGHT = 64, 48
GREYS = [40, 200, 120, 90]                             # of the quarters of the picture, Y of a y4m
RATE = 48000
FAKE = "--use-fake-device-for-media-stream"

# What the pages asked for and got: constraints, tracks and AudioContexts.
RECORD = """(() => {
  Object.assign(window, { asked: [], tracks: [], contexts: [] });
  const devices = navigator.mediaDevices, real = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    asked.push(wish);
    const stream = await real(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.AudioContext = class extends AudioContext { constructor(...options) { super(...options); contexts.push(this); } };
  const state = Object.getOwnPropertyDescriptor(MediaStreamTrack.prototype, "readyState").get;
  window.live = () => tracks.filter((track) => state.call(track) === "live").length;
})()"""

def y4m(path):
    """A video of four grey quarters."""
    rows = []
    for y in range(HEIGHT):
        left, right = GREYS[:2] if y < HEIGHT // 2 else GREYS[2:]
        rows.append(bytes([left]) * (WIDTH // 2) + bytes([right]) * (WIDTH // 2))
    frame = b"FRAME\n" + b"".join(rows) + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(b"YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT) + frame * 20)
    return path


def tone(path):
    """1 kHz at half of full scale."""
    samples = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 10) / RATE) * 2**15).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


@contextmanager
def sensing(driver, folder):
    """A Chromium whose camera shows the quarters and whose microphone hears the tone."""
    files = (f"--use-file-for-fake-video-capture={y4m(folder / 'a.y4m')}", f"--use-file-for-fake-audio-capture={tone(folder / 'a.wav')}")
    chromium = browsers.launch(driver, (*browsers.FLAGS, FAKE, *files))
    yield chromium
    chromium.close()
