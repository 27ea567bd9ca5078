"""Brings a fresh checkout to the point where everything runs: `make setup`.

    python3 tools/setup.py [--only python|docs] [--models small|all] [--tests]

Steps: the virtual environment with pyml in it, the browser and a software Vulkan driver, the fetched assets,
the trained networks and what the tests compare with if asked for, the wheel, the served site. Each step leaves a stamp
under `build/stamps` keyed by what it was made from, so a second run does only what changed. Runs on any Python 3.11 or
newer with nothing installed.
"""

import argparse
import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMPS = ROOT / "build" / "stamps"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class SetupError(Exception):
    """A step cannot be done here; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=["python", "docs"], help="the environment alone, for docs with what builds the site")
    parser.add_argument("--models", choices=["small", "all"], help="also fetch trained networks: those of the tests, or all")
    parser.add_argument("--tests", action="store_true", help="also fetch what tests need: TensorFlow.js and a few wheels")
    options = parser.parse_args(arguments)
    if sys.version_info < (3, 11):  # noqa: UP036 - this script runs before pip can refuse
        print(f"setup: pyml needs Python 3.11 or newer. Received: {sys.version.split()[0]}", file=sys.stderr)
        return 1
    try:
        python_step()
        if options.only == "docs":
            docs_step()
        if options.only is None:
            system_step()
            assets_step()
            if options.models:
                models_step(options.models)
            if options.tests:
                tests_step()
            minify_step()
            editor_step()
            wheel_step()
            site_step()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:6]))
        print(f"setup: `{command}` failed, exit {error.returncode}", file=sys.stderr)
        return 1
    return 0


def key(*parts: str | Path) -> str:
    """Digest of texts and of the contents of files and folders."""
    total = hashlib.sha256()
    for part in parts:
        files = [part] if isinstance(part, Path) and part.is_file() else []
        if isinstance(part, Path) and part.is_dir():
            files = sorted(f for f in part.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
        for file in files:
            total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
        if isinstance(part, str):
            total.update(part.encode() + b"\0")
    return total.hexdigest()


def once(name: str, made_from: str, done: Callable[[], bool], step: Callable[[], None]) -> None:
    """Runs `step` unless its stamp says it was run for the same input and `done()` still holds."""
    stamp = STAMPS / name
    if stamp.is_file() and stamp.read_text() == made_from and done():
        return
    step()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(made_from)


def run(*command: str | Path, **options: Any) -> None:
    """Runs a command in the checkout; its failure ends the set-up."""
    subprocess.run([str(part) for part in command], cwd=ROOT, check=True, **options)


def python_step() -> None:
    """The virtual environment with pyml, editable, and what its tests need."""
    python = BIN / "python"

    def works() -> bool:
        check = [str(python), "-c", "import importlib.metadata as m; m.version('pyml'); m.version('pytest')"]
        return python.exists() and subprocess.run(check, capture_output=True).returncode == 0

    def install() -> None:
        if not python.exists():
            print("setup: making .venv", flush=True)
            venv.create(VENV, with_pip=True)
        print("setup: installing pyml and its tools into .venv", flush=True)
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[dev]")

    once("python", key(ROOT / "pyproject.toml", str(ROOT), sys.version), works, install)


def docs_step() -> None:
    """What builds the documentation site; only `make docs` asks for it."""
    check = [str(BIN / "python"), "-c", "import material, mkdocs, mkdocstrings_handlers.python"]

    def works() -> bool:
        return subprocess.run(check, capture_output=True).returncode == 0

    def install() -> None:
        print("setup: installing what builds the documentation site into .venv", flush=True)
        run(BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-e", ".[docs]")

    once("docs", key(ROOT / "pyproject.toml", str(ROOT), sys.version), works, install)


def find_browser() -> str | None:
    """A Chromium or Chrome, `$CHROMIUM` first."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next((p for n in BROWSERS if (p := shutil.which(n))), None)


def vulkan_driver() -> bool:
    """Whether any Vulkan driver is described on this machine; a software one counts."""
    if sys.platform != "linux":
        return True
    if os.environ.get("VK_ICD_FILENAMES") or os.environ.get("VK_DRIVER_FILES"):
        return True
    return any(
        any(Path(base, "vulkan/icd.d").glob("*.json")) for base in ("/usr/share", "/usr/local/share", "/etc")
    )


