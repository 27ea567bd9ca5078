"""Programs as data: what each device runs, the buffers that takes, and the states that all programs share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyml.compile.parts import OnHost
from pyml.compile.pictures import fitting
from pyml.compile.program import Bound
from pyml.core import Variable
from pyml.core.capture import Traced
from pyml.device.base import Buffer, Copy, Count, DeviceKernel, Dispatch, Repeat, Step, dispatches
from pyml.device.browser import flattened
from pyml.errors import KernelError
from pyml.export.recorder import GPU, SOFTWARE, WASM, Recorder
from pyml.graph.node import Node
from pyml.graph.op import Profile
from pyml.wasm import Again, Compiled, Part, Tick, compile_kernel, link_all, link_shared_all, share
from pyml.wasm.engine import RELAXED_MADD, SIMD_ADD, probe
from pyml.wasm.link import compiled

PROFILES = {"webgpu": GPU, "wasm": WASM, "software": SOFTWARE}
WORKGROUPS = 65535  # along one axis, on every adapter
MEET = ("PHASE", "FIRST", "MODULE", "TABLE", "SLEEPERS", "FAILED", "MAY_WAIT", "STATE", "MOST", "RESERVED")  # of pyml.wasm.share


class ExportError(ValueError):
    """Something of a model cannot run without Python; the message names it."""


@dataclass(eq=False)
class State:
    """Bytes that outlive a call: a Variable's, or those of a tensor that a function found outside of itself."""

    source: Variable | Node
    name: str
    shape: tuple[int, ...]
    dtype: str
    written: bool = False


class Programs:
    """Traced calls, planned for each device that an exported model may meet.

    Args:
        profiles: What is known of each device, by its name.
    """

    def __init__(self, profiles: dict[str, Profile]) -> None:
        self.devices = {name: Target(Recorder(name, profile)) for name, profile in profiles.items()}
        self.states: dict[int, State] = {}

    def state(self, source: Variable | Node) -> State:
        """The state of a source; a new one takes a buffer on every device."""
        found = self.states.get(id(source))
        if found is None:
            node = source._as_leaf() if isinstance(source, Variable) else source
            wanted = source.path or source.name if isinstance(source, Variable) else "constant"
            names = {state.name for state in self.states.values()}
            number, name = 0, wanted
            while name in names:
                number += 1
                name = f"{wanted}_{number}"
            found = self.states[id(source)] = State(source, name, node.shape, node.dtype)
            for target in self.devices.values():
                target.states.append(target.recorder.alloc(4 * node.size))
        return found

    def add(self, name: str, traced: Traced) -> dict[str, Any]:
        """Plans a traced call for every device.

        Returns:
            The shapes and dtypes of its `inputs` and `outputs`.

        Raises:
            ExportError: Some of it is computed in Python.
        """
        states = [None if isinstance(source, int) else self.state(source) for source in traced.sources]
        for variable in traced.written:
            self.state(variable).written = True
        numbers = {id(state): i for i, state in enumerate(self.states.values())}
        for target in self.devices.values():
            target.add(name, traced, [None if state is None else numbers[id(state)] for state in states])
        described = lambda values: [{"shape": list(shape), "dtype": dtype} for shape, dtype in values]
        return {"inputs": described(traced.inputs), "outputs": described(traced.form.types)}


