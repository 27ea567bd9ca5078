"""What Python does for the page: turns the samples that come into columns of spectrogram.py."""

import numpy as np
from spectrogram import Spectrogram, note

LOW, HIGH = -120.0, -10.0  # dB of the values 0 and 255

state = {"spectrogram": None, "shown": 0}


def start(sample_rate, window, top):
    """Starts over; columns will reach up to `top` Hz."""
    spectrogram = Spectrogram(sample_rate, window)
    shown = min(window // 2, int(np.ceil(top / spectrogram.bin_width)) + 1)
    state.update(spectrogram=spectrogram, shown=shown)
    return {"bins": shown, "binWidth": spectrogram.bin_width, "hop": spectrogram.hop, "low": LOW, "high": HIGH}


async def export(files, window):
    """The page's twin: its `files`, pairs of a path and a text, and the spectra of such windows, as the bytes of a .zip file."""
    return await Spectrogram(48000, window).export_page(dict(files))


async def listen(samples):
    """The columns that these samples complete, a byte for each frequency, and the loudest tone in them."""
    spectrogram = state["spectrogram"]
    levels = await spectrogram.columns(np.asarray(samples, np.float32))
    if not len(levels):
        return None
    shown = levels[:, : state["shown"]]
    frequency, level = spectrogram.loudest(np.log10(np.mean(10 ** (levels / 10), axis=0)) * 10)
    name, cents = note(frequency)
    image = np.clip((shown - LOW) * (255 / (HIGH - LOW)), 0, 255).astype(np.uint8)
    return {"columns": len(levels), "image": image.tobytes(), "frequency": frequency, "level": level, "note": name, "cents": cents}
