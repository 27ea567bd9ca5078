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
        self.cell, self.controls = 0, []
        self.answering = None  # the cell whose control is being answered
        self.waiting = Counter()  # cell -> how many of its controls wait to be answered
        self.ending = False  # the file is to be run again

    def figure(self, name, tab, figure):
        """Draws a figure, or lets it wait where another of its name was drawn just now."""
        last = shown.setdefault((self.cell, name), [0.0, None])
        if time.monotonic() - last[0] < SPACING:
            last[1] = figure
            return
        last[0], last[1] = time.monotonic(), None
        send(self.cell, name, figure)

    def control(self, kind, label, then, text, **facts):
        """Puts a slider or a list to choose from into the page."""
        self.controls.append((self.cell, then, facts.pop("values", None)))
        message = {"cell": self.cell, "number": len(self.controls) - 1, "kind": kind, "label": label, "text": text or "", **facts}
        post("control", json.dumps(message))

    def pause(self):
        """Lets what the page has asked meanwhile be answered; whether the answer that is being worked out is wanted no more."""
        if can_run_sync():
            cell, answering = self.cell, self.answering
            run_sync(asyncio.sleep(0))
            self.cell, self.answering = cell, answering
        return self.answering is not None and (self.ending or self.waiting[self.answering] > 0)


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
        place.ending, place.answering = False, None
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
        place.cell = place.answering = cell
        text = then(values[int(value)] if values is not None else value)
        flush()
    finally:
        place.answering = None
        turn.release()
    return text or ""
