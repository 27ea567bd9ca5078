#!/usr/bin/env python3
"""Times the hand-written kernels in headless Chromium, at the shapes of the benchmark's models.

  python tools/kernel_bench.py                    every case, the software adapter's kernels
  python tools/kernel_bench.py conv2d deep        only cases whose name contains one of the words
  python tools/kernel_bench.py --family tile      the GPU's kernels (slow on a software adapter: barriers)
  python tools/kernel_bench.py --adapter default  on the browser's own adapter

Each line: milliseconds (median and least of the rounds), processor time of the GPU process divided by the number
of cores (steadier than the clock on a busy machine), and milliseconds to compile, GFLOP/s from the median and from the processor time.
"""

from __future__ import annotations

import argparse
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pyml.compile import kernels  # noqa: E402
from pyml.graph.node import Node  # noqa: E402
from pyml.graph.op import OPS, KernelSpec, Profile  # noqa: E402
from pyml.graph.prims import INPUT  # noqa: E402

FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PLAIN = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
PAGE = """
async ({code, sizes, grid, rounds}) => {
  const d = window.device;
  d.pushErrorScope("validation");
  const n = sizes.length;
  const kind = i => ({binding: i, visibility: 4, buffer: {type: i < n - 1 ? "read-only-storage" : "storage"}});
  const layout = d.createBindGroupLayout({entries: sizes.map((_, i) => kind(i))});
  const started = performance.now();
  const pipeline = await d.createComputePipelineAsync({
    layout: d.createPipelineLayout({bindGroupLayouts: [layout]}),
    compute: {module: d.createShaderModule({code}), entryPoint: "main"}});
  const compile = performance.now() - started;
  const buffers = sizes.map(size => d.createBuffer({size, usage: 128 | 8}));
  buffers.forEach((b, i) => d.queue.writeBuffer(b, 0, Float32Array.from({length: sizes[i] / 4}, () => Math.random() - 0.5)));
  const group = d.createBindGroup({layout, entries: buffers.map((buffer, binding) => ({binding, resource: {buffer}}))});
  const run = async times => {
    const t = performance.now();
    const encoder = d.createCommandEncoder(), pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...grid);
    pass.end();
    d.queue.submit([encoder.finish()]);
    await d.queue.onSubmittedWorkDone();
    return (performance.now() - t) / times;
  };
  await run(1);
  const times = Math.max(1, Math.min(50, Math.round(80 / Math.max(await run(1), 0.05))));
  const before = await window.cpu(), all = [];
  for (let i = 0; i < rounds; i++) all.push(await run(times));
  const after = await window.cpu();
  all.sort((a, b) => a - b);
  buffers.forEach(b => b.destroy());
  const error = await d.popErrorScope();
  return {error: error && error.message, least: all[0], median: all[rounds >> 1], compile, cpu: (after - before) / (rounds * times)};
}
"""


Case = tuple[str, str, list[tuple[int, ...]], dict[str, Any], int]


