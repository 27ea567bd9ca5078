"""Loops and branches that data decides, in Chromium: where Python can wait for the device, and where it cannot."""

import pytest

START = """
import numpy as np, pyml
from pyml import ops
from pyml.errors import SyncReadError, NotDifferentiable

def said(fn):
    try:
        fn()
    except (SyncReadError, NotDifferentiable) as e:
        return f"{type(e).__name__}: {e}"
    return "nothing"

x = ops.convert_to_tensor(np.array([1.0, 2.0, 3.0], "float32"))
grow = lambda most=None: lambda v: ops.while_loop(lambda v: ops.sum(v) < 50.0, lambda v: v * 2.0, v, maximum_iterations=most)
counted = lambda v: ops.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, v * 2.0), (0, v))[1]
collatz = lambda most=None: lambda n: ops.while_loop(
    lambda n, steps: n > 1, lambda n, steps: (ops.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1), (n, 0), most)[1]
n = ops.convert_to_tensor(np.int32(27))
each = lambda xs: ops.map(lambda v: ops.while_loop(lambda v: v > 1.0, lambda v: v * 0.5, v, maximum_iterations=9), xs)
slope = lambda most: pyml.grad(lambda v: ops.sum(grow(most)(v)))
turned = lambda z: ops.while_loop(lambda z: ops.abs(z) < 9.0, lambda z: z * (1 + 1j), z, maximum_iterations=50)
z = ops.convert_to_tensor(np.complex64(1))
branch = lambda v: ops.cond(ops.sum(v) > 5.0, lambda: v * 2.0, lambda: -v)
chosen = lambda v: ops.switch(ops.cast(ops.sum(v), "int32") - 5, [lambda v: v, lambda v: v + 1.0], v)
upto = lambda v: ops.fori_loop(0, ops.cast(ops.sum(v), "int32"), lambda i, v: v + 1.0, v)
async def value(t):
    found = await t.data()
    return [found.real.item(), found.imag.item()] if found.dtype.kind == "c" else found.tolist()
1
"""

# what ends by a number of steps that is known, or at most that many: for every browser
BOUNDED = """
found = [await value(t) for t in (
    counted(x), pyml.program(counted)(x), grow(20)(x), pyml.program(grow(20))(x), pyml.program(collatz(200))(n),
    pyml.program(each)(x * 3.0), pyml.program(slope(6))(x), pyml.program(turned)(z), pyml.program(branch)(x), pyml.program(chosen)(x))]
found
"""
BOUNDED_VALUES = [
    [32, 64, 96], [32, 64, 96], [16, 32, 48], [16, 32, 48], 111, [0.75, 0.75, 0.5625], [16, 16, 16], [8, -8], [2, 4, 6], [2, 3, 4],
]  # fmt: skip


def close(found, wanted):
    flat = lambda v: [number for part in v for number in flat(part)] if isinstance(v, list) else [v]
    assert flat(found) == pytest.approx(flat(wanted), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("backend", ["wasm", pytest.param("webgpu", marks=pytest.mark.slow)])
def test_loops_end_where_data_says_in_a_tab_that_can_wait(pythons, backend):
    python = pythons(f"backend={backend}")
    python.run(START)
    close(python.run(BOUNDED), BOUNDED_VALUES)
    found = python.run("""
        endless = [t.numpy().tolist() for t in (
            grow()(x), pyml.program(grow())(x), grow(2**31 - 2)(x), pyml.program(collatz())(n), collatz()(n), branch(x), upto(x),
            pyml.program(upto)(x))]
        dict(values=endless, gradient=said(lambda: pyml.program(slope(None))(x)))
    """)
    close(found["values"], [[16, 32, 48], [16, 32, 48], [16, 32, 48], 111, 111, [2, 4, 6], [7, 8, 9], [7, 8, 9]])
    assert "NotDifferentiable" in found["gradient"] and "maximum_iterations" in found["gradient"]


def test_a_tab_that_cannot_wait_runs_bounded_loops_and_says_what_others_lack(pythons):
    python = pythons("backend=webgpu&jspi=off")
    assert not python.info["canWait"]
    python.run(START)
    close(python.run(BOUNDED), BOUNDED_VALUES)
    found = python.run("""
        found = dict(loop=said(lambda: grow()(x)), program=said(lambda: pyml.program(grow())(x)), cond=said(lambda: branch(x)),
                     switch=said(lambda: chosen(x)), fori=said(lambda: upto(x)), after=await value(pyml.program(grow(20))(x)))
        found
    """)
    for name in ("loop", "program"):
        assert found[name].startswith("SyncReadError: while_loop: the host has to see when this loop ends"), found[name]
        assert "give maximum_iterations" in found[name]
    for name, what in (("cond", "cond: pred"), ("switch", "switch: index"), ("fori", "fori_loop: a bound")):
        assert found[name].startswith(f"SyncReadError: {what} has to be read here") and "@pyml.program" in found[name], found[name]
    close(found["after"], [16, 32, 48])
