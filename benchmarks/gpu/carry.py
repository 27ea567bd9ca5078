"""`make gpu-carry`: gathers what `make gpu-check` needs on a machine with a GPU and no network.

    python -m benchmarks.gpu.carry [--python 3.12 3.11] [--out build/gpu/carry]

The folder gets wheels of wgpu, numpy and pytest with all they need, for x86-64 Linux and the Pythons named, the Vulkan
loader of this machine where it has one, and a list with the checksum of each file. PyTorch is not carried: where the
other machine has it, the check compares with it. Copy the checkout and this folder there and run the check.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST = 60_000_000  # bytes
PACKAGES = ["wgpu>=0.32", "rendercanvas", "cffi", "pycparser", "numpy>=1.26",
            "pytest>=8,<9.2", "pluggy", "iniconfig", "packaging", "pygments"]  # fmt: skip
PLATFORMS = [f"manylinux_2_{n}_x86_64" for n in (17, 24, 26, 27, 28, 31, 34)] + ["manylinux2014_x86_64"]
LOADERS = ("/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib64/libvulkan.so.1", "/usr/lib/libvulkan.so.1")


def fetch(python: str, folder: Path) -> None:
    """Downloads the wheels for one version of Python; pip checks each against its index."""
    platforms = [part for p in PLATFORMS for part in ("--platform", p)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
         "--python-version", python, "--implementation", "cp", *platforms, "-d", str(folder), *PACKAGES],
        check=True,
    )  # fmt: skip


def loader(folder: Path) -> Path | None:
    """A copy of this machine's Vulkan loader, which finds the driver of the machine it runs on."""
    found = next((Path(p) for p in LOADERS if Path(p).exists()), None)
    return Path(shutil.copy(found.resolve(), folder / "libvulkan.so.1")) if found else None


def listed(folder: Path) -> dict[str, str]:
    """Checksums of the files of a folder by name."""
    files = sorted(p for p in folder.iterdir() if p.suffix == ".whl" or ".so" in p.name)
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", nargs="+", default=["3.12"], help="versions of Python on the other machine")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu" / "carry")
    options = parser.parse_args(arguments)
    bad = [v for v in options.python if not re.fullmatch(r"3\.\d+", v)]
    if bad:
        parser.error(f"--python takes versions such as 3.12. Received: {', '.join(bad)}")
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    for version in options.python:
        fetch(version, options.out)
    if loader(options.out) is None:
        print("no Vulkan loader (libvulkan.so.1) on this machine to carry; the other machine needs its own")
    total = sum(p.stat().st_size for p in options.out.iterdir())
    if total > MOST:
        print(f"{options.out} holds {total / 1e6:.1f} MB; at most {MOST / 1e6:.0f} MB may be carried: name fewer Pythons", file=sys.stderr)
        return 1
    files = listed(options.out)
    (options.out / "files.json").write_text(json.dumps(files, indent=1) + "\n")
    print(f"{options.out}: {len(files)} files, {total / 1e6:.1f} MB, for Python {', '.join(options.python)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
