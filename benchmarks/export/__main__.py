"""Exported networks beside TensorFlow.js and ONNX Runtime Web: from opening a page to its first prediction, and each one after.

    build/bench/.venv/bin/python -m benchmarks.export                  all of it, under ten minutes on two cores without a GPU
    ... --devices wasm --networks movenet,posenet --rounds 9           parts of it
    ... --quick                                                        MobileNetV1 and the digits on wasm, one round: a minute
    ... --table                                                        the stored figures again

Every contender has a page of its own, as its user would write it; all come from one server on this machine, with the isolation
headers that threads need. A visit is a fresh window, in which nothing is kept: the page loads library, network and photo, predicts
(counted from the navigation), then predicts again for a while. Contenders take turns, the first of a round changing. What
they predict is compared. Then both learn digits from the same first weights, batch by batch, until they read 97 of 100 unseen ones.

Run from the repository; `run.sh` sets up the yardstick in build/bench, whose server and libraries are used.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BENCH = REPOSITORY / "build" / "bench"
sys.path[:0] = [str(REPOSITORY), str(BENCH)]

import run as yardstick  # noqa: E402  (the yardstick's server and browser)

from benchmarks.export.files import digits, networks_of, page_of  # noqa: E402
from benchmarks.models.networks import NETWORKS  # noqa: E402
from benchmarks.report import milliseconds  # noqa: E402

LIBRARIES = ("pyml", "tfjs", "ort")
# Rounds, and how long a contender predicts after the first time: milliseconds, and times at most.
EFFORT = {"webgpu": {"rounds": 1, "budget": 1500, "most": 3}, "wasm": {"rounds": 5, "budget": 700, "most": 20}}
TOLERANCE = 2e-3  # of the largest value
LIMIT = 120  # seconds for a page
LEARNERS = [("pyml", "wasm", 3), ("tfjs", "webgl", 1), ("tfjs", "cpu", 1)]  # with rounds; TensorFlow.js trains no convolution on wasm
GOAL = {"goal": 0.97, "limit": 45_000}


def visit(browser, url, script=None, arguments=None):
    """What `window.out` of a page becomes, and what `script` gives then."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(1000 * LIMIT)
    try:
        page.goto(url, wait_until="commit")
        page.wait_for_function("window.out")
        out = page.evaluate("window.out")
        more = page.evaluate(script, arguments) if script and "error" not in out else None
    except Exception as error:  # one contender that fails must not end the rest
        out, more = {"error": str(error).splitlines()[0][:300]}, None
    context.close()
    return out, more


def measure(browser, port, networks, device, contenders, rounds, store):
    """Visits the pages of one device; `store` is called after each network with all results so far."""
    effort, found = EFFORT[device], {}
    for name, network in networks.items():
        visits = {library: [] for library in contenders}
        for turn in range(rounds or effort["rounds"]):
            for i in range(len(contenders)):
                library = contenders[(i + turn) % len(contenders)]
                url = f"http://127.0.0.1:{port}/{page_of(library, network, device)}"
                steady = "([most, budget]) => window.steady(most, budget)"
                out, times = visit(browser, url, steady, [effort["most"], effort["budget"]])
                visits[library].append({"turn": turn, "times": times, **out})
                print(f"{name} {library}-{device}: {out.get('error') or round(out['first'])} ms", flush=True)
        found[name] = compared(visits)
        store(found)
    return found


def compared(visits):
    """The visits without their values, each with how far those are from the first contender's."""
    expected = next((v["values"] for v in next(iter(visits.values())) if "values" in v), None)
    for own in visits.values():
        for one in own:
            values = one.pop("values", None)
            if values is None or expected is None:
                continue
            one["largest"] = max(abs(n) for part in expected for n in part)
            one["difference"] = apart(values, expected)
            if one["difference"] > TOLERANCE * max(1, one["largest"]):
                one["error"] = f"predicts something else: differs by {one['difference']:.1e}"
    return visits


def apart(values, expected):
    """The largest difference of two predictions, lists of lists."""
    if [len(a) for a in values] != [len(a) for a in expected]:
        return 1e9
    return max(abs(a - b) for x, y in zip(values, expected, strict=True) for a, b in zip(x, y, strict=True))


def learn(browser, port, learners):
    """How long pages take from being opened until they read 97 of 100 unseen digits, in turn."""
    found = {f"{library}-{device}": [] for library, device, _ in learners}
    for turn in range(max(rounds for *_, rounds in learners)):
        for library, device, rounds in learners:
            if turn < rounds:
                out, _ = visit(browser, f"http://127.0.0.1:{port}/{page_of(f'learn-{library}', GOAL, device)}")
                found[f"{library}-{device}"].append(out)
                print(f"digits {library}-{device}: {out.get('error') or round(out['at'])} ms, {out.get('accuracies')}", flush=True)
    return found


# ---- what is printed


def good(visits):
    return {v["turn"]: v for v in visits if "error" not in v and v.get("times")}


