"""What the page compiles for each of its windows; `pyml build` ships it."""

import numpy as np
from spectrogram import Spectrogram

WINDOWS = (256, 512, 1024, 2048)


async def main():
    for window in WINDOWS:
        await Spectrogram(48_000, window).columns(np.zeros(4 * window, np.float32))
