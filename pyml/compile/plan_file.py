"""A Plan as bytes, and back: what tracing, scheduling and emitting made, without the graph it was made from.

Layout (little endian):

    8 bytes   PYMLPLAN
    uint32    the version of this layout
    uint32    bytes of the JSON that follows, once it is unpacked
    the rest  JSON (UTF-8), packed with zlib

The JSON is one plan:

    kernels     in order, one dispatch each (a loop: its body's for every step); see below
    slots       bytes of each temporary: memory that a plan needs while it runs
    outs        [shape, dtype] of each value that it gives back in a buffer of its own
    out_refs    where each requested value is
    copies      [from, to, bytes]: made after the kernels
    params      how many float32 scalars the uniform block `params` has
    live_bytes  most bytes of temporaries that are in use at one time
    sources     (of the outermost plan only) the texts of the kernels; equal ones are there once

A place is `[kind, number]`: `["leaf", 0]` is the first of the buffers that come from outside (arguments, Variables,
constants: `Capture.sources` says which), `["slot", 0]` a temporary, `["out", 0]` a result, `["params", 0]` the uniform block,
`["none", 0]` nothing (a value without elements). In a loop's body there are also `["carry", 0]` and `["turn", 0]`, and in a
chain `["inner", 0]`, memory of the workgroup.

A kernel has

    label, results, moved, arithmetic   what is told of it: `results` is [op, shape] of each output
    reads, writes                       places
    code        what a device takes: {label, source, bindings, grid, order, work}. `source` is a number of `sources` (WGSL
                with entry point `main`), `bindings` are "read" | "read_write" | "uniform" | "turn", and `order` says for
                each of them what it is: ["read", i] and ["write", i] are this kernel's, ["params", 0] and ["turn", 0]
                themselves. `work` is about how many nanoseconds a processor core takes, or null.
    links       kernels that a chain is made of, for reading; only the chain has code
    loop        {steps, body (a plan), inputs, results, carries, temporaries, ends}: it has no code of its own. `inputs` are what
                each leaf of the body is, `results` what each of its outs is, `temporaries` what each of its slots is, and
                `carries` are [first, a, b]: where the first value is, and two places that take turns. The first step reads
                `first` and writes `a`, the second reads `a` and writes `b`, and so on; `turn`, a uniform int32 (16 bytes),
                counts the steps from 0. Where it `ends`, no step need run once the first carry is 0. `Bound` in `program.py` does that.

WebAssembly is made from a kernel's WGSL by `wasm.compile_kernel`, and a module of a whole recording by `wasm.link`.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

from ..device.base import DeviceKernel
from ..graph.node import Node
from ..graph.prims import BUFFER
from .memory import Ref
from .plan import Chain, Facts, Kernel, Loop, Plan

MAGIC = b"PYMLPLAN"
VERSION = 1
_HEAD = struct.Struct("<8sII")


def to_bytes(plan: Plan, effort: int = 1) -> bytes | None:
    """The plan as bytes, packed with zlib's `effort`. None where it cannot be: a kernel is not lowered yet, or numpy
    computes it on the host."""
    described = to_dict(plan)
    if described is None:
        return None
    text = json.dumps(described, separators=(",", ":")).encode()
    return _HEAD.pack(MAGIC, VERSION, len(text)) + zlib.compress(text, effort)


def from_bytes(raw: bytes) -> Plan:
    """The plan that these bytes are; its kernels are lowered.

    Raises:
        ValueError: The bytes are not a plan, are cut short, damaged, or of another version.
    """
    try:
        magic, version, size = _HEAD.unpack_from(raw)
        if magic != MAGIC or version != VERSION:
            raise ValueError(f"no plan of version {VERSION}: it begins with {raw[:12]!r}")
        text = zlib.decompress(raw[_HEAD.size :])
        if len(text) != size:
            raise ValueError(f"{len(text):,} bytes of a plan of {size:,}")
        return from_dict(json.loads(text))
    except (struct.error, zlib.error, KeyError, TypeError, IndexError) as e:
        raise ValueError(f"these bytes are not a plan: {e}") from None


def to_dict(plan: Plan) -> dict[str, Any] | None:
    """The plan as what JSON holds, or None as for `to_bytes`."""
    sources: dict[str, int] = {}
    try:
        described = _plan(plan, sources)
    except _NotData:
        return None
    return {**described, "sources": list(sources)}


def from_dict(described: dict[str, Any]) -> Plan:
    """The opposite of `to_dict`."""
    return _to_plan(described, described["sources"])


class _NotData(Exception):
    """A kernel is a function of Python."""


def _plan(plan: Plan, sources: dict[str, int]) -> dict[str, Any]:
    return {
        "kernels": [_kernel(k, sources) for k in plan.kernels],
        "slots": plan.slots,
        "outs": [(o.shape, o.dtype) for o in plan.outs],
        "out_refs": plan.out_refs,
        "copies": plan.copies,
        "params": plan.params,
        "live_bytes": plan.live_bytes,
    }


def _kernel(kernel: Kernel, sources: dict[str, int], inside: bool = False) -> dict[str, Any]:
    """What is written of a kernel: its facts, its code or a loop's body, and the links of a chain."""
    facts = kernel.facts
    told: dict[str, Any] = {
        "label": facts.label, "results": facts.results, "moved": facts.moved, "arithmetic": facts.arithmetic,
        "reads": kernel.reads, "writes": kernel.writes,
    }  # fmt: skip
    if isinstance(kernel, Loop):
        told["loop"] = {
            "steps": kernel.steps, "body": _plan(kernel.body, sources), "inputs": kernel.inputs, "results": kernel.results,
            "carries": kernel.carries, "temporaries": kernel.temporaries, "ends": kernel.ends,
        }  # fmt: skip
    elif not inside:
        told["code"] = _code(kernel.lowered, sources)
    if isinstance(kernel, Chain):
        told["links"] = [_kernel(k, sources, inside=True) for k in kernel.links]
    return told


