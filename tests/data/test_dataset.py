"""`pyml.data.Dataset`: elements, their order, laziness, waiting and memory."""

import asyncio
import gc
import tracemalloc
from collections import Counter, namedtuple

import numpy as np
import pytest

import pyml
from pyml.data import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
from pyml.errors import ShapeError


def plain(values):
    return [np.asarray(v).tolist() for v in values]


async def collected(dataset):
    return [element async for element in dataset]


async def later(x):
    await asyncio.sleep(0)
    return x * 10


async def three_later():
    for i in range(3):
        await asyncio.sleep(0)
        yield i


# ---- elements
def test_slices_keep_their_structure_and_dtypes():
    Pair = namedtuple("Pair", "a b")
    ds = Dataset.from_tensor_slices({"x": np.eye(2, dtype="uint8"), "rest": Pair([1, 2], ["one", "two"])})
    first, _ = list(ds)
    assert first["x"].dtype == np.uint8 and first["x"].tolist() == [1, 0]
    assert isinstance(first["rest"], Pair) and first["rest"].a.dtype == np.int32 and first["rest"].b == "one"


def test_slices_of_a_tensor_are_its_rows(device):
    ds = Dataset.from_tensor_slices(pyml.convert_to_tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert plain(ds) == [[1, 2], [3, 4]] and plain(asyncio.run(collected(ds))) == [[1, 2], [3, 4]]


def test_parts_of_a_tuple_come_to_functions_as_arguments():
    ds = Dataset.from_tensor_slices(([1, 2, 3], [4, 5, 6]))
    assert plain(ds.filter(lambda x, y: x != 2).map(lambda x, y: x * y)) == [4, 18]


def test_batches_of_tensors_are_tensors(device):
    ds = Dataset.range(3).map(lambda i: {"v": pyml.ops.ones((2,)) * i}).batch(2)
    whole, rest = list(ds)
    assert whole["v"].numpy().tolist() == [[0, 0], [1, 1]] and rest["v"].shape == (1, 2)


@pytest.mark.parametrize("drop, sizes", [(False, [3, 3, 1]), (True, [3, 3])])
@pytest.mark.parametrize("rows", [True, False])
def test_the_last_batch_is_shorter_or_left_out(rows, drop, sizes):
    ds = Dataset.from_tensor_slices(np.arange(7)) if rows else Dataset.range(7)
    batches = list(ds.batch(3, drop_remainder=drop))
    assert [len(b) for b in batches] == sizes and len(ds.batch(3, drop_remainder=drop)) == len(sizes)
    assert batches[1].tolist() == [3, 4, 5]


def test_python_numbers_are_batched_as_32_bits():
    dtypes = [next(iter(Dataset.from_generator(lambda v=v: [v, v]).batch(2))).dtype.name for v in (1, 1.0, True, 2**40)]
    assert dtypes == ["int32", "float32", "bool", "int64"]


def test_zip_takes_any_structure_and_ends_with_the_shortest():
    n = Dataset.range(5)
    assert list(Dataset.zip(n, n.skip(2))) == [(0, 2), (1, 3), (2, 4)]
    assert list(Dataset.zip({"a": n.take(1), "b": (n, n)})) == [{"a": 0, "b": (0, 0)}]


def test_take_skip_repeat_and_concatenate_choose_as_in_tf_data():
    n = Dataset.range(4)
    assert list(n.take(2).concatenate(n.skip(3)).repeat(2)) == [0, 1, 3, 0, 1, 3]
    assert list(n.repeat().take(6)) == [0, 1, 2, 3, 0, 1]
    assert list(n.take(-1)) == [0, 1, 2, 3] and list(n.skip(-1)) == [] and list(n.skip(9)) == []


def test_repeating_nothing_for_ever_ends():
    assert list(Dataset.from_generator(list).repeat()) == []


def test_a_function_is_called_until_it_stops():
    values = iter([3, 4])
    assert list(Dataset.from_function(lambda: next(values))) == [3, 4]


# ---- laziness
def test_nothing_is_made_before_it_is_asked_for_nor_after():
    made = []

    def numbers():
        for i in range(100):
            made.append(i)
            yield i

    ds = Dataset.from_generator(numbers).map(lambda i: i).batch(2)
    assert made == []
    iterator = iter(ds)
    next(iterator)
    assert made == [0, 1]
    assert next(iter(ds.take(1))).tolist() == [0, 1] and made == [0, 1, 0, 1]


def test_leaving_a_loop_closes_the_source():
    closed = []

    def numbers():
        try:
            yield from range(10)
        finally:
            closed.append(True)

    for _ in Dataset.from_generator(numbers).shuffle(3).batch(2).repeat():
        break
    assert closed == [True]


def test_a_failing_source_fails_the_loop_with_its_own_error():
    def numbers():
        yield 1
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(Dataset.from_generator(numbers).batch(1).prefetch(2))
    with pytest.raises(OSError, match="the disk is gone"):
        asyncio.run(collected(Dataset.from_generator(numbers).batch(1).prefetch(2)))


# ---- order
def test_a_seeded_order_is_the_same_everywhere():
    """These numbers were written down once; they must come on every platform."""
    assert list(Dataset.range(10).shuffle(4, seed=7)) == [2, 0, 3, 1, 4, 7, 8, 5, 6, 9]


def test_passes_are_shuffled_anew_unless_told_otherwise():
    ds = Dataset.range(50).shuffle(50, seed="s")
    again = Dataset.range(50).shuffle(50, seed="s")
    passes = [list(ds), list(ds)]
    assert passes[0] != passes[1] and passes == [list(again), list(again)]
    fixed = Dataset.range(50).shuffle(50, reshuffle_each_iteration=False)
    assert list(fixed) == list(fixed)
    twice = list(Dataset.range(50).shuffle(50, seed="s").repeat(2))
    assert [twice[:50], twice[50:]] == passes


def test_without_a_seed_the_order_follows_set_random_seed():
    def order():
        pyml.utils.set_random_seed(5)
        return list(Dataset.range(30).shuffle(30))

    assert order() == order()


def test_rows_of_arrays_and_other_elements_are_shuffled_alike():
    rows = Dataset.from_tensor_slices(np.arange(20, dtype="int32"))
    numbers = Dataset.from_generator(lambda: range(20))
    chain = lambda ds: plain(ds.skip(1).shuffle(6, seed=1).repeat(2).take(33).batch(4))
    assert chain(rows) == chain(numbers)


def test_a_small_buffer_holds_elements_back_by_no_more_than_its_size():
    order = list(Dataset.range(100).shuffle(5, seed=0))
    assert Counter(order) == Counter(range(100)) and all(value <= place + 4 for place, value in enumerate(order))


# ---- waiting
def test_for_and_async_for_give_the_same_where_things_wait():
    ds = Dataset.zip(Dataset.from_generator(three_later), Dataset.range(9).map(later)).prefetch(2).batch(2)
    by_for = list(ds)
    by_async_for = asyncio.run(collected(ds))
    expected = [([0, 1], [0, 10]), ([2], [20])]
    assert [tuple(plain(b)) for b in by_for] == [tuple(plain(b)) for b in by_async_for] == expected


def test_numbers_of_python_become_int32_where_they_fit():
    most, least = 2**31 - 1, -(2**31)
    for dtype, lists in {"int32": ([most], [least, most]), "int64": ([most + 1], [least - 1, 0]), "float32": ([0.5],)}.items():
        for numbers in lists:
            [found] = Dataset.from_tensor_slices(numbers).batch(9)
            assert found.dtype == dtype and found.tolist() == numbers


def test_a_buffer_of_one_element_shuffles_nothing():
    assert [int(x) for x in Dataset.range(9).shuffle(1)] == list(range(9))


def test_for_inside_a_running_loop_says_what_to_write(recwarn):
    async def wrong():
        list(Dataset.range(3).map(later))

    with pytest.raises(RuntimeError, match="write `async for element in dataset`"):
        asyncio.run(wrong())
    gc.collect()
    assert not [str(w.message) for w in recwarn if "never awaited" in str(w.message)]


def test_for_inside_a_running_loop_works_where_nothing_waits():
    async def right():
        return list(Dataset.range(3).map(lambda i: i + 1))

    assert asyncio.run(right()) == [1, 2, 3]


def test_predicates_and_for_each_may_wait():
    async def odd(i):
        await asyncio.sleep(0)
        return i % 2

    seen = []

    async def see(i):
        await asyncio.sleep(0)
        seen.append(i)

    asyncio.run(Dataset.range(6).filter(odd).for_each_async(see))
    assert seen == [1, 3, 5]


def test_prefetch_makes_elements_ahead_and_stops_when_left():
    made = []

    async def numbers():
        try:
            for i in range(100):
                made.append(i)
                await asyncio.sleep(0)
                yield i
        finally:
            made.append("closed")

    async def use():
        stream = aiter(Dataset.from_generator(numbers).prefetch(3))
        assert await anext(stream) == 0
        for _ in range(20):
            await asyncio.sleep(0)
        ahead = list(made)
        await stream.aclose()
        return ahead

    ahead = asyncio.run(use())
    assert 3 <= len(ahead) - 1 <= 5 and made[-1] == "closed"


def test_to_array_gathers_all():
    ds = Dataset.from_generator(three_later)
    assert ds.to_array() == asyncio.run(ds.to_array_async()) == [0, 1, 2]


# ---- number of elements
@pytest.mark.parametrize(
    "make, count",
    [
        (lambda n: n, 10),
        (lambda n: n.map(abs), 10),
        (lambda n: n.filter(abs), UNKNOWN_CARDINALITY),
        (lambda n: n.repeat(), INFINITE_CARDINALITY),
        (lambda n: n.filter(abs).repeat(), INFINITE_CARDINALITY),
        (lambda n: n.repeat().take(7), 7),
        (lambda n: n.take(20), 10),
        (lambda n: n.skip(4).batch(4), 2),
        (lambda n: n.batch(4, drop_remainder=True), 2),
        (lambda n: n.repeat(3).shuffle(2).prefetch(1), 30),
        (lambda n: n.concatenate(n.take(1)), 11),
        (lambda n: n.concatenate(n.repeat()), INFINITE_CARDINALITY),
        (lambda n: Dataset.zip(n, n.repeat()), 10),
        (lambda n: Dataset.zip(n, n.filter(abs)), UNKNOWN_CARDINALITY),
    ],
)
def test_cardinality_is_known_where_it_can_be(make, count):
    ds = make(Dataset.range(10))
    assert ds.cardinality() == count
    if count >= 0:
        assert len(ds) == count == len(list(ds))
    else:
        with pytest.raises(TypeError, match="cardinality"):
            len(ds)


# ---- memory
def test_a_long_dataset_takes_constant_memory():
    def passed(n):
        ds = Dataset.range(n).map(lambda i: np.full(100, i, "float32")).shuffle(8, seed=0).batch(4).prefetch(2)
        for _ in ds:
            pass

    passed(100)
    tracemalloc.start()
    try:
        passed(100)
        short = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        passed(4000)
        long = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert long < short + 20_000                       # 4000 elements are 1.6 MB


# ---- bad input
@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda: Dataset.from_tensor_slices((np.ones(3), np.ones(4))), ShapeError, "same number of rows. Received 3, 4"),
        (lambda: Dataset.from_tensor_slices(3), ShapeError, "Received a single number"),
        (lambda: Dataset.from_tensor_slices([[1], [1, 2]]), ShapeError, "use from_generator"),
        (lambda: Dataset.from_tensor_slices({}), ShapeError, "no array"),
        (lambda: Dataset.from_generator(iter([1])), TypeError, "every pass can start anew"),
        (lambda: list(Dataset.from_generator(lambda: 3)), TypeError, "returned a int"),
        (lambda: Dataset.range(3).batch(0), ValueError, "batch_size must be a positive integer. Received: batch_size=0"),
        (lambda: Dataset.range(3).shuffle(1.5), ValueError, "buffer_size"),
        (lambda: Dataset.range(3).shuffle(2, seed=1.5), ValueError, "seed must be"),
        (lambda: Dataset.range(3).take(-2), ValueError, "at least 0. Received: count=-2"),
        (lambda: Dataset.range(3).map(None), TypeError, "map_func must be a function. Received a NoneType"),
        (lambda: Dataset.zip(Dataset.range(3), [1]), TypeError, "expected Datasets. Received a list"),
        (lambda: Dataset.range(3).concatenate([1]), TypeError, "expected a Dataset"),
        (lambda: Dataset.range(3).repeat().to_array(), ValueError, "infinite; choose a part"),
        (lambda: list(Dataset.range(3).map(np.ones).batch(3)), ShapeError, "Element 0 of this batch has shape (0,) and element 1"),
        (
            lambda: list(Dataset.range(2).map(lambda i: {"a": i} if i else {"b": i}).batch(2)),
            ShapeError,
            "a dict with the keys ['b'] and element 1 is a dict with the keys ['a']",
        ),
        (lambda: list(Dataset.range(2).map(lambda i: (i, None)).batch(2)), ShapeError, "at [1] is None"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(wrong, error, message):
    with pytest.raises(error) as caught:
        wrong()
    assert message in str(caught.value)


def test_elements_in_loops_are_numpy_arrays_that_answer_numpy():
    ds = pyml.data.Dataset.from_tensor_slices(({"x": np.arange(6.0).reshape(3, 2)}, ["a", "b", "c"])).batch(2)
    for x, words in ds.take(1):
        assert type(x["x"].numpy()) is np.ndarray and words.numpy().tolist() == ["a", "b"]
        assert repr(x["x"]) == repr(x["x"].numpy())