def system_step() -> None:
    """Chromium and a Vulkan driver with its loader: installed as root on Debian, else named in a sentence."""
    missing = []
    if find_browser() is None:
        missing.append("chromium")
    if not vulkan_driver():
        missing.append("mesa-vulkan-drivers")
    if sys.platform == "linux" and ctypes.util.find_library("vulkan") is None:
        missing.append("libvulkan1")
    if shutil.which("npm") is None:
        missing.append("npm")
    if not missing:
        return
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        raise SetupError(
            f"please install {', '.join(missing)}, then run this again "
            f"(Debian, Ubuntu: sudo apt-get install {' '.join(missing)})."
        )
    print(f"setup: installing {', '.join(missing)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", "-qq", env=quiet)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    run(*install, env=quiet, stdout=subprocess.DEVNULL)


def assets_step() -> None:
    """The runtime, numpy for it, the charts and the digits."""
    assets = ROOT / "build" / "assets"

    def complete() -> bool:
        wanted = ("pyodide/pyodide-lock.json", "vendor/vega.min.js", "data/mnist.npz")
        return all((assets / name).is_file() for name in wanted) and any(assets.glob("pyodide/numpy-*.whl"))

    once(
        "assets",
        key(ROOT / "pyml" / "assets"),
        complete,
        lambda: run(BIN / "python", "tools/fetch_assets.py"),
    )


def models_step(which: str) -> None:
    """Networks of `pyml.hub` into `build/assets/models`; what is there already is only checked."""
    sources = [ROOT / "pyml" / "hub" / "registry.py", ROOT / "pyml" / "hub" / "fetch"]
    once(
        f"models-{which}",
        key(*sources),
        lambda: (ROOT / "build" / "assets" / "models").is_dir(),
        lambda: run(BIN / "pyml", "hub", "fetch", f"--{which}"),
    )


def tests_step() -> None:
    """TensorFlow.js into `build/tensorflow-js`, axe-core into `build/axe-core`, and wheels for Pyodide into the cache."""
    script = ROOT / "build" / "tensorflow-js" / "node_modules" / "@tensorflow" / "tfjs" / "tf.min.js"
    axe = ROOT / "build" / "axe-core" / "axe.min.js"
    sources = [ROOT / "pyml" / "assets" / name for name in ("pins.py", "tensorflow_js.py", "axe.py", "wheels.py")]
    complete = lambda: script.is_file() and axe.is_file()
    once("tests", key(*sources), complete, lambda: run(BIN / "python", "tools/fetch_assets.py", "--tests"))


def minify_step() -> None:
    """`build/exported.min.js`, the loader of exported models."""
    written = ("web/exported", "web/replay.js", "web/pixels.js", "pyml/export/bundle.py", "tools/minify.py")
    sources = [ROOT / path for path in written]
    made = ROOT / "build" / "exported.min.js"
    once("minify", key(*sources), made.is_file, lambda: run(BIN / "python", "tools/minify.py"))


def editor_step() -> None:
    """`build/assets/vendor/codemirror.js`, the code editor of the demos."""
    made = ROOT / "build" / "assets" / "vendor" / "codemirror.js"
    sources = [ROOT / "tools" / "editor", ROOT / "tools" / "bundle_editor.py"]
    once("editor", key(*sources), made.is_file, lambda: run(BIN / "python", "tools/bundle_editor.py"))


def wheel_step() -> None:
    """`dist/pyml-VERSION-py3-none-any.whl`, for pip and for Pyodide."""

    def build() -> None:
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        run(BIN / "python", "-m", "hatchling", "build", "-t", "wheel", stdout=subprocess.DEVNULL)
        print(f"setup: {next((ROOT / 'dist').glob('*.whl')).relative_to(ROOT)}", flush=True)

    sources = [ROOT / "pyproject.toml", ROOT / "pyml", ROOT / "kernels_wgsl", ROOT / "web", ROOT / "build" / "exported.min.js"]
    once("wheel", key(*sources), lambda: any((ROOT / "dist").glob("*.whl")), build)


def site_step() -> None:
    """`build/site`, what `pyml serve` and the page tests serve; it keeps its own record of what changed."""
    run(BIN / "python", "-c", "from pyml.cli import build, paths; build.build_site(paths.site_dir())")


if __name__ == "__main__":
    sys.exit(main())