class Target:
    """One kind of device: its buffers and its programs."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.states: list[Buffer] = []
        self.programs: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, tuple[Step, ...]] = {}
        self.kept: list[Bound] = []

    def add(self, name: str, traced: Traced, states: Sequence[int | None]) -> None:
        """Plans a call; `states` has the number of each leaf's state, None for an argument."""
        alloc = self.recorder.alloc
        inputs = [alloc(4 * _size(shape)) for shape, _ in traced.inputs]
        leaves = [inputs[source] if isinstance(source, int) else self.states[number]  # type: ignore[index]
                  for source, number in zip(traced.sources, states, strict=True)]  # fmt: skip
        bound = Bound(traced.plan(self.recorder.profile), self.recorder, leaves)
        for part in bound.parts:
            if isinstance(part, OnHost):
                raise ExportError(
                    f"{name}: {part.kernel.label} is computed by numpy in Python, so it cannot be exported: "
                    "use smaller matrices, which the device itself computes, or leave it out."
                )
        (steps,) = bound.parts or ((),)
        outputs = []
        for ref in bound.plan.out_refs[: len(traced.form.types)]:
            outputs.append(alloc(0).handle if ref[0] == "none" else bound.at(ref).handle)
        self.kept.append(bound)
        self.steps[name] = steps
        self.programs[name] = {"inputs": [b.handle for b in inputs], "outputs": outputs}

    def described(self) -> dict[str, Any]:
        """What both kinds of devices need."""
        return {"buffers": self.recorder.sizes, "states": [b.handle for b in self.states], "programs": self.programs}

    def webgpu(self, pictures: bool) -> dict[str, Any]:
        """The device's file for WebGPU: kernels as WGSL, steps as replay.js reads them; with `pictures` one that resizes those."""
        numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        kernels = []

        def number(kernel: DeviceKernel) -> int:
            key = (kernel.source, kernel.bindings)
            if key not in numbers:
                numbers[key] = len(numbers) + 1
                kernels.append([numbers[key], kernel.label, kernel.source, list(kernel.bindings)])
            return numbers[key]

        for name, steps in self.steps.items():
            ids = iter([number(d.kernel) for d in dispatches(steps)])
            self.programs[name]["steps"] = flattened(steps, ids, WORKGROUPS).tolist()
        picture = number(fitting()) if pictures else None
        return {**self.described(), "kernels": kernels, "picture": picture}

    def wasm(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What the loader must know for WebAssembly, and the modules.

        There is one for every engine with SIMD and one for those with relaxed SIMD; and both again for several threads, where
        some kernel is worth them.
        """
        scratch = self.recorder.alloc(0).handle
        modules: dict[str, bytes] = {}
        listed = []
        for relaxed in (True, False):
            parts, work, largest = self._parts(relaxed)
            self.recorder.sizes[scratch] = max(16, largest)
            needs = list(probe(RELAXED_MADD if relaxed else SIMD_ADD, False))
            suffix = ".relaxed.wasm" if relaxed else ".wasm"
            modules[f"model{suffix}"] = link_all({f"run{i}": each for i, each in enumerate(parts)})
            listed.append({"file": f"model{suffix}", "probe": needs, "threads": False})
            if any(share.pays(kernel, work) for each in parts for kernel in compiled(each)):
                modules[f"model.threads{suffix}"] = link_shared_all({str(i): each for i, each in enumerate(parts)}, work)
                listed.append({"file": f"model.threads{suffix}", "probe": needs, "threads": True})
        for i, (name, steps) in enumerate(self.steps.items()):
            self.programs[name] |= {"run": i, "words": list(_words(steps, scratch))}
        meet = {name: getattr(share, name) for name in MEET}
        return {**self.described(), "scratch": scratch, "modules": listed, "meet": meet}, modules

    def _parts(self, relaxed: bool) -> tuple[list[list[Part]], dict[int, int | None], int]:
        """The kernels of each program, compiled; about how many nanoseconds each takes; the most scratch memory of one."""
        known: dict[tuple[str, tuple[int, int, int]], Compiled] = {}
        work: dict[int, int | None] = {}

        def made(kernel: DeviceKernel) -> Compiled:
            key = (kernel.source, kernel.grid)
            if key not in known:
                try:
                    known[key] = compile_kernel(kernel, relaxed=relaxed)
                except KernelError as e:
                    raise KernelError(f"kernel {kernel.label!r} does not compile: {e}") from None
                work[id(known[key])] = kernel.work
            return known[key]

        def parts(steps: Sequence[Step]) -> Iterator[Part]:
            for step in steps:
                if isinstance(step, Dispatch):
                    yield made(step.kernel)
                elif isinstance(step, Repeat):
                    yield Again(step.times, tuple(parts(step.steps)))
                else:
                    yield None if isinstance(step, Copy) else Tick(step.value)

        found = [list(parts(steps)) for steps in self.steps.values()]
        return found, work, max([0, *(kernel.scratch for kernel in known.values())])


def _words(steps: Sequence[Step], scratch: int) -> Iterator[int]:
    """The words of a table as `link_all` wants them: the numbers of buffers, and numbers n as -1 - n."""
    for step in steps:
        if isinstance(step, Dispatch):
            yield from (b.handle for b in step.buffers)
            yield scratch
        elif isinstance(step, Copy):
            yield from (step.dst.handle, step.src.handle, -1 - step.nbytes)
        elif isinstance(step, Count):
            yield step.number.handle
        else:
            yield from _words(step.steps, scratch)


def _size(shape: Sequence[int]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


__all__ = ["PROFILES", "ExportError", "Programs", "State"]
