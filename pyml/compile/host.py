"""Lowering for numpy, on the cpu device and for what is the host's work on every device: a kernel becomes a function of arrays."""

from __future__ import annotations

import numpy as np

from ..device.base import DeviceKernel
from ..dtypes import NUMPY
from ..graph.loop import LoopOp
from ..graph.node import Node, toposort
from .plan import Kernel


def _view(raw: np.ndarray, node: Node) -> np.ndarray:
    memory = np.uint32 if node.dtype == "bool" else NUMPY[node.dtype]
    array = raw[: node.size * 4].view(memory).reshape(node.shape)
    return array.astype(bool) if node.dtype == "bool" else array


def lower_host(kernel: Kernel, n_params: int) -> DeviceKernel:
    """Calls `Op.numpy` over the kernel's nodes; buffers come in the order reads, writes, params."""
    group = kernel.group
    loads = group.loads()
    stop = {id(v) for v in loads}
    nodes = [n for n in toposort(group.outputs, stop=lambda n: id(n) in stop) if id(n) not in stop]
    n_reads = len(kernel.reads)

    def run(*raws: np.ndarray) -> None:
        """Computes the group's nodes in order; `raws` are the bytes that it reads, those that it writes, and the parameters."""
        env = {id(v): _view(raw, v) for v, raw in zip(loads, raws, strict=False)}
        params = raws[-1]  # where the plan has any; the last output else, which nobody looks at
        for node in nodes:
            if "param" in node.attrs:
                at = node.attrs["param"] * 4
                value = params[at : at + 4].view(NUMPY[node.dtype])[0]
                env[id(node)] = np.broadcast_to(value, node.shape)
            elif isinstance(node.op, LoopOp):
                env[id(node)] = node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs, parts=group.outputs)
            else:
                env[id(node)] = np.asarray(node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs))
        results = [np.ascontiguousarray(env[id(o)], dtype=NUMPY[o.dtype]) for o in group.outputs]
        for out, value, raw in zip(group.outputs, results, raws[n_reads:], strict=False):
            raw[: out.size * 4].view(np.uint32 if out.dtype == "bool" else NUMPY[out.dtype])[:] = value.reshape(-1)

    modes = ("read",) * n_reads + ("read_write",) * len(kernel.writes) + ("uniform",) * (n_params > 0)
    return DeviceKernel(group.label(), "", modes, (1, 1, 1), run=run)
