#!/usr/bin/env python3
"""pyml on the desktop adapter beside PyTorch on the same machine: matmul and the two convnets.

    PYML_BACKEND=webgpu python benchmarks/native.py                      small sizes, for a software adapter
    PYML_BACKEND=webgpu python benchmarks/native.py --gpu --peak 66.9    matmul to 4096 and share of the peak

PyTorch runs on CUDA where it can, else on the CPU; without PyTorch its columns stay empty. Convnets are
timed as users run them, over a `fit` of 20 batches with one read at the end, and as the same loop in PyTorch.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import contender
import step_cost

import pyml

try:
    import torch
except ImportError:
    torch = None


def conv(k, cin, cout, seed):
    return {"op": "conv", "k": k, "cin": cin, "cout": cout, "s": 1, "p": 0, "bias": True, "act": "relu",
            "seed": seed, "bound": (6 / (k * k * cin)) ** 0.5}  # fmt: skip


def deep_convnet(batch):
    """The yardstick's 594,922-parameter convnet."""
    dense = lambda i, o, act, gain, seed: {"op": "dense", "i": i, "o": o, "act": act, "seed": seed,
                                           "bound": (gain / i) ** 0.5}  # fmt: skip
    pool, drop = {"op": "pool"}, lambda rate: {"op": "dropout", "rate": rate}
    net = [conv(3, 1, 32, 104), conv(3, 32, 32, 108), pool, conv(3, 32, 64, 112), conv(3, 64, 64, 116), pool,
           {"op": "flatten"}, drop(0.25), dense(1024, 512, "relu", 6, 120), drop(0.5),
           dense(512, 10, None, 3, 124)]  # fmt: skip
    return {**step_cost.book_convnet(batch), "net": net}


def flops(net, side=28):
    """Floating-point operations of one training example, counted as three forwards."""
    total, channels = 0, 1
    for l in net:
        if l["op"] == "conv":
            side, channels = side - l["k"] + 1, l["cout"]
            total += 2 * side * side * l["k"] ** 2 * l["cin"] * channels
        elif l["op"] == "pool":
            side //= 2
        elif l["op"] == "dense":
            total += 2 * l["i"] * l["o"]
    return 3 * total


def per_step(run, wait, budget=3.0):
    """Median seconds a step: `run(k)` starts k steps, `wait()` ends when they are done. Warmed up first."""
    run(2), wait()
    start = time.perf_counter()
    run(2), wait()
    k = max(2, min(200, int(budget / 5 / max(1e-5, (time.perf_counter() - start) / 2))))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(k), wait()
        times.append((time.perf_counter() - start) / k)
    return statistics.median(times)


def pyml_matmul(n):
    bench = contender.matmul({"n": n})

    def run(k):
        for _ in range(k):
            bench.step()

    return per_step(run, lambda: bench.result[0, 0].numpy())


def torch_matmul(n, where):
    a, b = torch.rand(n, n, device=where), torch.rand(n, n, device=where)
    last = []
    run = lambda k: last.__setitem__(slice(None), [a @ b for _ in range(k)][-1:])
    return per_step(run, lambda: last[0][0, 0].item())


def pyml_convnet(w, k=20):
    bench = contender.train(w)
    bench.loop(k)
    bench.loop(k)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        bench.loop(k)
        times.append((time.perf_counter() - start) / k)
    return statistics.median(times)


def torch_convnet(w, where):
    nn = torch.nn
    makers = {
        "conv": lambda l: [nn.Conv2d(l["cin"], l["cout"], l["k"])],
        "dense": lambda l: [nn.Linear(l["i"], l["o"])],
        "dropout": lambda l: [nn.Dropout(l["rate"])],
        "pool": lambda l: [nn.MaxPool2d(2)],
        "flatten": lambda l: [nn.Flatten()],
    }
    parts = [p for l in w["net"] for p in makers[l["op"]](l) + ([nn.ReLU()] if l.get("act") else [])]
    model = nn.Sequential(*parts).to(where)
    optimizer = torch.optim.Adam(model.parameters(), w["lr"])
    x, y = (torch.from_numpy(a).to(where) for a in contender.images_and_labels(w))
    x, y, losses = x.permute(0, 3, 1, 2).contiguous(), y.long(), [None]

    def run(k):
        for _ in range(k):
            optimizer.zero_grad()
            losses[0] = nn.functional.cross_entropy(model(x), y)
            losses[0].backward()
            optimizer.step()

    return per_step(run, lambda: losses[0].item())


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--gpu", action="store_true", help="sizes that fill a GPU")
    parser.add_argument("--peak", type=float, help="the card's float32 peak in TFLOP/s")
    options = parser.parse_args()
    where = "cuda" if torch and torch.cuda.is_available() else "cpu"
    print(pyml.config.describe())
    name = torch.cuda.get_device_name() if where == "cuda" else "CPU"
    print(f"PyTorch {torch.__version__} on {name}" if torch else "PyTorch is not installed")
    if where == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    print("\n| workload | pyml ms | GFLOP/s | of peak | PyTorch ms | pyml / PyTorch |")
    print("|---|---:|---:|---:|---:|---:|")
    for n in (256, 512, 1024, 2048, 4096) if options.gpu else (256, 512, 1024):
        row(f"matmul {n}", 2 * n**3, pyml_matmul(n), torch and torch_matmul(n, where), options.peak)
    for title, w in (
        ("book convnet, batch 64", step_cost.book_convnet(64)),
        ("book convnet, batch 512", step_cost.book_convnet(512)),
        ("deep convnet, batch 128", deep_convnet(128)),
    ):
        work = flops(w["net"]) * w["batch"]
        mine = pyml_convnet(w, 20 if options.gpu else 3)
        row(title, work, mine, torch and torch_convnet(w, where), options.peak)


def row(title, work, mine, theirs, peak):
    rate, share = f"{work / mine / 1e9:,.1f}", f"{work / mine / peak / 1e10:.1f} %" if peak else "–"
    other = (f"{theirs * 1e3:.3f}", f"{mine / theirs:.2f}") if theirs else ("–", "–")
    print(f"| {title} | {mine * 1e3:.3f} | {rate} | {share} | {other[0]} | {other[1]} |", flush=True)


if __name__ == "__main__":
    main()
