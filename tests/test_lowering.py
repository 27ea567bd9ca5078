"""What ops are made of on each adapter: plans end, no kernel is too large, and numpy computes the same of it."""

import itertools
from pathlib import Path

import lowerings
import numpy as np
import pytest
from every import every
from kernel_variants import PROFILES as ADAPTERS

import pyml
from pyml import ops
from pyml.compile.canonical import is_given
from pyml.compile.plan import make_plan
from pyml.core.tensor import Tensor, as_node
from pyml.graph.node import toposort
from pyml.graph.op import OPS
from pyml.graph.profile import Profile

PROFILES = {
    "small gpu": Profile(),
    "gpu": Profile(max_invocations=1024, max_shared=49152, threads=270_336),
    "software": Profile(family="register", threads=4096),
    "core": Profile(family="wasm", max_invocations=1 << 20, threads=2, cores=2),
}
SIZES = (1, 2, 3, 63, 64, 65, 255, 257, 1000, 1024, 1025, 2049, 4096, 4097, 16384, 16385, 100_003)
CALLS = {
    "cumsum": ops.cumsum, "cumprod": ops.cumprod, "sort": ops.sort, "argsort": ops.argsort, "median": lambda x: ops.median(x, axis=-1),
    "sum": lambda x: ops.sum(x, axis=-1), "max": lambda x: ops.max(x, axis=-1), "argmax": lambda x: ops.argmax(x, axis=-1),
    "softmax": ops.softmax, "top_k": lambda x: ops.top_k(x, min(5, x.shape[-1]))[0], "logsumexp": lambda x: ops.logsumexp(x, axis=-1),
    "matmul": lambda x: ops.matmul(x, ops.transpose(x)), "gram": lambda x: ops.matmul(ops.transpose(x[:, :64]), x),
    "rfft": lambda x: ops.rfft(x)[0],
}  # fmt: skip


@pytest.mark.parametrize("adapter", PROFILES)
@pytest.mark.parametrize("call", CALLS)
def test_a_plan_is_made_for_every_size(call, adapter, cpu):
    profile = PROFILES[adapter]
    for rows in (1, 3, 300):
        for n in SIZES if rows < 300 else SIZES[:-3]:
            x = as_node(np.zeros((rows, n), np.float32))
            root = CALLS[call](Tensor(x))._node
            for kernel in make_plan([root], profile, [n for n in toposort([root]) if is_given(n)]).kernels:
                spec = kernel.group.anchors[0].op.spec(kernel.group.anchors[0], profile) if kernel.group.kind == "routine" else None
                assert spec is None or all(1 <= count <= 65535 for count in spec.grid), (rows, n)


def _named(case):
    name, arrays, attrs = case
    return f"{name} {' '.join(str(a.shape) for a in arrays)} {' '.join(f'{k}={v}' for k, v in attrs.items())}"


@every("case", lambda: [pytest.param(case, id=_named(case)) for case in lowerings.cases()], blocks=8)
def test_what_an_adapter_makes_of_an_op_computes_the_same(case):
    name, arrays, attrs = case
    with np.errstate(all="ignore"):
        expected = OPS[name].numpy(*arrays, **attrs)
    seen = set()
    for adapter, profile in ADAPTERS.items():
        root = lowerings.made(case, profile)
        if (graph := lowerings.written(root)) not in seen:
            seen.add(graph)
            found = lowerings.computed(root, arrays)
            assert found.dtype == expected.dtype
            scale = max(1.0, float(np.abs(expected.astype(np.float64)).max()))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * scale, err_msg=adapter)


def test_ops_are_made_of_what_the_table_says():
    """A new rule changes lines: look at each, then `python tests/lowerings.py > tests/goldens/lowerings.txt`."""
    table = (Path(__file__).parent / "goldens" / "lowerings.txt").read_text(encoding="utf-8").splitlines()
    assert list(lowerings.choices()) == table


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0), (0, 2, 1)])
def test_reductions_of_transposed_tensors_go_along_memory_on_a_core(order, wasm):
    x = np.random.default_rng(0).integers(-1, 2, (30, 40, 20)).astype(np.float32)
    for name, axis in itertools.product(("sum", "prod", "max", "min"), ((0,), (2,), (0, 2), (0, 1, 2))):
        program = pyml.program(lambda t, name=name, axis=axis: getattr(ops, name)(ops.transpose(t, order), axis))
        np.testing.assert_array_equal(program(x), getattr(np, name)(x.transpose(order), axis=axis))
        kernel = program.last_plan.kernels[0]
        assert kernel.group.anchors[0].attrs["axis"] == tuple(sorted(order[i] for i in axis))
