"""`make gpu-check`: the kernels for GPUs on this machine's adapter, right and fast; a JSON file and a table.

    python -m benchmarks.gpu [--carry build/gpu/carry] [--minutes 8] [--small] [--peak TFLOPS] [--write]
                             [--only tests matmul ResNet …] [--variants]

Needs a checkout and Python 3.11 or newer; what is not installed comes from the carried folder (`make gpu-carry`).
`--variants` times every way to run products and convolutions instead (`variants.py`).
`--only` takes the workloads whose names begin so, and the kernel tests where "tests" is among them.
`--small` takes small sizes, by itself on a software adapter. `--write` puts the table into benchmarks/README.md.
Exit status: 0 all right, 1 something is wrong, 2 there is no adapter to check, or nothing that `--only` names.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from . import vulkan

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"wgpu": "wgpu", "cffi": "cffi", "pycparser": "pycparser", "rendercanvas": "rendercanvas", "numpy": "numpy", "pytest": "pytest",
          "pluggy": "pluggy", "iniconfig": "iniconfig", "packaging": "packaging", "pygments": "pygments"}  # fmt: skip
OLDEST = (3, 11)
TOLERANCE = 2e-3  # of first values against PyTorch's, which adds in another order


def unpack(carry: Path, folder: Path) -> list[str]:
    """Unpacks the carried wheels of packages that this Python lacks; the names of those that are nowhere."""
    mine = (f"cp{sys.version_info.major}{sys.version_info.minor}", "py3", "py2.py3", "abi3")
    missing = []
    for package, wheel in NEEDED.items():
        if importlib.util.find_spec(package) is not None:
            continue
        fitting = [p for p in sorted(carry.glob(f"{wheel}-*.whl")) if any(f"-{tag}-" in p.name for tag in mine)]
        if not fitting or (not fitting[-1].name.endswith("-any.whl") and platform.machine() != "x86_64"):
            missing.append(package)
            continue
        with zipfile.ZipFile(fitting[-1]) as archive:
            archive.extractall(folder)
    return missing


def start_again(options: argparse.Namespace, arguments: list[str]) -> int:
    """Looks at the machine, then runs this command once more where packages and drivers are found."""
    if sys.version_info < OLDEST:
        print(f"gpu-check: pyml needs Python {'.'.join(map(str, OLDEST))} or newer, and this is {platform.python_version()}; "
              "name another one: make gpu-check GPU_PYTHON=python3.12", file=sys.stderr)  # fmt: skip
        return 2
    found = vulkan.look(options.carry if options.carry.is_dir() else None)
    print("\n".join(found.lines()), flush=True)
    if found.loader is None or not found.drivers:
        print("gpu-check: there is no WebGPU adapter here; see what is missing above.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        missing = unpack(options.carry, Path(folder))
        if missing:
            print(f"gpu-check: {', '.join(missing)} are neither installed nor carried for Python {platform.python_version()} on "
                  f"{platform.machine()}; run `make gpu-carry PYTHONS={sys.version_info.major}.{sys.version_info.minor}` and bring "
                  f"{options.carry}.", file=sys.stderr)  # fmt: skip
            return 2
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"), folder)))
        environment = {**os.environ, **found.environment(), "PYTHONPATH": path, "PYML_GPU_CHECK": "1", "PYML_BACKEND": "webgpu",
                       "PYML_CACHE": "off"}  # plans that were kept do not know what their kernels compute
        return subprocess.run([sys.executable, "-m", "benchmarks.gpu", *arguments], cwd=ROOT, env=environment).returncode


def torch_device() -> tuple[str | None, str]:
    """Where PyTorch runs and on what; the first is None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None, "not installed"
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if where == "cuda" else "the processor"
    return where, f"{torch.__version__} on {name}"


def peak_tflops(where: str | None) -> float | None:
    """The card's float32 peak: multiprocessors x 128 lanes x 2 x clock, where PyTorch can ask the card."""
    if where != "cuda":
        return None
    import torch

    properties = torch.cuda.get_device_properties(0)
    try:
        said = subprocess.run(["nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits"],
                              capture_output=True, text=True, timeout=20).stdout  # fmt: skip
        clock = float(said.split()[0]) * 1e6
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
        return None
    return properties.multi_processor_count * 128 * 2 * clock / 1e12


