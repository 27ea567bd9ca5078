"""`make bench CAMERA=1`: camera frame to prediction in pyml and TensorFlow.js, in turn on one page.

    build/bench/.venv/bin/python -m benchmarks.camera [--rounds 11]

Run from the repository; `run.sh` sets up the yardstick in build/bench, whose browser, server and libraries are used.
"""

import argparse
import json
import os
import statistics
import sys
import time
import urllib.parse
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BENCH = REPOSITORY / "build" / "bench"
sys.path[:0] = [str(REPOSITORY), str(BENCH)]

import run as yardstick  # noqa: E402  (the yardstick's server and browser)

from benchmarks.models.networks import prepare  # noqa: E402

# A contender, and whether its canvas may be transparent. pyml on WebGPU three times: the GPU copies the canvas, the browser
# reads it and the GPU takes the bytes apart, they pass through Python as an array. The first is what GPUs do with opaque
# pictures and the second with the rest, the third is what software adapters do.
CONTENDERS = {"pyml-webgpu-copy": False, "pyml-webgpu-read": True, "pyml-webgpu-array": False, "tfjs-webgpu": False,
              "pyml-wasm": False, "tfjs-wasm": False}  # fmt: skip


def measure(rounds):
    """What the page found."""
    from playwright.sync_api import sync_playwright

    network = prepare(BENCH / "models" / "hub", ["mobilenet_v1"])["mobilenet_v1"]
    query = {"contenders": list(CONTENDERS.items()), "rounds": rounds, "outputs": network["outputs"], "tolerance": 2e-3}
    yardstick.EXTRA = str(REPOSITORY)
    port = yardstick.serve()
    with sync_playwright() as play:
        return yardstick.visit(play, port, "../extra/benchmarks/camera/camera.html?q=" + urllib.parse.quote(json.dumps(query)), 900)


def table(found):
    """Lines of markdown: milliseconds of each contender, and quotients paired by round."""
    lines = ["| contender | frame to prediction ms (range) | frame to tensor ms (range) | largest difference |", "|---|---:|---:|---:|"]
    shown = lambda ms: f"{statistics.median(ms):.1f} ({min(ms):.1f}–{max(ms):.1f})"
    times = {}
    for name in CONTENDERS:
        record = found.get("contenders", {}).get(name, {})
        if record.get("status") != "ok" or not record["times"]:
            lines.append(f"| {name} | failed: {record.get('reason', 'not run')[:80]} | | |")
            continue
        times[name] = record
        lines.append(f"| {name} | {shown(record['times'])} | {shown(record['taken'])} | {record['difference']:.1e} |")
    lines.append("")
    usual = "pyml-webgpu-copy" if found.get("gpu") else "pyml-webgpu-array"
    others = [(way, usual) for way in CONTENDERS if way.startswith("pyml-webgpu") and way != usual]
    for slow, fast in [("tfjs-webgpu", usual), ("tfjs-wasm", "pyml-wasm"), *others]:
        if slow in times and fast in times:
            texts = []
            for key, what in (("times", "to prediction"), ("taken", "to tensor")):
                ratios = [a / b for a, b in zip(times[slow][key], times[fast][key], strict=True)]
                texts.append(f"{what} {statistics.median(ratios):.2f}x ({min(ratios):.2f}–{max(ratios):.2f})")
            lines.append(f"{slow} / {fast}: {', '.join(texts)}")
    lines.append(f"\nThe adapter is {'a GPU' if found.get('gpu') else 'software'}; pyml does as {usual} there.")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=11, help="frames of each contender")
    options = parser.parse_args()
    found = measure(options.rounds)
    if found.get("error") or found.get("page_errors"):
        print(found.get("error"), found.get("page_errors"), file=sys.stderr)
    print("\n" + "\n".join(table(found)))
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.")
    return 0 if len(found.get("contenders", {})) == len(CONTENDERS) and not found.get("error") else 1


if __name__ == "__main__":
    sys.exit(main())
