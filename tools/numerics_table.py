#!/usr/bin/env python3
"""The largest error of every function on every device, against float64: the table of docs/numerics.md.

  python tools/numerics_table.py                  all functions on cpu, wasm and webgpu
  python tools/numerics_table.py exp sin          only these
  python tools/numerics_table.py --devices wasm   only there
  python tools/numerics_table.py --points 20000   fewer points than 200,000

`at most` is what the tests hold every device to: a little more than the largest error found, as other points and other
processors differ. An error is counted in units in the last place (ulp) of the float32 nearest to the true value. Results that underflow are
left out: adapters may round numbers below 1.2e-38 to 0.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyml
from pyml import ops

DEVICES = ("cpu", "wasm", "webgpu")
LEAST = float(np.finfo(np.float32).tiny)
_erf = np.frompyfunc(math.erf, 1, 1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))


def _erf_of(x: np.ndarray) -> np.ndarray:
    return np.asarray(_erf(x), np.float64)


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + _erf_of(x / np.sqrt(2)))


def _op(name: str) -> Callable:
    return getattr(ops, name)


class Function:
    """What is measured: a function of tensors, its float64 truth, and the arguments that count (a range a parameter).

    With `least`, true values below it count as that large: sums lose what their terms have in common.
    """

    def __init__(self, fn: Callable, truth: Callable, *ranges: tuple[float, float], least: float = LEAST):
        self.fn, self.truth, self.ranges, self.least = fn, truth, ranges, least

    def points(self, n: int) -> list[np.ndarray]:
        """Half of them spread evenly over the range, half over its powers of ten."""
        rng = np.random.default_rng(17)
        columns: list[np.ndarray] = []
        for low, high in self.ranges:
            even = rng.uniform(low, high, n - n // 2)
            most = np.log10(max(abs(low), abs(high)))
            scale = 10 ** rng.uniform(min(-6.0, most - 6), most, n // 2)
            sign = np.where(rng.uniform(size=n // 2) < 0.5, -1.0, 1.0) if low < 0 < high else math.copysign(1.0, low + high)
            x = np.concatenate([even, np.clip(sign * scale, low, high)]).astype(np.float32)
            columns.append(rng.permutation(x) if columns else x)
        return columns

    def ulps(self, n: int) -> np.ndarray:
        """The error at each of `n` points on the device in use."""
        xs = self.points(n)
        with np.errstate(all="ignore"):
            true = np.asarray(self.truth(*(x.astype(np.float64) for x in xs)), np.float64)
        found = self.fn(*(pyml.convert_to_tensor(x) for x in xs)).numpy()
        return ulps(found, true, self.least)


def ulps(found: np.ndarray, true: np.ndarray, least: float = LEAST) -> np.ndarray:
    """Errors of float32 results in units in the last place; 0 where the true value has none."""
    with np.errstate(all="ignore"):
        nearest = np.abs(true.astype(np.float32))
        unit = np.spacing(np.maximum(nearest, np.float32(least))).astype(float)
        counted = np.isfinite(nearest) & ((nearest >= LEAST) | (true == 0))
        return np.where(counted, np.abs(found.astype(np.float64) - true) / unit, 0.0)


FUNCTIONS = {
    "add": Function(_op("add"), np.add, (-1e3, 1e3), (-1e3, 1e3)),
    "multiply": Function(_op("multiply"), np.multiply, (-1e3, 1e3), (-1e3, 1e3)),
    "divide": Function(_op("divide"), np.divide, (-1e3, 1e3), (-1e3, 1e3)),
    "mod": Function(_op("mod"), np.mod, (-1e6, 1e6), (-1e3, 1e3)),
    "floor_divide": Function(_op("floor_divide"), np.floor_divide, (-1e4, 1e4), (-1e3, 1e3)),
    "sqrt": Function(_op("sqrt"), np.sqrt, (0.0, 1e30)),
    "rsqrt": Function(_op("rsqrt"), lambda x: 1 / np.sqrt(x), (1e-30, 1e30)),
    "exp": Function(_op("exp"), np.exp, (-87.0, 88.0)),
    "expm1": Function(_op("expm1"), np.expm1, (-20.0, 88.0)),
    "log": Function(_op("log"), np.log, (1e-37, 1e37)),
    "log (near 1)": Function(_op("log"), np.log, (0.5, 2.0)),
    "log2": Function(_op("log2"), np.log2, (1e-37, 1e37)),
    "log10": Function(_op("log10"), np.log10, (1e-37, 1e37)),
    "log1p": Function(_op("log1p"), np.log1p, (-0.999, 1e3)),
    "power": Function(_op("power"), np.power, (1e-3, 1e3), (-12.0, 12.0)),
    "power (near 1)": Function(_op("power"), np.power, (0.99, 1.01), (-5e3, 5e3)),
    "sin": Function(_op("sin"), np.sin, (-100.0, 100.0)),
    "sin (large)": Function(_op("sin"), np.sin, (-3e38, 3e38)),
    "cos": Function(_op("cos"), np.cos, (-100.0, 100.0)),
    "cos (large)": Function(_op("cos"), np.cos, (-3e38, 3e38)),
    "tan": Function(_op("tan"), np.tan, (-100.0, 100.0)),
    "tan (large)": Function(_op("tan"), np.tan, (-3e38, 3e38)),
    "arctan": Function(_op("arctan"), np.arctan, (-1e6, 1e6)),
    "sinh": Function(_op("sinh"), np.sinh, (-89.0, 89.0)),
    "cosh": Function(_op("cosh"), np.cosh, (-89.0, 89.0)),
    "tanh": Function(_op("tanh"), np.tanh, (-20.0, 20.0)),
    "sigmoid": Function(_op("sigmoid"), _sigmoid, (-80.0, 80.0)),
    "erf": Function(_op("erf"), _erf_of, (-5.0, 5.0)),
    "softplus": Function(_op("softplus"), lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), (-80.0, 80.0)),
    "silu": Function(_op("silu"), lambda x: x * _sigmoid(x), (-80.0, 80.0)),
    "gelu": Function(lambda x: _op("gelu")(x, approximate=False), _gelu, (-1.0, 20.0)),
    "elu": Function(_op("elu"), lambda x: np.where(x > 0, x, np.expm1(x)), (-20.0, 20.0)),
    "logaddexp": Function(_op("logaddexp"), np.logaddexp, (0.0, 50.0), (0.0, 50.0)),
    "softmax": Function(
        lambda x: _op("softmax")(x.reshape(-1, 100)).reshape(-1),
        lambda x: _softmax(x.reshape(-1, 100)).reshape(-1), (-20.0, 20.0), least=1.0),
    "log_softmax": Function(
        lambda x: _op("log_softmax")(x.reshape(-1, 100)).reshape(-1),
        lambda x: np.log(_softmax(x.reshape(-1, 100))).reshape(-1), (-20.0, 20.0), least=20.0),
}  # fmt: skip


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--devices", nargs="*", default=list(DEVICES), choices=DEVICES)
    parser.add_argument("--points", type=int, default=200_000)
    args = parser.parse_args()
    chosen = {n: f for n, f in FUNCTIONS.items() if not args.names or n.partition(" ")[0] in args.names}
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for device in args.devices:
        pyml.config.set_backend(device)
        for name, function in chosen.items():
            found[name].append(float(function.ulps(args.points).max()))
    print(f"| function | arguments | {' | '.join(args.devices)} | at most |")
    print(f"|---|---|{'---|' * len(args.devices)}---|")
    for name, row in found.items():
        ranges = ", ".join(f"{low:g} … {high:g}" for low, high in chosen[name].ranges)
        print(f"| {name} | {ranges} | {' | '.join(f'{v:.1f}' for v in row)} | {math.ceil(1.4 * max(row) + 0.3)} |")


if __name__ == "__main__":
    main()
