"""Kernels that numpy computes on the host, between those of the device: what they read comes over, and goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device.base import Buffer, Device, DeviceKernel, Dispatch, Step
from ..errors import SyncReadError


@dataclass(frozen=True, eq=False)
class OnHost:
    """One call of a kernel's numpy function over copies of its buffers."""

    kernel: DeviceKernel
    buffers: tuple[Buffer, ...]

    def run(self, device: Device) -> None:
        """Waits for the device, computes, and hands the results back."""
        modes = self.kernel.bindings
        arrays = []
        for buffer, mode in zip(self.buffers, modes, strict=True):
            if mode == "read_write":
                arrays.append(np.zeros(buffer.nbytes, np.uint8))
                continue
            try:
                raw = device.sync_wait(device.read(buffer, buffer.nbytes))
            except SyncReadError as e:
                raise SyncReadError(
                    f"{self.kernel.label} is computed on the host, which has to wait for the GPU here, and this browser cannot: "
                    'use the device "wasm", or smaller matrices, which the GPU itself computes (docs/engine.md, "On the host").'
                ) from e
            arrays.append(np.frombuffer(raw, np.uint8))
        with np.errstate(all="ignore"):
            self.kernel.run(*arrays)  # type: ignore[misc]
        for buffer, array, mode in zip(self.buffers, arrays, modes, strict=True):
            if mode == "read_write":
                device.write(buffer, array)


def parted(steps: Sequence[Step], device: Device) -> list[Any]:
    """What the device records of the steps, and between that the host's calls; on the cpu device all is recorded."""
    parts: list[Any] = []
    run: list[Step] = []
    for step in steps:
        if isinstance(step, Dispatch) and step.kernel.run is not None and not device.profile.on_host:
            if run:
                parts.append(device.record(run))
            parts.append(OnHost(step.kernel, step.buffers))
            run = []
        else:
            run.append(step)
    if run or not parts:
        parts.append(device.record(run))
    return parts
