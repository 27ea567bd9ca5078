"""Runs the file of a chapter for its page, cell by cell, and tells the page what it shows."""

import ast
import asyncio
import inspect
import json
import sys
import time
from collections import Counter

import chapter
import numpy as np
from lines import Lines
from names import names as names
from pyml_page import post
from pyodide.ffi import can_run_sync, run_sync

from pyml import vis

FILE = "chapter file"
SPACING = 0.1  # seconds from one picture of a surface to the next, while it changes
shown = {}  # surface -> [when it was drawn last, cell, the figure that waits]


class Place:
    """Where the cell that runs shows things."""

    def __init__(self):
        self.cell, self.controls = 0, []  # the cell that runs; a control of another may be answered while it waits, and wait too
        self.waiting = Counter()  # cell -> how many of its controls wait to be answered
        self.ending = False  # the file is to be run again

    def figure(self, name, tab, figure):
        """Draws a figure, or lets it wait where another of its name was drawn just now."""
        cell = self.here()
        last = shown.setdefault((cell, name), [0.0, None])
        if time.monotonic() - last[0] < SPACING:
            last[1] = figure
            return
        last[0], last[1] = time.monotonic(), None
        send(cell, name, figure)

    def here(self):
        """The cell whose code asks: that of the control that is being answered, or the one that runs."""
        cell = answered(sys._getframe(1))
        return self.cell if cell is None else cell

    def control(self, kind, label, then, text, **facts):
        """Puts a slider or a list to choose from into the page."""
        cell = self.here()
        self.controls.append((cell, then, facts.pop("values", None)))
        message = {"cell": cell, "number": len(self.controls) - 1, "kind": kind, "label": label, "text": text or "", **facts}
        post("control", json.dumps(message))

    def pause(self, seconds=0):
        """Lets what the page has asked meanwhile be answered; whether the answer that is being worked out is wanted no more."""
        if can_run_sync():
            run_sync(asyncio.sleep(seconds))
        cell = answered(sys._getframe(1))
        return cell is not None and (self.ending or self.waiting[cell] > 0)


def answered(frame):
    """The cell whose control is being answered by what called `frame`; None where the chapter's own code did.

    Both may wait for the device by turns: what was called tells them apart at any time, what was noted before does not.
    """
    while frame is not None and frame.f_code is not moved.__code__:
        frame = frame.f_back
    return None if frame is None else frame.f_locals["cell"]


place = chapter.place = Place()
turn = asyncio.Lock()  # one control after the other: all that have begun lie on Python's one stack, which is not high enough for dozens
vis.draw_with(place.figure)


def send(cell, name, figure):
    post("figure", json.dumps({"cell": cell, "name": name, "spec": figure.spec}, allow_nan=False))


def flush():
    """Draws what waited: the last of what changed quickly."""
    for (cell, name), last in shown.items():
        if last[1] is not None:
            send(cell, name, last[1])
            last[1] = None


async def look_for(network):
    """Raises where the page's site lacks a network of the chapter."""
    from pyml.hub import store  # not before it is needed

    await store.look_for_async(network)


async def run(source, cells):
    """Runs the cells, `[line, text]` each, of a file; returns how it went: `error` with its line, or `merit`, and what a merit is."""
    lines = Lines(source, FILE)
    place.ending = True
    async with turn:
        place.ending = False
    shown.clear()
    place.controls.clear()
    names = {"__name__": "__main__", "__builtins__": __builtins__}
    try:
        compile(source, FILE, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # a mistake in the last cell is told before the first runs
        with lines.watching():
            for number, (line, text) in enumerate(cells):
                place.cell = number
                post("cell", str(number))
                code = compile("\n" * (line - 1) + text, FILE, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
                result = eval(code, names)
                if inspect.iscoroutine(result):
                    await result
                flush()
        return {"merit": merit(names)}
    except KeyboardInterrupt:
        flush()
        return {"stopped": True}
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return {"merit": merit(names)}
    except Exception as error:  # anything that a file can do
        flush()
        return {"error": lines.explain(error)}
    finally:
        sys.stdout.flush()


def merit(names):
    """The figure of merit that the file's CHAPTER promises, and what it is now; None where there is none."""
    promised = (names.get("CHAPTER") or {}).get("merit")
    if not promised:
        return None
    name, sign, bound, unit = promised
    if name not in names:
        return None
    value = float(names[name])
    kept = value < bound if sign == "<" else value > bound
    return {"name": name.replace("_", " "), "value": value, "sign": sign, "bound": bound, "unit": unit, "kept": kept}


async def moved(number, value):
    """A control of the page has another value; returns the text beside it."""
    cell, then, values = place.controls[number]
    if hasattr(value, "height"):  # a picture
        value = np.frombuffer(value.data.to_bytes(), "uint8").reshape(value.height, value.width, 4)[:, :, :3]
    place.waiting[cell] += 1
    try:
        await turn.acquire()
    finally:
        place.waiting[cell] -= 1
    try:
        post("printing", str(cell))
        text = then(values[int(value)] if values is not None else value)
        flush()
    finally:
        sys.stdout.flush()
        post("printing", str(place.cell))
        turn.release()
    return text or ""
