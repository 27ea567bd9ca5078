"""`make bench MODELS=1`: trained networks in pyml, TensorFlow.js and ONNX Runtime Web, side by side in one page.

    build/bench/.venv/bin/python -m benchmarks.models                  webgpu, then wasm; about six minutes on a software adapter
    ... --devices wasm --networks movenet,posenet --rounds 31          parts of it
    ... --table                                                        the stored figures again

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

from benchmarks.models.networks import NETWORKS, prepare  # noqa: E402
from benchmarks.report import milliseconds  # noqa: E402

LIBRARIES = ("pyml", "tfjs", "ort")
# Fresh pages a network, milliseconds of timed predictions a contender and of a whole page after which no round begins, fewest rounds.
EFFORT = {
    "webgpu": {"pages": 1, "budget": 3000, "page": 50_000, "minRounds": 2},
    "wasm": {"pages": 2, "budget": 2000, "page": 20_000, "minRounds": 5},
}
TOLERANCE = 2e-3   # of the largest value


def measure(device, networks, rounds, pages, store):
    """Visits the pages of one device; `store` is called after each with all results so far."""
    from playwright.sync_api import sync_playwright

    yardstick.EXTRA = str(REPOSITORY)
    port, found = yardstick.serve(), {}
    effort = EFFORT[device]
    pages = pages or effort["pages"]
    with sync_playwright() as play:
        for page in range(pages):
            for name, network in networks.items():
                order = [f"{LIBRARIES[(i + page) % 3]}-{device}" for i in range(3)]
                query = {"network": {**network, "tolerance": TOLERANCE}, "contenders": order, "rounds": rounds, "limit": 120_000, **effort}
                address = "../extra/benchmarks/models/models.html?q=" + urllib.parse.quote(json.dumps(query))
                result = yardstick.visit(play, port, address, 400)
                result["load_average"] = os.getloadavg()[0]
                found.setdefault(name, []).append(result)
                store(found)
                if result.get("error") or result.get("page_errors"):
                    print("   ", result.get("error"), result.get("page_errors"), flush=True)
    return found


# ---- what is printed


def joined(pages, contender):
    """One contender's figures over all pages of a network: times with their places, and medians of the rest."""
    records = [p["contenders"][contender] for p in pages if contender in p.get("contenders", {})]
    good = [(i, r) for i, r in enumerate(records) if r.get("status") == "ok" and r["times"]]
    if not good:
        reasons = [*(r.get("reason") for r in records), *(p.get("error") for p in pages)]
        reasons += [error for page in pages for error in page.get("page_errors", [])]
        return {"reason": next((" ".join(reason.split()) for reason in reasons if reason), "not run")}
    times = {(i, k): ms for i, r in good for k, ms in zip(r["rounds"], r["times"], strict=True)}
    middle = lambda key: statistics.median(r[key] for _, r in good)
    return {
        "times": times, "steady": statistics.median(times.values()), "first": middle("first_ms"), "library": middle("library_ms"),
        "difference": max(r["difference"] for _, r in good), "profile": good[-1][1].get("profile") or {},
    }  # fmt: skip


def quotient(peer, own):
    """Median, least and largest of peer / pyml over the rounds that both ran."""
    both = sorted(peer["times"][k] / own["times"][k] for k in own["times"] if k in peer["times"])
    return statistics.median(both), both[0], both[-1]


def table(found, device):
    """Lines of markdown: steady latency, load to first prediction, and what a prediction costs in pyml."""
    ids = [f"{library}-{device}" for library in LIBRARIES]
    head = ["network", *[f"{i} ms" for i in ids], "fastest peer / pyml (range)", *[f"{i} first ms" for i in ids],
            "fastest first / pyml", "largest difference", "dispatches", "JS calls", "Python ms"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    led, started = 0, {}
    for name, pages in found.items():
        own, *peers = (joined(pages, i) for i in ids)
        cells = [milliseconds(c["steady"]) if "steady" in c else f"failed: {c['reason'][:60]}" for c in (own, *peers)]
        firsts = [milliseconds(c["first"]) if "first" in c else "–" for c in (own, *peers)]
        able = [p for p in peers if "steady" in p]
        for i, c in zip(ids, (own, *peers), strict=True):
            if "library" in c:
                started.setdefault(i, []).append(c["library"])
        steady = first = "–"
        if able and "steady" in own:
            ratio, low, high = quotient(min(able, key=lambda p: p["steady"]), own)
            led += ratio >= 1
            steady = f"{ratio:.2f}x ({low:.2f}–{high:.2f})"
            first = f"{min(p['first'] for p in able) / own['first']:.2f}x"
        cost = own.get("profile", {})
        apart = max((c["difference"] for c in (own, *peers) if "difference" in c), default=float("nan"))
        lines.append("| " + " | ".join([name, *cells, steady, *firsts, first, f"{apart:.1e}",
                                        *(str(cost.get(k, "–")) for k in ("dispatches", "js_calls", "python_ms"))]) + " |")  # fmt: skip
    loads = sorted(p["load_average"] for pages in found.values() for p in pages)
    ready = ", ".join(f"{i} {statistics.median(v) / 1e3:.1f} s" for i, v in started.items())
    lines.append(f"\npyml is at least as fast as the fastest peer on {led} of {len(found)} networks (median ratio).")
    lines.append(f"Before that, until the library is ready: {ready}. Load average {loads[0]:.1f} to {loads[-1]:.1f}.")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--devices", default="webgpu,wasm")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=15, help="predictions of each contender in a page, at most")
    parser.add_argument("--pages", type=int, default=0, help="fresh pages for each network; by default 1 for webgpu, 2 for wasm")
    parser.add_argument("--table", action="store_true", help="print what was measured last")
    options = parser.parse_args()
    names, start = options.networks.split(","), time.time()
    unknown = [n for n in names if n not in NETWORKS] + [d for d in options.devices.split(",") if d not in EFFORT]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; networks are {', '.join(NETWORKS)}, devices {', '.join(EFFORT)}.")
    networks = None if options.table else prepare(BENCH / "models" / "hub", names)
    for device in options.devices.split(","):
        place = BENCH / "results" / f"models-{device}.json"
        place.parent.mkdir(exist_ok=True)
        if not options.table:
            measure(device, networks, options.rounds, options.pages, lambda found, place=place: place.write_text(json.dumps(found)))
        print(f"\n{device}:\n\n" + "\n".join(table(json.loads(place.read_text()), device)), flush=True)
    if not options.table:
        print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {time.time() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
