"""What datasets do beside the stages of `test_dataset.py`: groups, several datasets, steps, files; places to go on from."""

import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest
from every import every

import pyml
from pyml.data import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
from pyml.errors import ShapeError

R = Dataset.range


def plain(values):
    return [tuple(plain(v)) if isinstance(v, tuple) else np.asarray(v).tolist() for v in values]


def ragged(*rows):
    return Dataset.from_generator(lambda: iter(rows))


# ---- values, most of them those of tf.data's documentation
STAGES = {
    "padded": (lambda: R(1, 5).map(lambda n: np.full(n, n)).padded_batch(2), [[[1, 0], [2, 2]], [[3, 3, 3, 0], [4] * 4]]),
    "padded to a size": (lambda: ragged([1], [2, 3]).padded_batch(2, padded_shapes=[3], padding_values=-1), [[[1, -1, -1], [2, 3, -1]]]),
    "windows": (lambda: R(7).window(3).flat_map(lambda w: w.batch(3)), [[0, 1, 2], [3, 4, 5], [6]]),
    "windows that drop": (lambda: R(7).window(3, 2, 1, True).flat_map(lambda w: w.batch(3)), [[0, 1, 2], [2, 3, 4], [4, 5, 6]]),
    "windows with a stride": (lambda: R(7).window(3, 1, 2, True).flat_map(lambda w: w.batch(3)), [[0, 2, 4], [1, 3, 5], [2, 4, 6]]),
    "windows far apart": (lambda: R(7).window(2, 3).flat_map(lambda w: w.batch(2)), [[0, 1], [3, 4], [6]]),
    "unbatch": (lambda: R(5).batch(2).unbatch(), [0, 1, 2, 3, 4]),
    "rebatch": (lambda: R(5).batch(2).rebatch(3), [[0, 1, 2], [3, 4]]),
    "by key": (lambda: R(7).group_by_window(lambda x: x % 2, lambda key, w: w.batch(3), 3), [[0, 2, 4], [1, 3, 5], [6]]),
    "buckets": (
        lambda: ragged([0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15, 16, 19, 20], [21, 22]).bucket_by_sequence_length(
            len, [3, 5], [2, 2, 2]),
        [[[1, 2, 3, 4], [5, 6, 7, 0]], [[7, 8, 9, 10, 11, 0], [13, 14, 15, 16, 19, 20]], [[0, 0], [21, 22]]]),
    "buckets to the boundary": (
        lambda: ragged([1], [2, 3], [4]).bucket_by_sequence_length(len, [4], [3, 1], pad_to_bucket_boundary=True),
        [[[1, 0, 0], [2, 3, 0], [4, 0, 0]]]),
    "interleave": (
        lambda: R(1, 6).interleave(lambda x: Dataset.from_tensors(x).repeat(6), cycle_length=2, block_length=4),
        [1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5]),
    "flat_map": (lambda: R(3).batch(2).flat_map(Dataset.from_tensor_slices), [0, 1, 2]),
    "choose": (lambda: Dataset.choose_from_datasets([R(0, 9), R(10, 19)], R(2).repeat(2)), [0, 10, 1, 11]),
    "enumerate": (lambda: R(3).enumerate(start=5), [(5, 0), (6, 1), (7, 2)]),
    "scan": (lambda: R(10).scan(0, lambda s, i: (s + i, s + i)), [0, 1, 3, 6, 10, 15, 21, 28, 36, 45]),
    "take_while": (lambda: R(10).take_while(lambda x: x < 5), [0, 1, 2, 3, 4]),
    "unique": (lambda: Dataset.from_tensor_slices([1, 37, 2, 37, 2, 1]).unique(), [1, 37, 2]),
    "shard": (lambda: R(10).shard(3, 0), [0, 3, 6, 9]),
    "shard of rows": (lambda: Dataset.from_tensor_slices(np.arange(10)).shard(3, 1).batch(2), [[1, 4], [7]]),
    "ignore_errors": (lambda: Dataset.from_tensor_slices([1.0, 2.0, 0.0, 4.0]).map(lambda x: 4 // int(x)).ignore_errors(), [4, 2, 1]),
    "counter": (lambda: Dataset.counter(5, 2).take(3), [5, 7, 9]),
    "apply": (lambda: R(4).apply(lambda ds: ds.filter(lambda x: x > 1)), [2, 3]),
    "from_tensors": (lambda: Dataset.from_tensors([1, 2]), [[1, 2]]),
}  # fmt: skip


@pytest.mark.parametrize("name", STAGES)
def test_stages_give_what_they_say_with_for_and_async_for_and_again(name):
    make, expected = STAGES[name]
    ds = make()

    async def waited():
        return [element async for element in ds]

    assert plain(ds) == plain(asyncio.run(waited())) == plain(ds) == expected
    assert ds.cardinality() in (len(expected), UNKNOWN_CARDINALITY)


@pytest.mark.parametrize("name", STAGES)
def test_a_pass_goes_on_where_it_broke_off_in_every_stage(name):
    make, expected = STAGES[name]
    for n in range(len(expected) + 1):
        first, second = iter(make()), iter(make())
        for _ in range(n):
            next(first)
        second.set_state(json.loads(json.dumps(first.get_state())))
        assert plain(second) == plain(first) == expected[n:]


CHAINS = {
    "rows": lambda: Dataset.from_tensor_slices((np.arange(20), np.arange(20) * 2.0)).shuffle(7, seed=3).batch(3).map(lambda x, y: x + y),
    "no seed": lambda: R(20).shuffle(20).map(abs).repeat(3).batch(4).prefetch(2),
    "zip": lambda: Dataset.zip(R(20).shuffle(5, seed=1), Dataset.random(seed=4)).skip(2).take(11),
    "sampled": lambda: Dataset.sample_from_datasets([R(9), R(10, 19)], [0.3, 0.7], seed=2),
    "cached": lambda: R(12).shuffle(12, seed=1).cache().shuffle(3, seed=2),
    "resampled": lambda: R(60).rejection_resample(lambda i: int(i % 5 == 0), [0.5, 0.5], seed=7),
    "augmented": lambda: R(30).shard(2, 1).enumerate().concatenate(R(3).enumerate()),
}


@pytest.mark.parametrize("name", CHAINS)
def test_random_stages_go_on_with_the_same_order_in_another_dataset(name, tmp_path):
    """Also in the second pass, and with an order that no seed gave."""
    ds = CHAINS[name]()
    list(ds.take(4))
    whole = iter(ds)
    for _ in range(5):
        next(whole)
    whole.save(tmp_path / "place.json")
    random.seed(99)
    other = iter(CHAINS[name]())
    other.restore(tmp_path / "place.json")
    assert plain(other) == plain(whole)


def test_an_async_pass_goes_on_too():
    async def both():
        first = aiter(R(9).shuffle(9).batch(2))
        await anext(first)
        second = aiter(R(9).shuffle(9).batch(2))
        await second.set_state(first.get_state())
        return [plain([e async for e in stream]) for stream in (first, second)]

    one, other = asyncio.run(both())
    assert one == other and len(one) == 4


def test_going_to_a_place_makes_no_element_before_it():
    seen = []
    ds = R(1000).map(lambda i: seen.append(i) or i).batch(10).prefetch(1)
    iterator = iter(ds)
    iterator.set_state({"position": 99, "orders": []})
    assert plain(iterator) == [list(range(990, 1000))] and seen == list(range(990, 1000))


# ---- shares
def test_sampling_keeps_the_weights_and_gives_every_element_once():
    parts = [Dataset.from_tensors(k).repeat() for k in range(3)]
    drawn = np.bincount(list(Dataset.sample_from_datasets(parts, [0.5, 0.2, 0.3], seed=1).take(2000)), minlength=3) / 2000
    assert abs(drawn - [0.5, 0.2, 0.3]).max() < 0.04
    ds = Dataset.sample_from_datasets([R(5), R(10, 12)], seed=1)
    assert sorted(ds) == [0, 1, 2, 3, 4, 10, 11] and len(ds) == 7
    assert Dataset.sample_from_datasets(parts).cardinality() == INFINITE_CARDINALITY


def test_resampling_brings_classes_to_their_shares():
    ds = R(4000).rejection_resample(lambda i: int(i % 10 == 0), [0.5, 0.5], [0.9, 0.1], seed=3)
    kinds = [kind for kind, _ in ds]
    assert abs(np.mean(kinds) - 0.5) < 0.06 and sum(kinds) == 400


# ---- steps
def test_reduce_and_single_elements():
    assert R(5).reduce(np.int64(0), lambda s, x: s + x) == 10
    assert asyncio.run(R(5).reduce_async((0, 0), lambda s, x: (s[0] + x, s[1] + 1))) == (10, 5)
    assert Dataset.from_tensors(3).get_single_element() == 3
    spec = Dataset.from_tensor_slices(np.zeros((2, 3), "float32")).enumerate().element_spec
    assert spec[1].shape == (3,) and spec[1].dtype == "float32"


# ---- work ahead
def test_prefetch_makes_elements_in_a_thread_under_a_plain_for():
    threads, ahead = set(), threading.Event()

    def made(i):
        threads.add(threading.current_thread())
        if i == 2:
            ahead.set()
        return i

    stream = iter(R(50).map(made).prefetch(2))
    assert next(stream) == 0 and ahead.wait()          # while nobody asks
    stream.close()
    assert threading.main_thread() not in threads and not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("use_async", [False, True])
def test_parallel_calls_run_side_by_side_and_keep_the_order(use_async):
    together = threading.Barrier(3)

    def wait_for_others(i):
        together.wait()
        return i * 10

    ds = R(6).map(wait_for_others, num_parallel_calls=3)

    async def waited():
        return [element async for element in ds]

    assert (asyncio.run(waited()) if use_async else list(ds)) == [0, 10, 20, 30, 40, 50]


def test_parallel_coroutines_wait_side_by_side():
    begun = []

    async def slow(i):
        begun.append(i)
        await asyncio.sleep(0)
        return len(begun)

    async def first():
        return await anext(aiter(R(8).map(slow, num_parallel_calls=4)))

    assert asyncio.run(first()) >= 3


# ---- what is kept
def test_cache_is_made_once_in_memory_and_in_files(tmp_path):
    for name in ("", tmp_path / "kept"):
        made = []
        ds = R(4).map(lambda i, made=made: made.append(i) or {"n": np.float32(i), "s": f"é{i}", "t": (i, None, b"\0")}).cache(name)
        next(iter(ds))                                 # a pass that breaks off keeps nothing
        assert list(ds) == list(ds) == [{"n": np.float32(i), "s": f"é{i}", "t": (i, None, b"\0")} for i in range(4)]
        assert made == [0, 0, 1, 2, 3]


def test_saved_and_snapshotted_elements_come_back(tmp_path):
    ds = Dataset.from_tensor_slices((np.arange(12).reshape(6, 2), ["a", "b", "c", "d", "e", "f"]))
    ds.save(tmp_path / "one", compression="GZIP", shard_func=lambda x, s: int(x[0]) % 4 // 2)
    loaded = list(Dataset.load(tmp_path / "one"))
    assert [s for _, s in loaded] == ["a", "c", "e", "b", "d", "f"] and loaded[0][0].dtype == ds.take(1).get_single_element()[0].dtype
    turns = Dataset.load(tmp_path / "one", reader_func=lambda files: files.interleave(lambda one: one))
    assert [s for _, s in turns] == ["a", "b", "c", "d", "e", "f"]
    made = []
    snapped = R(3).map(lambda i: made.append(i) or i).snapshot(tmp_path / "two")
    assert [*snapped, *snapped] == [0, 1, 2] * 2 and made == [0, 1, 2]


def test_elements_that_are_saved_again_are_the_old_ones_until_the_last_moment(tmp_path, monkeypatch):
    path, whole_replace = tmp_path / "kept", os.replace
    saved = lambda values: Dataset.from_tensor_slices(values).save(path, shard_func=lambda x: int(x) % 3)
    loaded = lambda: [int(x) for x in Dataset.load(path)]
    seen = []

    def replace(one, other):
        seen.append(loaded())
        whole_replace(one, other)

    saved([1, 2, 3, 4])
    for name in ("shard-00000-0123abcd.elements", ".89abcdef.shard-00001-0123abcd.elements.part", "shard-mine.elements"):
        (path / name).touch()
        os.utime(path / name, (0, 0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        saved([5, 6])
    assert seen == [[3, 1, 4, 2]] * 3                  # two shards and the list
    assert loaded() == [6, 5]
    assert len(list(path.iterdir())) == 4              # what a process that ended long ago left has gone too


def test_a_snapshot_is_made_anew_where_what_comes_before_it_has_changed(tmp_path):
    made, scale = [], 10

    def source(rows, factor, batch=1, shift=lambda x: x):
        ds = Dataset.from_tensor_slices(np.asarray(rows)).map(lambda x: made.append(int(x)) or shift(x * factor)).batch(batch)
        return [part.tolist() for part in ds.snapshot(tmp_path / "kept")]

    def scaled(x):
        return x * scale

    turns = [
        (([1, 2], 1), [[1], [2]]), (([1, 2], 2), [[2], [4]]), (([1, 3], 2), [[2], [6]]), (([1, 3], 2, 2), [[2, 6]]),
        (([1, 3], 2, 2, lambda x: x + 1), [[3, 7]]), (([1, 3], 2, 2, lambda x: x + 2), [[4, 8]]), (([1, 3], 2, 2, scaled), [[20, 60]]),
    ]  # fmt: skip
    for arguments, wanted in turns:
        for times in (2, 0):                           # and read from the folder when it is asked for again
            made.clear()
            assert source(*arguments) == wanted and len(made) == times
    scale = 5
    assert source([1, 3], 2, 2, scaled) == [[10, 30]]


MARK = """
import numpy as np
from pyml.data import Dataset
from pyml.data.fingerprint import fingerprint
words = {"b": 1, "a": (2, None)}
ds = Dataset.from_tensor_slices({"x": np.arange(3)}).shuffle(3).map(lambda row: (row["x"], words, {"s", "t", "u"})).batch(2).prefetch(1)
print(fingerprint(ds._open))
"""


def test_the_mark_of_a_pipeline_is_the_same_in_every_run():
    python = partial(subprocess.run, [sys.executable, "-c", MARK], capture_output=True, text=True, check=True)
    assert len({python(env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in "12"}) == 1


def test_a_broken_cache_is_an_error(tmp_path):
    ds = R(3).batch(3).cache(tmp_path / "kept")
    list(ds)
    data = bytearray((tmp_path / "kept").read_bytes())
    data[-1] ^= 1
    (tmp_path / "kept").write_bytes(data)
    with pytest.raises(ValueError, match="element 0 is broken"):
        list(ds)


# ---- errors
def test_errors_of_functions_carry_the_element_and_the_line():
    def fails(x, y):
        if x == 3:
            raise ZeroDivisionError("no")
        return x

    line = fails.__code__.co_firstlineno + 2
    pairs = Dataset.zip(R(9), R(9)).map(lambda x, y: (x, np.zeros(2)))
    with pytest.raises(ZeroDivisionError) as caught:
        list(pairs.map(fails).batch(2).prefetch(1))
    assert caught.value.__notes__ == [
        f"map: `fails` (test_stages.py, line {line}) failed for element 3 of the dataset, (3, float64 (2,))."
    ]
    with pytest.raises(ZeroDivisionError) as caught:
        list(pairs.map(fails, num_parallel_calls=2))
    assert "element 3" in caught.value.__notes__[0]
    with pytest.raises(ShapeError) as caught:
        list(ragged([1], [2], [3], [4, 5]).batch(2))
    assert caught.value.__notes__ == ["batch: this is batch 1, elements 2 to 3 of the dataset."]
    with pytest.raises(ShapeError) as caught:
        list(ragged([1], [2], [3], [4, 5]).padded_batch(2, padded_shapes=[1]))
    assert caught.value.__notes__ == ["padded_batch: these are elements 2 to 3 of the dataset."]


@pytest.mark.parametrize(("seed", "again", "same"), [(3, None, True), (3, True, False), (None, None, False), (None, False, True)])
def test_a_seed_makes_the_same_choices_in_each_pass_unless_it_is_said_otherwise(seed, again, same):
    parts = [Dataset.from_tensors(0).repeat(40), Dataset.from_tensors(1).repeat(40)]
    ds = Dataset.sample_from_datasets(parts, seed=seed, rerandomize_each_iteration=again)
    assert (plain(ds) == plain(ds)) == same


@pytest.mark.parametrize("call", [
    *(lambda f, name=name: getattr(R(3), name)(f) for name in ("map", "filter", "interleave", "flat_map", "take_while", "apply")),
    lambda f: R(3).scan(0, f), lambda f: R(3).reduce(0, f), lambda f: R(3).group_by_window(f, lambda key, rows: rows, 2),
    lambda f: R(3).group_by_window(abs, f, 2), lambda f: R(3).bucket_by_sequence_length(f, [1], [3, 3]),
    lambda f: R(3).rejection_resample(f, [0.5, 0.5]), Dataset.from_generator,
])  # fmt: skip
def test_what_takes_a_function_says_so_before_anything_runs(call):
    for wrong in (3, "abs", None):
        with pytest.raises(TypeError, match=r"must be a function.* Received"):
            call(wrong)


COUNTED = {
    **{f"batch {k} {drop}": (lambda ds, k=k, drop=drop: ds.batch(k, drop_remainder=drop)) for k in (1, 3, 9) for drop in (False, True)},
    **{f"window {size} {shift} {stride} {drop}": (lambda ds, how=(size, shift, stride, drop): ds.window(*how))
       for size, shift, stride, drop in itertools.product((1, 3), (None, 1, 2, 5), (1, 2), (False, True))},
    **{f"shard {i}": (lambda ds, i=i: ds.shard(3, i)) for i in range(3)},
    **{f"skip {n}": (lambda ds, n=n: ds.skip(n)) for n in (0, 2, 9)}, **{f"take {n}": (lambda ds, n=n: ds.take(n)) for n in (0, 2, 9)},
    "repeat": lambda ds: ds.repeat(3), "none": lambda ds: ds.repeat(0), "concatenate": lambda ds: ds.concatenate(R(2)),
    "zip": lambda ds: Dataset.zip(ds, R(4)), "enumerate": lambda ds: ds.enumerate(), "shuffle": lambda ds: ds.shuffle(4),
    "map": lambda ds: ds.map(abs), "sampled": lambda ds: Dataset.sample_from_datasets([ds, R(3)]),
    "prefetch": lambda ds: ds.prefetch(2), "cache": lambda ds: ds.cache(), "rebatched": lambda ds: ds.batch(3).rebatch(2),
    "unbatched": lambda ds: ds.batch(3).unbatch(),
}  # fmt: skip


@every("name", COUNTED)
def test_a_dataset_knows_how_many_elements_it_gives(name):
    for count in range(8):
        ds = COUNTED[name](R(count))
        known, found = ds.cardinality(), len(list(ds))
        assert known == found or (known == UNKNOWN_CARDINALITY and name in ("rebatched", "unbatched")), count


NAMING = "map filter flat_map interleave take_while scan group_by_window bucket_by_sequence_length"


@pytest.mark.parametrize("stage", NAMING.split())
def test_an_error_of_a_function_names_the_element(stage):
    def fails(*args):
        if args[-1] == 2:
            raise KeyError("mine")
        return {"scan": (0, 0), "flat_map": R(1), "interleave": R(1)}.get(stage, 1)

    more = {"scan": (0, fails), "bucket_by_sequence_length": (fails, [5], [9, 9]),
            "group_by_window": (fails, lambda key, rows: rows, 9)}  # fmt: skip
    with pytest.raises(KeyError, match="mine") as caught:
        list(getattr(R(5), stage)(*more.get(stage, (fails,))))
    assert any("element 2" in note for note in caught.value.__notes__), caught.value.__notes__


def test_elements_that_are_left_out_are_told_of_where_it_is_asked_for(recwarn):
    halves = Dataset.from_tensor_slices([1.0, 0.0, 4.0]).map(lambda x: 4 // int(x))
    assert plain(halves.ignore_errors()) == [4, 1] and not len(recwarn)
    with pytest.warns(UserWarning, match="left out an element: ZeroDivisionError: .*element 1"):
        assert plain(halves.ignore_errors(log_warning=True)) == [4, 1]


WRONG = {
    "len(R(3).repeat())": "the length of this dataset is infinite; see `cardinality()`",
    "len(R(3).filter(bool))": "the length of this dataset is not known before it was iterated; see",
    "R(3).window(0)": "window: size must be a positive integer",
    "R(3).shard(2, 2)": "index must be below num_shards=2",
    "R(3).flat_map(lambda i: i).to_array()": "must return a Dataset. For element 0 it returned a int",
    "R(3).interleave(abs, cycle_length=0)": "cycle_length must be a positive integer",
    "R(3).bucket_by_sequence_length(len, [1, 2], [3])": "one number more",
    "R(3).bucket_by_sequence_length(len, [2, 1], [3, 3, 3])": "must rise",
    "Dataset.sample_from_datasets([])": "at least one Dataset",
    "Dataset.sample_from_datasets([R(3)], [-1])": "weights must be 1 numbers",
    "Dataset.choose_from_datasets([R(3)], R(2)).to_array()": "choice 1 must be from 0 to 0. Received: 1",
    "R(3).repeat().cache()": "infinite",
    "R(3).repeat().reduce(0, max)": "infinite",
    "R(3).batch(2).ignore_errors()": "right after the `map`",
    "R(3).scan(0, lambda s, x: s).to_array()": "must return (new_state, output). For element 0",
    "R(3).get_single_element()": "It has more",
    "R(3).unbatch().to_array()": "unbatch: all parts of an element must have the same number of rows. Element 0",
    "R(3).rebatch(2).to_array()": "rebatch: all parts of an element must have the same number of rows. Element 0",
    "R(3).filter(lambda i: np.array([i, 1])).to_array()": "filter: the function must return one truth value. For element 0",
    "R(3).take_while(lambda i: np.array([i, 1])).to_array()": "take_while: the function must return one truth value. For element 0",
    "R(3).bucket_by_sequence_length(lambda i: 'a', [1], [3, 3]).to_array()": "must return an integer. For element 0",
    "R(3).group_by_window(lambda i: i, lambda key, window: 5, 2).to_array()": "must return a Dataset. For key 0 it returned a int",
    "R(3).rejection_resample(abs, [0.5, 0.6])": "add up to 1",
    "ragged([1], [2, 3]).padded_batch(2, padded_shapes=[1]).to_array()": "has 2 entries, more than the 1",
    "Dataset.load('/nowhere')": "not a folder",
    "Dataset.list_files('/nowhere/*')": "no file was found",
    "iter(R(3)).set_state({})": "expected what get_state() returned",
    "iter(R(3)).set_state({'position': 1, 'orders': [[1, 2]]})": "1 random stages and this one has 0",
    "R(3).map(abs, num_parallel_calls=0)": "num_parallel_calls must be a positive integer",
    "Dataset.from_generator(lambda: [[1]], output_types='int32', output_shapes=[2]).to_array()": "expected shape (2,). Received shape (1,)",
}


@pytest.mark.parametrize("source", WRONG)
def test_bad_input_is_refused_in_one_sentence(source):
    with pytest.raises((ValueError, TypeError, FileNotFoundError)) as caught:
        eval(source)
    assert WRONG[source] in str(caught.value)


def test_generators_with_a_signature_give_arrays_of_its_dtypes():
    spec = (pyml.KerasTensor((None, 2), "float32"), pyml.KerasTensor((), "int64"))
    x, y = Dataset.from_generator(lambda n: iter([([[1, 2]], n)]), output_signature=spec, args=(7,)).get_single_element()
    assert x.dtype == np.float32 and x.shape == (1, 2) and y.dtype == np.int32 and y == 7  # as tensors are


def test_tensors_among_the_elements_come_as_numpy_arrays(cpu):
    dataset = R(3).map(lambda n: {"twice": pyml.ops.multiply(n, 2), "name": str(n)})
    found = list(dataset.as_numpy_iterator())
    assert all(isinstance(element["twice"], np.ndarray) for element in found)
    assert [(int(element["twice"]), element["name"]) for element in found] == [(0, "0"), (2, "1"), (4, "2")]
