#!/usr/bin/env python3
"""Prints the yardstick's results as the table of benchmarks/README.md: pyml against the fastest peer.

    python benchmarks/report.py build/bench/results/pyml-webgpu.json
    python benchmarks/report.py build/bench/results/pyml-wasm.json pyml-wasm build/bench/results/native.json

The second argument is pyml's id among the contenders, the third PyTorch's figures from the yardstick's native.py.
Ratios are paired by round, peer / pyml: above 1 pyml is faster. The fastest peer is chosen by median.
"""

import json
import statistics
import sys

ORDER = ["matmul", "eltwise", "mlp", "mnist-book", "mnist-deep", "mobilenet", "resnet", "transformer", "lstm"]


def milliseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def ratio(peer, pyml, key="single"):
    """Median, least and largest of peer / pyml over the rounds both ran, or None."""
    a, b = (dict(zip(c[key]["rounds"], c[key]["runs"])) for c in (peer, pyml))
    both = sorted(a[r] / b[r] for r in a if r in b)
    return (statistics.median(both), both[0], both[-1]) if both else None


def rows(workloads, pyml):
    rank = lambda wid: (next((i for i, p in enumerate(ORDER) if wid.startswith(p)), 99), len(wid), wid)
    for wid in sorted(workloads, key=rank):
        done = {c: r for c, r in workloads[wid]["contenders"].items() if r.get("single")}
        peers = {c: r for c, r in done.items() if not c.startswith("pyml")}
        yield wid, workloads[wid]["contenders"].get(pyml, {}), peers


def table(workloads, pyml, native):
    names = sorted({c for _, _, peers in rows(workloads, pyml) for c in peers})
    torch = native.get("torch1", {})
    head = ["workload", f"{pyml} ms", *[f"{n} ms" for n in names], "fastest peer / pyml (range)",
            *(["PyTorch, 1 thread, native, ms", "pyml / PyTorch"] if torch else []), "loop ms/step",
            "fastest loop", "dispatches", "Python ms", "JS calls", "loop Python ms", "loop JS calls", "first run ms"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    faster = total = 0
    for wid, mine, peers in rows(workloads, pyml):
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
            *(_beside(mine, torch.get(wid)) if torch else []),
            milliseconds(mine["loop"]["median"]) if mine.get("loop") else "–",
            milliseconds(min(loops)) if loops else "–",
            *costs, milliseconds(mine.get("first_ms", 0)),
        ]) + " |")  # fmt: skip
    return lines, faster, total


def _beside(mine, anchor):
    """PyTorch's median, and how many times pyml's loop (or single step) takes of it."""
    if not anchor:
        return ["–", "–"]
    own = (mine.get("loop") or mine["single"])["median"]
    return [milliseconds(anchor["median"]), f"{own / anchor['median']:.2f}"]


def _read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    pyml = sys.argv[2] if len(sys.argv) > 2 else "pyml-webgpu"
    lines, faster, total = table(_read(sys.argv[1])["workloads"], pyml, _read(sys.argv[3]) if len(sys.argv) > 3 else {})
    print("\n".join(lines))
    print(f"\npyml is at least as fast as the fastest peer on {faster} of {total} workloads (median ratio).")
