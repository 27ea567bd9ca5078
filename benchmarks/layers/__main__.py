"""Milliseconds of a training step or a call of whole layers and models, Python included.

    PYML_BACKEND=wasm python benchmarks/layers [--rows conv3d,gru] [--rounds 7]            pyml alone, on any device
    python benchmarks/layers --torch PYTHON                     beside PyTorch: natively, `wasm`, one thread each, in turns
    python benchmarks/layers --torch PYTHON --tab               the same, with pyml in a tab of Chromium (Linux)
    python benchmarks/layers --torch PYTHON --threads 2 [--tab] pyml on two threads, as it comes on two cores, PyTorch on one, by the clock
    python benchmarks/layers --against CHECKOUT                 beside pyml of another checkout with a .venv, the same way
    python benchmarks/layers --page [--devices webgpu,wasm]     beside TensorFlow.js, in one browser page

PYTHON has PyTorch: `python -m venv build/torch && build/torch/bin/pip install torch==2.13.0 numpy`, then build/torch/bin/python.
A row is one function of rows.py, with the same work in torch_rows.py and tfjs_rows.mjs. Natively the least and the median of
the processor's time count: other programs of a busy machine add to the clock, hardly to them. With more threads than one the clock
counts, so the machine must be quiet.
"""

import argparse
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = ("conv_lstm_2d", "conv3d", "augmentation", "text_vectorization", "gru", "transformer")


def alone(names, rounds):
    """The first run of each row by itself, as it traces and compiles; the median of the others."""
    import rows

    print(rows.pyml.config.describe())
    for name in names:
        made, times = rows.ROWS[name](), []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            made.step()
            times.append(1000 * (time.perf_counter() - start))
        then = statistics.median(times[1:])
        print(f"{name:20} first {times[0]:10,.1f} ms   then {then:10,.1f} ms   {rows.ROWS[name].__doc__}", flush=True)


def in_turns(names, rounds, workers, threads=1):
    """A table of milliseconds, the processor's of one thread and the clock's of more, the first worker beside the second.

    Returns 1 if their values differ.
    """
    time_of = 1 if threads == 1 else 0  # of a worker's [clock, processor]
    made = {who: start() for who, start in workers.items()}
    mine, other = made
    for who, worker in made.items():
        print(f"{who}: {' '.join(worker.about.split())}")
    head = f"{mine} ms, least (median) | {other} ms, least (median) | {mine} / {other}, least (median) | first {mine} ms"
    print(f"\n| row | {head} | largest difference |")
    print("|---|---:|---:|---:|---:|---:|")
    wrong = []
    for name in names:
        first = {who: worker.ask(name) for who, worker in made.items()}
        times = {who: [] for who in made}
        for turn in range(rounds):
            for who in list(made)[:: -1 if turn % 2 else 1]:
                times[who].append(1000 * made[who].ask("step")[time_of])
        a, b = (first[who]["values"] for who in made)
        apart = max((abs(x - y) for x, y in zip(a, b, strict=True)), default=0.0) / max(map(abs, b)) if a and b else None
        if apart is not None and not apart < 1e-3:
            wrong.append(name)
        least, middle = ({who: what(times[who]) for who in made} for what in (min, statistics.median))
        cells = [f"{least[who]:.1f} ({middle[who]:.1f})" for who in made]
        cells += [f"{least[mine] / least[other]:.2f} ({middle[mine] / middle[other]:.2f})", f"{1000 * first[mine]['first'][time_of]:.0f}"]
        print(f"| {name} | {' | '.join(cells)} | {'–' if apart is None else f'{apart:.0e}'} |", flush=True)
    for worker in made.values():
        worker.close()
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, {rounds} rounds.")
    if wrong:
        print(f"differ: {', '.join(wrong)}")
    return 1 if wrong else 0


def on_a_page(names, rounds, devices):
    """Tables beside TensorFlow.js. Its `wasm` backend has no gradient of a convolution's kernel, so that predictions are timed too."""
    sys.path.insert(0, str(HERE.parent))
    import beside

    both, rows = ["webgpu", "wasm"], {}
    for name in names:
        has = {"conv_lstm_2d": ["webgpu"], "text_vectorization": []}.get(name, both)
        rows[name] = {"name": name, "has": has}
        if name not in ("augmentation", "text_vectorization"):
            rows[name]["runs"] = 3
            rows[f"{name}, forward"] = {"name": name, "has": both, "forward": True}
    python = {name: (HERE / f"{name}.py").read_text() for name in ("data", "rows")}
    query = {"python": {**python, "page": "from rows import make"}, "javascript": (HERE / "tfjs_rows.mjs").read_text(),
             "rows": rows, "rounds": rounds, "devices": devices}  # fmt: skip
    return beside.report(beside.measure(query), lambda name: 1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(NAMES))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--torch", metavar="PYTHON")
    parser.add_argument("--against", metavar="CHECKOUT")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--tab", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--devices", default="webgpu,wasm")
    options = parser.parse_args()
    names = options.rows.split(",")
    if options.page:
        return on_a_page(names, options.rounds, options.devices.split(","))
    one = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    native = {**os.environ, **one, "PYML_BACKEND": "wasm", "PYML_WASM_THREADS": str(options.threads)}
    from tab import Tab
    from worker import Worker

    mine = {"pyml": partial(Tab, options.threads) if options.tab else partial(Worker, sys.executable, "rows.py", native)}
    if options.torch:
        torch = partial(Worker, options.torch, "torch_rows.py", native)
        return in_turns(names, options.rounds, {**mine, "PyTorch": torch}, options.threads)
    if options.against:
        old = Path(options.against).resolve()
        theirs = partial(Worker, str(old / ".venv/bin/python"), "rows.py", {**native, "PYTHONPATH": str(old)})
        return in_turns(names, options.rounds, {**mine, "old": theirs}, options.threads)
    return alone(names, options.rounds)


if __name__ == "__main__":
    sys.exit(main())
