#!/usr/bin/env python3
"""Whether memory stays flat: one program called with ever new shapes, and ever new models trained and dropped.

    PYML_BACKEND=webgpu python benchmarks/growth.py
    PYML_BACKEND=wasm python benchmarks/growth.py --shapes 400 --models 0
    PYML_BACKEND=webgpu python benchmarks/growth.py --driver 3000

Prints resident memory and what is kept every 200 shapes and every 50 models; ends with 1 if the resident memory after the
first 200 shapes, or the first 200 models, rose by more than 30 MB. `--driver` makes pipelines by wgpu alone, runs each once
and drops it: what the memory rises by then the driver keeps, whoever uses it, and as much for every pipeline of pyml does not count.
"""

import argparse
import gc
import sys
import time

import numpy as np

import pyml
from pyml import Input, Sequential, config, layers, ops
from pyml.compile import program as plans

MOST = 30  # MB
KERNEL = """
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3<u32>) {
  var sum = 0.0;
  for (var i = 0u; i < ROUNDS; i++) { sum += exp(f32(i) * FACTOR) + y[i]; }
  y[at.x] = sum;
}
"""


made = 0  # pipelines, by pyml


def counting() -> None:
    """Counts the pipelines that the device makes for pyml."""
    shared = getattr(config.device(), "_pipelines", None)
    if shared is None:
        return
    put = shared.put

    def counted(key, value):
        global made
        made += 1
        return put(key, value)

    shared.put = counted


def resident() -> float:
    """Megabytes of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def kept() -> str:
    device = config.device()
    counts = {"plans": len(plans._plans), "buffers": getattr(getattr(device, "usage", device), "live", 0)}
    for name in ("_pipelines", "_modules"):
        if hasattr(device, name):
            counts[name.strip("_")] = len(getattr(device, name).recent)
    if made:
        counts["pipelines made"] = made
    usage = getattr(device, "usage", None)
    spare = f", {(usage.nbytes - usage.live_bytes) / 2**20:.1f} MB of freed arrays" if usage is not None else ""
    return ", ".join(f"{n} {name}" for name, n in counts.items()) + spare


def driver(number: int) -> float:
    """Megabytes that the driver keeps of a pipeline that was used once and dropped; of pyml there is only the device that it opened."""
    import wgpu

    device = config.device()._device
    usage = wgpu.BufferUsage.STORAGE | wgpu.BufferUsage.COPY_SRC

    def one(i: int) -> None:
        module = device.create_shader_module(code=KERNEL.replace("ROUNDS", f"{i % 50 + 3}u").replace("FACTOR", f"{i + 1}.0"))
        pipeline = device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})
        buffer = device.create_buffer(size=256, usage=usage)
        entries = [{"binding": 0, "resource": {"buffer": buffer, "offset": 0, "size": 256}}]
        group = device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        encoder = device.create_command_encoder()
        work = encoder.begin_compute_pass()
        work.set_pipeline(pipeline)
        work.set_bind_group(0, group)
        work.dispatch_workgroups(1)
        work.end()
        device.queue.submit([encoder.finish()])
        device.queue.read_buffer(buffer)
        buffer.destroy()

    return max(0.0, repeated("pipelines of wgpu alone", number, 200, one)[0]) / max(1, number - 200)


def shapes(number: int) -> tuple[float, int]:
    """A program of a few kernels, called with arrays of 1, 2, 3, … rows."""
    weight = pyml.Variable(np.ones((4, 8), np.float32))
    program = pyml.program(lambda x: ops.sum(ops.softmax(ops.matmul(x, weight) * 2 + 1)))
    return repeated("shapes", number, 200, lambda i: float(program(np.ones((i + 1, 4), np.float32))))


def models(number: int) -> tuple[float, int]:
    """Models of different widths: compiled, trained for two steps, asked, and dropped."""

    def one(i: int) -> None:
        x, y = np.ones((8, 20), np.float32), np.ones((8, 3), np.float32)
        model = Sequential([Input((20,)), layers.Dense(8 + i, activation="relu"), layers.Dense(3)])
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=4, verbose=0)
        model.predict(x, verbose=0)

    return repeated("models", number, 50, one)


def repeated(what: str, number: int, every: int, one) -> tuple[float, int]:
    """Calls `one(i)`; how many megabytes the memory rose after the first 200 calls, and how many pipelines were made meanwhile."""
    start, before, since = None, 0, time.perf_counter()
    for i in range(number):
        one(i)
        if (i + 1) % every == 0:
            gc.collect()
            now = resident()
            start, before = (now, made) if i + 1 == 200 else (start, before)
            print(f"{i + 1:5} {what}: {now:7.1f} MB, {kept()}, {time.perf_counter() - since:.0f} s", flush=True)
    return (resident() - start, made - before) if start is not None else (0.0, 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=int, default=2000)
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--driver", type=int, default=0)
    options = parser.parse_args()
    print(pyml.config.describe())
    counting()
    each = driver(options.driver) if options.driver else 0.0  # first: later there is room that others have left
    rose = {"shapes": shapes(options.shapes), "models": models(options.models)}
    for what, (mb, count) in rose.items():
        told = f", {each * count:.1f} MB of it the driver's: {each * 1024:.1f} kB of each of {count:,} pipelines" if options.driver else ""
        print(f"{what}: {mb:+.1f} MB after the first 200{told}")
    return int(max(mb - each * count for mb, count in rose.values()) > MOST)


if __name__ == "__main__":
    sys.exit(main())
