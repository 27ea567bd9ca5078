#!/usr/bin/env python3
"""Prints the yardstick's results as the table of benchmarks/README.md: pyml against the fastest peer.

    python benchmarks/report.py build/bench/results/pyml.json

Ratios are paired by round, peer / pyml: above 1 pyml is faster. The fastest peer is chosen by median.
"""

import json
import statistics
import sys

PYML = "pyml-webgpu"
ORDER = ["matmul", "eltwise", "mlp", "mnist-book", "mnist-deep", "mobilenet", "resnet", "transformer", "lstm"]


def milliseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def ratio(peer, pyml, key="single"):
    """Median, least and largest of peer / pyml over the rounds both ran, or None."""
    a, b = (dict(zip(c[key]["rounds"], c[key]["runs"])) for c in (peer, pyml))
    both = sorted(a[r] / b[r] for r in a if r in b)
    return (statistics.median(both), both[0], both[-1]) if both else None


def rows(workloads):
    rank = lambda wid: (next((i for i, p in enumerate(ORDER) if wid.startswith(p)), 99), len(wid), wid)
    for wid in sorted(workloads, key=rank):
        done = {c: r for c, r in workloads[wid]["contenders"].items() if r.get("single")}
        peers = {c: r for c, r in done.items() if not c.startswith("pyml")}
        yield wid, workloads[wid]["contenders"].get(PYML, {}), peers


def table(workloads):
    names = sorted({c for _, _, peers in rows(workloads) for c in peers})
    head = ["workload", "pyml ms", *[f"{n} ms" for n in names], "fastest peer / pyml (range)", "loop ms/step",
            "fastest loop", "dispatches", "Python ms", "JS calls", "loop Python ms", "loop JS calls", "first run ms"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    faster = total = 0
    for wid, mine, peers in rows(workloads):
        if not mine.get("single"):
            reason = mine.get("reason", "not run")[:80]
            lines.append(f"| {wid} | {mine.get('status', 'absent')}: {reason} |" + " |" * (len(head) - 2))
            continue
        best = min(peers, key=lambda c: peers[c]["single"]["median"], default=None)
        r = best and ratio(peers[best], mine)
        if r:
            total, faster = total + 1, faster + (r[0] >= 1)
        loops = [p["loop"]["median"] for p in peers.values() if p.get("loop")]
        stats = mine.get("stats") if isinstance(mine.get("stats"), dict) else {}
        costs = [str(stats.get(key, "–")) for key in ("dispatches", "python_ms", "js_calls", "loop_python_ms", "loop_js_calls")]
        lines.append("| " + " | ".join([
            wid, milliseconds(mine["single"]["median"]),
            *[milliseconds(peers[n]["single"]["median"]) if n in peers else "–" for n in names],
            f"{r[0]:.2f}x ({r[1]:.2f}–{r[2]:.2f})" if r else "–",
            milliseconds(mine["loop"]["median"]) if mine.get("loop") else "–",
            milliseconds(min(loops)) if loops else "–",
            *costs, milliseconds(mine.get("first_ms", 0)),
        ]) + " |")  # fmt: skip
    return lines, faster, total


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        stored = json.load(f)["workloads"]
    lines, faster, total = table(stored)
    print("\n".join(lines))
    print(f"\npyml is at least as fast as the fastest peer on {faster} of {total} workloads (median ratio).")