def _code(code: DeviceKernel | None, sources: dict[str, int]) -> dict[str, Any]:
    if code is None or code.run is not None:
        raise _NotData
    number = sources.setdefault(code.source, len(sources))
    return {"label": code.label, "source": number, "bindings": code.bindings, "grid": code.grid, "order": code.order, "work": code.work}


def _to_plan(d: dict[str, Any], sources: list[str]) -> Plan:
    outs = []
    for sizes, dtype in d["outs"]:
        shape = tuple(sizes)
        outs.append(Node(BUFFER, (), {"shape": shape, "dtype": dtype}, shape, dtype))
    copies = [(_ref(a), _ref(b), n) for a, b, n in d["copies"]]
    kernels = [_to_kernel(k, sources) for k in d["kernels"]]
    return Plan(kernels, d["slots"], outs, list(_refs(d["out_refs"])), copies, d["params"], d["live_bytes"])


def _to_kernel(d: dict[str, Any], sources: list[str]) -> Kernel:
    facts = Facts(d["label"], tuple((op, tuple(shape)) for op, shape in d["results"]), d["moved"], d["arithmetic"])
    group: Any = None
    reads, writes = _refs(d["reads"]), _refs(d["writes"])
    if "loop" in d:
        loop = d["loop"]
        carries = tuple((_ref(first), _ref(a), _ref(b)) for first, a, b in loop["carries"])
        return Loop(group, reads, writes, None, facts, loop["steps"], _to_plan(loop["body"], sources), _refs(loop["inputs"]),
                    _refs(loop["results"]), carries, _refs(loop["temporaries"]), loop["ends"])  # fmt: skip
    code = _to_code(d["code"], sources) if "code" in d else None
    if "links" in d:
        return Chain(group, reads, writes, code, facts, links=tuple(_to_kernel(k, sources) for k in d["links"]))
    return Kernel(group, reads, writes, code, facts)


def _to_code(d: dict[str, Any], sources: list[str]) -> DeviceKernel:
    x, y, z = d["grid"]
    return DeviceKernel(d["label"], sources[d["source"]], tuple(d["bindings"]), (x, y, z), order=_refs(d["order"]), work=d["work"])


def _ref(place: list[Any]) -> Ref:
    kind, number = place
    return kind, number


def _refs(places: list[list[Any]]) -> tuple[Ref, ...]:
    return tuple(map(_ref, places))


__all__ = ["MAGIC", "VERSION", "from_bytes", "from_dict", "to_bytes", "to_dict"]
