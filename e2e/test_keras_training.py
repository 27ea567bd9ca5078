"""fit, evaluate and predict in the browser: the page stays alive, steps cost little Python."""

import pytest

MODEL = """
import asyncio, sys
import numpy as np, pyml
from pyml.trainers.data import Arrays
from pyml.trainers.feeds import make_feed
rng = np.random.default_rng(0)
y = rng.integers(0, 3, 640).astype("int32")
x = (rng.standard_normal((640, 6)) * 0.3).astype("float32")
x[np.arange(640), y] += 2
def classifier():
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dropout(0.1),
                             pyml.layers.Dense(3, activation="softmax")])
    model.compile(pyml.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


# numpy runs the same steps in a tab as on a desktop: what only the browser decides is tested with it, the rest with the slow ones
def in_gpu_and_wasm(test):
    return pytest.mark.parametrize("python", ["webgpu", "wasm", pytest.param("cpu", marks=pytest.mark.slow)], indirect=True)(test)


@pytest.fixture(scope="module", params=["webgpu", "wasm", "cpu"])
def python(request, pythons):
    page = pythons(f"backend={request.param}")
    page.run(MODEL + "\n1")
    return page


@in_gpu_and_wasm
def test_fit_async_trains_and_yields_to_the_page(python):
    result = python.run("""
        model = classifier()
        ticks = 0
        async def tick():
            global ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)
        ticking = asyncio.ensure_future(tick())
        history = await model.fit_async(x, y, epochs=20, verbose=2)
        ticking.cancel()
        scores = await model.evaluate_async(x, y, verbose=0)
        predicted = (await model.predict_async(x[:50], verbose=0)).argmax(1).tolist()
        dict(history.history, ticks=ticks, scores=scores, right=int((np.array(predicted) == y[:50]).sum()))
    """)
    assert result["accuracy"][-1] > 0.9
    assert result["loss"][-1] < result["loss"][0]
    assert result["ticks"] >= 20                       # fit pauses after each epoch, however fast they are
    assert result["right"] > 45


@in_gpu_and_wasm
def test_fit_waits_where_the_browser_can(python):
    result = python.run("""
        try:
            out = classifier().fit(x, y, epochs=2, verbose=0).history
        except pyml.errors.SyncReadError as error:
            out = {"error": str(error)}
        dict(out, can_wait=pyml.config.waits())
    """)
    if result["can_wait"]:
        assert len(result["loss"]) == 2
    else:
        assert "await model.fit_async" in result["error"]


@in_gpu_and_wasm
def test_a_step_with_a_gradient_tape_trains_inside_a_program_and_outside(python):
    result = python.run("""
        def losses_of(make):
            model, optimizer = classifier(), pyml.optimizers.Adam(0.02)
            def step(x, y):
                with pyml.GradientTape() as tape:
                    losses = pyml.losses.sparse_categorical_crossentropy(y, model(x))
                    loss = pyml.ops.mean(losses)
                grads = tape.gradient(loss, model.trainable_variables)
                optimizer.apply_gradients(zip(grads, model.trainable_variables))
                return loss
            step = make(step)
            return [step(x[:64], y[:64]) for _ in range(6)]
        inside = [float(await loss.data()) for loss in losses_of(pyml.program)]
        outside = [float(await loss.data()) for loss in losses_of(lambda step: step)]
        v = pyml.Variable(2.0)
        with pyml.GradientTape() as outer:
            with pyml.GradientTape() as inner:
                cube = v * v * v
            first = inner.gradient(cube, v)
        second = outer.gradient(first, v)
        loop = pyml.program(pyml.grad(lambda x: pyml.ops.sum(pyml.ops.fori_loop(0, 3, lambda i, c: c * x, pyml.ops.ones(2)))))
        dict(inside=inside, outside=outside, second=float(await second.data()), loop=(await loop(np.ones(2, "float32")).data()).tolist())
    """)
    assert result["inside"] == pytest.approx(result["outside"], rel=1e-4)
    assert result["inside"][-1] < result["inside"][0]
    assert result["second"] == 12.0 and result["loop"] == [3.0, 3.0]


@in_gpu_and_wasm
def test_a_replayed_step_calls_few_python_functions(python):
    if python.info.get("backend") == "cpu":
        pytest.skip("numpy does the work of the step in Python there")
    cost = python.run("""
        model = classifier()
        await model.fit_async(x[:64], y[:64], verbose=0)
        feed = make_feed(model, "train", Arrays(x, y), 32)
        runs = list(feed.epoch())
        runs[0](); runs[0]()
        device, sent, called = pyml.config.device(), [], []
        device.replay = sent.append                    # what a step costs besides sending it
        sys.setprofile(lambda frame, event, argument: called.append(frame.f_code.co_name) if event == "call" else None)
        for _ in range(100):
            runs[0]()
        sys.setprofile(None)
        del device.replay
        {"calls": len(called) / 100, "names": called[:20], "replays": len(sent) / 100}
    """)
    assert cost["replays"] == 1
    assert cost["calls"] <= 12, cost["names"]


@in_gpu_and_wasm
def test_a_recurrent_layer_without_a_kernel_of_its_own_trains_as_a_loop(python):
    result = python.run("""
        def recurrent(unroll):
            pyml.utils.set_random_seed(5)
            model = pyml.Sequential([pyml.Input((6, 3)), pyml.layers.GRU(8, reset_after=False, unroll=unroll), pyml.layers.Dense(1)])
            model.compile(pyml.optimizers.Adam(0.02), "mse")
            return model
        draw = np.random.default_rng(1)
        sequences = draw.standard_normal((64, 6, 3)).astype("float32")
        sums = sequences.sum((1, 2), keepdims=True)[:, 0] / 4
        loop, steps = recurrent(False), recurrent(True)
        short = [await m.fit_async(sequences, sums, epochs=2, batch_size=32, shuffle=False, verbose=0) for m in (loop, steps)]
        weights = [[await w.data() for w in m.weights] for m in (loop, steps)]
        apart = max(float(np.abs(a - b).max()) for a, b in zip(*weights))
        losses = (await loop.fit_async(sequences, sums, epochs=10, batch_size=32, verbose=0)).history["loss"]
        dict(apart=apart, first=losses[0], last=losses[-1], predicted=list((await loop.predict_async(sequences, verbose=0)).shape))
    """)
    assert result["apart"] < 1e-4  # as with every step traced by itself
    assert result["last"] < 0.2 * result["first"]
    assert result["predicted"] == [64, 1]
