"""Which device pyml runs on: `set_backend`, `get_backend`, `describe`.

The default is a real GPU where there is one; otherwise `cpu`. A software WebGPU adapter is used only when asked
for: `PYML_BACKEND=webgpu` or `pyml.config.set_backend("webgpu")`.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import contextmanager

from .errors import BackendUnavailable

BACKENDS = ("webgpu", "cpu")
IN_BROWSER = sys.platform == "emscripten"
_device = None
_reason = ""
replaying = True


@contextmanager
def without_replay():
    """Runs programs as plain functions, operation by operation; for finding out whether a program is at fault."""
    global replaying
    before, replaying = replaying, False
    try:
        yield
    finally:
        replaying = before


def get_backend() -> str:
    """The name of the backend in use, `"webgpu"` or `"cpu"`; chooses one at the first call."""
    return device().name


def set_backend(backend: str) -> None:
    """Chooses the device for everything computed from now on.

    Values that live on another device keep living there; make models after choosing.

    Args:
        backend: `"webgpu"` or `"cpu"`.

    Raises:
        ValueError: the name is not a backend.
        BackendUnavailable: there is no WebGPU here, or in the browser it has not been opened yet
            (`await pyml.config.init_async("webgpu")` opens it).
    """
    global _device, _reason
    _check(backend)
    if _device is not None and _device.name == backend:
        return
    _device, _reason = _open(backend), "chosen by set_backend"


def _check(backend: str) -> None:
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; use one of {', '.join(map(repr, BACKENDS))}.")


_opened: dict = {}


def _open(backend: str):
    if backend not in _opened:
        if backend == "cpu":
            from .device.cpu import CpuDevice

            _opened[backend] = CpuDevice()
        elif IN_BROWSER:
            raise BackendUnavailable(
                'WebGPU has not been opened on this page; write `await pyml.config.init_async("webgpu")` first.'
            )
        else:
            from .device.native import NativeDevice

            _opened[backend] = NativeDevice()
    return _opened[backend]


def device():
    """The device in use; chooses one at the first call."""
    global _device, _reason
    if _device is None:
        wanted = os.environ.get("PYML_BACKEND")
        if wanted:
            _check(wanted)
            _device, _reason = _open(wanted), "chosen by PYML_BACKEND"
        else:
            _device, _reason = _default()
    return _device


def _default():
    if IN_BROWSER:
        if "webgpu" in _opened:
            return _opened["webgpu"], "opened by the page"
        return _open("cpu"), "WebGPU has not been opened on this page"
    try:
        gpu = _open("webgpu")
    except BackendUnavailable as e:
        return _open("cpu"), f"no WebGPU here: {e}"
    if gpu.info.get("type") == "software":
        return _open("cpu"), f"the only WebGPU adapter is software ({gpu.info.get('adapter')}); ask for it by PYML_BACKEND=webgpu"
    return gpu, "a GPU was found"


async def init_async(backend: str | None = None) -> str:
    """Opens the device in the browser, where asking for an adapter takes a wait. Returns the backend's name.

    Without `backend`, a real GPU is taken when there is one, else `cpu`; `describe()` says why.
    """
    global _device, _reason
    backend = backend or os.environ.get("PYML_BACKEND")
    if backend is not None:
        _check(backend)
    if not IN_BROWSER:
        if backend is not None:
            set_backend(backend)
        return get_backend()
    if backend == "cpu":
        _device, _reason = _open("cpu"), "asked for"
        return "cpu"
    from .device.browser import open_browser_device

    try:
        gpu = await open_browser_device()
    except BackendUnavailable as e:
        if backend == "webgpu":
            raise
        _device, _reason = _open("cpu"), f"no WebGPU here: {e}"
        return "cpu"
    _opened["webgpu"] = gpu
    if backend is None and gpu.info.get("type") == "software":
        _device, _reason = _open("cpu"), f"the only WebGPU adapter is software ({gpu.info.get('adapter')})"
    else:
        _device, _reason = gpu, "asked for" if backend else "a GPU was found"
    return _device.name


async def reopen_async() -> str:
    """Opens the backend in use again after its device was lost, `cpu` where that fails. Returns the backend's name.

    Values on the lost device are gone; whoever kept a copy assigns it again.
    """
    global _device, _reason
    backend = _device.name if _device is not None else "cpu"
    _opened.pop(backend, None)
    _device = None
    try:
        return await init_async(backend)
    except Exception as e:  # any failure to open a GPU leaves the host
        _device, _reason = _open("cpu"), f"{backend} was lost and could not be opened again: {e}"
        return "cpu"


def describe() -> str:
    """Backend and why, adapter, limits, features and versions, one per line."""
    import numpy as np

    from . import __version__

    d = device()
    lines = [f"backend   {d.name} ({_reason})"]
    lines += [f"{k:9} {v}" for k, v in d.info.items()]
    lim = d.limits
    if d.name == "webgpu":
        lines.append(f"limits    buffer {lim.max_buffer_size:,} bytes, binding {lim.max_binding_size:,} bytes, "
                     f"{lim.max_storage_buffers} storage buffers, {lim.max_invocations} invocations, "
                     f"{lim.max_shared:,} bytes shared")  # fmt: skip
        lines.append(f"features  {', '.join(sorted(d.features)) or 'none'}")
        lines.append(f"kernels   {d.profile.family} family")
    lines.append(f"versions  pyml {__version__}, numpy {np.__version__}, Python {platform.python_version()}, {sys.platform}")
    return "\n".join(lines)
