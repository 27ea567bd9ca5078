"""What one does with a million numbers, one op at a time: pyml beside TensorFlow.js, in turn on one page.

    .venv/bin/python benchmarks/kernels.py [--devices webgpu,wasm] [--rows sort,cumsum] [--rounds 7] [--size 1048576]

A row is one entry of ROWS: the same function in Python and in JavaScript. Both run to the end and read one number of the
result; before they are timed their results are compared whole. Where one takes over 10 s, that run is all it does.
"""

import argparse
import sys
from typing import NamedTuple

import beside


class Row(NamedTuple):
    pyml: str  # a function of the arrays of DATA
    tfjs: str  # the same in TensorFlow.js
    tolerance: float = 0.0  # largest difference, against the largest number of the result
    has: tuple[str, ...] = ("webgpu", "wasm")  # the devices of TensorFlow.js on which it runs
    data: str = "numbers"
    eager: bool = False  # how large the result is depends on values, so it is no program


GPU = ("webgpu",)
DATA = {  # of n elements
    "numbers": "[order(n).astype('float32') / n * 2 - 1]",  # each once, so that there is one right order
    "integers": "[order(n) - n // 2]",
    "classes": "[np.concatenate([np.arange(1000), rng.integers(0, 1000, n - 1000)]).astype('int32')]",  # first ones in order
    "numbers, classes": "[rng.uniform(-1, 1, n).astype('float32'), rng.integers(0, 1000, n).astype('int32')]",
    "numbers, edges": "[rng.uniform(-1, 1, n).astype('float32'), np.sort(rng.uniform(-1, 1, 1000)).astype('float32')]",
    "numbers, order": "[rng.uniform(-1, 1, n).astype('float32'), order(n)]",
    "rows, places": "[rng.uniform(-1, 1, (n // 10, 8)).astype('float32'), rng.integers(0, n // 10, n).astype('int32')]",
}
TFJS_FFT = """(x) => { const r = x.reshape([-1, 1024]), z = tf.complex(r, tf.zerosLike(r)), y = tf.spectral.fft(z);
return tf.stack([tf.real(y), tf.imag(y)]); }"""
TFJS_COLUMNS = "(x) => tf.topk(x.reshape([1024, -1]).transpose(), 1024).values.reverse(1).transpose()"
TFJS_STFT = "(x) => { const y = tf.signal.stft(x, 256, 128); return tf.stack([tf.real(y), tf.imag(y)]); }"
ROWS = {
    "cumsum": Row("lambda x: ops.cumsum(x)", "(x) => tf.cumsum(x)", 5e-3),
    "cumprod": Row("lambda x: ops.cumprod(x * 1e-3 + 1.0)", "(x) => tf.cumprod(x.mul(1e-3).add(1))", 5e-3),
    "argmax": Row("lambda x: ops.argmax(x)", "(x) => tf.argMax(x)"),
    "top_k, k=10": Row("lambda x: ops.top_k(x, 10)[0]", "(x) => tf.topk(x, 10).values"),
    "top_k, k=1000": Row("lambda x: ops.top_k(x, 1000)[0]", "(x) => tf.topk(x, 1000).values"),
    "argsort (topk, k=n)": Row("lambda x: ops.argsort(x)", "(x) => tf.topk(x, x.size).indices.reverse()"),
    "sort (topk, k=n)": Row("lambda x: ops.sort(x)", "(x) => tf.topk(x, x.size).values.reverse()"),
    "sort of int32 (topk, k=n)": Row("lambda x: ops.sort(x)", "(x) => tf.topk(x, x.size).values.reverse()", data="integers"),
    "sort of columns of 1024 (topk)": Row("lambda x: ops.sort(ops.reshape(x, (1024, -1)), axis=0)", TFJS_COLUMNS),
    "median": Row("lambda x: ops.median(x)", "", has=()),
    "quantile, three": Row("lambda x: ops.quantile(x, [0.1, 0.5, 0.9])", "", has=()),
    "unique of 1,000": Row("lambda x: ops.unique(x)", "(x) => tf.unique(x).values", has=("wasm",), data="classes", eager=True),
    "bincount of 1,000": Row("lambda x: ops.bincount(x)", "(x) => tf.bincount(x, [], 1000)", data="classes", eager=True),
    "histogram, 10 bins": Row("lambda x: ops.histogram(x, 10)[0]", "", has=()),
    "histogram, 100 bins": Row("lambda x: ops.histogram(x, 100)[0]", "", has=()),
    "searchsorted, 1,000 edges": Row("lambda x, e: ops.searchsorted(e, x)", "(x, e) => tf.searchSorted(e, x)", data="numbers, edges"),
    "nonzero of a half": Row("lambda x: ops.nonzero(x > 0)[0]", "(x) => tf.whereAsync(x.greater(0))", eager=True),
    "where": Row("lambda x: ops.where(x > 0, x, x * 0.5)", "(x) => tf.where(x.greater(0), x, x.mul(0.5))"),
    "take of 1M numbers": Row("lambda x, i: ops.take(x, i)", "(x, i) => tf.gather(x, i)", data="numbers, order"),
    "take of 1M rows of 8": Row("lambda x, i: ops.take(x, i, axis=0)", "(x, i) => tf.gather(x, i)", data="rows, places"),
    "scatter to 1M places": Row("lambda x, i: ops.scatter(i[:, None], x, x.shape)", "(x, i) => tf.scatterND(i.expandDims(1), x, x.shape)",
                                data="numbers, order"),
    "scatter_update of 1M places": Row("lambda x, i: ops.scatter_update(x * 0.5, i[:, None], x)",
                                       "(x, i) => tf.tensorScatterUpdate(x.mul(0.5), i.expandDims(1), x)", data="numbers, order"),
    "segment_sum, 1,000 segments": Row("lambda x, i: ops.segment_sum(x, i, 1000)", "(x, i) => tf.unsortedSegmentSum(x, i, 1000)",
                                       1e-5, GPU, "numbers, classes"),
    "segment_max, 1,000 segments": Row("lambda x, i: ops.segment_max(x, i, 1000)", "", has=(), data="numbers, classes"),
    "one_hot, 16 classes": Row("lambda x: ops.one_hot(x % 16, 16)", "(x) => tf.oneHot(x.mod(16).cast('int32'), 16)", data="classes"),
    # TensorFlow.js' WebAssembly has no transforms. Its WebGPU sums n products for each number: a minute for rows of 1024, a day for
    # one row of 1M, and the sum's error is what the tolerance is for: that of pyml against float64 is 2e-7
    "fft, rows of 1024": Row("lambda x: transformed(ops.fft, x)", TFJS_FFT, 1e-3, GPU),
    "rfft, rows of 1024": Row("lambda x: transformed(ops.rfft, x)", TFJS_FFT.replace("fft(z)", "rfft(r)"), 1e-3, GPU),
    "irfft, rows of 1024": Row("lambda x: ops.irfft((ops.reshape(x, (-1, 512)), ops.reshape(x, (-1, 512))), 1024)", "", has=()),
    "fft2, 1024 x 1024": Row("lambda x: transformed(ops.fft2, x)", "", has=()),
    "stft, 256 and 128": Row("lambda x: ops.stack(ops.stft(x, 256, 128, 256, center=False))", TFJS_STFT, 1e-3, GPU),
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
    rng = np.random.default_rng(0)
    order = lambda n: rng.permutation(n).astype("int32")
    data = eval(row["data"], {"n": row["size"], "np": np, "rng": rng, "order": order})
    given, function = [pyml.convert_to_tensor(a) for a in data], eval(row["pyml"])
    def run(*given):
        y = ops.reshape(function(*given), (-1,))
        return y, y[-1:]
    run = run if row["eager"] else pyml.program(run)
    return lambda: float(run(*given)[1].numpy()[0]), lambda: run(*given)[0].numpy().astype("float32"), data
"""
JAVASCRIPT = """
export function make(tf, row, given) {
  const tensors = given.map(({ data, shape }) => tf.tensor(data, [...shape])), made = eval(row.tfjs);
  const read = async (part) => {
    tf.engine().startScope();
    try {
      const y = (await made(...tensors)).flatten();
      return await part(y).data();
    } finally { tf.engine().endScope(); }
  };
  const step = async () => (await read((y) => y.slice([y.size - 1], [1])))[0];
  return { step, whole: async () => Float32Array.from(await read((y) => y)) };
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
    rows = {name: {**row._asdict(), "data": DATA[row.data], "size": options.size} for name, row in ROWS.items() if name.startswith(wanted)}
    query = {"python": {"page": PYTHON}, "javascript": JAVASCRIPT, "rows": rows, "rounds": options.rounds}
    return beside.report(beside.measure({**query, "devices": options.devices.split(",")}), lambda name: ROWS[name].tolerance)


if __name__ == "__main__":
    sys.exit(main())
