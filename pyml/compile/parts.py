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


@dataclass(frozen=True, eq=False)
class While:
    """Steps that run again and again, `times` at most, while the bool `goes_on` holds; after that they change nothing."""

    steps: tuple[Step, ...]
    times: int
    goes_on: Buffer
    bounded: bool  # whether running them `times` times is a way out for who cannot look


@dataclass(frozen=True, eq=False)
class Repeated:
    """A `While` that the device has recorded. The host looks after 1, 2, 4, … rounds: at most half of them are too many."""

    recorded: Any
    loop: While

    def run(self, device: Device) -> None:
        left, rounds = self.loop.times, 1
        while left:
            for _ in range(min(rounds, left)):
                device.replay(self.recorded)
            left -= min(rounds, left)
            if left and not self._goes_on(device):
                return
            rounds *= 2

    def _goes_on(self, device: Device) -> bool:
        try:
            return any(device.sync_wait(device.read(self.loop.goes_on, 4)))
        except SyncReadError as e:
            if self.loop.bounded:
                return True
            raise SyncReadError(
                "while_loop: the host has to see when this loop ends, and this browser cannot wait for the GPU: give "
                'maximum_iterations, or use the device "wasm".'
            ) from e


def parted(steps: Sequence[Step | While], device: Device) -> list[Any]:
    """What the device records of the steps, and between that the host's part; on the cpu device all is recorded."""
    parts: list[Any] = []
    run: list[Step] = []
    for step in steps:
        hosted = step if isinstance(step, Dispatch) and step.kernel.run is not None and not device.profile.on_host else None
        if hosted is None and not isinstance(step, While):
            run.append(step)
            continue
        if run:
            parts.append(device.record(run))
        if hosted is not None:
            parts.append(OnHost(hosted.kernel, hosted.buffers))
        elif isinstance(step, While):
            parts.append(Repeated(device.record(step.steps), step))
        run = []
    if run or not parts:
        parts.append(device.record(run))
    return parts
