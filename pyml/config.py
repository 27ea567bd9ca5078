"""Which device pyml runs on: `set_backend`, `get_backend`, `describe`; and the settings of Keras' `config`.

The default is a real GPU where there is one (`webgpu`); otherwise WebAssembly SIMD in the browser (`wasm`) and numpy
natively (`cpu`). A software WebGPU adapter is used only when asked for: `PYML_BACKEND=webgpu` or
`pyml.config.set_backend("webgpu")`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from . import __version__
from .device import forks, opening
from .device.base import machine_of
from .device.lock import LOCK
from .dtype_policies import dtype_policy, set_dtype_policy
from .errors import BackendUnavailable
from .settings import (
    disable_flash_attention,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_flash_attention,
    enable_interactive_logging,
    enable_traceback_filtering,
    enable_unsafe_deserialization,
    epsilon,
    floatx,
    image_data_format,
    is_flash_attention_enabled,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
    max_epochs,
    max_steps_per_epoch,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    set_max_epochs,
    set_max_steps_per_epoch,
)
from .tracebacks import warn

__all__ = [
    "backend", "describe", "device", "disable_flash_attention", "disable_interactive_logging", "disable_traceback_filtering",
    "dtype_policy", "enable_flash_attention", "enable_interactive_logging", "enable_traceback_filtering",
    "enable_unsafe_deserialization", "epsilon", "floatx", "get_backend", "image_data_format", "init_async",
    "is_flash_attention_enabled", "is_interactive_logging_enabled", "is_traceback_filtering_enabled", "max_epochs",
    "max_steps_per_epoch", "reopen_async", "set_backend", "set_dtype_policy", "set_epsilon", "set_floatx", "set_image_data_format",
    "set_max_epochs", "set_max_steps_per_epoch", "without_replay",
]  # fmt: skip

BACKENDS = ("webgpu", "wasm", "cpu")
IN_BROWSER = sys.platform == "emscripten"
_device: Any = None
_reason = ""
_replaying: ContextVar[bool] = ContextVar("replaying", default=True)
replaying = _replaying.get  # replaying() is False within without_replay(), in that thread and task


@contextmanager
def without_replay() -> Iterator[None]:
    """Runs programs as plain functions, operation by operation; for finding out whether a program is at fault.

    Example:
        >>> with pyml.config.without_replay():
        ...     float(pyml.ops.sum([1.0, 2.0]))
        3.0
    """
    before = _replaying.set(False)
    try:
        yield
    finally:
        _replaying.reset(before)


def get_backend() -> str:
    """The name of the backend in use, `"webgpu"`, `"wasm"` or `"cpu"`; chooses one at the first call.

    Example:
        >>> pyml.config.get_backend() in ("webgpu", "wasm", "cpu")
        True
    """
    return device().name


def backend() -> str:
    """Keras' name of `get_backend`: `"webgpu"`, `"wasm"` or `"cpu"`.

    Example:
        >>> pyml.config.backend() in ("webgpu", "wasm", "cpu")
        True
    """
    return get_backend()


def set_backend(backend: str) -> None:
    """Chooses the device for everything computed from now on.

    Values that lie on another device come over when they are used: tensors, Variables, the weights of a model, which goes on
    as it was and compiles its programs for the new device. Reading a value takes it from where it lies. A browser that cannot
    wait for WebGPU (no JSPI) cannot move what lies there: a `DeviceError` says so. A GPU that was lost is opened anew.

    Args:
        backend: `"webgpu"`, `"wasm"` or `"cpu"`.

    Raises:
        ValueError: the name is not a backend.
        BackendUnavailable: there is no WebGPU here, or in a browser without JSPI it has not been opened yet
            (`await pyml.config.init_async("webgpu")` opens it); there is no WebAssembly SIMD, or natively the package
            wasmtime is missing.
    """
    global _device, _reason
    _check(backend)
    with LOCK:
        lost = _gpu_is_lost()
        if lost and backend == "webgpu":
            del _opened[backend]
            _device = None
        if _device is None or _device.name != backend:
            _device, _reason = _open(backend), "chosen by set_backend"
    _restart(lost or _left_behind())


def _leave() -> None:
    """In a process forked from one that had opened WebGPU: what computes there is chosen when something is to be computed."""
    global _device, _left
    _left = _opened.pop("webgpu", None)
    if _device is _left:
        _device = None


def _left_behind() -> bool:
    """Whether values stayed on a device of the process before the fork; told once."""
    global _left
    left, _left = _left, None
    return left is not None and left.lost


def _after_fork() -> Any:
    """The device of a process whose own one stayed with the process before the fork."""
    global _device, _reason
    _device, _reason = _open("cpu"), "this process was forked from one that computes on webgpu"
    _restart(_left_behind())
    warn("this process was forked from one that computes on webgpu, whose driver stayed there: pyml goes on here on cpu. Start it with "
         "multiprocessing.get_context('spawn') to use the GPU, or choose a device with pyml.config.set_backend.", RuntimeWarning)
    return _device


_left: Any = None  # the device that stayed with the process before the fork, until it was told
forks.leaving.append(_leave)


def _check(backend: str) -> None:
    if backend not in BACKENDS:
        raise ValueError(f"backend {backend!r} is unknown; use one of {', '.join(map(repr, BACKENDS))}.")


_opened: dict = {}
restarts: list[Callable[[], Any]] = []  # what begins anew the state that lay on a lost device, where one can


def _restart(lost: bool) -> None:
    """Another device is in use, perhaps after one that was lost."""
    for begin in restarts if lost else ():
        begin()


def _gpu_is_lost() -> bool:
    """Whether a GPU was opened and lost."""
    return "webgpu" in _opened and _opened["webgpu"].lost


def _open(backend: str) -> Any:
    """The device of a backend, opened the first time."""
    if backend not in _opened:
        if backend == "cpu":
            from .device.cpu import CpuDevice

            _opened[backend] = CpuDevice()
        elif backend == "wasm":
            from .device.wasm import WasmDevice

            _opened[backend] = WasmDevice()
        elif IN_BROWSER:
            from .device.browser import open_browser_device

            if not opening.can_wait():
                raise BackendUnavailable(
                    'WebGPU has not been opened on this page; write `await pyml.config.init_async("webgpu")` first.'
                )
            _opened[backend] = opening.waited(open_browser_device())
        else:
            from .device.native import NativeDevice

            _opened[backend] = NativeDevice()
    return _opened[backend]


def device() -> Any:
    """The device in use; chooses one at the first call. In a browser that call waits until WebGPU is open, where it can.

    Example:
        >>> pyml.config.device() is pyml.config.device()
        True
    """
    global _device, _reason
    if _device is not None:
        return _device
    if IN_BROWSER and opening.can_wait():
        opening.waited(init_async())
        return _device
    with LOCK:
        if _device is not None:  # another thread was first
            return _device
        if _left is not None:
            return _after_fork()
        wanted = os.environ.get("PYML_BACKEND")
        if wanted:
            _check(wanted)
            _device, _reason = _open(wanted), "chosen by PYML_BACKEND"
        else:
            _device, _reason = _default()
        return _device


def waits() -> bool:
    """Whether values of the device in use can be had without `await`: everywhere but for WebGPU in browsers that cannot suspend a call."""
    return not IN_BROWSER or device().name != "webgpu" or opening.can_wait()


def readable() -> Any:
    """The device in use where it can be waited for, else numpy's."""
    return device() if waits() else _open("cpu")


