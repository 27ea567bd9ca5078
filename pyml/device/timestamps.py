"""How long each dispatch takes on the adapter, by WebGPU's timestamp queries."""

from __future__ import annotations

from typing import Any

import numpy as np

from .native import NativeDevice

_QUERIES = 4096  # the most a query set may hold


def seconds_of(device: Any, recorded: list) -> list[float] | None:
    """Seconds of each dispatch of what `device.record` returned, run once more in passes of their own.

    None where the adapter offers no timestamps, or the device is not WebGPU on the desktop.
    """
    if not isinstance(device, NativeDevice) or "timestamp-query" not in device.features:
        return None
    dispatches = [step for step in recorded if step[0] is not None][: _QUERIES // 2]
    gpu, wgpu = device._device, device._wgpu
    count = 2 * len(dispatches)
    queries = gpu.create_query_set(type="timestamp", count=count)
    usage = wgpu.BufferUsage.QUERY_RESOLVE | wgpu.BufferUsage.COPY_SRC
    resolved = gpu.create_buffer(size=8 * count, usage=usage)
    encoder = gpu.create_command_encoder()
    for i, (pipeline, group, grid, *_) in enumerate(dispatches):
        writes = {"query_set": queries, "beginning_of_pass_write_index": 2 * i, "end_of_pass_write_index": 2 * i + 1}
        run = encoder.begin_compute_pass(timestamp_writes=writes)
        run.set_pipeline(pipeline)
        run.set_bind_group(0, group)
        run.dispatch_workgroups(*grid)
        run.end()
    encoder.resolve_query_set(queries, 0, count, resolved, 0)
    device._queue.submit([encoder.finish()])
    stamps = np.frombuffer(device._queue.read_buffer(resolved), np.uint64).astype(np.int64).reshape(-1, 2)
    return [float(end - start) * 1e-9 * _period(device) for start, end in stamps]


def _period(device: NativeDevice) -> float:
    """Nanoseconds of a tick: wgpu-native writes the adapter's ticks, which the standard wants in nanoseconds."""
    from wgpu.backends.wgpu_native import lib

    return float(lib.wgpuQueueGetTimestampPeriod(device._queue._internal))
