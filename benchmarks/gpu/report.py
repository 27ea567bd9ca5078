"""The table of a check, for the terminal and for benchmarks/README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- gpu-check -->", "<!-- /gpu-check -->"


def table(result: dict[str, Any]) -> str:
    """What ran on what, a row a workload, and the slowest kernels of each."""
    peak, adapter = result["peak_tflops"], result["adapter"]
    tests, probes = result.get("kernels"), result.get("probes", {})
    lines = [
        f"{result['date']}, {adapter['adapter']}, {adapter['driver']}, wgpu {adapter['wgpu']}; kernels of the {result['family']} family; "
        f"PyTorch {result['torch']}" + (f"; float32 peak {peak:.1f} TFLOP/s" if peak else "") + ".",
    ]
    if tests:
        lines.append(f"Kernel tests: {tests['passed']} passed, {len(tests['failed'])} failed, {tests['skipped']} skipped. "
                     + ", ".join(f"{k}: {v}" for k, v in probes.items()) + ".")  # fmt: skip
    lines += ["", "| workload | pyml ms | GFLOP/s | of peak | kernels' own ms | PyTorch ms | pyml / PyTorch | first step s |",
              "|---|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for row in result["rows"]:
        if "pyml" not in row:
            continue
        mine, other = row["pyml"], row.get("torch")
        rate = row["flops"] / mine["step_s"]
        own = mine["kernels"] and sum(k["s"] for k in mine["kernels"])
        cells = [row["workload"], f"{mine['step_s'] * 1e3:.3f}", f"{rate / 1e9:,.1f}", f"{rate / peak / 1e10:.1f} %" if peak else "–",
                 f"{own * 1e3:.3f}" if own else "–", f"{other['step_s'] * 1e3:.3f}" if other else "–",
                 f"{mine['step_s'] / other['step_s']:.2f}" if other else "–", f"{mine['first_s']:.2f}"]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| workload | its slowest kernels, ms by timestamps (GFLOP/s, GB/s) |", "|---|---|"]
    for row in result["rows"]:
        slowest = sorted(row.get("pyml", {}).get("kernels") or [], key=lambda k: -k["s"])[:4]
        if slowest:
            lines.append(f"| {row['workload']} | " + "; ".join(map(_kernel, slowest)) + " |")
    return "\n".join(lines)


def _kernel(k: dict[str, Any]) -> str:
    seconds = max(k["s"], 1e-9)
    return f"`{k['kernel']}` {k['s'] * 1e3:.3f} ({k['operations'] / seconds / 1e9:,.0f}, {k['bytes'] / seconds / 1e9:,.0f})"


def write(result: dict[str, Any]) -> None:
    """Puts the table between the marks in benchmarks/README.md."""
    before, _, rest = README.read_text().partition(START)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{README} has no {START} ... {END} to write the table between")
    README.write_text(f"{before}{START}\n{table(result)}\n{END}{after}")