def _default() -> tuple[Any, str]:
    if IN_BROWSER:
        if "webgpu" in _opened:
            return _opened["webgpu"], "opened by the page"
        chosen = _without_gpu("WebGPU has not been opened on this page")
        if opening.is_offered():
            warn(opening.SAID.format(name=chosen[0].name), RuntimeWarning)
        return chosen
    try:
        gpu = _open("webgpu")
    except BackendUnavailable as e:
        return _without_gpu(f"no WebGPU here: {e}")
    return (gpu, "a GPU was found") if gpu.info.get("type") != "software" else _without_gpu(_software(gpu))


def _software(gpu: Any) -> str:
    return f'the only WebGPU adapter is software ({gpu.info.get("adapter")}); set_backend("webgpu") takes it'


def _without_gpu(reason: str) -> tuple[Any, str]:
    """The fastest device that is not a GPU, and why: numpy natively, WebAssembly in the browser."""
    if not IN_BROWSER:
        return _open("cpu"), reason
    try:
        return _open("wasm"), reason
    except BackendUnavailable as e:
        return _open("cpu"), f"{reason}; no WebAssembly SIMD: {e}"


async def init_async(backend: str | None = None) -> str:
    """Opens the device in the browser, where asking for an adapter takes a wait. Returns the backend's name.

    Without `backend`, a real GPU is taken when there is one, else `wasm`, else `cpu`; `describe()` says why.

    Raises:
        ValueError: the name is not a backend.
        BackendUnavailable: `backend` is named and cannot be used here.
    """
    backend = backend or os.environ.get("PYML_BACKEND")
    if backend is not None:
        _check(backend)
    if not IN_BROWSER:
        if backend is not None:
            set_backend(backend)
        return get_backend()
    import asyncio

    from . import kept_page

    lost = _gpu_is_lost()
    opening_store = asyncio.ensure_future(kept_page.open_store(lambda: machine_of(device())))  # nothing is compiled yet
    try:
        name = await _open_async(backend)
    finally:
        store = await opening_store
    if store is not None:
        store.expect()
    _restart(lost)
    return name


async def _open_async(backend: str | None) -> str:
    """`init_async` where a device is asked for or chosen."""
    global _device, _reason
    if backend in ("wasm", "cpu"):
        _device, _reason = _open(backend), "asked for"
        return await _started()
    from .device.browser import open_browser_device

    try:
        gpu = await open_browser_device()
    except BackendUnavailable as e:
        if backend == "webgpu":
            raise
        _device, _reason = _without_gpu(f"no WebGPU here: {e}")
        return await _started()
    _opened["webgpu"] = gpu
    if backend is None and gpu.info.get("type") == "software":
        _device, _reason = _without_gpu(_software(gpu))
    else:
        _device, _reason = gpu, "asked for" if backend else "a GPU was found"
    return await _started()


async def _started() -> str:
    """The name of the device in use, whose threads have started where it has any."""
    chosen = device()
    if chosen.name == "wasm":
        await chosen.start()
    return chosen.name


async def reopen_async() -> str:
    """Opens the backend in use again after its device was lost; where that fails, the best device that is not a GPU.
    Returns the backend's name.

    Values on the lost device are gone; whoever kept a copy assigns it again.
    """
    global _device, _reason
    backend = _device.name if _device is not None else "cpu"
    if backend == "webgpu":  # nothing else can be lost
        _opened.pop(backend, None)
    _device = None
    try:
        name = await init_async(backend)
    except Exception as e:  # any failure to open a GPU leaves the processor
        _device, _reason = _without_gpu(f"{backend} was lost and could not be opened again: {e}")
        name = _device.name
    _restart(backend == "webgpu")
    return name


def describe() -> str:
    """Backend and why, adapter, limits, features and versions, one per line.

    Example:
        >>> print(pyml.config.describe().splitlines()[0])    # doctest: +SKIP
        backend   webgpu (a GPU was found)
    """
    import numpy as np

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
