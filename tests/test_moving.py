"""Values that lie on one device are used on another: they come over."""

import asyncio
from itertools import permutations

import numpy as np
import pytest

import pyml
from pyml import layers, ops

PAIRS = list(permutations(("cpu", "wasm", "webgpu"), 2))


@pytest.fixture
def switch():
    """Switches devices; the one in use before is restored."""
    before = pyml.config.backend()

    def to(name):
        try:
            pyml.config.set_backend(name)
        except pyml.errors.BackendUnavailable as e:
            pytest.skip(str(e))

    yield to
    pyml.config.set_backend(before)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_tensors_and_variables_come_to_the_device_in_use(switch, one, other):
    switch(one)
    t = pyml.convert_to_tensor([1.0, 2.0, 3.0])
    late = t * 2                                            # not computed yet
    v, assigned, rows = pyml.Variable([1.0, 5.0]), pyml.Variable([0.0, 0.0, 0.0]), pyml.Variable([[1, 2], [3, 4]])
    held = v.value
    assigned.assign(t)
    step = pyml.program(lambda x: (v.assign_add([1.0, 1.0]), ops.sum(v) + ops.sum(x) + ops.sum(t))[1])
    assert float(step(t)) == 8 + 6 + 6
    switch(other)
    assert t.numpy().tolist() == [1, 2, 3] and v.numpy().tolist() == [2, 6] and held.numpy().tolist() == [1, 5]
    assert (late + t).numpy().tolist() == [3, 6, 9]
    assert (assigned + t).numpy().tolist() == [2, 4, 6] and assigned.numpy().tolist() == [1, 2, 3]
    assert ops.take(rows, [1], axis=0).numpy().tolist() == [[3, 4]]
    assert float(step(t)) == 10 + 6 + 6 and v.numpy().tolist() == [3, 7]
    result = step(t)
    switch(one)
    assert float(result) == 12 + 6 + 6 and float(step(t)) == 14 + 6 + 6
    assert v.numpy().tolist() == [5, 9] and held.numpy().tolist() == [1, 5]
    assert (result + late).numpy().tolist() == [26, 28, 30]


@pytest.mark.parametrize(("one", "other"), [
    pytest.param(*pair, marks=() if pair in (("cpu", "wasm"), ("wasm", "webgpu"), ("webgpu", "cpu")) else pytest.mark.slow)
    for pair in PAIRS
])  # fmt: skip
def test_a_trained_model_goes_on_on_another_device(switch, one, other):
    x = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    y = x.sum(1, keepdims=True)

    def model():
        made = pyml.Sequential([pyml.Input((3,)), layers.Dense(4, activation="tanh", kernel_initializer=pyml.initializers.Constant(0.1)),
                                layers.Dense(1, kernel_initializer=pyml.initializers.Constant(0.2))])  # fmt: skip
        made.compile(optimizer=pyml.optimizers.SGD(0.1, momentum=0.9), loss="mse", metrics=["mae"])
        return made

    switch(one)
    stayed, moved = model(), model()
    for m in (stayed, moved):
        m.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    want = stayed.predict(x, verbose=0)
    stayed.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    after = stayed.get_weights()
    switch(other)
    np.testing.assert_allclose(moved.predict(x, verbose=0), want, rtol=1e-5, atol=1e-6)
    moved.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    for a, b in zip(moved.get_weights(), after, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert stayed.evaluate(x, y, verbose=0)[0] == pytest.approx(moved.evaluate(x, y, verbose=0)[0], rel=1e-4)


def test_a_value_that_cannot_be_waited_for_says_what_to_do(switch, monkeypatch):
    switch("wasm")
    t = pyml.convert_to_tensor([1.0, 2.0])
    home = pyml.config.device()

    def no_wait(awaitable):
        raise pyml.errors.SyncReadError("this browser cannot wait")

    switch("cpu")
    monkeypatch.setattr(home, "sync_wait", no_wait)
    with pytest.raises(pyml.errors.DeviceError, match=r"is stored on 'wasm', .* cannot wait .* 'await t.data\(\)' before set_backend"):
        (t + 1).numpy()


@pytest.fixture
def unwaited(wasm, monkeypatch):
    """A device in use that cannot be waited for, as WebGPU in a browser without JSPI."""

    def refuse(awaitable):
        raise pyml.errors.SyncReadError("this browser cannot wait synchronously")

    monkeypatch.setattr(pyml.config, "waits", lambda: False)
    monkeypatch.setattr(wasm, "sync_wait", refuse)
    return wasm


def test_values_that_began_on_the_host_are_read_where_the_device_cannot_be_waited_for(unwaited):
    x = np.arange(8, dtype="float32").reshape(2, 4)
    assert (ops.convert_to_tensor(x) * 2 + 1).numpy().tolist() == (x * 2 + 1).tolist()
    metric = pyml.metrics.MeanSquaredError()
    metric.update_state([1.0], [3.0])
    assert float(metric.result()) == 4.0
    assert layers.StringLookup(vocabulary=["a"], output_mode="one_hot")(["a", "z"]).numpy().tolist() == [[0, 1], [1, 0]]
    model = pyml.Sequential([pyml.Input((4,)), layers.Dense(3, kernel_initializer="ones")])
    model.compile(pyml.optimizers.SGD(0.5), "mse")
    assert model.get_weights()[0].tolist() == np.ones((4, 3)).tolist()
    again = pyml.models.clone_model(model)
    again.set_weights([np.full((4, 3), 2.0), np.zeros(3)])
    assert float(again.optimizer.learning_rate) == 0.5
    again.quantize("int8")
    assert asyncio.run(again.predict_async(x, verbose=0))[0] == pytest.approx([12.0] * 3, rel=1e-2)     # brought to the device
    assert asyncio.run((ops.convert_to_tensor(x) @ model.layers[0].kernel).data())[0].tolist() == [6.0] * 3


def test_values_of_a_device_that_cannot_be_waited_for_name_the_call_to_write(unwaited, tmp_path):
    x = np.ones((2, 4), "float32")
    model = pyml.Sequential([pyml.Input((4,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    asyncio.run(model.fit_async(x, x[:, :3], verbose=0))
    for call, name in ((model.save, "net.keras"), (model.save, "net.h5"), (model.save_weights, "net.weights.h5")):
        with pytest.raises(pyml.errors.SyncReadError, match=rf"write `await model.{call.__name__}_async\(.*{name}.*\)`\.$"):
            call(tmp_path / name)
    asyncio.run(model.save_async(tmp_path / "net.keras"))
    again = pyml.models.load_model(tmp_path / "net.keras")
    assert again.compiled
    again.quantize("int8")                                  # what a file held is on the host
    with pytest.raises(pyml.errors.SyncReadError):
        model.get_weights()
