"""Several threads, or asyncio tasks, that use pyml at the same time: each gets what it would get alone."""

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import pyml
from pyml import ops
from pyml.core import naming, trace
from pyml.layers import call_context


def model(seed=1, units=16):
    layers = [pyml.Input((6,)), pyml.layers.Dense(units, activation="relu", kernel_initializer=pyml.initializers.GlorotUniform(seed)),
              pyml.layers.Dense(1, kernel_initializer=pyml.initializers.GlorotUniform(seed + 1))]  # fmt: skip
    made = pyml.Sequential(layers)
    made.compile(pyml.optimizers.Adam(0.01), "mse")
    return made


def data(rows=64, seed=0):
    x = np.random.default_rng(seed).normal(size=(rows, 6)).astype("float32")
    return x, x.sum(1, keepdims=True)


def in_threads(work, count=4):
    """What `work(number)` returns in threads that begin together."""
    together = threading.Barrier(count)

    def begin(number):
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def beside(work):
    """What `work()` returns in another thread, while this one waits."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_threads_that_predict_with_one_model_get_what_one_thread_gets(device):
    shared, (x, _) = model(), data(100)
    sizes = [[1 + (7 * i + 13 * number) % 100 for i in range(15)] for number in range(4)]
    expected = shared.predict(x, verbose=0)

    def work(number):
        return [np.abs(shared.predict(x[:n], verbose=0) - expected[:n]).max() for n in sizes[number]]

    assert max(map(max, in_threads(work))) < 1e-5


def test_threads_that_fit_models_of_their_own_leave_the_weights_that_one_thread_leaves(device):
    def trained(seed):
        own, (x, y) = model(seed, units=8 + seed), data(seed=seed)
        own.fit(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0)
        return own.get_weights()

    alone = [trained(seed) for seed in range(4)]
    for one, other in zip(alone, in_threads(trained), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_tasks_that_fit_models_of_their_own_leave_the_weights_that_one_task_leaves(device):
    async def trained(seed):
        own, (x, y) = model(seed), data(seed=seed)
        await own.fit_async(x, y, batch_size=16, epochs=4, shuffle=False, verbose=0)
        return own.get_weights()

    async def both():
        return await asyncio.gather(trained(1), trained(2))

    alone = [asyncio.run(trained(seed)) for seed in (1, 2)]
    for one, other in zip(alone, asyncio.run(both()), strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_results_of_a_program_stay_while_other_threads_call_it(device):
    @pyml.program
    def doubled(x):
        return x * 2

    def work(number):
        results = [doubled(np.full(8, 10 * number + i, "float32")) for i in range(20)]
        return [float(result.numpy()[-1]) for result in results]

    assert in_threads(work) == [[2.0 * (10 * number + i) for i in range(20)] for number in range(4)]


def test_no_assignment_of_several_threads_is_lost(device):
    counter = pyml.Variable(np.zeros(3, "float32"))

    def work(number):
        for _ in range(50):
            counter.assign_add(np.ones(3, "float32"))

    in_threads(work)
    np.testing.assert_array_equal(counter.numpy(), [200, 200, 200])


def test_no_two_threads_draw_the_same_random_numbers(device):
    seed = pyml.random.SeedGenerator(3)

    def work(number):
        return [pyml.random.uniform((), seed=seed).item() for _ in range(10)]

    drawn = [value for own in in_threads(work) for value in own]
    assert len(set(drawn)) == len(drawn)


def test_a_thread_computes_values_while_another_one_traces():
    seen = []

    @pyml.program
    def traced(x):
        seen.append(beside(lambda: trace.current()))
        return x + 1

    traced(np.ones(2, "float32"))
    assert seen == [None]


def test_a_thread_lets_go_of_its_graph_while_another_one_differentiates():
    with trace.differentiating():
        assert beside(trace.gradient_depth) == 0
        assert trace.gradient_depth() == 1


def test_a_call_in_another_thread_does_not_inherit_training():
    around = call_context.enter((1, True))
    assert beside(call_context.innermost) == (0, None)
    assert call_context.innermost() == (1, True)
    call_context.leave(around)
    assert call_context.innermost() == (0, None)


def test_a_task_does_not_see_the_calls_of_another_one():
    seen = []

    async def inside():
        call_context.enter((1, True))
        with naming.name_scope("outer"), trace.differentiating():
            await asyncio.sleep(0)

    async def other():
        seen.append((call_context.innermost()[0], naming.current_path(), trace.gradient_depth()))
        await asyncio.sleep(0)

    async def main():
        await asyncio.gather(inside(), other())

    asyncio.run(main())
    assert seen == [(0, "", 0)]


def test_layers_made_in_another_thread_are_not_named_after_the_scope_of_this_one():
    with naming.name_scope("outer"):
        assert beside(naming.current_path) == ""


def test_without_replay_holds_for_its_own_thread():
    with pyml.config.without_replay():
        assert beside(pyml.config.replaying) is True
        assert pyml.config.replaying() is False


def test_automatic_names_of_several_threads_differ():
    names = [name for own in in_threads(lambda number: [naming.auto_name("ThreadNamed") for _ in range(200)]) for name in own]
    assert len(set(names)) == len(names)


def test_buffers_freed_in_other_threads_are_counted(gpu):
    def work(number):
        for _ in range(30):
            ops.zeros((5,)).numpy()

    in_threads(work)
    gc.collect()
    before = gpu.usage.live
    in_threads(work)
    gc.collect()
    assert gpu.usage.live == before


def test_threads_that_evaluate_one_model_take_turns(device):
    judged, parts = model(), [data(40, seed=n) for n in range(4)]
    alone = [judged.evaluate(*part, batch_size=8, verbose=0) for part in parts]
    assert in_threads(lambda n: judged.evaluate(*parts[n], batch_size=8, verbose=0)) == alone