class Check:
    """Runs the parts until the minutes are over; every result is on disk as soon as it is there."""

    def __init__(self, options: argparse.Namespace):
        self.options, self.ends = options, time.monotonic() + 60 * options.minutes
        self.result: dict[str, Any] = {}

    @property
    def left(self) -> float:
        return self.ends - time.monotonic()

    def wanted(self, name: str) -> bool:
        return not self.options.only or any(name.lower().startswith(o.lower()) for o in self.options.only)

    def unknown(self, small: bool) -> str | None:
        """What `--only` asks for and is not there, in words."""
        from .workloads import workloads

        names = ["tests", *(workload.name for workload in workloads(small))]
        nowhere = [o for o in self.options.only or () if not any(name.lower().startswith(o.lower()) for name in names)]
        return f"--only: nothing begins with {', '.join(nowhere)}; there are {', '.join(map(repr, names))}" if nowhere else None

    def keep(self) -> None:
        out: Path = self.options.out
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_suffix(".new")
        beside.write_text(json.dumps(self.result, indent=1, allow_nan=False) + "\n")
        os.replace(beside, out)

    def run(self) -> int:
        from pyml import config

        device = config.device()
        print(config.describe(), flush=True)
        small = self.options.small or device.info["type"] == "software"
        where, name = torch_device()
        peak = self.options.peak or peak_tflops(where)
        if not self.options.variants and (unknown := self.unknown(small)):
            print(f"gpu-check: {unknown}", file=sys.stderr)
            return 2
        self.result = {
            "date": time.strftime("%Y-%m-%d"), "adapter": device.info, "features": sorted(device.features), "family": device.profile.family,
            "small": small, "torch": name, "peak_tflops": peak, "rows": [], "problems": [],
        }  # fmt: skip
        self.keep()
        if self.options.variants:
            from . import variants

            self.result["variants"] = variants.run(device, small, self.wanted, self.options.minutes)
            self.keep()
            return 0
        if self.wanted("tests"):
            self.numbers(device, small)
        self.speed(small, where)
        from . import report

        self.keep()
        print("\n" + report.table(self.result))
        if self.options.write:
            report.write(self.result)
        for problem in self.result["problems"]:
            print(f"gpu-check: {problem}", file=sys.stderr)
        print(f"gpu-check: {self.options.out}; {len(self.result['problems'])} problems")
        return 1 if self.result["problems"] else 0

    def numbers(self, device: Any, small: bool) -> None:
        from . import numbers

        self.result["probes"] = numbers.probes(device)
        print("probes          " + ", ".join(f"{k}: {v}" for k, v in self.result["probes"].items()), flush=True)
        self.result["problems"] += [f"{k} computes wrong numbers" for k, v in self.result["probes"].items() if v == "WRONG"]
        tests = self.result["kernels"] = numbers.kernels(max(30.0, 0.5 * self.left), small)
        print(f"kernel tests    {tests['passed']} passed, {len(tests['failed'])} failed, {tests['skipped']} skipped", flush=True)
        self.result["problems"] += tests["failed"]
        if not tests["passed"] and not tests["failed"]:
            self.result["problems"].append("no kernel test ran")
        self.keep()

    def speed(self, small: bool, where: str | None) -> None:
        from .workloads import pyml_side, warm_up, workloads

        warm_up(0.2 if small else 1.5)

        every = [w for w in workloads(small) if self.wanted(w.name)]
        for i, workload in enumerate(every):
            if self.left < 10:
                self.result["problems"].append(f"no time was left for {', '.join(w.name for w in every[i:])}")
                break
            budget = min(6.0, self.left / (3 * (len(every) - i)))
            row: dict[str, Any] = {"workload": workload.name, "flops": workload.flops}
            self.result["rows"].append(row)
            try:
                row["pyml"] = pyml_side(workload.spec, budget)
                if where is not None:
                    from .torch_side import torch_side

                    row["torch"] = torch_side(workload.spec, where, budget)
            except Exception as e:  # one row that fails must not lose the others
                self.result["problems"].append(f"{workload.name}: {type(e).__name__}: {e}")
            if "torch" in row:
                mine, other = row["pyml"]["value"], row["torch"]["value"]
                if not abs(mine - other) <= TOLERANCE * max(1.0, abs(other)):
                    self.result["problems"].append(f"{workload.name}: first value {mine}, PyTorch's {other}")
            self.keep()
            if "pyml" in row:
                print(f"{workload.name:44} {row['pyml']['step_s'] * 1e3:10.3f} ms", flush=True)


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="gpu-check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--carry", type=Path, default=ROOT / "build" / "gpu" / "carry", help="the folder that `make gpu-carry` made")
    parser.add_argument("--minutes", type=float, default=8.0, help="stop after so long")
    parser.add_argument("--small", action="store_true", help="small sizes")
    parser.add_argument("--only", nargs="+", metavar="NAME", help='workloads by the beginning of their names, and "tests"')
    parser.add_argument("--variants", action="store_true", help="time every way to run products and convolutions")
    parser.add_argument("--peak", type=float, help="the card's float32 peak in TFLOP/s")
    parser.add_argument("--write", action="store_true", help="put the table into benchmarks/README.md")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu" / "check.json")
    options = parser.parse_args(arguments)
    options.carry, options.out = options.carry.resolve(), options.out.resolve()
    if os.environ.get("PYML_GPU_CHECK") != "1":
        return start_again(options, list(arguments))
    return Check(options).run()


if __name__ == "__main__":
    sys.exit(main())
