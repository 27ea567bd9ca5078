"""A plan that was written as bytes and read again computes the same, and says the same of itself."""

import numpy as np
import pytest

import pyml
from pyml import layers, ops
from pyml.compile.plan_file import from_bytes, to_bytes
from pyml.compile.program import Bound


def computed(plan, device, leaves):
    bound = Bound(plan, device, leaves)
    bound.run()
    places = [*((b, 4 * out.size) for b, out in zip(bound.outs, plan.outs, strict=True)), *((b, b.nbytes) for b in leaves)]
    return [bytes(device.sync_wait(device.read(buffer, nbytes))) for buffer, nbytes in places]


def inputs(device, capture):
    """Buffers with equal numbers for the leaves of a capture."""
    made = []
    for source in capture.bound.leaves:
        made.append(device.alloc(source.nbytes))
        device.write(made[-1], np.frombuffer(device.sync_wait(device.read(source, source.nbytes)), np.uint8)[: source.nbytes].copy())
    return made


def loop(x):
    return ops.scan(lambda carry, row: (carry * 0.5 + row, carry.sum()), ops.zeros((3,)), x)[1]


def statistics(x):
    return ops.softmax(x @ ops.transpose(x)), ops.sum(x, axis=0), ops.max(x)


@pytest.mark.parametrize("function", [loop, statistics])
def test_a_plan_read_from_bytes_computes_the_same(function, device):
    run = pyml.program(function)
    run(np.arange(21, dtype=np.float32).reshape(7, 3) / 10)
    (capture,) = run.captures.values()
    raw = to_bytes(capture.plan)
    if device.name == "cpu":
        assert raw is None  # its kernels are functions of Python
        return
    again = from_bytes(raw)
    assert again.explain() == capture.plan.explain()
    assert to_bytes(again) == raw
    assert computed(again, device, inputs(device, capture)) == computed(capture.plan, device, inputs(device, capture))


def test_bytes_that_are_no_plan_are_refused(wasm):
    run = pyml.program(statistics)
    run(np.ones((4, 2), np.float32))
    raw = to_bytes(run.last_plan)
    for bad in (b"", raw[:40], b"x" + raw[1:], raw[:8] + b"\xff" + raw[9:], raw[:-9] + bytes(9), raw[:16] + b"{}"):
        with pytest.raises(ValueError, match="plan"):
            from_bytes(bad)


def test_a_training_step_with_chains_is_data_too(gpu):
    model = pyml.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((4, 6)), np.ones((4, 2)))
    plan = model._step_programs.programs[("train_on_batch",)].last_plan
    assert from_bytes(to_bytes(plan)).explain() == plan.explain()