def cases() -> Iterator[Case]:
    """(name, op, operand shapes, attributes, multiply-adds)."""

    def matmul(name: str, m: int, n: int, k: int, ta: bool = False, tb: bool = False) -> Case:
        a, b = ((k, m) if ta else (m, k)), ((n, k) if tb else (k, n))
        return f"matmul {name} {m}x{k}x{n}{' ta' * ta}{' tb' * tb}", "matmul", [a, b], {"ta": ta, "tb": tb}, m * n * k

    for n in (256, 512, 1024):
        yield matmul("square", n, n, n)
    for flags in ((True, False), (False, True), (True, True)):
        yield matmul("square", 512, 512, 512, *flags)
    yield matmul("mlp", 64, 128, 784)
    yield matmul("mlp", 784, 128, 64, ta=True)
    yield matmul("mlp", 64, 10, 128)
    yield matmul("mlp", 64, 128, 10, tb=True)
    yield matmul("mlp", 128, 10, 64, ta=True)
    yield matmul("deep", 128, 512, 1024)
    yield matmul("deep", 1024, 512, 128, ta=True)
    yield matmul("deep", 128, 1024, 512, tb=True)
    for model, batch, h, c, k, f in (
        ("book64", 64, 28, 1, 5, 8), ("book64", 64, 12, 8, 5, 16), ("book512", 512, 28, 1, 5, 8), ("book512", 512, 12, 8, 5, 16),
        ("deep", 128, 28, 1, 3, 32), ("deep", 128, 26, 32, 3, 32), ("deep", 128, 12, 32, 3, 64), ("deep", 128, 10, 64, 3, 64),
    ):  # fmt: skip
        x, w, o = (batch, h, h, c), (k, k, c, f), h - k + 1
        y, work = (batch, o, o, f), batch * o * o * f * k * k * c
        name = f"{model} {batch}x{h}x{h}x{c} {k}x{k} {f}"
        yield f"conv2d {name}", "conv2d", [x, w], PLAIN, work
        if c > 1:
            yield f"conv2d_input_grad {name}", "conv2d_input_grad", [y, w], PLAIN | {"input_hw": (h, h)}, work
        yield f"conv2d_filter_grad {name}", "conv2d_filter_grad", [x, y], PLAIN | {"kernel_hw": (k, k)}, work
    x, w, attrs = (1, 56, 56, 128), (3, 3, 1, 128), PLAIN | {"groups": 128, "padding": ((1, 1), (1, 1))}
    yield "conv2d depthwise 56x56x128 3x3", "conv2d", [x, w], attrs, 56 * 56 * 128 * 9
    yield "conv2d_input_grad depthwise 56x56x128 3x3", "conv2d_input_grad", [x, w], attrs | {"input_hw": (56, 56)}, 56 * 56 * 128 * 9
    yield "conv2d_filter_grad depthwise 56x56x128 3x3", "conv2d_filter_grad", [x, x], attrs | {"kernel_hw": (3, 3)}, 56 * 56 * 128 * 9
    window = {"size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    for model, x in (("book64", (64, 24, 24, 8)), ("book64", (64, 8, 8, 16)), ("deep", (128, 24, 24, 32))):
        y = (x[0], x[1] // 2, x[2] // 2, x[3])
        yield f"max_pool2d {model} {x}", "max_pool2d", [x], window, 0
        yield f"max_pool2d_grad {model} {x}", "max_pool2d_grad", [x, y, y], window, 0
    yield "softmax 64x10", "softmax", [(64, 10)], {}, 0
    yield "softmax 1024x128", "softmax", [(1024, 128)], {}, 0
    yield "argmax 64x10", "argmax", [(64, 10)], {}, 0


def processor_ms() -> float:
    """Processor time of every GPU process below this one, in milliseconds."""
    table = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            gpu = b"gpu-process" in Path(f"/proc/{pid}/cmdline").read_bytes()
            table[int(pid)] = int(rest[1]), (int(rest[11]) + int(rest[12])) * gpu
        except OSError:
            continue
    total, me = 0, os.getpid()
    for child, (parent, ticks) in table.items():
        while ticks and parent in table and parent != me:
            parent = table[parent][0]
        total += ticks * (parent == me and child != me)
    return total * 1000 / os.sysconf("SC_CLK_TCK")


class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>kernels</title>")

    def log_message(self, *args: Any) -> None:
        pass


def measure(
    page: Any, op: str, shapes: list[tuple[int, ...]], attrs: dict[str, Any], profile: Profile, rounds: int
) -> tuple[KernelSpec, dict[str, Any]]:
    node = OPS[op](*(Node(INPUT, (), {}, s, "float32") for s in shapes), **attrs)
    lower = OPS[op].lower
    lowered = lower(node, profile) if lower is not None else None
    node = lowered.src[0] if lowered is not None else node
    spec = node.op.spec(node, profile)
    sizes = [-(-4 * int(np.prod(s)) // 16) * 16 for s in (*shapes, node.shape)]
    code = kernels.fill(spec.file, spec.params, spec.hooks)
    return spec, page.evaluate(PAGE, {"code": code, "sizes": sizes, "grid": list(spec.grid), "rounds": rounds})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--family", choices=["register", "tile"], default="register")
    parser.add_argument("--adapter", choices=["swiftshader", "default"], default="swiftshader")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    flags = FLAGS + ["--use-webgpu-adapter=swiftshader"] * (args.adapter == "swiftshader")
    profile = Profile(args.family, threads=1024 if args.family == "register" else 65536)
    cores = os.cpu_count() or 1
    print(f"{'case':54} {'kernel':24} {'median':>9} {'least':>9} {'cpu':>9} {'compile':>8}  GFLOP/s (by cpu)")
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=flags)
        page = browser.new_page()
        page.expose_function("cpu", processor_ms)
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.evaluate("async () => { window.device = await (await navigator.gpu.requestAdapter()).requestDevice(); }")
        for name, op, shapes, attrs, work in cases():
            if args.words and not any(w in name for w in args.words):
                continue
            spec, r = measure(page, op, shapes, attrs, profile, args.rounds)
            if r["error"]:
                raise SystemExit(f"{name}: {r['error']}")
            cpu = r["cpu"] / cores
            rate = f"{2e-6 * work / r['median']:8.2f} ({2e-6 * work / max(cpu, 1e-3):.2f})" if work else ""
            print(f"{name:54} {spec.file:24} {r['median']:9.2f} {r['least']:9.2f} {cpu:9.2f} {r['compile']:8.0f}  {rate}", flush=True)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
