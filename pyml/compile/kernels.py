"""Loads hand-written kernels and splices parameters and fused epilogues into their marked lines."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from ..device.base import DeviceKernel
from ..errors import KernelError
from ..graph.index import Var, variable
from ..graph.node import Node
from ..graph.op import KernelSpec, Profile
from .emit import LANE, Emitter
from .emit_kernel import declarations, preamble
from .groups import Group
from .plan import Kernel

_CONST = re.compile(r"^const (\w+)\s*:\s*(\w+)\s*=.*//\s*@param")
_ALIAS = re.compile(r"^alias (\w+)\s*=.*//\s*@param")
_RESULT = re.compile(r"@group\(0\) @binding\((\d+)\) var<storage, read_write>")
_OUTPUT = re.compile(r"var<storage, read_write> (\w+)")
_HOOK = re.compile(r"^fn (\w+)\((.*?)\)\s*(->\s*[\w<>]+)?\s*\{.*//\s*@hook")


@functools.cache
def folder() -> Path:
    """Where the .wgsl files are: inside the package, or at the top of a checkout."""
    here = Path(__file__).resolve().parent.parent
    for place in (here / "_data" / "kernels_wgsl", here.parent / "kernels_wgsl"):
        if place.is_dir():
            return place
    raise KernelError("the kernels_wgsl folder is missing from this installation of pyml; install it again.")


@functools.cache
def read(name: str) -> str:
    return (folder() / f"{name}.wgsl").read_text()


def _literal(value: Any, kind: str) -> str:
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("u32", "i32"):
        return f"{int(value)}{kind[0]}"
    return f"{float(value)!r}f" if kind == "f32" else str(value)


@functools.cache
def _marked(name: str) -> list[tuple[str, str, str, str, str]]:
    """The lines of a file: each with what is marked in it ("const", "alias", "hook" or nothing), its name, its type or parameters,
    and what a hook returns; lines without marks are put together."""
    found: list[tuple[str, str, str, str, str]] = []
    for line in read(name).splitlines():
        marked = "@param" in line or "@hook" in line
        if marked and (m := _CONST.match(line)):
            found.append((line, "const", m[1], m[2], ""))
        elif marked and (m := _ALIAS.match(line)):
            found.append((line, "alias", m[1], "", ""))
        elif marked and (m := _HOOK.match(line)):
            found.append((line, "hook", m[1], m[2], m[3] or ""))
        elif found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line}", "", "", "", "")
        else:
            found.append((line, "", "", "", ""))
    return found


def fill(name: str, params: dict, hooks: dict, operands: tuple[str, ...] = ()) -> str:
    """The file with its `@param` and `@hook` lines replaced; hooks are bodies without braces.

    `operands` are arrays of f32 that hooks read, bound before the result.

    Raises:
        KernelError: a name has no marked line in the file.
    """
    left_params, left_hooks = set(params), set(hooks)
    lines = []
    for line, mark, what, kind, result in _marked(name):
        if mark == "hook" and what in hooks:
            left_hooks.discard(what)
            line = f"fn {what}({kind}) {result} {{\n{hooks[what]}\n}}"
        elif mark == "const" and what in params:
            left_params.discard(what)
            line = f"const {what}: {kind} = {_literal(params[what], kind)};"
        elif mark == "alias" and what in params:
            left_params.discard(what)
            line = f"alias {what} = {params[what]};"
        lines.append(line)
    missing = sorted(left_params | left_hooks)
    if missing:
        raise KernelError(f"kernels_wgsl/{name}.wgsl has no marked line for {', '.join(missing)}.")
    text = "\n".join(lines) + "\n"
    return _RESULT.sub(lambda found: _before(int(found[1]), operands), text, count=1) if operands else text


def _before(binding: int, operands: tuple[str, ...]) -> str:
    """The start of the result's declaration, and operands before it."""
    arrays = [f"@group(0) @binding({binding + i}) var<storage, read> {name}: array<f32>;\n" for i, name in enumerate(operands)]
    return "".join(arrays) + f"@group(0) @binding({binding + len(operands)}) var<storage, read_write>"


def lower_routine(kernel: Kernel, profile: Profile, params: int) -> DeviceKernel:
    """A routine's file with the group's elementwise nodes as its epilogue."""
    group = kernel.group
    anchor = group.anchors[0]
    spec: KernelSpec = anchor.op.spec(anchor, profile)
    inputs = [("read", _position(group, s)) for s in anchor.src]
    modes = ["read"] * len(inputs) + ["read_write"]
    order = [*inputs, ("write", 0)]
    if not group.members:  # then it is the anchor that is stored
        source = fill(spec.file, spec.params, spec.hooks, spec.operands)
        return DeviceKernel(group.label(), source, tuple(modes), spec.grid, order=tuple(order))
    text = read(spec.file)
    four = "\nfn store4(" in text
    y, result = kernel.writes[0], _OUTPUT.findall(text)[0]
    scalar: frozenset = frozenset() if four else frozenset([y])
    while True:
        emitter, body = _epilogue(kernel, profile, anchor, result, four, scalar)
        if emitter.settled():
            break
        if four and y in emitter.wants_scalar:
            raise KernelError(f"{group.label()}: the epilogue reads single elements of its own output.")
        scalar |= emitter.wants_scalar
    extra, more_modes, more_order = declarations(kernel, emitter, len(modes), params, skip={y})
    hooks = {**spec.hooks, "store4" if four else "store": "\n".join("  " + line for line in body)}
    filled = fill(spec.file, spec.params, hooks, spec.operands)
    source = "\n".join([f"// {group.label()}", *extra, *preamble(emitter, body), filled])
    return DeviceKernel(group.label(), source, (*modes, *more_modes), spec.grid, order=(*order, *more_order))


def _epilogue(kernel: Kernel, profile: Profile, anchor: Node, result: str, four: bool, scalar: frozenset) -> tuple[Emitter, list[str]]:
    group = kernel.group
    emitter = Emitter(kernel, profile, 4 if four else 1, scalar, prefix="e_", taken={kernel.writes[0]: result})
    emitter.given[id(anchor)] = "v"
    emitter.level_of["v"] = 0
    n = group.domain
    if four:
        lead = ["let e_q = i / 4u;"]
        at = variable(Var("e_q", max(1, n // 4))) * 4 + variable(LANE)
        position = "e_q"
    else:
        lead, at, position = [], variable(Var("i", n)), "i"
    stores = [emitter.store(o, r, at, position) for o, r in zip(group.outputs, kernel.writes, strict=True)]
    return emitter, [*lead, *emitter.bodies[0], *stores]


def _position(group: Group, operand: Node) -> int:
    while operand.op.keeps_order:
        operand = operand.src[0]
    return next(i for i, v in enumerate(group.loads()) if v is operand)