def column(visits, of):
    """Cells of each library, and how many times as long the fastest peer took as pyml: median and range over the rounds."""
    own = {library: {turn: of(v) for turn, v in good(all_).items()} for library, all_ in visits.items()}
    cells = [milliseconds(statistics.median(times.values())) if times else "failed" for times in own.values()]
    peers = [times for library, times in own.items() if library != "pyml" and times]
    if not peers or not own.get("pyml"):
        return [*cells, "–"], None
    fastest = min(peers, key=lambda times: statistics.median(times.values()))
    ratios = sorted(fastest[turn] / ms for turn, ms in own["pyml"].items() if turn in fastest)
    middle = statistics.median(ratios)
    return [*cells, f"{middle:.2f}x ({ratios[0]:.2f}–{ratios[-1]:.2f})"], middle


def table(found, device):
    """Lines of markdown."""
    libraries = list(next(iter(found.values())))
    head = ["network", *[f"{i} first ms" for i in libraries], "fastest / pyml (range)", *[f"{i} ms" for i in libraries],
            "fastest / pyml (range)", "largest difference", "threads"]  # fmt: skip
    lines, ahead = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"], [0, 0]
    for name, visits in found.items():
        first, least = column(visits, lambda v: v["first"])
        steady, middle = column(visits, lambda v: statistics.median(v["times"]))
        ahead = [n + ((ratio or 0) >= 1) for n, ratio in zip(ahead, (least, middle), strict=True)]
        everyone = [v for own in visits.values() for v in own]
        apart = max((v["difference"] for v in everyone if "difference" in v), default=float("nan"))
        threads = "/".join(str(next((v["threads"] for v in own if "threads" in v), "–")) for own in visits.values())
        lines.append("| " + " | ".join([name, *first, *steady, f"{apart:.1e}", threads]) + " |")
        lines += [f"  {library}: {v['error']}" for library, own in visits.items() for v in own if "error" in v]
    of = f"of {len(found)}"
    lines.append(f"\n{device}: ahead of the fastest peer in {ahead[0]} {of} first predictions and {ahead[1]} {of} later ones.")
    return lines


def learning_table(found):
    lines = ["| learner | page opened to 97 % ms | accuracy on unseen digits, lot by lot |", "|---|---:|---|"]
    for name, visits in found.items():
        fine = [v for v in visits if "error" not in v]
        if not fine:
            lines.append(f"| {name} | failed: {visits[0]['error'][:80]} | |")
            continue
        middle = statistics.median(v["at"] for v in fine)
        note = "" if all(v["reached"] for v in fine) else "not within "
        lines.append(f"| {name} | {note}{milliseconds(middle)} | {', '.join(f'{a:.3f}' for a in fine[-1]['accuracies'])} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--devices", default="webgpu,wasm")
    parser.add_argument("--networks", default=",".join(NETWORKS))
    parser.add_argument("--contenders", default=",".join(LIBRARIES))
    parser.add_argument("--rounds", type=int, default=0, help="visits of each page; by default 1 for webgpu, 5 for wasm")
    parser.add_argument("--quick", action="store_true", help="one round of MobileNetV1 and of the digits, on wasm")
    parser.add_argument("--no-digits", action="store_true", help="leave out the learning")
    parser.add_argument("--table", action="store_true", help="print what was measured last")
    options = parser.parse_args()
    if options.quick:
        options.devices, options.networks, options.rounds = "wasm", "mobilenet_v1", 1
    names, devices, contenders = (text.split(",") for text in (options.networks, options.devices, options.contenders))
    for given, known in ((names, NETWORKS), (devices, EFFORT), (contenders, LIBRARIES)):
        unknown = [one for one in given if one not in known]
        if unknown:
            parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(known)}.")
    results = BENCH / "results"
    results.mkdir(exist_ok=True)
    place = lambda what: results / f"export-{what}{'-quick' if options.quick else ''}.json"
    start, browser, found = time.time(), None, {}
    if not options.table:
        networks = networks_of(names)
        digits()
        yardstick.EXTRA = str(REPOSITORY)
        port = yardstick.serve()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = None if options.table else yardstick.launch(play)
        for device in devices:
            store = lambda found, device=device: place(device).write_text(json.dumps(found))
            if browser:
                measure(browser, port, networks, device, contenders, options.rounds, store)
            found[device] = table(json.loads(place(device).read_text()), device)
        if not options.no_digits:
            if browser:
                learners = [(library, device, 1 if options.quick else n) for library, device, n in LEARNERS if library in contenders]
                place("digits").write_text(json.dumps(learn(browser, port, learners[: 2 if options.quick else None])))
            found["digits"] = learning_table(json.loads(place("digits").read_text()))
        if browser:
            browser.close()
    for lines in found.values():
        print("\n" + "\n".join(lines), flush=True)
    if not options.table:
        machine = f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"
        print(f"\n{time.strftime('%Y-%m-%d')}, {machine}, {time.time() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
