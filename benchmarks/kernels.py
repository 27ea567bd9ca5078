"""Sorting, the largest elements, running sums, Fourier transforms: pyml beside TensorFlow.js on 1M numbers, in turn on one page.

    .venv/bin/python benchmarks/kernels.py [--devices webgpu,wasm] [--rows sort,cumsum] [--rounds 7] [--size 1048576]

A row is one entry of ROWS: the same function in Python and in JavaScript. Both run to the end and read one number of the
result; before they are timed their results are compared whole. Where one takes over 10 s, that run is all it does.
"""

import argparse
import sys
from typing import NamedTuple

import beside


class Row(NamedTuple):
    pyml: str  # a function of x, `size` float32 numbers from -1 to 1
    tfjs: str  # the same in TensorFlow.js
    tolerance: float = 0.0  # largest difference, against the largest number of the result
    has: tuple[str, ...] = ("webgpu", "wasm")  # the devices of TensorFlow.js on which it runs


TFJS_FFT = """(x) => { const r = x.reshape([-1, 1024]), z = tf.complex(r, tf.zerosLike(r)), y = tf.spectral.fft(z);
return tf.stack([tf.real(y), tf.imag(y)]); }"""
ROWS = {
    "cumsum": Row("lambda x: ops.cumsum(x)", "(x) => tf.cumsum(x)", 5e-3),
    "top_k, k=10": Row("lambda x: ops.top_k(x, 10)[0]", "(x) => tf.topk(x, 10).values"),
    "argsort (topk, k=n)": Row("lambda x: ops.argsort(x)", "(x) => tf.topk(x, x.size).indices.reverse()"),
    "sort (topk, k=n)": Row("lambda x: ops.sort(x)", "(x) => tf.topk(x, x.size).values.reverse()"),
    # TensorFlow.js' WebAssembly has no transforms. Its WebGPU sums n products for each number: a minute for rows of 1024, a day for
    # one row of 1M, and the sum's error is what the tolerance is for: that of pyml against float64 is 2e-7
    "fft, rows of 1024": Row("lambda x: transformed(ops.fft, x)", TFJS_FFT, 1e-3, ("webgpu",)),
    "rfft, rows of 1024": Row("lambda x: transformed(ops.rfft, x)", TFJS_FFT.replace("fft(z)", "rfft(r)"), 1e-3, ("webgpu",)),
    "fft, one row": Row("lambda x: transformed(ops.fft, x, x.size)", "", has=()),
    "rfft, one row": Row("lambda x: transformed(ops.rfft, x, x.size)", "", has=()),
}

PYTHON = """
import numpy as np, pyml
from pyml import ops
def transformed(op, x, length=1024):
    rows = ops.reshape(x, (-1, length))
    return ops.stack(op(rows) if op is ops.rfft else op((rows, rows * 0.0)))
def make(row):
    size = row["size"]  # each number once, so that there is one right order
    data = np.random.default_rng(0).permutation(size).astype("float32") / size * 2 - 1
    x, function = pyml.convert_to_tensor(data), eval(row["pyml"])
    @pyml.program
    def run(x):
        y = ops.reshape(function(x), (-1,))
        return y, y[-1:]
    return lambda: float(run(x)[1].numpy()[0]), lambda: run(x)[0].numpy().astype("float32"), [data]
"""
JAVASCRIPT = """
export function make(tf, row, [{ data }]) {
  const x = tf.tensor1d(data), made = eval(row.tfjs);
  const run = () => tf.tidy(() => { const y = made(x).flatten(); return [y, y.slice([y.size - 1], [1])]; });
  const read = async (which) => { const t = run(), v = await t[which].data(); tf.dispose(t); return v; };
  return { step: async () => (await read(1))[0], whole: async () => Float32Array.from(await read(0)) };
}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", default="webgpu,wasm")
    parser.add_argument("--rows", default="", help="beginnings of their names")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=1 << 20)
    options = parser.parse_args()
    if options.size & (options.size - 1):
        parser.error(f"--size must be a power of two. Received: {options.size}")
    wanted = tuple(options.rows.split(","))
    rows = {name: {**row._asdict(), "size": options.size} for name, row in ROWS.items() if name.startswith(wanted)}
    query = {"python": {"page": PYTHON}, "javascript": JAVASCRIPT, "rows": rows, "rounds": options.rounds}
    return beside.report(beside.measure({**query, "devices": options.devices.split(",")}), lambda name: ROWS[name].tolerance)


if __name__ == "__main__":
    sys.exit(main())
