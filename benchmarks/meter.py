"""Counts and times what pyml asks of its device: dispatches, device calls, Python between them, memory."""

import json
import statistics
import time

from pyml import config
from pyml.compile.program import Bound

CALLS = ("alloc", "write", "prepare", "record", "replay", "read", "sync_wait")
WORK = ("write", "replay", "read")   # what a replayed step may consist of


def memory(device=None):
    """What the device holds: buffers and bytes in use, and the most it ever held."""
    device = device or config.device()
    usage = getattr(device, "usage", None)
    if usage is None:   # the cpu device keeps no spare buffers
        return {"buffers": device.live, "bytes": device.live_bytes, "peak_bytes": device.peak_bytes}
    return {"buffers": usage.live, "bytes": usage.live_bytes, "peak_bytes": usage.peak}


class Meter:
    """A context in which every call of the current device is counted and timed.

    A step is one run of a Plan. Python time is what passes outside device calls; waiting for a read is
    inside one. `plans` lists the Plan of every step, `peak_bytes` the most bytes in use.
    """

    def __init__(self, device=None):
        self.device = device or config.device()

    def __enter__(self):
        self.counts = dict.fromkeys(CALLS, 0)
        self.js_calls = 0
        self.plans = []
        self.python = []   # seconds of Python before each step was submitted
        self.peak_bytes = memory(self.device)["bytes"]
        self.depth, self.pending = 0, 0.0
        for name in CALLS:
            setattr(self.device, name, self._wrapped(name, getattr(self.device, name)))
        for name in ("_call", "_replay"):   # browser: every crossing into JavaScript passes one of these
            if hasattr(self.device, name):
                setattr(self.device, name, self._crossing(getattr(self.device, name)))
        self.run = Bound.run
        Bound.run = self._running(self.run)
        self.left = time.perf_counter()
        return self

    def __exit__(self, *_):
        Bound.run = self.run
        for name in (*CALLS, "_call"):
            self.device.__dict__.pop(name, None)
        if hasattr(self.device, "_replay"):
            self.device._replay = self.device._engine.replay

    def _crossing(self, original):
        def crossing(*args):
            self.js_calls += 1
            return original(*args)

        return crossing

    def _running(self, original):
        def run(bound):
            original(bound)
            self.plans.append(bound.plan)
            self.python.append(self.pending)
            self.pending = 0.0

        return run

    def _wrapped(self, name, original):
        def call(*args, **kwargs):
            if self.depth == 0:
                self.pending += time.perf_counter() - self.left
            self.depth += 1
            self.counts[name] += 1
            try:
                return original(*args, **kwargs)
            finally:
                if name == "alloc":
                    self.peak_bytes = max(self.peak_bytes, memory(self.device)["bytes"])
                self.depth -= 1
                if self.depth == 0:
                    self.left = time.perf_counter()

        return call

    @property
    def calls(self):
        """Writes, replays and reads together."""
        return sum(self.counts[name] for name in WORK)

    @property
    def plan(self):
        """The largest plan that ran: that of the training step."""
        return max(self.plans, key=lambda plan: plan.dispatches)

    def python_ms(self):
        """Median milliseconds of Python per step; the first is left out, it holds the start of the call."""
        return statistics.median(self.python[1:] or self.python or [0.0]) * 1e3


def measure(bench, budget=2.0):
    """Runs `bench.single` and `bench.loop` for a few steps each and returns counts per step.

    Those of the loop are what a step more adds: a longer loop less a shorter one.

    Args:
        bench: Something with `single()` and `loop(k)` that has run before, so that everything is compiled.
        budget: Seconds per mode, roughly; where a step takes more than half of it there are no loops.
    """
    start = time.perf_counter()
    bench.single()
    seconds = time.perf_counter() - start
    steps = max(3, min(20, int(budget / max(1e-3, seconds))))
    with Meter() as one:
        for _ in range(steps):
            bench.single()
    result = {
        "dispatches": one.plan.dispatches,
        "copies": len(one.plan.copies),
        "device_calls": round(one.calls / steps, 2),
        "js_calls": round(one.js_calls / steps, 2),
        "python_ms": round(one.python_ms(), 3),
        "allocations": one.counts["alloc"],
        **memory(),
    }
    if seconds < budget / 2:
        few, many = (loop_meter(bench, k) for k in (2, 2 + steps))
        result["loop_device_calls"] = round((many.calls - few.calls) / steps, 2)
        result["loop_js_calls"] = round((many.js_calls - few.js_calls) / steps, 2)
        result["loop_python_ms"] = round(many.python_ms(), 3)
    return result


def loop_meter(bench, k):
    """The Meter of one `bench.loop(k)`, everything compiled before."""
    bench.loop(k)
    with Meter() as seen:
        bench.loop(k)
    return seen


def report(bench):
    """`measure` as JSON, for contender.mjs."""
    return json.dumps(measure(bench))
