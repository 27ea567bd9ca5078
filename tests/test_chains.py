"""Chains: small kernels that one workgroup runs one after another, in programs that write Variables."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.compile.plan import Chain
from pyml.graph.op import Profile


def any_program(seed):
    """Variables, and a program that changes them by sums, products and tests of each other, of several shapes and dtypes."""
    rng = np.random.default_rng(seed)
    shapes = [(5, 7), (7,), (8, 16), (3, 4, 8), (), (200,)]
    states = [pyml.Variable(rng.normal(size=s).astype(np.float32)) for s in shapes] + [pyml.Variable(np.int32(3), dtype="int32")]
    plan = [(int(rng.integers(6)), int(rng.integers(6)), int(rng.integers(6))) for _ in range(8)]

    def step(x):
        counter = states[-1]
        for target, source, kind in plan:
            t, s = states[target], states[source]
            total = [ops.sum(s), ops.max(s), ops.sqrt(ops.sum(ops.square(s))), ops.mean(s * s), ops.min(s), ops.sum(ops.tanh(s))][kind]
            if kind % 2:
                counter.assign(ops.where(total > 0, counter + 1, counter - ops.sum(ops.cast(s > 0.5, "int32"))))
            t.assign(ops.tanh(t * 0.9 + total * 0.1 + ops.sum(x) * ops.cast(counter, "float32") * 0.01))
        return ops.sum(states[0], axis=0), ops.mean(states[2], axis=-1)

    return states, pyml.program(step)


def results(seed):
    states, step = any_program(seed)
    for _ in range(3):
        given = step(np.arange(6, dtype=np.float32) / 10)
    return [np.asarray(v.numpy()) for v in (*given, *states)], step.last_plan


def compared(seeds):
    """How many kernels were links of chains; the values are those of the operations one by one."""
    linked = 0
    for seed in seeds:
        got, plan = results(seed)
        with pyml.config.without_replay():
            want, _ = results(seed)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5, err_msg=f"seed {seed}\n{plan.explain()}")
        linked += sum(len(k.links) for k in plan.kernels if isinstance(k, Chain))
    return linked


def test_programs_of_small_kernels_leave_what_their_operations_leave(wasm):
    assert compared(range(3)) > 12


@pytest.mark.parametrize("profile", [Profile("tile"), Profile("register", threads=1024)], ids=["threads_share_rows", "software"])
def test_threads_of_a_workgroup_wait_for_each_other(gpu, monkeypatch, profile):
    monkeypatch.setattr(gpu, "profile", profile)
    assert compared([7]) > 4


def test_a_chain_is_one_dispatch_with_the_buffers_that_every_browser_offers(wasm):
    for seed in range(3):
        _, plan = results(seed)
        for kernel in plan.kernels:
            assert kernel.dispatches == 1
            assert len({*kernel.reads, *kernel.writes}) <= 8 and not any(ref[0] == "inner" for ref in (*kernel.reads, *kernel.writes))


def test_a_program_without_writes_has_no_chains(wasm):
    program = pyml.program(lambda x: ops.sum(x) * ops.max(ops.cumsum(x)))
    program(np.ones(5, np.float32))
    assert not any(isinstance(k, Chain) for k in program.last_plan.kernels)
